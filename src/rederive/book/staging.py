"""The staged tree: what Jupyter Book reads, in the repository's own folders."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from rederive.book.config import Project, read_settings
from rederive.book.errors import ConfigurationError
from rederive.book.files import files_below
from rederive.printed.files import write_atomically

STATIC_FOLDER = Path("book/_static")


def staged_files(project: Project, notebooks: Mapping[Path, bytes]) -> dict[Path, bytes]:
    """Collect the files of the staged tree.

    Parameters
    ----------
    project
        The book.
    notebooks
        Executed notebooks by their path relative to the root; all of the table of contents.

    Returns
    -------
    dict
        Contents by path relative to the root: every page, the table of contents, the settings
        with execution switched off, bibliographies, static files, and all of ``data/`` so that
        pages can offer data for download.

    Raises
    ------
    ConfigurationError
        If a notebook of the table of contents was not executed, or a bibliography is missing.
    """
    files: dict[Path, bytes] = {}
    for page in project.pages:
        if page.suffix == ".ipynb":
            if page not in notebooks:
                raise ConfigurationError(f"{page.as_posix()}: in _toc.yml, but not executed")
            files[page] = notebooks[page]
        else:
            files[page] = (project.root / page).read_bytes()
    settings = read_settings(project.config_file)
    for name in settings.get("bibtex_bibfiles") or []:
        source = project.root / name
        if not source.is_file():
            raise ConfigurationError(f"_config.yml: bibtex_bibfiles: {name!r} not found")
        files[Path(name)] = source.read_bytes()
    for folder in (project.root / STATIC_FOLDER, project.root / "data"):
        for path in files_below(folder):
            files[path.relative_to(project.root)] = path.read_bytes()
    execute = dict(settings.get("execute") or {})
    settings["execute"] = {**execute, "execute_notebooks": "off"}
    files[Path("_config.yml")] = yaml.safe_dump(settings, allow_unicode=True).encode()
    files[Path("_toc.yml")] = project.toc_file.read_bytes()
    return files


def write_stage(stage: Path, files: Mapping[Path, bytes]) -> None:
    """Make `stage` hold exactly `files`.

    Parameters
    ----------
    stage
        Folder of the staged tree; what else is in it is removed.
    files
        Contents by relative path.
    """
    if stage.exists():
        shutil.rmtree(stage)
    for path, content in files.items():
        write_atomically(stage / path, content)
