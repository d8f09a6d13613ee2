"""Recomputation of printed figures from other printed figures, rounding carried through."""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from rederive.recompute.arithmetic import (
        attainable_percent,
        count_of_percent,
        n_of_count_and_percent,
        percent_of_count,
    )
    from rederive.recompute.odds_ratio import odds_ratio_figure, ratio_and_interval
    from rederive.recompute.percent import (
        attainable_denominators,
        counts,
        denominator,
        percent_to_count,
    )
    from rederive.recompute.planned.checked_claims import CheckedClaim, ClaimReach
    from rederive.recompute.proportions import Share, two_proportions
    from rederive.recompute.summaries import Scale, Summary
    from rederive.recompute.t_tests import paired_t, two_sample_t, widest_difference_interval
    from rederive.recompute.two_by_two import PrintedOddsRatio, compatible_tables
    from rederive.recompute.two_visits import (
        implied_correlation,
        implied_mean_of_missing,
        paired_t_from_marginals,
    )
    from rederive.recompute.unstated_n import Comparison, solve_n, two_sample_t_unstated_n

lazily(__name__)
