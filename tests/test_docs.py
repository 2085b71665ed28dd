"""The handbook: its links lead somewhere, and its reference pages say what the code says."""

import doctest
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

import autograder.testing
from autograder import guards
from autograder.feedback.diagnosers import DIAGNOSERS

PAGES = sorted([ROOT / "README.md", ROOT / "assignments" / "README.md", *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"(?<!\\)!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"^\*\*([\w/.]+)\*\*\n\n(`{3,})\w+\n(.*?)^\2$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n\$ autograder (.*)\n((?:.*\n)*?)```$", re.MULTILINE)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives the headings of a page."""
    headings = HEADING.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_project_leads_somewhere(page: Path):
    for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}, which does not exist"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}, which has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_is_named_in_a_page_exists(page: Path):
    named = re.findall(r"`((?:docs|autograder|tests|bench|solutions|assignments)/[\w./]+)`", page.read_text("utf-8"))
    missing = [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
    assert missing == []


def test_every_page_of_the_handbook_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
            if not link.startswith(("http:", "https:", "mailto:", "#")):
                waiting.append((page.parent / link.partition("#")[0]).resolve())
    assert set(PAGES) <= reached


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the scripts beside the handbook importable."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))


@pytest.mark.usefixtures("scripts")
def test_the_reference_pages_are_made_from_the_code():
    for name, text in importlib.import_module("generate").pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"docs/{name} is stale: run `make docs`"


@pytest.mark.usefixtures("scripts")
def test_every_helper_of_checks_has_an_example_and_every_example_runs():
    page = importlib.import_module("testing_page")
    tests = list(page.examples())
    assert [test.name for test in tests if not test.examples] == []
    assert "".join(map(page.faults, tests)) == ""
    used = " ".join(example.source for test in tests for example in test.examples)
    values = set(autograder.testing.__all__) - {test.name for test in tests}
    assert [name for name in values if not re.search(rf"\b{name}\b", used)] == []


@pytest.mark.usefixtures("scripts")
def test_a_line_of_a_docstring_that_goes_on_is_no_new_item():
    text = "Says it.\n\nArgs:\n    low, high: each of them\n        is added: to all.\n    shape: any."
    page = importlib.import_module("testing_page")
    said = "Says it.\n\nArgs:\n\n- `low`, `high`: each of them\n  is added: to all.\n- `shape`: any."
    assert page._markdown(text) == said


@pytest.mark.usefixtures("scripts")
def test_every_guard_is_listed():
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8").partition("\n## Guards\n")[2]
    assert set(re.findall(r"^### `(require_\w+)\(", text, re.MULTILINE)) == set(guards.__all__)


def test_every_general_diagnosis_says_in_a_sentence_what_it_reads():
    assert [one.__name__ for one in DIAGNOSERS if not (one.__doc__ or "").strip().endswith(".")] == []


def test_the_authors_page_leads_from_an_empty_folder_to_an_assignment_that_verifies(tmp_path: Path):
    """What the page shows of each command is what it prints, but for what stands as dots."""
    page = (ROOT / "docs" / "author.md").read_text(encoding="utf-8")
    for name, _, text in FILE.findall(page):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for command, shown in [*CONSOLE.findall(page), ("verify units", "...0 breaches\n")]:
        done = subprocess.run(
            [Path(sys.executable).with_name("autograder"), *command.split()],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "120"},
            text=True,
            capture_output=True,
            check=False,
        )
        is_shown = doctest.OutputChecker().check_output(shown, done.stdout, doctest.ELLIPSIS)
        assert is_shown, f"autograder {command} prints:\n{done.stdout}{done.stderr}"
