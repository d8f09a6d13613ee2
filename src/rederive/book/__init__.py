"""Typed runs of notebooks, the cache of their results, and the site made of them."""
