"""Malformed submissions by the hundred: each is graded or reported, none gains, and nobody beside them is hurt."""

import shutil
from pathlib import Path

import nbformat
import pytest
from malformed import (
    Malformed,
    Tally,
    bases_of,
    grade_intact,
    grades,
    hand_in,
    run,
    tally,
    variants,
)
from nbgrader.nbgraderformat import MetadataValidator

from autograder.course import Course, load_course
from autograder.notebooks.released import released_of
from autograder.notebooks.repair.cells import grade_id
from autograder.notebooks.repair.validity import made_valid
from autograder.notebooks.submission import UnreadableSubmission, read_handed, repaired

# What a test run can afford; `python tests/malformed.py` grades a thousand.
READ, GRADED, STOCK = 400, 110, 16
BROKEN = {
    "empty": {"basics.ipynb": b""},
    "word": {"basics.ipynb": b"PK\x03\x04"},
    "none": {"photo.png": b"\x89PNG"},
    "folder": {"basics.ipynb/x.txt": b""},
}


@pytest.fixture(scope="module")
def bases(built_fixture_course: Course) -> dict[str, str]:
    return bases_of(built_fixture_course)


@pytest.fixture(scope="module")
def intact(
    built_fixture_course: Course, bases: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Course, dict[str, float]]:
    """The fixture course, released, with an intact class that was graded; and their scores."""
    course = load_course(shutil.copytree(built_fixture_course.root, tmp_path_factory.mktemp("malformed") / "course"))
    run(course, "nbgrader", "generate_assignment", "basics")
    return course, grade_intact(course, bases)


def test_every_malformed_notebook_becomes_a_valid_one_or_a_sentence(
    built_fixture_course: Course, bases: dict[str, str], tmp_path: Path
) -> None:
    released = released_of(built_fixture_course, "basics")
    wanted = {name for name, cell in released.cells.items() if cell.metadata["nbgrader"]["grade"]}
    path = tmp_path / "basics.ipynb"
    read = 0
    for one in variants(bases, READ, seed=1):
        path.write_bytes(next(iter(one.files.values())))
        try:
            handed = read_handed(path)
            made_valid(handed.notebook)
            notebook, _ = repaired(handed, released, path)
        except UnreadableSubmission as error:
            assert "cannot be put right" not in str(error), (one.base, one.about)
            continue
        read += 1
        nbformat.validate(notebook)
        MetadataValidator().validate_nb(notebook)
        nbformat.writes(notebook).encode()
        names = [name for cell in notebook.cells if (name := grade_id(cell))]
        assert len(names) == len(set(names)) and wanted <= set(names), (one.base, one.about)
    assert read > READ // 2


def without_harm(found: Tally, class_: dict[str, Malformed]) -> bool:
    assert [(class_[student].base, class_[student].about) for student in found.lost] == []
    assert [(class_[student].base, class_[student].about) for student in found.too_high] == []
    return (found.neighbours_hurt, found.tracebacks) == ((), 0) and len(found.graded) > len(found.reported) > 0


def test_a_class_of_malformed_submissions_is_graded_by_autograder_grade(
    intact: tuple[Course, dict[str, float]], bases: dict[str, str], tmp_path: Path
) -> None:
    course, scores = intact
    course = load_course(shutil.copytree(course.root, tmp_path / "course"))
    class_ = {f"m{n:03}": one for n, one in enumerate(variants(bases, GRADED, seed=2))}
    for student, one in class_.items():
        hand_in(course, student, one.files)
    assert without_harm(tally(course, class_, scores, run(course, "autograder", "grade", "basics")), class_)


def test_a_class_of_malformed_submissions_is_graded_by_nbgrader_autograde(
    intact: tuple[Course, dict[str, float]], bases: dict[str, str], tmp_path: Path
) -> None:
    course, scores = intact
    course = load_course(shutil.copytree(course.root, tmp_path / "course"))
    for student in scores:
        shutil.rmtree(course.private_dir / "submitted" / student)
    hand_in(course, "intact-ada", {"basics.ipynb": bases["ada"].encode()})
    class_ = {f"m{n:03}": one for n, one in enumerate(variants(bases, STOCK, seed=3))}
    class_ |= {name: Malformed("ada", (name,), files) for name, files in BROKEN.items()}
    for student, one in class_.items():
        hand_in(course, student, one.files)
    submitted = {p: p.read_bytes() for p in course.private_dir.glob("submitted/**/*") if p.is_file()}
    log = run(course, "nbgrader", "autograde", "basics")
    log += run(course, "nbgrader", "generate_feedback", "basics")
    assert without_harm(tally(course, class_, scores, log), class_)
    assert {p: p.read_bytes() for p in submitted} == submitted
    for student in BROKEN:
        page = (course.private_dir / "feedback" / student / "basics" / "basics.html").read_text(encoding="utf-8")
        assert "Not graded automatically" in page


def test_a_submission_that_was_mended_loses_its_report(
    intact: tuple[Course, dict[str, float]], bases: dict[str, str], tmp_path: Path
) -> None:
    from nbgrader.api import Gradebook

    course, scores = intact
    course = load_course(shutil.copytree(course.root, tmp_path / "course"))
    comments = []
    for raw in (b"", bases["ada"].encode()):
        hand_in(course, "zoe", {"basics.ipynb": raw})
        run(course, "autograder", "grade", "basics", "--student", "zoe")
        with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
            (notebook,) = gradebook.find_submission("basics", "zoe").notebooks
            comments.append([comment.auto_comment for comment in notebook.comments if comment.auto_comment])
    assert comments == [["basics.ipynb is empty."], []]
    assert sum(score or 0 for score, _ in grades(course)["zoe"]) == scores["intact-ada"]
