"""Reconstruction of data that print every published figure, counted and drawn exactly."""
