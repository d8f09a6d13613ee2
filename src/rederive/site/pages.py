"""The site: made by Jupyter Book from the staged tree, and put in place only when it is whole."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from rederive.execution.files import digest_of_files, replace_folder
from rederive.execution.project import SOURCE_DATE_EPOCH, Project, read_settings
from rederive.printed.errors import BookError
from rederive.printed.files import write_atomically
from rederive.site.repository import theme_options_for

# Warnings are errors, all of them are shown, and no reference may point nowhere.
STRICT_FLAGS = ("-W", "--keep-going", "-n")


def build_site(project: Project, files: Mapping[Path, bytes]) -> bool:
    """Build the site from the files of the staged tree; return False if it is that of these.

    It is replaced only by a complete and warning-free one; else a ``BookError`` ends with
    what Jupyter Book said.
    """
    options = theme_options_for(read_settings(project.config_file))
    key = _site_key(project, files, f"{options}")
    stamp = project.output / "site.json"
    with suppress(OSError, json.JSONDecodeError):
        known = json.loads(stamp.read_text(encoding="utf-8"))
        if known == {"key": key, "site": digest_of_files(project.site)}:
            return False
    if project.stage.exists():
        shutil.rmtree(project.stage)
    for path, content in files.items():
        write_atomically(project.stage / path, content)
    built = _run_jupyter_book(project.stage, project.output / ".site-new")
    stamp.unlink(missing_ok=True)
    replace_folder(built, project.site)
    described = {"key": key, "site": digest_of_files(project.site)}
    write_atomically(stamp, json.dumps(described).encode())
    return True


def _run_jupyter_book(source: Path, output: Path) -> Path:
    """Run Jupyter Book with warnings as errors; return the folder of the finished pages."""
    shutil.rmtree(output, ignore_errors=True)
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(source)]
    command += ["--path-output", str(output), "--all", "--quiet", *STRICT_FLAGS]
    finished = subprocess.run(
        command,
        env=os.environ | {"SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    pages = output / "_build" / "html"
    if finished.returncode != 0 or not (pages / "index.html").is_file():
        lines = [line for line in finished.stdout.splitlines() if line.strip()]
        shown = "\n".join(lines).replace(f"{source}{os.sep}", "")
        raise BookError(
            "the site was not built (a warning counts as an error); "
            f"the last good one is untouched\n{shown}"
        )
    # It digests absolute paths, and serves only builds that continue an earlier one.
    (pages / ".buildinfo").unlink(missing_ok=True)
    return pages


def _site_key(project: Project, files: Mapping[Path, bytes], options: str) -> str:
    digest = hashlib.sha256(f"{platform.python_version()}\0{options}\0".encode())
    for path in sorted(files):
        digest.update(f"{path.as_posix()}\0{len(files[path])}\0".encode())
        digest.update(files[path])
    digest.update(digest_of_files(Path(__file__).parent).encode())
    if project.lock_file.is_file():
        digest.update(project.lock_file.read_bytes())
    return digest.hexdigest()
