"""The commands ``reconstruct``, ``predict``, ``bounds`` and ``check``: patient-level data.

Each works on a study described in a YAML file or, without one, on the installed article.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import click
import pandas as pd

from rederive.book.cohort_article import ArticleCohorts, open_cohorts
from rederive.errors import BookError, ConfigurationError
from rederive.printed.schema import nearest
from rederive.reconstruct.block import ContradictionError, NothingFoundError
from rederive.reconstruct.checker import check_study, failures
from rederive.reconstruct.conflict import Diagnosis, diagnose
from rederive.reconstruct.existence import Outcome
from rederive.reconstruct.study import (
    SYNTHETIC,
    Measure,
    OutOfTimeError,
    Study,
    check_ending,
    load_study,
    predict_figure,
    provenance,
    read_table,
    reconstruct_study,
    write_table,
)

BUILD = "_build"
"""Folder of what can be made again; folders in it are made where they are missing."""

_DIAGNOSIS_SECONDS = 60.0
_PATIENCE = 2.0
"""Seconds after which a bar is shown."""


class _Bar:
    """A progress bar on the error stream: only on a terminal, and only when it takes long."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = time.monotonic()
        self._bar: Any = None
        self._done = 0

    def __enter__(self) -> _Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.render_finish()

    def __call__(self, done: int, wanted: int) -> None:
        if not sys.stderr.isatty() or time.monotonic() - self._begun < _PATIENCE:
            return
        if self._bar is None:
            self._bar = click.progressbar(length=wanted, label=self._label, file=sys.stderr)
        self._bar.update(done - self._done)
        self._done = done


def _say(words: str) -> None:
    """Say what takes long, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(words, err=True)


class _Change(click.ParamType[Fraction]):
    """An exact number: 5, 0.125 or 1/8."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        try:
            return Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            text = str(value)
            hint = f"; did you mean {text.replace(',', '.')}?" if "," in text else ""
            self.fail(f"found {text!r}, allowed are numbers such as 5 or 0.125{hint}", param, ctx)


