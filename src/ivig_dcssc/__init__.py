"""Poelman et al. 2015, intravenous immunoglobulin in diffuse cutaneous systemic sclerosis.

What a notebook of the book needs: the article's methods as `PARAMETERS`, its figures as
`published`, and `open_section`, which opens the rows of the ledger, the published figures and the
cohorts of one section under checked parameters.

Examples
--------
>>> from ivig_dcssc import PARAMETERS, published
>>> PARAMETERS["responder_threshold"].default
5
>>> str(published["abstract-mrss-change-collagen-m12-p"])
'0.005'
>>> published.table("mrss_change", timepoint="m12").loc["collagen", ["mean", "sd"]].to_list()
[-3.4, 7.12]
"""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from ivig_dcssc.article import before_forks, open_compared, open_ledger, open_section, published
    from ivig_dcssc.parameters import PARAMETERS

lazily(__name__)
