"""Forms in which other programs take what the lessons hold."""
