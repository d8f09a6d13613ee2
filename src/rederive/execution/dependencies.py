"""The code that a notebook depends on: the project's modules that it imports, however far away."""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from rederive.execution.files import files_below
from rederive.execution.syntax import parse

_ENGINE_FOLDER = Path(__file__).resolve().parents[2]
_ENGINE = "rederive"
# How notebooks are run and what is kept of them decides about every executed notebook.
_ALWAYS = ("rederive.execution.run", "rederive.execution.notebooks", "rederive.execution.tracing")
_ALWAYS_BELOW = "rederive.execution.fork"
_ENTRY_POINT_GROUPS = "rederive."
_DYNAMIC_IMPORTS = frozenset({"import_module", "__import__"})
_ENTRY_POINT_CALLS = frozenset({"entry_points", "load_installed"})
_MAGIC = re.compile(r"^\s*(?:%%?|!|\?)(.*)$")
_EXTENSION = re.compile(r"^\s*%(?:re)?load_ext\s+(\S+)", re.MULTILINE)


@dataclass
class _Needs:
    """What one piece of code asks for.

    Parameters
    ----------
    names : set of str
        Dotted names it imports; a name that is no module but an attribute of one does no harm.
    below : set of str
        Packages of which it may import any module, by a name that is made at run time.
    starred : set of str
        Modules it imports everything from.
    exported : set of str
        Texts in its ``__all__``.
    groups : set of str
        Groups of entry points that it names.
    anything : bool
        It imports by a name of which nothing is known.
    """

    names: set[str] = field(default_factory=set)
    below: set[str] = field(default_factory=set)
    starred: set[str] = field(default_factory=set)
    exported: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    anything: bool = False


