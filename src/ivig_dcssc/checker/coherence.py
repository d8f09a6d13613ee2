"""What has to hold within each patient, though the article prints no figure for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pandas as pd

from ivig_dcssc.checker.tables import CONCOMITANT, FLAGS, MEASURES, PATIENTS, SCALES, Tables, exact
from ivig_dcssc.checker.windows import Windows

MAY_BE_UNKNOWN = (
    *("anti_rna_polymerase_iii", "rnp", "first_line"),
    *("stop_reason", "death_month", "kidney_injury_delay"),
)
"""Columns of the patients' table that are empty for some."""


LUNG_GRADES = {
    "fvc": [0, 50, 70, 80, 201],
    "dlco": [0, 50, 70, 80, 201],
    "rvsp": [-200, -64, -49, -34, 0],
}
"""Edges of grades 3, 2, 1 and 0 of the lungs by Medsger's revised scale, RVSP counted downwards."""

PHYSIOLOGIC = {"fvc": (30, 140), "dlco": (20, 150), "rvsp": (15, 80), "cpk": (20, 4000)}
"""What lung function, echocardiography and blood show in such patients; ours."""

FAILING_HEART = 2
"""Least cardiac severity before treatment of who died of a cardiomyopathy that existed before."""


def incoherences(
    patients: pd.DataFrame, visits: pd.DataFrame, without: Collection[str] = ()
) -> list[str]:
    """Return what contradicts itself, or the article's account of single patients.

    Parameters
    ----------
    patients, visits : DataFrame
        The cohort's two tables.
    without : collection of str
        Rules of our own that need not hold: ``coherence-lung-severity``, ``coherence-heart``,
        ``coherence-physiologic``.

    Returns
    -------
    list of str
        One line per contradiction with the patient's name; empty if there is none.

    Raises
    ------
    ValueError
        If the tables are no cohort.
    """
    tables = Tables(patients, visits, Windows())
    return [
        *_off_scale(tables),
        *_categories(tables),
        *_unknown(tables),
        *_within_patients(tables),
        *([] if "coherence-physiologic" in without else _unphysiologic(tables)),
        *([] if "coherence-lung-severity" in without else _lungs(tables)),
        *([] if "coherence-heart" in without else _heart(tables)),
    ]


def _off_scale(tables: Tables) -> Iterator[str]:
    for measure in MEASURES:
        scale = SCALES.loc[measure]
        # A flag has no scale in the codebook.
        low, high, step = scale["minimum"] or "0", scale["maximum"] or "1", scale["step"] or "1"
        records = tables.records(measure)
        for patient, month, value in records[["patient", "month", "value"]].itertuples(index=False):
            number = exact(value)
            inside = exact(low) <= number <= exact(high)
            if not inside or (number / exact(step)).denominator != 1:
                yield (
                    f"{patient}: {measure} in month {month} is {value}, "
                    f"allowed are {low} to {high} in steps of {step}"
                )


def _categories(tables: Tables) -> Iterator[str]:
    words = PATIENTS["allowed"][PATIENTS["allowed"] != ""].str.split("|")
    for column in (*words.index, *FLAGS):
        allowed = words.get(column, [0, 1])
        values = tables.by_patient[column].dropna()
        for patient, value in values[~values.isin([*allowed, ""])].items():
            yield f"{patient}: {column} is {value!r}, allowed are {', '.join(map(str, allowed))}"


def _unknown(tables: Tables) -> Iterator[str]:
    """Yield what is unknown and must not be: it would take a test out of a claim without a word."""
    for column in tables.by_patient.columns.difference(list(MAY_BE_UNKNOWN)):
        for patient in tables.by_patient.index[tables.by_patient[column].isna()]:
            yield f"{patient}: {column} is unknown"


