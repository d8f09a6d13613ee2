"""The two tables of one cohort, refused where they are not what the codebook describes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ivig_dcssc.checker.windows import Floats, Positions, Records, Windows, at_baseline, at_target
from ivig_dcssc.project import project_root

Words = npt.NDArray[np.object_]

_CODEBOOK = pd.read_csv(
    project_root() / "data" / "cohorts" / "codebook.csv", dtype=str, keep_default_na=False
)
_PATIENTS = _CODEBOOK[_CODEBOOK["table"] == "patients"].set_index("column")
VISIT_COLUMNS = ("patient", "month", "measure", "value")
_MEASURES = _CODEBOOK[_CODEBOOK["table"] == "visits"].set_index("column").drop([*VISIT_COLUMNS])

PATIENT_COLUMNS, MEASURES = tuple(_PATIENTS.index), tuple(_MEASURES.index)
SCALES = {
    # A flag has no scale in the codebook.
    str(name): (row["minimum"] or "0", row["maximum"] or "1", row["step"] or "1")
    for name, row in _MEASURES.iterrows()
}
"""Least and greatest value and step of each measure."""

ALLOWED = {str(name): words.split("|") for name, words in _PATIENTS["allowed"].items() if words}
"""Words of each category of the patients."""


def _starting(prefix: str) -> tuple[str, ...]:
    return tuple(name for name in (*PATIENT_COLUMNS, *MEASURES) if name.startswith(prefix))


FLAGS = tuple(_PATIENTS.index[_PATIENTS["kind"] == "flag"])
PRIOR, CONCOMITANT = _starting("prior_"), _starting("concomitant_")
ADVERSE_EFFECTS, SEVERITIES = _starting("ae_"), _starting("severity_")
CHARACTERISTICS = tuple(
    name for name in FLAGS if name not in (*PRIOR, *CONCOMITANT, *ADVERSE_EFFECTS)
)
STOP_REASONS = tuple(ALLOWED["stop_reason"])


@dataclass(frozen=True)
class Tables:
    """One cohort: its patients, its visits and the windows they are read with.

    Parameters
    ----------
    patients : DataFrame
        One row per patient.
    visits : DataFrame
        One row per patient, month and measure.
    windows : Windows, optional
        Which visits count; default the article's.

    Raises
    ------
    ValueError
        If a column is missing; if a patient is named twice or a visit's patient is unknown; if a
        patient has two records of a measure in one month; if a measure is unknown, or a month or a
        value is no number; if there is more than one cohort in a table.
    """

    patients: pd.DataFrame
    visits: pd.DataFrame
    windows: Windows = field(default_factory=Windows)

    def __post_init__(self) -> None:
        # Figures and claims ask for the same columns many times.
        for method in (self.numbers, self.words, self.baseline, self.followup, self.pairs):
            object.__setattr__(self, method.__name__, cache(method))
        patients, visits = self.patients, self.visits
        for name, table, columns in (
            ("patients", patients, PATIENT_COLUMNS),
            ("visits", visits, VISIT_COLUMNS),
        ):
            if missing := [column for column in columns if column not in table.columns]:
                raise ValueError(f"{name}: missing columns {', '.join(missing)}")
            if "cohort" in table.columns and (several := table["cohort"].nunique()) > 1:
                raise ValueError(f"{name}: found {several} cohorts, allowed is one at a time")
        for column in ("month", "value"):
            numeric = pd.api.types.is_numeric_dtype(visits[column])
            if (
                not numeric
                or not np.isfinite(visits[column].to_numpy(np.float64, na_value=np.nan)).all()
            ):
                raise ValueError(f"visits, column {column}: allowed are numbers, none empty")
        names = [(name,) for name in self.names]
        keys = list(zip(*(visits[column].tolist() for column in VISIT_COLUMNS[:3]), strict=True))
        known = set(self.names)
        for table_name, wrong, words in (
            ("patients", _repeated(names), "one row a patient"),
            ("visits", (key for key in keys if key[0] not in known), "known patients"),
            (
                "visits",
                (key for key in keys if key[2] not in SCALES),
                f"measures {' '.join(MEASURES)}",
            ),
            ("visits", _repeated(keys), "one record of a measure in a month"),
        ):
            for key in wrong:
                found = " ".join(map(str, key))
                raise ValueError(f"{table_name}: found {found}, allowed are {words}")

    @cached_property
    def names(self) -> list[str]:
        """Names of the patients; what else is of each patient is in this order."""
        found: list[str] = self.patients["patient"].tolist()
        return found

    @property
    def size(self) -> int:
        """Number of patients."""
        return len(self.patients)

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """The columns of the patients; what is unknown is None."""
        cells = self.patients.to_numpy(object, na_value=None).T.tolist()  # type: ignore[arg-type]
        return dict(zip(map(str, self.patients.columns), cells, strict=True))

    def numbers(self, column: str) -> Floats:
        """Return a column of numbers or flags of the patients, NaN where unknown."""
        return np.array(self.columns[column], np.float64)

    def words(self, column: str) -> Words:
        """Return a column of words of the patients, empty where unknown."""
        return np.array(["" if word is None else word for word in self.columns[column]], object)

    @cached_property
    def whole(self) -> Records:
        """The records of all measures."""
        place = {name: position for position, name in enumerate(self.names)}
        who = np.array([place[name] for name in self.visits["patient"].tolist()], np.intp)
        months, values = (self.visits[name].to_numpy(np.float64) for name in ("month", "value"))
        return Records(who, months, values)

    @cached_property
    def kinds(self) -> Positions:
        """Position in :data:`MEASURES` of what each record is of."""
        place = {name: position for position, name in enumerate(MEASURES)}
        return np.array([place[name] for name in self.visits["measure"].tolist()], np.intp)

    @cached_property
    def records(self) -> dict[str, Records]:
        """The records of each measure."""
        order = np.argsort(self.kinds, kind="stable")
        ends = np.cumsum(np.bincount(self.kinds, minlength=len(MEASURES)))[:-1]
        who, months, values = self.whole
        of_each = zip(MEASURES, np.split(order, ends), strict=True)
        return {name: Records(who[at], months[at], values[at]) for name, at in of_each}

    def baseline(self, measure: str, *, restricted: bool = False) -> Floats:
        """Return the baseline of a measure, in its primary or restricted window."""
        name = "baseline_window" if measure == "mrss" else "organ_baseline_window"
        width = getattr(self.windows, f"restricted_{name}" if restricted else name)
        return at_baseline(self.records[measure], width, self.size)

    def followup(self, measure: str, month: int, *, restricted: bool = False) -> Floats:
        """Return a measure at a target month, in its primary or restricted window."""
        windows = self.windows
        if measure in ("mrss", "tfr"):
            tolerance = windows.followup_tolerance
        elif restricted:
            tolerance = windows.restricted_organ_followup_tolerance
        else:
            tolerance = windows.organ_followup_tolerance
        targets = windows.targets if measure == "mrss" else ()
        records = self.records[measure]
        return at_target(records, month, tolerance, self.size, windows.rule, targets)

    def pairs(self, measure: str, month: int, *, restricted: bool = False) -> tuple[Floats, Floats]:
        """Return baseline and follow-up of the patients with both, NaN of all others."""
        before = self.baseline(measure, restricted=restricted)
        after = self.followup(measure, month, restricted=restricted)
        neither = np.isnan(before) | np.isnan(after)
        return np.where(neither, np.nan, before), np.where(neither, np.nan, after)

    def change(self, measure: str, month: int, *, restricted: bool = False) -> Floats:
        """Return follow-up less baseline, NaN without both."""
        before, after = self.pairs(measure, month, restricted=restricted)
        return after - before

    @cached_property
    def serial_ck(self) -> tuple[Floats, Floats]:
        """Baseline and last creatine phosphokinase of the myositis patients with serial values.

        Serial: at least two values, one of them after the month of the first infusion. The last
        is NaN of all others; without a value in the baseline window, so is the baseline.
        """
        who, months, values = self.records["cpk"]
        order = np.argsort(months, kind="stable")
        latest, last = np.full((2, self.size), np.nan)
        latest[who[order]], last[who[order]] = months[order], values[order]
        several = np.bincount(who, minlength=self.size) > 1
        serial = several & (latest > 0) & (self.numbers("myositis") == 1)
        return self.baseline("cpk"), np.where(serial, last, np.nan)


def _repeated(keys: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
    if len(set(keys)) == len(keys):
        return []
    return [key for key, times in Counter(keys).items() if times > 1]
