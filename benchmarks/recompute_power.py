"""Power of the recomputations to notice a corrupted figure, beside a naive recomputation.

Honest data are simulated and printed; then one figure is moved by some units of its last printed
digit. The engine flags a result where no honest data can have printed the figures: under the
stated test ("stated"), or under every test tried ("any"). The naive check takes the figures as if
they were exact and flags a recomputed p that does not round to the printed one. A move of 0 units
is honest: what is flagged there is a false alarm.

Run by hand, about 25 seconds:

    python benchmarks/recompute_power.py [--data-sets 80] [--seed 1]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from scipy import stats

from rederive.printed import PrintedNumber, Verdict, format_fixed
from rederive.printed.result import Recomputed
from rederive.recompute.odds_ratio import odds_ratio_figure
from rederive.recompute.summaries import Scale, Summary
from rederive.recompute.t_formulas import PAIRED, STUDENT
from rederive.recompute.t_tests import paired_t, two_sample_t
from rederive.recompute.two_by_two import PrintedOddsRatio, Table2x2

MOVES = (0, 1, 2, 5, 10, 20)
P_DECIMALS = 3


@dataclass(frozen=True)
class Trial:
    """What one corrupted (or honest) set of figures led to."""

    stated: bool
    any_test: bool
    naive: bool


def printed(value: float, decimals: int) -> PrintedNumber:
    return PrintedNumber(format_fixed(Fraction(float(value)), decimals))


def moved(figure: PrintedNumber, units: int, sign: int) -> PrintedNumber:
    """Move a figure by units of its last digit, the other way where it would leave the scale."""
    value = figure.value + sign * units * figure.unit
    if value < 0 or (figure.decimals == P_DECIMALS and value > 1):
        value = figure.value - sign * units * figure.unit
    return PrintedNumber(format_fixed(value, figure.decimals))


def judge(result: Recomputed, naive_p: float, p: PrintedNumber) -> Trial:
    return Trial(
        stated=not all(reach.meets for reach in result.stated),
        any_test=result.verdict is Verdict.DIFFERS,
        naive=format_fixed(Fraction(float(naive_p)), p.decimals) != p.text,
    )


def summary_of(values: np.ndarray, scale: Scale | None) -> Summary:
    return Summary(printed(values.mean(), 1), printed(values.std(ddof=1), 1), len(values), scale)


def corrupt(summary: Summary, what: str, units: int, sign: int) -> Summary:
    if what == "mean":
        text = format_fixed(summary.mean.value + sign * units * summary.mean.unit, 1)
        return replace(summary, mean=PrintedNumber(text))
    if what == "SD":
        return replace(summary, sd=moved(summary.sd, units, sign))
    return summary


def two_sample_trial(rng: np.random.Generator, what: str, units: int, scale: Scale | None) -> Trial:
    x = np.rint(rng.normal(-4, 7, 29))
    y = np.rint(rng.normal(rng.uniform(-7, -1), 8, int(rng.integers(30, 150))))
    sign = int(rng.choice([-1, 1]))
    p = printed(stats.ttest_ind(x, y).pvalue, P_DECIMALS)
    first, second = corrupt(summary_of(x, scale), what, units, sign), summary_of(y, None)
    if what == "p":
        p = moved(p, units, sign)
    figures = [float(f.value) for f in (first.mean, first.sd, second.mean, second.sd)]
    naive = STUDENT.at_point(figures[0] - figures[2], figures[1], first.n, figures[3], second.n)
    return judge(two_sample_t(first, second, p), float(naive), p)


def paired_trial(rng: np.random.Generator, what: str, units: int, scale: Scale | None) -> Trial:
    change = np.rint(rng.normal(rng.uniform(-5, 0), 7, 29))
    sign = int(rng.choice([-1, 1]))
    p = printed(stats.ttest_1samp(change, 0).pvalue, P_DECIMALS)
    summary = corrupt(summary_of(change, scale), what, units, sign)
    if what == "p":
        p = moved(p, units, sign)
    naive = PAIRED.at_point(float(summary.mean.value), float(summary.sd.value), summary.n)
    return judge(paired_t(summary, p), float(naive), p)


def odds_ratio_trial(rng: np.random.Generator, what: str, units: int) -> Trial:
    table = Table2x2(*(int(cell) for cell in rng.integers(2, 14, 4)))
    sign = int(rng.choice([-1, 1]))
    a, b, c, d = table.cells
    *ends, p = table.figures().values()
    figures = PrintedOddsRatio(*(printed(end, 2) for end in ends), printed(p, P_DECIMALS))
    name = {"OR": "odds_ratio", "upper limit": "ci_high", "p": "p"}[what]
    figures = replace(figures, **{name: moved(getattr(figures, name), units, sign)})
    assert figures.odds_ratio and figures.ci_low and figures.ci_high and figures.p
    result = odds_ratio_figure("p", figures, a + b + c + d, [a + c], [a + b])
    ends = [float(f.value) for f in (figures.odds_ratio, figures.ci_low, figures.ci_high)]
    if min(ends) <= 0:
        naive = 1.0
    else:
        logs = np.log(ends)
        naive = 2 * stats.norm.sf(abs(logs[0]) * 2 * 1.959964 / (logs[2] - logs[1]))
    return judge(result, float(naive), figures.p)


def cases() -> Iterator[tuple[str, str, Callable[[np.random.Generator, str, int], Trial]]]:
    """Yield the name of a case, the figure moved, and what carries out a trial."""
    changes = Scale(Fraction(-51), Fraction(51))
    for words, scale in (("", None), (", whole scores", changes)):
        for what in ("p", "mean", "SD"):
            yield (
                f"two-sample t{words}",
                what,
                lambda rng, what, units, scale=scale: two_sample_trial(rng, what, units, scale),
            )
        for what in ("p", "mean", "SD"):
            yield (
                f"paired t{words}",
                what,
                lambda rng, what, units, scale=scale: paired_trial(rng, what, units, scale),
            )
    for what in ("p", "OR", "upper limit"):
        yield "2 x 2 table", what, odds_ratio_trial


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-sets", type=int, default=80, help="data sets for each cell")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    head = "".join(f"{units:>8}" for units in MOVES)
    print("Share flagged, in percent, by units of the last digit that a figure was moved")
    print(f"{'test':<28}{'figure':<13}{'check':<8}{head}")
    for number, (test, what, trial) in enumerate(cases()):
        shares: dict[str, list[float]] = {"stated": [], "any": [], "naive": []}
        for units in MOVES:
            rng = np.random.default_rng([options.seed, number, units])
            found = [trial(rng, what, units) for _ in range(options.data_sets)]
            shares["stated"].append(float(np.mean([t.stated for t in found])))
            shares["any"].append(float(np.mean([t.any_test for t in found])))
            shares["naive"].append(float(np.mean([t.naive for t in found])))
        for check, values in shares.items():
            row = "".join(f"{100 * value:>8.1f}" for value in values)
            print(f"{test:<28}{what:<13}{check:<8}{row}")


if __name__ == "__main__":
    main()
