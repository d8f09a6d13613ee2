"""The article's ledger under checked parameters: what every notebook opens first."""

from __future__ import annotations

from ivig_dcssc.evidence import Cohorts
from ivig_dcssc.parameters import PARAMETERS
from ivig_dcssc.project import built_notebooks, project_root
from ivig_dcssc.reproduced import Choices
from rederive.book.ledger import Ledger
from rederive.book.parameters import cells_run, check_injected
from rederive.book.section import Section
from rederive.printed import RoundingRule
from rederive.printed.registry import load_registry
from rederive.recompute.methods import Settings

DOI = "10.3899/jrheum.140833"
"""DOI of the article."""


def open_ledger(**parameters: object) -> Ledger:
    """Return the ledger of the article.

    Parameters
    ----------
    **parameters
        Any of :data:`ivig_dcssc.parameters.PARAMETERS`; the others keep the article's values.

    Raises
    ------
    ParameterError
        If a parameter is unknown or out of range.
    TableError
        If the registry does not fit its schema.
    """
    check_injected(cells_run())
    values = PARAMETERS.check(parameters)
    root = project_root()
    settings = Settings(
        rule=RoundingRule(str(values["rounding_rule"])),
        alpha=float(values["alpha"]),
        test=str(values["two_sample_test"]),
    )
    registry = load_registry(root / "data" / "published")
    cohorts = Cohorts(root, Choices.of(values), registry)
    return Ledger(registry, settings, built_notebooks(root), cohorts)


def open_section(notebook: str, **parameters: object) -> Section:
    """Return one section of the article, its ledger opened under checked parameters.

    Parameters
    ----------
    notebook : str
        Name of the section's notebook.
    **parameters
        As for :func:`open_ledger`.
    """
    return Section(open_ledger(**parameters), notebook)
