"""Dated raw visits of one cohort: from values in the article's windows to records in months.

Read with the article's windows, the records give back the values, numbers and gaps that they were
made from. What lies outside the windows (earlier visits, visits just beside a window, later organ
records) is synthetic by construction: the skin gets worse before treatment, as patients treated for
active disease do, and later scores follow the trajectory that the skin block drew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ivig_dcssc.generator import serial_ck
from ivig_dcssc.generator.dates import Dates, Needs, draw_dates, draw_oldest
from ivig_dcssc.generator.measured import SEVERITY_PREFIX, Flags, FloatArray, Measured
from ivig_dcssc.generator.organ_timing import CLINIC, Timing, draw_timing, group_of
from ivig_dcssc.generator.rubs import Rubs
from ivig_dcssc.generator.severities import RENAL, Severities
from ivig_dcssc.generator.skin import MEASURE as SKIN
from ivig_dcssc.generator.windows import VisitWindows, visit_windows
from rederive.printed.registry import Registry, VariableRow

__all__ = ["COLUMNS", "Measured", "date_visits", "ill_for", "seen_before"]

COLUMNS = ("patient", "month", "measure", "value")

Record = tuple[str, int, str, float]

RUBS = "tfr"
CK = "cpk"

WORSENING = (1.0, 6.0)
"""Range of the rise of the skin score in six months before treatment, in points; ours."""

SKIN_NOISE = 1.0
"""SD of a skin score outside the windows around its trajectory, in points; ours."""

FURTHER = 0.5
"""Share of further visits at which organs and function are recorded again; ours."""

DRIFT = {
    "haq_di": (0.125, 0.125),
    "patient_rating": (0.2, 0.01),
    "fvc": (3.0, 1.0),
    "dlco": (4.0, 1.0),
}
"""SD of a further record around the patient's nearest value, and step of the measure; ours."""

SEVERITY_MOVES = 0.15
"""Probability that a further severity score is one grade off the nearest one; ours."""


def ill_for(characteristics: pd.DataFrame) -> FloatArray:
    """Return months from the first symptom to month 0, infinite where unknown.

    Parameters
    ----------
    characteristics : DataFrame
        One row per patient; ``disease_duration`` is used if it is there.
    """
    if "disease_duration" not in characteristics:
        return np.full(len(characteristics), math.inf)
    months = characteristics["disease_duration"].fillna(math.inf)
    return months.to_numpy(dtype=np.float64)


def seen_before(characteristics: pd.DataFrame, registry: Registry) -> Flags:
    """Return who was ill long enough for a record before the tight organ window."""
    return np.asarray(ill_for(characteristics) > visit_windows(registry).tight_organ_baseline)


def date_visits(
    skin_values: FloatArray,
    skin_mask: Flags,
    measured: Sequence[Measured],
    severities: Severities,
    rubs: Rubs,
    characteristics: pd.DataFrame,
    rng: np.random.Generator,
    registry: Registry,
) -> pd.DataFrame:
    """Return the visits of one cohort.

    Parameters
    ----------
    skin_values : array, shape (patients, times)
        Skin scores at baseline and the targets in points; where not measured, what the patient's
        score was taken to be, used for visits beside the windows.
    skin_mask : array of bool, shape (patients, times)
        What was measured.
    measured : sequence of Measured
        All other measures but severity scores and rubs.
    severities : Severities
        Severity scores.
    rubs : Rubs
        Friction rubs.
    characteristics : DataFrame
        One row per patient, in the order of the arrays: ``patient``, ``myositis``, ``death_month``,
        ``stop_reason`` and, if there, ``disease_duration`` (no visits before the first symptom
        unless the counts need one).
    rng : Generator
        Source of all randomness.
    registry : Registry
        The article's registry: windows, level of significance, scales, number with serial CK.

    Returns
    -------
    DataFrame
        ``patient``, ``month`` (int), ``measure`` and ``value`` (float), sorted by the first three.

    Raises
    ------
    ValueError
        If shapes differ, somebody has values after death, or too few patients with myositis have
        a raised creatine phosphokinase.
    """
    windows = visit_windows(registry)
    alpha = float(registry.numbers["methods-alpha-alpha"].printed.value)
    _check_shapes(skin_values, skin_mask, measured, severities, rubs, characteristics, windows)
    skin = np.asarray(skin_values, np.float64)
    duration = ill_for(characteristics)
    organs = [*severities.measured(), *measured]
    target = 1 + windows.targets.index(windows.organ_target)
    timing = draw_timing(
        measured,
        severities.tight,
        np.any([each.paired for each in severities.measured()], axis=0),
        seen_before=seen_before(characteristics, registry),
        seen_at_target=skin_mask[:, target],
        alpha=alpha,
        rng=rng,
    )
    oldest = draw_oldest(skin, skin_mask, alpha, rng)
    needs = _needs(skin_mask, oldest, organs, timing, rubs, characteristics, duration)
    names = [str(name) for name in characteristics["patient"]]
    dates = []
    for name, need in zip(names, needs, strict=True):
        try:
            dates.append(draw_dates(need, windows, rng))
        except ValueError as error:
            raise ValueError(f"patient {name}, {error}") from None
    serial = _serial_ck(measured, characteristics, registry, rng)
    records: list[Record] = []
    for row, name in enumerate(names):
        one = _Patient(name, row, dates[row], needs[row], windows, rng)
        records.extend(_skin_records(one, skin[row], skin_mask[row], registry.variables[SKIN]))
        records.extend(_rubs_records(one, rubs))
        for each in organs:
            when = timing[_timing_group(each.measure)]
            records.extend(_organ_records(one, each, when))
        records.extend(_further_records(one, organs, timing, registry))
        if row in serial:
            months = one.dates.after() or [windows.targets[0]]
            records.extend((name, m, CK, v) for m, v in serial_ck.course(serial[row], months, rng))
    return pd.DataFrame(sorted(records), columns=list(COLUMNS))


