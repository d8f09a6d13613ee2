"""Where a book's files are, what it consists of, and its few settings."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from rederive.errors import ConfigurationError

ROOT_VARIABLE = "REDERIVE_ROOT"
REPOSITORY_URL_VARIABLE = "REDERIVE_REPOSITORY_URL"
REPOSITORY_BRANCH_VARIABLE = "REDERIVE_REPOSITORY_BRANCH"
PAGE_SUFFIXES = (".md", ".ipynb")

# A fixed moment (1 January 2000, UTC) in place of the time of the build, so that two builds of
# the same sources are equal byte by byte.
SOURCE_DATE_EPOCH = "946684800"


@dataclass(frozen=True)
class Project:
    """A book's folder and the places in it.

    Parameters
    ----------
    root
        Folder that holds ``_config.yml`` and ``_toc.yml``.
    variant
        Name of the variant that is built from it; empty for the book as it is.
    """

    root: Path
    variant: str = ""

    @property
    def build(self) -> Path:
        """Folder for everything that builds write."""
        return self.root / "_build"

    @property
    def variants(self) -> Path:
        """Folder of all variants, each in a folder of its name."""
        return self.build / "variants"

    @property
    def output(self) -> Path:
        """Folder of this build alone: its staged tree and its site."""
        return self.variants / self.variant if self.variant else self.build

    @property
    def runs(self) -> Path:
        """Notebooks of single runs."""
        return self.build / "runs"

    @property
    def cache(self) -> Path:
        """Executed notebooks, by content."""
        return self.build / "cache"

    @property
    def stage(self) -> Path:
        """The tree that Jupyter Book reads: executed notebooks beside the other pages."""
        return self.output / "stage"

    @property
    def site(self) -> Path:
        """The last good site."""
        return self.output / "html"

    @property
    def config_file(self) -> Path:
        """Settings of the book."""
        return self.root / "_config.yml"

    @property
    def toc_file(self) -> Path:
        """Table of contents."""
        return self.root / "_toc.yml"

    @property
    def lock_file(self) -> Path:
        """Pinned packages."""
        return self.root / "requirements.lock"

    @cached_property
    def pages(self) -> tuple[Path, ...]:
        """Pages of the table of contents, relative to the root, in reading order.

        Raises
        ------
        ConfigurationError
            If ``_toc.yml`` cannot be read or names a page that is missing or ambiguous.
        """
        return tuple(self._page_file(name) for name in _toc_names(self.toc_file))

    @property
    def notebooks(self) -> tuple[Path, ...]:
        """The notebooks among the pages, relative to the root, in reading order."""
        return tuple(page for page in self.pages if page.suffix == ".ipynb")

    def _page_file(self, name: str) -> Path:
        found = [
            Path(name + suffix)
            for suffix in PAGE_SUFFIXES
            if (self.root / (name + suffix)).is_file()
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise ConfigurationError(
                f"_toc.yml: page {name!r} is ambiguous, "
                f"found {' and '.join(map(str, found))}; keep one of them"
            )
        folder = (self.root / name).parent
        present = [
            path.relative_to(self.root).with_suffix("").as_posix()
            for path in folder.glob("*")
            if path.suffix in PAGE_SUFFIXES
        ]
        near = difflib.get_close_matches(name, present, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigurationError(
            f"_toc.yml: page {name!r} has no file; expected {name}.md or {name}.ipynb{hint}"
        )


def find_project(start: Path | None = None) -> Project:
    """Find the book that `start` belongs to.

    Parameters
    ----------
    start
        Folder to begin with; by default the one named by the environment variable
        ``REDERIVE_ROOT``, else the working directory. Its parents are tried in turn.

    Returns
    -------
    Project
        The nearest folder with a ``_config.yml`` and a ``_toc.yml``.

    Raises
    ------
    ConfigurationError
        If there is none.
    """
    first = (start or Path(os.environ.get(ROOT_VARIABLE) or Path.cwd())).resolve()
    for folder in (first, *first.parents):
        if (folder / "_config.yml").is_file() and (folder / "_toc.yml").is_file():
            return Project(folder)
    raise ConfigurationError(
        f"no book at {first} or above it: expected a folder with _config.yml and _toc.yml"
    )


def read_settings(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping.

    Parameters
    ----------
    path
        File to read, UTF-8.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    ConfigurationError
        If the file is missing, is not YAML, or holds something else than a mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path.name}: file not found in {path.parent}") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path.name}: not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path.name}: expected a mapping of settings, found {type(content).__name__}"
        )
    return content


def _toc_names(path: Path) -> list[str]:
    from sphinx_external_toc.parsing import MalformedError, parse_toc_data

    try:
        names = list(parse_toc_data(read_settings(path)))
    except MalformedError as error:
        raise ConfigurationError(f"{path.name}: {error}") from None
    return [re.sub(r"\.(md|ipynb)$", "", name) for name in names]


@dataclass(frozen=True)
class Repository:
    """The public address of the sources.

    Parameters
    ----------
    url
        ``https://host/owner/name``, without a slash or ``.git`` at the end.
    branch
        The branch that links point to.
    """

    url: str
    branch: str


def repository_of(
    settings: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Repository | None:
    """Read the repository's address from its one setting.

    Parameters
    ----------
    settings
        Content of ``_config.yml``; ``repository.url`` and ``repository.branch`` count.
    environment
        ``REDERIVE_REPOSITORY_URL`` and ``REDERIVE_REPOSITORY_BRANCH`` in it come first;
        by default the environment of this process.

    Returns
    -------
    Repository or None
        None when no address is set.

    Raises
    ------
    ConfigurationError
        If the address does not have the form ``https://host/owner/name``.
    """
    variables = os.environ if environment is None else environment
    given = settings.get("repository") or {}
    if not isinstance(given, Mapping):
        raise ConfigurationError("_config.yml: repository: expected a mapping with url and branch")
    url = str(variables.get(REPOSITORY_URL_VARIABLE) or given.get("url") or "").strip()
    branch = str(variables.get(REPOSITORY_BRANCH_VARIABLE) or given.get("branch") or "main").strip()
    if not url:
        return None
    trimmed = url.rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://[\w.-]+(:\d+)?/[\w.-]+/[\w.-]+", trimmed):
        raise ConfigurationError(
            f"repository url: found {url!r}, expected the form https://host/owner/name, "
            "or nothing for a book without launch and edit buttons"
        )
    return Repository(trimmed, branch)


def theme_options_for(repository: Repository | None) -> dict[str, Any]:
    """Give the theme options that depend on the repository's address.

    Parameters
    ----------
    repository
        The address, or None.

    Returns
    -------
    dict
        Without an address every button that needs one is off and there is no launch provider.
    """
    if repository is None:
        return {
            "repository_url": "",
            "use_repository_button": False,
            "use_edit_page_button": False,
            "use_issues_button": False,
            "launch_buttons": {},
        }
    return {
        "repository_url": repository.url,
        "repository_branch": repository.branch,
        "use_repository_button": True,
        "use_edit_page_button": True,
        "use_issues_button": "github" in repository.url or "gitlab" in repository.url,
    }
