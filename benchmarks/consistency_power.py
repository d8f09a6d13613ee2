"""Power and false alarms of the consistency checks, beside other packages.

Run by hand from the root of the project: ``python benchmarks/consistency_power.py``. Other packages
(``grim``, ``pysprite``, ``statcheck``) take part where they are installed; the others are named as
absent. The tables are Markdown; with the same seed and packages they are the same on every run,
apart from the times.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import platform
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import numpy as np

from rederive.consistency import Classification, check_statistic, debit, grim, grimmer, p_values
from rederive.printed import PrintedNumber, RoundingRule, format_fixed
from rederive.recompute import percent_to_count

# Honest summaries are those of the tests.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from honest_summaries import Moments, value_figures

HONEST_RULES = (RoundingRule.HALF_UP, RoundingRule.HALF_EVEN, RoundingRule.TRUNCATE)
Case = TypeVar("Case")

PEERS = ("grim", "pysprite", "statcheck")
SPRITE_STEPS = 2_000
LINES: list[str] = []

EXPLANATION = """

A check without a known rule allows rounding with halves to either side. It does not allow
truncation: that column shows what an assumption about the rule costs, and the row "rounded or
truncated" what dropping the assumption costs. Corrupted data are printed half-up. A corrupted
figure is often still possible, so no sound check reaches 100 per cent; ours are exact, so with the
rule known no sound check finds more. Higher rates of other packages come with false alarms.
"""


@dataclass(frozen=True)
class Summary:
    """Mean, SD and n as printed, with what a check may know of the scale."""

    mean: PrintedNumber
    sd: PrintedNumber
    n: int
    low: int
    high: int
    rule: RoundingRule


@dataclass(frozen=True)
class Test:
    """A printed statistic with its p value."""

    kind: str
    statistic: PrintedNumber
    df: tuple[PrintedNumber, ...]
    p: PrintedNumber
    rule: RoundingRule


@dataclass(frozen=True)
class Percentage:
    """A printed count with its percentage."""

    percent: PrintedNumber
    n: int
    count: int
    rule: RoundingRule


def emit(line: str) -> None:
    """Print a line and keep it for the file."""
    print(line, flush=True)
    LINES.append(line)


def find_peer(name: str) -> ModuleType | None:
    """Import a peer package, ``None`` if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def summaries(rng: np.random.Generator, size: int, rule: RoundingRule) -> Iterator[Summary]:
    """Simulate honest summaries of scores: scales 1..7, 0..10 and 0..51, 2 decimals."""
    for index in range(size):
        low, high = ((1, 7), (0, 10), (0, 51))[index % 3]
        n = int(rng.integers(8, 61))
        centre, width = rng.uniform(low, high), rng.uniform(0.5, (high - low) / 4)
        values = np.clip(np.rint(rng.normal(centre, width, n)), low, high).astype(int)
        moments = Moments.of(values.tolist())
        yield Summary(
            moments.mean_figures(2, rule)[0], moments.sd_figures(2, rule)[0], n, low, high, rule
        )


def binary_summaries(rng: np.random.Generator, size: int, rule: RoundingRule) -> Iterator[Summary]:
    """Simulate honest summaries of binary data, 2 decimals."""
    for _ in range(size):
        n = int(rng.integers(8, 200))
        ones = int(rng.integers(0, n + 1))
        moments = Moments(n, ones, ones)
        yield Summary(
            moments.mean_figures(2, rule)[0], moments.sd_figures(2, rule)[0], n, 0, 1, rule
        )


def percentages(rng: np.random.Generator, size: int, rule: RoundingRule) -> Iterator[Percentage]:
    """Simulate honest counts with percentages, 1 decimal."""
    for _ in range(size):
        n = int(rng.integers(5, 100))
        count = int(rng.integers(0, n + 1))
        yield Percentage(value_figures(Fraction(100 * count, n), 1, rule)[0], n, count, rule)


def draw_statistic(kind: str, df: list[int], rng: np.random.Generator) -> float:
    """Draw a test statistic whose p values are spread over 0 to 1."""
    if kind == "F":
        return float(rng.exponential(2.5))
    if kind == "chi2":
        return float(1.2 * rng.chisquare(df[0]))
    return float(rng.uniform(-0.6, 0.6) if kind == "r" else rng.normal(0, 2))


