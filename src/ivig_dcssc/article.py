"""The article's ledger under checked parameters: what every notebook opens first."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython

from ivig_dcssc import analysis
from ivig_dcssc.analysis.choices import Choices
from ivig_dcssc.evidence import CohortEvidence
from ivig_dcssc.parameters import BOTH_READINGS, PARAMETERS
from ivig_dcssc.project import CODEBOOK, built_notebooks, project_root
from rederive.book.ledger import Ledger
from rederive.book.published import Published
from rederive.book.section import Section
from rederive.execution.kept import KeptRows
from rederive.parameters import cells_run, check_injected
from rederive.parameters.notebooks import ONLY_OWN, ONLY_RECONSTRUCTED
from rederive.printed import RoundingRule
from rederive.printed.registry import Registry, load_registry
from rederive.recompute.planned import Settings
from rederive.style import use_style

if TYPE_CHECKING:
    from ivig_dcssc.analysis.results import CohortResults

AMBIGUOUS = "abstract-mrss-change-ivig-m12-mean"
"""Id of the mean change that is printed without decimals beside an SD with one."""

_ABOUT_COHORTS = ("minimum_cycles", "reading", "cohorts", "cohort_seed", "cohort_folder")
"""Parameters of which not every value suits the cohorts; a notebook fails on these at once."""


def before_forks() -> None:
    """Read the cohorts, once for all notebooks that are run in forks of this process."""
    analysis.open_cohort(project_root(), Choices.of())


def _registry(root: Path) -> Registry:
    """Return the registry, read again only if one of its files has changed."""
    files = [(path, path.stat()) for path in sorted((root / "data" / "published").iterdir())]
    return _read_registry(tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in files))


@lru_cache(maxsize=2)
def _read_registry(stamps: tuple[tuple[Path, int, int], ...]) -> Registry:
    return load_registry(stamps[0][0].parent)


def open_ledger(**parameters: object) -> Ledger:
    """Return the ledger of the article.

    Parameters
    ----------
    **parameters
        Any of :data:`ivig_dcssc.parameters.PARAMETERS`; the others keep the article's values.

    Raises
    ------
    ParameterError
        If a parameter is unknown or out of range, or values do not go together.
    ConfigurationError
        If the cohorts that are asked for are not there, do not fit the codebook, or would have no
        patient.
    TableError
        If the registry does not fit its schema.
    """
    root = project_root()
    cells = cells_run()
    if any(cell.startswith("# Parameters") for cell in cells):
        check_injected(cells, PARAMETERS.names)
    values = PARAMETERS.check(parameters)
    registry = _registry(root)
    cohorts = CohortEvidence(root, Choices.of(values), registry)
    if any(name in PARAMETERS.changed(values) for name in _ABOUT_COHORTS):
        # Opened now, so that what does not suit them is said in the first lines of a notebook.
        cohorts.results  # noqa: B018
    reading = str(values["reading"])
    settings = Settings(
        rule=RoundingRule(str(values["rounding_rule"])),
        alpha=float(values["alpha"]),
        test=str(values["two_sample_test"]),
        unstated_n=str(values["comparator_n"]),
        reading=() if reading == BOTH_READINGS else ((AMBIGUOUS, reading),),
    )
    return Ledger(registry, settings, built_notebooks(root), cohorts, KeptRows.of_run())


def open_compared(**parameters: object) -> Ledger:
    """Return the ledger, with that under the article's parameters beside it if it may differ.

    A cohort of one's own is compared with the published study and with nothing else. The style of
    the book's figures is set. In a notebook, cells that begin with ``# reconstructed cohorts only``
    are passed over where the run has a cohort of its own, and those that begin with ``# own cohort
    only`` where it has none.

    Parameters
    ----------
    **parameters
        As for :func:`open_ledger`.
    """
    ledger = open_ledger(**parameters)
    changed = PARAMETERS.changed(PARAMETERS.check(parameters))
    use_style()
    own, cohorts = "cohort_folder" in changed, ledger.cohorts
    _pass_over(ONLY_RECONSTRUCTED if own else ONLY_OWN)
    if own and isinstance(cohorts, CohortEvidence):
        _leave_out(cohorts.results)
    if changed and not own:
        reference = open_ledger()
        ledger.compare_with(reference)
        usual = reference.cohorts
        if (
            isinstance(cohorts, CohortEvidence)
            and isinstance(usual, CohortEvidence)
            and cohorts.choices.by_article() == usual.choices
        ):
            cohorts.by_article = usual
    return ledger


def open_section(notebook: str, **parameters: object) -> Section:
    """Return one section of the article, its ledger opened as by :func:`open_compared`.

    Parameters
    ----------
    notebook : str
        Name of the section's notebook.
    **parameters
        As for :func:`open_ledger`.
    """
    values = PARAMETERS.check(parameters)
    changed = PARAMETERS.changed(values)
    usual = {each.name: each.default for each in PARAMETERS if each.name in changed}
    return Section(open_compared(**parameters), notebook, values, usual)


def guarding_test(ledger: Ledger, row_id: str) -> str:
    """Return the test that holds a row of the ledger, as pytest names it.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    row_id : str
        Id of a figure or statement.
    """
    judged = ledger.registry.plan[row_id].evidence.has_verdict
    name = "verdict_is_the_recorded_one" if judged else "a_row_without_a_method_claims_no_result"
    return f"tests/published/test_verdicts.py::test_{name}[{row_id}]"


def _pass_over(mark: str) -> None:
    """Let the notebook's kernel pass over the cells that begin with a mark."""
    if shell := get_ipython():
        shell.input_transformers_cleanup.append(
            lambda lines: [] if lines and lines[0].strip() == mark else lines
        )


def _leave_out(results: CohortResults) -> None:
    """Let the notebook's kernel leave out what a cohort has nothing or too little for."""
    # Only runs with a cohort of one's own have need of these.
    from ivig_dcssc.analysis.choices import MEASURES
    from ivig_dcssc.own_cohort import without
    from rederive.book.cohort_form import qualifying
    from rederive.book.left_out import LeftOut
    from rederive.retrospective import Codebook

    shell, cohort = get_ipython(), results.tables.cohort
    if shell is None:
        return
    codebook = Codebook.load(project_root() / CODEBOOK)
    entries = {**codebook.patients, **codebook.measures}
    there = {name for name in codebook.patients if cohort.patients[name].notna().any()}
    there |= set(cohort.visits.dropna(subset="value")["measure"])
    wanted = (name for name in entries if name not in there and without(name))
    absent = {name: entries[name].label for name in wanted}
    left_out = LeftOut(absent, entries, shell.user_ns)
    shell.ast_transformers.append(left_out)
    warnings.showwarning = left_out.warned
    for name in (each for each in MEASURES if each in there and each != "rvsp"):
        label = codebook.measures[name].label
        pairs = qualifying(cohort, name, label, results.choices.windows(name))["pairs"]
        if few := [str(month) for month, number in pairs.items() if number < 2]:
            print(
                f"{label}: fewer than two patients have it both at baseline and around month "
                f"{', '.join(few)}, so what needs that change is left out or NaN."
            )


published = Published(_registry(project_root()))
"""What the article prints."""
