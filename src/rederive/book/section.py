"""One section of the book: its rows of the ledger, each shown once, in tables and in prose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from IPython.display import Markdown

from rederive.book import render
from rederive.book.ledger import Ledger, LedgerRow
from rederive.book.results import ResultsTable
from rederive.printed import Evidence, Verdict


class Section:
    """The rows that have their place in one notebook.

    Parameters
    ----------
    ledger : Ledger
        The whole ledger.
    notebook : str
        Name of the notebook.

    Raises
    ------
    ValueError
        If the plan gives this notebook no row.
    """

    def __init__(self, ledger: Ledger, notebook: str) -> None:
        self.ledger = ledger
        self.notebook = notebook
        self._ids = [
            row.id for row in ledger.registry if ledger.registry.plan[row.id].notebook == notebook
        ]
        if not self._ids:
            raise ValueError(f"the plan has no row for the notebook {notebook!r}")
        self._shown: set[str] = set()

    def __len__(self) -> int:
        return len(self._ids)

    def rows(
        self,
        variables: Collection[str] = (),
        groups: Collection[str] = (),
        statistics: Collection[str] = (),
        sections: Collection[str] = (),
        kind: str = "",
    ) -> list[LedgerRow]:
        """Return the rows of this section that suit every filter; an empty filter keeps all.

        Parameters
        ----------
        variables : collection of str
            Names as in the registry.
        groups, statistics, sections : collection of str
            Study groups, statistics (for claims, kinds of claim) and sections of the article.
        kind : str
            ``number`` or ``claim``.
        """
        registry = self.ledger.registry
        return [
            self.ledger.row(row_id)
            for row_id in self._ids
            if (not variables or registry.row(row_id).variable in variables)
            and (not groups or registry.row(row_id).group in groups)
            and (not sections or registry.row(row_id).section in sections)
            and (not kind or (kind == "number") == (row_id in registry.numbers))
            and (not statistics or self.ledger.row(row_id).statistic in statistics)
        ]

    def table(
        self,
        caption: str,
        variables: Collection[str] = (),
        groups: Collection[str] = (),
        statistics: Collection[str] = (),
        sections: Collection[str] = (),
        kind: str = "",
        decision: bool = False,
    ) -> render.Html:
        """Return the comparison of those rows that suit the filters and were not shown before.

        Raises
        ------
        ValueError
            If no such row is left.
        """
        found = self.rows(variables, groups, statistics, sections, kind)
        new = [row for row in found if row.id not in self._shown]
        return self._comparison(new, caption, decision)

    def rest(self, caption: str) -> render.Html:
        """Return the comparison of all rows of this section that no table has shown yet."""
        left = [self.ledger.row(row_id) for row_id in self._ids if row_id not in self._shown]
        return self._comparison(left, caption, decision=False)

    def summary(self, caption: str) -> ResultsTable:
        """Return the counts of this section's rows by evidence and verdict.

        The table also carries every row of the section as data; see :mod:`rederive.book.results`.
        """
        rows = [self.ledger.row(row_id) for row_id in self._ids]
        return ResultsTable(render.count_table(self.counts(), caption), rows)

    def counts(self) -> Counter[tuple[Evidence, Verdict]]:
        """Return how many rows of this section there are by evidence and verdict."""
        rows = [self.ledger.row(row_id) for row_id in self._ids]
        return Counter((row.evidence, row.verdict) for row in rows)

    def printed(self, row_id: str) -> str:
        """Return a printed number as a reader sees it, for prose."""
        return self.ledger.registry.numbers[row_id].as_printed

    def _comparison(self, rows: Sequence[LedgerRow], caption: str, decision: bool) -> render.Html:
        if not rows:
            raise ValueError(f"no rows are left for the table {caption!r}")
        self._shown |= {row.id for row in rows}
        return render.comparison(rows, caption, decision=decision)


def prose(*sentences: str) -> Markdown:
    """Return a paragraph whose figures come from code.

    Raises
    ------
    ValueError
        If a sentence is empty, so that a figure that failed to come cannot leave a blank.
    """
    if not sentences or not all(sentence.strip() for sentence in sentences):
        raise ValueError("a paragraph needs sentences, none of them empty")
    return Markdown(" ".join(sentences))


def bullets(*items: str) -> Markdown:
    """Return a list whose figures come from code.

    Raises
    ------
    ValueError
        If there are no items, or one is empty.
    """
    if not items or not all(item.strip() for item in items):
        raise ValueError("a list needs items, none of them empty")
    return Markdown("\n".join(f"- {item}" for item in items))


def in_words(items: Sequence[object], last: str = "and") -> str:
    """Return items as a list in a sentence: ``a, b and c``.

    Raises
    ------
    ValueError
        If there are no items.
    """
    words = [str(item) for item in items]
    if not words:
        raise ValueError("a list in words needs items")
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
