"""The printed figures of the IVIG group as numbers of a cohort, asked for by what they are.

A figure's key is variable, time point and statistic, never its place in the article, so that a
repeat is the same number. Two keys need the section as well; see `source_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ivig_dcssc.reproduced.choices import CONFIDENCE, FOLLOWUPS
from ivig_dcssc.reproduced.predictors import PRINTED_BY_ITSELF, STOP_REASONS
from ivig_dcssc.reproduced.tables import SEVERITIES, Frame, Tables
from rederive.printed.registry import NumberRow
from rederive.retrospective import describe_flag, describe_number, logistic

CHARACTERISTICS = (
    "female",
    "myositis",
    "renal_crisis",
    "ana",
    "anticentromere",
    "antitopoisomerase",
    "anti_rna_polymerase_iii",
    "rnp",
)
"""Flags of the patients that Table 1 counts, beside previous drugs."""

RACES = {"white": "white", "black": "black", "other_race": "other"}
"""Variable of the registry to word of the cohort."""

BASELINE_MEASURES = ("haq_di", "patient_rating", "cpk", "fvc", "dlco", "rvsp")
TESTED_MEASURES = ("haq_di", "patient_rating", "fvc", "dlco")
RESTRICTED = "_restricted"
"""Ends the variables of the sensitivity analysis."""

COUNTS = ("count", "percent", "n")
MOMENTS = ("n", "mean", "sd")

Source = tuple[str, str]
"""Variable and time point: what one table of statistics is about."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Some statistics of one variable at one time point, computed when first asked for.

    Parameters
    ----------
    names : tuple of str
        The statistics.
    compute : callable
        Returns a table by cohort with a column for each.
    """

    names: tuple[str, ...]
    compute: Callable[[], Frame]


def source_of(row: NumberRow) -> Source:
    """Return variable and time point of a figure.

    FVC and DLCO at baseline are printed for two sets of patients: Table 1 has all, the results
    have those measured again at month 12.
    """
    if (row.section, row.timepoint) == ("results", "baseline") and row.variable in ("fvc", "dlco"):
        return f"{row.variable} of the pairs", row.timepoint
    return row.variable, row.timepoint


class Figures:
    """All figures of all cohorts.

    Parameters
    ----------
    tables : Tables
        The cohorts under their choices.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.statistics = self._catalogue()
        self._computed: dict[Source, Frame] = {}

    def has(self, row: NumberRow) -> bool:
        """Return whether a figure is among them."""
        found = self.statistics.get(source_of(row))
        return found is not None and row.statistic in found.names

    def value(self, row: NumberRow) -> pd.Series[Any]:
        """Return a figure by cohort, NaN where a cohort yields none."""
        return self.table(*source_of(row))[row.statistic].astype(float)

    def size(self, row: NumberRow) -> pd.Series[Any]:
        """Return the number of patients behind a figure by cohort.

        Raises
        ------
        ValueError
            If the figure is not of a kind that has one.
        """
        table = self.table(*source_of(row))
        if "n" not in table.columns:
            raise ValueError(f"{row.id}: found a {row.statistic} without a number of patients")
        return table["n"]

    def table(self, variable: str, timepoint: str) -> Frame:
        """Return all statistics of a variable at a time point, by cohort.

        Raises
        ------
        KeyError
            If there are none.
        """
        source = (variable, timepoint)
        if source not in self._computed:
            found = self.statistics[source]
            self._computed[source] = found.compute()[list(found.names)]
        return self._computed[source]

    def _catalogue(self) -> dict[Source, Statistics]:
        return {
            **self._characteristics(),
            **self._treatment(),
            **self._skin(),
            **self._rubs(),
            **self._organs(),
        }

    # Tables of statistics

    def _counted(self, flags: pd.Series[Any]) -> Frame:
        return describe_flag(flags).set_index("cohort")

    def _counts(self, compute: Callable[[], pd.Series[Any]]) -> Statistics:
        """Return count, percent and n of a flag, NaN where it is not known."""
        return Statistics(COUNTS, lambda: self._counted(compute().astype(float)))

    def _flag(self, name: str) -> Statistics:
        return self._counts(partial(self.tables.number, name))

    def _among(self, name: str, *words: str) -> Statistics:
        return self._counts(partial(self._recorded_among, name, words))

    def _recorded_among(self, name: str, words: tuple[str, ...]) -> pd.Series[Any]:
        tables = self.tables
        return tables.among(name, words).astype(float).where(tables.recorded(name))

    def _described(self, compute: Callable[[], pd.Series[Any]]) -> Frame:
        table = describe_number(compute()).set_index("cohort")
        return table.rename(columns={"minimum": "min", "maximum": "max"})

    def _moments(
        self, compute: Callable[[], pd.Series[Any]], names: tuple[str, ...] = MOMENTS
    ) -> Statistics:
        return Statistics(names, partial(self._described, compute))

    # Catalogues

    def _characteristics(self) -> dict[Source, Statistics]:
        tables = self.tables
        found = {("cohort_size", ""): Statistics(("n",), self._size)}
        for name in ("age", "disease_duration"):
            found[name, "baseline"] = self._moments(partial(tables.number, name))
        for variable, word in RACES.items():
            found[variable, "baseline"] = self._among("race", word)
        for name in (*CHARACTERISTICS, *tables.names("prior_")):
            found[name, "baseline"] = self._flag(name)
        found["prior_therapy", "baseline"] = self._counts(self._treated_before)
        found["first_line", ""] = self._counts(partial(self._given, "first_line"))
        found["first_line_monotherapy", ""] = self._counts(self._alone)
        found["first_line_mmf", ""] = self._counts(self._with_mmf)
        return found

    def _size(self) -> Frame:
        known = pd.Series(1.0, index=self.tables.keys)
        return self._counted(known)[["n"]]

    def _treated_before(self) -> pd.Series[Any]:
        tables = self.tables
        drugs = [tables.number(name).eq(1) for name in tables.names("prior_")]
        treated = pd.Series(np.any(drugs, axis=0), index=tables.keys)
        flags = treated & ~tables.known("first_line")
        return flags.astype(float).where(tables.recorded(*tables.names("prior_")))

    def _given(self, name: str) -> pd.Series[Any]:
        """Return who has a value in a column that is empty for all others."""
        return self.tables.known(name).astype(float).where(self.tables.recorded(name))

    def _of_first_line(self, flags: pd.Series[Any]) -> pd.Series[Any]:
        return flags.astype(float).where(self.tables.known("first_line"))

    def _alone(self) -> pd.Series[Any]:
        return self._of_first_line(self.tables.among("first_line", ["monotherapy"]))

    def _with_mmf(self) -> pd.Series[Any]:
        with_mmf = self.tables.among("first_line", ["mmf"])
        return self._of_first_line(with_mmf & self.tables.number("myositis").eq(1))

    def _treatment(self) -> dict[Source, Statistics]:
        tables = self.tables
        found: dict[Source, Statistics] = {}
        for name in ("cycles", "treatment_length"):
            found[name, ""] = self._moments(partial(tables.number, name), (*MOMENTS, "min", "max"))
        found["cycles_required", ""] = Statistics(("threshold",), self._least_cycles)
        for name in (*tables.names("concomitant_"), *tables.names("ae_")):
            found[name, ""] = self._flag(name)
        found["ae_aseptic_meningitis", ""] = self._counts(self._meningitis)
        for reason in STOP_REASONS:
            found[f"stop_{reason}", ""] = self._among("stop_reason", reason)
        found["stop_improved_or_stable", ""] = self._among("stop_reason", "improvement", "stable")
        found["still_on_ivig", ""] = self._counts(lambda: 1 - self._given("stop_reason"))
        for word in ("improved", "stable"):
            found[f"physician_{word}", ""] = self._among("physician_assessment", word)
        found["kidney_injury_delay", ""] = Statistics(("other",), self._kidney_injury)
        found["death_delay", ""] = Statistics(("other",), self._death)
        return found

    def _least_cycles(self) -> Frame:
        table = self._described(partial(self.tables.number, "cycles_first_6_months"))
        return table["min"].where(table["missing"] == 0).to_frame("threshold")

    def _meningitis(self) -> pd.Series[Any]:
        """Return whose headache was meningitis; Table 2 prints it as part of the headaches."""
        number = self.tables.number
        both = number("ae_aseptic_meningitis").eq(1) & number("ae_headache").eq(1)
        return both.astype(float).where(number("ae_aseptic_meningitis").notna())

    def _kidney_injury(self) -> Frame:
        tables = self.tables
        injured = tables.number("ae_kidney_injury").eq(1)
        stopped = tables.among("stop_reason", ["improvement"])
        return self._single(tables.number("kidney_injury_delay"), injured & stopped)

    def _death(self) -> Frame:
        died = self.tables.among("stop_reason", ["death"])
        return self._single(self.tables.number("death_month"), died)

    def _single(self, values: pd.Series[Any], chosen: pd.Series[Any]) -> Frame:
        """Return a number of the one patient chosen; NaN unless there is exactly one."""
        table = self._described(lambda: values.where(chosen))
        patients = chosen.groupby(level="cohort").sum()
        return table["mean"].where(patients == 1).to_frame("other")

    def _skin(self) -> dict[Source, Statistics]:
        found = {("mrss", "baseline"): self._moments(partial(self._baseline, "mrss"))}
        for name in FOLLOWUPS:
            followed = partial(self._followed, "mrss", name)
            found["mrss", name] = Statistics((*MOMENTS, "p"), followed)
            found["mrss_change", name] = Statistics(MOMENTS, partial(self._changed, name))
            found["responder", name] = self._counts(partial(self.tables.response, name))
            odds = partial(self._prednisone, name)
            found["responder_prednisone", name] = Statistics(("or", "ci_low", "ci_high", "p"), odds)
        found["responder", ""] = Statistics(("percent",), self._fewest_responders)
        return found

    def _baseline(self, measure: str) -> pd.Series[Any]:
        return self.tables.measured(measure)["baseline"]

    def _followed(self, measure: str, timepoint: str, *, restricted: bool = False) -> Frame:
        """Return the moments at follow-up of patients with both values, and p of the change."""
        table = self.tables.paired(measure, timepoint, restricted=restricted)
        return table.rename(columns={"followup_mean": "mean", "followup_sd": "sd"})

    def _changed(self, timepoint: str) -> Frame:
        table = self.tables.paired("mrss", timepoint)
        return table.rename(columns={"change_mean": "mean", "change_sd": "sd"})

    def _fewest_responders(self) -> Frame:
        """Return the smaller share of both months; the article gives one limit for the two."""
        shares = [self.table("responder", name)["percent"] for name in ("m6", "m12")]
        return pd.concat(shares, axis=1).min(axis=1, skipna=False).to_frame("percent")

    def _prednisone(self, timepoint: str) -> Frame:
        given = self.tables.number(PRINTED_BY_ITSELF)
        table = logistic(self.tables.response(timepoint), given, CONFIDENCE)
        names = {"odds_ratio": "or", "low": "ci_low", "high": "ci_high"}
        return table.set_index("cohort").rename(columns=names)

    def _rubs(self) -> dict[Source, Statistics]:
        found: dict[Source, Statistics] = {}
        for suffix, restricted in (("", False), (RESTRICTED, True)):
            present = partial(self._share_with_rubs, restricted=restricted)
            found[f"tfr{suffix}", "baseline"] = self._counts(present)
            for word in ("resolved", "continued", "unknown"):
                course = partial(self.course_of_rubs, word, restricted=restricted)
                found[f"tfr_{word}{suffix}", "m6"] = self._counts(course)
        return found

    def with_rubs(self, *, restricted: bool = False) -> pd.Series[Any]:
        """Return who had friction rubs at baseline; whoever was not examined counts as without.

        Table 1 gives their share of the whole cohort.
        """
        return self.tables.measured("tfr", restricted=restricted)["baseline"].eq(1)

    def _share_with_rubs(self, *, restricted: bool) -> pd.Series[Any]:
        examined = self.tables.measured("tfr", restricted=restricted)["baseline"].notna()
        some = examined.groupby(level="cohort").transform("any")
        return self.with_rubs(restricted=restricted).astype(float).where(some)

    def course_of_rubs(self, word: str, *, restricted: bool = False) -> pd.Series[Any]:
        """Return for who had rubs at baseline whether they took a course; NaN for the others.

        Parameters
        ----------
        word : str
            ``resolved``, ``continued`` or ``unknown`` at month 6.
        restricted : bool
            Whether windows are those of the sensitivity analysis.
        """
        later = self.tables.measured("tfr", restricted=restricted)["m6"]
        courses = {"resolved": later.eq(0), "continued": later.eq(1), "unknown": later.isna()}
        return courses[word].astype(float).where(self.with_rubs(restricted=restricted))

    def _organs(self) -> dict[Source, Statistics]:
        found: dict[Source, Statistics] = {}
        for measure in BASELINE_MEASURES:
            found[measure, "baseline"] = self._moments(partial(self._baseline, measure))
        for measure in ("fvc", "dlco"):
            paired = partial(self._paired_baseline, measure)
            found[f"{measure} of the pairs", "baseline"] = Statistics(MOMENTS, paired)
        for suffix, restricted in (("", False), (RESTRICTED, True)):
            for measure in (*TESTED_MEASURES, *SEVERITIES):
                names = ("p",) if measure in SEVERITIES else (*MOMENTS, "p")
                followed = partial(self._followed, measure, "m12", restricted=restricted)
                found[f"{measure}{suffix}", "m12"] = Statistics(names, followed)
        found["cpk_serial", ""] = self._counts(self._with_serial_cpk)
        return found

    def _paired_baseline(self, measure: str) -> Frame:
        table = self.tables.paired(measure, "m12")
        return table.rename(columns={"baseline_mean": "mean", "baseline_sd": "sd"})

    def serial_cpk(self) -> Frame:
        """Return baseline and last CK of myositis patients with serial values.

        Serial: at least two values, the last of them after the month of the first infusion.

        Returns
        -------
        DataFrame
            By cohort and patient; columns before (NaN without a baseline) and last.
        """
        records = self.tables.visits("cpk").dropna(subset=["value"])
        keys = ["cohort", "patient"]
        last = records.sort_values("month", kind="stable").groupby(keys, observed=True)
        table = last.agg(last=("value", "last"), month=("month", "last"), taken=("value", "size"))
        table = table.reindex(self.tables.keys)
        myositis = self.tables.number("myositis").eq(1)
        serial = myositis & (table["month"] > 0) & (table["taken"] > 1)
        before = self._baseline("cpk")
        return pd.DataFrame({"before": before, "last": table["last"]})[serial]

    def _with_serial_cpk(self) -> pd.Series[Any]:
        serial = pd.Series(self.tables.keys.isin(self.serial_cpk().index), index=self.tables.keys)
        return serial.astype(float).where(self.tables.number("myositis").eq(1))
