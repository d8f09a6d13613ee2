"""Tendon friction rubs, and creatine phosphokinase after the start of treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ivig_dcssc.generator.drawing import (
    CK_NORMAL,
    Flags,
    Floats,
    NoFittingPatientsError,
    printed_number,
)
from rederive.printed.registry import Registry

RECENTLY_EXAMINED = 0.8
"""Share of the patients without rubs whose last examination lies in the tight window; ours."""

EXAMINED_AGAIN = 0.9
NEW_RUBS = 0.04
"""Of the patients without rubs: share followed at month 6, and of these with new rubs; ours."""


@dataclass(frozen=True, slots=True)
class Rubs:
    """Rubs in the primary windows.

    Parameters
    ----------
    baseline, followup : array of float, shape (patients,)
        1 with rubs, 0 without; at follow-up (month 6) NaN where unknown.
    recent : array of bool, shape (patients,)
        Whose baseline record lies in the tight window.
    """

    baseline: Floats
    followup: Floats
    recent: Flags


def draw_rubs(
    registry: Registry, rng: np.random.Generator, *, followed: Flags, seen_before: Flags
) -> Rubs:
    """Draw rubs with the published counts.

    Parameters
    ----------
    followed : array of bool, shape (patients,)
        Who has a skin score at month 6; of the others with rubs, as many as may be are unknown.
    seen_before : array of bool, shape (patients,)
        Who was ill long enough for a record before the tight window; others have none only there
        where the counts ask for it.

    Raises
    ------
    NoFittingPatientsError
        If too many of those whose rubs could last are unknown later; another draw may do.
    """
    count = partial(printed_number, registry)
    patients = count("table1-cohort-size-ivig-n")
    present = count("table1-tfr-ivig-baseline-count")
    lasting = count("results-tfr-continued-ivig-m6-count")
    unknown = count("results-tfr-unknown-ivig-m6-count")
    recent = count("appendix2-tfr-restricted-ivig-baseline-count")
    lasting_recent = count("appendix2-tfr-continued-restricted-ivig-m6-count")
    older = present - recent
    with_rubs = rng.permutation(patients)[:present]
    # Those who cannot have been seen long before come last, and so into the tight window.
    with_rubs = with_rubs[np.argsort(~seen_before[with_rubs], kind="stable")]
    last_seen_early = np.zeros(patients, np.bool_)
    last_seen_early[with_rubs[:older]] = True
    never_again = with_rubs[np.argsort(followed[with_rubs], kind="stable")][:unknown]
    if followed[never_again].all():
        never_again = rng.permutation(with_rubs)[:unknown]
    still = [who for who in rng.permutation(with_rubs) if who not in never_again]
    early = [who for who in still if last_seen_early[who]][: lasting - lasting_recent]
    late = [who for who in still if not last_seen_early[who]][:lasting_recent]
    if len(early) + len(late) < lasting:
        raise NoFittingPatientsError(
            f"rubs: {lasting} lasting cannot be found beside {unknown} unknown"
        )
    baseline = np.zeros(patients)
    baseline[with_rubs] = 1.0
    followup = np.where(rng.random(patients) < NEW_RUBS, 1.0, 0.0)
    followup[(rng.random(patients) >= EXAMINED_AGAIN) | ~followed] = np.nan
    followup[with_rubs] = 0.0
    followup[never_again] = np.nan
    followup[[*early, *late]] = 1.0
    absent = baseline == 0
    not_lately = absent & seen_before & (rng.random(patients) >= RECENTLY_EXAMINED)
    return Rubs(baseline, followup, ~(last_seen_early | not_lately))


LAST = (45, 185)
"""Range of the last value in U/L; ours."""

MOST_VALUES = 3
"""Most later values of a patient; ours."""


def draw_serial(
    baseline: Floats, myositis: Flags, count: int, rng: np.random.Generator
) -> list[int]:
    """Return the positions of the patients with myositis whose values were followed.

    All of them start above normal (``baseline`` in U/L, NaN where not measured), since in all of
    them the values became normal.
    """
    raised = np.flatnonzero(myositis & (baseline > CK_NORMAL))
    return sorted(int(who) for who in rng.permutation(raised)[:count])


def ck_course(
    before: float, months: Sequence[int], rng: np.random.Generator
) -> list[tuple[int, float]]:
    """Return later values as (month, value): falling by about equal ratios into the normal range.

    Parameters
    ----------
    before : float
        Value at baseline in U/L.
    months : sequence of int
        The patient's visits after the first infusion, rising, at least one.
    """
    places = np.unique(np.linspace(0, len(months) - 1, MOST_VALUES).round()).astype(int)
    kept = [months[place] for place in places]
    last = float(rng.integers(LAST[0], LAST[1] + 1))
    ratios = np.arange(1, len(kept) + 1) / len(kept)
    noise = np.exp(0.1 * rng.standard_normal(len(kept)))
    values = np.rint(before * (last / before) ** ratios * noise)
    values[-1] = last
    return list(zip(kept, values.tolist(), strict=True))
