"""Dated raw visits of one cohort: from values in the article's windows to records in months.

Read with the article's windows, the records give back the values, numbers and gaps that they were
made from. What lies outside the windows (earlier visits, visits just beside a window, later organ
records) is synthetic by construction: the skin gets worse before treatment, as patients treated for
active disease do, and later scores follow the trajectory that the skin block drew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from ivig_dcssc.generator.coherence import lung_grade
from ivig_dcssc.generator.drawing import Flags, Floats, alpha_of, printed_number
from ivig_dcssc.generator.measures import CK_SERIAL_ID, LUNG_FUNCTION, scale_of
from ivig_dcssc.generator.skin import MEASURE as SKIN
from ivig_dcssc.generator.visits.dates import Dates, Needs, draw_oldest, visit_windows
from ivig_dcssc.generator.visits.rubs import Rubs, ck_course, draw_serial
from ivig_dcssc.generator.visits.severities import LUNG, RENAL, Severities
from ivig_dcssc.generator.visits.timing import (
    CLINIC,
    SEVERITY_PREFIX,
    Measured,
    Timing,
    draw_timing,
    group_of,
)
from rederive.printed.registry import Registry

COLUMNS = ("patient", "month", "measure", "value")

Unnamed = tuple[int, str, float]
Record = tuple[str, int, str, float]
Near = tuple[float, float, bool]
"""Values in the windows, and whether the first is recent and so is what it is graded with."""

Ends = Mapping[str, tuple[float, float]]

RUBS = "tfr"
CK = "cpk"
LUNG_SCORE = SEVERITY_PREFIX + LUNG

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


def seen_before(characteristics: pd.DataFrame, registry: Registry) -> Flags:
    """Return who was ill long enough for a record before the tight organ window."""
    limit = visit_windows(registry).tight_organ_baseline
    return np.asarray(characteristics["disease_duration"] > limit)


def date_visits(
    skin_values: Floats,
    skin_mask: Flags,
    measured: Sequence[Measured],
    severities: Severities,
    rubs: Rubs,
    characteristics: pd.DataFrame,
    rng: np.random.Generator,
    registry: Registry,
    *,
    graded: bool = False,
) -> pd.DataFrame:
    """Return the visits of one cohort.

    Of the skin, values and mask have shape (patients, times), in points at baseline and the
    targets; where not measured, a value is what the patient's score was taken to be, used for
    visits beside the windows. ``measured`` has all other measures but severity scores and rubs,
    ``characteristics`` the patients in the order of the arrays. ``graded`` says whether the lung's
    severity is the grade of lung function at further visits too.

    Returns
    -------
    DataFrame
        ``patient``, ``month`` (int), ``measure`` and ``value`` (float), sorted by the first three.
    """
    windows = visit_windows(registry)
    alpha = alpha_of(registry)
    organs = [*severities.scores.values(), *measured]
    target = 1 + windows.targets.index(windows.organ_target)
    timing = draw_timing(
        measured,
        severities.tight,
        np.any([np.isfinite(each.change) for each in severities.scores.values()], axis=0),
        seen_before=seen_before(characteristics, registry),
        seen_at_target=skin_mask[:, target],
        alpha=alpha,
        rng=rng,
    )
    oldest = draw_oldest(skin_values, skin_mask, alpha, rng)
    needs = _needs(skin_mask, oldest, organs, timing, rubs, characteristics)
    dates = [Dates(need, windows, rng).draw() for need in needs]
    ck, rvsp = (next(x.baseline for x in measured if x.measure == name) for name in (CK, "rvsp"))
    count = printed_number(registry, CK_SERIAL_ID)
    serial = draw_serial(ck, characteristics["myositis"].eq(1).to_numpy(), count, rng)
    names = characteristics["patient"].tolist()
    records = [record for each in organs for record in _organ_records(names, each, dates, timing)]
    drifting = [each for each in organs if each.measure.startswith((*DRIFT, SEVERITY_PREFIX))]
    near = {each.measure: _in_windows(each, timing, graded) for each in drifting}
    ends = {measure: _ends(measure, registry) for measure in near}
    further: list[tuple[int, int, dict[str, float]]] = []
    for row, (name, own) in enumerate(zip(names, dates, strict=True)):
        of_skin = _skin_records(own, skin_values[row], skin_mask[row], _ends(SKIN, registry))
        records.extend((name, *each) for each in (*of_skin, *_rubs_records(own, rubs, row)))
        nearest = {measure: of_patients[row] for measure, of_patients in near.items()}
        further.extend((row, *visit) for visit in _further_visits(own, nearest, ends))
        if row in serial:
            months = own.after() or [windows.targets[0]]
            records.extend((name, m, CK, v) for m, v in ck_course(float(ck[row]), months, rng))
    if graded:
        _grade_lungs([values for *_, values in further], rvsp[[row for row, *_ in further]])
    for row, month, values in further:
        records.extend((names[row], month, measure, value) for measure, value in values.items())
    return pd.DataFrame(sorted(records), columns=list(COLUMNS))


def _needs(
    skin_mask: Flags,
    oldest: Flags,
    organs: Iterable[Measured],
    timing: dict[str, Timing],
    rubs: Rubs,
    characteristics: pd.DataFrame,
) -> list[Needs]:
    old = np.isfinite(rubs.baseline) & ~rubs.recent
    near, far = np.zeros_like(old), np.zeros_like(old)
    for each in organs:
        when = timing[group_of(each.measure)]
        old |= np.isfinite(each.baseline) & ~when.recent
        near |= np.isfinite(each.followup) & when.near
        far |= np.isfinite(each.followup) & ~when.near
    columns = (
        *(skin_mask, oldest, old, near, far, np.isfinite(rubs.followup)),
        characteristics["disease_duration"].to_numpy(np.float64),
        np.nan_to_num(characteristics["death_month"].to_numpy(np.float64), nan=math.inf),
        characteristics["stop_reason"].ne("moved").to_numpy(),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Needs(*row) for row in rows]


def _skin_records(
    dates: Dates, values: Floats, mask: Flags, ends: tuple[float, float]
) -> Iterator[Unnamed]:
    def score(value: float) -> float:
        value += SKIN_NOISE * dates.rng.standard_normal()
        return float(min(max(round(value), ends[0]), ends[1]))

    if mask[0]:
        yield dates.baseline, SKIN, float(values[0])
    rise = dates.rng.uniform(*WORSENING) / 6
    for month in ([dates.again] if dates.again is not None else []) + dates.earlier:
        yield month, SKIN, score(values[0] - rise * (dates.baseline - month))
    knots = [dates.baseline, *(dates.followup.get(t, t) for t in dates.windows.targets)]
    for time, target in enumerate(dates.windows.targets, start=1):
        if mask[time]:
            yield dates.followup[target], SKIN, float(values[time])
    for month in dates.between:
        yield month, SKIN, score(float(np.interp(month, knots, values)))


def _rubs_records(dates: Dates, rubs: Rubs, row: int) -> Iterator[Unnamed]:
    before, after, recent = rubs.baseline[row], rubs.followup[row], rubs.recent[row]
    if math.isfinite(before):
        yield dates.baseline if recent else dates.earlier[0], RUBS, float(before)
        for month in dates.earlier[0 if recent else 1 :]:
            if dates.rng.random() < FURTHER:
                yield month, RUBS, float(before and dates.rng.random() < 0.5)
    if math.isfinite(after) and dates.rubs is not None:
        yield dates.rubs, RUBS, float(after)
        beyond = dates.windows.skin_months(dates.windows.targets[0])[-1]
        for month in dates.after():
            if month > beyond and dates.rng.random() < FURTHER:
                yield month, RUBS, float(after and dates.rng.random() < 0.5)


def _organ_records(
    names: Sequence[str], each: Measured, dates: Sequence[Dates], timing: Mapping[str, Timing]
) -> Iterator[Record]:
    when = timing[group_of(each.measure)]
    columns = each.baseline, each.followup, when.recent, when.near
    rows = zip(names, dates, *(column.tolist() for column in columns), strict=True)
    for name, own, before, after, recent, near in rows:
        if math.isfinite(before):
            yield name, own.baseline if recent else own.earlier[0], each.measure, before
        month = own.near if near else own.far
        if math.isfinite(after) and month is not None:
            yield name, month, each.measure, after


def _in_windows(each: Measured, timing: Mapping[str, Timing], graded: bool) -> list[Near]:
    recent = timing[group_of(each.measure)].recent
    if graded and each.measure in LUNG_FUNCTION:
        recent = recent & timing[CLINIC].recent
    columns = each.baseline, each.followup, recent
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _further_visits(
    dates: Dates, near: Mapping[str, Near], ends: Ends
) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield months and records that no window takes: before the baseline, or after follow-up."""
    last = dates.windows.organ_target + dates.windows.organ_tolerance
    later = [month for month in dates.after() if month > last]
    for month in [*dates.earlier, *later]:
        if dates.rng.random() >= FURTHER:
            continue
        values: dict[str, float] = {}
        for measure, (before, after, recent) in near.items():
            nearest = before if month < 0 else after
            in_window = month < 0 and not recent and month >= dates.earlier[0]
            # Where nothing was measured in the windows, there is nothing beside them to start from.
            if math.isfinite(nearest) and not in_window:
                values[measure] = _drifted(nearest, measure, ends, dates.rng)
        yield month, values


