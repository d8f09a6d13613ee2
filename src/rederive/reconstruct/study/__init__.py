"""Any before-after study, described in a few lines of YAML, and synthetic data that print it."""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from rederive.reconstruct.study.drawing import OutOfTimeError, reconstruct_study
    from rederive.reconstruct.study.model import Measure, Study
    from rederive.reconstruct.study.predicting import (
        as_record,
        bound_quantity,
        predict_figure,
        quantity_of,
    )
    from rederive.reconstruct.study.reading import load_study, parse_study
    from rederive.reconstruct.study.tables import (
        SYNTHETIC,
        check_ending,
        provenance,
        read_notes,
        read_table,
        write_table,
    )
    from rederive.reconstruct.study.tree import StudyError

lazily(__name__)
