"""The methods of a before-after study on visit-level data, for one cohort or many at once."""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from rederive.retrospective.codebook import Codebook, Entry
    from rederive.retrospective.cohort import Cohort, read_cohort, write_cohort, write_templates
    from rederive.retrospective.describe import describe_flag, describe_number
    from rederive.retrospective.keys import key_index
    from rederive.retrospective.paired import change, paired_change, response, signed_rank
    from rederive.retrospective.regression import linear, logistic
    from rederive.retrospective.two_sample import two_sample
    from rederive.retrospective.validation import CohortError
    from rederive.retrospective.windows import Windows, at_baseline, at_followup, measured

lazily(__name__)
