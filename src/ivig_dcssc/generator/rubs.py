"""Tendon friction rubs: who had them before treatment, when last seen, and at month 6."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ivig_dcssc.generator.drawing import NoFittingPatientsError
from ivig_dcssc.generator.measured import Flags, FloatArray
from rederive.printed.registry import Registry

RECENTLY_EXAMINED = 0.8
"""Share of the patients without rubs whose last examination lies in the tight window; ours."""

EXAMINED_AGAIN = 0.9
NEW_RUBS = 0.04
"""Of the patients without rubs: share examined at month 6, and of these with new rubs; ours."""


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

    baseline: FloatArray
    followup: FloatArray
    recent: Flags


def draw_rubs(
    registry: Registry,
    rng: np.random.Generator,
    *,
    followed: Flags | None = None,
    seen_before: Flags | None = None,
) -> Rubs:
    """Draw rubs with the published counts.

    Parameters
    ----------
    registry : Registry
        The article's registry.
    rng : Generator
        Source of all randomness.
    followed : array of bool, shape (patients,), optional
        Who has a skin score at month 6; of the others with rubs, as many as may be are unknown.
    seen_before : array of bool, shape (patients,), optional
        Who was ill long enough for a record before the tight window; others have none only there
        where the counts ask for it.

    Raises
    ------
    ValueError
        If the printed counts contradict each other.
    NoFittingPatientsError
        If too many of those whose rubs could last are unknown later; another draw may do.
    """

    def count(row_id: str) -> int:
        return int(registry.numbers[row_id].printed.value)

    patients = count("table1-cohort-size-ivig-n")
    present = count("table1-tfr-ivig-baseline-count")
    lasting = count("results-tfr-continued-ivig-m6-count")
    unknown = count("results-tfr-unknown-ivig-m6-count")
    recent = count("appendix2-tfr-restricted-ivig-baseline-count")
    lasting_recent = count("appendix2-tfr-continued-restricted-ivig-m6-count")
    older = present - recent
    if older < 0 or not 0 <= lasting - lasting_recent <= older or lasting_recent > recent:
        raise ValueError(
            f"rubs: {present} patients, {lasting} of them lasting, contradict {recent} and "
            f"{lasting_recent} in the tight window"
        )
    known = np.ones(patients, np.bool_)
    examined = known if followed is None else followed
    long_ill = known if seen_before is None else seen_before
    with_rubs = rng.permutation(patients)[:present]
    # Those who cannot have been seen long before come last, and so into the tight window.
    with_rubs = with_rubs[np.argsort(~long_ill[with_rubs], kind="stable")]
    last_seen_early = np.zeros(patients, np.bool_)
    last_seen_early[with_rubs[:older]] = True
    never_again = with_rubs[np.argsort(examined[with_rubs], kind="stable")][:unknown]
    if examined[never_again].all():
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
    followup[(rng.random(patients) >= EXAMINED_AGAIN) | ~examined] = np.nan
    followup[with_rubs] = 0.0
    followup[never_again] = np.nan
    followup[[*early, *late]] = 1.0
    absent = baseline == 0
    not_lately = absent & long_ill & (rng.random(patients) >= RECENTLY_EXAMINED)
    return Rubs(baseline, followup, ~(last_seen_early | not_lately))
