"""One section of the book: its figures, what the engine makes of them, and the run's cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rederive.book import beside, render
from rederive.book.ledger import Ledger, LedgerRow
from rederive.book.published import Published
from rederive.book.results import ResultsTable


class Section:
    """The rows of the ledger that have their place in one notebook.

    As the last line of a cell it shows a banner, where the run is not the article's, and how many
    figures there are by evidence. The ledger is the whole one, under all `parameters` of the run;
    `usual` are the article's values of those that are not the article's.
    """

    def __init__(
        self,
        ledger: Ledger,
        notebook: str,
        parameters: Mapping[str, object] | None = None,
        usual: Mapping[str, object] | None = None,
    ) -> None:
        self.ledger = ledger
        self.notebook = notebook
        self.parameters = SimpleNamespace(**(parameters or {}))
        self.usual = dict(usual or {})
        plan = ledger.registry.plan
        self.ids = [row.id for row in ledger.registry if plan[row.id].notebook == notebook]
        if not self.ids:
            raise ValueError(f"the plan has no row for the notebook {notebook!r}")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def cohorts(self) -> Any:
        """The patients that this run analyses."""
        return self.ledger.cohorts

    @cached_property
    def published(self) -> Published:
        """What the article prints."""
        return Published(self.ledger.registry, self.ledger.settings)

    def rows(self, *ids: str) -> list[LedgerRow]:
        """Return rows of the ledger; without ids all of this section."""
        return self.ledger.rows(ids or self.ids)

    def beside(self, values: object, ids: str = "", *, source: str) -> render.Table:
        """Set values beside the published figures; refuse them if the engine has others.

        Parameters
        ----------
        values : mapping, Series or DataFrame
            A value for each key: a number, a pair (low, high) that must hold the engine's range, a
            truth value (of a claim), or a Series by cohort or by prior and draw. The columns of a
            DataFrame are such Series.
        ids : str
            Template that makes an id of a key, such as ``results-score-treated-m{}-p``; capitals
            of the key become small letters. Without it the keys are ids.
        source : str
            Where the values come from: ``printed figures`` (alone), ``one cohort`` (that of
            ``cohorts.one``), ``all cohorts`` (of the run), or ``held-out cohorts`` (that left the
            figure out of the fit).

        Returns
        -------
        Table
            Its ``data`` are numbers by row id: ``published``, ``here`` (median where there are
            many), ``low``, ``high``, ``evidence`` and ``verdict``.

        Raises
        ------
        MismatchError
            If a value and the ledger's differ.
        TypeError, ValueError
            If the values are of another kind, or there is no such row or source.
        SourceError
            If the plan of the reproduction does not allow the source; so a figure that the cohorts
            were fitted to is never shown as predicted.
        """
        return beside.table(self.ledger, values, ids, source)

    def article_table(self, table: str) -> render.Table:
        """Return a table in the article's rows and columns, our figures below its own.

        Parameters
        ----------
        table : str
            Name of the table in ``tables.csv``, such as ``table1``.

        Returns
        -------
        Table
            Its ``data`` have one line for each figure or mark, by id: ``row``, ``column``,
            ``published``, ``here``, ``evidence`` and ``verdict``.

        Raises
        ------
        ValueError
            If there is no such table.
        """
        from rederive.book.article_table import article_table

        return article_table(self.ledger, table)

    def figures(self, *ids: str, caption: str = "All figures of this section") -> ResultsTable:
        """Return rows as the ledger shows them, folded.

        Parameters
        ----------
        *ids : str
            Ids of the rows; without any, all rows of this section.
        caption : str
            Words on which the table opens.

        Notes
        -----
        The whole section also carries its rows as data, see :mod:`rederive.book.results`. Its rows,
        and those of other sections, have their ids as anchors: a browser opens what is folded when
        a link leads there, and a figure of the page answers from its row.
        """
        rows = self.rows(*ids)
        anchors = set(ids) - set(self.ids) if ids else set(self.ids)
        table = render.comparison(rows, caption, anchors=anchors, decision=True)
        folded = f"<details><summary>{escape(caption)} ({len(rows)})</summary>{table}</details>"
        return ResultsTable(render.Html(folded), [] if ids else rows)

    def __repr__(self) -> str:
        return f"<Section {self.notebook}: {len(self)} figures and statements>"

    def _repr_html_(self) -> str:
        return self._banner() + render.evidence_bar(self.rows()).markup

    def _banner(self) -> str:
        if not self.usual:
            return ""
        given = {name: _without_path(getattr(self.parameters, name)) for name in self.usual}
        # Only the name of a folder is empty where it is the article's.
        own = [escape(str(given.pop(name))) for name, value in self.usual.items() if value == ""]
        words = [
            f"What needs patients is computed from your cohort, <b>{name}</b>, and nothing in it "
            "was fitted. The text, its summary and all printed figures are about the published "
            "study; what only its reconstruction could answer is left out."
            for name in own
        ]
        if given:
            here, usual = (
                escape(", ".join(f"{name} = {values[name]!r}" for name in given))
                for values in (given, self.usual)
            )
            words.append(
                f"This page was run with <b>{here}</b>. The text describes {usual}; tables and "
                "figures show this run."
            )
        return f'<div class="rederive-banner" role="note">{" ".join(words)}</div>'


def _without_path(value: object) -> object:
    """Return a value; of a user's folder only its name."""
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
