"""How points are written: with two decimals at most, the same everywhere, and none lost or won by rounding."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from made_results import judged
from msgspec import structs
from nbformat.v4 import new_notebook

from autograder.checking import notebook
from autograder.classroom.grade import Brief, write_lines
from autograder.cli import instructor, late
from autograder.course import Course, load_course
from autograder.demo.run import Grade, Shown
from autograder.feedback.course_overview import course_overview_of, progress_of
from autograder.feedback.overview import overview_of
from autograder.feedback.panel import Panel
from autograder.gradebook.penalties import Settled
from autograder.gradebook.writer import Changed
from autograder.nbgrader.page import Totals, feedback_page
from autograder.points import Points, percent_of, points_text
from autograder.policy.lateness import Lateness
from autograder.reporting.page import write_report
from autograder.results import ExerciseResult

# Rounded to two decimals these are all points and none.
ALMOST, HARDLY = 1.996, 0.004


@pytest.mark.parametrize(
    ("points", "full", "text"),
    [
        (2.0, 2.0, "2"),
        (1.5, None, "1.5"),
        (2 / 3, 1.0, "0.67"),
        (0.0, 2.0, "0"),
        (-0.0, None, "0"),
        (ALMOST, 2.0, "1.99"),
        (1.999999, 2.0, "1.99"),
        (0.1 + 0.2, 0.3, "0.3"),
        (HARDLY, 2.0, "0.01"),
        (1e-6, None, "0.01"),
        (0.3321, 1 / 3, "0.32"),
        (2.5, 2.0, "2.5"),
        (1234, None, "1234"),
        (100.0, None, "100"),
    ],
)
def test_points_have_two_decimals_at_most(points, full, text):
    assert points_text(points, full) == text


@given(st.integers(2, 4000).map(lambda n: n / 100), st.integers(0, 10**6).map(lambda n: n / 10**6))
def test_only_all_points_are_shown_as_all_and_only_none_as_none(full, share):
    points = round(full * share, 6)
    shown = points_text(points, full)
    assert (shown == points_text(full)) == (points == full)
    assert (shown == "0") == (points == 0)
    assert re.fullmatch(r"\d+(\.\d?[1-9])?", shown)
    assert abs(float(shown) - points) < 0.01


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [(0, 2, 0), (HARDLY, 2, 1), (1, 3, 33), (2, 3, 67), (ALMOST, 2, 99), (2, 2, 100), (0.1 + 0.2, 0.3, 100), (0, 0, 0)],
)
def test_a_share_is_all_or_nothing_only_if_it_is(part, whole, percent):
    assert percent_of(part, whole) == percent


def test_what_a_cell_returns_is_exact_and_shown_as_everywhere():
    points = Points(2 / 3, 1.0)
    assert (points, repr(points), f"{points}", float(points).hex()) == (2 / 3, "0.67", "0.67", (2 / 3).hex())
    assert repr(notebook._returned(2 / 3, 1.0, graded=False)) == "0.67"
    assert repr(notebook._returned(2 / 3, 1.0, graded=True)) == "0.666667"


RESULT = ExerciseResult("softmax", ALMOST, 2.0, "partial", None, ())
OVERVIEW = overview_of("basics", (RESULT,))


def judge_table() -> None:
    result = judged("ada", RESULT).result
    assert result is not None
    instructor._show_result(result)


def demo_table() -> None:
    grade = Grade("ada", "all right", ALMOST, False, "")
    instructor._show_class(Shown("basics", "Basics", 2.0, (grade,), (), (), Path("f"), Path("r")))


def late_table() -> None:
    now = datetime(2026, 12, 18, tzinfo=UTC)
    lateness = Lateness("basics", now, now, timedelta(hours=1), 0, 99.999)
    print(*late._row(Settled("basics", "ada", lateness, None, ALMOST, 2.0, 2.0)))
    print(*late._row(Settled("basics", "ada", lateness, None, 0.5, ALMOST, 2.0)))


def changed_scores() -> None:
    instructor._report_grading([Brief("ada", True, True, "")], [Changed("ada", ALMOST, 2.0)], True, 2.0)


PRINTED: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "judge": (judge_table, ("1.99 of 2", "ada.ipynb: 1.99 of 2 points")),
    "demo": (demo_table, ("1.99 of 2",)),
    "late": (late_table, ("99.99 % 1.99 2 of 2", "99.99 % 0.5 1.99 of 2")),
    "grade": (changed_scores, ("would change  ada  1.99 -> 2\n",)),
    "panel": (lambda: print(Panel(RESULT).text()), ("softmax: 1.99 of 2 points",)),
    "panel, HTML": (lambda: print(Panel(RESULT).html()), ("1.99 of 2 points",)),
    "overview": (lambda: print(OVERVIEW.text()), ("basics: 1.99 of 2 points", "softmax  1.99 of 2", "] 99 %")),
    "overview, HTML": (lambda: print(OVERVIEW.html()), ("basics: 1.99 of 2 points", ">1.99 of 2<", "width:99%")),
    "course": (
        lambda: print(course_overview_of([progress_of(OVERVIEW, "", {})]).text()),
        ("course: 1.99 of 2 points", "basics  1.99 of 2"),
    ),
    "feedback": (
        lambda: print(feedback_page(new_notebook(), Totals("Basics", "ada", ALMOST, 2.0, HARDLY))),
        ("<strong>1.99</strong> of 2 points", "0.01 points were taken off"),
    ),
}


@pytest.mark.parametrize("place", PRINTED)
def test_what_is_printed_hides_no_lost_point(place: str, capsys: pytest.CaptureFixture[str]):
    show, texts = PRINTED[place]
    show()
    printed = capsys.readouterr().out
    for text in texts:
        assert text in printed
    assert str(ALMOST) not in printed


@pytest.fixture
def course(tmp_path: Path) -> Course:
    root = tmp_path / "course"
    shutil.copytree(ROOT / "tests" / "fixture_course", root)
    (root / "private").mkdir()
    return load_course(root)


def test_a_report_hides_no_lost_point_and_its_tables_are_exact(course: Course):
    passed = structs.replace(RESULT, points=2.0, status="passed")
    write_lines(course, "basics", [judged("ada", RESULT), *(judged(f"s{n}", passed) for n in range(299))])
    path, report = write_report(course, "basics")
    page = path.read_text(encoding="utf-8")
    assert report.scores is not None and 1.99 < report.scores.mean < 2
    assert "<dt>mean of 2 points</dt><dd>1.99</dd>" in page and "Mean 1.99, median 2 of 2 points" in page
    rows = re.findall(r"<tr><td.*</tr>", page)
    assert any(
        "<code>softmax</code>" in r and '>2</td><td class="number">1.99</td><td class="number">99 %<' in r for r in rows
    )
    assert any(">ada<" in row and '>1.99</td><td class="number">2<' in row for row in rows)
    assert f"ada,{ALMOST},2.0," in (path.with_suffix("") / "submissions.csv").read_text(encoding="utf-8-sig")


def test_nobody_else_writes_points():
    own = re.compile(r"(?:points|scores?|mean|penalty|share|percent)\b[^{}]*:[+,]?(?:\.\d)?[fg%]\}|[fg]\} %")
    written = [
        (str(path.relative_to(ROOT)), line.strip())
        for path in (ROOT / "autograder").rglob("*")
        if path.suffix in (".py", ".j2")
        for line in path.read_text(encoding="utf-8").splitlines()
        if own.search(line)
    ]
    # What a course's settings say is written as it stands there; the others speak of checks, not of a student's points.
    apart = ("autograder/policy/deadline.py", "autograder/proving/", "autograder/testing/chance.py")
    assert [found for found in written if not found[0].startswith(apart)] == []
