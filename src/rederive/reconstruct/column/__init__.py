"""One column of data from its printed summary: counted and drawn exactly."""

from rederive.reconstruct.column.counting import count_columns
from rederive.reconstruct.column.sampling import ColumnSampler
from rederive.reconstruct.column.summary import (
    ColumnSummary,
    ImpossibleSummaryError,
    listed_nearest,
    nearest_figures,
)
