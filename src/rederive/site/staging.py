"""The staged tree: what Jupyter Book reads, in the repository's own folders."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import yaml

from rederive.execution.files import files_below
from rederive.execution.project import Project, read_settings
from rederive.printed.errors import ConfigurationError
from rederive.site.variant import CHANGES_PAGE, STAGED_FILE, Variant

STAGING = "rederive.staging"
"""Entry points of functions that take and return the files of a staged tree."""


def staged_files(
    project: Project,
    notebooks: Mapping[Path, bytes],
    added: Mapping[Path, str] | None = None,
    variant: Variant | None = None,
) -> dict[Path, bytes]:
    """Collect the files of the staged tree, by path relative to the root.

    They are every page, the table of contents, the settings with execution switched off,
    bibliographies, static files, and all of ``data/`` so that pages can offer data for download;
    then what the plugins of :data:`STAGING` make of them. All notebooks of the contents are given
    executed, and so are those added to them, with the caption of the part in which they are to
    stand; a part that does not exist comes first.
    """
    files: dict[Path, bytes] = {}
    for page in (*project.pages, *(added or {})):
        is_notebook = page.suffix == ".ipynb"
        files[page] = notebooks[page] if is_notebook else (project.root / page).read_bytes()
    settings = read_settings(project.config_file)
    for name in settings.get("bibtex_bibfiles") or []:
        source = project.root / name
        if not source.is_file():
            raise ConfigurationError(f"_config.yml: bibtex_bibfiles: {name!r} not found")
        files[Path(name)] = source.read_bytes()
    for folder in ("book/_static", "book/_templates", "data"):
        for path in files_below(project.root / folder):
            files.setdefault(path.relative_to(project.root), path.read_bytes())
    execute = dict(settings.get("execute") or {})
    settings["execute"] = {**execute, "execute_notebooks": "off"}
    files[Path("_config.yml")] = yaml.safe_dump(settings, allow_unicode=True).encode()
    files[Path("_toc.yml")] = _contents(project, added or {})
    if variant is not None:
        for page, content in files.items():
            if page.suffix == ".ipynb":
                files[page] = variant.as_page(content)
        files[STAGED_FILE] = variant.described(CHANGES_PAGE in files)
    plugins = entry_points(group=STAGING)
    if not plugins and any(b'"solution"' in files[page] for page in notebooks):
        # The environment is older than the project's list of plugins.
        raise ConfigurationError("solutions would stand beside their exercises; run 'make setup'")
    for plugin in plugins:
        files = plugin.load()(files)
    return files


def _contents(project: Project, added: Mapping[Path, str]) -> bytes:
    """Return the table of contents, with the pages that are added to it."""
    if not added:
        return project.toc_file.read_bytes()
    contents = read_settings(project.toc_file)
    for page, caption in added.items():
        entry = {"file": page.with_suffix("").as_posix()}
        if "parts" not in contents:
            key = next((name for name in ("chapters", "sections") if name in contents), "chapters")
            contents.setdefault(key, []).insert(0, entry)
            continue
        parts = contents["parts"]
        own = next((part for part in parts if part.get("caption") == caption), None)
        if own is None:
            parts.insert(0, {"caption": caption, "chapters": [entry]})
        else:
            own.setdefault("chapters", []).append(entry)
    return yaml.safe_dump(contents, allow_unicode=True, sort_keys=False).encode()
