"""The build: what is executed when, what a failure leaves behind, and what comes out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from rederive.cli.main import main
from rederive.execution.files import digest_of_files
from rederive.execution.notebooks import published_form
from rederive.execution.project import Project
from rederive.execution.run import Task, execute_tasks
from rederive.printed.errors import BookError, ConfigurationError
from rederive.site.build import build_book

NOTEBOOK = Path("notebooks/numbers.ipynb")


def page_of(project: Project) -> str:
    return (project.site / "notebooks" / "numbers.html").read_text(encoding="utf-8")


def site_digest(project: Project) -> str:
    return digest_of_files(project.site)


def edit(path: Path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")


def test_nothing_is_done_twice_and_a_changed_helper_changes_the_number(built, silent):
    assert "the figure is 41" in page_of(built)
    again = build_book(built, report=silent)
    assert (again.executions, again.site_built) == (0, False)

    edit(built.root / "src" / "tiny_helper.py", "41", "43")
    changed = build_book(built, report=silent)
    assert (changed.executions, changed.site_built) == (1, True)
    assert "the figure is 43" in page_of(built)
    assert "the figure is 41" not in page_of(built)


def test_the_sources_stay_without_outputs(tiny, silent):
    before = (tiny.root / NOTEBOOK).read_bytes()
    execute_tasks(tiny, [Task(NOTEBOOK)], report=silent)
    assert (tiny.root / NOTEBOOK).read_bytes() == before


def test_parameters_reach_the_notebook_and_have_their_own_cache_entry(tiny, silent):
    tasks = [Task(NOTEBOOK), Task(NOTEBOOK, {"factor": 2})]
    plain, doubled = execute_tasks(tiny, tasks, report=silent).contents
    assert b"the figure is 41" in plain
    assert b"the figure is 82" in doubled
    assert execute_tasks(tiny, tasks, report=silent).executions == 0


def test_executed_notebooks_hold_nothing_of_the_run(tiny, silent):
    content = execute_tasks(tiny, [Task(NOTEBOOK, {"factor": 2})], report=silent).contents[0]
    text = content.decode()
    assert str(tiny.root) not in text
    for word in ("papermill", "start_time", "iopub"):
        assert word not in text.replace('"injected-parameters"', "")
    ids = [cell["id"] for cell in json.loads(text)["cells"]]
    assert ids == ["title", "given", "added-2", "work"]


def test_two_builds_from_nothing_are_equal_byte_by_byte(built, silent):
    first = site_digest(built)
    shutil.rmtree(built.build)
    build_book(built, report=silent)
    assert site_digest(built) == first


def test_a_failing_cell_is_named_and_leaves_the_last_good_site(built, silent):
    good = site_digest(built)
    edit(built.root / "src" / "tiny_helper.py", "return 41", "raise ValueError('no figure')")
    with pytest.raises(BookError) as caught:
        build_book(built, report=silent)
    message = str(caught.value)
    assert message.startswith("notebooks/numbers.ipynb: cell 3 failed")
    assert 'Exception encountered at "In [2]"' in message
    assert "ValueError: no figure" in message
    assert site_digest(built) == good


def test_warnings_fail_the_build_and_leave_the_last_good_site(built, silent):
    good = site_digest(built)
    additions = {
        "nowhere.md": "See [nothing](nowhere.md).",
        "missing": "See {doc}`missing`.",
        "nosuchcommand": "$\\nosuchcommand{a}$",
    }
    start = built.root / "book" / "start.md"
    text = start.read_text(encoding="utf-8")
    start.write_text("\n\n".join([text, *additions.values()]), encoding="utf-8")
    edit(
        built.root / "src" / "tiny_helper.py",
        "    return",
        "    import warnings\n\n    warnings.warn('take care')\n    return",
    )
    with pytest.raises(BookError) as caught:
        build_book(built, report=silent)
    for complaint in (*additions, "stderr"):
        assert re.search(f"WARNING: .*{complaint}", str(caught.value)), complaint
    assert site_digest(built) == good


def test_a_damaged_site_is_built_again(built, silent):
    good = site_digest(built)
    (built.site / "notebooks" / "numbers.html").write_text("gone", encoding="utf-8")
    assert build_book(built, report=silent).site_built
    assert site_digest(built) == good


def test_formulas_need_no_script(built):
    page = (built.site / "book" / "start.html").read_text(encoding="utf-8")
    assert page.count("<math") == 2
    assert "mathjax@" not in page
    assert "cdn" not in page.lower()


def test_without_an_address_there_are_no_buttons_and_with_one_they_are_right(
    built, silent, monkeypatch
):
    monkeypatch.delenv("REDERIVE_REPOSITORY_URL", raising=False)
    monkeypatch.delenv("REDERIVE_REPOSITORY_BRANCH", raising=False)
    build_book(built, report=silent)
    assert "mybinder" not in page_of(built)
    assert "/edit/" not in page_of(built)

    assert not (built.site / "sitemap.xml").exists()

    settings = yaml.safe_load(built.config_file.read_text(encoding="utf-8"))
    settings["html"] = {"baseurl": "https://owner.example/name/"}
    built.config_file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    monkeypatch.setenv("REDERIVE_REPOSITORY_URL", "https://github.com/owner/name/")
    monkeypatch.setenv("REDERIVE_REPOSITORY_BRANCH", "trunk")
    done = build_book(built, report=silent)
    assert (done.executions, done.site_built) == (0, True)
    page = page_of(built)
    binder = "https://mybinder.org/v2/gh/owner/name/trunk?urlpath=tree/notebooks/numbers.ipynb"
    assert binder in page
    assert "https://github.com/owner/name/edit/trunk/notebooks/numbers.ipynb" in page
    assert "https://github.com/owner/name/issues/new" in page
    assert '<link rel="canonical" href="https://owner.example/name/notebooks/numbers.html"' in page
    listed = (built.site / "sitemap.xml").read_text(encoding="utf-8")
    assert "<loc>https://owner.example/name/notebooks/numbers.html</loc>" in listed

    monkeypatch.setenv("REDERIVE_REPOSITORY_URL", "github.com/owner")
    result = CliRunner().invoke(main, ["--root", str(built.root), "build"])
    assert result.exit_code == 2
    assert "https://host/owner/name" in result.output


def test_published_form_keeps_tags_and_alternative_texts():
    cells = [
        {
            "cell_type": "code",
            "id": "a",
            "source": "",
            "outputs": [],
            "metadata": {
                "tags": ["hide-input"],
                "mystnb": {"image": {"alt": "A plot"}},
                "papermill": {"duration": 1},
            },
        }
    ]
    form = published_form({"metadata": {"papermill": {}}, "cells": cells}, {"cells": cells})
    assert form["metadata"] == {}
    assert form["cells"][0]["metadata"] == {
        "tags": ["hide-input"],
        "mystnb": {"image": {"alt": "A plot"}},
    }


@pytest.mark.parametrize(
    ("toc", "expected"),
    [
        ("format: jb-book\nroot: book/strat\n", "did you mean 'book/start'?"),
        ("format: jb-book\n", "_toc.yml"),
        ("- a\n", "expected a mapping"),
        ("a: [\n", "not valid YAML"),
    ],
)
def test_a_wrong_table_of_contents_is_explained(tiny, toc, expected):
    (tiny.root / "_toc.yml").write_text(toc, encoding="utf-8")
    result = CliRunner().invoke(main, ["--root", str(tiny.root), "build"])
    assert result.exit_code == 2
    assert expected in result.output
    assert "_toc.yml" in result.output


def test_an_ambiguous_page_and_a_cell_without_id_are_refused(tiny, silent):
    notebook = json.loads((tiny.root / NOTEBOOK).read_text())
    del notebook["cells"][0]["id"]
    (tiny.root / NOTEBOOK).write_text(json.dumps(notebook))
    with pytest.raises(ConfigurationError, match="cell 1 has no id"):
        build_book(tiny, report=silent)
    (tiny.root / "notebooks" / "numbers.md").write_text("# Twice\n")
    with pytest.raises(ConfigurationError, match="ambiguous"):
        build_book(Project(tiny.root), report=silent)


def test_command_line_statuses(tiny, tmp_path_factory):
    run = CliRunner()
    assert run.invoke(main, ["--root", str(tiny.root), "build", "--jobs", "0"]).exit_code == 2
    nowhere = tmp_path_factory.mktemp("nowhere")
    result = run.invoke(main, ["--root", str(nowhere), "serve"])
    assert result.exit_code == 2
    assert "_config.yml" in result.output
    result = run.invoke(main, ["--root", str(tiny.root), "serve"])
    assert result.exit_code == 2
    assert "make book" in result.output
    edit(tiny.root / "src" / "tiny_helper.py", "return 41", "return 1 / 0")
    result = run.invoke(main, ["--root", str(tiny.root), "build"])
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.output
