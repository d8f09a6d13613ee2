"""A cohort of one's own: read from what people have, and analysed without what it lacks."""
