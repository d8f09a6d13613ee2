"""A bar with the time left, for work of which only the usual time is known."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

STEP_SECONDS = 0.2
QUICK_SECONDS = 2.0
"""What takes no longer than this has no bar."""


@contextmanager
def expected_time(label: str, seconds: float | None) -> Iterator[None]:
    """Show a bar on a terminal while the block runs.

    Parameters
    ----------
    label : str
        What runs.
    seconds : float or None
        How long it took last time; without it the label stands alone. Nothing at all is shown
        where the error stream is no terminal.
    """
    if not sys.stderr.isatty():
        yield
        return
    if seconds is None or seconds <= QUICK_SECONDS:
        click.echo(f"{label}: running", file=sys.stderr)
        yield
        return
    done = threading.Event()
    steps = max(1, round(seconds / STEP_SECONDS))
    with click.progressbar(length=steps, label=label, file=sys.stderr) as bar:

        def advance() -> None:
            # Work that takes longer than last time stops short of the end until it is done.
            for _ in range(steps - 1):
                if done.wait(STEP_SECONDS):
                    return
                bar.update(1)

        thread = threading.Thread(target=advance, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            bar.update(steps - bar.pos)
