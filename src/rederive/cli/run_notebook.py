"""One run: a notebook under other parameters, and what comes out otherwise than before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rederive.book.results import read_results
from rederive.errors import ConfigurationError
from rederive.execution.project import Project
from rederive.execution.run import CELL_TIMEOUT_SECONDS, Outcome, Task, run_task
from rederive.parameters import (
    ParameterSet,
    Value,
    notebook_parameters,
    resolve,
    takers,
)
from rederive.parameters.chosen import COHORT_PARAMETER, NOTEBOOKS_FOLDER, short_hash
from rederive.printed.files import write_atomically
from rederive.site.variant import CHANGED


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run came to.

    Parameters
    ----------
    task : Task
        The notebook and its parameters.
    output : Path
        Where the executed notebook is, or the one with the error; not there if the notebook left
        nothing.
    outcome : Outcome
        How it ended.
    results : list of dict
        Rows of its section, as :func:`rederive.book.results.read_results` gives them.
    """

    task: Task
    output: Path
    outcome: Outcome
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def changed(self) -> list[dict[str, Any]]:
        """Rows that come out otherwise than under the article's parameters."""
        kinds = ("before", "before_verdict", "before_decision")
        return [row for row in self.results if any(row.get(kind) for kind in kinds)]

    def as_record(self) -> dict[str, Any]:
        """Return the run as plain JSON values."""
        done = self.outcome.kind == "done"
        return {
            "notebook": self.task.notebook.as_posix(),
            "parameters": dict(self.task.parameters),
            "status": self.outcome.kind,
            "message": self.outcome.message,
            "seconds": round(self.outcome.seconds, 3),
            "cached": self.outcome.cached,
            "output": str(self.output) if done or self.outcome.failed else "",
            "results": self.results,
        }


def task_of(
    project: Project, notebook: Path, parameters: ParameterSet, given: Mapping[str, object]
) -> Task:
    """Return the task of running a notebook with some values.

    Parameters
    ----------
    project : Project
        The book.
    notebook : Path
        Relative to its root.
    parameters : ParameterSet
        All parameters of the book.
    given : dict
        Values by name. A notebook about the whole book takes them as one mapping.

    Raises
    ------
    ParameterError
        If a value does not fit, or the notebook does not take it.
    """
    taken = notebook_parameters(project.root / notebook, parameters.names)
    if CHANGED in taken:
        changed = dict(parameters.changed(parameters.check(given)))
        return Task(notebook, {CHANGED: changed} if changed else {})
    by = takers(project.root / NOTEBOOKS_FOLDER)
    values: dict[str, Value] = resolve(parameters, given, taken, notebook.stem, by)
    return Task(notebook, values)


def output_of(project: Project, task: Task, wanted: Path | None = None) -> Path:
    """Return where the notebook of a run is to be written, after a look whether it can be.

    Parameters
    ----------
    project : Project
        The book.
    task : Task
        The run.
    wanted : Path, optional
        By default a file named by notebook and parameters in the book's folder of runs.

    Raises
    ------
    ConfigurationError
        If nothing can be written there, or it is the notebook itself.
    """
    name = f"{task.notebook.stem}-{short_hash(task.parameters)}.ipynb"
    output = project.runs / name if wanted is None else wanted
    if output.resolve() == (project.root / task.notebook).resolve():
        raise ConfigurationError(f"output: {output} is the notebook itself, allowed: another file")
    if output.is_dir():
        raise ConfigurationError(f"output: {output} is a folder, allowed: a file")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        probe = output.with_name(f".{output.name}.probe")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"output: {output} cannot be written ({error.strerror}), allowed: a writable place"
        ) from error
    return output


def run_notebook(
    project: Project,
    task: Task,
    output: Path,
    *,
    timeout: float = CELL_TIMEOUT_SECONDS,
    cache: bool = True,
) -> Ran:
    """Run one notebook and write it, or the one with its error, whole or not at all.

    Parameters
    ----------
    project : Project
        The book.
    task : Task
        The notebook and its parameters.
    output : Path
        Where to write it; a notebook with an error goes beside it, to ``NAME.failed.ipynb``.
    timeout : float
        Seconds that one cell may take.
    cache : bool
        Whether a run with the same sources may be taken from the cache.

    Returns
    -------
    Ran
        Its outcome and results.
    """
    outcome = run_task(project, task, timeout=timeout, cache=cache)
    failed = output.with_name(f"{output.stem}.failed.ipynb")
    if outcome.content is None:
        if outcome.failed is not None:
            write_atomically(failed, outcome.failed)
        return Ran(task, failed, outcome)
    write_atomically(output, outcome.content)
    failed.unlink(missing_ok=True)
    return Ran(task, output, outcome, read_results(json.loads(outcome.content)))


def changes_in_words(ran: Ran, most: int = 20) -> list[str]:
    """Return what a run changed, one line for each result, as text for a terminal.

    Parameters
    ----------
    ran : Ran
        A run that is done.
    most : int
        How many results are listed.
    """
    if not ran.results:
        return ["The notebook carries no results of a section."]
    total = len(ran.results)
    if ran.task.parameters.get(COHORT_PARAMETER):
        return [f"{total} results, from your own cohort; nothing in it was made to agree."]
    changed = ran.changed
    if not changed:
        return [f"None of {total} results differ from those under the article's parameters."]
    lines = [f"{len(changed)} of {total} results differ from those under the article's parameters:"]
    width = max(len(str(row["id"])) for row in changed[:most])
    lines += [
        f"  {row['id']:<{width}}  {_moved(row)}  (published {row['printed']})"
        for row in changed[:most]
    ]
    if len(changed) > most:
        lines.append(f"  and {len(changed) - most} more; --json lists them all")
    return lines


def _moved(row: Mapping[str, Any]) -> str:
    """Return what became of a result: its value, or else its decision or its verdict."""
    for before, now, what in (
        ("before", "reproduced", ""),
        ("before_decision", "decision", "decision: "),
        ("before_verdict", "verdict", "verdict: "),
    ):
        if row.get(before):
            return f"{what}{row[before]} -> {row[now] or 'nothing'}"
    return ""
