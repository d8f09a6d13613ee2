"""The independent check that a cohort prints what the article prints.

It trusts nothing and shares no code with what reconstructs a cohort: plain pandas, SciPy and
statsmodels on the two tables, written from the article's text, and a comparison of texts.
"""

from ivig_dcssc.checker.coherence import incoherences
from ivig_dcssc.checker.rows import check_cohort, failures, read_tables, unchecked
from ivig_dcssc.checker.windows import Windows

__all__ = [
    "Windows",
    "check_cohort",
    "failures",
    "incoherences",
    "read_tables",
    "unchecked",
]
