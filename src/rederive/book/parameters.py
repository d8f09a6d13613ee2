"""The parameters under their former address."""

from rederive.parameters import *  # noqa: F403
