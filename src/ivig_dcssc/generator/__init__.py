"""Synthetic cohorts that print every figure the article prints about its 30 patients."""
