"""Files that are written whole or not at all."""

from __future__ import annotations

import io
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for a CSV file of which a spreadsheet executes no cell.

    Text that begins like a formula gets an apostrophe before it; numbers stay as they are.
    """

    def cell(value: object) -> object:
        text = value if isinstance(value, str) else ""
        number = re.match(r"[+-]?[\d.]+%?( to |$)", text)
        formula = text[:1] in tuple("=+-@\t\r") and not number
        return f"'{text}" if text and formula else value

    return table.map(cell).rename(columns=cell)


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as a CSV file of which a spreadsheet executes no cell."""
    return inert(table).to_csv(index=False, lineterminator="\n")


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip, the same bytes every time."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def check_writable(path: Path) -> None:
    """Raise an ``OSError`` if a file could not be written; what is there stays as it is."""
    probe = path.with_name(f".{path.name}.probe")
    try:
        write_atomically(probe, bytes(4096))  # a full disk still takes an empty file
        probe.unlink()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a temporary neighbour of a file, its missing folders created, then rename it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
