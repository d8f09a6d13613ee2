"""Tightened and other windows: by other routes, and both notebooks cell by cell."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from ivig_dcssc import other_windows, sensitivity_results, severity_results
from ivig_dcssc.article import open_ledger
from ivig_dcssc.cohort_groups import cohorts_of
from rederive.book.ledger import Ledger
from rederive.printed import PrintedNumber, RoundingRule
from rederive.retrospective import Cohort, write_cohort

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return open_ledger(prior="bimodal")


@pytest.fixture(scope="module")
def skin() -> pd.DataFrame:
    table = pd.read_parquet(ROOT / "data" / "cohorts" / "bimodal" / "visits.parquet")
    table = table[table["measure"] == "mrss"]
    return table.assign(patient=table["patient"].astype(str))


def baseline(skin: pd.DataFrame, window: int) -> pd.Series[float]:
    own = skin[(skin["month"] <= 0) & (skin["month"] >= -window)].sort_values("month")
    return own.groupby(["cohort", "patient"])["value"].last()


def around(skin: pd.DataFrame, month: int, tolerance: int) -> pd.Series[float]:
    own = skin[(skin["month"] - month).abs() <= tolerance].copy()
    own["apart"] = (own["month"] - month).abs()
    own = own.sort_values(["apart", "month"])
    return own.groupby(["cohort", "patient"])["value"].first()


def test_the_course_with_the_tight_baseline(ledger: Ledger, skin: pd.DataFrame) -> None:
    found = sensitivity_results.skin_courses(cohorts_of(ledger).results)
    found = found[found["analysis"] == sensitivity_results.TIGHT]
    start = baseline(skin, 2)
    own = found[found["month"] == 0].set_index("cohort")["mean"]
    pd.testing.assert_series_equal(
        own, start.groupby("cohort").mean(), check_names=False, check_index_type=False
    )
    for month in (6, 24):
        pairs = pd.DataFrame({"a": start, "b": around(skin, month, 2)}).dropna()
        own = found[found["month"] == month].set_index("cohort")
        for cohort, part in pairs.groupby("cohort"):
            row = own.loc[cohort]
            assert row["n"] == len(part)
            assert row["mean"] == pytest.approx(part["b"].mean())
            assert row["p"] == pytest.approx(stats.ttest_rel(part["a"], part["b"]).pvalue)


@pytest.mark.parametrize(("window", "tolerance"), [(0, 2), (1, 1), (6, 0)])
def test_other_windows(ledger: Ledger, skin: pd.DataFrame, window: int, tolerance: int) -> None:
    table = other_windows.skin_windows(ledger)
    own = table[
        (table["baseline"] == window)
        & (table["tolerance"] == tolerance)
        & (table["timepoint"] == "m12")
    ].set_index("cohort")
    start = baseline(skin, window)
    pairs = pd.DataFrame({"a": start, "b": around(skin, 12, tolerance)}).dropna()
    sizes = pairs.groupby("cohort").size().reindex(own.index, fill_value=0)
    assert (own["n"] == sizes).all()
    for cohort, part in list(pairs.groupby("cohort"))[:40]:
        if len(part) > 1 and (part["b"] - part["a"]).nunique() > 1:
            expected = stats.ttest_rel(part["b"], part["a"]).pvalue
            assert own.loc[cohort, "p"] == pytest.approx(expected)


def test_main_and_tight_windows_are_among_the_others(ledger: Ledger) -> None:
    tables = cohorts_of(ledger).results.tables
    table = other_windows.skin_windows(ledger)
    for window, restricted in ((3, False), (2, True)):
        own = table[(table["baseline"] == window) & (table["tolerance"] == 2)]
        for month in (6, 12, 18, 24):
            part = own[own["timepoint"] == f"m{month}"]["p"].to_numpy()
            main = tables.paired("mrss", f"m{month}", restricted=restricted)["p"].to_numpy()
            np.testing.assert_allclose(part, main)


def test_wider_baseline_windows_change_nothing(ledger: Ledger) -> None:
    table = other_windows.skin_windows(ledger)
    stated = table.loc[table["baseline"] == 3, "n"].to_numpy()
    for window in (4, 5, 6):
        np.testing.assert_array_equal(table.loc[table["baseline"] == window, "n"], stated)


def test_random_choices_keep_as_many_as_asked_for_and_favour_nobody() -> None:
    rng = np.random.default_rng(7)
    candidates = np.tile(np.array([True, True, False, True, True]), (4000, 1))
    keep = np.tile(np.array([0, 2, 4, 9]), 1000)
    found = sensitivity_results.chosen(candidates, keep, rng)
    assert not found[~candidates].any()
    np.testing.assert_array_equal(found.sum(axis=1), np.minimum(keep, 4))
    often = found[keep == 2].mean(axis=0)
    assert np.abs(often[[0, 1, 3, 4]] - 0.5).max() < 0.06


def test_leaving_nobody_out_changes_no_decision() -> None:
    """With the tight windows as the main ones the random choice keeps everybody."""
    ledger = open_ledger(prior="flat", organ_baseline_window=3, organ_followup_tolerance=3)
    results = cohorts_of(ledger).results
    for measure in ("patient_rating", "severity_gi"):
        kept = sensitivity_results.kept_at_random(results, measure, "m12")
        assert (kept == 1).all()


def test_leaving_out_at_random_agrees_with_another_simulation(ledger: Ledger) -> None:
    results = cohorts_of(ledger).results
    tables = results.tables
    main = tables.measured("patient_rating").dropna()
    sizes = tables.paired("patient_rating", "m12", restricted=True)["n"]
    rng, same = np.random.default_rng(3), []
    for cohort, own in (main["m12"] - main["baseline"]).groupby("cohort"):
        for _ in range(5):
            part = rng.choice(own.to_numpy(), int(sizes.loc[cohort]), replace=False)
            same.append(stats.ttest_1samp(part, 0).pvalue < 0.05)
    found = sensitivity_results.kept_at_random(results, "patient_rating", "m12").mean()
    assert found == pytest.approx(np.mean(same), abs=0.05)
    assert 0.6 < found < 0.97


def test_rubs_by_listing_every_possibility(ledger: Ledger) -> None:
    """Ten patients, each within the tight window or not, resolved, continued or unknown."""
    tight_resolved, old_resolved = set(), set()
    for resolved, continued, unknown in itertools.product(range(8), range(3), range(2)):
        if resolved + continued + unknown == 6 and continued == 1:
            tight_resolved.add(resolved)
            old_resolved.add(7 - resolved)
    text = " ".join(sensitivity_results.rubs_in_words(ledger))
    assert f"{min(tight_resolved)} to {max(tight_resolved)} resolved" in text
    assert f"{min(old_resolved)} to {max(old_resolved)} count as resolved" in text


def test_changes_of_one_grade_behind_the_tight_p() -> None:
    expected = [
        (better, worse)
        for total in range(1, 31)
        for worse in range(total // 2 + 1)
        for better in [total - worse]
        if f"{2 * stats.norm.sf((better - worse) / total**0.5):.2f}" == "0.08"
    ]
    found = severity_results.changes_of_one_grade(PrintedNumber("0.08"), 30, RoundingRule.EITHER)
    assert found == expected == [(3, 0), (9, 3), (18, 9)]


# Both notebooks, cell by cell


class Executed:
    """A notebook's outputs, its code cells run one after the other in this process."""

    def __init__(self, name: str, **parameters: object) -> None:
        path = ROOT / "notebooks" / f"{name}.ipynb"
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        self.html: list[str] = []
        self.prose: list[str] = []
        self.figures = 0
        space: dict[str, Any] = {}
        for cell in cells:
            if cell["cell_type"] != "code":
                continue
            self._run("".join(cell["source"]), space)
            if "parameters" in cell["metadata"].get("tags", []):
                space.update(parameters)

    def _run(self, source: str, space: dict[str, Any]) -> None:
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), space)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), "cell", "eval"), space)
            if hasattr(shown, "_repr_html_") and shown._repr_html_():
                self.html.append(shown._repr_html_())
            else:
                self.prose.append(shown.data)
        if isinstance(space.get("figure"), Figure):
            self.figures += 1
            plt.close(space.pop("figure"))


