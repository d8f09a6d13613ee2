"""The examples in docstrings of what notebooks import are run, and no public name lacks one."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import rederive

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["rederive", "ivig_dcssc"])
def test_examples_give_what_they_say(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testmod(import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", rederive.__all__)
def test_every_public_name_is_there_and_has_an_example(name: str) -> None:
    assert getattr(rederive, name) is not None
    examples = doctest.DocTestParser().get_examples(rederive.__doc__ or "")
    assert any(f"{name}(" in each.source or f"{name}." in each.source for each in examples)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'rederive' has no attribute 'grimm'"):
        rederive.grimm  # noqa: B018
