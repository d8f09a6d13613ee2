"""Every public function shows an example, and every example runs."""

from __future__ import annotations

import doctest
import inspect

import pytest

import rederive.recompute
from rederive.printed import number, parse

FUNCTIONS = [
    *(getattr(rederive.recompute, name) for name in rederive.recompute.__all__),
    *(number.parse, number.parse_range, number.parse_with_spread, number.plain),
]
NAMES = vars(rederive.recompute) | vars(number) | {"parse": parse}


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
