"""Set-up: the three lists of packages, the make targets, and what the project says of itself."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK_LINE = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\$"
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project_table() -> dict:
    return tomllib.loads(read("pyproject.toml"))["project"]


def direct_requirements() -> list[Requirement]:
    table = project_table()
    return [Requirement(r) for r in table["dependencies"] + table["optional-dependencies"]["dev"]]


def locked() -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for line in read("requirements.lock").splitlines():
        if match := LOCK_LINE.match(line):
            versions.setdefault(canonicalize_name(match["name"]), []).append(match["version"])
    return versions


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    skipped = {".venv", "_build", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not skipped & set(path.relative_to(ROOT).parts)
    ]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=str)
def test_each_direct_dependency_has_a_lower_bound_and_a_pin_within_its_bounds(requirement):
    operators = {part.operator for part in requirement.specifier}
    assert ">=" in operators
    pins = locked().get(canonicalize_name(requirement.name), [])
    assert pins, f"{requirement.name} is not in requirements.lock; run 'make lock'"
    for version in pins:
        assert requirement.specifier.contains(version, prereleases=True), version


def test_every_pin_has_hashes_and_the_lock_has_nothing_else():
    entry = re.compile(
        r"[a-z0-9][a-z0-9._-]*==\S+(?: ; [^\\\n]+)? \\\n"
        r"(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
    )
    text = read("requirements.lock")
    assert entry.sub("", text) == ""
    assert len(locked()) > 50
    assert "://" not in text


def test_the_environment_for_conda_installs_the_lock():
    environment = yaml.safe_load(read("environment.yml"))
    assert environment["name"] == project_table()["name"]
    plain = [item for item in environment["dependencies"] if isinstance(item, str)]
    (pip,) = (item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert pip == ["--requirement requirements.lock"]
    (python,) = (item for item in plain if item.startswith("python="))
    supported = Requirement(f"python{project_table()['requires-python']}").specifier
    assert supported.contains(python.removeprefix("python=") + ".0")
    assert sorted(plain) == sorted([python, "pip"])
    assert "--no-deps --no-build-isolation --editable ." in read("postBuild")


def test_the_extras_of_the_readme_and_of_the_project_agree():
    named = read("README.md")
    missing = [
        requirement.name
        for requirement in map(Requirement, project_table()["dependencies"])
        if requirement.name not in named
    ]
    assert missing == []


def test_help_lists_the_targets():
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    targets = set(re.findall(r"^ *make (\w+) +\S", shown.stdout, re.MULTILINE))
    assert targets >= {"setup", "book", "test", "lint", "format", "serve", "clean", "lock", "bench"}


def test_an_old_python_is_refused_with_advice(tmp_path):
    old = tmp_path / "python-old"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.1"\nexit 1\n')
    old.chmod(0o755)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text(read(name), encoding="utf-8")
    refused = subprocess.run(
        ["make", "setup", f"PYTHON={old}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "older than Python 3.11" in refused.stdout
    assert "Python 3.9.1" in refused.stdout
    assert "PYTHON=" in refused.stdout
    assert not (tmp_path / ".venv").exists()


def test_the_readme_begins_with_the_two_commands():
    top = read("README.md").splitlines()[:12]
    assert any(line.startswith("make book ") for line in top)
    assert any(line.startswith("make test ") for line in top)


def test_no_tracked_file_names_a_place_of_this_machine_or_a_package_registry():
    from pip._internal.models.index import PyPI

    marks = [f"{ROOT.parent}/", f"{Path.home()}/", PyPI.netloc, PyPI.file_storage_domain]
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        found += [
            f"{path.relative_to(ROOT)}: {mark}"
            for mark in marks
            if len(mark) > 2 and mark.encode() in content
        ]
    assert found == []


def test_the_addresses_in_settings_and_citation_agree():
    settings = yaml.safe_load(read("_config.yml"))
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == project_table()["version"]
    assert citation["license"] == project_table()["license"]
    assert citation["references"][0]["doi"] == "10.3899/jrheum.140833"
    address = settings["repository"]["url"]
    assert citation.get("repository-code", "") == address


def test_workflow_and_hooks_are_valid_and_use_the_two_commands():
    workflow = yaml.safe_load(read(".github/workflows/book.yml"))
    steps = {
        name: [step.get("run", "") for step in job["steps"]]
        for name, job in workflow["jobs"].items()
    }
    assert ".ci/run" in steps["test"]
    assert "make book" in steps["book"]
    assert any("jupyter-book build ." in run for run in steps["plain-jupyter-book"])
    assert set(workflow["jobs"]["publish"]["needs"]) == {"test", "book", "plain-jupyter-book"}
    assert "github.repository" in workflow["env"]["REDERIVE_REPOSITORY_URL"]
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert {repo["repo"] for repo in hooks} == {"local"}
    assert {"ruff", "ruff-format", "nbstripout"} <= {h["id"] for r in hooks for h in r["hooks"]}
    assert read(".ci/run").rstrip().endswith("make test")