def _grade_lungs(visits: Sequence[dict[str, float]], rvsp: Floats) -> None:
    """Make the lung's severity, in place, the grade of what was measured at each of some visits."""
    fvc, dlco = np.array([[each.get(name, np.nan) for each in visits] for name in LUNG_FUNCTION])
    grades = lung_grade(fvc, dlco, rvsp)
    for values, grade in zip(visits, grades.tolist(), strict=True):
        if values.pop(LUNG_SCORE, None) is not None and math.isfinite(grade):
            values[LUNG_SCORE] = grade


def _ends(measure: str, registry: Registry) -> tuple[float, float]:
    """Return least and greatest value of a measure, the physiologic ones if it drifts."""
    scale = registry.variables[measure]
    if measure in DRIFT:
        physiologic = scale_of(scale, measure)
        return float(physiologic.minimum), float(physiologic.maximum)
    return float(scale.minimum or 0), float(scale.maximum or math.inf)


def _drifted(value: float, measure: str, ends: Ends, rng: np.random.Generator) -> float:
    """Return a value near another one, between the ends of its measure."""
    if measure in DRIFT:
        sd, step = DRIFT[measure]
        value = round(round((value + sd * rng.standard_normal()) / step) * step, 3)
    elif measure != SEVERITY_PREFIX + RENAL and rng.random() < SEVERITY_MOVES:
        value += 1 if rng.random() < 0.5 else -1
    return float(min(max(value, ends[measure][0]), ends[measure][1]))
