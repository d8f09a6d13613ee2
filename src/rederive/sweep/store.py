"""Where a sweep's runs are kept: one folder a run, on any file system that fsspec reaches."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from rederive.errors import ConfigurationError
from rederive.printed.files import write_atomically

NOTEBOOK = "notebook.ipynb"
FAILED = "failed.ipynb"
RESULTS = "results.json"
RECORD = "run.json"
RUNS = "runs"

_STALE_SECONDS = 60.0
"""Age from which a temporary file is one that a killed process left behind."""

_PROBE = ".writable"


@dataclass(frozen=True)
class RunStore:
    """The folder of a sweep.

    A run counts as done, or as failed, only once its ``run.json`` is there, which is written
    last. Every file is put in place whole: on a local disk under a temporary name that is then
    renamed, elsewhere by one write, which object stores show whole or not at all.

    Parameters
    ----------
    url : str
        A path, or an address such as ``s3://bucket/folder`` or ``memory://folder``.
    """

    url: str

    @cached_property
    def _place(self) -> tuple[Any, str]:
        try:
            system, path = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(
                f"output {self.url}: {error}; for s3:// and gs:// install the extra 'cloud'"
            ) from None
        return system, str(path).rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether this is a folder of this computer."""
        return isinstance(self._place[0], LocalFileSystem)

    @property
    def is_in_memory(self) -> bool:
        """Whether it lives in the memory of one process, out of reach of all others."""
        return "memory" in _protocols(self._place[0])

    @property
    def folder(self) -> Path:
        """The folder on this computer; only for a local store."""
        return Path(self._place[1])

    @property
    def address(self) -> str:
        """Where it is for any process: of a local folder the absolute path."""
        return str(self.folder) if self.is_local else self.url

    def check_writable(self) -> None:
        """Try to write before anything runs, and remove what killed processes left behind.

        Raises
        ------
        ConfigurationError
            If the place cannot be written to; the message names it and says why.
        """
        try:
            self.write(_PROBE, b"")
            self._place[0].rm_file(self._path(_PROBE))
        except Exception as error:  # every file system has errors of its own
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ConfigurationError(f"output {self.url}: cannot be written to: {why}") from None
        if self.is_local:
            self._sweep_up()

    def write(self, name: str, content: bytes) -> None:
        """Write one file whole.

        Raises
        ------
        OSError
            If the disk is full or the place cannot be written to.
        """
        system, _ = self._place
        path = self._path(name)
        if self.is_local:
            write_atomically(Path(path), content)
        else:
            system.pipe_file(path, content)

    def read(self, name: str) -> bytes:
        """Return the content of one file.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        system, _ = self._place
        system.invalidate_cache()
        content: bytes = system.cat_file(self._path(name))
        return content

    def write_run(self, key: str, files: Mapping[str, bytes], record: Mapping[str, Any]) -> None:
        """Write a run's folder, its ``run.json`` last.

        Parameters
        ----------
        key : str
            The run's key.
        files : mapping
            Contents by name; what an earlier try left under other names is removed.
        record : mapping
            Content of ``run.json``.

        Raises
        ------
        OSError
            As `write`. The run then counts as not done.
        """
        system, _ = self._place
        folder = f"{RUNS}/{key}"
        present = self._names(folder)
        old = sorted(name for name in present - set(files) if not name.startswith("."))
        for name in sorted(old, key=lambda name: name != RECORD):  # from here on it is not done
            with contextlib.suppress(FileNotFoundError):
                system.rm_file(self._path(f"{folder}/{name}"))
        for name, content in files.items():
            self.write(f"{folder}/{name}", content)
        self.write(f"{folder}/{RECORD}", _json(record))

    def records(self) -> dict[str, dict[str, Any]]:
        """Return the ``run.json`` of every run that has one, by key."""
        keys = self._keys()
        found = self._read_many({key: f"{RUNS}/{key}/{RECORD}" for key in keys})
        return {key: record for key, record in found.items() if isinstance(record, dict)}

    def results(self, keys: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the results of some runs by key; of one without results an empty list."""
        wanted = list(keys)
        found = self._read_many({key: f"{RUNS}/{key}/{RESULTS}" for key in wanted})
        return {key: found[key] if isinstance(found.get(key), list) else [] for key in wanted}

    def _keys(self) -> list[str]:
        system, _ = self._place
        path = self._path(RUNS)
        system.invalidate_cache()
        if not system.isdir(path):
            return []
        return sorted(str(name).rsplit("/", 1)[-1] for name in system.ls(path, detail=False))

    def _names(self, folder: str) -> set[str]:
        system, _ = self._place
        path = self._path(folder)
        system.invalidate_cache()
        if not system.isdir(path):
            return set()
        return {str(name).rsplit("/", 1)[-1] for name in system.ls(path, detail=False)}

    def _read_many(self, names: Mapping[str, str]) -> dict[str, Any]:
        system, _ = self._place
        paths = {self._path(name): key for key, name in names.items()}
        contents = system.cat(list(paths), on_error="omit") if paths else {}
        if isinstance(contents, bytes):  # of one path fsspec returns the bare content
            contents = {next(iter(paths)): contents}
        return {
            key: parsed
            for path, key in paths.items()
            if path in contents and (parsed := _parsed(contents[path])) is not None
        }

    def _path(self, name: str) -> str:
        return f"{self._place[1]}/{name}"

    def _sweep_up(self) -> None:
        horizon = time.time() - _STALE_SECONDS
        for path in (*self.folder.glob(".*-*"), *self.folder.glob(f"{RUNS}/*/.*-*")):
            try:
                if path.is_file() and path.stat().st_mtime < horizon:
                    path.unlink()
            except OSError:
                continue


def _protocols(system: Any) -> tuple[str, ...]:
    names = system.protocol
    return (names,) if isinstance(names, str) else tuple(names)


def _json(content: object) -> bytes:
    return f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode()


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
