"""What a user's own cohort looks like for this article, for the commands that check it."""

from __future__ import annotations

from collections.abc import Sequence

from ivig_dcssc.analysis import Choices
from ivig_dcssc.analysis.choices import MEASURES
from ivig_dcssc.analysis.tables import CYCLES, Tables
from ivig_dcssc.project import CODEBOOK, project_root
from rederive.book.cohort_form import CohortForm
from rederive.retrospective import Cohort

_LOST = {
    "mrss": "no skin score can be analysed",
    "tfr": "friction rubs cannot be followed",
    "cpk": "creatine kinase cannot be followed",
    "rvsp": "its mean at baseline cannot be computed",
    CYCLES: "nobody can be left out for too few cycles",
    "first_line": "first-line therapy cannot be counted",
    "stop_reason": "reasons for stopping cannot be counted",
    "physician_assessment": "the physician's assessment cannot be counted",
    "age_onset": "it cannot be tried as a predictor",
    "death_month": "",
    "kidney_injury_delay": "",
    **dict.fromkeys(
        ("haq_di", "patient_rating", "fvc", "dlco"), "change to month 12 cannot be tested"
    ),
    "severity_": "severity of these organs cannot be compared",
    "prior_": "earlier medication of this kind cannot be counted",
    "concomitant_": "it can neither be counted nor tried as a predictor",
    "ae_": "these adverse effects cannot be counted",
}
"""What cannot be analysed without a column or measure, by its name or how that begins."""

NAMES = {
    "mrss": (
        "rodnan",
        "rodnan score",
        "mrss score",
        "mrss total",
        "total mrss",
        "skin score",
        "hautscore",
    ),
    "haq_di": ("haq", "haq score"),
    "cpk": ("ck", "creatine kinase"),
    "fvc": ("fvc predicted", "fvc pred", "fvc pct", "fvc percent", "forced vital capacity"),
    "dlco": ("dlco predicted", "dlco pred", "dlco pct", "dlco percent", "tlco"),
    "tfr": ("friction rubs", "rubs"),
    "age": ("alter", "age at initiation", "age at start", "age years"),
    "disease_duration": ("duration", "disease duration months", "krankheitsdauer"),
    "female": ("sex", "gender", "geschlecht"),
    "race": ("ethnicity",),
}
"""Other names that people give to columns and measures."""

CODES = {
    "female": {
        **dict.fromkeys(("f", "female", "w", "weiblich", "woman", "frau"), "1"),
        **dict.fromkeys(("m", "male", "männlich", "man", "mann"), "0"),
    },
    "race": {
        "caucasian": "white",
        "african american": "black",
        "black or african american": "black",
        "asian": "other",
    },
}
"""What words in a column stand for."""

KINDS_OF_OTHER = ("prior_gold", "prior_alefacept", "prior_chemotherapy")
"""Drugs that the article counts under ``prior_other`` as well."""

NAMED = 5
"""Most patients that a sentence names."""


def without(name: str) -> str:
    """Return what cannot be analysed without a column or measure, or an empty text."""
    lost = (words for start, words in _LOST.items() if name.startswith(start))
    return next(lost, "their part of Table 1 or 2 cannot be computed")


def contradictions(cohort: Cohort) -> list[str]:
    """Return which patients of a single cohort have values that cannot both be right, in words.

    They are warnings, for the values may be meant so. What is unknown contradicts nothing.
    """
    table, visits = cohort.patients, cohort.visits[cohort.visits["value"].notna()]
    last = table["patient"].map(visits.groupby("patient", observed=True)["month"].max())
    reason, death, injured = (
        table[name] for name in ("stop_reason", "death_month", "kidney_injury_delay")
    )
    found = {
        f"More cycles in the first six months ({CYCLES}) than in all (cycles)": (
            table[CYCLES] > table["cycles"]
        ),
        # Ages at initiation are whole years, of which the last may be nearly over.
        "First symptoms (age_onset) at a greater age than at initiation (age)": (
            table["age_onset"] >= table["age"] + 1
        ),
        "Disease that began before birth (disease_duration in months, age in years)": (
            table["disease_duration"] >= 12 * (table["age"] + 1)
        ),
        "Records in visits.csv after death (death_month)": last > death,
        "Stopped because of death (stop_reason) without a month of death (death_month)": (
            reason.eq("death") & death.isna()
        ),
        "A month of death (death_month), but another or no reason for stopping (stop_reason); "
        "right only if treatment had ended before": death.notna() & reason.ne("death"),
        f"One of {', '.join(KINDS_OF_OTHER)} is 1, but not prior_other, which includes it": (
            table[list(KINDS_OF_OTHER)].eq(1).any(axis=1) & table["prior_other"].ne(1)
        ),
        "A month of kidney injury (kidney_injury_delay) without the injury (ae_kidney_injury)": (
            injured.notna() & table["ae_kidney_injury"].ne(1)
        ),
    }
    sentences = []
    for words, which in found.items():
        names = table.loc[which.astype(bool), "patient"].astype(str).tolist()
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        sentences += [f"{words}: {', '.join(names[:NAMED])}{more}."] if names else []
    return sentences


def included(cohort: Cohort) -> tuple[Cohort, Sequence[str]]:
    """Return the patients with enough cycles by the article's rule, and who is not, in words.

    The words begin with a warning for each kind of contradiction between columns. That nobody is
    left is a ``ConfigurationError``.
    """
    choices = Choices.of()
    kept = Tables(cohort, choices).cohort.select(1)
    few, unknown = len(cohort.patients) - len(kept.patients), cohort.patients[CYCLES].isna().sum()
    notes = [f"Warning: {words}" for words in contradictions(cohort)]
    if few:
        notes.append(
            f"Left out for fewer than {choices.minimum_cycles} cycles in the first six months: "
            f"{few} (parameter minimum_cycles)."
        )
    if 0 < unknown < len(cohort.patients):
        notes.append(f"Number of these cycles unknown, counted as enough: {unknown}.")
    return kept, notes


def open_form() -> CohortForm:
    """Return what a cohort looks like; the entry point of the article."""
    choices = Choices.of()
    # RVSP the article has at baseline alone.
    return CohortForm(
        codebook=project_root() / CODEBOOK,
        windows={name: choices.windows(name) for name in MEASURES if name != "rvsp"},
        included=included,
        without=without,
        names=NAMES,
        codes=CODES,
    )
