"""Sharp bounds: the least and greatest value of a quantity over all data with printed figures."""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from rederive.reconstruct.bounds.quantities import Kind, Quantity
    from rederive.reconstruct.bounds.result import (
        Bound,
        End,
        Proof,
        key_of,
        load_bounds,
        save_bounds,
    )
    from rederive.reconstruct.bounds.solve import bound

lazily(__name__)
