"""The skin score under every combination of the article's own choices, and a page to try them."""

from ivig_dcssc.multiverse.explorer import Explorer
from ivig_dcssc.multiverse.results import (
    DEPENDS,
    NAMES,
    RESULTS,
    Axes,
    Result,
    published,
    published_value,
)
from ivig_dcssc.multiverse.universe import Multiverse, open_multiverse
