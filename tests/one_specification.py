"""The results of one specification, through the analysis that the ledger rests on."""

from __future__ import annotations

import pandas as pd

from ivig_dcssc.analysis import CohortResults
from ivig_dcssc.analysis.choices import FOLLOWUPS
from ivig_dcssc.multiverse.results import BASELINE, COMPARATORS, PAIRED_T, Result, printed_change
from rederive.retrospective import describe_flag, describe_number, response, two_sample


def parameters_of(levels: dict[str, object]) -> dict[str, object]:
    """Return the parameters of a run that make the choices of a specification."""
    found = {name: level for name, level in levels.items() if name != "reading"}
    test = str(levels.get("paired_test", PAIRED_T))
    if test != PAIRED_T:
        found["signed_rank_convention"] = test
    return found | {"paired_test": "paired_t" if test == PAIRED_T else "signed_rank"}


def values_of(results: CohortResults) -> dict[str, pd.Series]:
    """Return every result of the multiverse by cohort."""
    tables, choices = results.tables, results.choices
    found: dict[str, pd.Series] = {}

    def keep(table: pd.DataFrame, timepoint: str, group: str = "", **columns: str) -> None:
        for quantity, column in columns.items():
            values = table.set_index("cohort")[column]
            found[Result(quantity, timepoint, group).name] = values.astype(float)

    scores = tables.measured("mrss")
    keep(describe_number(scores[BASELINE]), BASELINE, n="n", mean="mean")
    for name in FOLLOWUPS:
        table = tables.paired("mrss", name).reset_index()
        keep(table, name, n="n", mean="followup_mean", change="change_mean", p="p")
        table = describe_flag(response(scores, name, choices.responder_threshold))
        keep(table, name, responders="count", responder_percent="percent")
    for name, groups in COMPARATORS.items():
        for group in groups:
            control = printed_change(results.registry, group, name)
            table = two_sample(tables.change(name), control, choices.two_sample_test)
            keep(table, name, group, difference="difference", p_against="p")
    return found
