"""Notebook files in their canonical form: what counts for execution, and what is published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rederive.printed.errors import ConfigurationError

Notebook = dict[str, Any]

_PUBLISHED_METADATA = ("kernelspec", "language_info", "mystnb", "rederive")
_RUN_METADATA = ("execution", "papermill", "ExecuteTime", "collapsed", "scrolled")


def read_notebook(path: Path) -> Notebook:
    """Read a notebook's JSON, format 4; what is not, or a cell without an id, is refused."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{path.name}: not a notebook: {error}") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise ConfigurationError(f"{path.name}: expected a notebook of format 4")
    for number, cell in enumerate(notebook.get("cells", []), start=1):
        if not cell.get("id"):
            raise ConfigurationError(
                f"{path.name}: cell {number} has no id; save the notebook in format 4.5"
            )
    return notebook


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """Return the tags of a cell."""
    return list(cell["metadata"].get("tags", ()))


def source_of(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell, which a file may hold in lines."""
    return "".join(cell["source"])


def without_outputs(notebook: Mapping[str, Any]) -> Notebook:
    """Copy a notebook without outputs and execution counts, which decide about no result."""
    copy: Notebook = json.loads(json.dumps(notebook))
    for cell in copy["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    return copy


def canonical_bytes(notebook: Mapping[str, Any]) -> bytes:
    """Return a notebook as JSON with sorted keys, the same every time."""
    text = json.dumps(notebook, sort_keys=True, indent=1, ensure_ascii=False)
    return f"{text}\n".encode()


def published_form(executed: Mapping[str, Any], source: Mapping[str, Any]) -> Notebook:
    """Strip from an executed notebook the times, paths and metadata that differ from run to run.

    Cells that are not in its source, since the engine added them, get an id by position in place
    of a random one.
    """
    copy: Notebook = json.loads(json.dumps(executed))
    copy["metadata"] = {
        key: value for key, value in copy["metadata"].items() if key in _PUBLISHED_METADATA
    }
    known = {cell["id"] for cell in source["cells"]}
    for position, cell in enumerate(copy["cells"]):
        if cell["id"] not in known:
            cell["id"] = f"added-{position}"
        metadata = cell["metadata"]
        for name in _RUN_METADATA:
            metadata.pop(name, None)
        if metadata.get("tags") == []:
            del metadata["tags"]
    return copy