def _errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what the library raises into the errors of the command line."""

    @functools.wraps(command)
    def guarded(**options: Any) -> None:
        try:
            command(**options)
        except (ValueError, FileNotFoundError) as error:
            raise ConfigurationError(str(error)) from error
        except (RuntimeError, OSError) as error:
            raise BookError(str(error)) from error

    return guarded


_STUDY = click.argument(
    "study", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
_ARTICLE = click.option(
    "--article", default="", help="Name of the article, if several are installed."
)
_READING = click.option(
    "--reading", default="", help="Reading of the article's ambiguous figures; not with STUDY."
)
_PRIOR = click.option(
    "--prior", default="", help="Prior by name; by default the first of the description."
)
_SEED = click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed, from 0."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _chosen(what: str, name: str, known: tuple[str, ...]) -> str:
    if not name:
        return known[0] if known else ""
    if name not in known:
        hint = nearest(name, known)
        meant = f" (did you mean {hint!r}?)" if hint else ""
        allowed = ", ".join(known) or "none"
        raise ConfigurationError(f"{what}: found {name!r}, allowed: {allowed}{meant}")
    return name


def _refuse(given: Mapping[str, object], reason: str) -> None:
    names = [name for name, value in given.items() if value]
    if names:
        raise ConfigurationError(f"{names[0]}: {reason}")


def _opened(study: Path, article: str, reading: str) -> Study:
    _refuse(
        {"--article": article, "--reading": reading}, f"does not go with a study ({study.name})"
    )
    return load_study(study)


@click.command("reconstruct")
@_STUDY
@click.option(
    "--cohorts",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Number of data sets.",
)
@_PRIOR
@_SEED
@click.option(
    "--without",
    multiple=True,
    metavar="FIGURE",
    help="Figure that the data need not print; may be given several times.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="File to write; for a STUDY it ends in .parquet or .csv.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    help="For a STUDY: time after which what was made so far is written, marked as partial.",
)
@_READING
@_ARTICLE
@_JSON
@_errors
def reconstruct_command(
    study: Path | None,
    cohorts: int,
    prior: str,
    seed: int,
    without: tuple[str, ...],
    out: Path,
    seconds: float | None,
    reading: str,
    article: str,
    as_json: bool,
) -> None:
    """Make synthetic patient-level data that print every figure of a study.

    STUDY is a YAML file that describes it; without one, the data are those of the installed
    article. Every data set is checked before it is written. The same request gives the same bytes.
    """
    notes: dict[str, object]
    if BUILD in out.parts[:-1]:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
    if not out.absolute().parent.is_dir():
        raise ConfigurationError(f"--out: folder {out.parent} does not exist")
    if study is None:
        _refuse({"--seconds": seconds}, "goes with a study only")
        source = open_cohorts(article)
        prior = _chosen("prior", prior, source.priors)
        reading = _chosen("reading", reading, source.readings)
        notes = {"cohorts": cohorts, "prior": prior, "seed": seed, "without": list(without)}
        with _Bar("cohorts") as bar:
            source.reconstruct(
                out,
                prior=prior,
                cohorts=cohorts,
                seed=seed,
                without=without,
                reading=reading,
                progress=bar,
            )
    else:
        described = _opened(study, article, reading)
        check_ending(out)
        notes = provenance(described, prior=prior, cohorts=cohorts, seed=seed, without=without)
        _reconstruct(described, out, notes, prior, cohorts, seed, without, seconds)
    if as_json:
        written = {"synthetic": True, "note": SYNTHETIC, "file": str(out), "partial": False}
        click.echo(json.dumps(written | notes, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{cohorts} synthetic data sets written to {out}")


def _reconstruct(
    study: Study,
    out: Path,
    notes: Mapping[str, object],
    prior: str,
    cohorts: int,
    seed: int,
    without: tuple[str, ...],
    seconds: float | None,
) -> None:
    begun = time.monotonic()
    try:
        with _Bar("data sets") as bar:
            table = reconstruct_study(
                study, cohorts, prior, seed, without=without, seconds=seconds, progress=bar
            )
    except OutOfTimeError as error:
        if not error.made:
            raise BookError(
                f"no data set was made in {seconds:g} s, and nothing is written; this proves "
                "nothing about the figures"
            ) from error
        marked = out.with_name(f"{out.stem}.partial{out.suffix}")
        write_table(marked, error.table, {"partial": f"{error.made} of {cohorts}"} | dict(notes))
        raise BookError(
            f"partial: {error.made} of {cohorts} data sets were made in {seconds:g} s; they are in "
            f"{marked}, and {out} is not written"
        ) from error
    except (ContradictionError, NothingFoundError) as error:
        reduced = study.without(without)
        left = None if seconds is None else max(1.0, seconds - (time.monotonic() - begun))
        _explain(study, reduced.measures, error, left)
    write_table(out, table, notes)


def _explain(
    study: Study, measures: Iterable[Measure], error: Exception, seconds: float | None = None
) -> NoReturn:
    """Raise an error that names a smallest contradictory set, or says that none was shown."""
    left = _DIAGNOSIS_SECONDS if seconds is None else seconds
    _say(f"looking for a smallest set of contradictory figures, up to about {left:.0f} s ...")
    undecided = False
    for measure in measures:
        found = diagnose(measure.block, left)
        if found.outcome is Outcome.CONTRADICTION:
            raise ConfigurationError(_contradiction(study, found)) from error
        undecided |= found.outcome is Outcome.UNDECIDED
        left = max(1.0, left - found.seconds)
    words = "nothing was found, and nothing is proved" if undecided else "nothing was found"
    raise BookError(f"partial: {words}: {error}") from error


def _contradiction(study: Study, found: Diagnosis) -> str:
    lines = [f"the figures of {study.name} contradict each other: {found.message}"]
    lines += [f"  {name}: {study.figure(name)[0].printed[name]}" for name in found.figures]
    return "\n".join(lines)


@click.command("predict")
@click.argument("figure")
@_STUDY
@_PRIOR
@click.option(
    "--draws",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Number of data sets drawn.",
)
@_SEED
@click.option(
    "--bounds", "wanted", is_flag=True, help="For a STUDY: sharp bounds too, which takes minutes."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="For --bounds: time limit of each integer programme.",
)
@_READING
@_ARTICLE
@_JSON
@_errors
def predict_command(
    figure: str,
    study: Path | None,
    prior: str,
    draws: int,
    seed: int,
    wanted: bool,
    seconds: float,
    reading: str,
    article: str,
    as_json: bool,
) -> None:
    """Predict FIGURE from all other figures.

    The figure is switched off, and data that print all the others are drawn. The interval depends
    on the prior; the bounds do not.
    """
    if study is None:
        source = open_cohorts(article)
        prior = _chosen("prior", prior, source.priors)
        reading = _chosen("reading", reading, source.readings)
        record = source.predict(figure, prior=prior, draws=draws, seed=seed, reading=reading)
    else:
        limit = seconds if wanted else None
        record = _predict(_opened(study, article, reading), figure, prior, draws, seed, limit)
    if as_json:
        click.echo(json.dumps(dict(record), indent=2, ensure_ascii=False))
        return
    click.echo(
        f"{record['figure']}: predicted {_short(record['median'])}, 95 % from "
        f"{_short(record['low'])} to {_short(record['high'])}; printed {record['printed']}, as in "
        f"{_percent(record['share'])} of the data sets"
    )
    bounds = record.get("bounds")
    if isinstance(bounds, Mapping):
        click.echo(_bounds_line(bounds))
    if record.get("prior"):
        click.echo(f"prior {record['prior']}")


def _predict(
    study: Study, figure: str, prior: str, draws: int, seed: int, seconds: float | None
) -> dict[str, object]:
    from rederive.reconstruct.study.bounding import bound_figure

    measure, target = study.figure(figure)
    try:
        with _Bar("data sets") as bar:
            found = predict_figure(study, figure, prior, draws, seed, progress=bar)
        record = found.as_record()
        record["bounds"] = None
        if seconds is not None:
            _say("computing the bounds ...")
            record["bounds"] = bound_figure(measure, target, seconds) or None
    except (ContradictionError, NothingFoundError) as error:
        _explain(study, [measure.without([figure])], error)
    return record | {"synthetic": True, "note": SYNTHETIC}


@click.command("bounds")
@click.argument("quantity")
@_STUDY
@click.option("--at", required=True, metavar="TIME", help="Time point.")
@click.option("--measure", default="", help="Measure of the STUDY, if it has several.")
@click.option(
    "--threshold", type=_Change(), help="Least change of a responder, for the quantity responders."
)
@click.option(
    "--reference",
    type=_Change(),
    help="For a STUDY: mean change of another group, for the quantity difference.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="FIGURE",
    help="For a STUDY: figure that is no constraint; may be given several times.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="For a STUDY: time limit of each integer programme.",
)
@_READING
@_ARTICLE
@_JSON
@_errors
def bounds_command(
    quantity: str,
    study: Path | None,
    at: str,
    measure: str,
    threshold: Fraction | None,
    reference: Fraction | None,
    without: tuple[str, ...],
    seconds: float,
    reading: str,
    article: str,
    as_json: bool,
) -> None:
    """Give the least and the greatest value of QUANTITY over all data with the printed figures.

    QUANTITY is one of responders, mean, sd, change_mean, change_sd, paired_p,
    followed_baseline_mean, missing_baseline_mean, difference. Nothing passes the bounds; sharp
    ones are attained by data that are shown with --json.
    """
    if study is None:
        _refuse(
            {"--measure": measure, "--reference": reference, "--without": without},
            "goes with a study only",
        )
        source: ArticleCohorts = open_cohorts(article)
        reading = _chosen("reading", reading, source.readings)
        record = source.bounds(quantity, at=at, threshold=threshold, reading=reading)
    else:
        from rederive.reconstruct.study.bounding import bound_quantity

        described = _opened(study, article, reading)
        if not measure and len(described.measures) > 1:
            names = ", ".join(one.name for one in described.measures)
            raise ConfigurationError(f"option --measure is needed; measures are {names}")
        chosen = described.measure(measure)
        _say("computing the bounds ...")
        try:
            record = bound_quantity(
                chosen,
                quantity,
                at,
                threshold=threshold,
                reference=reference,
                without=without,
                seconds=seconds,
            )
        except ContradictionError as error:
            _explain(described, [chosen.without(without)], error)
    if as_json:
        click.echo(json.dumps(dict(record), indent=2, ensure_ascii=False))
    else:
        click.echo(_bounds_line(record))


@click.command("check")
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@_STUDY
@_READING
@_ARTICLE
@_JSON
@_errors
def check_command(
    data: Path, study: Path | None, reading: str, article: str, as_json: bool
) -> None:
    """Check whether DATA print every figure of a study, by an independent computation.

    With STUDY, DATA is a .csv or .parquet file with the columns patient, measure, timepoint and
    value, and cohort for several data sets. Without, it is a cohort of the installed article.
    The exit status is 1 if a figure differs.
    """
    if study is None:
        _require_folder(data)
        source = open_cohorts(article)
        report = source.check(data, reading=_chosen("reading", reading, source.readings))
    else:
        described = _opened(study, article, reading)
        report = check_study(described.description, read_table(data))
        if report.empty:
            raise ConfigurationError(f"{data.name}: found no values, allowed is a value or more")
    wrong = failures(report)
    if as_json:
        records = json.loads(report.to_json(orient="records"))
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
    else:
        _print_report(report, wrong)
    if len(wrong):
        raise BookError(f"{len(wrong)} of {len(report)} figures differ")


def _require_folder(data: Path) -> None:
    if not data.is_file():
        return
    words = f"{data.name} is a file; without STUDY a folder with a cohort is expected"
    if data.suffix in (".yaml", ".yml"):
        raise ConfigurationError(f"{words}; were the data, which stand before STUDY, forgotten?")
    raise ConfigurationError(f"{words}; was the YAML file of the study forgotten?")


def _print_report(report: pd.DataFrame, wrong: pd.DataFrame) -> None:
    several = "cohort" in report and report["cohort"].nunique() > 1
    shown = wrong if several else report
    if not several and "cohort" in shown:
        shown = shown.drop(columns="cohort")
    if len(shown):
        columns = [name for name in ("cohort", "id", "printed", "computed") if name in shown]
        words = shown[columns].assign(agrees=shown["agrees"].map({True: "yes", False: "NO"}))
        click.echo(words.to_string(index=False))
    sets = f" in {report['cohort'].nunique()} data sets" if several else ""
    click.echo(f"{len(report) - len(wrong)} of {len(report)} figures agree{sets}")


def _bounds_line(record: Mapping[str, object]) -> str:
    line = f"bounds: from {_short(record.get('low'))} to {_short(record.get('high'))}"
    if record.get("sharp"):
        return f"{line} (sharp: proved, and attained)"
    ends = [
        f"{name} end {record[f'{name}_status']}, found {_short(record.get(f'{name}_found'))}"
        for name in ("low", "high")
        if f"{name}_status" in record
    ]
    return "; ".join([line, *ends])


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def _percent(value: object) -> str:
    return f"{100 * value:.0f} %" if isinstance(value, int | float) else str(value)
