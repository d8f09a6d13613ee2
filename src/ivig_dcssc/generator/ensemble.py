"""Ensembles of checked cohorts on disk: made in parts, resumable, the same bytes every time.

A folder holds ``parts/`` while an ensemble is made. Each part is a pair of files written whole or
not at all, so an interruption loses at most the parts under way. When all are there they become
``patients.parquet`` and ``visits.parquet``, and the parts go.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.checker import Tables, check_cohort, incoherences
from ivig_dcssc.generator.recipe import (
    CHAINS,
    Drawn,
    Recipe,
    draw_cohorts,
    need_not_hold,
    switches,
    versions,
)
from ivig_dcssc.generator.skin import PRIORS, TIMEPOINTS
from ivig_dcssc.project import PATIENTS, VISITS
from rederive.printed.registry import Registry, load_registry
from rederive.reconstruct.block.prediction import diagnose_quantity, open_quantities
from rederive.reconstruct.block.sampling import Progress
from rederive.reconstruct.checker import failures
from rederive.reconstruct.study.tables import read_notes, write_table

OPEN = "open.parquet"
"""File of a part with what the figures leave open, for the diagnostics of the chains."""

PART_SIZE = 50
"""Cohorts of a part; a part of the same number is the same whatever the ensemble's size."""

SPARE = 2
"""Draws of skin scores of a part beside the cohorts wanted."""

AGAIN = range(0, 30_000, 10_000)
"""What is added to a part's number for draws in place of those that leave no patient for a role."""

SYNTHETIC = (
    "Synthetic cohorts. They print the published figures; they are not what was measured in "
    "anybody."
)


class UnfinishedError(RuntimeError):
    """An ensemble could not be finished; its parts so far are kept."""


class RejectedError(RuntimeError):
    """A cohort did not print what it should; it was not written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part to be made."""

    registry: Path
    recipe: Recipe
    number: int
    cohorts: int
    folder: Path

    def file(self, name: str) -> Path:
        """Return where a file of the part is."""
        return self.folder / f"{self.number:04d}-{name}"


def make_ensemble(
    registry_folder: Path,
    folder: Path,
    recipe: Recipe,
    cohorts: int,
    progress: Progress | None = None,
) -> None:
    """Make an ensemble, or finish one that was interrupted.

    An ensemble of the same recipe that is in the folder already is kept. As many parts are made at
    the same time as there are processors; ``progress`` is called with cohorts done and wanted.

    Raises
    ------
    ValueError
        If a figure cannot be switched off.
    UnfinishedError
        If a part failed; the others are kept, and the next call goes on from there.
    """
    registry = load_registry(registry_folder)
    switches(registry, recipe.without)
    report = progress or (lambda done, wanted: None)
    notes = _notes(registry_folder, recipe, cohorts)
    if _is_finished(folder, notes):
        report(cohorts, cohorts)
        return
    key = json.dumps(_notes(registry_folder, recipe, 0), sort_keys=True).encode()
    parts_folder = folder / "parts" / hashlib.sha256(key).hexdigest()[:16]
    parts_folder.mkdir(parents=True, exist_ok=True)
    parts = [
        Part(registry_folder, recipe, number, min(PART_SIZE, cohorts - first), parts_folder)
        for number, first in enumerate(range(0, cohorts, PART_SIZE))
    ]
    _make_parts([part for part in parts if not part.file(VISITS).exists()], cohorts, report)
    _join(parts, folder, notes)
    shutil.rmtree(folder / "parts")


def _make_parts(missing: list[Part], wanted: int, report: Progress) -> None:
    done = wanted - sum(part.cohorts for part in missing)
    report(done, wanted)
    failures = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(make_part, part): part for part in missing}
        for future in as_completed(futures):
            part, error = futures[future], future.exception()
            if error is not None:
                failures.append(f"part {part.number}: {error}")
                continue
            done += part.cohorts
            report(done, wanted)
    if failures:
        raise UnfinishedError(
            f"{done} of {wanted} cohorts are done and kept; run the same command again to go on. "
            + "; ".join(failures)
        )


