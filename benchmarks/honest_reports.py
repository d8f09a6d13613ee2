"""Honest reports end to end, over all checks: none may be called different.

    python benchmarks/honest_reports.py [reports]

Data are drawn, analysed with NumPy, SciPy and textbook formulas, and the figures printed as one of
several packages would: halves up, halves to even, as Python formats a float, or digits cut off.
What the report states (test, sides, rounding where digits are cut off) is told to the check; the
second table leaves one habit unsaid and counts how often it is named.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
from scipy import stats

from rederive import consistency
from rederive import recompute as rc
from rederive.consistency import Classification
from rederive.printed import PrintedNumber, RoundingRule, Verdict, parse
from rederive.printed.result import Recomputed
from rederive.recompute.proportions import PROPORTION_TESTS
from rederive.recompute.t_formulas import STUDENT, WELCH
from rederive.recompute.two_by_two import Table2x2

REPORTS = 100_000
STYLES = ("half up", "half even", "Python", "cut off")


class Press:
    """Prints the figures of one report in one style."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.style = str(rng.choice(STYLES))
        self.rule = RoundingRule.TRUNCATE if self.style == "cut off" else RoundingRule.EITHER

    def text(self, value: float, decimals: int) -> str:
        """Return a value as printed. Decimals of 12 digits take the noise of floats off halves."""
        if self.style == "Python":
            return f"{value:.{decimals}f}"
        ways = {"half up": ROUND_HALF_UP, "half even": ROUND_HALF_EVEN, "cut off": ROUND_DOWN}
        figure = Decimal(f"{value:.12f}").quantize(Decimal(1).scaleb(-decimals), ways[self.style])
        return f"{figure:f}"

    def figure(self, value: float, decimals: int | None = None) -> PrintedNumber:
        """Return a value as printed, with one to three decimals if none are given."""
        decimals = int(self.rng.integers(1, 4)) if decimals is None else decimals
        return parse(self.text(value, decimals))

    def p(self, value: float) -> PrintedNumber:
        """Return a p value to three or four decimals, small ones as a limit."""
        decimals = int(self.rng.integers(2, 5))
        if value < 10.0**-decimals:
            return parse(f"<{10.0**-decimals:.{decimals}f}")
        return self.figure(value, decimals)


def scores(rng: np.random.Generator) -> np.ndarray:
    """Return whole-numbered scores of 3 to 60 patients."""
    n, top = int(rng.integers(3, 60)), int(rng.integers(2, 52))
    return rng.binomial(top, rng.uniform(0.1, 0.9), n)


def grim(rng: np.random.Generator, press: Press) -> Recomputed:
    data = scores(rng)
    return consistency.grim(press.figure(data.mean()), len(data), rule=press.rule)


def grimmer(rng: np.random.Generator, press: Press) -> Recomputed:
    data = scores(rng)
    mean, sd = press.figure(data.mean()), press.figure(data.std(ddof=1))
    return consistency.grimmer(mean, sd, len(data), rule=press.rule)


def debit(rng: np.random.Generator, press: Press) -> Recomputed:
    data = rng.integers(0, 2, int(rng.integers(3, 80)))
    mean, sd = press.figure(data.mean()), press.figure(data.std(ddof=1))
    return consistency.debit(mean, sd, len(data), rule=press.rule)


def share(rng: np.random.Generator, press: Press) -> Recomputed:
    n = int(rng.integers(1, 300))
    percent = parse(press.text(100 * int(rng.integers(0, n + 1)) / n, 1) + "%")
    if rng.random() < 0.5:
        return consistency.grim(percent, n, rule=press.rule)
    return rc.percent_to_count(percent, n, rule=press.rule)


def limits(rng: np.random.Generator, press: Press) -> Recomputed:
    data = scores(rng)
    mean, sd = press.figure(data.mean()), press.figure(data.std(ddof=1))
    return consistency.sd_limits(mean, sd, len(data), 0, 51, 1, rule=press.rule)


def denominator(rng: np.random.Generator, press: Press) -> Recomputed:
    n = int(rng.integers(5, 200))
    parts = rng.multinomial(n, rng.dirichlet(np.ones(3)))
    percents = [press.figure(100 * k / n, 1) for k in parts]
    return rc.denominator(parse(str(n)), percents, press.rule, must_sum=True)


