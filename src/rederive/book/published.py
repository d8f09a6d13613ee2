"""The published figures as a notebook uses them: tables of numbers, and summaries for tests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from rederive.printed import PrintedNumber
from rederive.printed.errors import meant
from rederive.printed.registry import ClaimRow, NumberRow, Registry
from rederive.recompute import Summary
from rederive.recompute.planned.task import Settings, scale_of

STATISTICS = ("count", "percent", "mean", "sd", "n", "p")
"""Order of the columns of a table of published figures; others come after them."""


class Published:
    """What an article prints, looked up by what it is about.

    Parameters
    ----------
    registry : Registry
        The article's numbers.
    settings : Settings, optional
        How ambiguous means are interpreted.
    """

    def __init__(self, registry: Registry, settings: Settings | None = None) -> None:
        self.registry = registry
        self._settings = settings or Settings()

    def __getitem__(self, row_id: str) -> PrintedNumber:
        if row_id not in self.registry.numbers:
            hint = meant(row_id, self.registry.numbers)
            raise KeyError(f"found {row_id!r}, allowed: the id of a number{hint}")
        return self.registry.numbers[row_id].printed

    def value(self, row_id: str) -> float:
        """Return a published figure as a float.

        Raises
        ------
        KeyError
            If there is no number of this id.
        """
        return float(self[row_id].value)

    def numbers(self, section: str = "") -> pd.DataFrame:
        """Return every printed figure of the article, or of one section of it, in its order.

        Parameters
        ----------
        section : str
            Section as in ``numbers.csv``; empty for all.

        Returns
        -------
        DataFrame
            By id: ``section``, ``variable``, ``group``, ``month``, ``statistic``, ``operator``,
            ``value`` (float), ``decimals``, ``n`` (float, NaN where unknown) and ``same_as``, the
            id of the first mention.
        """
        found = {
            row.id: _about(row)
            | {
                "statistic": row.statistic,
                "operator": row.printed.operator,
                "value": float(row.printed.value),
                "decimals": row.printed.decimals,
                "n": np.nan if row.n is None else float(row.n),
                "same_as": row.same_as,
            }
            for row in self.registry.numbers.values()
            if section in ("", row.section)
        }
        return pd.DataFrame.from_dict(found, orient="index")

    def claims(self, section: str = "") -> pd.DataFrame:
        """Return every statement of the article, or of one section of it, in its order.

        Parameters
        ----------
        section : str
            Section as in ``claims.csv``; empty for all.

        Returns
        -------
        DataFrame
            By id: ``section``, ``variable``, ``group``, ``month``, ``kind``, ``expected``,
            ``statement`` and ``same_as``, the id of the first mention.
        """
        found = {
            row.id: _about(row)
            | {name: getattr(row, name) for name in ("kind", "expected", "statement", "same_as")}
            for row in self.registry.claims.values()
            if section in ("", row.section)
        }
        return pd.DataFrame.from_dict(found, orient="index")

    def table(
        self,
        variable: str | Collection[str],
        group: str | Collection[str] = (),
        timepoint: str | Collection[str] = (),
        section: str = "",
    ) -> pd.DataFrame:
        """Return the figures of one or more variables, first mentions only.

        Parameters
        ----------
        variable, group, timepoint : str or collection of str
            Names as in ``numbers.csv``; without a group or time point all of them.
        section : str
            Only figures of this section of the article, repeats of earlier sections included.

        Returns
        -------
        DataFrame
            One row for each variable, group and time point of which there are several, one column
            for each statistic as floats, NaN where none is printed; numbers of patients (``count``,
            and ``n`` behind a mean) are whole where all are printed.

        Raises
        ------
        KeyError
            If nothing printed fits, or two different figures fit one cell.
        """
        wanted = [_as_tuple(each) for each in (variable, group, timepoint)]
        cells: dict[tuple[str, str, str], dict[str, float]] = {}
        for row in self.registry.numbers.values():
            about = (row.variable, row.group, row.timepoint)
            fits = all(
                not names or name in names for names, name in zip(wanted, about, strict=True)
            )
            if not fits or row.statistic == "month" or (row.same_as and not section):
                continue
            if section and row.section != section:
                continue
            figures = cells.setdefault(about, {})
            whole = row.statistic in ("n", "count")
            value = int(row.printed.value) if whole else float(row.printed.value)
            if figures.setdefault(row.statistic, value) != value:
                raise KeyError(f"{row.id}: two figures for {about} and {row.statistic}: name one")
            if row.n is not None:
                figures.setdefault("n", row.n)
        if not cells:
            known = {row.variable for row in self.registry.numbers.values()}
            raise KeyError(f"found nothing printed for {wanted}{meant(wanted[0][0], known)}")
        index = pd.MultiIndex.from_tuples(list(cells), names=["variable", "group", "month"])
        frame = pd.DataFrame(list(cells.values()), index)
        for level in ("variable", "group", "month"):
            if frame.index.nlevels > 1 and frame.index.get_level_values(level).nunique() == 1:
                frame = frame.droplevel(level)
        first = [name for name in STATISTICS if name in frame]
        return frame[first + [name for name in frame if name not in first]]

    def summary(
        self,
        variable: str,
        group: str,
        timepoint: str = "",
        n: int | None = None,
        paired_p: str = "",
    ) -> Summary:
        """Return mean, SD and n with all that their rounding leaves open, for the engine's tests.

        Parameters
        ----------
        variable, group, timepoint : str
            Names as in ``numbers.csv``.
        n : int, optional
            Number of patients, where the article prints none with the mean.
        paired_p : str
            Of a change that is compared with another group's: id of the p of its paired t test,
            which leaves fewer means and SDs.

        Raises
        ------
        KeyError
            If no mean and SD are printed, or there is no such p.
        ValueError
            If n is neither printed nor given.
        """
        mean = self._first(variable, group, timepoint, "mean")
        sd = self._first(variable, group, timepoint, "sd")
        size = mean.n if n is None else n
        if size is None:
            raise ValueError(f"{mean.id}: no n is printed with it; allowed: give n")
        scale = scale_of(self.registry.variables[variable])
        read = self._settings.read(mean, sd.printed, int(size), scale)
        return replace(read, paired_p=(self[paired_p],)) if paired_p else read

    def _first(self, variable: str, group: str, timepoint: str, statistic: str) -> NumberRow:
        wanted = (variable, group, timepoint, statistic)
        for row in self.registry.numbers.values():
            if (row.variable, row.group, row.timepoint, row.statistic) == wanted:
                return row
        raise KeyError(f"found no printed {statistic} of {variable}, {group}, {timepoint}")


def _about(row: NumberRow | ClaimRow) -> dict[str, object]:
    return {
        "section": row.section,
        "variable": row.variable,
        "group": row.group,
        "month": row.timepoint,
    }


def _as_tuple(names: str | Collection[str]) -> tuple[str, ...]:
    return ((names,) if names else ()) if isinstance(names, str) else tuple(names)
