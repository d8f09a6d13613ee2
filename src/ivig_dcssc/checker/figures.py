"""Every published figure that is a function of one cohort, computed from its two tables.

A figure is asked for by what it is (variable, time point, statistic), never by its place in the
article, so that a repeat is computed like its first mention.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pandas as pd

from ivig_dcssc.checker.statistics import (
    Numbers,
    changes,
    logistic,
    mean,
    paired_t_p,
    sd,
    signed_rank_p,
)
from ivig_dcssc.checker.tables import (
    ADVERSE_EFFECTS,
    CHARACTERISTICS,
    CONCOMITANT,
    PRIOR,
    SEVERITIES,
    STOP_REASONS,
    Tables,
)
from rederive.reconstruct.checker import decimal_of

Key = tuple[str, str, str]
"""Variable, time point and statistic of a figure."""

MONTHS = (6, 12, 18, 24)
"""Months for which the article prints the skin score."""

PAIRED_BASELINE = " of the pairs"
"""Follows the variable where a baseline figure is of the patients measured again at month 12."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value of the cohort (none if it yields none) and how it came about."""

    value: Decimal | None
    detail: str = ""


def _number(value: float | Fraction | None) -> Decimal | None:
    if value is None:
        return None
    return decimal_of(value) if isinstance(value, Fraction) else Decimal(str(value))


def _share(count: int, n: int) -> Decimal | None:
    return decimal_of(Fraction(100 * count, n)) if n else None


