"""A visible value and the engine's must be the same, and fitted is never shown as agreement."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ivig_dcssc import open_section, published
from rederive.book.beside import MismatchError, SourceError
from rederive.book.section import Section

P6 = "results-mrss-ivig-m6-p"
P18 = "results-mrss-ivig-m18-p"
MEAN = "results-mrss-ivig-m12-mean"


@pytest.fixture(scope="module")
def section() -> Section:
    return open_section("results_skin", prior="gaussian", cohorts=20)


def paired_p(scores: pd.DataFrame, month: str) -> float:
    both = scores[["baseline", month]].dropna()
    return float(stats.ttest_rel(both[month], both["baseline"]).pvalue)


def test_a_recomputed_value_stands_beside_the_published_one(section: Section) -> None:
    p = 2 * stats.t.sf(5.3 / (7.9 / np.sqrt(29)), 28)
    data = section.beside({P6: p}, source="printed figures").data
    assert data.loc[P6, "published"] == "0.0011"
    assert data.loc[P6, "verdict"] == "within rounding"


def test_another_value_than_the_engine_has_is_refused(section: Section) -> None:
    with pytest.raises(MismatchError, match=f"{P6}: found 0.0012, the engine has 0.00117"):
        section.beside({P6: 0.0012}, source="printed figures")


def test_a_range_must_hold_the_range_of_the_engine(section: Section) -> None:
    section.beside({P6: (0.001, 0.0013)}, source="printed figures")
    with pytest.raises(MismatchError, match="does not hold the engine's"):
        section.beside({P6: (0.0011, 0.0013)}, source="printed figures")


def test_cohorts_are_shown_as_fitted_and_each_must_agree(section: Section) -> None:
    means = section.cohorts.scores()["m12"].groupby("cohort").mean()
    data = section.beside({MEAN: means}, source="all cohorts").data
    assert data.loc[MEAN, "verdict"] == "fitted"
    one = section.cohorts.one_number
    section.beside({MEAN: means[one]}, source="one cohort")
    means.iloc[3] += 0.1
    with pytest.raises(MismatchError, match="1 of 20 cohorts differ"):
        section.beside({MEAN: means}, source="all cohorts")


@pytest.mark.parametrize("source", ["one cohort", "all cohorts", "printed figures"])
def test_fitted_values_cannot_pass_as_a_prediction(section: Section, source: str) -> None:
    fitted = section.cohorts.scores().groupby("cohort").apply(paired_p, month="m18")
    with pytest.raises(SourceError):
        section.beside({P18: fitted}, source=source)


def test_fitted_values_called_held_out_are_found_out(section: Section) -> None:
    fitted = section.cohorts.scores().groupby("cohort").apply(paired_p, month="m18")
    draws = fitted.set_axis(pd.MultiIndex.from_product([["gaussian"], range(20)]))
    with pytest.raises(MismatchError, match="cohorts differ"):
        section.beside({P18: draws}, source="held-out cohorts")


def test_held_out_draws_give_what_the_ledger_predicts(section: Section) -> None:
    draws = section.cohorts.held_out(P18).groupby(["prior", "draw"]).apply(paired_p, month="m18")
    data = section.beside({P18: draws}, source="held-out cohorts").data
    assert data.loc[P18, "evidence"] == "predicted"


def test_a_fitted_figure_cannot_be_called_recomputed(section: Section) -> None:
    with pytest.raises(SourceError, match="the plan says calibrated"):
        section.beside({MEAN: 22.5}, source="printed figures")


def test_unknown_ids_and_sources_get_a_suggestion(section: Section) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{P6}'"):
        section.beside({P6.replace("ivig", "ivg"): 0.0011}, source="printed figures")
    with pytest.raises(ValueError, match="did you mean 'all cohorts'"):
        section.beside({MEAN: 22.5}, source="al cohorts")


def test_a_broken_cell_of_a_notebook_fails(root: Path) -> None:
    """The test that a reader sees is Student's; put Welch's in its place, and the cell fails."""
    notebook = json.loads((root / "notebooks" / "results_controls.ipynb").read_text("utf-8"))
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    first = next(i for i, cell in enumerate(cells) if "section.beside(" in cell)
    code = "\n".join(cells[: first + 1])
    exec(compile(code, "whole", "exec"), {})
    call = "ttest_ind_from_stats(*six)"
    assert call in code
    broken = code.replace(call, "ttest_ind_from_stats(*six, equal_var=False)")
    with pytest.raises(MismatchError):
        exec(compile(broken, "broken", "exec"), {})


def test_a_table_of_published_figures_has_each_in_its_row() -> None:
    """Rows with other statistics must not move the figures of their neighbours."""
    names = ["age", "disease_duration", "mrss", "female", "white", "cohort_size"]
    table = published.table(names, timepoint=["", "baseline"])
    seen = 0
    for row in published.registry.numbers.values():
        about = (row.variable, row.group, row.timepoint)
        if about in table.index and not row.same_as and row.statistic in table:
            assert table.loc[about, row.statistic] == float(row.printed.value), row.id
            seen += 1
    assert seen > 40
