"""Tables of specifications: one result under every combination of choices.

A specification is one value for each choice. The table says which choices matter: how much of the
variance each of them carries, and how often the decision changes if it alone is changed.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

OUTCOMES = ("value", "low", "high", "decision")
"""Columns of a table after its choices."""

MAJORITY = 0.5
"""Share of data sets above which a specification's decision counts as yes; a tie is a no."""

SAME = "same"
"""Column, where there is one, that names specifications which must give the same result."""

_SMALL = 1e-12

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Specifications:
    """One result under many specifications; `Specifications.of` makes and checks one.

    The frame has the columns of the choices, then :data:`OUTCOMES`: the value, its range (NaN where
    there is none), and the share of data sets, 0 to 1, that decide yes (NaN where nothing is
    decided). Where it is known which specifications come to the same, :data:`SAME` follows. With
    ``log_floor`` the value is seen on a logarithmic axis: shares of the variance are those of its
    log10, values below the floor (such as a p of 0) counting as the floor.
    """

    frame: pd.DataFrame
    choices: tuple[str, ...]
    log_floor: float | None = None

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        choices: Sequence[str],
        log_floor: float | None = None,
    ) -> Specifications:
        """Return the table of some columns of a frame, one row per specification.

        Parameters
        ----------
        frame : DataFrame
            With the columns :data:`OUTCOMES`, of which all but the value may be missing. A column
            :data:`SAME` has one label for all specifications that must give the same result, such
            as those that select the same data.
        choices : sequence of str
            Columns that tell specifications apart.
        log_floor : float, optional
            Least value on a logarithmic axis, above 0; without it the axis is linear.

        Raises
        ------
        ValueError
            If a choice is empty somewhere, a specification stands there twice, or specifications
            that must give the same result do not.
        """
        names = tuple(choices)
        table = frame[list(names)].reset_index(drop=True)
        for name in names:
            if table[name].isna().any():
                row = int(np.flatnonzero(table[name].isna())[0])
                raise ValueError(f"row {row}, {name}: found nothing, allowed: a value")
        twice = table.duplicated()
        if twice.any():
            again = table[twice].iloc[0].to_dict()
            raise ValueError(f"specification {again} stands there more than once")
        outcomes = frame.reindex(columns=list(OUTCOMES)).apply(pd.to_numeric)
        table[list(OUTCOMES)] = outcomes.to_numpy(float)
        if SAME in frame.columns:
            table[SAME] = pd.factorize(frame[SAME])[0]
            given = table[list(OUTCOMES)]
            first = table.groupby(SAME)[list(OUTCOMES)].transform("first")
            differs = ~((given == first) | (given.isna() & first.isna())).all(axis=1)
            if differs.any():
                row, words = int(np.flatnonzero(differs)[0]), "the row that it is the same as"
                raise ValueError(f"row {row}: found another result than in {words}")
        return cls(table, names, log_floor)

    @cached_property
    def levels(self) -> dict[str, tuple[Hashable, ...]]:
        """Levels of each choice: numbers rising, words in the order in which they appear."""
        found = {}
        for name in self.choices:
            values = list(self.frame[name].unique())
            kinds = {pd.api.types.infer_dtype([each]) for each in values}
            found[name] = tuple(sorted(values) if kinds <= {"integer", "floating"} else values)
        return found

    @cached_property
    def _codes(self) -> npt.NDArray[np.int64]:
        """Place of each row's level, shape (rows, choices)."""
        columns = [pd.Categorical(self.frame[each], self.levels[each]) for each in self.choices]
        return np.stack([column.codes.astype(np.int64) for column in columns], axis=1)

    @property
    def is_complete(self) -> bool:
        """Whether every combination of levels is there and has a value."""
        size = int(np.prod([len(levels) for levels in self.levels.values()]))
        return size == len(self.frame) and bool(self.frame["value"].notna().all())

    @cached_property
    def distinct(self) -> Specifications:
        """The first of the specifications that must give the same result; all where none is known.

        What only widens a choice without selecting other data counts once there.
        """
        if SAME not in self.frame.columns:
            return self
        kept = self.frame[~self.frame.duplicated(SAME)].reset_index(drop=True)
        return Specifications(kept, self.choices, self.log_floor)

    @property
    def yes(self) -> pd.Series[bool]:
        """Whether most data sets decide yes; specifications that decide nothing are left out."""
        return self.frame["decision"].dropna() > MAJORITY

    @cached_property
    def _scaled(self) -> Floats:
        """Values on the scale on which they are seen."""
        values = self.frame["value"].to_numpy(float)
        return values if self.log_floor is None else np.log10(np.maximum(values, self.log_floor))

    def ordered(self) -> pd.DataFrame:
        """Return the frame by rising value, ties by range and levels, those without one last."""
        keys = [*self._codes.T[::-1], *(self.frame[name] for name in ("high", "low", "value"))]
        return self.frame.iloc[np.lexsort(keys)].reset_index(drop=True)

    def variance_shares(self) -> pd.DataFrame:
        """Return how much of the variance of the value each choice carries.

        With a floor for a logarithmic axis it is the variance of the value's log10.

        Returns
        -------
        DataFrame
            Columns choice, levels (how many), first, total and method; the most important first.

        Notes
        -----
        On a complete table (method ``anova``) the shares are the Sobol' indices of the value as a
        function of its choices, each level equally likely, without error: ``first`` is the variance
        of the means over all other choices (the main effect), ``total`` the mean variance that is
        left when all other choices are fixed. Otherwise (method ``ols``) ``first`` is the sum of
        squares by which a choice lowers the residual of a linear model of all main effects (type
        II) over the total sum of squares; ``total`` is NaN. Shares are 0 where nothing varies.
        """
        if self.is_complete:
            first, total = self._sobol()
            method = "anova"
        else:
            first, total = self._type_two(), np.full(len(self.choices), np.nan)
            method = "ols"
        table = pd.DataFrame(
            {
                "choice": self.choices,
                "levels": [len(self.levels[name]) for name in self.choices],
                "first": first,
                "total": total,
                "method": method,
            }
        )
        return table.sort_values(["total", "first"], ascending=False, ignore_index=True)

    def _sobol(self) -> tuple[Floats, Floats]:
        shape = [len(self.levels[name]) for name in self.choices]
        cube = np.empty(shape)
        cube[tuple(self._codes.T)] = self._scaled
        whole = float(cube.var())
        first, total = np.zeros(len(shape)), np.zeros(len(shape))
        if whole <= _SMALL * float(np.abs(cube).max()) ** 2:
            return first, total
        for axis in range(len(shape)):
            others = tuple(place for place in range(len(shape)) if place != axis)
            first[axis] = cube.mean(axis=others).var() / whole
            total[axis] = cube.var(axis=axis).mean() / whole
        return first, total

    def _type_two(self) -> Floats:
        known = ~np.isnan(self._scaled)
        y, codes = self._scaled[known], self._codes[known]
        shares = np.zeros(len(self.choices))
        if len(y) < 2 or np.ptp(y) <= _SMALL * float(np.abs(y).max()):
            return shares
        y = y - y.mean()
        dummies = [
            (codes[:, [place]] == np.arange(1, len(self.levels[name]))).astype(float)
            for place, name in enumerate(self.choices)
        ]
        constant = np.ones((len(y), 1))
        full = _residual(np.hstack([constant, *dummies]), y)
        for place in range(len(self.choices)):
            others = [each for at, each in enumerate(dummies) if at != place]
            without = _residual(np.hstack([constant, *others]), y)
            shares[place] = max(without - full, 0.0) / float(y @ y)
        return shares

    def flips(self) -> pd.DataFrame:
        """Return how often the decision changes when one choice alone is changed.

        Returns
        -------
        DataFrame
            Columns choice, pairs (of specifications that differ in this choice and in no other),
            flipped (how many of them decide differently, the majority of data sets deciding) and
            share (NaN without pairs), the most frequent first. Pairs that must give the same
            result are left out, and pairs that come to the same count once.
        """
        known = self.frame["decision"].notna().to_numpy()
        yes, codes = self.yes.to_numpy(), self._codes[known]
        has_same = SAME in self.frame.columns
        same = self.frame[SAME].to_numpy()[known] if has_same else np.arange(len(yes))
        rows = []
        for place, name in enumerate(self.choices):
            others = np.delete(codes, place, axis=1)
            line = np.unique(others, axis=0, return_inverse=True)[1].ravel()
            pairs, flipped = _pairs(line, yes, same)
            share = flipped / pairs if pairs else np.nan
            rows.append({"choice": name, "pairs": pairs, "flipped": flipped, "share": share})
        table = pd.DataFrame(rows)
        return table.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)

    def only(self, rows: pd.DataFrame) -> Specifications:
        """Return the specifications whose levels stand in a row of a frame, by its choices."""
        names = [name for name in rows.columns if name in self.choices]
        kept = self.frame.merge(rows[names].drop_duplicates(), on=names)
        return Specifications(kept, self.choices, self.log_floor)


def _pairs(line: Places, yes: npt.NDArray[np.bool_], same: Places) -> tuple[int, int]:
    """Return how many pairs stand in one line, and how many of them decide differently.

    Only pairs with different labels count, and equal pairs of labels once.
    """
    order = np.argsort(line, kind="stable")
    line, yes, same = line[order], yes[order], same[order]
    number = int(same.max(initial=0)) + 1
    keys: list[Places] = []
    differ: list[npt.NDArray[np.bool_]] = []
    for step in range(1, int(np.bincount(line).max(initial=0))):
        one, other = same[:-step], same[step:]
        pair = (line[:-step] == line[step:]) & (one != other)
        keys.append((np.minimum(one, other) * number + np.maximum(one, other))[pair])
        differ.append((yes[:-step] != yes[step:])[pair])
    if not keys:
        return 0, 0
    _, first = np.unique(np.concatenate(keys), return_index=True)
    return len(first), int(np.concatenate(differ)[first].sum())


def _residual(design: Floats, y: Floats) -> float:
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    return float(((y - design @ coefficients) ** 2).sum())