def paired(rng: np.random.Generator, press: Press) -> Recomputed:
    data = scores(rng) - rng.integers(0, 20)
    while data.std() == 0:
        data = scores(rng) - rng.integers(0, 20)
    p = stats.ttest_1samp(data, 0).pvalue
    scale = rc.Scale(-200, 200) if rng.random() < 0.5 else None
    change = rc.Summary(
        press.figure(data.mean(), 1), press.figure(data.std(ddof=1), 1), len(data), scale
    )
    return rc.paired_t(change, press.p(p), press.rule)


def two_samples(rng: np.random.Generator, press: Press) -> Recomputed:
    groups = [rng.normal(rng.normal(0, 1), rng.uniform(0.5, 3), rng.integers(3, 90)) for _ in "ab"]
    test = (STUDENT, WELCH)[int(rng.integers(2))]
    p = stats.ttest_ind(*groups, equal_var=test is STUDENT).pvalue
    summaries = [
        rc.Summary(press.figure(g.mean()), press.figure(g.std(ddof=1)), len(g)) for g in groups
    ]
    return rc.two_sample_t(*summaries, press.p(p), press.rule, test)


def unstated_size(rng: np.random.Generator, press: Press) -> Recomputed:
    groups = [rng.normal(rng.normal(0, 1), rng.uniform(0.5, 3), rng.integers(5, 40)) for _ in "ab"]
    p = stats.ttest_ind(*groups).pvalue
    first, second = (
        rc.Summary(press.figure(g.mean()), press.figure(g.std(ddof=1)), len(g)) for g in groups
    )
    fewer = second.with_n(second.n + int(rng.integers(0, 20)))
    return rc.two_sample_t_unstated_n(first, fewer, press.p(p), press.rule)


def proportions(rng: np.random.Generator, press: Press) -> Recomputed:
    n1, n2 = (int(n) for n in rng.integers(3, 120, 2))
    k1, k2 = int(rng.integers(0, n1 + 1)), int(rng.integers(0, n2 + 1))
    name = str(rng.choice(list(PROPORTION_TESTS)))
    p = PROPORTION_TESTS[name](k1, n1, k2, n2)
    return rc.two_proportions(
        rc.Share((k1,), n1), rc.Share((k2,), n2), press.p(p), press.rule, name
    )


def statistic(rng: np.random.Generator, press: Press) -> consistency.StatisticCheck:
    kind = str(rng.choice(["t", "F", "chi2", "z", "r"]))
    df, sides = int(rng.integers(2, 150)), kind in ("t", "z", "r") and rng.random() < 0.5
    decimals = int(rng.integers(1, 4))
    if kind == "t":
        value, degrees = rng.standard_t(df), [df]
        tails = stats.t.sf(value, df)
    elif kind == "z":
        value, degrees = rng.normal(0, 2), []
        tails = stats.norm.sf(value)
    elif kind == "r":
        value, degrees = rng.uniform(-0.9, 0.9), [df]
        tails = stats.t.sf(value * np.sqrt(df / (1 - value**2)), df)
    elif kind == "F":
        degrees = [int(rng.integers(1, 9)), df]
        value = stats.f.rvs(*degrees, random_state=rng)
        tails = stats.f.sf(value, *degrees)
    else:
        value, degrees = rng.chisquare(df), [df]
        tails = stats.chi2.sf(value, df)
    two_sided = kind in ("t", "z", "r") and not sides
    p = 2 * min(tails, 1 - tails) if two_sided else tails
    printed = press.figure(value, decimals)
    return consistency.check_statistic(
        kind,
        printed,
        tuple(parse(str(each)) for each in degrees),
        press.p(p),
        one_sided=bool(sides),
        rule=press.rule,
    )


def odds_ratio(rng: np.random.Generator, press: Press) -> Recomputed:
    n1, n2 = (int(n) for n in rng.integers(4, 30, 2))
    a, c = int(rng.integers(0, n1 + 1)), int(rng.integers(0, n2 + 1))
    while not 0 < a + c < n1 + n2:
        a, c = int(rng.integers(0, n1 + 1)), int(rng.integers(0, n2 + 1))
    table = Table2x2(a, n1 - a, c, n2 - c)
    table = table.with_halves if table.separated else table
    *ends, p = table.figures().values()
    figures = rc.PrintedOddsRatio(*(press.figure(end, 2) for end in ends), press.p(p))
    name = str(rng.choice(["odds_ratio", "ci_low", "ci_high", "p"]))
    return rc.odds_ratio_figure(name, figures, n1 + n2, [a + c], [n1], press.rule)


