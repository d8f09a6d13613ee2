"""Where a sweep's runs are kept: one folder a run, on any file system that fsspec reaches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOSPC
from functools import cached_property
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from rederive.printed.errors import BookError, ConfigurationError
from rederive.printed.files import write_atomically

RESULTS = "results.json"
RECORD = "run.json"
RUNS = "runs"


@dataclass(frozen=True)
class RunStore:
    """The folder of a sweep: a path, or an address such as ``s3://bucket/folder``.

    A run counts as done, or as failed, only once its ``run.json`` is there, which is written last.
    Every file is put in place whole: on a local disk under a temporary name that is then renamed,
    elsewhere by one write, which object stores show whole or not at all.
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
        return isinstance(self._place[0], MemoryFileSystem)

    @property
    def address(self) -> str:
        """Where it is for any process: of a local folder the absolute path."""
        return self._place[1] if self.is_local else self.url

    def _path(self, name: str) -> str:
        return f"{self._place[1]}/{name}"

    def check_writable(self) -> None:
        """Try to write before anything runs; the ``BookError`` says why that cannot be."""
        try:
            self.write(".writable", bytes(4096))  # a full disk still takes an empty file
            self._place[0].rm_file(self._path(".writable"))
        except Exception as error:  # every file system has errors of its own
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            kind = BookError if getattr(error, "errno", 0) == ENOSPC else ConfigurationError
            raise kind(f"output {self.url}: cannot be written to: {why}") from None

    def write(self, name: str, content: bytes) -> None:
        """Write one file whole."""
        if self.is_local:
            write_atomically(Path(self._path(name)), content)
        else:
            self._place[0].pipe_file(self._path(name), content)

    def read(self, name: str) -> bytes:
        """Return the content of one file."""
        self._place[0].invalidate_cache()
        content: bytes = self._place[0].cat_file(self._path(name))
        return content

    def write_run(self, key: str, files: Mapping[str, bytes], record: Mapping[str, Any]) -> None:
        """Write a run's folder: files by name, and its record, the ``run.json``, last.

        What an earlier try left is removed first. After an error the run counts as not done.
        """
        folder = f"{RUNS}/{key}"
        for name in (RECORD, *self._names(folder)):
            with suppress(FileNotFoundError):
                self._place[0].rm_file(self._path(f"{folder}/{name}"))
        record_text = json.dumps(dict(record), indent=1, ensure_ascii=False)
        for name, content in {**files, RECORD: f"{record_text}\n".encode()}.items():
            self.write(f"{folder}/{name}", content)

    def records(self) -> dict[str, dict[str, Any]]:
        """Return the ``run.json`` of every run that has one, by key."""
        found = self._read_many(self._names(RUNS), RECORD)
        return {key: record for key, record in found.items() if record and isinstance(record, dict)}

    def results(self, keys: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the results of those of some runs that have any, by key."""
        found = self._read_many(keys, RESULTS)
        return {key: rows for key, rows in found.items() if isinstance(rows, list)}

    def _names(self, folder: str) -> list[str]:
        """Return what is in a folder, sorted."""
        system, path = self._place[0], self._path(folder)
        system.invalidate_cache()
        found = system.ls(path, detail=False) if system.isdir(path) else []
        return sorted(str(name).rsplit("/", 1)[-1] for name in found)

    def _read_many(self, keys: Iterable[str], name: str) -> dict[str, Any]:
        """Return one JSON file of each run, without those that are missing or damaged."""
        paths = {self._path(f"{RUNS}/{key}/{name}"): key for key in keys}
        contents = self._place[0].cat(list(paths), on_error="omit") if paths else {}
        if isinstance(contents, bytes):  # of one path fsspec returns the bare content
            contents = {next(iter(paths)): contents}
        found = {}
        for path, content in contents.items():
            with suppress(ValueError):
                found[paths[path]] = json.loads(content)
        return found
