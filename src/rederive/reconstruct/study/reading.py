"""The description of a study: a YAML text becomes a validated study.

Every problem is reported, not only the first. Figures are texts, because trailing zeros count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import yaml

from rederive.printed import Interval, PrintedNumber, RoundingRule
from rederive.printed.schema import TableError, nearest, text_of
from rederive.recompute.signed_rank import CONVENTIONS
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import Block, Component, Figure, Prior, Statistic
from rederive.reconstruct.block.figures import QUARTILES
from rederive.reconstruct.study.comparing import TESTS
from rederive.reconstruct.study.model import Comparison, Measure, Study
from rederive.reconstruct.study.tree import Node, StudyError, parse_tree, problem_of

_CONVENTIONS = {"quartiles": QUARTILES, "signed_rank": tuple(one.name for one in CONVENTIONS)}
_GROUP_KEYS = ("patients", "measures")
_STUDY_KEYS = (
    *("name", "title", "source", "patients", "rounding", *_CONVENTIONS),
    *("timepoints", "measures", "groups", "comparisons"),
)
_COMPARISON_KEYS = ("measures", "at", "of", "threshold", "test", "p")
_COMPARED = {
    "values": Statistic.MEAN,
    "change": Statistic.CHANGE_MEAN,
    **{str(one): one for one in Statistic if one.is_count},
}
_MEASURE_KEYS = ("scale", "unit", "n", "improvement", "figures", "priors")
_SCALE_KEYS = ("minimum", "maximum", "step")
_PRIOR_KEYS = ("weight", "means", "sds", "correlation")
_STATISTICS = tuple(str(statistic) for statistic in Statistic)
_NEEDED = {"q1": "quartiles", "q3": "quartiles", "signed_rank_p": "signed_rank"}
_REMARKS = {
    "ci": "the two ends of a confidence interval of 95 % are ci_low and ci_high",
    "change_ci": "the two ends of a confidence interval of 95 % are change_ci_low, change_ci_high",
    "iqr": "the two quartiles are q1 and q3",
    "patients": "each group has its own",
    "measures": "each group has its own",
    "comparisons": "comparisons are of measures of two groups",
}

_LARGEST = 2**29
"""Largest number of patients times steps of a scale whose sums of squares stay whole numbers."""


def load_study(path: Path) -> Study:
    """Read the description of a study from a YAML file.

    Parameters
    ----------
    path : Path
        UTF-8 file.

    Raises
    ------
    StudyError
        With every problem found.
    """
    try:
        return parse_study(text_of(path), path.name)
    except TableError as error:
        (problem,) = error.problems
        raise StudyError([problem_of(path.name, 1, problem.found, problem.allowed)]) from error


def parse_study(text: str, file: str = "study.yaml") -> Study:
    """Read the description of a study.

    Parameters
    ----------
    text : str
        The description, YAML.
    file : str
        Name for messages.

    Raises
    ------
    StudyError
        With every problem found.
    """
    tree = parse_tree(text, file)
    grouped = isinstance(tree.value, dict) and "groups" in tree.value
    apart = _GROUP_KEYS if grouped else ("comparisons",)
    items = tree.record(
        [key for key in _STUDY_KEYS if key not in apart],
        ("timepoints", "groups") if grouped else ("timepoints", *_GROUP_KEYS),
        _REMARKS,
    )
    rule = RoundingRule.EITHER
    if "rounding" in items:
        rule = RoundingRule(items["rounding"].choice(list(RoundingRule)))
    conventions = {
        key: items[key].choice(names) for key, names in _CONVENTIONS.items() if key in items
    }
    timepoints = _timepoints(items["timepoints"]) if "timepoints" in items else ()
    measures: dict[str, Measure | None] = {}
    for group, own in _groups(items).items():
        patients = own["patients"].whole(1) if "patients" in own else None
        if "measures" in own:
            for name, node in own["measures"].mapping("a mapping with a measure or more").items():
                node.require_name(name, node.key_line)
                whole = f"{group}.{name}" if group else name
                reader = _Reader(whole, group, node, patients, timepoints, rule, conventions)
                measures[whole] = reader.measure()
    compared = items["comparisons"].mapping("a mapping") if "comparisons" in items else {}
    comparisons = [_comparison(name, node, measures) for name, node in compared.items()]
    texts = {key: items[key].text() if key in items else "" for key in ("name", "title", "source")}
    if tree.problems:
        raise StudyError(tree.problems)
    return Study(
        texts["name"] or Path(file).stem,
        texts["title"],
        texts["source"],
        tuple(measure for measure in measures.values() if measure is not None),
        tuple(comparison for comparison in comparisons if comparison is not None),
        yaml.load(text, Loader=yaml.BaseLoader),
    )


def _groups(items: Mapping[str, Node]) -> Mapping[str, Mapping[str, Node]]:
    """Return patients and measures by group; without groups under an empty name."""
    if "groups" not in items:
        return {"": items}
    groups = items["groups"].mapping("a mapping with two groups or more")
    for name, node in groups.items():
        node.require_name(name, node.key_line)
    return {name: node.record(_GROUP_KEYS, _GROUP_KEYS) for name, node in groups.items()}


def _comparison(name: str, node: Node, measures: Mapping[str, Measure | None]) -> Comparison | None:
    """Return a comparison, or ``None`` where something is wrong with it or with a measure."""
    before = len(node.problems)
    node.require_name(name, node.key_line)
    items = node.record(_COMPARISON_KEYS, ("measures", "at", "test", "p"))
    of = _COMPARED[items["of"].choice(list(_COMPARED)) if "of" in items else "values"]
    tests = [each for each, (means, _) in TESTS.items() if means is not None or of.is_count]
    test = items["test"].choice(tests) if "test" in items else ""
    threshold = items["threshold"].exact() if "threshold" in items else None
    printed = items["p"].figure() if "p" in items else None
    pair = items["measures"].items("a list of 2 measures", 2) if "measures" in items else []
    names = [item.choice(list(measures)) for item in pair]
    both = [found for each in names if (found := measures[each]) is not None]
    if len(node.problems) > before or len(both) < 2 or printed is None:
        return None
    one, other = (measure.block for measure in both)
    times = [at for at in one.timepoints if at in other.timepoints]
    if of.family:
        times = [at for at in times if one.index(at) and other.index(at)]
    at = items["at"].choice(times or ["no time point, for the measures have none in common"])
    if both[0].group == both[1].group:
        items["measures"].wrong("measures of two groups", ", ".join(names))
    elif of.is_count != (threshold is not None):
        node.wrong("the key threshold beside responders, at_least and at_most only")
    elif of is Statistic.RESPONDERS and threshold is not None and threshold <= 0:
        items["threshold"].wrong("a change above 0, without a sign")
    elif of is Statistic.RESPONDERS and None in (both[0].rises, both[1].rises):
        node.wrong("the key improvement (fall or rise) of both measures beside responders")
    elif not 0 <= printed.value <= 1:
        items["p"].wrong("a p value from 0 to 1", printed)
    elif at in times and min(block.observed[block.index(at)] for block in (one, other)) < 2:
        items["at"].wrong("a time point with 2 patients or more in both groups")
    return Comparison(name, (names[0], names[1]), of, at, test, printed, threshold)


def _timepoints(node: Node) -> tuple[str, ...]:
    names: list[str] = []
    for item in node.items("a list of time points, the baseline first"):
        name = item.name()
        if name in names:
            item.wrong("different time points", f"{name!r} again")
        names.append(name)
    return tuple(dict.fromkeys(names))


@dataclass(slots=True)
class _Reader:
    """Reads one measure."""

    name: str
    group: str
    node: Node
    patients: int | None
    timepoints: tuple[str, ...]
    rule: RoundingRule
    conventions: Mapping[str, str]
    scale: Scale | None = None
    observed: dict[str, int | None] = field(default_factory=dict)
    rises: bool | None = None

    def measure(self) -> Measure | None:
        """Return the measure, or ``None`` where something is wrong with it."""
        before = len(self.node.problems)
        items = self.node.record(_MEASURE_KEYS, ("scale", "n", "figures"))
        if "improvement" in items:
            self.rises = items["improvement"].choice(("fall", "rise")) == "rise"
        if "scale" in items:
            self.scale = self._scale(items["scale"])
        if "n" in items:
            self.observed = self._observed(items["n"])
        figures = list(self._figures(items["figures"])) if "figures" in items else []
        priors = list(self._priors(items["priors"])) if "priors" in items else []
        if "unit" in items:
            items["unit"].text()
        numbers = tuple(n for n in self.observed.values() if n is not None)
        if len(self.node.problems) > before or not numbers or len(numbers) < len(self.observed):
            return None
        if self.scale is None or self.patients is None:
            return None
        times = tuple(self.observed)
        given = self.scale, self.patients, times, numbers, tuple(figures), self.rule
        ways = (self.conventions.get(key, names[0]) for key, names in _CONVENTIONS.items())
        block = Block(self.name, *given, *ways)
        return Measure(block, tuple(priors), self.rises, self.group)

    def _scale(self, node: Node) -> Scale | None:
        items = node.record(_SCALE_KEYS, ("minimum", "maximum"))
        numbers = {key: value.exact() for key, value in items.items()}
        low, high, step = (numbers.get(key) for key in _SCALE_KEYS)
        step = step if "step" in numbers else Fraction(1)
        if low is None or high is None or step is None:
            return None
        if step <= 0:
            items["step"].wrong("a number above 0")
            return None
        try:
            scale = Scale(low, high, step)
        except ValueError as error:
            node.wrong("ends that are multiples of the step, the minimum first", error)
            return None
        steps = (high - low) / step
        if (self.patients or 1) * steps >= _LARGEST:
            found = f"{steps} steps for {self.patients or 1} patients"
            node.wrong(f"fewer than {_LARGEST} patients times steps", found)
            return None
        return scale

    def _observed(self, node: Node) -> dict[str, int | None]:
        """Return the patients at each time point of the measure, ``None`` where that is wrong."""
        body = node.mapping("a mapping from time points to numbers of patients")
        result: dict[str, int | None] = {}
        for name in (name for name in self.timepoints if name in body):
            most = next(iter(result.values())) if result else self.patients
            words = "a whole number from 1"
            if most is not None:
                whose = f"the patients at {next(iter(result))}" if result else "all patients"
                words += f" to {most}, {whose}"
            result[name] = body[name].whole(1, most, words)
        for key in body if self.timepoints else ():
            if key not in self.timepoints:
                missing = [name for name in self.timepoints if name not in result]
                meant = missing[0] if len(missing) == 1 else nearest(key, missing)
                _unknown_timepoint(body[key], key, self.timepoints, meant)
                # Figures there are looked at as if the name had been written right.
                result |= {meant: None} if meant else {}
        return {name: result[name] for name in self.timepoints if name in result}

    def _figures(self, node: Node) -> Iterable[Figure]:
        body = node.mapping("a mapping from time points to figures")
        for at, listed in body.items() if self.observed else ():
            if at not in self.observed:
                _unknown_timepoint(listed, at, self.observed)
                continue
            for key, value in listed.record(_STATISTICS, remarks=_REMARKS).items():
                statistic = Statistic(key)
                times = list(self.observed)
                if statistic.family and at == times[0]:
                    later = ", ".join(times[1:]) or "none here"
                    value.wrong(f"later time points only: {later}", f"{statistic} at {at}")
                elif statistic.is_count:
                    yield from self._counts(statistic, at, value)
                else:
                    yield from self._figure(statistic, at, value)

    def _figure(self, statistic: Statistic, at: str, node: Node) -> Iterable[Figure]:
        number, n, allowed = node.figure(), self.observed[at], ""
        if number is None:
            return
        found: object = number
        key = _NEEDED.get(statistic.kind, "")
        if key and key not in self.conventions:
            ways = ", ".join(map(repr, _CONVENTIONS[key]))
            found, allowed = f"no key {key} of the study", f"one of {ways} there"
        elif n is not None and n < statistic.fewest:
            found, allowed = f"n {n} at {at}", f"{statistic.fewest} patients or more"
        elif statistic.is_sd and number.value < 0:
            allowed = "an SD of 0 or more"
        elif statistic.is_p and not 0 <= number.value <= 1:
            allowed = "a p value from 0 to 1"
        elif self.scale is not None:
            allowed = _beyond(statistic, number, self.scale, n, self.rule)
        if allowed:
            node.wrong(allowed, found)
            return
        yield Figure(f"{self.name}.{at}.{statistic}", statistic, at, number)

    def _counts(self, statistic: Statistic, at: str, node: Node) -> Iterable[Figure]:
        of_change = statistic is Statistic.RESPONDERS
        what = "the least change of a responder" if of_change else "a value"
        body = node.mapping(f"a mapping from {what} to the count, such as {{5: '9'}}")
        if of_change and self.rises is None:
            where = f"the key {self.node.place}.improvement (fall or rise) beside responders"
            node.wrong(where, "responders, and not which way is better")
        for key, value in body.items():
            threshold = Node(
                value.file, value.place, value.key_line, value.key_line, value.problems, key, True
            )
            beyond, count = threshold.exact(), self._count(at, value)
            if of_change and beyond is not None and beyond <= 0:
                threshold.wrong("a change above 0, without a sign")
            elif beyond is not None and count is not None:
                name, rises = f"{self.name}.{at}.{statistic}.{key}", bool(of_change and self.rises)
                yield Figure(name, statistic, at, count, beyond, rises)

    def _count(self, at: str, node: Node) -> PrintedNumber | None:
        count, most = node.figure(), self.observed[at]
        if count is None:
            return None
        if count.decimals or count.value < 0 or (most is not None and count.value > most):
            upper = "" if most is None else f" to {most}, the patients at {at}"
            node.wrong(f"a whole number from 0{upper}", f'"{count}"')
            return None
        return count

    def _priors(self, node: Node) -> Iterable[Prior]:
        for name, value in node.mapping("a mapping from names to priors").items():
            if name == "flat":
                allowed = "another name (flat is always there)"
                value.wrong(allowed, "'flat'", line=value.key_line)
                continue
            value.require_name(name, value.line)
            one = not isinstance(value.value, list)
            kinds = [value] if one else value.items("a kind of patient or more")
            found = [part for kind in kinds if (part := self._component(kind)) is not None]
            if found and len(found) == len(kinds):
                yield Prior(name, tuple(found))

    def _component(self, node: Node) -> Component | None:
        items = node.record(_PRIOR_KEYS, ("means", "sds"))
        means, sds = (self._numbers(items[key]) if key in items else () for key in _PRIOR_KEYS[1:3])
        weight = items["weight"].exact() if "weight" in items else Fraction(1)
        correlation = items["correlation"].exact() if "correlation" in items else Fraction(0)
        if not means or not sds or weight is None or correlation is None:
            return None
        try:
            return Component(float(weight), means, sds, float(correlation))
        except ValueError as error:
            name, _, words = str(error).partition(": ")
            found, _, allowed = words.removeprefix("found ").partition(", allowed ")
            items.get(name, node).wrong(allowed.removeprefix("are "), found)
            return None

    def _numbers(self, node: Node) -> tuple[float, ...]:
        times = len(self.observed)
        what = f"a list of {times}, one for each time point" if times else "a list of numbers"
        found = [item.exact() for item in node.items(what, times)]
        numbers = tuple(float(number) for number in found if number is not None)
        return numbers if len(numbers) == len(found) else ()


def _unknown_timepoint(
    node: Node, found: str, known: Mapping[str, object] | tuple[str, ...], meant: str = ""
) -> None:
    hint = meant or nearest(found, known)
    node.wrong(", ".join(known), f"the time point {found!r}", hint, node.key_line)


def _beyond(
    statistic: Statistic, number: PrintedNumber, scale: Scale, n: int | None, rule: RoundingRule
) -> str:
    """Return what is allowed where a figure lies beyond what the scale permits, else nothing.

    A mean or an extreme lies within the scale. The SD of n values (denominator n - 1) is at most
    half the range times sqrt(n / (n - 1)); that is reached when half of them lie at each end. The
    SE is the SD over sqrt(n).
    """
    of = "the scale"
    if statistic.family == "change":
        scale, of = scale.of_changes, "the range of changes"
    found, ends = number.interval(rule), f"{_short(scale.minimum)} to {_short(scale.maximum)}"
    if statistic.is_sd:
        if n is None or n < 2 or found.low is None or found.low <= 0:
            return ""
        name, divisor = ("an SE", n) if statistic.kind == "se" else ("an SD", 1)
        largest = ((scale.maximum - scale.minimum) / 2) ** 2 * Fraction(n, (n - 1) * divisor)
        if found.low**2 <= largest:
            return ""
        return f"{name} up to {math.sqrt(largest):.4g}, the largest of {n} values from {ends}"
    if statistic.is_p or statistic.kind in ("ci_low", "ci_high"):
        return ""
    inside = found.intersect(Interval(scale.minimum, scale.maximum)) is not None
    return "" if inside else f"a value from {ends}, {of}"


def _short(value: Fraction) -> str:
    return f"{float(value):.10g}"