class Figures(dict[Key, Found]):
    """The figures of one cohort by key.

    Parameters
    ----------
    tables : Tables
        The cohort.
    threshold : int
        Decrease of the skin score that makes a responder, in points.
    """

    def __init__(self, tables: Tables, threshold: int) -> None:
        super().__init__()
        self.tables = tables
        self.threshold = threshold
        self._characteristics()
        self._treatment()
        self._skin_scores()
        self._rubs()
        self._organs()

    def _count(self, variable: str, timepoint: str, count: int, n: int) -> None:
        words = f"{count} of {n}"
        self[variable, timepoint, "count"] = Found(Decimal(count), words)
        self[variable, timepoint, "percent"] = Found(_share(count, n), words)
        self[variable, timepoint, "n"] = Found(Decimal(n), "patients with a known value")

    def _flags(self, names: Iterable[str], timepoint: str) -> None:
        for name in names:
            known = self.tables.patients[name].dropna()
            self._count(name, timepoint, int(known.sum()), len(known))

    def _spread(self, variable: str, timepoint: str, values: Numbers) -> None:
        numbers = list(values)
        words = f"n = {len(numbers)}"
        self[variable, timepoint, "n"] = Found(Decimal(len(numbers)), words)
        self[variable, timepoint, "mean"] = Found(mean(numbers), words)
        self[variable, timepoint, "sd"] = Found(sd(numbers), words)

    def _characteristics(self) -> None:
        patients, size = self.tables.patients, self.tables.size
        self["cohort_size", "", "n"] = Found(Decimal(size), "rows of patients")
        for name in ("age", "disease_duration"):
            self._spread(name, "baseline", patients[name].dropna())
        for race, variable in (("white", "white"), ("black", "black"), ("other", "other_race")):
            self._count(variable, "baseline", int((patients["race"] == race).sum()), size)
        self._flags((*CHARACTERISTICS, *PRIOR), "baseline")
        treated = patients[list(PRIOR)].eq(1).any(axis=1)
        first_line = patients["first_line"].notna() & patients["first_line"].ne("")
        self._count("prior_therapy", "baseline", int((treated & ~first_line).sum()), size)
        self._count("first_line", "", int(first_line.sum()), size)
        alone = patients["first_line"].eq("monotherapy")
        with_mmf = patients["first_line"].eq("mmf") & patients["myositis"].eq(1)
        self._count("first_line_monotherapy", "", int(alone.sum()), int(first_line.sum()))
        self._count("first_line_mmf", "", int(with_mmf.sum()), int(first_line.sum()))

    def _treatment(self) -> None:
        patients, size = self.tables.patients, self.tables.size
        for name in ("cycles", "treatment_length"):
            values = patients[name].dropna()
            self._spread(name, "", values)
            self[name, "", "min"] = Found(_number(values.min() if len(values) else None))
            self[name, "", "max"] = Found(_number(values.max() if len(values) else None))
        early = patients["cycles_first_6_months"]
        least = early.min() if len(early) and early.notna().all() else None
        self["cycles_required", "", "threshold"] = Found(_number(least), "least of all patients")
        self._flags((*CONCOMITANT, *ADVERSE_EFFECTS), "")
        # Table 2 prints the meningitis as part of the headaches.
        both = patients["ae_aseptic_meningitis"].eq(1) & patients["ae_headache"].eq(1)
        self._count("ae_aseptic_meningitis", "", int(both.sum()), size)
        stopped = patients["stop_reason"]
        for reason in STOP_REASONS:
            self._count(f"stop_{reason}", "", int(stopped.eq(reason).sum()), size)
        better = int(stopped.isin(["improvement", "stable"]).sum())
        self._count("stop_improved_or_stable", "", better, size)
        treated = int((stopped.isna() | stopped.eq("")).sum())
        self._count("still_on_ivig", "", treated, size)
        for word in ("improved", "stable"):
            judged = int(patients["physician_assessment"].eq(word).sum())
            self._count(f"physician_{word}", "", judged, size)
        injured = patients["ae_kidney_injury"].eq(1) & stopped.eq("improvement")
        self._single("kidney_injury_delay", patients.loc[injured, "kidney_injury_delay"])
        self._single("death_delay", patients.loc[stopped.eq("death"), "death_month"])

    def _single(self, variable: str, values: pd.Series[float]) -> None:
        """Add a figure about one patient; without exactly one such patient it has no value."""
        value = values.iloc[0] if len(values) == 1 and values.notna().all() else None
        self[variable, "", "other"] = Found(_number(value), f"{len(values)} such patients")

    def responders(self, month: int) -> pd.Series[float]:
        """Return 1 for a responder and 0 for none, by patient followed to a month."""
        pairs = self.tables.pairs("mrss", month)
        return (pairs["before"] - pairs["after"] >= self.threshold).astype(float)

    def change(self, month: int) -> pd.Series[float]:
        """Return the change of the skin score, by patient followed to a month."""
        pairs = self.tables.pairs("mrss", month)
        return pairs["after"] - pairs["before"]

    def _skin_scores(self) -> None:
        tables = self.tables
        self._spread("mrss", "baseline", tables.baseline("mrss"))
        shares: list[Decimal] = []
        for month in MONTHS:
            name = f"m{month}"
            pairs = tables.pairs("mrss", month)
            self._spread("mrss", name, pairs["after"])
            self._spread("mrss_change", name, changes(pairs))
            words = f"paired t test, n = {len(pairs)}"
            self["mrss", name, "p"] = Found(_number(paired_t_p(pairs)), words)
            responders = self.responders(month)
            self._count("responder", name, int(responders.sum()), len(responders))
            share = self["responder", name, "percent"].value
            if month in (6, 12) and share is not None:
                shares.append(share)
            self._prednisone(month, responders)
        least = min(shares) if len(shares) == 2 else None
        self["responder", "", "percent"] = Found(least, "the smaller of months 6 and 12")

    def _prednisone(self, month: int, responders: pd.Series[float]) -> None:
        given = self.tables.by_patient["concomitant_prednisone"]
        fit = logistic(responders, given.reindex(responders.index))
        words = "logistic regression" if fit else "no finite estimate"
        values = (fit.estimate, fit.low, fit.high, fit.p) if fit else (None,) * 4
        for statistic, value in zip(("or", "ci_low", "ci_high", "p"), values, strict=True):
            key = ("responder_prednisone", f"m{month}", statistic)
            self[key] = Found(_number(value), f"{words}, n = {len(responders)}")

    def _rubs(self) -> None:
        later = self.tables.followup("tfr", 6)
        for suffix, restricted in (("", False), ("_restricted", True)):
            before = self.tables.baseline("tfr", restricted=restricted)
            present = before.index[before == 1]
            # Table 1 gives the share of the whole cohort, whoever was examined for rubs.
            self._count(f"tfr{suffix}", "baseline", len(present), self.tables.size)
            course = later.reindex(present)
            for word, found in (
                ("resolved", course.eq(0)),
                ("continued", course.eq(1)),
                ("unknown", course.isna()),
            ):
                self._count(f"tfr_{word}{suffix}", "m6", int(found.sum()), len(present))

    def _organs(self) -> None:
        for measure in ("haq_di", "patient_rating", "cpk", "fvc", "dlco", "rvsp"):
            self._spread(measure, "baseline", self.tables.baseline(measure))
        for suffix, restricted in (("", False), ("_restricted", True)):
            for measure in ("haq_di", "patient_rating", "fvc", "dlco"):
                pairs = self.tables.pairs(measure, 12, restricted=restricted)
                self._spread(f"{measure}{suffix}{PAIRED_BASELINE}", "baseline", pairs["before"])
                self._spread(f"{measure}{suffix}", "m12", pairs["after"])
                words = f"paired t test, n = {len(pairs)}"
                p = _number(paired_t_p(pairs))
                self[f"{measure}{suffix}", "m12", "p"] = Found(p, words)
            for measure in SEVERITIES:
                pairs = self.tables.pairs(measure, 12, restricted=restricted)
                changed = int((pairs["before"] != pairs["after"]).sum())
                words = f"signed-rank test, n = {len(pairs)}, {changed} changed"
                p = _number(signed_rank_p(pairs))
                self[f"{measure}{suffix}", "m12", "p"] = Found(p, words)
        serial, myositis = self.tables.serial_ck, int(self.tables.patients["myositis"].sum())
        self._count("cpk_serial", "", len(serial), myositis)


def key_of(variable: str, timepoint: str, statistic: str, section: str) -> Key:
    """Return the key of a figure of the article.

    FVC and DLCO at baseline are printed twice for different patients: Table 1 for all, the results
    for those measured again at month 12.
    """
    if section == "results" and timepoint == "baseline" and variable in ("fvc", "dlco"):
        variable += PAIRED_BASELINE
    return variable, timepoint, statistic
