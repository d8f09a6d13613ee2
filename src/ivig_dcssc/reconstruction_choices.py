"""What each part of a reconstructed patient is constrained to, and what about it is our choice."""

from __future__ import annotations

from ivig_dcssc.cohort.characteristics import EARLIEST_ONSET
from ivig_dcssc.cohort.dates import BETWEEN, INTERVAL
from ivig_dcssc.cohort.drawing import Counts
from ivig_dcssc.cohort.measure_priors import PLAUSIBLE
from ivig_dcssc.cohort.measures import (
    CK_NORMAL,
    FOLLOWUP_SIZES,
    ONCE,
    PAIRED,
    block_of,
)
from ivig_dcssc.cohort.recipe import switchable
from ivig_dcssc.cohort.rubs import NEW_RUBS
from ivig_dcssc.cohort.severities import FEWEST_PAIRS, FOLLOWED
from ivig_dcssc.cohort.windows import visit_windows
from rederive.printed.registry import Registry

BLOCKS = (*ONCE, "treatment", *PAIRED)
"""Measures beside the skin score; cycles and months of treatment are one block."""

_UNITS = {
    "age": "years",
    "disease_duration": "months",
    "treatment": "cycles and months",
    "cpk": "U/L",
    "rvsp": "mmHg",
    "haq_di": "points",
    "patient_rating": "points",
    "fvc": "% predicted",
    "dlco": "% predicted",
}


def scale_table(registry: Registry) -> list[dict[str, object]]:
    """Return for each measure beside the skin score its figures, its range and why this range."""
    records: list[dict[str, object]] = []
    for name in BLOCKS:
        block, plausible = block_of(registry, name, FOLLOWUP_SIZES[0]), PLAUSIBLE[name]
        label = "Cycles and length of treatment"
        if name != "treatment":
            label = registry.variables[name].label
        scale = block.scale
        printed = [figure for figure in block.figures if figure.id in registry.numbers]
        step = f"{float(scale.step):g}"
        records.append(
            {
                "Measure": label,
                "Printed figures that hold": len(printed),
                "Patients": _patients(registry, name, block.observed),
                "Range allowed": f"{float(scale.minimum):g} to {float(scale.maximum):g} "
                f"{_UNITS[name]}, steps of {step}",
                "What the range and the prior say": plausible.reason,
            }
        )
    return records


def _patients(registry: Registry, name: str, observed: tuple[int, ...]) -> str:
    if name not in PAIRED:
        return str(observed[0])
    # A block asked for with another number at month 12 shows whether the article fixes it.
    other = block_of(registry, name, FOLLOWUP_SIZES[-1]).observed[1]
    if other == observed[1]:
        return f"{observed[0]}, then {observed[1]}"
    return f"{observed[0]}, then {FOLLOWUP_SIZES[0]} to {FOLLOWUP_SIZES[-1]} (not printed)"


def part_table(registry: Registry) -> list[dict[str, object]]:
    """Return for each part of a patient what the article fixes and what was chosen here."""
    counts, windows = Counts(registry), visit_windows(registry)
    claims = len(switchable(registry)["claims"])
    rows = (
        (
            "Age, sex, race, disease duration",
            "means, SDs and counts",
            f"who is who, ages and durations joined at random; nobody ill before {EARLIEST_ONSET}",
        ),
        (
            "Autoantibodies",
            f"counts with their denominators, {counts.known('anti_rna_polymerase_iii')}, "
            f"{counts.known('rnp')} and {counts.size}",
            "topoisomerase I and RNA polymerase III exclude each other; who lacks antinuclear "
            "antibodies has none of the specific ones",
        ),
        (
            "Earlier and concomitant drugs",
            f"counts; the {counts['first_line']} patients treated first; at month 12 a table of "
            "prednisone and response that prints odds ratio, interval and p",
            "who took what; who takes a drug now likelier took it before",
        ),
        (
            "Cycles and length of treatment",
            "means, SDs, least and greatest number; the required cycles within 6 months",
            "how both go together; cycles are monthly at most",
        ),
        (
            "End of treatment, death, adverse effects",
            "counts; the month of the death; meningitis among the headaches; the kidney injury "
            "after stopping",
            "in whom; who had a complication tends to shorter treatment",
        ),
        (
            "Myositis and CPK",
            f"{counts['myositis']} with myositis, {counts['cpk_serial']} whose CPK normalized; "
            "mean, SD and n of CPK",
            f"normal up to {CK_NORMAL} U/L; myositis goes with the highest values; later values",
        ),
        (
            "HAQ-DI and the patient's rating",
            "means, SDs and p of the change",
            f"how many answered again: {FOLLOWUP_SIZES[0]} to {FOLLOWUP_SIZES[-1]} are tried",
        ),
        (
            "FVC, DLCO, RVSP",
            "n, means and SDs, p of the change where printed; the same patients where groups nest",
            "ranges and the prior, next table",
        ),
        (
            "Organ severity",
            "p of the signed-rank test of each organ; no change of the kidney's",
            f"baseline scores; {FEWEST_PAIRS} to {FOLLOWED[-1]} pairs; moves of one or two grades",
        ),
        (
            "Tendon friction rubs",
            f"{counts['tfr']} patients at baseline; of these {counts['tfr_resolved']} without at "
            f"month 6, {counts['tfr_continued']} with, {counts['tfr_unknown']} unknown; in the "
            f"tight window {counts['tfr_restricted']}, and {counts['tfr_continued_restricted']} "
            "with at month 6",
            f"new rubs in {100 * NEW_RUBS:.0f} % of the others who were examined",
        ),
        (
            "What predicts response or change",
            f"the odds ratio of prednisone at month 12, and that nothing else is significant: "
            f"{claims} claims and figures",
            "nothing; each can be switched off",
        ),
        (
            "Dates of visits",
            "in the article's windows exactly the printed patients and figures, in the primary "
            "and in the sensitivity analysis",
            f"visits about every {INTERVAL} months; up to {100 * BETWEEN:.0f} % of those missing "
            "in a window come just outside it, some have two scores before treatment; organ "
            f"measures count from {windows.organ_baseline} months before and within "
            f"{windows.organ_tolerance} months of month {windows.organ_target}",
        ),
    )
    header = ("Part", "What the article fixes", "What is our choice")
    return [dict(zip(header, row, strict=True)) for row in rows]
