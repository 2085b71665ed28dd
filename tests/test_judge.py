"""Judging one submission: what runs, what a failure costs, and a clear sentence for each kind of bad input."""

import json
import math
from pathlib import Path

import nbformat
import pytest
from conftest import judge_file

from autograder.course import Course
from autograder.judging.judge import open_court
from autograder.notebooks.build import source_notebook
from autograder.notebooks.released import released_of
from autograder.results import ExerciseResult, Result, Seconds, to_json
from autograder.testing.assignment import load_assignment


@pytest.fixture(scope="module")
def source(built_fixture_course: Course):
    return source_notebook(built_fixture_course, load_assignment(built_fixture_course, "basics"))


@pytest.fixture(scope="module", params=["behind the wall", "trusted"])
def court(request, built_fixture_course: Course):
    """Everything here holds behind the wall and in the grader's own process."""
    opened = open_court(built_fixture_course, "basics", trusted=request.param == "trusted")
    yield opened
    opened.close()


@pytest.fixture
def judged(court, source, tmp_path: Path):
    """Judges the right notebook with some cells replaced, or with cells added after one."""

    def run(replaced: dict[str, str] | None = None, added: dict[str, str] | None = None) -> Result:
        notebook = nbformat.from_dict(json.loads(nbformat.writes(source)))
        cells = []
        for cell in notebook.cells:
            code = (replaced or {}).get(cell.id, cell.source)
            cells.append(cell)
            cell.source = code
            if cell.id in (added or {}):
                cells.append(nbformat.v4.new_code_cell((added or {})[cell.id]))
        notebook.cells = cells
        path = tmp_path / "basics.ipynb"
        nbformat.write(notebook, path)
        return judge_file(court, path)

    return run


def of(result: Result, name: str) -> ExerciseResult:
    return next(exercise for exercise in result.exercises if exercise.name == name)


def test_the_source_notebook_gets_full_points(judged):
    result = judged()
    assert result.score == result.max_score
    assert {exercise.status for exercise in result.exercises} == {"passed"}


def test_a_plain_python_file_is_judged_too(court):
    result = judge_file(court, court.course.solutions_dir / "basics" / "reference.py")
    assert result.score == result.max_score


def test_demo_cells_never_run(judged):
    demo = "if not grading():\n    import time\n    while True:\n        time.sleep(1)"
    assert judged(replaced={"demo-1": demo}).score > 0


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        (
            "def grade_letter(score)\n    return 'A'",
            "error",
            "SyntaxError: expected ':' (line 1: def grade_letter(score))",
        ),
        ("import not_a_package", "error", "the package `not_a_package` is not installed here"),
        ("grade_letter = 3", "missing", "`grade_letter` is not defined"),
        ("", "missing", "`grade_letter` is not defined"),
        ("def grade_letter(score):\n    raise NotImplementedError()", "missing", "still raises NotImplementedError"),
    ],
)
def test_a_cell_that_gives_no_function_costs_only_its_exercise(judged, code, status, says):
    result = judged(replaced={"grade_letter": code})
    exercise = of(result, "grade_letter")
    assert (exercise.status, exercise.points) == (status, 0)
    assert says in exercise.message
    assert result.score == result.max_score - exercise.max_points


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("(mark):\n    return 'A'", "failed", None),
        ("(score, curve):\n    return 'A'", "error", "without `curve`, but your grade_letter takes (score, curve)"),
        ("(score):\n    print('A')", "failed", "It printed its answer and returned None."),
        ("(score):\n    pass", "failed", "Got None"),
        ("(score):\n    return ['A']", "failed", "Expected a str, got a list."),
        (
            "(score):\n    return scores['A']",
            "error",
            "NameError: name 'scores' is not defined (line 2: return scores['A'])",
        ),
        ("(score):\n    import sys; sys.exit(0)", "error", "SystemExit: 0"),
    ],
)
def test_each_usual_fault_gets_its_sentence(judged, body, status, says):
    exercise = of(judged(replaced={"grade_letter": f"def grade_letter{body}"}), "grade_letter")
    assert exercise.status == status
    assert exercise.points < exercise.max_points
    assert says is None or any(says in check.message for check in exercise.checks)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return x.tolist()", "Expected a numpy array, got a list."),
        ("return np.array(0.0)", "Expected 2 axes"),
        ("return standard(x).astype(np.float32)", "Expected dtype float64, got float32."),
        ("return standard(x)[:, :1]", "Expected shape"),
        ("return standard(x) + 0.25", "values are wrong"),
    ],
)
def test_an_array_is_compared_by_type_axes_dtype_shape_value(judged, body, says):
    standard = "def standard(x):\n    s = x.std(axis=0)\n    return (x - x.mean(axis=0)) / np.where(s == 0, 1, s)\n"
    exercise = of(judged(replaced={"standardize": f"{standard}\n\ndef standardize(x):\n    {body}"}), "standardize")
    assert any(says in check.message for check in exercise.checks), [check.message for check in exercise.checks]


def test_a_call_without_end_costs_only_its_checks(judged, built_fixture_course, monkeypatch):
    exercise = of(judged(replaced={"grade_letter": LOOPS_FOR_F}), "grade_letter")
    assert "timeout" in {check.status for check in exercise.checks}


LOOPS_FOR_F = """
import time
def grade_letter(score):
    if not 0 <= score <= 100:
        raise ValueError("score")
    while score < 60:
        time.sleep(0.01)
    return "ABCD"[3 - min(3, int(score - 60) // 10)]
"""


