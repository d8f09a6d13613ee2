"""The versions that the bytes of a reconstructed cohort depend on."""

from __future__ import annotations

from importlib.metadata import version

PACKAGES = ("ivig-dcssc-book", "numba", "numpy", "pandas", "pyarrow", "scipy")


def versions() -> dict[str, str]:
    """Return the installed version of each of :data:`PACKAGES`."""
    return {package: version(package) for package in PACKAGES}
