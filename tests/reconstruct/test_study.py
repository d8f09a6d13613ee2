"""Synthetic data of a described study: exact, reproducible, honest about what they are."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rederive.reconstruct.block import ContradictionError, sampling
from rederive.reconstruct.checker import check_study, failures
from rederive.reconstruct.study import (
    OutOfTimeError,
    Study,
    bound_quantity,
    drawing,
    load_study,
    parse_study,
    predict_figure,
    provenance,
    read_notes,
    read_table,
    reconstruct_study,
    write_table,
)

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "examples" / "grip-strength.yaml"

TINY = """
patients: 3
timepoints: [a, b]
measures:
  score:
    scale: {minimum: 0, maximum: 2}
    n: {a: 3, b: 3}
    improvement: rise
    figures:
      a: {mean: "0.7"}
      b: {change_mean: "0.7"}
"""


@pytest.fixture(scope="module")
def example() -> Study:
    return load_study(EXAMPLE)


@pytest.fixture(scope="module")
def table(example: Study) -> pd.DataFrame:
    return reconstruct_study(example, 6)


def test_every_data_set_prints_every_figure(example: Study, table: pd.DataFrame) -> None:
    assert list(table.columns) == ["cohort", "patient", "measure", "timepoint", "value"]
    assert sorted(table["cohort"].unique()) == list(range(1, 7))
    report = check_study(example.description, table)
    assert len(report) == 6 * 36
    assert failures(report).empty


@pytest.mark.parametrize("prior", ["flat", "two-kinds"])
def test_every_prior_gives_exact_and_different_data(example: Study, prior: str) -> None:
    found = reconstruct_study(example, 4, prior, seed=3)
    assert failures(check_study(example.description, found)).empty
    texts = {str(part["value"].tolist()) for _, part in found.groupby("cohort")}
    assert len(texts) == 4


def test_the_same_request_gives_the_same_bytes(
    example: Study, table: pd.DataFrame, tmp_path: Path
) -> None:
    again = reconstruct_study(example, 6)
    notes = provenance(example, prior="", cohorts=6, seed=1)
    for ending in ("csv", "parquet"):
        one, two = tmp_path / f"one.{ending}", tmp_path / f"two.{ending}"
        write_table(one, table, notes)
        write_table(two, again, notes)
        assert one.read_bytes() == two.read_bytes()
        pd.testing.assert_frame_equal(read_table(one), table, check_dtype=False)
    other = reconstruct_study(example, 1, seed=2)
    assert not other.equals(table[table["cohort"] == 1].reset_index(drop=True))


def test_files_say_that_they_are_synthetic_and_how_they_were_made(
    example: Study, table: pd.DataFrame, tmp_path: Path
) -> None:
    notes = provenance(example, prior="two-kinds", cohorts=6, seed=1, without=["grip.start.sd"])
    write_table(tmp_path / "x.csv", table, notes)
    write_table(tmp_path / "x.parquet", table, notes)
    head = (tmp_path / "x.csv").read_text().splitlines()[:10]
    assert head[0].startswith("# synthetic data")
    assert "# seed: 1" in head
    read = read_notes(tmp_path / "x.parquet")
    assert read["synthetic"] is True
    assert read["without"] == ["grip.start.sd"]
    assert "two-kinds: 0.5 x normal" in str(read["priors"])
    assert "flat" in str(read["priors"])
    assert set(read["versions"]) >= {"numpy", "scipy"}


def test_no_file_is_left_half_written(tmp_path: Path, table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"allowed are \.parquet, \.csv"):
        write_table(tmp_path / "x.txt", table, {})
    with pytest.raises(TypeError):
        write_table(tmp_path / "x.csv", table, {"bad": object()})
    assert list(tmp_path.iterdir()) == []


def test_patients_of_different_measures_are_joined_at_random(
    example: Study, table: pd.DataFrame
) -> None:
    followed = table[table["timepoint"] == "week12"].groupby(["cohort", "measure"])["patient"]
    sets = followed.agg(frozenset).unstack()
    assert (sets["grip"] != sets["pain"]).any()
    assert set().union(*sets["grip"]) == {f"P{k:02d}" for k in range(1, 17)}


def test_a_figure_that_is_held_out_is_not_constrained(example: Study) -> None:
    off = "grip.week12.responders.3"
    found = reconstruct_study(example, 6, without=[off])
    report = check_study(example.description, found)
    assert set(failures(report)["id"]) == {off}


def test_draws_follow_the_prior_given_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "BATCHES", (300,))
    study = parse_study(TINY)
    found = reconstruct_study(study, 300, "flat", seed=5)
    wide = found.pivot(index=["cohort", "patient"], columns="timepoint", values="value")
    keys = [tuple(map(tuple, part.to_numpy(int))) for _, part in wide.groupby("cohort")]
    # Flat prior: all ordered data sets with these figures are equally likely.
    grid = list(product(product(range(3), repeat=2), repeat=3))
    allowed = {
        data for data in grid if sum(a for a, _ in data) == 2 and sum(b - a for a, b in data) == 2
    }
    assert set(keys) == allowed
    counts = pd.Series(keys).value_counts()
    expected = len(keys) / len(allowed)
    assert ((counts - expected) ** 2 / expected).sum() < len(allowed) + 6 * np.sqrt(
        2 * len(allowed)
    )


def test_contradictory_figures_and_requests_are_refused(example: Study) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace('mean: "18.6"', 'mean: "18.64"')
    with pytest.raises(ContradictionError) as caught:
        reconstruct_study(parse_study(text), 1)
    assert caught.value.figures == ("grip.start.mean",)
    with pytest.raises(ValueError, match="prior"):
        reconstruct_study(example, 1, "stedy")


def test_too_little_time_gives_what_was_made(
    example: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "BATCHES", (4,))
    now, real = [0.0], drawing._batch
    monkeypatch.setattr(drawing.time, "monotonic", lambda: now[0])

    def slow(*arguments: object) -> object:
        drawn = real(*arguments)
        now[0] += 2.0
        return drawn

    monkeypatch.setattr(drawing, "_batch", slow)
    with pytest.raises(OutOfTimeError, match="8 of 100") as caught:
        reconstruct_study(example, 100, seconds=3)
    assert caught.value.table["cohort"].nunique() == 8
    assert failures(check_study(example.description, caught.value.table)).empty


def test_a_batch_under_way_is_given_up_when_time_is_over(
    example: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(10**6))
    # Two looks at the clock stand before the first batch; a chain is looked at once a stretch.
    monkeypatch.setattr(drawing.time, "monotonic", lambda: float(next(calls)))
    monkeypatch.setattr(sampling, "LOOKS", 1)
    with pytest.raises(OutOfTimeError, match="0 of 100"):
        reconstruct_study(example, 100, seconds=1.5)


def test_what_the_checker_refuses_is_not_handed_out(
    example: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = drawing.sample_data

    def corrupted(*arguments: object, **options: object) -> object:
        ensemble = real(*arguments, **options)
        ensemble.values[0, 0, 0] += 5
        return ensemble

    monkeypatch.setattr(drawing, "sample_data", corrupted)
    with pytest.raises(RuntimeError, match=r"data set 1 prints .* for grip\.start"):
        reconstruct_study(example, 1)


def test_a_prediction_counts_what_the_others_leave_open(example: Study) -> None:
    found = predict_figure(example, "grip.week12.responders.3", draws=40)
    assert found["printed"] == "6"
    assert found["low"] <= found["median"] <= found["high"]
    assert found["inside"]
    assert 0 < found["share"] < 1
    assert found == predict_figure(example, "grip.week12.responders.3", draws=40)
    # Both means of the same patients leave the mean change nothing but its rounding.
    change = predict_figure(example, "grip.week6.change_mean", draws=8)
    assert 1.8 <= change["low"] <= change["high"] <= 2.0


def test_a_prediction_agrees_with_all_data_of_a_tiny_study() -> None:
    study = parse_study(
        TINY.replace('"0.7"}\n', '"0.7", responders: {1: "2"}}\n', 2).replace(
            'a: {mean: "0.7", responders: {1: "2"}}', 'a: {mean: "0.7"}'
        )
    )
    found = predict_figure(study, "score.b.responders.1", "flat", draws=800, seed=2)
    grid = product(product(range(3), repeat=2), repeat=3)
    kept = [d for d in grid if sum(a for a, _ in d) == 2 and sum(b - a for a, b in d) == 2]
    share = np.mean([sum(b - a >= 1 for a, b in d) == 2 for d in kept])
    assert found["share"] == pytest.approx(share, abs=0.08)


def test_bounds_of_responders_that_rise_are_those_of_all_data() -> None:
    (measure,) = parse_study(TINY).measures
    grid = product(product(range(3), repeat=2), repeat=3)
    kept = [d for d in grid if sum(a for a, _ in d) == 2 and sum(b - a for a, b in d) == 2]
    for rise in (1, 2):
        counts = [sum(b - a >= rise for a, b in d) for d in kept]
        found = bound_quantity(measure, "responders", "b", threshold=Fraction(rise))
        assert (found["low"], found["high"]) == (min(counts), max(counts))
        assert found["sharp"]
    with pytest.raises(ValueError, match="did you mean 'sd'"):
        bound_quantity(measure, "sdd", "b")


def test_responders_need_to_be_told_which_way_is_better() -> None:
    text = """
