"""Variants: the whole book under other parameters, in a folder of its own beside the original."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from rederive.execution.notebooks import canonical_bytes, source_of, tags_of
from rederive.parameters import ParameterSet, Value
from rederive.parameters.notebooks import (
    COHORT_PARAMETER,
    NOTEBOOKS_FOLDER,
    ONLY_RECONSTRUCTED,
    TAG,
    notebook_parameters,
)
from rederive.printed.errors import ConfigurationError

CHANGED = "changed"
"""Parameter of notebooks about the whole book: a mapping of all values that differ."""

CHANGES_PAGE = Path("book") / "changes.ipynb"
"""Page that lists what a variant changes; only variants have it, and only books that bring it."""

CHANGES_CAPTION = "This variant"
"""Part of the table of contents in which that page stands."""

STAGED_FILE = Path("_variant.json")
"""Description of the variant in the staged tree, from which every page gets its banner."""

SITE_FILE = Path("variant.json")
"""The same description in the finished site, by which variants are listed."""

INJECTED = "injected-parameters"
"""Tag of the cell in which papermill assigns what a run was given."""

HIDDEN = "remove-input"
"""Tag of a cell whose source no page shows."""

RECONSTRUCTED = "reconstructed"
"""Tag of cells that hold for reconstructed cohorts alone."""

OWN_FIGURE = "own-cohort"
"""Metadata of a figure's cell: caption and alt text where it shows a cohort of one's own."""

_REFERENCE = re.compile(r"(?m)(?P<first>^)?\{numref\}`(?P<name>[^`]+)`")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Variant:
    """A book under parameters that differ from the article's, in a folder of its name.

    ``changed`` are the values that differ, ``differences`` the same in words, without a user's own
    cohort: ``name``, ``label``, the ``article``'s value and the one ``here``. ``cohort`` is the
    name of that cohort's folder; empty for none.
    """

    name: str
    changed: Mapping[str, Value]
    differences: tuple[Mapping[str, str], ...]
    cohort: str = ""

    @classmethod
    def of(cls, parameters: ParameterSet, given: Mapping[str, object], name: str = "") -> Variant:
        """Return the variant that some values make, named by default by a hash of what differs.

        Nothing that differs, or a name that is not usable, is a ``ConfigurationError``.
        """
        changed = dict(parameters.changed(parameters.check(given)))
        if not changed:
            raise ConfigurationError(
                "variant: found only values of the article, allowed: at least one that differs"
            )
        if name and not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"name: found {name!r}, allowed: letters, digits, dots, hyphens and underscores, "
                "at most 64 of them, the first a letter or digit"
            )
        folder = str(changed.get(COHORT_PARAMETER, ""))
        differences = tuple(
            {
                "name": each.name,
                "label": each.label,
                "article": _with_unit(each.default, each.unit),
                "here": _with_unit(changed[each.name], each.unit),
            }
            for each in parameters
            if each.name in changed and each.name != COHORT_PARAMETER
        )
        return cls(name or short_hash(changed), changed, differences, Path(folder).name)

    def parameters_for(self, notebook: Path) -> dict[str, Any]:
        """Return what one notebook is run with: of the values that differ, those that it takes.

        A notebook about the whole book takes them all as one mapping, :data:`CHANGED`. A cohort of
        one's own is for the book's sections; lessons and other pages speak of the one they have.
        """
        taken = notebook_parameters(notebook, tuple(self.changed))
        own: dict[str, Any] = {name: self.changed[name] for name in taken if name in self.changed}
        if notebook.parent.name != NOTEBOOKS_FOLDER.name:
            own.pop(COHORT_PARAMETER, None)
        return {CHANGED: dict(self.changed)} if CHANGED in taken else own

    def described(self, changes_page: bool) -> bytes:
        """Return the variant as JSON, without paths, with the page that lists what changed."""
        content = {
            "name": self.name,
            "cohort": self.cohort,
            "changes_page": CHANGES_PAGE.with_suffix("").as_posix() if changes_page else "",
            "differences": list(self.differences),
        }
        return f"{json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)}\n".encode()

    def as_page(self, content: bytes) -> bytes:
        """Return an executed notebook as a page may show it.

        The cell of parameters that were put in is hidden where the cell of defaults is, and names
        a user's own cohort without its path.
        """
        notebook = json.loads(content)
        hidden = False
        notebook["cells"] = shown_cells(notebook)
        for cell in notebook["cells"]:
            tags = tags_of(cell)
            if TAG in tags:
                hidden = HIDDEN in tags
            if INJECTED in tags:
                cell["source"] = self._without_path(source_of(cell))
                cell["metadata"]["tags"] = [*tags, *([HIDDEN] if hidden else [])]
        return canonical_bytes(notebook)

    def _without_path(self, source: str) -> str:
        path = str(self.changed.get(COHORT_PARAMETER, ""))
        for written in (json.dumps(path)[1:-1], repr(path)[1:-1]) if path else ():
            source = source.replace(written, self.cohort)
        return source


def shown_cells(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of an executed notebook that a page shows.

    Where the run had a cohort of one's own, those are left out that hold for reconstructed cohorts
    alone, and figures have a caption and an alt text for it.
    """
    cells: list[dict[str, Any]] = notebook["cells"]
    given = [source_of(cell) for cell in cells if INJECTED in tags_of(cell)]
    if not re.search(rf"""^{COHORT_PARAMETER} = (["']).+\1""", "\n".join(given), re.MULTILINE):
        return cells
    shown = [
        _with_own_figure(cell)
        for cell in cells
        if RECONSTRUCTED not in tags_of(cell) and not source_of(cell).startswith(ONLY_RECONSTRUCTED)
    ]
    gone = {name for name, _ in _named(cells)}
    gone -= {name for name, is_shown in _named(shown) if is_shown}
    return [_without_references(cell, gone) for cell in shown]


