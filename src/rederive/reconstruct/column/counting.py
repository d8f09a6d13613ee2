"""The exact number of columns that print a summary.

The dynamic programmes run on machine integers modulo several coprime numbers whose product exceeds
what the count can be; the Chinese remainder theorem puts the exact count together.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import gcd

import numpy as np

from rederive.reconstruct.column.states import CentredColumn, empty_column, next_stage
from rederive.reconstruct.column.summary import ColumnSummary, require_reach

WORK_LIMIT = 60_000_000_000
"""Most additions of machine integers that a count may take."""

LAYER_LIMIT = 200_000_000
"""Most states that are held at a time."""

Progress = Callable[[int, int], None]


def count_columns(
    summary: ColumnSummary, ordered: bool = False, progress: Progress | None = None
) -> int:
    """Return how many columns print as the summary; 0 if none does.

    Parameters
    ----------
    summary : ColumnSummary
        The figures and the scale.
    ordered : bool
        Count ordered vectors (the values of n distinguishable persons) instead of multisets.
    progress : callable, optional
        Called with parts of the work done and in all.

    Raises
    ------
    ValueError
        If the count would take more than :data:`WORK_LIMIT` additions or :data:`LAYER_LIMIT`
        states at a time.
    """
    column = CentredColumn.of(summary, ordered)
    if not column.targets:
        return 0
    stages, terms = column.stages, column.width + 1
    moduli = coprime_moduli(2**64 // terms, column.bound)
    # The coarse estimate spares the computation of all boxes where it would be in vain.
    require_reach("additions", terms * column.expected_states() * len(moduli) // 4, WORK_LIMIT)
    boxes = [column.stage_boxes(stage) for stage in range(stages + 1)]
    sizes = [sum(box.size for box in row) for row in boxes]
    require_reach("additions", terms * sum(sizes) * len(moduli), WORK_LIMIT)
    require_reach("states at a time", max(map(sum, pairwise(sizes))), LAYER_LIMIT)
    residues: list[int] = []
    for modulus in moduli:
        layer = empty_column(boxes[0], np.uint64)
        for stage in range(1, stages + 1):
            layer = next_stage(column, stage, layer, boxes[stage], modulus)
            if progress is not None:
                progress(len(residues) * stages + stage, len(moduli) * stages)
        residues.append(sum(map(int, column.numbers(layer))))
    return chinese_remainder(residues, moduli)


def coprime_moduli(limit: int, bound: int) -> list[int]:
    """Return pairwise coprime odd numbers below ``limit`` whose product exceeds ``bound``."""
    moduli: list[int] = []
    product = 1
    candidate = limit - 1 - limit % 2
    while product <= bound:
        if gcd(candidate, product) == 1:
            moduli.append(candidate)
            product *= candidate
        candidate -= 2
    return moduli


def chinese_remainder(residues: list[int], moduli: list[int]) -> int:
    """Return the least number from 0 with these residues modulo pairwise coprime numbers."""
    number, product = 0, 1
    for residue, modulus in zip(residues, moduli, strict=True):
        number += product * ((residue - number) * pow(product, -1, modulus) % modulus)
        product *= modulus
    return number
