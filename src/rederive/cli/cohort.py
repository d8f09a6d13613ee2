"""The commands ``reconstruct``, ``predict``, ``bounds`` and ``check``: patient-level data.

Each works on a study described in a YAML file or, without one, on the installed article.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import click
import pandas as pd

from rederive.book.cohort_form import ArticleCohorts, open_cohorts
from rederive.cli.column import library_errors, number
from rederive.cli.options import ARTICLE, FILE, PATH
from rederive.cli.watch import Watch
from rederive.printed.errors import BookError, ConfigurationError, unknown
from rederive.printed.files import check_writable
from rederive.reconstruct.block import ContradictionError, NothingFoundError
from rederive.reconstruct.checker import check_study, failures
from rederive.reconstruct.conflict import Outcome, diagnose
from rederive.reconstruct.study import (
    SYNTHETIC,
    Measure,
    OutOfTimeError,
    Study,
    bound_quantity,
    check_ending,
    load_study,
    predict_figure,
    provenance,
    read_table,
    reconstruct_study,
    write_table,
)

_DIAGNOSIS_SECONDS = 60.0

_PRIOR = click.option(
    "--prior", default="", help="Prior by name; by default the first of the description."
)
_SEED = click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed, from 0."
)


def _about_a_study(command: Callable[..., None]) -> Callable[..., None]:
    """Add what all commands have: the study or else the article, opened, and the answer's form."""

    @click.argument("study", required=False, type=FILE)
    @click.option(
        "--reading",
        default="",
        help="Interpretation of the article's ambiguous figures; not with STUDY.",
    )
    @ARTICLE
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @library_errors
    @functools.wraps(command)
    def opened(study: Path | None, article: str, reading: str, **options: Any) -> None:
        if study is not None:
            reason = f"does not go with a study ({study.name})"
            _refuse({"--article": article, "--reading": reading}, reason)
            return command(study=load_study(study), **options)
        source = open_cohorts(article)
        options["reading"] = _one("reading", reading, source.readings)
        if "prior" in options:
            options["prior"] = _one("prior", options["prior"], source.priors)
        return command(study=source, **options)

    return opened


def _seconds(default: float | None, help: str) -> Callable[..., Any]:
    kind = click.FloatRange(0, min_open=True)
    return click.option("--seconds", type=kind, default=default, show_default=True, help=help)


def _count(name: str, default: int, help: str) -> Callable[..., Any]:
    return click.option(name, type=click.IntRange(1), default=default, show_default=True, help=help)


def _without(help: str) -> Callable[..., Any]:
    return click.option("--without", multiple=True, metavar="FIGURE", help=help)


def _one(what: str, given: str, known: tuple[str, ...]) -> str:
    if given and given not in known:
        raise unknown(what, given, known)
    return given or next(iter(known), "")


def _refuse(given: Mapping[str, object], reason: str) -> None:
    for name, value in given.items():
        if value:
            raise ConfigurationError(f"{name}: {reason}")


def _echo_json(record: object) -> None:
    click.echo(json.dumps(record, indent=2, ensure_ascii=False))


@click.command("reconstruct")
@_about_a_study
@_count("--cohorts", 100, "Number of data sets.")
@_PRIOR
@_SEED
@_without("Figure that the data need not print; may be given several times.")
@click.option(
    "--out",
    required=True,
    type=PATH,
    help="File to write; for a STUDY it ends in .parquet or .csv.",
)
@_seconds(None, "For a STUDY: time after which what was made so far is written, marked as partial.")
def reconstruct_command(
    study: Study | ArticleCohorts, out: Path, seconds: float | None, as_json: bool, **how: Any
) -> None:
    """Make synthetic patient-level data that print every figure of a study.

    STUDY is a YAML file that describes it; without one, the data are those of the installed
    article. Every data set is checked before it is written. The same request gives the same bytes.
    Ctrl-C ends the work with what was made by then.
    """
    check_writable(out)
    notes: dict[str, object]
    if isinstance(study, Study):
        check_ending(out)
        notes = provenance(study, **how)
        write_table(out, _reconstructed(study, out, notes, seconds, how), notes)
    else:
        _refuse({"--seconds": seconds}, "goes with a study only")
        notes = how | {"without": list(how["without"])}
        with Watch("cohorts", catch=False) as watch:
            study.reconstruct(out, **how, progress=watch)
    if as_json:
        written = {"synthetic": True, "note": SYNTHETIC, "file": str(out), "partial": False}
        _echo_json(written | notes)
    else:
        click.echo(f"{how['cohorts']} synthetic data sets written to {out}")