patients: 10
timepoints: [pre, post]
measures:
  score:
    scale: {minimum: -2, maximum: 6, step: 0.1}
    n: {pre: 10, post: 10}
    figures:
      pre: {mean: ".75", sd: "1.79"}
      post: {mean: "2.33", sd: "2.00", paired_p: ".003"}
"""
    (measure,) = parse_study(text).measures
    with pytest.raises(ValueError, match=r"measure score: found no key improvement"):
        bound_quantity(measure, "responders", "post", threshold=Fraction(2))
    (measure,) = parse_study(text.replace("    n:", "    improvement: rise\n    n:")).measures
    found = bound_quantity(measure, "responders", "post", threshold=Fraction(2), seconds=2)
    # The data of the report have two patients who rose by 2 or more.
    low, high = found["low"], found["high"]
    assert isinstance(low, float) and isinstance(high, float)
    assert 0 <= low <= 2 <= high


def test_work_that_is_stopped_gives_what_it_has(example: Study) -> None:
    asked = iter([False] * 3 + [True] * 10**6)
    found = predict_figure(example, "grip.week12.sd", draws=4000, stop=lambda: next(asked))
    assert 0 < found["draws"] < 4000
    bounds = bound_quantity(
        example.measure("pain"), "responders", "week12", threshold=Fraction(3), stop=lambda: True
    )
    assert not bounds["sharp"]
    assert bounds["low"] == 0
