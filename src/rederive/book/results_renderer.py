"""What MyST-NB makes of the results that a section carries as data: nothing, and no warning."""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes

from rederive.book.results import RESULTS_TYPE


class ResultsRenderer:
    """Plugin of MyST-NB, found by its entry point; every page shows the HTML beside the data."""

    mime_priority_overrides: ClassVar[list[tuple[str, str, int | None]]] = []

    @staticmethod
    def handle_mime(renderer: object, data: Any, inline: bool) -> list[nodes.Element] | None:
        """Return no nodes for results; ``None``, for others to try, for anything else."""
        return [] if data.mime_type == RESULTS_TYPE else None
