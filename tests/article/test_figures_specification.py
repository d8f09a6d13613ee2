"""Figures of specifications draw what their table holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from rederive.book.specification import Specifications
from rederive.sweep.curve import specification_curve


def dots(figure: Figure) -> np.ndarray:
    return np.asarray(figure.axes[0].collections[-1].get_offsets())


@pytest.fixture
def table() -> Specifications:
    """As from a sweep: few specifications, plain decisions, no range, gaps, other names."""
    frame = pd.DataFrame(
        {
            "alpha": [0.01, 0.05, 0.1, 0.01, 0.05],
            "my_rule": ["a", "a", "a", "b", "b"],
            "value": [1.0, 2.0, 3.0, 0.5, np.nan],
            "decision": [1, 0, 1, 0, 1],
        }
    )
    return Specifications.of(frame, ["alpha", "my_rule"])


def test_the_curve_has_every_specification_in_order(table: Specifications) -> None:
    figure = specification_curve(table, "Own", published=2.0)
    assert dots(figure)[:, 1].tolist() == [0.5, 1.0, 2.0, 3.0]
    assert [text.get_text() for text in figure.axes[1].texts] == ["alpha", "my rule"]
    assert figure.axes[0].lines[0].get_ydata()[0] == 2.0


def test_only_some_specifications_are_kept(table: Specifications) -> None:
    kept = table.only(pd.DataFrame({"my_rule": ["b"], "unknown": [1]}))
    assert kept.frame["my_rule"].unique().tolist() == ["b"]
