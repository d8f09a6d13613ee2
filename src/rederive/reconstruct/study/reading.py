"""The description of a study: a YAML text becomes a validated study.

Every problem is reported, not only the first. Figures are texts, because trailing zeros count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import yaml

from rederive.printed import PrintedNumber, RoundingRule, parse
from rederive.printed.schema import nearest
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import Block, Component, Figure, Prior, Statistic
from rederive.reconstruct.study.limits import beyond
from rederive.reconstruct.study.model import Measure, Study
from rederive.reconstruct.study.problems import StudyError, StudyProblem
from rederive.reconstruct.study.tree import Mapping, Node, Scalar, Sequence, parse_tree

_STUDY_KEYS = ("name", "title", "source", "patients", "rounding", "timepoints", "measures")
_MEASURE_KEYS = ("scale", "unit", "n", "improvement", "figures", "priors")
_SCALE_KEYS = ("minimum", "maximum", "step")
_PRIOR_KEYS = ("weight", "means", "sds", "correlation")
_STATISTICS = tuple(str(statistic) for statistic in Statistic)
_SPREADS = (Statistic.SD, Statistic.BASELINE_SD, Statistic.CHANGE_SD)
_WAYS = ("fall", "rise")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_FLIPPED = {"<": ">", ">": "<", "over": "<", "≤": "≥", "≥": "≤", "=": "="}
_MINUS_SIGNS = str.maketrans({"–": "-", "−": "-", "‐": "-", "‑": "-"})

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
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        found = error.strerror or "no file"
        raise StudyError([StudyProblem(path.name, 1, "", found, "a file")]) from error
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} that is no UTF-8"
        raise StudyError([StudyProblem(path.name, 1, "", found, "UTF-8 text")]) from error
    return parse_study(text, path.name)


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
    reader = _Reader(file)
    study = reader.study(parse_tree(text, file), yaml.load(text, Loader=yaml.BaseLoader))
    if reader.problems or study is None:
        raise StudyError(reader.problems)
    return study


@dataclass(slots=True)
class _Reader:
    """Walks through a tree and collects problems."""

    file: str
    problems: list[StudyProblem] = field(default_factory=list)

    def wrong(self, line: int, place: str, found: object, allowed: str, hint: str = "") -> None:
        self.problems.append(StudyProblem(self.file, line, place, str(found), allowed, hint))

    # Scalars

    def text(self, node: Node | None, place: str) -> str:
        if node is None:
            return ""
        if not isinstance(node, Scalar):
            self.wrong(node.line, place, node, "a text")
            return ""
        return node.text

    def whole(
        self, node: Node, place: str, least: int, most: int | None, words: str = ""
    ) -> int | None:
        allowed = words or f"a whole number from {least}" + ("" if most is None else f" to {most}")
        if isinstance(node, Scalar) and re.fullmatch(r"\d+", node.text):
            value = int(node.text)
            if least <= value and (most is None or value <= most):
                return value
        self.wrong(node.line, place, node, allowed)
        return None

    def exact(self, node: Node, place: str) -> Fraction | None:
        if isinstance(node, Scalar):
            try:
                return Fraction(node.text.translate(_MINUS_SIGNS))
            except (ValueError, ZeroDivisionError):
                pass
        hint = ""
        if isinstance(node, Scalar) and re.fullmatch(r"-?\d+,\d+", node.text):
            hint = node.text.replace(",", ".")
        self.wrong(node.line, place, node, "a number such as 51, 0.125 or 1/8", hint)
        return None

    def choice(self, node: Node, place: str, allowed: Iterable[str]) -> str:
        words = list(allowed)
        if isinstance(node, Scalar) and node.text in words:
            return node.text
        hint = nearest(node.text, words) if isinstance(node, Scalar) else ""
        self.wrong(node.line, place, node, ", ".join(words), hint)
        return words[0]

    # Mappings

    def mapping(self, node: Node, place: str, what: str) -> Mapping | None:
        if isinstance(node, Mapping) and node.items:
            return node
        self.wrong(node.line, place, node, what)
        return None

    def keys(
        self, node: Mapping, place: str, allowed: tuple[str, ...], required: tuple[str, ...]
    ) -> None:
        prefix = f"{place}." if place else ""
        missing = [key for key in required if key not in node.items]
        for key in node.items:
            if key not in allowed:
                hint = nearest(key, [word for word in allowed if word not in node.items])
                self.wrong(
                    node.lines[key], prefix + key, f"the key {key!r}", ", ".join(allowed), hint
                )
                missing = [word for word in missing if word != hint]
        for key in missing:
            self.wrong(node.line, place, f"no key {key!r}", f"the key {key}")

    def name(self, name: str, line: int, place: str) -> None:
        if not _NAME.fullmatch(name):
            self.wrong(line, place, f"{name!r}", "letters, digits, _ and - only")

    # The study

    def study(self, tree: Node, description: object) -> Study | None:
        root = self.mapping(tree, "", "a mapping with " + ", ".join(_STUDY_KEYS))
        if root is None or not isinstance(description, dict):
            return None
        self.keys(root, "", _STUDY_KEYS, ("patients", "timepoints", "measures"))
        items = root.items
        rule = RoundingRule.EITHER
        if "rounding" in items:
            rule = RoundingRule(self.choice(items["rounding"], "rounding", list(RoundingRule)))
        patients = None
        if "patients" in items:
            patients = self.whole(items["patients"], "patients", 1, None)
        timepoints = self.timepoints(items["timepoints"]) if "timepoints" in items else ()
        measures: list[Measure] = []
        listed = None
        if "measures" in items:
            listed = self.mapping(items["measures"], "measures", "a mapping with a measure or more")
        for name, node in listed.items.items() if listed else ():
            place = f"measures.{name}"
            self.name(name, listed.lines[name] if listed else 1, place)
            body = self.mapping(node, place, "a mapping with " + ", ".join(_MEASURE_KEYS))
            if body is not None:
                measure = _MeasureReader(self, name, body, place, patients, timepoints, rule).read()
                measures += [] if measure is None else [measure]
        texts = {key: self.text(items.get(key), key) for key in ("name", "title", "source")}
        return Study(
            texts["name"] or Path(self.file).stem,
            texts["title"],
            texts["source"],
            patients or 0,
            timepoints,
            tuple(measures),
            description,
        )

    def timepoints(self, node: Node) -> tuple[str, ...]:
        if not isinstance(node, Sequence) or not node.items:
            self.wrong(node.line, "timepoints", node, "a list of time points, the baseline first")
            return ()
        names: list[str] = []
        for number, item in enumerate(node.items, start=1):
            place = f"timepoints[{number}]"
            name = self.text(item, place)
            if isinstance(item, Scalar):
                self.name(name, item.line, place)
            if name in names:
                self.wrong(item.line, place, f"{name!r} again", "different time points")
            names.append(name)
        return tuple(dict.fromkeys(names))


@dataclass(slots=True)
class _MeasureReader:
    """Reads one measure."""

    reader: _Reader
    name: str
    node: Mapping
    place: str
    patients: int | None
    timepoints: tuple[str, ...]
    rule: RoundingRule
    printed: dict[str, str] = field(default_factory=dict)
    rising: dict[str, Fraction] = field(default_factory=dict)

    def read(self) -> Measure | None:
        reader, items = self.reader, self.node.items
        before = len(reader.problems)
        if "improvement" in items:
            reader.choice(items["improvement"], f"{self.place}.improvement", _WAYS)
        reader.keys(self.node, self.place, _MEASURE_KEYS, ("scale", "n", "figures"))
        scale = self.scale(items["scale"]) if "scale" in items else None
        observed = self.observed(items["n"]) if "n" in items else {}
        figures: list[Figure] = []
        if "figures" in items:
            figures = self.figures(items["figures"], observed, scale)
        priors: tuple[Prior, ...] = ()
        if "priors" in items:
            priors = self.priors(items["priors"], len(observed))
        unit = reader.text(items.get("unit"), f"{self.place}.unit")
        numbers = tuple(n for n in observed.values() if n is not None)
        if len(reader.problems) > before or scale is None or self.patients is None:
            return None
        if not numbers or len(numbers) < len(observed):
            return None
        block = Block(
            self.name,
            scale,
            self.patients,
            tuple(observed),
            numbers,
            tuple(figures),
            self.rule,
        )
        rises = (
            "improvement" in items and self.improves_by_rising(self.node.line, self.place) is True
        )
        return Measure(block, priors, self.printed, self.rising, rises, unit)

    def scale(self, node: Node) -> Scale | None:
        place = f"{self.place}.scale"
        body = self.reader.mapping(node, place, "a mapping with " + ", ".join(_SCALE_KEYS))
        if body is None:
            return None
        self.reader.keys(body, place, _SCALE_KEYS, ("minimum", "maximum"))
        numbers = {
            key: self.reader.exact(value, f"{place}.{key}")
            for key, value in body.items.items()
            if key in _SCALE_KEYS
        }
        low, high = numbers.get("minimum"), numbers.get("maximum")
        step = numbers.get("step") if "step" in numbers else Fraction(1)
        if low is None or high is None or step is None:
            return None
        try:
            scale = Scale(low, high, step)
        except ValueError as error:
            self.reader.wrong(body.line, place, error, "ends that are multiples of the step")
            return None
        patients = self.patients or 1
        if patients * ((high - low) / step) >= _LARGEST:
            self.reader.wrong(
                body.line,
                place,
                f"{(high - low) / step} steps for {patients} patients",
                f"fewer than {_LARGEST} patients times steps",
            )
            return None
        return scale

    def observed(self, node: Node) -> dict[str, int | None]:
        """Return the patients at each time point of the measure, ``None`` where that is wrong."""
        place = f"{self.place}.n"
        body = self.reader.mapping(node, place, "a mapping from time points to numbers of patients")
        if body is None or not self.timepoints:
            return {}
        result: dict[str, int | None] = {}
        for name in self.timepoints:
            if name not in body.items:
                continue
            most = next(iter(result.values())) if result else self.patients
            words = "a whole number from 1" + ("" if most is None else f" to {most}")
            if most is not None:
                words += f", the patients at {next(iter(result))}" if result else ", all patients"
            result[name] = self.reader.whole(body.items[name], f"{place}.{name}", 1, most, words)
        for key in body.items:
            if key not in self.timepoints:
                missing = [name for name in self.timepoints if name not in result]
                meant = missing[0] if len(missing) == 1 else nearest(key, missing)
                self._unknown_timepoint(
                    body.lines[key], f"{place}.{key}", key, self.timepoints, meant
                )
                # Figures there are looked at as if the name had been written right.
                result |= {meant: None} if meant else {}
        return {name: result[name] for name in self.timepoints if name in result}

    def _unknown_timepoint(
        self, line: int, place: str, found: str, known: Iterable[str], meant: str = ""
    ) -> None:
        names = list(known)
        hint = meant or nearest(found, names)
        self.reader.wrong(line, place, f"the time point {found!r}", ", ".join(names), hint)

    # Figures

    def figures(
        self, node: Node, observed: dict[str, int | None], scale: Scale | None
    ) -> list[Figure]:
        place = f"{self.place}.figures"
        body = self.reader.mapping(node, place, "a mapping from time points to figures")
        result: list[Figure] = []
        for at, listed in body.items.items() if body else ():
            inner = f"{place}.{at}"
            if not observed:
                continue
            if body is not None and at not in observed:
                self._unknown_timepoint(body.lines[at], inner, at, observed)
                continue
            printed = self.reader.mapping(listed, inner, "a mapping with " + ", ".join(_STATISTICS))
            if printed is None:
                continue
            self.reader.keys(printed, inner, _STATISTICS, ())
            for key, value in printed.items.items():
                if key in _STATISTICS:
                    statistic = Statistic(key)
                    result += self.figure(statistic, at, value, f"{inner}.{key}", observed, scale)
        return result

    def figure(
        self,
        statistic: Statistic,
        at: str,
        node: Node,
        place: str,
        observed: dict[str, int | None],
        scale: Scale | None,
    ) -> list[Figure]:
        first = next(iter(observed))
        if statistic.needs_followup and at == first:
            later = ", ".join(list(observed)[1:]) or "none here"
            self.reader.wrong(
                node.line, place, f"{statistic} at {at}", f"later time points only: {later}"
            )
            return []
        if statistic is Statistic.RESPONDERS:
            return self.responders(at, node, place, observed[at], scale)
        number = self.number(node, place)
        if number is None:
            return []
        if statistic in (*_SPREADS, Statistic.PAIRED_P) and observed[at] == 1:
            self.reader.wrong(node.line, place, f"1 patient at {at}", "2 patients or more")
            return []
        if statistic in _SPREADS and number.value < 0:
            self.reader.wrong(node.line, place, number, "an SD of 0 or more")
            return []
        if statistic is Statistic.PAIRED_P and not 0 <= number.value <= 1:
            self.reader.wrong(node.line, place, number, "a p value from 0 to 1")
            return []
        if scale is not None:
            allowed = beyond(statistic, number, scale, observed[at], self.rule)
            if allowed:
                self.reader.wrong(node.line, place, number, allowed)
                return []
        name = f"{self.name}.{at}.{statistic}"
        self.printed[name] = str(number)
        return [Figure(name, statistic, at, number)]

    def number(self, node: Node, place: str) -> PrintedNumber | None:
        allowed = 'a figure as printed, in quotes, such as "10.0" or "<0.001"'
        if not isinstance(node, Scalar):
            self.reader.wrong(node.line, place, node, allowed)
            return None
        if node.number:
            found = f"{node.text} without quotes, of which trailing zeros would be lost"
            self.reader.wrong(node.line, place, found, allowed, f'"{node.text}"')
            return None
        try:
            number = parse(node.text)
        except ValueError:
            number = None
        if number is None or number.label or number.percent or number.operator == "±":
            comma = re.fullmatch(r"[-–−<>≤≥ ]*\d+,\d+", node.text)
            hint = f'"{node.text.replace(",", ".")}"' if comma else ""
            self.reader.wrong(node.line, place, node, allowed, hint)
            return None
        return number

    def responders(
        self, at: str, node: Node, place: str, followed: int | None, scale: Scale | None
    ) -> list[Figure]:
        what = "a mapping from the least change of a responder to the count, such as {5: '9'}"
        body = self.reader.mapping(node, place, what)
        rises = self.improves_by_rising(node.line, place)
        result: list[Figure] = []
        for key, value in body.items.items() if body else ():
            inner, line = f"{place}.{key}", body.lines[key] if body else node.line
            threshold = self.reader.exact(Scalar(key, line, True), inner)
            if threshold is not None and threshold <= 0:
                self.reader.wrong(line, inner, key, "a change above 0, without a sign")
                threshold = None
            count = self.number(value, inner)
            if count is not None and (
                count.decimals
                or count.value < 0
                or (followed is not None and count.value > followed)
            ):
                allowed = f"a whole number from 0 to {followed}, the patients at {at}"
                if followed is None:
                    allowed = "a whole number from 0"
                self.reader.wrong(value.line, inner, f'"{count}"', allowed)
                count = None
            if threshold is None or count is None or rises is None:
                continue
            if followed is None or scale is None:
                continue
            name = f"{self.name}.{at}.{Statistic.RESPONDERS}.{key}"
            self.printed[name] = str(count)
            if rises:
                self.rising[name] = threshold
                count, threshold = _others(count, followed), least_fall_of_others(threshold, scale)
            result.append(Figure(name, Statistic.RESPONDERS, at, count, threshold))
        return result

    def improves_by_rising(self, line: int, place: str) -> bool | None:
        node = self.node.items.get("improvement")
        if node is None:
            allowed = f"the key {self.place}.improvement (fall or rise) beside responders"
            self.reader.wrong(line, place, "responders, and not which way is better", allowed)
            return None
        return str(node) == repr("rise")

    # Priors

    def priors(self, node: Node, times: int) -> tuple[Prior, ...]:
        place = f"{self.place}.priors"
        body = self.reader.mapping(node, place, "a mapping from names to priors")
        result: list[Prior] = []
        for name, value in body.items.items() if body else ():
            inner = f"{place}.{name}"
            if body is not None and name == "flat":
                self.reader.wrong(
                    body.lines[name], inner, "'flat'", "another name (flat is always there)"
                )
                continue
            self.reader.name(name, value.line, inner)
            kinds = value.items if isinstance(value, Sequence) else (value,)
            parts = [
                self.component(kind, f"{inner}[{number}]" if len(kinds) > 1 else inner, times)
                for number, kind in enumerate(kinds, start=1)
            ]
            found = tuple(part for part in parts if part is not None)
            if not kinds:
                self.reader.wrong(value.line, inner, value, "a kind of patient or more")
            elif len(found) == len(kinds):
                result.append(Prior(name, found))
        return tuple(result)

    def component(self, node: Node, place: str, times: int) -> Component | None:
        body = self.reader.mapping(node, place, "a mapping with " + ", ".join(_PRIOR_KEYS))
        if body is None:
            return None
        self.reader.keys(body, place, _PRIOR_KEYS, ("means", "sds"))
        items = body.items
        means = self.numbers(items.get("means"), f"{place}.means", times)
        sds = self.numbers(items.get("sds"), f"{place}.sds", times)
        weight = self.single(items.get("weight"), f"{place}.weight", 1.0)
        correlation = self.single(items.get("correlation"), f"{place}.correlation", 0.0)
        if not means or not sds or weight is None or correlation is None:
            return None
        try:
            return Component(weight, means, sds, correlation)
        except ValueError as error:
            field_name, _, words = str(error).partition(": ")
            found, _, allowed = words.removeprefix("found ").partition(", allowed ")
            line = items[field_name].line if field_name in items else body.line
            self.reader.wrong(line, f"{place}.{field_name}", found, allowed.removeprefix("are "))
            return None

    def numbers(self, node: Node | None, place: str, times: int) -> tuple[float, ...]:
        if node is None:
            return ()
        if not isinstance(node, Sequence) or (times and len(node.items) != times):
            each = f"a list of {times}, one for each time point" if times else "a list of numbers"
            self.reader.wrong(node.line, place, node, each)
            return ()
        found = [
            self.reader.exact(item, f"{place}[{number}]")
            for number, item in enumerate(node.items, start=1)
        ]
        numbers = tuple(float(number) for number in found if number is not None)
        return numbers if len(numbers) == len(found) else ()

    def single(self, node: Node | None, place: str, default: float) -> float | None:
        if node is None:
            return default
        number = self.reader.exact(node, place)
        return None if number is None else float(number)


def _others(count: PrintedNumber, followed: int) -> PrintedNumber:
    """Return the number of the other patients, as printed."""
    return PrintedNumber(str(followed - int(count.value)), _FLIPPED[count.operator])


def least_fall_of_others(rise: Fraction, scale: Scale) -> Fraction:
    """Return the least fall, zero or negative, of a patient who did not rise by ``rise``.

    On a scale of whole points, who did not rise by 3 changed by 2 at most: fell by -2 or more.
    """
    steps = -(-rise // scale.step)
    return -(steps - 1) * scale.step
