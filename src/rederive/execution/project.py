"""Where a book's files are, what it consists of, and its few settings."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from rederive.printed.errors import ConfigurationError, meant

CACHE_VARIABLE = "REDERIVE_CACHE"
ROOT_VARIABLE = "REDERIVE_ROOT"
PAGE_SUFFIXES = (".md", ".ipynb")

# A fixed moment (1 January 2000, UTC) in place of the time of the build, so that two builds of
# the same sources are equal byte by byte.
SOURCE_DATE_EPOCH = "946684800"


@dataclass(frozen=True)
class Project:
    """A book's folder, which holds ``_config.yml`` and ``_toc.yml``, and the places in it.

    The variant is the name of what is built from it; empty for the book as it is.
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
        """Executed notebooks, by content; the environment variable `CACHE_VARIABLE` names it."""
        named = os.environ.get(CACHE_VARIABLE)
        return Path(named).absolute() if named else self.build / "cache"

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

        A page that is missing or ambiguous is a ``ConfigurationError``.
        """
        return tuple(self._page_file(name) for name in _toc_names(self.toc_file))

    @property
    def notebooks(self) -> tuple[Path, ...]:
        """The notebooks among the pages, relative to the root, in reading order."""
        return tuple(page for page in self.pages if page.suffix == ".ipynb")

    def _page_file(self, name: str) -> Path:
        known = [Path(name + suffix) for suffix in PAGE_SUFFIXES]
        found = [path for path in known if (self.root / path).is_file()]
        if len(found) == 1:
            return found[0]
        if found:
            raise ConfigurationError(
                f"_toc.yml: page {name!r} is ambiguous, found {' and '.join(map(str, found))}; "
                "keep one of them"
            )
        beside = [
            path for path in (self.root / name).parent.glob("*") if path.suffix in PAGE_SUFFIXES
        ]
        names = [path.relative_to(self.root).with_suffix("").as_posix() for path in beside]
        raise ConfigurationError(
            f"_toc.yml: page {name!r} has no file; expected {known[0]} or {known[1]}"
            f"{meant(name, names)}"
        )


def find_project(start: Path | None = None) -> Project:
    """Find the book that a folder belongs to: there, or in the nearest of its parents.

    By default it is the folder named by the environment variable ``REDERIVE_ROOT``, else the
    working directory. A ``ConfigurationError`` if none has a ``_config.yml`` and a ``_toc.yml``.
    """
    first = (start or Path(os.environ.get(ROOT_VARIABLE) or Path.cwd())).resolve()
    for folder in (first, *first.parents):
        if (folder / "_config.yml").is_file() and (folder / "_toc.yml").is_file():
            return Project(folder)
    raise ConfigurationError(
        f"no book at {first} or above it: expected a folder with _config.yml and _toc.yml"
    )


def read_settings(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; anything else in it is refused."""
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
