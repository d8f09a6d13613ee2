"""The command ``rederive``."""
