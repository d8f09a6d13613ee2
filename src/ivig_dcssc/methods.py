"""The article's methods in words and tables, and the way of one number through the book."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ivig_dcssc.cohort_groups import fixed, p_text
from ivig_dcssc.project import project_root
from ivig_dcssc.reproduced import Choices, open_cohort
from ivig_dcssc.reproduced.choices import (
    RESTRICTED_ORGAN_BASELINE_WINDOW,
    RESTRICTED_ORGAN_FOLLOWUP_TOLERANCE,
)
from ivig_dcssc.reproduced.frames import printed_change
from ivig_dcssc.reproduced.inclusion import include
from ivig_dcssc.shipped import TEACHING, cohorts_folder
from rederive.book.ledger import Ledger
from rederive.book.render import STATISTICS, TIMEPOINTS
from rederive.book.section import in_words
from rederive.printed.registry import Registry
from rederive.retrospective import (
    Cohort,
    Windows,
    change,
    describe_number,
    logistic,
    paired_change,
    response,
    signed_rank,
    two_sample,
)


def follow_up_targets(registry: Registry) -> list[int]:
    """Return the target months of follow-up, as the abstract prints them for the skin score."""
    return sorted(
        {
            int(row.printed.value)
            for row in registry.numbers.values()
            if row.section == "abstract" and row.variable == "mrss" and row.statistic == "month"
        }
    )


def _limit(registry: Registry, row_id: str) -> str:
    row = registry.numbers[row_id]
    return f"{row.printed.text} {row.unit}".strip()


def windows_in_words(registry: Registry) -> list[str]:
    """Return the rules for windows and outcomes as sentences, their figures from the registry."""
    baseline = _limit(registry, "methods-window-baseline-threshold")
    tolerance = _limit(registry, "methods-window-followup-threshold")
    threshold = _limit(registry, "methods-responder-threshold-threshold")
    cycles = _limit(registry, "methods-cycles-required-ivig-threshold")
    within = _limit(registry, "methods-cycles-required-window-ivig-threshold")
    targets = in_words(follow_up_targets(registry))
    return [
        f"The baseline score is the most recent one from the month of the first infusion or up to "
        f"{baseline} before it.",
        f"Follow-up scores belong to months {targets}, each with {tolerance} to either side;",
        "a patient without a score in a window is missing there.",
        f"A patient whose score falls by at least {threshold} is a cutaneous responder.",
        f"To be included, patients needed at least {cycles} of IVIG within the first {within}.",
    ]


def tests_stated() -> list[dict[str, str]]:
    """Return for each kind of comparison the test that the article states and what it leaves open.

    Returns
    -------
    list of dict
        Columns ``Comparison, Stated, Left open, Tried beside``.
    """
    rows = [
        (
            "Skin score at follow-up and at baseline",
            "paired Student t",
            "nothing: it needs the changes alone",
            "-",
        ),
        (
            "Cohort and controls: means",
            "Student t",
            "whether variances were pooled, as the name says; the comparators' n at follow-up",
            "Welch t; every smaller n",
        ),
        (
            "Cohort and controls: yes/no variables",
            "Student t",
            "how the variable was coded; how unknown values were treated",
            "Welch t on 0/1, χ², χ² with Yates' correction, Fisher's exact test",
        ),
        (
            "Baseline and month 12: lung function, disability",
            "paired Student t",
            "the correlation of both visits; for disability also n",
            "every correlation, every n",
        ),
        (
            "Baseline and month 12: organ severity",
            "Wilcoxon signed-rank",
            "zeros, ties, continuity correction",
            "five conventions in common software",
        ),
        (
            "Predictors of response",
            "simple logistic regression",
            "Wald or likelihood-ratio p",
            "both, Fisher's exact test, linear regression on 0/1",
        ),
    ]
    header = ("Comparison", "Stated", "Left open", "Tried beside")
    return [dict(zip(header, row, strict=True)) for row in rows]


def registry_record(ledger: Ledger, row_id: str) -> dict[str, str]:
    """Return one printed number as a row of a table."""
    row = ledger.registry.numbers[row_id]
    return {
        "id": row.id,
        "Section": row.section,
        "Place": row.place,
        "Group": row.group,
        "Variable": ledger.registry.variables[row.variable].label,
        "Time": TIMEPOINTS.get(row.timepoint, ""),
        "Statistic": STATISTICS[row.statistic],
        "Printed": row.as_printed,
        "Rounding interval": str(row.printed.interval(ledger.settings.rule, row.domain)),
    }


def plan_records(ledger: Ledger, row_id: str) -> list[dict[str, str]]:
    """Return the plan of one number: its method, and each input with its figure."""
    plan = ledger.registry.plan[row_id]
    rows = []
    for name in plan.inputs:
        source = ledger.registry.row(name)
        rows.append(
            {
                "Evidence": str(plan.evidence),
                "Method": plan.method,
                "Input": name,
                "Printed": source.as_printed,
            }
        )
    return rows


def reach_records(ledger: Ledger, row_id: str) -> list[dict[str, str]]:
    """Return what every convention makes of one number's inputs."""
    outcome = ledger.recomputed(row_id)
    return [
        {
            "Convention": reach.convention,
            "Stated by the article": "yes" if reach.stated else "no",
            "At the printed figures": "" if reach.point is None else f"{reach.point:.5f}",
            "Reachable": f"{reach.low:.5f} to {reach.high:.5f}",
            "Published figure reachable": "yes" if reach.meets else "no",
        }
        for reach in outcome.reaches
    ]


