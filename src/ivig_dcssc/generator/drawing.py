"""Counts and names of the registry and codebook, and random choices of patients until they fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from ivig_dcssc.project import CODEBOOK, project_root
from rederive.printed import Interval, PrintedNumber, RoundingRule
from rederive.printed.registry import NumberRow, Registry
from rederive.recompute.two_by_two import PrintedOddsRatio, Table2x2, compatible_tables
from rederive.reconstruct.block import Figure, Statistic

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GROUP = "IVIG"
ATTEMPTS = 3000
"""Draws of one characteristic before the skin scores are taken to allow none."""

NONE_FITS = f"none of {ATTEMPTS} draws fits these skin scores and what the article says of them"

T = TypeVar("T")

_CODEBOOK = pd.read_csv(project_root() / CODEBOOK, dtype=str, index_col="column")
COLUMNS = tuple(_CODEBOOK.index[_CODEBOOK["table"] == "patients"])
"""Columns of the patients' table, in its order."""


def _named(prefix: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(prefix) for name in COLUMNS if name.startswith(prefix))


PRIOR, CONCOMITANT, ADVERSE_EFFECTS = _named("prior_"), _named("concomitant_"), _named("ae_")
"""Earlier drugs, concomitant drugs and adverse effects, in the order of the patients' table."""

OTHER = ("gold", "alefacept", "chemotherapy")
"""What the other earlier drugs were."""

REASONS = tuple(str(_CODEBOOK.loc["stop_reason", "allowed"]).split("|"))
"""Why treatment stopped, in the article's order; one patient is still treated."""

CK_NORMAL = 200
"""Upper limit of normal creatine phosphokinase in U/L; our choice, the article prints none."""

ODDS_RATIO = {"or": "odds_ratio", "ci_low": "ci_low", "ci_high": "ci_high", "p": "p"}


class NoFittingPatientsError(RuntimeError):
    """No assignment of a characteristic to patients was found that the article's text allows.

    It depends on the skin scores: another draw of these may well have one.
    """


class Counts:
    """The registry's counts of patients."""

    def __init__(self, registry: Registry) -> None:
        self._rows: dict[tuple[str, str], NumberRow] = {}
        for row in registry.numbers.values():
            if row.group == GROUP:
                self._rows.setdefault((row.variable, row.statistic), row)
        self.size = self.number("cohort_size", "n")

    def __getitem__(self, variable: str) -> int:
        """Return how many patients have a characteristic, from its count or its percentage."""
        if (variable, "count") in self._rows:
            return self.number(variable, "count")
        if (variable, "percent") not in self._rows:
            raise ValueError(f"numbers.csv: no count and no percentage of {variable}")
        row = self._rows[variable, "percent"]
        shares = row.printed.interval(RoundingRule.HALF_UP, Interval(Fraction(0), Fraction(100)))
        (count,) = shares.scaled(Fraction(row.n or self.size, 100)).integers()
        return count

    def number(self, variable: str, statistic: str) -> int:
        """Return a whole number that is printed."""
        return int(self._rows[variable, statistic].printed.value)

    def known(self, variable: str) -> int:
        """Return in how many patients a characteristic is known; in all unless printed."""
        return self.number(variable, "n") if (variable, "n") in self._rows else self.size


def printed_number(registry: Registry, row_id: str) -> int:
    """Return a whole number of the registry."""
    return int(registry.numbers[row_id].printed.value)


def alpha_of(registry: Registry) -> float:
    """Return the article's level of significance."""
    return float(registry.numbers["methods-alpha-alpha"].printed.value)


def until(draw: Callable[[], T], fits: Callable[[T], bool], what: str) -> T:
    """Draw until the result fits.

    Raises
    ------
    NoFittingPatientsError
        Naming the characteristic, after :data:`ATTEMPTS` draws.
    """
    for _ in range(ATTEMPTS):
        found = draw()
        if fits(found):
            return found
    raise NoFittingPatientsError(f"{what}: {NONE_FITS}")


