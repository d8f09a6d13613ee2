"""Imports point one way: from the article to the engine, and inside it from top to bottom."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "src"
LAYERS = {
    "rederive.printed": 0,
    "rederive.consistency": 1,
    "rederive.execution": 1,
    "rederive.recompute": 1,
    "rederive.reconstruct": 2,
    "rederive.retrospective": 2,
    "rederive.book": 3,
    "rederive.parameters": 3,
    "rederive.site": 4,
    "rederive.sweep": 4,
    "rederive.cli": 5,
    "rederive_teach": 6,
    "rederive_import": 6,
    "ivig_dcssc": 7,
}
TEXTS = {".py", ".js", ".css", ".j2", ".html"}
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
        and not (own >= LAYERS["rederive_teach"] and level == own)
    ]
    assert above == []


WORDS = ("ivig", "relaxin", "mycophenolate", "penicillamine", "poelman", "mrss", "scleroderma")


@pytest.mark.parametrize("package", ["rederive", "rederive_teach"])
def test_engine_and_teaching_know_nothing_of_the_article(package: str) -> None:
    files = [path for path in (SOURCES / package).rglob("*") if path.suffix in TEXTS]
    assert len(files) > 10
    named = {
        f"{path.relative_to(SOURCES)}: {word}"
        for path in files
        for word in re.findall("|".join(WORDS), path.read_text(encoding="utf-8").lower())
    }
    assert named == set()
