"""The papermill engine that forks."""

from __future__ import annotations

from papermill.engines import NBClientEngine


class ForkEngine(NBClientEngine):  # type: ignore[misc]
    """Run a notebook in a fork."""
