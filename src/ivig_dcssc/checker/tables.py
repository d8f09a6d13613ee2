"""The two tables of one cohort, refused where they are not what the codebook describes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import pandas as pd

from ivig_dcssc.checker.windows import Windows, at_baseline, at_target
from ivig_dcssc.project import project_root

_CODEBOOK = pd.read_csv(
    project_root() / "data" / "cohorts" / "codebook.csv", dtype=str, keep_default_na=False
)
PATIENTS = _CODEBOOK[_CODEBOOK["table"] == "patients"].set_index("column")
"""What the codebook says of each column of the patients."""
_VISITS = _CODEBOOK[_CODEBOOK["table"] == "visits"].set_index("column")
VISIT_COLUMNS = ("patient", "month", "measure", "value")
SCALES = _VISITS.drop(list(VISIT_COLUMNS))
"""The same of each measure."""


def _starting(prefix: str) -> tuple[str, ...]:
    return tuple(name for name in (*PATIENTS.index, *SCALES.index) if name.startswith(prefix))


PATIENT_COLUMNS, MEASURES = tuple(PATIENTS.index), tuple(SCALES.index)
FLAGS = tuple(PATIENTS.index[PATIENTS["kind"] == "flag"])
PRIOR, CONCOMITANT = _starting("prior_"), _starting("concomitant_")
ADVERSE_EFFECTS, SEVERITIES = _starting("ae_"), _starting("severity_")
CHARACTERISTICS = tuple(
    name for name in FLAGS if name not in (*PRIOR, *CONCOMITANT, *ADVERSE_EFFECTS)
)
STOP_REASONS = tuple(str(PATIENTS.loc["stop_reason", "allowed"]).split("|"))


@lru_cache(maxsize=4096)
def exact(value: float | Fraction) -> Fraction:
    """Return a number of a table as the decimal that was written, not as the nearest float.

    Nine decimals are kept, more than any measurement has.
    """
    return value if isinstance(value, Fraction) else Fraction(str(round(float(value), 9)))


@dataclass(frozen=True)
class Tables:
    """One cohort: its patients, its visits and the windows they are read with.

    Parameters
    ----------
    patients : DataFrame
        One row per patient.
    visits : DataFrame
        One row per patient, month and measure.
    windows : Windows
        Which visits count.

    Raises
    ------
    ValueError
        If a column is missing; if a patient is named twice or a visit's patient is unknown; if a
        patient has two records of a measure in one month; if a measure is unknown, or a month or a
        value is no number; if there is more than one cohort in a table.
    """

    patients: pd.DataFrame
    visits: pd.DataFrame
    windows: Windows

    def __post_init__(self) -> None:
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
            if not pd.api.types.is_numeric_dtype(visits[column]) or visits[column].isna().any():
                raise ValueError(f"visits, column {column}: allowed are numbers, none empty")
        keys = list(VISIT_COLUMNS[:3])
        for name, rows, words in (
            ("patients", patients[patients[["patient"]].duplicated()], "one row a patient"),
            ("visits", visits[~visits["patient"].isin(patients["patient"])], "known patients"),
            ("visits", visits[~visits["measure"].isin(MEASURES)], f"measures {' '.join(MEASURES)}"),
            ("visits", visits[visits.duplicated(keys)], "one record of a measure in a month"),
        ):
            if len(rows):
                found = " ".join(map(str, rows.iloc[0][keys if name == "visits" else ["patient"]]))
                raise ValueError(f"{name}: found {found}, allowed are {words}")

    @cached_property
    def size(self) -> int:
        """Number of patients."""
        return len(self.patients)

    @cached_property
    def by_patient(self) -> pd.DataFrame:
        """The patients, indexed by name."""
        return self.patients.set_index("patient")

    @cached_property
    def _records(self) -> dict[str, pd.DataFrame]:
        return {str(name): part for name, part in self.visits.groupby("measure", observed=True)}

    @cached_property
    def _pairs(self) -> dict[tuple[str, int, bool], pd.DataFrame]:
        return {}

    def records(self, measure: str) -> pd.DataFrame:
        """Return the records of one measure; an empty table if there are none."""
        return self._records.get(measure, self.visits.iloc[:0])

    def baseline(self, measure: str, *, restricted: bool = False) -> pd.Series[float]:
        """Return the baseline of a measure by patient, in its primary or restricted window."""
        name = "baseline_window" if measure == "mrss" else "organ_baseline_window"
        width = getattr(self.windows, f"restricted_{name}" if restricted else name)
        return at_baseline(self.records(measure), width)

    def followup(self, measure: str, month: int, *, restricted: bool = False) -> pd.Series[float]:
        """Return a measure at a target month by patient, in its primary or restricted window."""
        windows = self.windows
        if measure in ("mrss", "tfr"):
            tolerance = windows.followup_tolerance
        elif restricted:
            tolerance = windows.restricted_organ_followup_tolerance
        else:
            tolerance = windows.organ_followup_tolerance
        targets = windows.targets if measure == "mrss" else ()
        return at_target(self.records(measure), month, tolerance, windows.rule, targets)

    def pairs(self, measure: str, month: int, *, restricted: bool = False) -> pd.DataFrame:
        """Return the patients with both values: columns ``before`` and ``after``."""
        key = (measure, month, restricted)
        if key not in self._pairs:
            before = self.baseline(measure, restricted=restricted)
            after = self.followup(measure, month, restricted=restricted)
            both = pd.DataFrame({"before": before, "after": after.reindex(before.index)})
            self._pairs[key] = both.dropna()
        return self._pairs[key]

    @cached_property
    def serial_ck(self) -> pd.DataFrame:
        """Baseline and last creatine phosphokinase of the myositis patients with serial values.

        Serial: at least two values, one of them after the month of the first infusion. Without a
        value in the baseline window, ``before`` is empty.
        """
        myositis = self.by_patient.index[self.by_patient["myositis"] == 1]
        records = self.records("cpk").sort_values("month")
        records = records[records["patient"].isin(myositis)]
        last = records.drop_duplicates("patient", keep="last").set_index("patient")
        values = records.groupby("patient", observed=True).size().reindex(last.index)
        serial = last[(last["month"] > 0) & (values > 1)]
        before = self.baseline("cpk").reindex(serial.index)
        return pd.DataFrame({"before": before, "last": serial["value"]})
