"""What the server imports, and whether that is what a notebook would import itself."""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import os
import pkgutil
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

ARTICLES = "rederive.articles"
# Names of modules, with commas between, to import in place of the usual ones; may be empty.
PRELOAD_VARIABLE = "REDERIVE_PRELOAD"
TASKS = Path("/proc/self/task")

# OpenBLAS starts its threads when loaded, and itself takes care that a fork has its own. NumPy and
# SciPy bring one each, so they come first, and no other package may start any; the thread of
# jemalloc, a memory allocator, that PyArrow brings is prepared for forks in the same way.
_WITH_THREADS = ("numpy", "numpy.linalg", "scipy.linalg")
_PREPARED = ("jemalloc_bg_thd",)
_NAMING_SECONDS = 0.2
_KERNEL = (
    "matplotlib",
    "rederive.execution.fork.child",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "encodings.utf_8_sig",
    "faulthandler",
    "pexpect",
    "sqlite3",
    "tornado.platform.asyncio",
    "ipykernel.debugger",
)
_LIBRARIES = (
    "pandas",
    "pandas.io.formats.style",
    "pandas.plotting",
    "pandas.core.reshape.reshape",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.PpmImagePlugin",
    "scipy.stats",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "statsmodels.api",
    "statsmodels.formula.api",
    "seaborn",
    "yaml",
)


class PreloadError(RuntimeError):
    """The libraries cannot be imported in a process that is to fork."""


def article_modules() -> Iterator[str]:
    """Names of the modules in the packages of installed articles."""
    for entry in entry_points(group=ARTICLES):
        yield entry.module
        package = sys.modules.get(entry.module.partition(".")[0])
        for found in pkgutil.iter_modules(getattr(package, "__path__", [])):
            if not found.name.startswith("_"):
                yield f"{getattr(package, '__name__', '')}.{found.name}"


def _names() -> Iterator[str]:
    yield from _KERNEL
    chosen = os.environ.get(PRELOAD_VARIABLE)
    if chosen is None:
        yield from _LIBRARIES
        yield from article_modules()
    else:
        yield from (name.strip() for name in chosen.split(",") if name.strip())


def preload() -> list[str]:
    """Import all libraries; one that cannot be imported is left to the notebooks.

    Returns
    -------
    list of str
        Those that could not be imported, each with the reason.

    Raises
    ------
    PreloadError
        If a library starts a thread; the message names it.
    """
    failed: list[str] = []
    # Some libraries look for the shell to find out that they are not in a terminal.
    kernel = SimpleNamespace(kernel=None)
    builtins.get_ipython = lambda: kernel  # type: ignore[attr-defined]
    try:
        for name in _WITH_THREADS:
            _import(name, failed)
        native = _native_threads()
        for name in _names():
            _import(name, failed)
            native = _checked_threads(name, native)
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]
    return failed


def _import(name: str, failed: list[str]) -> None:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed.append(f"{name}: {type(error).__name__}: {error}")


def _native_threads() -> int:
    """Count the threads that are not prepared for a fork, where the system tells."""
    if not TASKS.is_dir():
        return 0
    names = [task.joinpath("comm").read_text().strip() for task in TASKS.iterdir()]
    return sum(name not in _PREPARED for name in names)


def _checked_threads(name: str, before: int) -> int:
    native = _native_threads()
    if native > before:
        # A thread that has just begun may not have its name yet.
        time.sleep(_NAMING_SECONDS)
        native = _native_threads()
    if threading.active_count() > 1 or native > before:
        names = ", ".join(thread.name for thread in threading.enumerate()[1:]) or "of a library"
        raise PreloadError(f"importing {name} starts threads ({names}), so it cannot be forked")
    return native


# --- what was imported, from where ---------------------------------------------------------------


def _installed_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in names})


def project_files() -> dict[str, tuple[int, int]]:
    """Files of imported modules that belong neither to Python nor to an installed package.

    Returns
    -------
    dict
        Time of change (ns) and size (bytes) by path.
    """
    installed = _installed_folders()
    stated = {}
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and not os.path.realpath(path).startswith(installed):
            stated[path] = _stated(path)
    return stated


def _stated(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def changed_file(stated: Mapping[str, tuple[int, int]]) -> str:
    """Name a file that has changed since it was imported, or nothing.

    Parameters
    ----------
    stated : mapping
        Result of `project_files`.

    Returns
    -------
    str
        The path; empty if none has changed.
    """
    return next((path for path, known in stated.items() if _stated(path) != known), "")


def importable_names(folder: str) -> set[str]:
    """Names of the modules and packages that lie in a folder.

    Parameters
    ----------
    folder : str
        The folder; one that is missing holds nothing.
    """
    names: set[str] = set()
    suffixes = tuple(importlib.machinery.all_suffixes())
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return names
    for entry in entries:
        name = entry.name.partition(".")[0]
        if entry.name.endswith(suffixes) or Path(entry, "__init__.py").is_file():
            names.add(name)
    return names


def module_roots() -> dict[str, str]:
    """Folder of each imported top-level module that has one, by name."""
    roots = {}
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if "." in name or not path:
            continue
        folder = Path(path).parent
        roots[name] = os.path.realpath(folder.parent if hasattr(module, "__path__") else folder)
    return roots


def other_place(
    requested: Sequence[str], started: Sequence[str], base: Sequence[str], roots: Mapping[str, str]
) -> str:
    """Name a module that a new interpreter would import from elsewhere than the server did.

    Parameters
    ----------
    requested, started : sequence of str
        ``PYTHONPATH`` of the run and of the server.
    base : sequence of str
        ``sys.path`` without it.
    roots : mapping
        Result of `module_roots`.

    Returns
    -------
    str
        The module and where it would come from; empty if there is none.
    """
    asked = [os.path.realpath(path) for path in requested]
    known = [os.path.realpath(path) for path in started]
    if asked == known:
        return ""
    for folder in asked:
        if folder not in known:
            for name in sorted(importable_names(folder)):
                if roots.get(name, folder) != folder:
                    return f"{name} in {folder}"
    always = {os.path.realpath(path) for path in base}
    for name, root in roots.items():
        if root in known and root not in asked and root not in always:
            return f"{name}, no longer in {root}"
    common = [folder for folder in asked if folder in known]
    if common != [folder for folder in known if folder in asked]:
        return "the order of PYTHONPATH"
    return ""


def shadowed_by(folder: str, roots: Mapping[str, str]) -> str:
    """Name an installed module in whose place a notebook would import one of its own folder.

    Parameters
    ----------
    folder : str
        The folder in which the notebook runs.
    roots : mapping
        Result of `module_roots`.

    Returns
    -------
    str
        The module's name; empty if there is none.
    """
    standard = {os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    own = os.path.realpath(folder)
    for name in sorted(importable_names(folder)):
        root = roots.get(name, own)
        if root != own and root not in standard and name not in sys.builtin_module_names:
            return name
    return ""