def tests(rng: np.random.Generator, size: int, rule: RoundingRule) -> Iterator[Test]:
    """Simulate honest test results: t, F, chi-square, z and r with 2 decimals, p with 3."""
    kinds = ("t", "F", "chi2", "z", "r")
    for index in range(size):
        kind = kinds[index % 5]
        df = [int(d) for d in rng.integers(2, 90, {"z": 0, "F": 2}.get(kind, 1))]
        value = draw_statistic(kind, df, rng)
        p = float(p_values(kind, np.asarray(abs(value)), *(np.asarray(float(d)) for d in df)))
        yield Test(
            kind,
            value_figures(Fraction(value), 2, rule)[0],
            tuple(PrintedNumber(str(d)) for d in df),
            value_figures(Fraction(p), 3, rule)[0],
            rule,
        )


def swap_digits(figure: PrintedNumber, rng: np.random.Generator) -> PrintedNumber:
    """Exchange two neighbouring, different digits; change the last one if there are none."""
    text = figure.text
    digits = [i for i, char in enumerate(text) if char.isdigit()]
    pairs = [(a, b) for a, b in pairwise(digits) if text[a] != text[b]]
    if not pairs:
        return alter_digit(figure, rng)
    a, b = pairs[int(rng.integers(len(pairs)))]
    chars = list(text)
    chars[a], chars[b] = chars[b], chars[a]
    return replace(figure, text="".join(chars))


def alter_digit(figure: PrintedNumber, rng: np.random.Generator) -> PrintedNumber:
    """Replace the last digit by another one."""
    last = (int(figure.text[-1]) + int(rng.integers(1, 10))) % 10
    return replace(figure, text=figure.text[:-1] + str(last))


def wrong_n(n: int, rng: np.random.Generator) -> int:
    """Return another number of observations, off by one to three."""
    return n + int(rng.choice([-3, -2, -1, 1, 2, 3]))


def standard_error(case: Summary) -> PrintedNumber:
    """Return the standard error as printed, to stand where the SD belongs."""
    return PrintedNumber(f"{float(case.sd.value) / case.n**0.5:.{case.sd.decimals}f}")


def tail(case: Test, parts: int) -> PrintedNumber:
    """Return half of p, as of one tail (parts 2), or the rest of it, as of the wrong one (-1)."""
    value = case.p.value / 2 if parts == 2 else 1 - case.p.value
    return PrintedNumber(format_fixed(value, case.p.decimals))


def ours_grim(case: Summary) -> bool:
    """Return whether GRIM raises an alarm, the rounding rule unknown."""
    return not grim(case.mean, case.n, minimum=case.low, maximum=case.high).inside


def ours_grimmer(case: Summary) -> bool:
    """Return whether GRIMMER raises an alarm, the rounding rule unknown."""
    return not grimmer(case.mean, case.sd, case.n, minimum=case.low, maximum=case.high).inside


def ours_any_rule(case: Summary) -> bool:
    """Return whether GRIMMER raises an alarm under rounding and under truncation."""
    return ours_grimmer(case) and with_rule(replace(case, rule=RoundingRule.TRUNCATE))


def with_rule(case: Summary) -> bool:
    """Return whether GRIMMER raises an alarm when the rounding rule is known."""
    return not grimmer(
        case.mean, case.sd, case.n, minimum=case.low, maximum=case.high, rule=case.rule
    ).inside


def peer_checks(peers: dict[str, ModuleType | None]) -> dict[str, Callable[[Summary], bool]]:
    """Return the peers' alarms on a mean, or on a mean with its SD."""
    checks: dict[str, Callable[[Summary], bool]] = {}
    if peers["grim"] is not None:
        tester = importlib.import_module("grim.mean_tester")
        checks["grim: GRIM"] = lambda case: (
            not tester.consistency_check(case.mean.text, str(case.n))
        )
    sprite = peers["pysprite"]
    if sprite is not None:
        checks["pysprite: GRIM"] = lambda case: not sprite.grim(case.n, float(case.mean.text), 2)

        def no_distribution(case: Summary) -> bool:
            np.random.seed(1)
            random.seed(1)
            try:
                search = sprite.Sprite(
                    case.n, float(case.mean.text), float(case.sd.text), 2, 2, case.low, case.high
                )
                found: str = search.find_possible_distribution(max_iter=SPRITE_STEPS)[0]
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:
                # The peer gives up with a bare BaseException.
                return True
            return found != "Success"

        checks["pysprite: SPRITE"] = no_distribution
    return checks