def _named(cells: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, bool]]:
    """Yield the names by which text refers to figures and tables, and whether they came out."""
    for cell in cells:
        for kind, settings in cell["metadata"].get("mystnb", {}).items():
            if "name" in settings:
                data = [key for output in cell["outputs"] for key in output.get("data", ())]
                wanted = "text/html" if kind == "table" else "image/"
                yield settings["name"], any(key.startswith(wanted) for key in data)


def _without_references(cell: dict[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """Return a cell that says of figures and tables that are not on its page that they are not."""
    if cell["cell_type"] != "markdown":
        return cell

    def words(reference: re.Match[str]) -> str:
        if reference["name"] not in gone:
            return reference[0]
        kind = "table" if reference["name"].startswith("tab") else "figure"
        return f"{'a' if reference['first'] is None else 'A'} {kind} that is left out here"

    return {**cell, "source": _REFERENCE.sub(words, source_of(cell))}


def _with_own_figure(cell: dict[str, Any]) -> dict[str, Any]:
    own = cell["metadata"].get(OWN_FIGURE)
    if not own:
        return cell
    shown = cell["metadata"]["mystnb"]
    figure = {**shown["figure"], "caption": own["caption"]}
    mystnb = {**shown, "figure": figure, "image": {"alt": own["alt"]}}
    return {**cell, "metadata": {**cell["metadata"], "mystnb": mystnb}}


def short_hash(values: Mapping[str, object], length: int = 10) -> str:
    """Return a short name for some parameters, the same for the same values in any order."""
    text = json.dumps(dict(values), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _with_unit(value: object, unit: str) -> str:
    """Return a parameter's value with its unit: one month, not one months."""
    unit = unit.removesuffix("s") if value == 1 else unit
    return f"{value} {unit}".strip() or "none"


def banner(
    described: Mapping[str, Any], address_of: Callable[[str], str], same: bool = False
) -> str:
    """Return the banner that says on every page of a variant what it is; all texts are escaped.

    ``described`` is the content of :data:`STAGED_FILE`, ``address_of`` returns the address of a
    page relative to the banner's, and ``same`` is whether that page takes nothing of what differs.
    """
    parts = [f"<strong>Variant “{escape(described['name'])}”</strong>"]
    if described["cohort"]:
        parts.append(f"computed from your own cohort, folder “{escape(described['cohort'])}”")
    if described["differences"]:
        parts.append("in place of the article’s parameters")
    items = "".join(
        f'<li title="{escape(each["label"])}"><code>{escape(each["name"])}</code> '
        f"{escape(each['article'])} → <strong>{escape(each['here'])}</strong></li>"
        for each in described["differences"]
    )
    words = f"{', '.join(parts)}{':' if items else '.'}"
    note = " This page takes none of it, and is as in the book itself." if same else ""
    link = ""
    if described["changes_page"]:
        address = escape(address_of(described["changes_page"]))
        link = f'<a href="{address}">What changed</a>'
    listed = f"<ul>{items}</ul>" if items else ""
    return f'<div class="rederive-variant"><span>{words}</span>{listed}{note} {link}</div>'