def _reconstructed(
    study: Study,
    out: Path,
    notes: Mapping[str, object],
    seconds: float | None,
    how: Mapping[str, Any],
) -> pd.DataFrame:
    begun = time.monotonic()
    try:
        with Watch("data sets") as watch:
            watch.say("looking for a first data set of each measure")
            return reconstruct_study(study, **how, seconds=seconds, progress=watch, stop=watch.stop)
    except OutOfTimeError as error:
        used = "until it was interrupted" if watch.stopped else f"in {seconds:g} s"
        if not error.made:
            raise BookError(
                f"no data set was made {used}, and nothing is written; this proves nothing about "
                "the figures"
            ) from error
        marked = out.with_name(f"{out.stem}.partial{out.suffix}")
        partial = f"{error.made} of {error.wanted}"
        write_table(marked, error.table, {"partial": partial, **notes})
        raise BookError(
            f"partial: {partial} data sets were made {used}; they are in {marked}, and {out} is "
            "not written"
        ) from error
    except (ContradictionError, NothingFoundError) as error:
        left = None if seconds is None else max(1.0, seconds - (time.monotonic() - begun))
        _explain(study, study.without(how["without"]).measures, error, left)


def _explain(
    study: Study, measures: Iterable[Measure], error: Exception, seconds: float | None = None
) -> NoReturn:
    """Raise an error that names a smallest contradictory set, or says that none was shown."""
    compared = {each.id for each in study.comparisons}
    if isinstance(error, ContradictionError) and compared & set(error.figures):
        raise _contradiction(study, f"{error}. None is superfluous.", error.figures) from error
    left = _DIAGNOSIS_SECONDS if seconds is None else seconds
    undecided = False
    with Watch("figures") as watch:
        watch.say(f"looking for a smallest set of contradictory figures, up to about {left:.0f} s")
        for measure in measures:
            found = diagnose(measure.block, left, stop=watch.stop)
            if found.outcome is Outcome.CONTRADICTION:
                raise _contradiction(study, found.message, found.figures) from error
            undecided |= found.outcome is Outcome.UNDECIDED
            left = max(1.0, left - found.seconds)
    words = "nothing was found, and nothing is proved" if undecided else "nothing was found"
    raise BookError(f"partial: {words}: {error}") from error


def _contradiction(study: Study, words: str, names: Iterable[str]) -> ConfigurationError:
    lines = [f"  {name}: {study.figure(name).printed}" for name in names]
    start = f"the figures of {study.name} contradict each other: {words}"
    return ConfigurationError("\n".join([start, *lines]))


@click.command("predict")
@click.argument("figure")
@_about_a_study
@_PRIOR
@_count("--draws", 1000, "Number of data sets drawn.")
@_SEED
def predict_command(figure: str, study: Study | ArticleCohorts, as_json: bool, **how: Any) -> None:
    """Predict FIGURE from all other figures.

    The figure is held out, and data that print all the others are drawn. The interval depends on
    the prior; the bounds do not. Ctrl-C ends the work with the draws made by then.
    """
    record: Mapping[str, Any]
    if isinstance(study, Study):
        try:
            with Watch("data sets") as watch:
                watch.say("looking for a first data set")
                found = predict_figure(study, figure, **how, progress=watch, stop=watch.stop)
        except (ContradictionError, NothingFoundError) as error:
            _explain(study, study.without([figure]).measures, error)
        record = found | {"synthetic": True, "note": SYNTHETIC}
    else:
        with Watch("draws", catch=False) as watch:
            watch.say("drawing")
            record = study.predict(figure, **how, progress=watch)
    if as_json:
        _echo_json(dict(record))
    else:
        _print_prediction(record)
    draws, wanted_draws = record.get("draws"), how["draws"]
    if isinstance(draws, int) and draws < wanted_draws:
        raise BookError(f"partial: interrupted after {draws} of {wanted_draws} draws")