def ratio(rng: np.random.Generator, press: Press) -> Recomputed:
    while True:
        centre, error = rng.normal(0, 1), rng.uniform(0.1, 1.2)
        ends = [float(np.exp(centre + k * stats.norm.ppf(0.975) * error)) for k in (0, -1, 1)]
        printed = [press.figure(end, 2) for end in ends]
        if all(each.value > 0 for each in printed):
            break
    p = press.p(2 * stats.norm.sf(abs(centre) / error))
    name = str(rng.choice(["odds_ratio", "ci_low", "ci_high", "p"]))
    return rc.ratio_and_interval(name, rc.PrintedOddsRatio(*printed, p), press.rule)


CHECKS: dict[str, Callable[..., Recomputed | consistency.StatisticCheck]] = {
    "GRIM": grim,
    "GRIMMER": grimmer,
    "DEBIT": debit,
    "percentage": share,
    "SD limits": limits,
    "denominator": denominator,
    "paired t": paired,
    "two-sample t": two_samples,
    "unstated size": unstated_size,
    "two proportions": proportions,
    "statistic and p": statistic,
    "odds ratio": odds_ratio,
    "ratio and interval": ratio,
}


def honest(reports: int, seed: int = 20261129) -> dict[str, Counter[Verdict]]:
    """Return the verdicts on honest reports, by check; reports are spread evenly over them."""
    found: dict[str, Counter[Verdict]] = {}
    for place, (name, check) in enumerate(CHECKS.items()):
        rng = np.random.default_rng([seed, place])
        found[name] = Counter()
        for _ in range(-(-reports // len(CHECKS))):
            outcome = check(rng, Press(rng))
            if isinstance(outcome, consistency.StatisticCheck):
                wrong = outcome.classification is not Classification.CONSISTENT
                found[name][Verdict.DIFFERS if wrong else Verdict.SAME] += 1
            else:
                found[name][outcome.verdict] += 1
    return found


HABITS = ("one-sided p", "standard error in place of the SD", "SD with divisor n", "rounded up")


def habits(reports: int, seed: int = 5) -> dict[str, Counter[str]]:
    """Return how a paired test is judged that leaves a habit unsaid, by habit."""
    found: dict[str, Counter[str]] = {}
    for place, habit in enumerate(HABITS):
        rng = np.random.default_rng([seed, place])
        found[habit] = Counter()
        for _ in range(reports):
            n = int(rng.integers(8, 60))
            data = rng.normal(rng.normal(0, 0.5), 1, n)
            p, sd = stats.ttest_1samp(data, 0).pvalue, data.std(ddof=1)
            if habit == "one-sided p":
                p /= 2
            elif habit == "standard error in place of the SD":
                sd /= np.sqrt(n)
            elif habit == "SD with divisor n":
                sd = data.std()
            text = f"{p:.3f}"
            if habit == "rounded up":
                text = f"{np.ceil(p * 1000) / 1000:.3f}"
            change = rc.Summary(parse(f"{data.mean():.3f}"), parse(f"{sd:.3f}"), n)
            result = rc.paired_t(change, parse(text))
            named = habit in [each.convention for each in result.possibilities]
            within = result.verdict is not Verdict.DIFFERS
            found[habit]["within rounding" if within else "named" if named else "not named"] += 1
    return found


def main() -> None:
    """Print both tables and keep them beside this file."""
    reports = int(sys.argv[1]) if len(sys.argv) > 1 else REPORTS
    start = time.process_time()
    found = honest(reports)
    columns = [Verdict.SAME, Verdict.WITHIN_ROUNDING, Verdict.NEEDS_CHOICE, Verdict.DIFFERS]
    rows = [
        [name, sum(verdicts.values()), *(verdicts[each] for each in columns)]
        for name, verdicts in found.items()
    ]
    total, differs = (sum(row[place] for row in rows) for place in (1, -1))
    unsaid = ["within rounding", "named", "not named"]
    named = [[habit, *(counts[each] for each in unsaid)] for habit, counts in habits(2_000).items()]
    text = f"""# Honest reports

`python benchmarks/honest_reports.py`

{markdown(["check", "reports", *columns], rows)}

{differs} of {total} honest reports called different.

A paired test whose report leaves one habit unsaid: how often the figures fit all the same, and how
often the habit is named among the possible explanations.

{markdown(["habit unsaid", *unsaid], named)}
"""
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text, f"{time.process_time() - start:.0f} s", sep="\n")


def markdown(heads: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Return a table in Markdown, with figures to the right."""
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    main()
