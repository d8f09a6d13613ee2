"""Consistency of printed summaries: whether any data can have been printed this way."""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from rederive.consistency.grim import grim
    from rederive.consistency.grimmer import debit, grimmer
    from rederive.consistency.sd_limits import sd_limits
    from rederive.consistency.statcheck import (
        Classification,
        Statistic,
        StatisticCheck,
        check_statistic,
        p_values,
    )

lazily(__name__)