def peer_statcheck(case: Test) -> bool:
    """Return whether the package statcheck calls a result an error."""
    error_test = importlib.import_module("statcheck.error_test").error_test
    df = [float(figure.value) for figure in case.df]
    first = df[0] if case.kind in ("F", "chi2") else None
    second = df[-1] if case.kind in ("t", "F", "r") else None
    return bool(
        error_test(
            reported_p=float(case.p.text),
            test_type={"chi2": "Chi2", "z": "Z"}.get(case.kind, case.kind),
            test_stat=float(case.statistic.text),
            df1=first,
            df2=second,
            p_comparison="=",
            test_comparison="=",
            p_dec=3,
            test_dec=2,
            two_tailed=True,
            alpha=0.05,
            pZeroError=False,
        )
    )


def ours_statcheck(case: Test) -> bool:
    """Return whether the p value is called anything but consistent, the rule unknown."""
    check = check_statistic(case.kind, case.statistic, case.df, case.p)
    return check.classification is not Classification.CONSISTENT


def statcheck_with_rule(case: Test) -> bool:
    """Return the same with the rounding rule known."""
    check = check_statistic(case.kind, case.statistic, case.df, case.p, rule=case.rule)
    return check.classification is not Classification.CONSISTENT


def table(
    title: str,
    columns: dict[str, list[Case]],
    checks: dict[str, Callable[[Case], bool]],
    limits: dict[str, int],
) -> None:
    """Print one table of alarm rates: a row for each check, a column for each set of cases."""
    size = len(next(iter(columns.values())))
    emit(f"\n### {title}\n\nAlarms in per cent of {size} cases per column.\n")
    emit("| check | " + " | ".join(columns) + " | ms per case |")
    emit("|---|" + "---:|" * (len(columns) + 1))
    for name, alarm in checks.items():
        cells, spent, done = [], 0.0, 0
        for cases in columns.values():
            used = cases[: limits.get(name, size)]
            start = time.perf_counter()
            rate = 100 * sum(alarm(case) for case in used) / len(used)
            spent += time.perf_counter() - start
            done += len(used)
            cells.append(f"{rate:.1f}")
        label = name if name not in limits else f"{name} (first {limits[name]})"
        emit(f"| {label} | " + " | ".join(cells) + f" | {1000 * spent / done:.2f} |")