class SourceTree:
    """The modules below a project's ``src/``, as they are now.

    A module of the engine counts also where the engine is installed elsewhere.

    Parameters
    ----------
    root : Path
        The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._needs: dict[Path, _Needs] = {}
        self._digests: dict[Path, str] = {}
        self._modules: dict[str, Path] = {}
        self._companions: dict[Path, list[Path]] = {}
        self._located: dict[tuple[str, Path], Path | None] = {}
        self._imports: dict[tuple[Path, Path], frozenset[Path]] = {}
        self._tops: dict[tuple[str, Path], bool] = {}
        self._folders = [root / "src"]
        self._scan(root / "src", root / "src")
        if f"{_ENGINE}.book.execution" not in self._modules:
            self._folders.append(_ENGINE_FOLDER)
            self._scan(_ENGINE_FOLDER, _ENGINE_FOLDER / _ENGINE)

    def _scan(self, folder: Path, below: Path) -> None:
        files = files_below(below)
        modules = [path for path in files if path.suffix == ".py"]
        for path in modules:
            self._modules.setdefault(_module_name(path.relative_to(folder)), path)
        packages = {path.parent for path in modules}
        for path in files:
            if path.suffix != ".py":
                home = path.parent
                while home not in packages and home != folder:
                    home = home.parent
                self._companions.setdefault(home, []).append(path)

    @cached_property
    def _entry_points(self) -> dict[str, list[str]]:
        """Modules that the project offers, by group."""
        try:
            text = (self._root / "pyproject.toml").read_text(encoding="utf-8")
            groups = tomllib.loads(text)["project"]["entry-points"]
            return {
                group: [str(value).partition(":")[0] for value in entries.values()]
                for group, entries in groups.items()
                if group.startswith(_ENTRY_POINT_GROUPS)
            }
        except (OSError, ValueError, KeyError, AttributeError):
            return {}

    def files_for(self, notebook: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
        """Return the files of code that a notebook depends on.

        Parameters
        ----------
        notebook : mapping
            The notebook, format 4.
        folder : Path
            The folder it runs in; modules beside it can be imported.

        Returns
        -------
        tuple of Path
            Modules that its cells import, the modules that these import and so on (inside
            functions too), the packages they are in with their other files, the modules behind
            entry points that are named, and the modules that execute notebooks. Sorted.
        """
        found = {
            path
            for name, path in self._modules.items()
            if name in _ALWAYS or f"{name}.".startswith(f"{_ALWAYS_BELOW}.")
        }
        seen: set[Path] = set()
        asked: list[Path | _Needs] = [_needs_of_cells(notebook)]
        while asked:
            for path in self._answers(asked.pop(), folder):
                if path not in seen:
                    seen.add(path)
                    asked.append(path)
        found |= seen
        for path in tuple(seen):
            for home in (path.parent, *path.parent.parents):
                found.update(self._companions.get(home, ()))
                if home in self._folders:
                    break
        return tuple(sorted(found, key=lambda path: path.as_posix()))

    def digest(self, files: Iterable[Path]) -> str:
        """Digest names and contents of files of code.

        Parameters
        ----------
        files : iterable of Path
            As `files_for` gives them. Each is read once in the life of this object.

        Returns
        -------
        str
            SHA-256 in hexadecimal; the same wherever the project stands.
        """
        lines = sorted(f"{self._place(path)}\0{self._digest_of(path)}" for path in files)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _place(self, path: Path) -> str:
        for folder in (*self._folders, self._root):
            if path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return path.name

    def _digest_of(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = hashlib.sha256(_content(path)).hexdigest()
        return self._digests[path]

    def _needs_of(self, path: Path, folder: Path) -> _Needs:
        if path not in self._needs:
            content = _content(path)
            self._digests[path] = hashlib.sha256(content).hexdigest()
            home = next(each for each in (*self._folders, folder) if path.is_relative_to(each))
            name = _module_name(path.relative_to(home))
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            self._needs[path] = _needs_of_code(content, package)
        return self._needs[path]

    def _answers(self, asking: Path | _Needs, folder: Path) -> frozenset[Path]:
        """Return the modules that a module, or the cells of a notebook, ask for."""
        if isinstance(asking, _Needs):
            return frozenset(self._resolved(asking, folder))
        if (asking, folder) not in self._imports:
            needs = self._needs_of(asking, folder)
            self._imports[asking, folder] = frozenset(self._resolved(needs, folder))
        return self._imports[asking, folder]

    def _resolved(self, needs: _Needs, folder: Path) -> Iterator[Path]:
        if needs.anything:
            yield from self._modules.values()
            return
        names = set(needs.names)
        for group in needs.groups:
            names.update(*self._entry_points.values() if group == "*" else [self._offers(group)])
        for starred in needs.starred:
            path = self._locate(starred, folder)
            if path is not None:
                names |= {f"{starred}.{each}" for each in self._needs_of(path, folder).exported}
        for package in needs.below:
            names |= {name for name in self._modules if name.startswith(f"{package}.")}
        for name in names:
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                path = self._locate(".".join(parts[:depth]), folder)
                if path is not None:
                    yield path

    def _offers(self, group: str) -> list[str]:
        return self._entry_points.get(group, [])

    def _locate(self, name: str, folder: Path) -> Path | None:
        """Return the file of a module: beside the notebook, else below ``src/``."""
        if (name, folder) not in self._located:
            self._located[name, folder] = self._beside(name, folder) or self._modules.get(name)
        return self._located[name, folder]

    def _beside(self, name: str, folder: Path) -> Path | None:
        parent = name.rpartition(".")[0]
        if parent and not self._beside_top(parent.partition(".")[0], folder):
            return None
        place = folder.joinpath(*name.split("."))
        for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if path.is_file():
                return path
        return None

    def _beside_top(self, top: str, folder: Path) -> bool:
        if (top, folder) not in self._tops:
            self._tops[top, folder] = (folder / top).is_dir()
        return self._tops[top, folder]


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@lru_cache(maxsize=4096)
def _needs_of_code(content: bytes, package: str) -> _Needs:
    try:
        return _collect(parse(content), package)
    except (SyntaxError, ValueError):
        # It cannot be imported either; whatever it is meant to be, nothing can be said about it.
        return _Needs(anything=True)


def _needs_of_cells(notebook: Mapping[str, Any]) -> _Needs:
    """Collect what the code cells ask for; magics that load an extension import it."""
    lines: list[str] = []
    extensions: set[str] = set()
    for cell in notebook.get("cells", []):
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        text = "".join(source) if isinstance(source, list) else str(source)
        extensions.update(_EXTENSION.findall(text))
        for line in text.splitlines():
            # `!command` and `%magic` become `pass`, so that the rest can be parsed.
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}pass" if _MAGIC.match(line) else line)
    needs = _needs_of_code("\n".join(lines).encode(), "")
    return replace(needs, names=needs.names | extensions)


def _collect(tree: ast.AST, package: str) -> _Needs:
    needs = _Needs()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            needs.names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(package, node.level, node.module or "")
            needs.names.add(module)
            needs.names.update(f"{module}.{each.name}".lstrip(".") for each in node.names)
            if any(alias.name == "*" for alias in node.names):
                needs.starred.add(module)
        elif isinstance(node, ast.Call):
            _collect_call(node, package, needs)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.startswith(_ENTRY_POINT_GROUPS):
                needs.groups.add(node.value)
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            needs.exported.update(
                each.value
                for each in ast.walk(node.value)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
    needs.names.discard("")
    return needs


def _collect_call(call: ast.Call, package: str, needs: _Needs) -> None:
    function = call.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if called in _DYNAMIC_IMPORTS:
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            name = first.value.lstrip(".")
            level = len(first.value) - len(name)
            needs.names.add(_absolute(package, level, name))
        elif isinstance(first, ast.JoinedStr) and (known := _known_beginning(first)):
            needs.below.add(known)
        else:
            needs.anything = True
    elif called in _ENTRY_POINT_CALLS:
        # A group in a constant is found where the constant is; one put together could be any.
        given = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "group")]
        if not given or any(isinstance(each, ast.JoinedStr | ast.BinOp) for each in given):
            needs.groups.add("*")


def _known_beginning(text: ast.JoinedStr) -> str:
    """Return the package that a name made at run time certainly lies in, or nothing."""
    first = text.values[0] if text.values else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        return ""
    return first.value.rpartition(".")[0] if not first.value.startswith(".") else ""


def _absolute(package: str, level: int, name: str) -> str:
    if level == 0:
        return name
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - (level - 1)]
    return ".".join([*kept, *([name] if name else [])])
