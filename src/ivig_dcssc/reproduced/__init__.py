"""The published figures of the IVIG group, computed from reconstructed or own cohorts."""

from ivig_dcssc.reproduced.choices import Choices
from ivig_dcssc.reproduced.loading import Ensembles, load_ensembles, open_cohort
from ivig_dcssc.reproduced.results import CohortResults

__all__ = ["Choices", "CohortResults", "Ensembles", "load_ensembles", "open_cohort"]