def _within_patients(tables: Tables) -> Iterator[str]:
    p = tables.by_patient
    last_visit = tables.visits.groupby("patient", observed=True)["month"].max().reindex(p.index)
    onset = p["age"] - p["disease_duration"] / 12
    meningitis, tia = p["ae_aseptic_meningitis"].eq(1), p["ae_tia"].eq(1)
    injury, died = p["ae_kidney_injury"].eq(1), p["death_month"].notna()
    reason, first = p["stop_reason"], p["first_line"]
    other = p[["prior_gold", "prior_alefacept", "prior_chemotherapy"]].eq(1).any(axis=1)
    late = p["cycles"] - p["cycles_first_6_months"]
    left = (p["treatment_length"] - 6).clip(lower=0)
    wrong = {
        "more monthly cycles than months of treatment": p["cycles"] > p["treatment_length"] + 1,
        "more cycles in the first 6 months than months 0 to 6": p["cycles_first_6_months"] > 7,
        "more cycles after month 6 than months of treatment": late > left + 1,
        "a pause of 3 months or more, which ends a round of treatment": left > 2 * late,
        "age at onset is not age less disease duration": (p["age_onset"] - onset).abs() > 0.0501,
        "fewer cycles in all than in the first 6 months": p["cycles"] < p["cycles_first_6_months"],
        "aseptic meningitis without headache": meningitis & p["ae_headache"].ne(1),
        "aseptic meningitis and stopping because of it have to go together": (
            meningitis != reason.eq("aseptic_meningitis")
        ),
        "a transient ischemic attack and stopping because of it have to go together": (
            tia != reason.eq("tia")
        ),
        "kidney injury and its delay have to go together": (
            injury != p["kidney_injury_delay"].notna()
        ),
        "kidney injury, but IVIG was not stopped because of improvement": (
            injury & reason.ne("improvement")
        ),
        "death as reason for stopping and a month of death have to go together": (
            died != reason.eq("death")
        ),
        "treatment longer than life": died & (p["treatment_length"] > p["death_month"]),
        "a visit after death": died & (last_visit > p["death_month"]),
        "monotherapy together with another drug": (
            first.eq("monotherapy") & p[list(CONCOMITANT)].eq(1).any(axis=1)
        ),
        "first-line cyclophosphamide, but no concomitant cyclophosphamide": (
            first.eq("cyclophosphamide") & p["concomitant_cyclophosphamide"].ne(1)
        ),
        "first-line MMF, but no concomitant MMF or no myositis": (
            first.eq("mmf") & (p["concomitant_mmf"].ne(1) | p["myositis"].ne(1))
        ),
        "other earlier drug and gold, alefacept or chemotherapy have to go together": (
            p["prior_other"].eq(1) != other
        ),
    }
    for words, where in wrong.items():
        yield from (f"{patient}: {words}" for patient in p.index[where])


def _unphysiologic(tables: Tables) -> Iterator[str]:
    for measure, (low, high) in PHYSIOLOGIC.items():
        records = tables.records(measure)
        for patient, month, value in records.loc[
            ~records["value"].between(low, high), ["patient", "month", "value"]
        ].itertuples(index=False):
            yield (
                f"{patient}: {measure} in month {month} is {value}, physiologic are {low} to {high}"
            )


def _lungs(tables: Tables) -> Iterator[str]:
    """Yield where the lung's severity is not the worst grade of what was measured."""
    rvsp = tables.baseline("rvsp")
    same_day = {
        name: tables.records(name).set_index(["patient", "month"])["value"]
        for name in ("fvc", "dlco", "severity_pulmonary")
    }
    for when, table in (
        ("before", pd.DataFrame({name: tables.baseline(name) for name in same_day})),
        ("at month 12", pd.DataFrame({name: tables.followup(name, 12) for name in same_day})),
        ("on one day", pd.DataFrame(same_day)),
    ):
        patients = table.index.get_level_values("patient")
        measured = table[["fvc", "dlco"]].assign(rvsp=-rvsp.reindex(patients).to_numpy())
        grades = measured.apply(
            lambda column: pd.cut(
                column, LUNG_GRADES[str(column.name)], right=False, labels=[3, 2, 1, 0]
            ).astype(float)
        )
        known = table[["fvc", "dlco"]].notna().any(axis=1) & table["severity_pulmonary"].notna()
        wrong = known & (grades.max(axis=1) != table["severity_pulmonary"])
        yield from (
            f"{patient}: {when}, the lung's severity is not the grade of its function"
            for patient in patients[wrong]
        )


def _heart(tables: Tables) -> Iterator[str]:
    died = tables.by_patient.index[tables.by_patient["stop_reason"] == "death"]
    cardiac = tables.baseline("severity_cardiac").reindex(died).dropna()
    for patient in cardiac.index[cardiac < FAILING_HEART]:
        yield f"{patient}: died of a cardiomyopathy, with a cardiac severity of {cardiac[patient]}"
