"""Every public function shows an example, and every example runs."""

from __future__ import annotations

import doctest
import inspect

import numpy as np
import pytest

from rederive import consistency, recompute
from rederive.printed import number, parse

FUNCTIONS = [
    *(getattr(package, name) for package in (consistency, recompute) for name in package.__all__),
    *(number.parse, number.parse_range, number.parse_with_spread, number.plain),
]
NAMES = vars(consistency) | vars(recompute) | vars(number) | {"parse": parse, "np": np}


@pytest.mark.parametrize(
    "function", [each for each in FUNCTIONS if inspect.isfunction(each)], ids=lambda f: f.__name__
)
def test_the_example_runs(function: object) -> None:
    tests = doctest.DocTestFinder(recurse=False).find(function, globs=dict(NAMES))
    assert any(test.examples for test in tests)
    runner = doctest.DocTestRunner()
    for test in tests:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
