"""Facts from outside: each has a source, and every scale in use points to one."""

from __future__ import annotations

import csv
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_fact_has_a_source() -> None:
    facts = rows(DATA / "evidence" / "facts.csv")
    assert len({fact["id"] for fact in facts}) == len(facts) > 0
    assert all(fact["source"] and fact["figure"] for fact in facts)


def test_bounded_scales_point_to_a_fact() -> None:
    facts = {fact["id"] for fact in rows(DATA / "evidence" / "facts.csv")}
    bounded = [row for row in rows(DATA / "published" / "variables.csv") if row["maximum"]]
    assert bounded
    assert not [row["variable"] for row in bounded if row["source"] not in facts]
