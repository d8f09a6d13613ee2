"""Printed numbers, their intervals, the registry that holds them, and the words for verdicts."""

from rederive.printed.evidence import Evidence, Verdict
from rederive.printed.interval import Interval
from rederive.printed.number import (
    P_VALUE_DOMAIN,
    PrintedNumber,
    format_fixed,
    format_like,
    outward,
    parse,
    parse_range,
    parse_with_spread,
    plain,
    readings,
    require_figure,
    require_printed,
    require_sd,
    written,
)
from rederive.printed.rounding import RoundingRule, preimage, round_to, rounded_figures
