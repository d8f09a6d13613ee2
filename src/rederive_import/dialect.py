"""How the columns and words of somebody's files become a cohort: proposed, given, and stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from rederive.book.cohort_form import CohortForm
from rederive.printed.errors import ConfigurationError, meant
from rederive.retrospective import Codebook
from rederive_import.words import (
    DAYS,
    FIRST,
    MEASURE,
    PATIENT,
    TIME,
    VALUE,
    header_words,
    plain,
    time_of,
)

ROLES = {
    "patient": "name of the patient",
    "time": "time of the visit",
    "first": "date of the first infusion",
    "measure": "what was measured",
    "value": "the result",
    "aside": "left aside",
}
"""What a column may be, besides a column or measure of the codebook; a measure also at a month."""

_HEADERS = {"patient": PATIENT, "first": FIRST, "time": TIME, "measure": MEASURE, "value": VALUE}
_CHOICES = {
    "time": (*DAYS, "dates", ""),
    "dates": ("dmy", "mdy", ""),
    "same_month": ("first", "last", ""),
    "start": ("first-visit", ""),
}
_ABOVE = """\
# How the columns and words of the files become a cohort; written by 'rederive import', which takes
# it again: rederive import FILE --mapping mapping.yml --out FOLDER
"""


@dataclass
class Dialect:
    """How to read somebody's files.

    Parameters
    ----------
    columns : dict
        What each column is: one of `ROLES`, or a column or measure of the codebook; where the
        header names the time as well, a measure with its month, such as ``score@6``.
    values : dict
        By column, what words in it stand for; of a time in words, the month.
    missing : list of str
        What stands for an unknown value, in all columns, or as ``COLUMN:CODE`` in one.
    time, dates : str
        Unit of the time, or ``dates``; and the order of day and month in these.
    same_month : str
        Which of several values of a patient in one month counts.
    round : list of str
        Columns of which a number between the codebook's steps is taken to the nearest.
    start : str
        ``first-visit`` where that is month 0 of patients without a date of the first infusion.
    fill_down : bool
        Whether an empty cell below the name of a patient stands for the same patient.
    sheets : list of str
        Sheets of a workbook that are read; all if empty.
    """

    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    time: str = ""
    dates: str = ""
    same_month: str = ""
    round: list[str] = field(default_factory=list)
    start: str = ""
    fill_down: bool = False
    sheets: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Dialect:
        """Read a mapping that `text` has written.

        Raises
        ------
        ConfigurationError
            If it is no such file.
        """
        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
            why = getattr(error, "problem", None) or getattr(error, "strerror", None) or "no text"
            raise ConfigurationError(f"{path.name}: {why}, allowed: a mapping in YAML") from error
        if not isinstance(found, dict):
            raise ConfigurationError(f"{path.name}: allowed: lines such as 'columns:'")
        kinds: dict[str, type] = {
            each.name: type(getattr(cls(), each.name)) for each in fields(cls)
        }
        for name, value in found.items():
            if name not in kinds:
                hint = meant(str(name), kinds)
                allowed = ", ".join(kinds)
                raise ConfigurationError(f"{path.name}: found {name!r}, allowed: {allowed}{hint}")
            if not isinstance(value, kinds[name]):
                words = "NAME: WORD lines" if kinds[name] is dict else f"a {kinds[name].__name__}"
                raise ConfigurationError(f"{path.name}, {name}: found {value!r}, allowed: {words}")
        values = found.get("values", {})
        for name, words in values.items():
            if not isinstance(words, dict):
                raise ConfigurationError(f"{path.name}, {name}: allowed: FOUND: MEANT lines")
        made = cls(**found)
        made.columns = {str(name): str(role) for name, role in made.columns.items()}
        made.values = {
            str(name): {str(word): str(meaning) for word, meaning in words.items()}
            for name, words in values.items()
        }
        made.missing = [str(code) for code in made.missing]
        made.round = [str(column) for column in made.round]
        made.check(path.name)
        return made

    def check(self, where: str) -> None:
        """Raise a ``ConfigurationError`` where a choice is none of those there are."""
        for name, allowed in _CHOICES.items():
            found = getattr(self, name)
            if found not in allowed:
                words = ", ".join(each for each in allowed if each)
                hint = meant(found, allowed)
                raise ConfigurationError(
                    f"{where}, {name}: found {found!r}, allowed: {words}{hint}"
                )

    def text(self) -> str:
        """Return it as YAML, what is empty left out."""
        kept = {name: value for name, value in asdict(self).items() if value}
        return _ABOVE + yaml.safe_dump(kept, allow_unicode=True, sort_keys=False)


class Names:
    """The names by which columns are known: the codebook's own, its labels, and the article's."""

    def __init__(self, codebook: Codebook, form: CohortForm) -> None:
        self.codebook, self.form = codebook, form
        self.entries = {**codebook.measures, **codebook.patients}
        self._plain: dict[str, str] = {}
        for name, entry in self.entries.items():
            for word in (name, entry.label, *form.names.get(name, ())):
                self._plain.setdefault(plain(word), name)

    def role_of(self, header: str) -> str:
        """Return what a column is by its header, ``aside`` if it is not known."""
        bare = header_words(header)
        if bare in self._plain and bare != "patient":
            return self._plain[bare]
        for role, words in _HEADERS.items():
            if bare in words:
                return role
        return self._at_a_month(bare) or "aside"

    def measure_of(self, word: str) -> str:
        """Return the measure that a word stands for, or nothing."""
        name = self._plain.get(plain(word), "")
        return name if name in self.codebook.measures else ""

    def _at_a_month(self, bare: str) -> str:
        """Return measure and month of a header such as ``score_6`` or ``baseline score``."""
        words = re.sub(r"(?<=[^\W\d])(?=\d+$)", " ", bare).split()
        for at in range(1, len(words)):
            for name, when in ((words[:at], words[at:]), (words[at:], words[:at])):
                measure, time = self.measure_of(" ".join(name)), time_of(" ".join(when))
                if measure and time is not None:
                    unit = "" if time[1] in ("", "months") else f" {time[1]}"
                    return f"{measure}@{time[0]}{unit}"
        return ""

    def check_role(self, column: str, role: str) -> None:
        """Raise a ``ConfigurationError`` if a column cannot be what is said."""
        name, at, when = role.partition("@")
        measure = name in self.codebook.measures
        known = measure and bool(re.fullmatch(r"-?\d+(\.\d+)?( \w+)?", when))
        if at and known and when.partition(" ")[2] in ("", *DAYS):
            return
        if not at and (role in ROLES or role in self.entries):
            return
        words = [*ROLES, *self.entries]
        listed = ", ".join([*ROLES, *self.codebook.measures])
        raise ConfigurationError(
            f"column {column!r}: found {role!r}, allowed: {listed}, a column of patients.csv, or a "
            f"measure and its month, such as {next(iter(self.codebook.measures))}@6"
            f"{meant(name, words)}"
        )


def pairs(given: Sequence[str], option: str, form: str) -> dict[str, str]:
    """Return options of the form NAME=WORD as a dictionary."""
    wrong = next((each for each in given if not each.rpartition("=")[0]), None)
    if wrong is not None:
        raise ConfigurationError(f"{option}: found {wrong!r}, allowed: {form}")
    return {each.rpartition("=")[0]: each.rpartition("=")[2] for each in given}


def with_options(
    dialect: Dialect, columns: Iterable[str], values: Iterable[str], **more: Any
) -> Dialect:
    """Return a dialect with what the options of the command say on top of it."""
    made = Dialect(**asdict(dialect))
    made.columns |= pairs(list(columns), "--column", "COLUMN=ROLE")
    for key, meaning in pairs(list(values), "--value", "COLUMN:FOUND=MEANT").items():
        column, sign, found = key.partition(":")
        if not sign:
            raise ConfigurationError(f"--value: found {key!r}, allowed: COLUMN:FOUND=MEANT")
        made.values.setdefault(column, {})[found] = meaning
    for name, value in more.items():
        if isinstance(value, tuple):
            getattr(made, name).extend(each for each in value if each not in getattr(made, name))
        elif value:
            setattr(made, name, value)
    return made
