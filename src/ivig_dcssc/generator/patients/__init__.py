"""The patients of a cohort: characteristics, drugs, and the course of treatment."""