def one_cohort(choices: Choices) -> Cohort:
    """Return the cohort on which the methods are shown: the user's, or the one to teach with.

    Parameters
    ----------
    choices : Choices
        ``cohort_folder`` and ``minimum_cycles`` are used.

    Raises
    ------
    ConfigurationError
        If the cohort does not fit the codebook, or nobody has so many cycles.
    """
    root = project_root()
    teaching = cohorts_folder(root).relative_to(root) / TEACHING
    folder = choices.cohort_folder or teaching.as_posix()
    cohort = open_cohort(root, replace(choices, cohort_folder=folder))
    one = Cohort(cohort.patients.assign(cohort=1), cohort.visits.assign(cohort=1))
    return include(one, choices.minimum_cycles).cohort.select(1)


def scores_in_windows(cohort: Cohort, choices: Choices) -> pd.DataFrame:
    """Return the skin scores in their windows, one row per patient, follow-ups by name."""
    return choices.named("mrss", cohort.measured("mrss", choices.windows("mrss")))


def cohort_in_words(cohort: Cohort, choices: Choices) -> list[str]:
    """Return which cohort the methods are shown on, as sentences."""
    size = f"{len(cohort.patients)} patients and {len(cohort.visits)} records"
    if choices.cohort_folder:
        return [f"This run has a cohort of its own, with {size}."]
    return [
        f"The cohort to teach with has {size}.",
        "It is *synthetic*: reconstructed so that it prints every published figure, one of very "
        "many that do.",
        "Here it shows how the rules work; what the cohorts say about the article is shown over "
        "the whole ensemble, in the sections of the results.",
    ]


def titled(title: str, choices: Choices) -> str:
    """Return the title of a table of the cohort, which says so if the cohort is synthetic."""
    return title if choices.cohort_folder else f"{title} (synthetic cohort)"


def calibrated_in_words(choices: Choices) -> str:
    """Return what it is worth that the cohort prints the published figures, as a sentence."""
    if choices.cohort_folder:
        return "Nothing in the cohort of this run was made to agree with the published figures."
    if not choices.as_published:
        return (
            "The synthetic cohort was made to print these figures under the article's windows and "
            "limits; under those of this run it need not."
        )
    return (
        "The synthetic cohort was made to print these figures, so that it does so in the next "
        "three tables confirms nothing."
    )


def records_of(cohort: Cohort, measure: str) -> pd.DataFrame:
    """Return the records of one measure in the order of patients and months."""
    own = cohort.visits[(cohort.visits["measure"] == measure) & cohort.visits["value"].notna()]
    return own.sort_values(["patient", "month"], kind="stable").reset_index(drop=True)


def telling_patient(cohort: Cohort, windows: Windows, measure: str = "mrss") -> str:
    """Return a patient on whom the rules can be seen: most records, of which most count for none.

    Raises
    ------
    ValueError
        If nobody has a record of the measure.
    """
    taken = records_of(cohort, measure).groupby("patient", observed=True).size()
    if taken.empty:
        raise ValueError(f"visits: found no record of {measure}, allowed: at least one")
    counting = cohort.months_used(measure, windows).notna().sum(axis=1)
    left_out = taken - counting.reindex(taken.index)
    order = pd.DataFrame({"left_out": left_out, "taken": taken})
    return str(order.sort_values(["left_out", "taken"], kind="stable").index[-1])


def visit_records(cohort: Cohort, windows: Windows, patient: str) -> list[dict[str, object]]:
    """Return one patient's skin scores with the window that each counts for, for a table."""
    own = records_of(cohort, "mrss")
    own = own[own["patient"].astype(str) == patient]
    used = cohort.months_used("mrss", windows).loc[patient]
    names = {month: window_title(name) for name, month in used.items() if not np.isnan(month)}
    return [
        {
            "Patient": patient,
            "Month": int(month),
            "Skin score": int(value) if float(value).is_integer() else float(value),
            "Counts for": names.get(month, "no time point"),
        }
        for month, value in zip(own["month"], own["value"], strict=True)
    ]