@dataclass(frozen=True, slots=True)
class _Patient:
    name: str
    row: int
    dates: Dates
    needs: Needs
    windows: VisitWindows
    rng: np.random.Generator


def _check_shapes(
    skin_values: FloatArray,
    skin_mask: Flags,
    measured: Sequence[Measured],
    severities: Severities,
    rubs: Rubs,
    characteristics: pd.DataFrame,
    windows: VisitWindows,
) -> None:
    patients = len(characteristics)
    shape = (patients, 1 + len(windows.targets))
    named = {"skin_values": skin_values, "skin_mask": skin_mask}
    for name, array in named.items():
        if np.shape(array) != shape:
            raise ValueError(f"{name}: found shape {np.shape(array)}, allowed is {shape}")
    columns = {
        "severities": severities.tight,
        "rubs": rubs.baseline,
        **{each.measure: each.baseline for each in measured},
        **{f"{each.measure} at follow-up": each.followup for each in measured},
    }
    for name, array in columns.items():
        if np.shape(array) != (patients,):
            raise ValueError(f"{name}: found shape {np.shape(array)}, allowed is {(patients,)}")
    for each in measured:
        if each.target != windows.organ_target:
            raise ValueError(
                f"{each.measure}: found target {each.target}, allowed is {windows.organ_target}"
            )


def _timing_group(measure: str) -> str:
    return CLINIC if measure.startswith(SEVERITY_PREFIX) else group_of(measure)


def _needs(
    skin_mask: Flags,
    oldest: Flags,
    organs: Iterable[Measured],
    timing: dict[str, Timing],
    rubs: Rubs,
    characteristics: pd.DataFrame,
    duration: FloatArray,
) -> list[Needs]:
    old = np.isfinite(rubs.baseline) & ~rubs.recent
    near, far = np.zeros_like(old), np.zeros_like(old)
    for each in organs:
        when = timing[_timing_group(each.measure)]
        old |= np.isfinite(each.baseline) & ~when.recent
        near |= np.isfinite(each.followup) & when.near
        far |= np.isfinite(each.followup) & ~when.near
    looked_for = np.isfinite(rubs.followup)
    death = characteristics["death_month"].astype(float).fillna(math.inf).to_numpy()
    moved = characteristics["stop_reason"].eq("moved").to_numpy()
    return [
        Needs(
            tuple(skin_mask[p].tolist()),
            bool(oldest[p]),
            bool(old[p]),
            bool(near[p]),
            bool(far[p]),
            bool(looked_for[p]),
            float(duration[p]),
            float(death[p]),
            not moved[p],
        )
        for p in range(len(old))
    ]


