"""What was measured of each patient, before it has dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SEVERITY_PREFIX = "severity_"


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure in the article's primary windows.

    Parameters
    ----------
    measure : str
        Its name among the visits.
    baseline, followup : array of float, shape (patients,)
        Values, NaN where not measured; all NaN where there is no follow-up.
    target : int
        Month of the follow-up.
    """

    measure: str
    baseline: FloatArray
    followup: FloatArray
    target: int = 12

    @property
    def paired(self) -> Flags:
        """Who has both values, shape (patients,)."""
        return np.asarray(np.isfinite(self.baseline) & np.isfinite(self.followup))
