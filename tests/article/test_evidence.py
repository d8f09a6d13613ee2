"""Cohorts as evidence in the ledger: calibrated, predicted, and a user's own."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ivig_dcssc.analysis import Choices
from ivig_dcssc.article import open_ledger
from ivig_dcssc.evidence import TIGHT, possible_width
from ivig_dcssc.generator.predictions import PREDICTIONS_FILE
from ivig_dcssc.generator.skin import skin_block
from ivig_dcssc.parameters import COHORTS_MADE, PRIORS, READINGS
from ivig_dcssc.patients import Cohorts
from ivig_dcssc.project import COHORTS, project_root
from ivig_dcssc.shipped import TEACHING
from rederive.book.ledger import Ledger
from rederive.printed import Evidence, Verdict
from rederive.printed.errors import ConfigurationError
from rederive.printed.formats import printing
from rederive.printed.registry import load_registry
from rederive.reconstruct.block import Figure, Statistic

ROOT = project_root()


@pytest.fixture(scope="module")
def own() -> Ledger:
    return open_ledger(cohort_folder=f"data/cohorts/{TEACHING}")


def rows(ledger: Ledger, evidence: Evidence) -> list:
    return [row for row in ledger if row.evidence is evidence]


def test_nothing_is_pending(ledger: Ledger) -> None:
    assert [row.id for row in ledger if row.verdict is Verdict.PENDING] == []


def test_every_calibrated_row_prints_in_every_cohort(ledger: Ledger) -> None:
    found = rows(ledger, Evidence.CALIBRATED)
    assert len(found) > 90
    for row in found:
        assert row.verdict is Verdict.FITTED, row.id
        assert f"all {3 * COHORTS_MADE} synthetic cohorts were made to print it" in row.why
        if row.kind == "number":
            assert row.reproduced == row.printed.rstrip("%") or row.reproduced in row.printed


def test_every_predicted_row_has_a_prediction_under_each_prior(ledger: Ledger) -> None:
    found = rows(ledger, Evidence.PREDICTED)
    assert len(found) >= 10
    for row in found:
        assert row.reproduced, row.id
        assert all(prior in row.why for prior in PRIORS), row.id


def test_the_prediction_of_the_responders_is_that_of_the_draws(ledger: Ledger) -> None:
    row = ledger.row("results-responder-ivig-m6-count")
    table = pd.read_parquet(ROOT / COHORTS / PREDICTIONS_FILE)
    own = table[(table["figure"] == row.id) & (table["reading"] == READINGS[0])]
    ends = own.groupby("prior")["value"].quantile([0.025, 0.975]).unstack()
    low, high = ends[0.025].min(), ends[0.975].max()
    assert row.reproduced == f"{low:.0f} to {high:.0f} (95 %, priors together)"
    assert row.verdict is Verdict.NOT_SETTLED
    bounds = [float(end) for end in row.interval.split(" to ")]
    assert bounds[0] <= low <= 16 <= high <= bounds[1]
    assert "sharp bounds" in row.why


def possible(figure: Figure, n: int) -> float:
    """Width of what n scores from 0 to 51 allow, by construction of the extreme data."""
    ends = np.array([51.0] * (n // 2) + [0.0] * (n - n // 2))
    widths = {
        Statistic.MEAN: ends.max(),
        Statistic.SD: ends.std(ddof=1),
        Statistic.CHANGE_MEAN: 2 * ends.max(),
        Statistic.CHANGE_SD: (2 * ends).std(ddof=1),
        Statistic.RESPONDERS: n,
        Statistic.PAIRED_P: math.nan,
    }
    return float(widths[figure.statistic])


def test_only_what_the_other_figures_leave_little_room_for_is_confirmed(ledger: Ledger) -> None:
    """The plan's rule: tight is at most a tenth of the possible range, and no case is near it.

    Distances between p values mean nothing: one is confirmed only if all data print it.
    """
    cohorts, shares = ledger.cohorts, {}
    assert isinstance(cohorts, Cohorts)
    for figure in cohorts.block.figures:
        low, high = cohorts.bound(figure.id)
        width = possible(figure, cohorts.block.observed[cohorts.block.index(figure.at)])
        assert possible_width(cohorts.block, figure) == pytest.approx(width, nan_ok=True)
        row, share = ledger.row(figure.id), (high - low) / width
        if row.evidence is Evidence.RECOMPUTED:
            continue
        if figure.statistic is Statistic.PAIRED_P:
            share = 0.0 if printing(pd.Series([low, high]), figure.printed).all() else 1.0
        shares[figure.id] = share
        confirmed = row.verdict in (Verdict.SAME, Verdict.WITHIN_ROUNDING)
        assert confirmed is (share <= TIGHT), figure.id
        assert confirmed <= (row.evidence is Evidence.PREDICTED)
        assert ("too wide to confirm it" in row.why) is not confirmed
    assert len(shares) == 18
    assert not [name for name, share in shares.items() if 0.04 < share < 0.11]


def test_a_statement_is_confirmed_only_where_all_compatible_data_decide(ledger: Ledger) -> None:
    found = {row.id: row for row in rows(ledger, Evidence.PREDICTED) if row.kind == "claim"}
    decided = [name for name, row in found.items() if row.verdict is Verdict.SAME]
    assert decided == ["abstract-mrss-ivig-m24-significant"]
    others = [row for name, row in found.items() if name not in decided]
    assert len(others) == 6
    assert {row.verdict for row in others} == {Verdict.NOT_SETTLED}


def test_predictions_were_not_told_the_figure() -> None:
    """A figure that is switched off does not print the same in all draws."""
    table = pd.read_parquet(ROOT / COHORTS / PREDICTIONS_FILE)
    registry = load_registry(ROOT / "data" / "published")
    for figure in skin_block(registry).figures:
        for prior in PRIORS:
            own = table[(table["figure"] == figure.id) & (table["prior"] == prior)]
            values = own.loc[own["reading"] == READINGS[0], "value"].to_numpy()
            assert len(values) >= 500
            assert np.unique(values).size > 2, (figure.id, prior)


def test_predictions_lie_within_the_sharp_bounds() -> None:
    registry = load_registry(ROOT / "data" / "published")
    cohorts = Cohorts(ROOT, Choices.of(), registry)
    table = pd.read_parquet(ROOT / COHORTS / PREDICTIONS_FILE)
    checked = 0
    for figure in skin_block(registry).figures:
        bound = cohorts.own_bound(figure.id)
        if bound is None:
            continue
        own = table[(table["figure"] == figure.id) & (table["reading"] == READINGS[0])]["value"]
        slack = 1e-5 * max(1.0, abs(bound.high.limit))
        assert bound.low.limit - slack <= own.min(), figure.id
        assert own.max() <= bound.high.limit + slack, figure.id
        checked += 1
    assert checked >= 10


def test_one_prior_alone() -> None:
    ledger = open_ledger(prior="flat")
    row = ledger.row("results-responder-ivig-m12-count")
    assert "flat" in row.why
    assert "gaussian" not in row.why
    assert f"all {COHORTS_MADE} synthetic" in ledger.row("abstract-mrss-ivig-m12-mean").why


def test_other_windows_give_values_and_no_verdict() -> None:
    row = open_ledger(followup_tolerance=1).row("abstract-mrss-ivig-m12-n")
    assert row.verdict is Verdict.NONE
    low, high = (int(end) for end in row.reproduced.split(" to "))
    assert low <= high <= 25
    assert low < 25


def test_claims_about_predictors_are_counted_in_cohorts_that_were_not_told(ledger: Ledger) -> None:
    row = ledger.row("results-mrss-change-predictors-ivig-m6-none-predict")
    cohorts = ledger.cohorts
    assert isinstance(cohorts, Cohorts)
    table = cohorts.associations
    for prior in PRIORS:
        own = table[
            (table["prior"] == prior)
            & (table["outcome"] == "change")
            & (table["timepoint"] == "m6")
        ]
        least = own.groupby("cohort")["p"].min()
        share = 100 * float((least >= 0.05).mean())
        assert f"{prior}: in {share:.0f} %" in row.why
        assert 0 < share < 100


def test_a_users_own_cohort_takes_the_place_of_the_reconstructed(own: Ledger) -> None:
    needing = rows(own, Evidence.CALIBRATED) + rows(own, Evidence.PREDICTED)
    for row in needing:
        assert "synthetic" not in row.why, row.id
        assert row.verdict is Verdict.NONE, row.id
        assert row.why == "in the cohort of this run"
    # The teaching cohort prints the article's figures, so as a user's cohort it does too.
    assert own.row("abstract-mrss-ivig-m12-mean").reproduced == "22.5"
    assert own.row("results-responder-ivig-m12-count").reproduced == "15"


def test_a_folder_that_is_no_cohort_names_everything_wrong(tmp_path: Path) -> None:
    source = ROOT / COHORTS / TEACHING
    for name in ("patients.csv", "visits.csv"):
        text = (source / name).read_text()
        (tmp_path / name).write_text(text.replace(",mrss,", ",mrs,", 1))
    with pytest.raises(ConfigurationError, match=r"visits.csv, row \d+.*did you mean 'mrss'"):
        open_ledger(cohort_folder=str(tmp_path))


def test_priors_are_named_for_every_cohort(own: Ledger) -> None:
    cohorts = open_ledger().cohorts
    assert isinstance(cohorts, Cohorts)
    assert cohorts.priors.value_counts().to_dict() == dict.fromkeys(PRIORS, COHORTS_MADE)
    assert isinstance(own.cohorts, Cohorts)
    assert own.cohorts.priors.tolist() == ["own"]
