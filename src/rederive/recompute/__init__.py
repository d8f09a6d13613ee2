"""Recomputation of printed figures from other printed figures, rounding carried through."""