def main() -> None:
    """Run all comparisons and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=3000, help="cases per column (default 3000)")
    parser.add_argument("--sprite-cases", type=int, default=90, help="cases for SPRITE")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    peers = {name: find_peer(name) for name in PEERS}
    emit("# Consistency checks: false alarms and power\n")
    emit("`python benchmarks/consistency_power.py`" + EXPLANATION)
    emit(f"- Python {platform.python_version()} on {platform.machine()}, seed {options.seed}")
    for name, module in peers.items():
        state = importlib.metadata.version(name) if module is not None else "absent"
        emit(f"- {name}: {state}")

    def column(
        make: Callable[[np.random.Generator, int, RoundingRule], Iterator[Case]],
        corrupt: Callable[[Case, np.random.Generator], Case],
    ) -> list[Case]:
        rng = np.random.default_rng(options.seed)
        honest = list(make(rng, options.cases, RoundingRule.HALF_UP))
        return [corrupt(case, rng) for case in honest]

    def honest(
        make: Callable[[np.random.Generator, int, RoundingRule], Iterator[Case]],
    ) -> dict[str, list[Case]]:
        return {
            f"honest, {rule}": list(make(np.random.default_rng(options.seed), options.cases, rule))
            for rule in HONEST_RULES
        }

    scores = {
        **honest(summaries),
        "mean: digits swapped": column(
            summaries, lambda case, rng: replace(case, mean=swap_digits(case.mean, rng))
        ),
        "SD: last digit altered": column(
            summaries, lambda case, rng: replace(case, sd=alter_digit(case.sd, rng))
        ),
        "SE for SD": column(summaries, lambda case, _: replace(case, sd=standard_error(case))),
        "n off by 1 to 3": column(
            summaries, lambda case, rng: replace(case, n=wrong_n(case.n, rng))
        ),
    }
    table(
        "Mean, SD and n of integer scores",
        scores,
        {
            "ours: GRIM": ours_grim,
            "ours: GRIMMER": ours_grimmer,
            "ours: GRIMMER, rounded or truncated": ours_any_rule,
            "ours: GRIMMER, rule known": with_rule,
            **peer_checks(peers),
        },
        {"pysprite: SPRITE": options.sprite_cases} if peers["pysprite"] is not None else {},
    )
    table(
        "Mean, SD and n of binary data",
        {
            **honest(binary_summaries),
            "SD: last digit altered": column(
                binary_summaries, lambda case, rng: replace(case, sd=alter_digit(case.sd, rng))
            ),
            "n off by 1 to 3": column(
                binary_summaries, lambda case, rng: replace(case, n=wrong_n(case.n, rng))
            ),
        },
        {
            "ours: DEBIT": lambda case: not debit(case.mean, case.sd, case.n).inside,
            "ours: DEBIT, rule known": lambda case: (
                not debit(case.mean, case.sd, case.n, case.rule).inside
            ),
        },
        {},
    )
    table(
        "Counts with percentages",
        {
            **honest(percentages),
            "percentage: digits swapped": column(
                percentages,
                lambda case, rng: replace(case, percent=swap_digits(case.percent, rng)),
            ),
            "n off by 1 to 3": column(
                percentages, lambda case, rng: replace(case, n=wrong_n(case.n, rng))
            ),
        },
        {
            "ours: n alone": lambda case: not percent_to_count(case.percent, case.n).inside,
            "ours: with the count": lambda case: (
                case.count > case.n
                or not percent_to_count(case.percent, case.n, PrintedNumber(str(case.count))).inside
            ),
        },
        {},
    )
    statistics: dict[str, Callable[[Test], bool]] = {
        "ours": ours_statcheck,
        "ours, rule known": statcheck_with_rule,
    }
    if peers["statcheck"] is not None:
        statistics["statcheck"] = peer_statcheck
    table(
        "Test statistic, df and p",
        {
            **honest(tests),
            "p: last digit altered": column(
                tests, lambda case, rng: replace(case, p=possible(case.p, 1, rng))
            ),
            "statistic: digits swapped": column(
                tests, lambda case, rng: replace(case, statistic=swapped_statistic(case, rng))
            ),
            "one tail of two": column(tests, lambda case, _: replace(case, p=tail(case, 2))),
            "wrong tail": column(tests, lambda case, _: replace(case, p=tail(case, -1))),
        },
        statistics,
        {},
    )
    if None in peers.values():
        print("Not written: a table without all peers would replace one with them.")
        return
    target = Path(__file__).with_suffix(".md")
    draft = target.with_suffix(".md.tmp")
    draft.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    draft.replace(target)


def possible(figure: PrintedNumber, most: int, rng: np.random.Generator) -> PrintedNumber:
    """Alter the last digit without leaving the possible values."""
    altered = alter_digit(figure, rng)
    if abs(altered.value) <= most:
        return altered
    inside = most - int(rng.integers(1, 10)) * figure.unit
    return PrintedNumber(format_fixed(inside if figure.value > 0 else -inside, figure.decimals))


def swapped_statistic(case: Test, rng: np.random.Generator) -> PrintedNumber:
    """Swap digits of a statistic; a correlation stays within -0.99 to 0.99."""
    swapped = swap_digits(case.statistic, rng)
    if case.kind == "r" and abs(swapped.value) > Fraction(99, 100):
        return possible(case.statistic, 1, rng)
    return swapped


if __name__ == "__main__":
    main()
