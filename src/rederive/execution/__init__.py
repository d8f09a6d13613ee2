"""Execution of notebooks: in forks of a warm process, side by side, and not twice."""
