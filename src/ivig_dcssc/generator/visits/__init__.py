"""The dated visits of a cohort: when each patient was seen, and what was recorded."""