def _serial_ck(
    measured: Sequence[Measured],
    characteristics: pd.DataFrame,
    registry: Registry,
    rng: np.random.Generator,
) -> dict[int, float]:
    """Return the baseline values of the patients with serial values, by position."""
    ck = next((each for each in measured if each.measure == CK), None)
    if ck is None:
        return {}
    count = int(registry.numbers["results-cpk-serial-ivig-count"].printed.value)
    myositis = characteristics["myositis"].eq(1).to_numpy()
    followed = serial_ck.draw_serial(ck.baseline, myositis, count, rng)
    return {who: float(ck.baseline[who]) for who in followed}


def _skin_records(
    one: _Patient, values: FloatArray, mask: Flags, scale: VariableRow
) -> Iterator[Record]:
    dates, windows, rng = one.dates, one.windows, one.rng
    low, high = float(scale.minimum or 0), float(scale.maximum or math.inf)

    def score(value: float) -> float:
        return float(min(max(round(value + SKIN_NOISE * rng.standard_normal()), low), high))

    if mask[0]:
        yield one.name, dates.baseline, SKIN, float(values[0])
    rise = rng.uniform(*WORSENING) / 6
    for month in ([dates.again] if dates.again is not None else []) + dates.earlier:
        yield one.name, month, SKIN, score(values[0] - rise * (dates.baseline - month))
    knots = [dates.baseline, *(dates.followup.get(t, t) for t in windows.targets)]
    for time, target in enumerate(windows.targets, start=1):
        if mask[time]:
            yield one.name, dates.followup[target], SKIN, float(values[time])
    for month in dates.between:
        yield one.name, month, SKIN, score(float(np.interp(month, knots, values)))


def _rubs_records(one: _Patient, rubs: Rubs) -> Iterator[Record]:
    dates, before, after = one.dates, rubs.baseline[one.row], rubs.followup[one.row]
    if np.isfinite(before):
        recent = rubs.recent[one.row]
        yield one.name, dates.baseline if recent else dates.earlier[0], RUBS, float(before)
        for month in dates.earlier[0 if recent else 1 :]:
            if one.rng.random() < FURTHER:
                yield one.name, month, RUBS, float(before and one.rng.random() < 0.5)
    if np.isfinite(after) and dates.rubs is not None:
        yield one.name, dates.rubs, RUBS, float(after)
        beyond = one.windows.skin_months(one.windows.targets[0])[-1]
        for month in dates.after():
            if month > beyond and one.rng.random() < FURTHER:
                yield one.name, month, RUBS, float(after and one.rng.random() < 0.5)


def _organ_records(one: _Patient, each: Measured, when: Timing) -> Iterator[Record]:
    dates, before, after = one.dates, each.baseline[one.row], each.followup[one.row]
    if np.isfinite(before):
        month = dates.baseline if when.recent[one.row] else dates.earlier[0]
        yield one.name, month, each.measure, float(before)
    month_after = dates.near if when.near[one.row] else dates.far
    if np.isfinite(after) and month_after is not None:
        yield one.name, month_after, each.measure, float(after)


def _further_records(
    one: _Patient, organs: Sequence[Measured], timing: dict[str, Timing], registry: Registry
) -> Iterator[Record]:
    """Yield records that no window takes: older than the baseline, or later than the follow-up."""
    last = one.windows.organ_target + one.windows.organ_tolerance
    later = [month for month in one.dates.after() if month > last]
    for month in [*one.dates.earlier, *later]:
        if one.rng.random() >= FURTHER:
            continue
        for each in organs:
            drifts = each.measure in DRIFT or each.measure.startswith(SEVERITY_PREFIX)
            nearest = (each.baseline if month < 0 else each.followup)[one.row]
            # Where nothing was measured in the windows, there is nothing beside them to start from.
            if not drifts or not np.isfinite(nearest):
                continue
            recent = timing[_timing_group(each.measure)].recent[one.row]
            if month < 0 and not recent and month >= one.dates.earlier[0]:
                continue
            scale = registry.variables[each.measure]
            value = _drifted(float(nearest), each.measure, scale, one.rng)
            yield one.name, month, each.measure, value


def _drifted(value: float, measure: str, scale: VariableRow, rng: np.random.Generator) -> float:
    """Return a value near another one, on the scale of its measure."""
    if measure in DRIFT:
        sd, step = DRIFT[measure]
        value = round(round((value + sd * rng.standard_normal()) / step) * step, 3)
    elif measure != SEVERITY_PREFIX + RENAL and rng.random() < SEVERITY_MOVES:
        value += 1 if rng.random() < 0.5 else -1
    low, high = float(scale.minimum or 0), float(scale.maximum or math.inf)
    return float(min(max(value, low), high))
