"""Re-derive the printed numbers of an article from one another.

The package knows printed numbers, statistical tests and books of notebooks. It knows no
particular article: figures, conditions and treatments come in as data.
"""
