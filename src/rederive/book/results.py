"""Results of a section as data inside its executed notebook, for those who rerun it.

The table that closes a section carries, beside its HTML, every row of the section under a media
type of its own. No page shows it; a run, a sweep or a comparison of two runs reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:  # a worker of a sweep reads results without all that makes them
    from rederive.book.ledger import LedgerRow
    from rederive.book.render import Html

RESULTS_TYPE = "application/vnd.rederive.results+json"
"""Media type of the rows of one section."""

RESULTS_VERSION = 1
"""Version of their form."""

KEPT = (
    "id", "printed", "reproduced", "value", "low", "high", "evidence", "verdict", "decision",
    "before", "before_verdict", "before_decision",
)  # fmt: skip
"""What a rerun may change about a row; numbers are ``None`` where there is none."""


class ResultsTable:
    """A table as HTML, which a page shows, with rows as data, which a program reads."""

    def __init__(self, shown: Html, rows: Iterable[LedgerRow]) -> None:
        self.shown = shown
        records = [row.as_record() for row in rows]
        self.results = [{name: record[name] for name in KEPT} for record in records]

    def __str__(self) -> str:
        return str(self.shown)

    def _repr_mimebundle_(
        self, include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
    ) -> dict[str, Any]:
        return {
            "text/html": str(self.shown),
            "text/plain": f"{len(self.results)} rows",
            RESULTS_TYPE: {"version": RESULTS_VERSION, "rows": self.results},
        }


def read_results(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the results in the JSON of an executed notebook, in the order of its cells.

    Of an id that comes twice the last counts. Those of another version are a ``ValueError``.
    """
    found: dict[str, dict[str, Any]] = {}
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            carried = output.get("data", {}).get(RESULTS_TYPE)
            if carried is None:
                continue
            version = carried.get("version")
            if version != RESULTS_VERSION:
                raise ValueError(f"results: found version {version}, allowed: {RESULTS_VERSION}")
            found.update({str(row["id"]): dict(row) for row in carried["rows"]})
    return list(found.values())


class ResultsRenderer:
    """Plugin of MyST-NB, found by its entry point; every page shows the HTML beside the data."""

    mime_priority_overrides: ClassVar[list[tuple[str, str, int | None]]] = []

    @staticmethod
    def handle_mime(renderer: object, data: Any, inline: bool) -> list[Any] | None:
        """Return no nodes for results; ``None``, for others to try, for anything else."""
        return [] if data.mime_type == RESULTS_TYPE else None