def test_an_exercise_is_judged_with_the_namespace_at_its_check_cell(judged):
    later = judged(added={"check-grade_letter": "def grade_letter(score):\n    return 'wrong'"})
    assert of(later, "grade_letter").status == "passed"
    earlier = judged(added={"grade_letter": "def grade_letter(score):\n    return 'wrong'"})
    assert of(earlier, "grade_letter").status != "passed"


@pytest.mark.parametrize("after", ["setup", "check-mean", "standardize"])
def test_right_work_in_the_wrong_place_counts_with_a_note(judged, court, source, after):
    """Above the stub, below the check cell or in a cell at the end: the own cell is untouched."""
    name, released = "grade_letter", released_of(court.course, "basics")
    right = next(cell.source for cell in source.cells if cell.id == name)
    places = {"check-mean": f"check-{name}"}
    result = judged(replaced={name: released.cells[name].source}, added={places.get(after, after): right})
    assert of(result, name).points == of(result, name).max_points
    assert any(note.startswith(f"{name}: its own cell is untouched") for note in result.notes)


def test_a_students_own_cell_runs(judged):
    result = judged(
        replaced={"grade_letter": "def grade_letter(score):\n    return letter_of(score)"},
        added={"setup": (RIGHT_LETTER)},
    )
    assert of(result, "grade_letter").status == "passed"


RIGHT_LETTER = """
def letter_of(score):
    if not 0 <= score <= 100:
        raise ValueError("score has to lie in 0..100")
    return next(letter for least, letter in ((90, "A"), (80, "B"), (70, "C"), (60, "D"), (0, "F")) if score >= least)
"""


STANDARD = (
    "def standardize(x):\n    mean, std = {mean}, x.std(axis=0)\n    return (x - mean) / np.where(std == 0, 1, std)"
)


@pytest.mark.parametrize(
    ("mean", "operation"),
    [
        ("np.asarray(torch.as_tensor(x).mean(0))", "torch.as_tensor"),
        ("np.asarray(getattr(torch, 'as_' + 'tensor')(x).mean(0))", "torch.as_tensor"),
        ("np.asarray(vars(torch)[''.join(['as_', 'tensor'])](x).mean(0))", "torch"),
    ],
)
def test_a_forbidden_operation_costs_its_exercise_and_is_named(judged, mean, operation):
    result = judged(replaced={"standardize": f"import torch\n{STANDARD.format(mean=mean)}"})
    exercise = of(result, "standardize")
    assert (exercise.status, exercise.points) == ("forbidden", 0.0)
    assert operation in exercise.message and "may not be called in this exercise" in exercise.message
    assert result.score == result.max_score - exercise.max_points


def test_what_an_exercise_may_not_call_is_free_elsewhere(judged):
    compared = "import torch\nprint(torch.as_tensor(standardize(np.ones((3, 2)))).mean(0))"
    assert of(judged(added={"standardize": compared}), "standardize").status == "passed"


DROPOUT = """\
def dropout(x, p, *, training, generator):
    if not 0 <= p <= 1:
        raise ValueError("p")
    if not training:
        return x, torch.ones_like(x, dtype=torch.bool)
    mask = torch.rand(x.shape, generator=generator{device}) >= p
    return x * mask / (1 - p) if p < 1 else torch.zeros_like(x), mask
"""


def test_a_tensor_on_the_wrong_device_costs_a_share_without_a_gpu(judged):
    right = of(judged(replaced={"dropout": DROPOUT.format(device=", device=x.device")}), "dropout")
    wrong = of(judged(replaced={"dropout": DROPOUT.format(device="")}), "dropout")
    assert (right.points, right.status) == (right.max_points, "passed")
    assert 0 < wrong.points < wrong.max_points
    (failed,) = [check for check in wrong.checks if check.status == "failed"]
    assert failed.name == "device" and "`mask = torch.rand(" in failed.message


def test_magics_are_ignored_with_a_note(judged):
    result = judged(added={"setup": "%matplotlib inline\n!ls\nvalue = 1"})
    assert result.score == result.max_score
    assert any("%matplotlib inline, !ls" in note for note in result.notes)


def test_the_record_is_the_published_one(judged):
    record = json.loads(to_json(judged(replaced={"grade_letter": "def grade_letter(score):\n    return 'A'"})))
    assert list(record) == [
        "assignment", "submission", "sha256", "score", "max_score", "seconds", "isolation", "notes", "exercises", "schema",
    ]  # fmt: skip
    assert record["schema"] == 1
    exercise = next(e for e in record["exercises"] if e["name"] == "grade_letter")
    assert {"name", "points", "max_points", "status", "diagnosis", "checks"} <= exercise.keys()
    published = {"name", "title", "visible", "device", "status", "weight", "message", "counterexample"}
    assert all(published <= check.keys() for check in exercise["checks"])
    failed = next(check for check in exercise["checks"] if check["status"] == "failed")
    assert failed["counterexample"].startswith("grade_letter(")


@pytest.mark.parametrize("score", [math.nan, math.inf, -1.0])
def test_a_score_that_is_no_score_is_refused(score):
    with pytest.raises(ValueError, match="allowed is a finite number of at least 0"):
        Result("a", "s.ipynb", "", score, 1.0, Seconds(0, 0), (), (), ())
