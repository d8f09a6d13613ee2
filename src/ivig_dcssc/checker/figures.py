"""Every published figure that is a function of one cohort, computed from its two tables.

A figure is asked for by what it is (variable, time point, statistic), never by its place in the
article, so that a repeat is computed like its first mention.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

import numpy as np

from ivig_dcssc.checker.statistics import logistic, mean, paired_t_p, predictors, sd, signed_rank_p
from ivig_dcssc.checker.tables import (
    ADVERSE_EFFECTS,
    CHARACTERISTICS,
    CONCOMITANT,
    PRIOR,
    SEVERITIES,
    STOP_REASONS,
    Floats,
    Tables,
)
from rederive.reconstruct.checker import EXACT

Key = tuple[str, str, str]
"""Variable, time point and statistic of a figure."""

MONTHS = (6, 12, 18, 24)
"""Months for which the article prints the skin score."""

PAIRED_BASELINE = " of the pairs"
"""Follows the variable where a baseline figure is of the patients measured again at month 12."""


def _number(value: float | None) -> Decimal | None:
    return None if value is None or np.isnan(value) else Decimal(str(float(value)))


@lru_cache(maxsize=4096)
def _share(count: int, n: int) -> Decimal | None:
    return EXACT.divide(100 * count, n) if n else None


def known(values: Floats) -> Floats:
    """Return the values that are known."""
    return values[np.isfinite(values)]


class Figures(dict[Key, Decimal | None]):
    """The figures of one cohort by key; none of what it does not yield.

    Parameters
    ----------
    tables : Tables
        The cohort.
    threshold : int
        Decrease of the skin score that makes a responder, in points.

    Attributes
    ----------
    predictors : dict of array, shape (patients,)
        What the article examined as predictors, by name.
    responses : dict
        Odds ratio of response, its interval and p, by month and name of the predictor.
    """

    def __init__(self, tables: Tables, threshold: int) -> None:
        super().__init__()
        self.tables = tables
        self.threshold = threshold
        self.predictors = predictors(tables)
        self.responses: dict[int, dict[str, list[float]]] = {}
        self._characteristics()
        self._treatment()
        self._skin_scores()
        self._rubs()
        self._organs()

    def _count(self, variable: str, timepoint: str, count: int | np.integer, n: int) -> None:
        self[variable, timepoint, "count"] = Decimal(int(count))
        self[variable, timepoint, "percent"] = _share(int(count), n)
        self[variable, timepoint, "n"] = Decimal(n)

    def _flags(self, names: Iterable[str], timepoint: str) -> None:
        for name in names:
            found = known(self.tables.numbers(name))
            self._count(name, timepoint, int(found.sum()), len(found))

    def _spread(self, variable: str, timepoint: str, values: Floats) -> None:
        self[variable, timepoint, "n"] = Decimal(len(known(values)))
        self[variable, timepoint, "mean"] = mean(values)
        self[variable, timepoint, "sd"] = sd(values)

    def _characteristics(self) -> None:
        tables, size = self.tables, self.tables.size
        self["cohort_size", "", "n"] = Decimal(size)
        for name in ("age", "disease_duration"):
            self._spread(name, "baseline", tables.numbers(name))
        for race, variable in (("white", "white"), ("black", "black"), ("other", "other_race")):
            self._count(variable, "baseline", (tables.words("race") == race).sum(), size)
        self._flags((*CHARACTERISTICS, *PRIOR), "baseline")
        treated = np.any([tables.numbers(name) == 1 for name in PRIOR], axis=0)
        drug = tables.words("first_line")
        first, alone = drug != "", drug == "monotherapy"
        self._count("prior_therapy", "baseline", (treated & ~first).sum(), size)
        self._count("first_line", "", first.sum(), size)
        with_mmf = (drug == "mmf") & (tables.numbers("myositis") == 1)
        self._count("first_line_monotherapy", "", alone.sum(), int(first.sum()))
        self._count("first_line_mmf", "", with_mmf.sum(), int(first.sum()))

    def _treatment(self) -> None:
        tables, size = self.tables, self.tables.size
        for name in ("cycles", "treatment_length"):
            values = tables.numbers(name)
            self._spread(name, "", values)
            self[name, "", "min"] = _number(min(known(values), default=None))
            self[name, "", "max"] = _number(max(known(values), default=None))
        # Unknown if it is so of anybody.
        least = tables.numbers("cycles_first_6_months").min() if size else None
        self["cycles_required", "", "threshold"] = _number(least)
        self._flags((*CONCOMITANT, *ADVERSE_EFFECTS), "")
        # Table 2 prints the meningitis as part of the headaches.
        both = [tables.numbers(f"ae_{name}") == 1 for name in ("aseptic_meningitis", "headache")]
        self._count("ae_aseptic_meningitis", "", (both[0] & both[1]).sum(), size)
        stopped, judged = tables.words("stop_reason"), tables.words("physician_assessment")
        for reason in STOP_REASONS:
            self._count(f"stop_{reason}", "", (stopped == reason).sum(), size)
        better = (stopped == "improvement") | (stopped == "stable")
        self._count("stop_improved_or_stable", "", better.sum(), size)
        self._count("still_on_ivig", "", (stopped == "").sum(), size)
        for word in ("improved", "stable"):
            self._count(f"physician_{word}", "", (judged == word).sum(), size)
        injured = (tables.numbers("ae_kidney_injury") == 1) & (stopped == "improvement")
        for name, column, whose in (
            ("kidney_injury_delay", "kidney_injury_delay", injured),
            ("death_delay", "death_month", stopped == "death"),
        ):
            # A figure about one patient has no value without exactly one such patient.
            values = tables.numbers(column)[whose]
            self[name, "", "other"] = _number(values[0] if len(values) == 1 else None)

    def responders(self, month: int) -> Floats:
        """Return 1 for a responder and 0 for none, NaN of patients not followed to a month."""
        change = self.tables.change("mrss", month)
        return np.where(np.isnan(change), np.nan, change <= -self.threshold)

    def _skin_scores(self) -> None:
        tables = self.tables
        self._spread("mrss", "baseline", tables.baseline("mrss"))
        for month in MONTHS:
            name = f"m{month}"
            self._paired("mrss", month)
            self._spread("mrss_change", name, tables.change("mrss", month))
            followed = known(self.responders(month))
            self._count("responder", name, int(followed.sum()), len(followed))
        first, second = (self["responder", name, "percent"] for name in ("m6", "m12"))
        fewest = None if first is None or second is None else min(first, second)
        self["responder", "", "percent"] = fewest
        x = np.array([*self.predictors.values()])
        y = np.array([self.responders(month) for month in MONTHS])
        fits = logistic(np.repeat(y, len(x), axis=0), np.tile(x, (len(MONTHS), 1)))
        for month, fit in zip(MONTHS, np.hsplit(np.array(fits), len(MONTHS)), strict=True):
            self.responses[month] = dict(zip(self.predictors, fit.T.tolist(), strict=True))
            own = self.responses[month]["concomitant_prednisone"]
            for statistic, value in zip(("or", "ci_low", "ci_high", "p"), own, strict=True):
                self["responder_prednisone", f"m{month}", statistic] = _number(value)

    def _paired(self, measure: str, month: int, *, restricted: bool = False) -> None:
        before, after = self.tables.pairs(measure, month, restricted=restricted)
        variable, name = f"{measure}_restricted" if restricted else measure, f"m{month}"
        if measure != "mrss":
            self._spread(f"{variable}{PAIRED_BASELINE}", "baseline", before)
        self._spread(variable, name, after)
        self[variable, name, "p"] = _number(paired_t_p(after - before))

    def _rubs(self) -> None:
        later = self.tables.followup("tfr", 6)
        for suffix, restricted in (("", False), ("_restricted", True)):
            course = later[self.tables.baseline("tfr", restricted=restricted) == 1]
            # Table 1 gives the share of the whole cohort, whoever was examined for rubs.
            self._count(f"tfr{suffix}", "baseline", len(course), self.tables.size)
            for word, found in (
                ("resolved", course == 0),
                ("continued", course == 1),
                ("unknown", np.isnan(course)),
            ):
                self._count(f"tfr_{word}{suffix}", "m6", found.sum(), len(course))

    def _organs(self) -> None:
        for measure in ("haq_di", "patient_rating", "cpk", "fvc", "dlco", "rvsp"):
            self._spread(measure, "baseline", self.tables.baseline(measure))
        for restricted in (False, True):
            for measure in ("haq_di", "patient_rating", "fvc", "dlco"):
                self._paired(measure, 12, restricted=restricted)
            for measure in SEVERITIES:
                change = self.tables.change(measure, 12, restricted=restricted)
                variable = f"{measure}_restricted" if restricted else measure
                self[variable, "m12", "p"] = _number(signed_rank_p(change))
        serial = known(self.tables.serial_ck[1])
        myositis = int(np.nansum(self.tables.numbers("myositis")))
        self._count("cpk_serial", "", len(serial), myositis)


def key_of(variable: str, timepoint: str, statistic: str, section: str) -> Key:
    """Return the key of a figure of the article.

    FVC and DLCO at baseline are printed twice for different patients: Table 1 for all, the results
    for those measured again at month 12.
    """
    if section == "results" and timepoint == "baseline" and variable in ("fvc", "dlco"):
        variable += PAIRED_BASELINE
    return variable, timepoint, statistic
