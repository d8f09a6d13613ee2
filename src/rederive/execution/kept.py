"""Rows of ledgers that one run has worked out, for all others: an SQLite file for each source."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rederive.execution.project import Project

ROWS_VARIABLE = "REDERIVE_ROWS"
"""Environment variable that names the file of a run; without it nothing is looked up or kept."""

FILES_KEPT, ROWS_KEPT = 4, 200_000
WAITING = 10.0
"""Seconds to wait for another process that writes."""

_TABLE = (
    "CREATE TABLE IF NOT EXISTS rows (key TEXT, id TEXT, row TEXT, digest TEXT, "
    "PRIMARY KEY (key, id))"
)
_OLDEST = "DELETE FROM rows WHERE rowid <= (SELECT max(rowid) FROM rows) - ?"


def rows_file(project: Project) -> Path:
    """Return the file for the present state of all that a row may depend on."""
    from rederive.execution.cache import source_digest

    return project.cache / "rows" / f"{source_digest(project)}.sqlite"


class KeptRows:
    """Rows by a key, that says what they were worked out under, and their id.

    SQLite keeps processes apart. A row that is damaged counts as missing; a file that is damaged,
    busy or not to be written costs time and no result. The file is made when the first row is kept;
    before that it is asked whether the sources are unchanged.
    """

    def __init__(self, path: Path, unchanged: Callable[[], bool]) -> None:
        self.path, self._unchanged = path, unchanged

    @classmethod
    def of_run(cls) -> Self | None:
        """Return the rows that are shared with the run of this process, if there are any."""
        if not (named := os.environ.get(ROWS_VARIABLE)):
            return None
        from rederive.execution.project import ROOT_VARIABLE, Project

        project = Project(Path(os.environ[ROOT_VARIABLE]))
        return cls(Path(named), lambda: rows_file(project) == Path(named))

    def get(self, key: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return those rows that are there, by id."""
        statement = "SELECT id, row, digest FROM rows WHERE key = ?"
        if not self.path.is_file():
            return {}
        found = self._ask(lambda database: database.execute(statement, (key,)).fetchall()) or ()
        wanted = set(ids)
        return {
            name: json.loads(row)
            for name, row, digest in found
            if name in wanted and digest == _digest(key, name, row)
        }

    def put(self, key: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep rows, plain JSON values by id; the oldest make room."""
        if not rows or not self._unchanged():
            return
        texts = {name: json.dumps(row) for name, row in rows.items()}
        values = [(key, name, text, _digest(key, name, text)) for name, text in texts.items()]

        def insert(database: sqlite3.Connection) -> None:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(_TABLE)
            database.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", values)
            database.execute(_OLDEST, (ROWS_KEPT,))

        with suppress(OSError):
            if not self.path.is_file():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                files = sorted(self.path.parent.glob("*.sqlite"), key=os.path.getmtime)
                for path in files[: 1 - FILES_KEPT]:
                    path.unlink()
            self._ask(insert)

    def _ask(self, question: Callable[[sqlite3.Connection], Any]) -> Any:
        try:
            with closing(sqlite3.connect(self.path, timeout=WAITING)) as database, database:
                return question(database)
        except sqlite3.OperationalError:  # busy, full, or not to be written
            return None
        except sqlite3.DatabaseError:
            self.path.unlink(missing_ok=True)
            return None


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
