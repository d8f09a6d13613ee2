"""The least significant signed-rank test that sums of changes and a count of falls leave.

By Stata's convention z is T / sqrt(V): T the sum of the signed mid-ranks, V that of their squares,
over the changes that are not 0. Both are sums over the distances from 0, so a dynamic programme
finds the greatest g = T + bV of all changes with given sums and falls, for one slope b > 0. Where g
is below 0, all of them have T <= g - bV, hence |z| >= b sqrt(V) - g / sqrt(V) >= 2 sqrt(-bg). The
best slope is that of the changes found so far: |T| / 2V.

Changes as far from 0 as a counted fall, or farther, are placed from the farthest inwards, since
their ranks follow from how many lie beyond; the others from 0 outwards, by how many lie within.

Run as a script it works out the bounds of the article anew, from the changes that are kept beside
them, in ten seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from ivig_dcssc.generator.skin import skin_block
from ivig_dcssc.parameters import READINGS
from ivig_dcssc.project import project_root
from rederive.printed.registry import load_registry
from rederive.reconstruct.block import boxes_of
from rederive.reconstruct.block.kernel import Integers
from rederive.reconstruct.bounds.moments import meetings_of
from rederive.reconstruct.bounds.quantities import Part

Tables = npt.NDArray[np.int16]

KEPT = project_root() / "data" / "cohorts" / "signed_rank.csv"
"""Bounds by month, and changes that reach them."""

LEAST, HIGHEST = 5, 51
"""Least fall of a responder, and the greatest change of a skin score."""

_NONE = -32768
"""Stands for no changes with such sums."""


def greatest_signed_rank_p(
    found: Iterable[int], pairs: Iterable[tuple[int, int]], least: int, highest: int
) -> float:
    """Return a p of Stata's signed-rank test that no changes with given sums exceed.

    Parameters
    ----------
    found : iterable of int
        Changes in steps, as little significant as could be found; more falls than rises. Their
        number, and how many of them fall by ``least`` or more, are those of all changes meant.
    pairs : iterable of (int, int)
        Sums and sums of squares that the changes may have.
    least : int
        Least fall that is counted, in steps, 1 or more.
    highest : int
        Greatest distance of a change from 0.

    Examples
    --------
    >>> round(greatest_signed_rank_p([-5, -5, -5, -1, 2], [(-14, 80)], 5, 10), 3)
    0.131
    """
    changes, sums = np.array(list(found)), np.array(list(pairs), np.int64)
    n, falls = len(changes), int((changes <= -least).sum())
    ranks = stats.rankdata(np.abs(changes)) * np.sign(changes)
    slope = abs(ranks.sum()) / (2 * (ranks**2).sum())
    # In whole numbers rounded upwards, as fine as the memory of two bytes allows.
    unit = 32_000 / (n * (n + 1) / 2 + slope * n * (n + 1) * (2 * n + 1) / 6)
    top = min(highest, math.isqrt(int(sums[:, 1].max())))
    far = _far(n, falls, least, top, sums, slope, unit)
    greatest = _joined(far, _near(n - falls, least - 1, slope, unit), sums, least - 1) / unit
    return float(2 * stats.norm.sf(2 * math.sqrt(slope * max(0.0, -greatest))))


@numba.njit(cache=True)
def _gain(falls: int, rises: int, within: int, slope: float, unit: float) -> int:
    """Return what changes at one distance add to g, with so many changes nearer to 0."""
    tied = falls + rises
    rank = within + (tied + 1) / 2
    return int(np.ceil(unit * ((rises - falls) * rank + slope * tied * rank * rank)))


@numba.njit(cache=True)
def _far(
    n: int, falls: int, least: int, top: int, sums: Integers, slope: float, unit: float
) -> Tables:
    """Return the greatest g by rises and falls of ``least`` or more, sum, and half the squares."""
    most, first, last = sums[:, 1].max(), sums[:, 0].min(), sums[:, 0].max()
    edge = int(np.sqrt(n * most)) + 1
    best = np.full((n - falls + 1, falls + 1, 2 * edge + 1, most // 2 + 1), _NONE, np.int16)
    best[0, 0, edge, 0] = 0
    for size in range(top, least - 1, -1):
        fit, beyond = min(n, most // size**2), (size + 1) ** 2
        # What is read has fewer changes than what is written, and is written later.
        for up in range(min(n - falls, fit), -1, -1):
            for down in range(min(falls, fit - up), -1, -1):
                left = n - up - down
                for new in range(1, (up + 1) * (down + 1)):
                    rises, drops = new % (up + 1), new // (up + 1)
                    placed, step = up + down - rises - drops, (rises - drops) * size
                    squares = (rises + drops) * size**2
                    gain = _gain(drops, rises, left, slope, unit)
                    reach = edge - abs(step) if placed else 0
                    for total in range(-reach, reach + 1):
                        # The changes still to come have to make up what is missing to the sums.
                        gap = max(0, total + step - last, first - total - step)
                        if gap and not left:
                            continue
                        high = most - squares - (gap * gap // left if left else 0)
                        low = max(placed * beyond, total * total // placed) if placed else 0
                        source = best[up - rises, down - drops, total + edge]
                        goal = best[up, down, total + step + edge]
                        for q in range(low + ((low - total) & 1), high + 1 if placed else 1, 2):
                            if source[q >> 1] != _NONE:
                                at = (q + squares) >> 1
                                goal[at] = max(goal[at], source[q >> 1] + gain)
    return best


@numba.njit(cache=True)
def _near(n: int, top: int, slope: float, unit: float) -> Tables:
    """Return the greatest g of up to ``n`` changes up to ``top``, by sum and sum of squares."""
    edge = n * top
    best = np.full((n + 1, 2 * edge + 1, edge * top + 1), _NONE, np.int16)
    best[:, edge, 0] = 0
    for size in range(1, top + 1):
        for k in range(n, 0, -1):
            for tied in range(1, k + 1):
                for falls in range(tied + 1):
                    before, step = k - tied, (tied - 2 * falls) * size
                    gain = _gain(falls, tied - falls, before, slope, unit)
                    reach = before * (size - 1)
                    for total in range(-reach, reach + 1):
                        for q in range(reach * (size - 1) + 1):
                            if best[before, total + edge, q] != _NONE:
                                at = k, total + step + edge, q + tied * size**2
                                best[at] = max(best[at], best[before, total + edge, q] + gain)
    return best


@numba.njit(cache=True)
def _joined(far: Tables, near: Tables, sums: Integers, top: int) -> int:
    """Return the greatest g of all changes with one of the pairs of sums."""
    greatest, falls = 2 * _NONE, far.shape[1] - 1
    edge, near_edge = far.shape[2] // 2, near.shape[1] // 2
    for pair in range(len(sums)):
        for up in range(far.shape[0]):
            k = near.shape[0] - 1 - up
            for total in range(-k * top, k * top + 1):
                rest = sums[pair, 0] - total
                for q in range(min(k * top * top, sums[pair, 1]) + 1):
                    inner = near[k, total + near_edge, q]
                    if abs(rest) > edge or inner == _NONE or (sums[pair, 1] - q - rest) & 1:
                        continue
                    outer = far[up, falls, rest + edge, (sums[pair, 1] - q) >> 1]
                    if outer != _NONE:
                        greatest = max(greatest, int(inner) + int(outer))
    return greatest


def pairs_of(month: str) -> tuple[set[tuple[int, int]], int]:
    """Return all sums and sums of squares that the article leaves, and its responders."""
    block = skin_block(load_registry(project_root() / "data" / "published"), READINGS[0])
    meeting = meetings_of(block, boxes_of(block))[block.index(month)]
    (count,) = {c[2:] for c in meeting.columns[Part.CHANGE].counts}
    assert count[0] == count[1]
    squares = meeting.squares[Part.CHANGE].items()
    return {(s, q) for s, (low, high) in squares for q in range(low, high + 1, 2)}, count[0]


def bound_of(month: str, changes: str) -> float:
    """Return the p that no changes of the article's patients exceed, from changes near to it."""
    return greatest_signed_rank_p(map(int, changes.split()), pairs_of(month)[0], LEAST, HIGHEST)


if __name__ == "__main__":
    kept = pd.read_csv(KEPT)
    bounds = [bound_of(str(row.month), str(row.changes)) for row in kept.itertuples()]
    kept.assign(p_at_most=np.ceil(np.array(bounds) * 1e7) / 1e7).to_csv(KEPT, index=False)