def make_part(part: Part) -> None:
    """Draw, check and write one part.

    Raises
    ------
    RejectedError
        If a cohort does not print what it should, or too few can be drawn.
    """
    registry = load_registry(part.registry)
    first = part.number * PART_SIZE
    # A part is drawn whole even if fewer are wanted, so that its cohorts do not depend on that.
    draws = (
        draw_cohorts(registry, part.recipe, part.number + more, PART_SIZE, SPARE) for more in AGAIN
    )
    made: list[Drawn] = []
    for drawn in chain.from_iterable(draws):
        require_printed(registry, part.recipe, drawn, first + len(made))
        made.append(drawn)
        if len(made) == part.cohorts:
            break
    else:
        raise RejectedError(f"only {len(made)} of {part.cohorts} cohorts could be drawn")
    scores = ((drawn.skin.block, drawn.skin.observed()[np.newaxis]) for drawn in made)
    for name, tables in (
        (OPEN, [pd.DataFrame(open_quantities(*each)) for each in scores]),
        (PATIENTS, [drawn.patients for drawn in made]),
        (VISITS, [drawn.visits for drawn in made]),
    ):
        table, sizes = pd.concat(tables, ignore_index=True), [len(each) for each in tables]
        if name != VISITS:
            of_chain = [part.number * CHAINS + drawn.chain for drawn in made]
            table.insert(0, "chain", np.repeat(np.array(of_chain, np.int32), sizes))
        numbers = np.arange(first, first + len(made), dtype=np.int32)
        table.insert(0, "cohort", np.repeat(numbers, sizes))
        write_table(part.file(name), table, {"part": part.number})


def require_printed(registry: Registry, recipe: Recipe, drawn: Drawn, number: int) -> None:
    """Refuse a cohort that does not print every figure that is switched on.

    Raises
    ------
    RejectedError
        Naming the figures, what is printed and what was computed.
    """
    tables = Tables(drawn.patients, drawn.visits)
    wrong = failures(check_cohort(tables, registry, reading=recipe.reading))
    wrong = wrong[~wrong["id"].isin(need_not_hold(registry, recipe.without))]
    problems = [
        f"{row.id}: printed {row.printed}, computed {row.computed}" for row in wrong.itertuples()
    ]
    problems += incoherences(tables, recipe.without)
    if problems:
        raise RejectedError(f"cohort {number}: {'; '.join(problems)}")


def _join(parts: list[Part], folder: Path, notes: Mapping[str, object]) -> None:
    left_open, patients, visits = (
        pd.concat([pd.read_parquet(part.file(name)) for part in parts], ignore_index=True)
        for name in (OPEN, PATIENTS, VISITS)
    )
    described = {**notes, "convergence": _convergence(left_open)}
    visits = visits.astype({"patient": "category", "measure": "category", "month": "int16"})
    write_table(folder / VISITS, visits, described)
    # Written last: whoever finds this file finds a whole ensemble.
    write_table(folder / PATIENTS, patients, described)


def _convergence(open_quantities: pd.DataFrame) -> list[dict[str, object]]:
    """Return R-hat and effective sample size over the chains, for what the figures leave open."""
    chains = [chain for _, chain in open_quantities.groupby("chain")]
    each = min(len(chain) for chain in chains)
    if each < 4:
        return []
    found = []
    for name in open_quantities.columns.drop(["cohort", "chain"]):
        one = diagnose_quantity(name, np.array([chain[name][:each] for chain in chains]))
        found.append({"quantity": name, "r_hat": one.r_hat, "ess": one.ess, "draws": one.draws})
    return found


def _notes(registry_folder: Path, recipe: Recipe, cohorts: int) -> dict[str, object]:
    digest = hashlib.sha256()
    for name in ("numbers.csv", "claims.csv"):
        digest.update((registry_folder / name).read_bytes())
    return {
        "what": SYNTHETIC,
        "prior": PRIORS[recipe.prior].describe(),
        "seed": recipe.seed,
        "reading": recipe.reading,
        "without": list(recipe.without),
        "cohorts": cohorts,
        "time points": list(TIMEPOINTS),
        "registry": digest.hexdigest(),
        "versions": versions(),
    }


def _is_finished(folder: Path, notes: Mapping[str, object]) -> bool:
    files = (folder / VISITS, folder / PATIENTS)
    if not all(file.exists() for file in files):
        return False
    plain = json.loads(json.dumps(notes))
    return all({key: read_notes(file).get(key) for key in plain} == plain for file in files)
