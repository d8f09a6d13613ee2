"""Ensembles of checked cohorts on disk: made in parts, resumable, the same bytes every time.

A folder holds ``parts/`` while an ensemble is made. Each part is a pair of files written whole or
not at all, so an interruption loses at most the parts under way. When all are there they become
``patients.parquet`` and ``visits.parquet``, and the parts go.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from ivig_dcssc.checker import check_cohort, incoherences
from ivig_dcssc.checker.rows import failures
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
from rederive.printed.registry import Registry, load_registry
from rederive.reconstruct.block import BlockData
from rederive.reconstruct.block.diagnostics import diagnose_quantity, open_quantities
from rederive.reconstruct.study.tables import read_notes, write_table

PATIENTS, VISITS = "patients.parquet", "visits.parquet"
OPEN = "open.parquet"
"""File of a part with what the figures leave open, for the diagnostics of the chains."""

PART_SIZE = 50
"""Cohorts of a part; a part of the same number is the same whatever the ensemble's size."""

SPARE = 2
"""Draws of skin scores of a part beside the cohorts wanted."""

SYNTHETIC = (
    "Synthetic cohorts. They print the published figures; they are not what was measured in "
    "anybody."
)

Progress = Callable[[int, int], None]


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


def make_ensemble(
    registry_folder: Path,
    folder: Path,
    recipe: Recipe,
    cohorts: int,
    *,
    jobs: int = 2,
    progress: Progress | None = None,
) -> None:
    """Make an ensemble, or finish one that was interrupted.

    Parameters
    ----------
    registry_folder : Path
        The article's registry.
    folder : Path
        Where the ensemble goes; an ensemble of the same recipe that is there already is kept.
    recipe : Recipe
        What the cohorts depend on.
    cohorts : int
        Cohorts wanted, from 1.
    jobs : int
        Parts made at the same time, each in a process of its own.
    progress : callable, optional
        Called with cohorts done and wanted.

    Raises
    ------
    ValueError
        If the number of cohorts or a figure that is switched off is not allowed.
    UnfinishedError
        If a part failed; the others are kept, and the next call goes on from there.
    """
    if cohorts < 1:
        raise ValueError(f"cohorts: found {cohorts}, allowed are numbers from 1")
    registry = load_registry(registry_folder)
    switches(registry, recipe.without)
    notes = _notes(registry_folder, recipe, cohorts)
    if _is_finished(folder, notes):
        _report(progress, cohorts, cohorts)
        return
    parts_folder = folder / "parts" / _key(_notes(registry_folder, recipe, 0))
    parts_folder.mkdir(parents=True, exist_ok=True)
    numbers = range(-(-cohorts // PART_SIZE))
    sizes = [min(PART_SIZE, cohorts - number * PART_SIZE) for number in numbers]
    parts = [
        Part(registry_folder, recipe, number, size, parts_folder)
        for number, size in zip(numbers, sizes, strict=True)
    ]
    _make_parts([p for p in parts if not _part_file(p, VISITS).exists()], parts, jobs, progress)
    _join(parts, folder, notes)
    shutil.rmtree(folder / "parts")


def _make_parts(
    missing: list[Part], parts: list[Part], jobs: int, progress: Progress | None
) -> None:
    wanted = sum(part.cohorts for part in parts)
    done = wanted - sum(part.cohorts for part in missing)
    _report(progress, done, wanted)
    if not missing:
        return
    failures = []
    with ProcessPoolExecutor(min(jobs, len(missing)), get_context("spawn")) as pool:
        futures = {pool.submit(make_part, part): part for part in missing}
        for future in as_completed(futures):
            part = futures[future]
            error = future.exception()
            if error is not None:
                failures.append(f"part {part.number}: {error}")
                continue
            done += part.cohorts
            _report(progress, done, wanted)
    if failures:
        raise UnfinishedError(
            f"{done} of {wanted} cohorts are done and kept; run the same command again to go on. "
            + "; ".join(failures)
        )


def _report(progress: Progress | None, done: int, wanted: int) -> None:
    if progress is not None:
        progress(done, wanted)


def make_part(part: Part) -> None:
    """Draw, check and write one part.

    Raises
    ------
    RejectedError
        If a cohort does not print what it should, or too few can be drawn.
    """
    registry = load_registry(part.registry)
    patients: list[pd.DataFrame] = []
    visits: list[pd.DataFrame] = []
    left_open: list[dict[str, float]] = []
    first = part.number * PART_SIZE
    # A part is drawn whole even if fewer are wanted, so that its cohorts do not depend on that.
    for drawn in draw_cohorts(registry, part.recipe, part.number, PART_SIZE, SPARE):
        number = first + len(patients)
        require_printed(registry, part.recipe, drawn, number)
        chain = part.number * CHAINS + drawn.chain
        patients.append(_numbered(drawn.patients, number, chain=chain))
        visits.append(_numbered(drawn.visits, number))
        left_open.append({"cohort": number, "chain": chain, **_left_open(drawn.skin)})
        if len(patients) == part.cohorts:
            break
    else:
        raise RejectedError(f"only {len(patients)} of {part.cohorts} cohorts could be drawn")
    notes = {"part": part.number}
    write_table(_part_file(part, OPEN), pd.DataFrame(left_open), notes)
    write_table(_part_file(part, PATIENTS), pd.concat(patients, ignore_index=True), notes)
    write_table(_part_file(part, VISITS), pd.concat(visits, ignore_index=True), notes)


def require_printed(registry: Registry, recipe: Recipe, drawn: Drawn, number: int) -> None:
    """Refuse a cohort that does not print every figure that is switched on.

    Raises
    ------
    RejectedError
        Naming the figures, what is printed and what was computed.
    """
    checked = check_cohort(drawn.patients, drawn.visits, registry, reading=recipe.reading)
    off = need_not_hold(registry, recipe.without)
    on = ~checked["id"].isin(off).to_numpy()
    problems = failures(checked[on])
    problems += incoherences(drawn.patients, drawn.visits)
    if problems:
        raise RejectedError(f"cohort {number}: {'; '.join(problems)}")


def _left_open(skin: BlockData) -> dict[str, float]:
    return {
        name: float(value[0])
        for name, value in open_quantities(skin.block, skin.observed()[np.newaxis]).items()
    }


def _numbered(table: pd.DataFrame, number: int, **others: int) -> pd.DataFrame:
    numbered = table.copy()
    for name, value in reversed({"cohort": number, **others}.items()):
        numbered.insert(0, name, np.int32(value))
    return numbered


def _part_file(part: Part, name: str) -> Path:
    return part.folder / f"{part.number:04d}-{name}"


def _join(parts: list[Part], folder: Path, notes: Mapping[str, object]) -> None:
    patients, visits = (
        pd.concat([pd.read_parquet(_part_file(p, name)) for p in parts], ignore_index=True)
        for name in (PATIENTS, VISITS)
    )
    left_open = pd.concat([pd.read_parquet(_part_file(p, OPEN)) for p in parts], ignore_index=True)
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
    return {
        "what": SYNTHETIC,
        "prior": PRIORS[recipe.prior].describe(),
        "seed": recipe.seed,
        "reading": recipe.reading,
        "without": list(recipe.without),
        "cohorts": cohorts,
        "time points": list(TIMEPOINTS),
        "registry": _digest(registry_folder),
        "versions": versions(),
    }


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for name in ("numbers.csv", "claims.csv"):
        found.update((folder / name).read_bytes())
    return found.hexdigest()


def _key(notes: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(notes, sort_keys=True).encode()).hexdigest()[:16]


def _is_finished(folder: Path, notes: Mapping[str, object]) -> bool:
    files = (folder / VISITS, folder / PATIENTS)
    if not all(file.exists() for file in files):
        return False
    plain = json.loads(json.dumps(notes))
    return all({key: read_notes(file).get(key) for key in plain} == plain for file in files)
