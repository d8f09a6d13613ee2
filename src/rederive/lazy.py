"""Packages whose modules are imported when a name of theirs is first asked for."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

_MODULES: set[str] = set()


def load_all() -> None:
    """Import all that packages have put off so far, for forks that share what is imported."""
    done: set[str] = set()
    while more := _MODULES - done:
        done |= more
        for name in sorted(more):
            import_module(name)


def lazily(package: str) -> None:
    """Let a package import what it imports ``if TYPE_CHECKING`` when it is asked for.

    A name that a module of the package has as well is never the module.
    """
    module = sys.modules[package]
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = {each.name: str(node.module) for node in imports for each in node.names}
    _MODULES.update(homes.values())
    module.__dict__["__all__"] = sorted(homes)

    class Lazy(ModuleType):
        def __getattr__(self, name: str) -> Any:
            if name not in homes:
                raise AttributeError(f"module {package!r} has no attribute {name!r}")
            value = getattr(import_module(homes[name]), name)
            setattr(self, name, value)
            return value

        def __setattr__(self, name: str, value: Any) -> None:
            if name not in homes or not isinstance(value, ModuleType):
                super().__setattr__(name, value)

    module.__class__ = Lazy
