"""Many runs of a notebook: a grid, a list or a file of parameter sets, kept by content."""
