"""The two tables of one cohort, refused where they are not what the codebook describes.

Read with windows: of a patient's visits the most recent before treatment, the closest to a target
month after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ivig_dcssc.project import CODEBOOK, project_root

Positions = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]

_CODEBOOK = pd.read_csv(project_root() / CODEBOOK, dtype=str, keep_default_na=False)
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


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows, in months; the defaults are the article's, or ours where it states none.

    Parameters
    ----------
    baseline_window, restricted_baseline_window : int
        Oldest skin score before the month of the first infusion that is a baseline; the same in
        the sensitivity analysis.
    followup_tolerance : int
        Distance from a target month within which a skin score or friction rubs count.
    targets : tuple of int
        Target months of the skin score, rising.
    rule : str
        Which of several visits in a follow-up window is taken: ``closest``, ``first`` or ``last``.
    organ_baseline_window, organ_followup_tolerance : int
        The same for organ and function measures at month 12. The article does not state them.
    restricted_organ_baseline_window, restricted_organ_followup_tolerance : int
        The same in the sensitivity analysis.
    """

    baseline_window: int = 3
    restricted_baseline_window: int = 2
    followup_tolerance: int = 2
    targets: tuple[int, ...] = (6, 12, 18, 24)
    rule: str = "closest"
    organ_baseline_window: int = 12
    organ_followup_tolerance: int = 6
    restricted_organ_baseline_window: int = 3
    restricted_organ_followup_tolerance: int = 3


class Records(NamedTuple):
    """Records of one measure: positions of their patients, months and values."""

    who: Positions
    months: Floats
    values: Floats


def at_baseline(records: Records, window: int, patients: int) -> Floats:
    """Return each patient's most recent value of month ``-window`` to 0, NaN without any."""
    kept = np.flatnonzero((records.months >= -window) & (records.months <= 0))
    order = np.argsort(records.months[kept], kind="stable")
    return _last_of_each(records, kept[order], patients)


def _last_of_each(records: Records, order: Positions, patients: int) -> Floats:
    """Return the value of each patient's last record among ``order`` (positions of records)."""
    found = np.full(patients, np.nan)
    found[records.who[order]] = records.values[order]
    return found


def at_target(
    records: Records,
    target: int,
    tolerance: int,
    patients: int,
    rule: str = "closest",
    targets: tuple[int, ...] = (),
) -> Floats:
    """Return each patient's value within some months of a target, NaN without any.

    A visit belongs to the nearest of all targets only (of two equally near ones, the earlier), so
    that no visit is used twice, also where windows overlap; without other targets, to this one. Of
    several the rule takes the ``closest`` (of two the earlier), the ``first`` or the ``last``.
    """
    distance = np.abs(records.months - target)
    kept = np.flatnonzero((distance <= tolerance) & (records.months > 0))
    if targets:
        nearest = np.abs(records.months[kept, np.newaxis] - targets).argmin(axis=1)
        kept = kept[np.asarray(targets)[nearest] == target]
    months = records.months[kept]
    # What comes last is taken.
    keys = {"closest": (-months, -distance[kept]), "first": (-months,), "last": (months,)}
    return _last_of_each(records, kept[np.lexsort(keys[rule])], patients)


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
        names, known = [(name,) for name in self.names], set(self.names)
        measures = f"measures {' '.join(MEASURES)}"
        keys = list(zip(*(visits[column].tolist() for column in VISIT_COLUMNS[:3]), strict=True))
        for table_name, wrong, words in (
            ("patients", _repeated(names), "one row a patient"),
            ("visits", [key for key in keys if key[0] not in known], "known patients"),
            ("visits", [key for key in keys if key[2] not in SCALES], measures),
            ("visits", _repeated(keys), "one record of a measure in a month"),
        ):
            if wrong:
                found = " ".join(map(str, wrong[0]))
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
    return [] if len(set(keys)) == len(keys) else [max(keys, key=keys.count)]
