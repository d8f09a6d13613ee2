"""Which rows of the registry are functions of a cohort, and why the others are not."""

from __future__ import annotations

from rederive.printed.registry import ClaimRow, NumberRow

GROUP = "IVIG"

_NOT_IN_TABLES = {
    "ivig_dose": "a dose; doses are not in a cohort's tables",
    "mmf_course_dose": "a dose of one patient's earlier course of treatment",
    "mmf_course_length": "length of one patient's earlier course of treatment",
    "ivig_regimen_cycles": "the standard regimen, whatever patients received",
    "infusion_days": "days per cycle are not in a cohort's tables",
    "cycles_required_window": "a rule of inclusion",
    "treatment_gap": "a rule that ends a round of treatment",
    "study_period": "calendar years are not in a cohort's tables",
}


def reason_outside(row: NumberRow | ClaimRow) -> str:
    """Return why a row is no function of a cohort, or an empty text if it is one."""
    if isinstance(row, NumberRow) and row.statistic == "month":
        return "a target month of the design"
    if row.group == GROUP:
        if isinstance(row, ClaimRow) and (row.variable, row.kind) == ("cohort_size", "ordering"):
            return "a comparison with other publications"
        return _NOT_IN_TABLES.get(row.variable, "")
    if not row.group:
        return (
            "a comparison with the printed figures of other groups"
            if isinstance(row, ClaimRow)
            else "design of the study, or another publication"
        )
    if isinstance(row, NumberRow) and row.statistic != "p":
        return f"a printed figure of another group ({row.group})"
    return f"a comparison with the printed figures of another group ({row.group})"
