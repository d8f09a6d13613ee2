"""Python source as a syntax tree, also where several threads want one at the same time."""

from __future__ import annotations

import ast
import threading

# Some versions of CPython 3.11 count the depth of a tree once for the whole process, and raise
# SystemError if another thread has begun a tree meanwhile.
_ONE_AT_A_TIME = threading.Lock()


def parse(source: str | bytes) -> ast.Module:
    """Return the syntax tree of some source.

    Parameters
    ----------
    source : str or bytes
        Python source.

    Raises
    ------
    SyntaxError, ValueError
        If it is none.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(source)
