"""The independent check that a cohort prints what the article prints.

It trusts nothing and shares no code with what reconstructs a cohort: plain arithmetic on the two
tables, written from the article's text and held against SciPy and statsmodels by tests, and a
comparison of texts, which it has in common with the checker of described studies.
"""

from ivig_dcssc.checker.coherence import incoherences
from ivig_dcssc.checker.rows import check_cohort, is_about_a_cohort
from ivig_dcssc.checker.tables import Tables, Windows

__all__ = ["Tables", "Windows", "check_cohort", "incoherences", "is_about_a_cohort"]