def window_title(name: object, choices: Choices | None = None) -> str:
    """Return the name of a window in words, by its month.

    Parameters
    ----------
    name : str
        Such as ``baseline`` or ``m6``.
    choices : Choices, optional
        Given where ``m6`` is the name of the first follow-up, whatever its month.
    """
    text = str(name)
    if choices is not None and text != "baseline":
        text = f"m{choices.month(text)}"
    return TIMEPOINTS.get(text, f"month {text.removeprefix('m')}")


def inclusion(cohort: Cohort, scores: pd.DataFrame, registry: Registry) -> list[dict[str, object]]:
    """Return how many patients meet each criterion that the tables can tell, for a table.

    Parameters
    ----------
    cohort : Cohort
        One cohort.
    scores : DataFrame
        Skin scores in their windows, one row per patient.
    registry : Registry
        For the number of cycles required.
    """
    required = float(registry.numbers["methods-cycles-required-ivig-threshold"].printed.value)
    within = registry.numbers["methods-cycles-required-window-ivig-threshold"].printed
    cycles = cohort.column("cycles_first_6_months").to_numpy(dtype=float)
    followed = scores.drop(columns="baseline").notna().any(axis=1).to_numpy()
    criteria = {
        f"at least {required:g} cycles within {within} months": np.where(
            np.isnan(cycles), np.nan, cycles >= required
        ),
        "a skin score at baseline": scores["baseline"].notna().to_numpy(dtype=float),
        "a skin score at some follow-up": followed.astype(float),
    }
    return [
        {
            "Criterion": name,
            "Met by": int(np.nansum(met)),
            "Not met by": int((met == 0).sum()),
            "Not known": int(np.isnan(met).sum()),
        }
        for name, met in criteria.items()
    ]


def window_records(
    scores: pd.DataFrame, registry: Registry, choices: Choices
) -> list[dict[str, object]]:
    """Return n, missing, mean and SD of the skin score in each window, beside the published.

    Parameters
    ----------
    scores : DataFrame
        Skin scores in their windows, one row per patient.
    registry : Registry
        For the published figures.
    choices : Choices
        For the months of the follow-ups.
    """
    rows: list[dict[str, object]] = []
    for name in scores.columns:
        found = describe_number(scores[name]).iloc[0]
        stem = f"abstract-mrss-ivig-{name}"
        size = registry.numbers.get(f"{stem}-n", registry.numbers["abstract-cohort-size-ivig-n"])
        mean, sd = (registry.numbers[f"{stem}-{what}"].printed for what in ("mean", "sd"))
        rows.append(
            {
                "Time point": window_title(name, choices),
                "Patients": int(found["n"]),
                "Missing": len(scores) - int(found["n"]),
                "Mean (SD)": f"{fixed(found['mean'], 1)} ({fixed(found['sd'], 1)})",
                "Published n": str(size.printed),
                "Published mean (SD)": f"{mean} ({sd})",
            }
        )
    return rows


def change_records(scores: pd.DataFrame, choices: Choices) -> list[dict[str, object]]:
    """Return change, paired test and responders at each follow-up, for a table.

    Parameters
    ----------
    scores : DataFrame
        Skin scores in their windows, one row per patient.
    choices : Choices
        For the least decrease of a responder, and the months of the follow-ups.
    """
    rows: list[dict[str, object]] = []
    for name in scores.columns.drop("baseline"):
        found = paired_change(scores, name).iloc[0]
        flags = response(scores, name, choices.responder_threshold).dropna()
        rows.append(
            {
                "Time point": window_title(name, choices),
                "Pairs": int(found["n"]),
                "Mean change (SD)": f"{fixed(found['change_mean'], 1)} "
                f"({fixed(found['change_sd'], 1)})",
                "Paired t, p": p_text(found["p"]),
                "Responders": f"{int(flags.sum())} of {len(flags)}",
            }
        )
    return rows


