"""What a command shows on a terminal while one waits for it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import Any

import click

PATIENCE = 2.0
"""Seconds after which a bar is shown."""


class Watch:
    """Shows on a terminal how far work is, and lets Ctrl-C end it with what there is by then.

    ``label`` says what is counted. Without ``catch`` Ctrl-C ends the work at once; with it the
    first one sets ``stopped``, and the next ends the process.
    """

    def __init__(self, label: str, catch: bool = True) -> None:
        self.stopped = False
        self._catch = catch
        self._label = label
        self._begun = time.monotonic()
        self._bar: Any = None
        self._done = 0
        self._before: Any = None

    def __enter__(self) -> Watch:
        if self._catch and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self._bar is not None:
            self._bar.render_finish()

    def _interrupt(self, *signalled: object) -> None:
        self.stopped = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        click.echo("ending after the step under way; once more to give up", err=True)

    def stop(self) -> bool:
        """Return whether the work is to end."""
        return self.stopped

    def __call__(self, done: int, wanted: int) -> None:
        """Show that so much is done."""
        if not sys.stderr.isatty() or time.monotonic() - self._begun < PATIENCE:
            return
        if self._bar is None:
            self._bar = click.progressbar(length=wanted, label=self._label, file=sys.stderr)
        self._bar.update(done - self._done)
        self._done = done

    def line(self, words: str) -> None:
        """Print a line, above the bar if there is one."""
        click.echo(words if self._bar is None else f"\r\x1b[K{words}")
        if self._bar is not None:
            self._bar._last_line = None  # it is drawn again, although it has not changed
            self._bar.render_progress()

    def say(self, words: str) -> None:
        """Say what is begun, with the seconds since the start."""
        if sys.stderr.isatty():
            click.echo(f"[{time.monotonic() - self._begun:.0f} s] {words} ...", err=True)