@dataclass(frozen=True, slots=True)
class Patients:
    """The patients of one cohort, of whom some are chosen at random by the registry's counts."""

    counts: Counts
    rng: np.random.Generator

    @property
    def everyone(self) -> Integers:
        """All of them."""
        return np.arange(self.counts.size)

    def flag(self, chosen: Iterable[int] | Integers) -> Integers:
        """Return 1 for the chosen patients and 0 for the others."""
        found = np.zeros(self.counts.size, np.int64)
        found[chosen if isinstance(chosen, np.ndarray) else list(chosen)] = 1
        return found

    def choose(self, among: npt.ArrayLike, count: int, weights: Floats | None = None) -> Integers:
        """Return different patients, drawn at random with the weight of each, shape (patients,).

        Raises
        ------
        NoFittingPatientsError
            If there are too few.
        """
        patients = np.asarray(among, np.int64)
        if count > len(patients):
            raise NoFittingPatientsError(f"found {len(patients)} patients to choose {count} from")
        if weights is None:
            return patients[self.rng.permutation(len(patients))[:count]]
        # The least of exponential times with these rates: a draw without replacement.
        times = self.rng.standard_exponential(len(patients)) / weights[patients]
        return patients[np.argsort(times, kind="stable")[:count]]

    def some(self, name: str, among: Integers | None = None) -> Integers:
        """Return the flag of as many patients, of all or among some, as a characteristic has."""
        return self.flag(self.choose(self.everyone if among is None else among, self.counts[name]))


@lru_cache(maxsize=8)
def association_figures(registry: Registry) -> dict[str, NumberRow]:
    """Return the printed figures of prednisone and response at month 12, by id."""
    return {
        row.id: row
        for row in registry.numbers.values()
        if row.variable == "responder_prednisone"
        and row.timepoint == "m12"
        and row.statistic in ODDS_RATIO
        and not row.same_as
    }


def association_tables(
    registry: Registry,
    switched_off: Collection[str],
    exposed: Iterable[int],
    total: int | None = None,
    outcome: Iterable[int] | None = None,
) -> list[Table2x2]:
    """Return the tables with some margins that print the figures of prednisone and response.

    Parameters
    ----------
    switched_off : collection of str
        Ids of figures that the tables need not print. Without any figure the list is empty.
    exposed : iterable of int
        Allowed numbers of patients on prednisone among those followed.
    total, outcome : int and iterable of int, optional
        Patients followed, and allowed numbers of responders; default as printed.
    """
    printed = {
        ODDS_RATIO[row.statistic]: row.printed
        for name, row in association_figures(registry).items()
        if name not in switched_off
    }
    if not printed:
        return []
    if total is None:
        total = printed_number(registry, "abstract-mrss-ivig-m12-n")
    if outcome is None:
        outcome = [printed_number(registry, "results-responder-ivig-m12-count")]
    figures = PrintedOddsRatio(**printed)
    return _compatible_tables(figures, total, tuple(outcome), tuple(exposed), RoundingRule.HALF_UP)


_compatible_tables = lru_cache(maxsize=256)(compatible_tables)


@lru_cache(maxsize=8)
def predictor_claims(registry: Registry) -> dict[str, tuple[str, int]]:
    """Return the claims about predictors: id to variable and month."""
    wanted = {
        ("responder_predictors", "none_predict"),
        ("mrss_change_predictors", "none_predict"),
        ("responder_prednisone", "not_significant"),
    }
    return {
        row.id: (row.variable, int(row.timepoint.removeprefix("m")))
        for row in registry.claims.values()
        if (row.variable, row.kind) in wanted and not row.same_as
    }


def falls(registry: Registry, measure: str, timepoint: str) -> tuple[Figure, ...]:
    """Return the article's statement that a measure fell, if it has one.

    A two-sided p alone would allow as large a rise.
    """
    return tuple(
        Figure(claim.id, Statistic.CHANGE_MEAN, timepoint, PrintedNumber("0", "<"))
        for claim in registry.claims.values()
        if (claim.group, claim.variable, claim.timepoint) == (GROUP, measure, timepoint)
        and claim.kind in ("direction", "significant")
        and not claim.same_as
        and "lower" in claim.note
    )
