"""Hidden checks in what a student sees: named, or only counted, as `course.toml` has it; their source never."""

import os
import shutil
import subprocess
from datetime import datetime, timedelta

import msgspec
import pytest
from conftest import BIN
from test_panel import FAILED, OTHER, PARTIAL, PASSED, SAYS, UNKNOWN

from autograder.course import Course, FeedbackPolicy, load_course
from autograder.demo.made_class import make_class
from autograder.feedback.panel import RECORD_TYPE, Panel
from autograder.feedback.visibility import for_student, hidden_are_named
from autograder.notebooks.build import source_notebook
from autograder.policy.extensions import Extension
from autograder.results import CheckResult, Diagnosis, ExerciseResult, HiddenChecks
from autograder.testing.assignment import load_assignment

DUE = datetime.fromisoformat("2026-12-18T23:59:00+08:00")
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_COURSE"}


def hidden(check: CheckResult, title: str) -> CheckResult:
    return msgspec.structs.replace(check, visible=False, name=f"hidden_{check.name}", title=title)


CHECKS = (
    PASSED,
    FAILED,
    hidden(PASSED, "Secret one."),
    hidden(OTHER, "Secret two."),
    hidden(UNKNOWN, "Secret three."),
)
BOTH = msgspec.structs.replace(PARTIAL, checks=CHECKS)


@pytest.mark.parametrize(
    ("policy", "due", "now", "named"),
    [
        ("never", DUE, DUE + timedelta(days=99), False),
        ("always", DUE, DUE - timedelta(days=99), True),
        ("always", None, DUE, True),
        ("after_due", DUE, DUE, False),
        ("after_due", DUE, DUE + timedelta(minutes=15), False),
        ("after_due", DUE, DUE + timedelta(minutes=16), True),
        ("after_due", None, DUE + timedelta(days=99), False),
    ],
)
def test_when_hidden_checks_are_named(built_fixture_course: Course, policy, due, now, named):
    course = built_fixture_course
    (assignment,) = course.assignments
    course = msgspec.structs.replace(
        course,
        feedback=FeedbackPolicy(policy),
        late=msgspec.structs.replace(course.late, grace_minutes=15),
        assignments=(msgspec.structs.replace(assignment, due=due),),
    )
    assert hidden_are_named(course, "basics", (), now) is named


def test_hidden_checks_stay_unnamed_until_the_last_extension_has_passed(built_fixture_course: Course):
    course = built_fixture_course
    settings = msgspec.structs.replace(course.assignments[0], due=DUE)
    course = msgspec.structs.replace(course, feedback=FeedbackPolicy("after_due"), assignments=(settings,))
    extensions = (Extension("ada", "basics", DUE + timedelta(days=3)),)
    assert not hidden_are_named(course, "basics", extensions, DUE + timedelta(days=2))
    assert hidden_are_named(course, "basics", extensions, DUE + timedelta(days=4))


@pytest.mark.parametrize("shown", [Panel.text, Panel.html, lambda panel: str(panel._repr_mimebundle_())])
def test_unnamed_hidden_checks_are_one_line_in_panel_and_record(shown):
    panel = Panel(for_student(BOTH, named=False), with_record=True)
    assert "Secret" not in shown(panel)
    assert "1 of 2 hidden checks passed." in panel.text() and "1 of 2 hidden checks passed." in panel.html()
    assert "1 of 2 visible checks passes." in panel.text()
    assert panel._repr_mimebundle_()[0][RECORD_TYPE]["hidden"] == {"passed": 1, "total": 2}


def test_named_hidden_checks_are_shown_as_they_are():
    assert for_student(BOTH, named=True) is BOTH
    assert "Secret two." in Panel(BOTH).text()


def test_without_hidden_checks_nothing_changes():
    assert for_student(PARTIAL, named=False) is PARTIAL


@pytest.mark.parametrize(
    ("kind", "checks", "kept"),
    [
        ("known", (PASSED, hidden(FAILED, "Secret.")), True),
        ("generic", (PASSED, hidden(FAILED, "Secret.")), False),
        ("generic", (FAILED, hidden(FAILED, "Secret.")), True),
    ],
)
def test_a_diagnosis_that_only_a_hidden_check_could_give_is_left_out(kind, checks, kept):
    result = ExerciseResult("softmax", 1.0, 2.0, "partial", Diagnosis("m", SAYS.says, kind), checks)
    seen = for_student(result, named=False)
    assert (seen.diagnosis is not None, seen.hidden) == (kept, HiddenChecks(0, 1))


def run(course: Course, *command: str) -> subprocess.CompletedProcess[str]:
    first, *rest = command
    return subprocess.run(
        [str(BIN / first), *rest], cwd=course.root, env=ENVIRONMENT, text=True, capture_output=True, check=False
    )


def set_policy(course: Course, policy: str) -> None:
    file = course.root / "course.toml"
    kept = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("feedback.")]
    file.write_text("\n".join([f'feedback.hidden_checks = "{policy}"', *kept]), encoding="utf-8")


@pytest.fixture(scope="module")
def released(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("seen") / "course"
    shutil.copytree(built_fixture_course.root, root)
    course = load_course(root)
    assignment = load_assignment(course, "basics")
    (chen,) = [m for m in make_class(assignment, source_notebook(course, assignment)) if m.student == "chen"]
    path = course.private_dir / "submitted" / "chen" / "basics" / "basics.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(chen.text, encoding="utf-8")
    set_policy(course, "never")
    assert run(course, "nbgrader", "generate_assignment", "basics").returncode == 0
    return course


def hidden_titles(course: Course) -> list[str]:
    exercises = load_assignment(course, "basics").exercises
    return [check.title for exercise in exercises for check in exercise.checks if not check.visible]


@pytest.mark.parametrize("door", [("autograder", "grade", "basics"), ("nbgrader", "autograde", "basics", "--force")])
def test_the_autograded_notebook_holds_no_title_of_a_hidden_check_until_the_policy_allows(released, tmp_path, door):
    shutil.copytree(released.root, tmp_path / "course")
    course = load_course(tmp_path / "course")
    autograded = course.private_dir / "autograded" / "chen" / "basics" / "basics.ipynb"
    titles = hidden_titles(course)
    assert run(course, *door).returncode == 0
    unnamed = autograded.read_text(encoding="utf-8")
    assert "hidden checks passed." in unnamed
    assert [title for title in titles if title in unnamed] == []
    set_policy(course, "always")
    assert run(course, *door).returncode == 0
    named = autograded.read_text(encoding="utf-8")
    assert [title for title in titles if title in named] and "hidden checks passed." not in named
