"""Tables of the article in its own shape: every figure in one cell, every verdict as a word."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from rederive.book.article_table import SHAPES, article_table
from rederive.book.ledger import Ledger
from rederive.printed import PrintedNumber, Verdict
from rederive.printed.registry import load_registry
from rederive.recompute import attainable_denominators
from rederive.recompute.planned import Settings

REGISTRY = load_registry(Path(__file__).resolve().parents[2] / "data" / "published")
LEDGER = Ledger(REGISTRY, Settings(), built=["results_baseline"])


@pytest.mark.parametrize("table", ["table1", "table2"])
def test_every_figure_and_mark_is_in_exactly_one_cell(table: str) -> None:
    shown = Counter(row_id for cell in REGISTRY.tables[table] for row_id in cell.ids)
    assert shown == Counter(row.id for row in REGISTRY if row.section == table)


@pytest.mark.parametrize("table", ["table1", "table2"])
def test_a_row_is_told_once_and_a_column_holds_one_group(table: str) -> None:
    cells = REGISTRY.tables[table]
    assert [cell.row for cell in cells] == sorted(cell.row for cell in cells)
    assert len({(cell.row, cell.column) for cell in cells}) == len(cells)
    assert len({(cell.row, cell.topic, cell.label) for cell in cells}) == cells[-1].row
    for cell in cells:
        inside = len(cell.ids) if not cell.column else 0
        assert inside in (0, cell.label.count("{}"))
        groups = {REGISTRY.row(row_id).group for row_id in cell.ids}
        assert not cell.column or groups == {cell.column}


def test_the_page_links_every_figure() -> None:
    table = article_table(LEDGER, "table1")
    for row_id in table.data.index:
        assert table.markup.count(f'href="../book/ledger.html#{row_id}"') == 1


def test_a_figure_that_is_not_the_same_stands_below_with_shape_and_word() -> None:
    table = article_table(LEDGER, "table1")
    female = table.data.loc["table1-female-relaxin-baseline-percent"]
    assert (female["published"], female["verdict"]) == ("85.2%", "needs an unstated choice")
    assert f"<div>here {female['here']}</div>" in table.markup
    assert f'aria-hidden="true">{SHAPES[Verdict.NEEDS_CHOICE]}</span> <span' in table.markup
    assert ">needs an unstated choice</span>" in table.markup


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(ValueError, match=r"found 'table3', allowed: table1, table2"):
        article_table(LEDGER, "table3")


def suits(percentages: tuple[PrintedNumber, ...], n: int) -> bool:
    """Brute force: is there a count of n for every percentage, adding up if there are several?"""
    choices = [
        [k for k in range(n + 1) if abs(Fraction(100 * k, n) - p.value) <= p.unit / 2]
        for p in percentages
    ]
    if not all(choices):
        return False
    sums = {0}
    for options in choices:
        sums = {total + k for total in sums for k in options}
    return len(percentages) == 1 or n in sums


@pytest.mark.parametrize("group", ["IVIG", "relaxin", "D-pen", "collagen", "MMF"])
@pytest.mark.parametrize("topic", [("female",), ("white", "black", "other-race")])
def test_denominators_equal_brute_force(group: str, topic: tuple[str, ...]) -> None:
    ids = [f"table1-{name}-{group.lower()}-baseline-percent" for name in topic]
    percentages = tuple(REGISTRY.numbers[row_id].printed for row_id in ids)
    size = int(REGISTRY.numbers[f"table1-cohort-size-{group.lower()}-n"].printed.value)
    found = attainable_denominators(percentages, size, must_sum=len(topic) > 1)
    assert list(found) == [n for n in range(1, size + 1) if suits(percentages, n)]
