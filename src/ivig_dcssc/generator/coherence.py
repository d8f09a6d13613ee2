"""How what is known of one patient goes together: rules of our own, each of which can be left out.

The article prints nothing that ties one measure to another within a patient. Put together at
random, its figures make patients whom nobody would believe: severe lungs with normal lung
function, treatment stopped for progression after a fall of the skin score. The rules choose among
the data that print all figures; where a figure is in their way, the figure is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment

from ivig_dcssc.generator.drawing import Floats, Integers
from ivig_dcssc.generator.measures import PAIRED
from ivig_dcssc.generator.skin import MEASURE, THRESHOLD

CORRELATIONS = "coherence-correlations"
"""Measures are put to patients so that they correlate as in :data:`AT_BASELINE`, and their changes
as in :data:`OF_CHANGE`; without it at random."""

LUNG_SEVERITY = "coherence-lung-severity"
"""The lung's severity is the grade of :data:`LUNG_GRADES`; without it, it is drawn by itself."""

STOPPING = "coherence-stopping"
"""Who stopped for improvement has a lower skin score than before, for stability a similar one, for
progression a higher one, as far as patients and the claim that no reason predicts allow."""

HEART = "coherence-heart"
"""Who died of a cardiomyopathy that existed before has a cardiac severity of two or more."""

RULES = (CORRELATIONS, LUNG_SEVERITY, STOPPING, HEART)
"""All rules; ``--without`` leaves one out."""

LUNG_GRADES = {"fvc": (80, 70, 50), "dlco": (80, 70, 50), "rvsp": (35, 50, 65)}
"""Limits of grades 1, 2 and 3: below of FVC and DLCO in percent predicted, from there up of RVSP in
mmHg; the worst counts (Medsger et al. 2003, Clin Exp Rheumatol 21 Suppl 29:S42). Grade 4 is
oxygen at home, which no measure here tells."""

AT_BASELINE = {
    # Peytrignet et al. 2018, Rheumatology 57:370 (early diffuse disease, 326 patients).
    (MEASURE, "haq_di"): 0.34,
    # Wiese et al. 2014, Arthritis Care Res 66:1731: patient's global assessment, 200 patients.
    (MEASURE, "patient_rating"): 0.37,
    # All others are ours, of the order that such measures show.
    ("haq_di", "patient_rating"): 0.5,
    ("fvc", "dlco"): 0.5,
    (MEASURE, "fvc"): -0.15,
    (MEASURE, "dlco"): -0.15,
    ("haq_di", "fvc"): -0.2,
    ("haq_di", "dlco"): -0.2,
    ("patient_rating", "fvc"): -0.2,
    ("patient_rating", "dlco"): -0.2,
    ("dlco", "rvsp"): -0.4,
    ("fvc", "rvsp"): -0.2,
}
"""Correlations before treatment across patients; 0 for pairs that are not listed."""

OF_CHANGE = {
    # Peytrignet et al. 2018, as above: changes over twelve months.
    (MEASURE, "haq_di"): 0.40,
    # Ours.
    (MEASURE, "patient_rating"): 0.40,
    ("haq_di", "patient_rating"): 0.4,
    ("fvc", "dlco"): 0.4,
    (MEASURE, "fvc"): -0.1,
    (MEASURE, "dlco"): -0.1,
    ("haq_di", "fvc"): -0.15,
    ("patient_rating", "fvc"): -0.15,
}
"""Correlations of changes from baseline to month 12 across patients."""

_ORDER = (MEASURE, *PAIRED, "rvsp")

Regression = tuple[list[float], float]


def _weights(correlations: Mapping[tuple[str, str], float]) -> list[Regression]:
    """Return of each measure the regression on those before it, and the SD of what is left."""
    size = len(_ORDER)
    matrix = np.eye(size)
    for (one, other), value in correlations.items():
        i, j = _ORDER.index(one), _ORDER.index(other)
        matrix[i, j] = matrix[j, i] = value
    found = []
    for k in range(1, size):
        slopes = np.linalg.solve(matrix[:k, :k], matrix[:k, k])
        # Rounded, so that the last bit of a processor's library changes no draw.
        left = float(np.sqrt(1 - slopes @ matrix[:k, k]))
        found.append((slopes.round(9).tolist(), round(left, 9)))
    return found


_WEIGHTS = _weights(AT_BASELINE), _weights(OF_CHANGE)
_AT_RANDOM = _weights({}), _weights({})


