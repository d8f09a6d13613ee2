"""A disk that is full and a place that is read-only, as they are: small file systems of their own.

They are mounted in a mount namespace of the command's own, which Linux lets root make and, on many
machines, everybody; nothing of them is left when the command ends.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOUNTING = ["unshare", "--mount", "--map-root-user"]
CLINIC = "patient;month;mrss\nA;0;30\nA;6;25\nB;0;20\nB;6;18\n"


def allowed() -> bool:
    """Return whether file systems can be mounted here."""
    if shutil.which("unshare") is None:
        return False
    words = [*MOUNTING, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not allowed(), reason="no file system can be mounted here")


COMMANDS = {
    "run": ["run", "results_treatment", "--output", "disk/out.ipynb", "--html"],
    "cache": ["--cache", "disk/cache", "run", "results_treatment", "--output", "out.ipynb"],
    "ledger": ["ledger", "--output", "disk/ledger.csv"],
    "pack": ["teach", "pack", "class.csv", "--seed-file", "secret", "--out", "disk/packs"],
    "quiz": ["teach", "quiz", "--format", "gift", "--out", "disk/quizzes"],
    "reconstruct": ["reconstruct", "--cohorts", "1", "--out", "disk/cohorts"],
    "import": ["import", "clinic.csv", "--out", "disk/mine"],
    "sweep": ["sweep", "results_treatment", "--set", "minimum_cycles=3", "--out", "disk/sweep"],
    "template": ["template", "disk/template"],
    "build": ["--cache", "disk/cache", "build"],
}
STATES = {
    "full": ("dd if=/dev/zero of=disk/filler bs=1k count=64", ("No space left", "disk is full"), 1),
    "read-only": ("mount -o remount,ro disk", ("Read-only file system",), 2),
}
# One process tries all commands in each state; what they say is written where there is space.
TRIED = """
import json, os, subprocess, sys
from click.testing import CliRunner
from rederive.cli.main import main
root, states, commands = json.loads(sys.argv[1])
found = []
for state, prepare in states.items():
    subprocess.run(prepare, shell=True, stderr=subprocess.DEVNULL)
    for name, words in commands.items():
        result = CliRunner().invoke(main, ["--root", root, *words])
        left = [each[2] for each in os.walk("disk") if each[2] and "cache" not in each[0]]
        found.append((state, name, result.exit_code, result.output, left))
        os.environ.pop("REDERIVE_CACHE", None)
with open("found.json", "w") as file:
    json.dump(found, file)
"""


def mounted(folder: Path, prepare: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where file systems are mounted by a shell command first."""
    (folder / "clinic.csv").write_text(CLINIC)
    (folder / "class.csv").write_text("id\nada\nbob\n")
    (folder / "secret").write_text("a secret of this test, which is long enough\n")
    (folder / "disk").mkdir()
    return subprocess.run(
        [*MOUNTING, "sh", "-c", f'{prepare} && exec "$@"', "sh", sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        timeout=300,
    )


def test_a_disk_is_named_in_a_sentence(tmp_path: Path) -> None:
    prepares = {state: prepare for state, (prepare, *_) in STATES.items()}
    what = json.dumps([str(ROOT), prepares, COMMANDS])
    done = mounted(tmp_path, "mount -t tmpfs -o size=64k none disk", "-c", TRIED, what)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert len(found) == len(STATES) * len(COMMANDS)
    for state, command, status, said, left in found:
        assert status == STATES[state][2] and " -> None" not in said, (state, command, said)
        assert any(each in said for each in STATES[state][1]), (state, command, said)
        assert "Traceback" not in said and len(said.splitlines()) < 12, (state, command, said)
        assert left == [["filler"]], (state, command, left)


def test_a_checkout_that_is_read_only_is_said_before_anything_runs(tmp_path: Path) -> None:
    prepare = f'mount --bind "{ROOT}" "{ROOT}" && mount -o remount,bind,ro "{ROOT}"'
    rederive = ["-m", "rederive.cli.main", "--root", str(ROOT)]
    done = mounted(tmp_path, prepare, *rederive, "build")
    said = done.stdout + done.stderr
    assert done.returncode == 2 and "Read-only file system" in said and "started" not in said, said
    # What writes nowhere in it is done, and so is one notebook with a cache elsewhere.
    for name, words in {
        "cache": ["--cache", "cache", "run", "results_treatment", "--output", "out.ipynb"],
        "": ["registry"],
        "ledger.csv": ["ledger", "--output", "ledger.csv"],
    }.items():
        (tmp_path / "disk").rmdir()
        done = mounted(tmp_path, prepare, *rederive, *words)
        assert done.returncode == 0 and (tmp_path / name).exists(), done.stdout + done.stderr
