"""What is worked out fast gives what the plain way gives."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from rederive.printed import PrintedNumber, formats

FIGURES = [PrintedNumber(text) for text in ("-8", "-8.0", "0", "53.3", "0.038", ".04", "0.1")]
FIGURES += [PrintedNumber("0.0001", "<"), PrintedNumber("60", "over"), PrintedNumber("0.05", "≥")]
near_an_end = st.builds(
    lambda figure, ends, noise: float(figure.value) + ends * float(figure.unit) / 2 + noise,
    st.sampled_from(FIGURES),
    st.integers(-3, 3),
    st.sampled_from([0.0, 4e-10, -4e-10, 6e-10, 1e-9, -1e-9, 3e-9, 1e-16]),
)


@given(
    st.sampled_from(FIGURES),
    st.lists(near_an_end | st.floats(-100, 100) | st.just(float("nan")), min_size=1, max_size=40),
)
def test_printing_decides_each_value_as_exact_arithmetic_does(
    figure: PrintedNumber, values: list[float]
) -> None:
    expected = [
        not np.isnan(value) and figure.prints(Fraction(str(round(value, 9)))) for value in values
    ]
    assert list(formats.printing(pd.Series(values), figure)) == expected
