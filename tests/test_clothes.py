"""Right submissions in all their clothes keep full points."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from clothes import CLOTHES, Clothing
from conftest import judge_file

from autograder.course import Course
from autograder.judging.judge import Court, open_court
from autograder.notebooks.build import released_notebook, source_notebook
from autograder.testing.assignment import load_assignment


@pytest.fixture(scope="module")
def court(built_fixture_course: Course) -> Iterator[Court]:
    opened = open_court(built_fixture_course, "basics")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def right(built_fixture_course: Course) -> str:
    """The notebook that students were given, with every answer right."""
    source = source_notebook(built_fixture_course, load_assignment(built_fixture_course, "basics"))
    notebook = released_notebook(source)
    for cell, answer in zip(notebook.cells, source.cells, strict=True):
        lines = answer.source.split("\n")
        cell.source = "\n".join(
            line for line in lines if line.strip() not in ("### BEGIN SOLUTION", "### END SOLUTION")
        )
    return nbformat.writes(notebook)


def written(folder: Path, handed: Any) -> Path:
    """The file that is handed in."""
    if isinstance(handed, dict):
        handed = json.dumps(handed)
    raw = handed if isinstance(handed, bytes) else handed.encode()
    path = folder / ("basics.ipynb" if raw.lstrip()[:1] == b"{" or b'"cells"' in raw else "basics.py")
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("clothing", CLOTHES.values(), ids=[name.replace(" ", "_") for name in CLOTHES])
def test_a_right_submission_keeps_full_points(clothing: Clothing, court: Court, right: str, tmp_path: Path) -> None:
    result = judge_file(court, written(tmp_path, clothing(nbformat.reads(right, as_version=4))))
    lost = [
        f"{e.name}: {e.points:g} of {e.max_points:g} ({e.status}: {e.message})"
        for e in result.exercises
        if e.points < e.max_points
    ]
    assert lost == [], "\n".join([*lost, *result.notes])