def planned(name: str) -> list[str]:
    plan = pd.read_csv(ROOT / "data" / "published" / "plan.csv")
    return list(plan[plan["notebook"] == name]["id"])


@pytest.fixture(scope="module")
def own_cohort(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One cohort of an ensemble, as a user would bring it."""
    folder = ROOT / "data" / "cohorts" / "flat"
    patients, visits = (
        pd.read_parquet(folder / f"{name}.parquet", filters=[("cohort", "==", 5)])
        for name in ("patients", "visits")
    )
    patients = patients.drop(columns=["cohort", "chain"])
    visits = visits.drop(columns="cohort").astype({"patient": str, "measure": str})
    target = tmp_path_factory.mktemp("cohorts") / "own"
    write_cohort(Cohort(patients, visits), target)
    return str(target)


@pytest.mark.parametrize("name", ["results_function", "sensitivity"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"prior": "flat"},
        {"cohort_folder": "own"},
        {"prior": "gaussian", "organ_baseline_window": 6, "visit_rule": "last", "alpha": 0.1},
    ],
    ids=["as published", "own cohort", "other choices"],
)
def test_notebooks(name: str, parameters: dict[str, object], own_cohort: str) -> None:
    if "cohort_folder" in parameters:
        parameters = {"cohort_folder": own_cohort}
    done = Executed(name, **parameters)
    ids = Counter(re.findall(r'<tr id="([^"]+)"', "".join(done.html)))
    assert ids == Counter(planned(name))
    assert done.figures >= 3
    assert len(done.prose) >= 5
    for text in done.prose:
        assert not re.search(r"nan|None|\{|\}| {2}| [.,;:]|\.\.|\(\)", text), text
    together = " ".join([*done.prose, *done.html])
    if "cohort_folder" in parameters:
        assert "ynthetic" not in together
        assert "calibrated: the" not in together
    else:
        assert "ynthetic" in together
    made = "were made to print the article's figures under its own windows"
    assert (made in together) is ("visit_rule" in parameters)
