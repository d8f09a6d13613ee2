"""Teaching: lessons on cohorts, checks, packs for students and their grading."""
