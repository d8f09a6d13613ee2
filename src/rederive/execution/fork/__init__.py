"""Execution of notebooks in forks of a process that has the libraries imported."""

from __future__ import annotations

from rederive.execution.fork.choice import available

__all__ = ["available"]