def _print_prediction(record: Mapping[str, Any]) -> None:
    click.echo(
        f"{record['figure']}: predicted {_short(record['median'])}, 95 % from "
        f"{_short(record['low'])} to {_short(record['high'])}; printed {record['printed']}, as in "
        f"{100 * record['share']:.0f} % of the data sets"
    )
    if record.get("bounds"):
        click.echo(_bounds_line(record["bounds"]))
    if record.get("prior"):
        click.echo(f"prior {record['prior']}")


@click.command("bounds")
@click.argument("quantity")
@_about_a_study
@click.option("--at", required=True, metavar="TIME", help="Time point.")
@click.option("--measure", default="", help="Measure of the STUDY, if it has several.")
@click.option(
    "--threshold", type=number, help="Least change of a responder, or value for at_least, at_most."
)
@_without("Figure that is no constraint; may be given several times.")
@_seconds(60.0, "Time limit of each integer programme.")
def bounds_command(
    quantity: str,
    study: Study | ArticleCohorts,
    at: str,
    measure: str,
    threshold: Fraction | None,
    as_json: bool,
    **more: Any,
) -> None:
    """Give the least and the greatest value of QUANTITY over all data with the printed figures.

    QUANTITY is one of responders, at_least, at_most, mean, sd, change_mean, change_sd, paired_p,
    followed_baseline_mean and missing_baseline_mean. Nothing passes the bounds; sharp ones are
    attained by data that are shown with --json. Ctrl-C ends the work with what is proved by then.
    """
    more["threshold"] = threshold
    record: Mapping[str, Any]
    with Watch("bounds", catch=isinstance(study, Study)) as watch:
        if isinstance(study, Study):
            chosen = study.measure(measure)
            told: Any = {"progress": watch.say, "stop": watch.stop}
            try:
                record = bound_quantity(chosen, quantity, at, **more, **told)
            except ContradictionError as error:
                _explain(study, [chosen.without(more["without"])], error)
        else:
            _refuse({"--measure": measure}, "goes with a study only")
            watch.say("looking for the bounds, which takes minutes unless they are shipped")
            record = study.bounds(quantity, at=at, **more)
    if as_json:
        _echo_json(dict(record))
    else:
        click.echo(_bounds_line(record))
    if watch.stopped and not record["sharp"]:
        raise BookError("partial: interrupted; the bounds hold, and more time may narrow them")


@click.command("check")
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@_about_a_study
def check_command(data: Path, study: Study | ArticleCohorts, as_json: bool, **how: str) -> None:
    """Check whether DATA print every figure of a study, by an independent computation.

    With STUDY, DATA is a .csv or .parquet file with the columns patient, measure, timepoint and
    value, and cohort for several data sets. Without, it is a cohort of the installed article.
    The exit status is 1 if a figure differs.
    """
    watch = Watch("cohorts", catch=False)
    watch.say("recomputing every figure")
    if isinstance(study, Study):
        report = check_study(study.description, read_table(data))
        if report.empty:
            raise ConfigurationError(f"{data.name}: found no values, allowed is a value or more")
    elif data.is_file():
        raise ConfigurationError(
            f"{data.name} is a file; without STUDY a folder with a cohort is expected"
        )
    else:
        with watch:
            report = study.check(data, **how, progress=watch)
    wrong = failures(report)
    if as_json:
        _echo_json(json.loads(report.to_json(orient="records")))
    else:
        _print_report(report, wrong)
    if len(wrong):
        raise BookError(f"{len(wrong)} of {len(report)} figures differ")


def _print_report(report: pd.DataFrame, wrong: pd.DataFrame) -> None:
    several = "cohort" in report and report["cohort"].nunique() > 1
    shown = wrong if several else report
    if len(shown):
        columns = [*(["cohort"] if several else []), "id", "printed", "computed"]
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
