"""Consistency of printed summaries: whether any data can have been printed this way."""

from rederive.recompute.consistency.debit import debit
from rederive.recompute.consistency.grim import grim
from rederive.recompute.consistency.grimmer import grimmer
from rederive.recompute.consistency.lattice import attainable_moments, attainable_sums
from rederive.recompute.consistency.percent import (
    attainable_denominators,
    counts,
    denominator,
    percent_to_count,
)
from rederive.recompute.consistency.sd_limits import sd_limits
from rederive.recompute.consistency.statcheck import (
    Classification,
    Statistic,
    StatisticCheck,
    check_statistic,
    p_values,
)

__all__ = [
    "Classification",
    "Statistic",
    "StatisticCheck",
    "attainable_denominators",
    "attainable_moments",
    "attainable_sums",
    "check_statistic",
    "counts",
    "debit",
    "denominator",
    "grim",
    "grimmer",
    "p_values",
    "percent_to_count",
    "sd_limits",
]
