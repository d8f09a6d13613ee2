"""Execution of notebooks in forks of a process that has the libraries imported."""
