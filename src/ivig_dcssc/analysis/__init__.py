"""The article's analysis of a cohort: every published figure and claim of the IVIG group."""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from ivig_dcssc.analysis.choices import Choices
    from ivig_dcssc.analysis.loading import Ensembles, load_ensembles, open_cohort
    from ivig_dcssc.analysis.results import CohortResults

lazily(__name__)