def tests_on_visits(
    cohort: Cohort, scores: pd.DataFrame, choices: Choices, registry: Registry
) -> list[dict[str, object]]:
    """Return one example of every test of the article on visit-level data, for a table.

    Parameters
    ----------
    cohort : Cohort
        One cohort.
    scores : DataFrame
        Skin scores in their windows, one row per patient.
    choices : Choices
        Windows of the organ measures, tests and threshold.
    registry : Registry
        For the control group.
    """
    severity = _organ(cohort, choices, "severity_muscle")
    first, second = (choices.month(name) for name in ("m6", "m12"))
    flags = response(scores, "m12", choices.responder_threshold)
    prednisone = cohort.column("concomitant_prednisone").astype(float)
    control = printed_change(registry, "relaxin", "m6")
    against = two_sample(change(scores, "m6"), control, choices.two_sample_test)
    found: list[tuple[str, str, pd.DataFrame]] = [
        (f"skin score, month {first} and baseline", "paired_change", paired_change(scores, "m6")),
        (f"change at month {first}, cohort and relaxin", "two_sample", against),
        (
            f"muscle severity, month {second} and baseline",
            "signed_rank",
            signed_rank(severity, "m12", convention=choices.convention),
        ),
        (f"response at month {second} on prednisone", "logistic", logistic(flags, prednisone)),
    ]
    return [
        {
            "Comparison": name,
            "Function": function,
            "Patients": int(table.iloc[0]["n"]),
            "p": p_text(float(table.iloc[0]["p"])),
        }
        for name, function, table in found
    ]


def _organ(cohort: Cohort, choices: Choices, measure: str) -> pd.DataFrame:
    return choices.named(measure, cohort.measured(measure, choices.windows(measure)))


def several_visits(cohort: Cohort, windows: Windows, measure: str) -> int:
    """Return in how many cases a patient has several values in one follow-up window."""
    own = records_of(cohort, measure)
    months = own["month"].to_numpy(dtype=float)
    distances = np.abs(months[:, None] - np.asarray(windows.targets, dtype=float))
    inside = (distances.min(axis=1) <= windows.tolerance) & (months > 0)
    keys = [own["patient"].astype(str).to_numpy()[inside], distances.argmin(axis=1)[inside]]
    return int((pd.Series(1, index=range(inside.sum())).groupby(keys).size() > 1).sum())


def shared_visits(cohort: Cohort, windows: Windows, measure: str) -> int:
    """Return how many values lie within the tolerance of two targets."""
    months = records_of(cohort, measure)["month"].to_numpy(dtype=float)
    distances = np.abs(months[:, None] - np.asarray(windows.targets, dtype=float))
    return int(((distances <= windows.tolerance).sum(axis=1) > 1).sum())


def unstated_choices(cohort: Cohort, choices: Choices) -> list[dict[str, object]]:
    """Return what the article leaves open about data, what this run does, and where it matters.

    Parameters
    ----------
    cohort : Cohort
        One cohort, in which the cases are counted.
    choices : Choices
        This run's choices.
    """
    skin, organ = choices.windows("mrss"), choices.windows("haq_di")
    disability = _organ(cohort, choices, "haq_di")
    tight = _organ(cohort, choices.restricted(), "haq_di")
    lost = int(disability["m12"].notna().sum() - tight["m12"].notna().sum())
    twice = several_visits(cohort, skin, "mrss"), several_visits(cohort, organ, "haq_di")
    both = int(disability.notna().all(axis=1).sum())
    rows: list[tuple[str, str, str]] = [
        (
            "which of several scores in a follow-up window counts",
            f"the {choices.visit_rule} one"
            + ("" if choices.visit_rule != "closest" else ", of two equally close the earlier"),
            f"{twice[0]} cases for the skin score, {twice[1]} for disability",
        ),
        (
            "baseline window of organ and function measures",
            f"{choices.organ_baseline_window} months",
            f"the sensitivity analysis has {RESTRICTED_ORGAN_BASELINE_WINDOW}",
        ),
        (
            f"window around month {choices.month('m12')} of these measures",
            f"{choices.organ_followup_tolerance} months to either side",
            f"the sensitivity analysis has {RESTRICTED_ORGAN_FOLLOWUP_TOLERANCE}; disability then "
            f"loses {lost} of its values",
        ),
        (
            f"patients with disability and their own rating at month {choices.month('m12')}",
            "all who have both values",
            f"{both} patients for disability",
        ),
        (
            "patients with severities at both visits",
            "all who have both values",
            in_words(
                [
                    f"{name.removeprefix('severity_')} "
                    f"{int(cohort.measured(name, organ).notna().all(axis=1).sum())}"
                    for name in ("severity_general", "severity_muscle", "severity_renal")
                ]
            ),
        ),
        (
            "whether a visit between two windows may count for both",
            "never; it goes to the closer target",
            f"{shared_visits(cohort, skin, 'mrss')} skin scores lie within reach of two targets",
        ),
    ]
    header = ("Not stated", "In this run", "In this cohort")
    return [dict(zip(header, row, strict=True)) for row in rows]
