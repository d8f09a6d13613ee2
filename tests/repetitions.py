"""How often random and exhaustive tests try: a share that suits every change, more on request."""

from __future__ import annotations

import os

FACTOR = int(os.environ.get("REDERIVE_REPETITIONS", "1"))
"""Times the usual number of tries; 50 reaches every shipped cohort."""


def repeated(usual: int) -> int:
    """Return how often to try what is usually tried so often."""
    return usual * FACTOR


def spaced(usual: int) -> int:
    """Return the step through a grid on which every so many points are usually tried."""
    return max(1, usual // FACTOR)
