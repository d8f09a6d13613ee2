"""A disk that is full and a place that is read-only, as they are: small file systems of their own.

They are mounted in a mount namespace of the command's own, which Linux lets root make and, on many
machines, everybody; nothing of them is left when the command ends.
"""

from __future__ import annotations

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


def on_a_disk(folder: Path, prepare: str, words: list[str]) -> tuple[int, str]:
    """Run the command where ``folder`` is a small disk that was prepared by a shell command."""
    (folder.parent / "clinic.csv").write_text(CLINIC)
    script = f'mount -t tmpfs -o size=64k none "{folder}" && {prepare} && exec "$@"'
    command = [sys.executable, "-m", "rederive.cli.main", "--root", str(ROOT)]
    done = subprocess.run(
        [*MOUNTING, "sh", "-c", script, "sh", *command, *words],
        capture_output=True,
        text=True,
        cwd=folder.parent,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


COMMANDS = {
    "run": ["run", "results_treatment", "--output", "disk/out.ipynb"],
    "import": ["import", "clinic.csv", "--out", "disk/mine"],
    "sweep": ["sweep", "results_treatment", "--set", "minimum_cycles=3", "--out", "disk/sweep"],
    "ledger": ["ledger", "--output", "disk/ledger.csv"],
    "build": ["--cache", "disk/cache", "build"],
}
FULL = "dd if=/dev/zero of=disk/filler bs=1k count=64 2>/dev/null; true"
READ_ONLY = "mount -o remount,ro disk"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("prepare", "words"),
    [(FULL, ("No space left", "disk is full")), (READ_ONLY, ("Read-only file system",))],
    ids=["full", "read-only"],
)
def test_a_disk_is_named_in_a_sentence(
    command: str, prepare: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    status, said = on_a_disk(folder, prepare, COMMANDS[command])
    assert status in (1, 2), said
    assert any(each in said for each in words), said
    assert "Traceback" not in said and len(said.splitlines()) < 12, said
    assert list(folder.iterdir()) == []


def test_a_checkout_that_is_read_only_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    prepare = f'mount --bind "{ROOT}" "{ROOT}" && mount -o remount,bind,ro "{ROOT}"'
    status, said = on_a_disk(tmp_path / "disk", prepare, ["build"])
    assert status == 2 and "Read-only file system" in said and "started" not in said, said
    # With a cache elsewhere one notebook can be run.
    words = ["--cache", "cache", "run", "results_treatment", "--output", "out.ipynb"]
    status, said = on_a_disk(tmp_path / "disk", prepare, words)
    assert status == 0 and (tmp_path / "out.ipynb").is_file(), said
