"""Imports point one way: from the article to the engine, and inside it from top to bottom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src"
LAYERS = {
    "rederive.printed": 0,
    "rederive.consistency": 1,
    "rederive.recompute": 2,
    "rederive.reconstruct": 3,
    "rederive.retrospective": 3,
    "rederive.book": 4,
    "rederive.execution": 5,
    "rederive.parameters": 6,
    "rederive.site": 7,
    "rederive.sweep": 8,
    "rederive.cli": 9,
    "rederive_teach": 10,
    "rederive_import": 10,
    "ivig_dcssc": 11,
}
MODULES = sorted(path.relative_to(SOURCES) for path in SOURCES.rglob("*.py"))


def layer_of(module: str) -> int | None:
    found = [level for name, level in LAYERS.items() if f"{module}.".startswith(f"{name}.")]
    return found[0] if found else None


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((SOURCES / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_downwards(path: Path) -> None:
    own = layer_of(".".join(path.with_suffix("").parts))
    if own is None:
        return
    above = [
        name
        for name in imported(path)
        if (level := layer_of(name)) is not None
        and (level > own or (level == own and name.split(".")[:2] != list(path.parts[:2])))
        and not (own >= 10 and level == own)
    ]
    assert above == []


def test_the_engine_names_no_drug_of_the_article() -> None:
    words = ("ivig", "relaxin", "mycophenolate", "penicillamine", "poelman", "mrss")
    named = {
        f"{path}: {word}"
        for path in MODULES
        if path.parts[0] == "rederive"
        for word in words
        if word in (SOURCES / path).read_text(encoding="utf-8").lower()
    }
    assert named == set()
