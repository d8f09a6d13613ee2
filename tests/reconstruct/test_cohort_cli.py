"""The commands reconstruct, predict, bounds and check."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Mapping
from fractions import Fraction
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from rederive import installed
from rederive.book import cohort_form
from rederive.cli import cohort as cli_cohort
from rederive.cli import watch as cli_watch
from rederive.cli.cohort import bounds_command, check_command, predict_command, reconstruct_command
from rederive.cli.main import main
from rederive.reconstruct.study import OutOfTimeError, read_table

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "examples" / "grip-strength.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
RESPONDERS = ("bounds", "responders", EXAMPLE)
COMMANDS = (reconstruct_command, predict_command, bounds_command, check_command)


def run(*arguments: object) -> Result:
    # The class of the project's own command turns errors into exit statuses.
    group = type(main)(commands={c.name: c for c in COMMANDS if c.name})
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "grip.csv"
    result = run("reconstruct", EXAMPLE, "--cohorts", 4, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"4 synthetic data sets written to {out}\n"
    assert result.stderr == ""
    return out


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    path = tmp_path / "spoilt.yaml"
    path.write_text(TEXT.replace('minimum: "3"', 'minimum: "5"'), encoding="utf-8")
    return path


def test_what_is_reconstructed_passes_the_check(made: Path) -> None:
    assert read_table(made)["cohort"].nunique() == 4
    result = run("check", made, EXAMPLE)
    assert result.exit_code == 0
    assert result.stdout == "144 of 144 figures agree in 4 data sets\n"
    records = json.loads(run("check", made, EXAMPLE, "--json").stdout)
    assert len(records) == 144
    assert set(records[0]) == {"cohort", "id", "printed", "computed", "agrees"}


def test_the_same_request_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    run("reconstruct", EXAMPLE, "--cohorts", 4, "--out", again)
    assert again.read_bytes() == made.read_bytes()


def test_a_changed_value_is_caught(made: Path, tmp_path: Path) -> None:
    data = read_table(made)
    data = data[data["cohort"] == 1].drop(columns="cohort")
    data.loc[data.index[0], "value"] += 20
    data.to_csv(tmp_path / "changed.csv", index=False)
    result = run("check", tmp_path / "changed.csv", EXAMPLE)
    assert result.exit_code == 1
    assert "NO" in result.stdout
    assert "of 36 figures differ" in result.stderr


def test_json_says_that_data_are_synthetic(tmp_path: Path) -> None:
    arguments = ["--cohorts", 1, "--out", tmp_path / "x.parquet", "--json", "--without"]
    result = run("reconstruct", EXAMPLE, *arguments, "grip.start.sd")
    described = json.loads(result.stdout)
    assert described["synthetic"] is True
    assert described["partial"] is False
    assert described["without"] == ["grip.start.sd"]
    assert read_table(tmp_path / "x.parquet")["patient"].nunique() == 16


def test_contradictory_figures_name_the_smallest_set(spoilt: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    result = run("reconstruct", spoilt, "--out", out)
    assert result.exit_code == 2
    assert "pain.start.sd, pain.start.minimum, pain.start.maximum" in result.stderr
    assert "  pain.start.minimum: 5\n" in result.stderr
    assert not out.exists()
    # Without one figure of the set the others do hold together.
    result = run("reconstruct", spoilt, "--out", out, "--without", "pain.start.sd", "--cohorts", 1)
    assert result.exit_code == 0


def test_contradictions_stop_predictions_and_bounds_too(spoilt: Path) -> None:
    result = run("predict", "pain.week12.sd", spoilt, "--draws", 4)
    assert result.exit_code == 2
    assert "pain.start.minimum" in result.stderr
    result = run("bounds", "mean", spoilt, "--measure", "pain", "--at", "week12", "--seconds", 5)
    assert result.exit_code == 2
    assert "pain.start.minimum" in result.stderr


def test_too_little_time_writes_a_file_marked_partial(
    tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: object, **options: object) -> None:
        raise OutOfTimeError(read_table(made), 4, 10)

    monkeypatch.setattr(cli_cohort, "reconstruct_study", late)
    out = tmp_path / "x.csv"
    result = run("reconstruct", EXAMPLE, "--cohorts", 10, "--out", out, "--seconds", 1)
    assert result.exit_code == 1
    assert "partial: 4 of 10" in result.stderr
    assert not out.exists()
    partial = tmp_path / "x.partial.csv"
    assert '# partial: "4 of 10"' in partial.read_text().splitlines()
    assert read_table(partial)["cohort"].nunique() == 4


def test_ctrl_c_ends_the_work_with_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(watch: cli_watch.Watch) -> cli_watch.Watch:
        before = signal.getsignal(signal.SIGINT)
        entered = enter(watch)
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        assert before is not signal.SIG_DFL
        return entered

    enter = cli_watch.Watch.__enter__
    monkeypatch.setattr(cli_watch.Watch, "__enter__", interrupted)
    out = tmp_path / "x.csv"
    result = run("reconstruct", EXAMPLE, "--out", out)
    assert result.exit_code == 1
    assert "ending after the step under way" in result.stderr
    assert "no data set was made until it was interrupted" in result.stderr
    result = run(*RESPONDERS, "--measure", "pain", "--at", "week12", "--threshold", "3")
    assert result.exit_code == 1
    assert result.stdout.startswith("bounds: from 0 to ")
    assert "partial: interrupted" in result.stderr


def test_no_time_at_all_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    result = run("reconstruct", EXAMPLE, "--out", out, "--seconds", 1e-6)
    assert result.exit_code == 1
    assert "proves nothing" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_prediction_in_words_and_as_json() -> None:
    arguments = ("predict", "pain.week12.responders.2", EXAMPLE, "--draws", 20)
    words = run(*arguments)
    assert words.exit_code == 0, words.output
    assert words.stdout.startswith("pain.week12.responders.2: predicted ")
    described = json.loads(run(*arguments, "--json").stdout)
    assert described["printed"] == "8"
    assert described["bounds"] is None
    assert described["draws"] == 20


def test_bounds_in_words_and_as_json() -> None:
    arguments = ("bounds", "missing_baseline_mean", EXAMPLE, "--measure", "pain", "--at", "week12")
    words = run(*arguments)
    assert words.exit_code == 0, words.output
    assert words.stdout.startswith("bounds: from ")
    described = json.loads(run(*arguments, "--json").stdout)
    assert described["low"] < described["high"]
    assert len(described["witnesses"]["low"]) == 16


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reconstruct", EXAMPLE, "--out", "x.txt"], "allowed are .parquet, .csv"),
        (["reconstruct", EXAMPLE, "--out", "x.csv", "--prior", "stedy"], "did you mean 'steady'"),
        (["reconstruct", EXAMPLE, "--out", "x.csv", "--reading", "a"], "--reading: does not go"),
        (["reconstruct", EXAMPLE, "--out", "x.csv", "--without", "x"], "figure: found 'x'"),
        (["predict", "grip.week6.maen", EXAMPLE], "did you mean 'grip.week6.mean'"),
        (["bounds", "maen", EXAMPLE, "--measure", "pain", "--at", "start"], "did you mean 'mean'"),
        (
            ["bounds", "mean", EXAMPLE, "--at", "start"],
            "allowed: grip, pain",
        ),
        (
            [*RESPONDERS, "--measure", "grip", "--at", "week6", "--threshold", "60.5"],
            "found 60.5, allowed are numbers above 0 up to 60",
        ),
        (
            [*RESPONDERS, "--measure", "pain", "--at", "week12", "--threshold", "0"],
            "found 0, allowed are numbers above 0 up to 10",
        ),
        (["check", EXAMPLE], "without STUDY a folder with a cohort is expected"),
        (["bounds", "mean", EXAMPLE, "--measure", "pain", "--at", "week1"], "week12"),
        (["check", EXAMPLE, EXAMPLE], "found .yaml, allowed are .parquet, .csv"),
        (["reconstruct", "--out", "x.csv", "--seconds", "3"], "--seconds: goes with a study only"),
        (["bounds", "mean", "--at", "m6", "--measure", "x"], "--measure: goes with a study only"),
        (
            [*RESPONDERS, "--measure", "grip", "--at", "week6", "--threshold", "03"],
            "found '03', allowed is a number such as 51, 0.125 or 1/8; did you mean 3?",
        ),
    ],
)
def test_requests_that_are_not_usable(arguments: list[object], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_file_without_its_study_is_refused(made: Path) -> None:
    result = run("check", made)
    assert result.exit_code == 2
    assert result.stderr == (
        "error: grip.csv is a file; without STUDY a folder with a cohort is expected\n"
    )


def test_a_missing_file_of_an_article_is_no_traceback(
    article: _Article, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*arguments: object, **options: object) -> None:
        raise FileNotFoundError("visits.csv: not in folder 'x'")

    monkeypatch.setattr(article, "check", missing)
    result = run("check", tmp_path)
    assert result.exit_code == 2
    assert "error: visits.csv: not in folder" in result.stderr


def test_an_unreadable_description_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(TEXT.replace('mean: "18.6"', "mean: 18.6"), encoding="utf-8")
    result = run("check", EXAMPLE, path)
    assert result.exit_code == 2
    assert 'did you mean "18.6"?' in result.stderr


class _Article:
    """Stands for an installed article; notes what it is asked for."""

    priors = ("one", "two")
    readings = ("-8", "-8.0")

    def __init__(self) -> None:
        self.asked: dict[str, object] = {}

    def reconstruct(self, out: Path, **options: object) -> None:
        self.asked = options
        if options["without"] == ("late",):
            raise RuntimeError("partial: 3 of 5 cohorts")
        out.mkdir()

    def predict(self, figure: str, **options: object) -> Mapping[str, object]:
        self.asked = options
        if figure != "a":
            raise ValueError(f"figure: found {figure!r}, allowed are a")
        found = {"figure": figure, "printed": "1.0", "median": 1.04, "low": 0.9, "high": 1.25}
        return found | {"share": 0.5, "bounds": {"low": 0.5, "high": 2, "sharp": True}}

    def bounds(
        self, quantity: str, *, threshold: Fraction | None, **options: object
    ) -> Mapping[str, object]:
        self.asked = options
        return {"low": 1, "high": float(threshold or 0), "sharp": True}

    def check(self, path: Path, *, reading: str, progress: cli_watch.Watch) -> pd.DataFrame:
        progress(1, 1)
        return pd.DataFrame(
            {"id": ["a"], "printed": ["1"], "computed": ["2"], "agrees": [reading == "-8.0"]}
        )


@pytest.fixture
def article(monkeypatch: pytest.MonkeyPatch) -> _Article:
    found = _Article()
    entry = EntryPoint("trial", "x:y", cohort_form.COHORTS)
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda: found)
    monkeypatch.setattr(installed, "entry_points", lambda group: [entry])
    return found


def test_without_a_study_the_installed_article_answers(article: _Article, tmp_path: Path) -> None:
    result = run("reconstruct", "--out", tmp_path / "cohorts", "--cohorts", 5, "--without", "b")
    assert result.exit_code == 0, result.output
    assert article.asked["prior"] == "one"
    assert article.asked["reading"] == "-8"
    assert article.asked["without"] == ("b",)
    words = run("predict", "a").stdout
    assert "a: predicted 1.04, 95 % from 0.9 to 1.25; printed 1.0" in words
    assert "bounds: from 0.5 to 2 (sharp" in words
    assert isinstance(article.asked["progress"], cli_watch.Watch)  # a bar, on a terminal
    assert "from 1 to 0.5 (sharp" in run("bounds", "x", "--at", "m6", "--threshold", "1/2").stdout
    assert run("bounds", "x", "--at", "m6", "--without", "b").exit_code == 0
    assert article.asked["without"] == ("b",)
    assert run("check", tmp_path, "--reading", "-8.0").exit_code == 0
    assert run("check", tmp_path).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["reconstruct", "--out", "x", "--prior", "tow"], 2, "did you mean 'two'"),
        (["reconstruct", "--out", "x", "--reading", "8"], 2, "allowed: -8, -8.0"),
        (["reconstruct", "--out", "x", "--article", "trail"], 2, "did you mean 'trial'?"),
        (["reconstruct", "--out", "x", "--without", "late"], 1, "partial: 3 of 5 cohorts"),
        (["predict", "b"], 2, "allowed are a"),
    ],
)
def test_errors_of_the_article_keep_their_status(
    article: _Article, arguments: list[str], status: int, words: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert words in result.stderr


def test_without_study_and_article_the_way_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "entry_points", lambda group: [])
    result = run("predict", "a")
    assert result.exit_code == 2
    assert "describe a study in a YAML file" in result.stderr


def test_the_bar_is_quiet_unless_a_terminal_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, patience, shown in (
        (io.StringIO(), 0, False),
        (Terminal(), 60, False),
        (Terminal(), 0, True),
    ):
        monkeypatch.setattr(cli_watch, "PATIENCE", patience)
        monkeypatch.setattr("sys.stderr", stream)
        with cli_watch.Watch("data sets") as bar:
            bar(1, 2)
            bar.line("a line above it")
            bar(2, 2)
        assert ("data sets" in stream.getvalue()) is shown


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: str(c.name))
def test_every_command_explains_itself(command: click.Command) -> None:
    text = run(command.name, "--help").stdout
    assert "STUDY" in text
    assert "--json" in text
    assert all(option.help for option in command.params if isinstance(option, click.Option))
