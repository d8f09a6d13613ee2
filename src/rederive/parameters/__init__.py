"""Parameters of a book's notebooks: typed once, checked wherever they come in.

What an article needs to offer its own, and to check what a run was given, is imported from here.
"""

from __future__ import annotations

from rederive.parameters.notebooks import cells_run, check_injected
from rederive.parameters.types import Form, Parameter, ParameterError, ParameterSet, Value