def matches(
    skin: Floats,
    measures: Mapping[str, Floats],
    rng: np.random.Generator,
    *,
    correlated: bool = True,
) -> Iterator[dict[str, Floats]]:
    """Yield the rows of measures put to other patients, again and again, so that they go together.

    Who was measured how often stays as it is; each measure keeps its rows, and so its figures.
    For each measure in turn, a value before and a change are drawn for every patient from the
    normal distribution given the measures before it; the rows are then given to the patients
    with the least sum of squared distances to these (an assignment problem).

    Parameters
    ----------
    skin : array, shape (patients, 5)
        Skin scores of all patients at all time points, whether measured or not.
    measures : mapping of str to array, shape (patients, times)
        One data set of :func:`~ivig_dcssc.generator.measures.sample_measures`.
    correlated : bool
        Whether measures correlate; else they are put to patients at random.
    """
    skin_scores = _standardised(skin[:, 0]), _standardised(skin[:, 2] - skin[:, 0])
    of_first, of_change = _WEIGHTS if correlated else _AT_RANDOM
    scores, alike = {}, {}
    for name in _ORDER[1:]:
        rows = measures[name]
        change = rows[:, -1] - rows[:, 0] if rows.shape[1] > 1 else rows[:, 0] * np.nan
        scores[name] = _standardised(rows[:, 0]), _standardised(change)
        kinds = np.isfinite(rows) @ (1 << np.arange(rows.shape[1]))
        alike[name] = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    while True:
        found, first, change_of = dict(measures), [skin_scores[0]], [skin_scores[1]]
        for name, first_given, change_given in zip(_ORDER[1:], of_first, of_change, strict=True):
            wanted = _given(first, first_given, rng), _given(change_of, change_given, rng)
            order = np.arange(len(skin))
            for where in alike[name]:
                distances = np.zeros((len(where), len(where)))
                for drawn, has in zip(wanted, scores[name], strict=True):
                    if np.isfinite(has[where[0]]):
                        distances += np.subtract.outer(drawn[where], has[where]) ** 2
                order[where] = where[linear_sum_assignment(distances)[1]]
            found[name] = measures[name][order]
            for column, drawn, has in zip((first, change_of), wanted, scores[name], strict=True):
                column.append(np.where(np.isfinite(has[order]), has[order], drawn))
        yield found


def _standardised(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    sd = known.std() if len(known) else 0.0
    return (values - known.mean()) / sd if sd > 0 else values * 0.0


def _given(before: list[Floats], regression: Regression, rng: np.random.Generator) -> Floats:
    slopes, sd = regression
    mean = sum(slope * values for slope, values in zip(slopes, before, strict=True))
    return np.asarray(mean + sd * rng.standard_normal(len(before[0])), np.float64)


def lung_grade(fvc: Floats, dlco: Floats, rvsp: Floats) -> Floats:
    """Return the grade of the lungs by :data:`LUNG_GRADES`, shape (patients,).

    The one echocardiogram counts at both times of FVC and DLCO; NaN where there is no lung
    function.
    """
    function = np.fmax(_grade("fvc", fvc), _grade("dlco", dlco))
    return np.where(np.isfinite(function), np.fmax(function, _grade("rvsp", rvsp)), np.nan)


def _grade(name: str, values: Floats) -> Floats:
    limits = np.array(LUNG_GRADES[name])[:, np.newaxis]
    beyond = values >= limits if limits[0] < limits[-1] else values < limits
    return np.where(np.isfinite(values), beyond.sum(axis=0), np.nan)


_UNLIKELY = 0.02
"""Weight of a patient whose course does not suit a reason, against 1; ours."""


def suits(skin: Floats, months: Integers) -> dict[str, Floats]:
    """Return how well each patient's course suits the reasons for stopping, as weights.

    Parameters
    ----------
    skin : array, shape (patients, 5)
        Skin scores of all patients at all time points, whether measured or not.
    months : array of int, shape (patients,)
        Length of treatment; the change is that of the time point nearest to its end.
    """
    last = np.clip(np.rint(months / 6).astype(np.int64), 1, skin.shape[1] - 1)
    change = skin[np.arange(len(skin)), last] - skin[:, 0]
    fitting = {
        "improvement": change < 0,
        "stable": np.abs(change) < float(THRESHOLD),
        "progressing": change > 0,
    }
    return {reason: np.where(fits, 1.0, _UNLIKELY) for reason, fits in fitting.items()}
