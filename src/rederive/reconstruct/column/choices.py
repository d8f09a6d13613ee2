"""Random choices whose probabilities are known exactly.

Probabilities are floating-point numbers, hence exact dyadic fractions, and a choice is made with
exactly that probability: a 64-bit word decides against the first 64 binary digits, and in the rare
tie further words are drawn. The smaller of two alternatives is always the one whose probability is
computed, so that it keeps its relative accuracy however small it is.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from rederive.reconstruct.column.states import Floats, Integers

Flags = npt.NDArray[np.bool_]

WORD = 2**64

STEP_ERROR = Fraction(1, 2**50)
"""Bound on the relative error of the probability of one choice between two exact numbers."""


def bernoulli(probability: Floats, source: np.random.BitGenerator) -> Flags:
    """Return independent events with exactly these probabilities, each 0 to 1/2."""
    scaled = np.ldexp(probability, 64)
    digits = scaled.astype(np.uint64)
    words: npt.NDArray[np.uint64] = source.random_raw(len(probability))
    happened: Flags = words < digits
    for index in np.flatnonzero(words == digits):
        rest = Fraction(float(scaled[index])) - int(digits[index])
        happened[index] = rest > 0 and below(rest, source)
    return happened


def below(probability: Fraction, source: np.random.BitGenerator, first: int | None = None) -> bool:
    """Return whether a uniform number from 0 to 1, drawn word by word, is below a fraction.

    Its first word may be drawn already.
    """
    while True:
        scaled = probability * WORD
        whole = scaled.numerator // scaled.denominator
        word = int(source.random_raw(1)[0]) if first is None else first
        if word != whole or scaled == whole:
            return word < whole
        probability, first = scaled - whole, None


class Chooser:
    """Makes choices for many samples at once and can follow the probability of some of them.

    ``source`` gives the random words; ``followed`` are the samples whose exact probability is
    wanted.
    """

    def __init__(self, source: np.random.BitGenerator, followed: Integers) -> None:
        self._source = source
        self.probability = {int(row): Fraction(1) for row in followed}
        self._followed = followed

    def second(self, rows: Integers, first: Floats, second: Floats) -> Flags:
        """Choose between two alternatives with probabilities in proportion to their numbers.

        Returns whether the second was chosen in each sample; never one whose number is 0. The two
        numbers are from 0 and not both 0.
        """
        second_is_smaller = second < first
        chance = np.minimum(first, second) / (first + second)
        smaller = bernoulli(chance, self._source)
        if len(self._followed):
            for index in np.flatnonzero(np.isin(rows, self._followed)):
                part = Fraction(float(chance[index]))
                self.probability[int(rows[index])] *= part if smaller[index] else 1 - part
        chosen: Flags = smaller == second_is_smaller
        return chosen

    def among(self, rows: Integers, numbers: Floats) -> tuple[Integers, Floats]:
        """Choose one alternative of several for each sample.

        The alternatives are the leaves of a binary tree whose nodes hold the sum of their branches;
        each choice goes down from the root. ``numbers`` has shape (alternatives, samples), or
        (alternatives, 1) if they are the same for all. Returned are the indices chosen and, shape
        (samples,) or (1,), the numbers at the root.
        """
        levels = [numbers]
        while len(level := levels[-1]) > 1:
            if len(level) % 2:
                level = levels[-1] = np.pad(level, ((0, 1), (0, 0)))
            levels.append(level[0::2] + level[1::2])
        node = np.zeros(len(rows), dtype=np.int64)
        line = np.arange(len(rows)) if numbers.shape[1] > 1 else 0
        for level in reversed(levels[:-1]):
            node *= 2
            node += self.second(rows, level[node, line], level[node + 1, line])
        return node, levels[-1][0]
