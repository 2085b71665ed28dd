"""A mistake costs most where it is made: what only suffers from it is judged again with the earlier exercise put right."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import judge_file

from autograder.course import load_course
from autograder.judging.judge import Court, open_court
from autograder.notebooks.build import build_assignment

FILES = {
    "course.toml": """
        schema = 1
        title = "Two steps"
        course_id = "steps"

        [[assignments]]
        name = "steps"
        title = "Steps"
        """,
    "solutions/steps/reference.py": '''
        """References."""

        from torch import Tensor


        def double(x: Tensor) -> Tensor:
            """Twice x."""
            return 2 * x


        def quadruple(x: Tensor) -> Tensor:
            """Four times x."""
            return double(double(x))
        ''',
    "assignments/steps/steps.md": """
        # Steps

        ```{code-cell}
        :setup:

        from torch import Tensor

        from autograder import check, grading
        ```

        ```{code-cell}
        :exercise: double
        ```

        ```{code-cell}
        :check: double
        ```

        ```{code-cell}
        :exercise: quadruple
        ```

        ```{code-cell}
        :check: quadruple
        ```
        """,
    "assignments/steps/checks.py": '''
        """Checks."""

        from hypothesis import given

        from autograder.testing import Rules, assert_close, exercise, idea, tensors

        RULES = Rules(library="torch")


        @exercise("double", points=1)
        class TestDouble:
            @idea
            @given(x=tensors())
            def test_twice(self, student, x):
                """It is twice x."""
                assert_close(student.double(x), x + x)


        @exercise("quadruple", points=2)
        class TestQuadruple:
            @idea
            @given(x=tensors())
            def test_four_times(self, student, x):
                """It is four times x."""
                assert_close(student.quadruple(x), x + x + x + x)
        ''',
    "solutions/steps/hidden.py": '''
        """Hidden checks."""
        ''',
    "solutions/steps/mistakes.py": '''
        """Mistakes."""

        from autograder.testing import mistake


        @mistake("double", kind="idea", says="This is the square.")
        def squares(x):
            return x * x
        ''',
    "solutions/steps/alternatives.py": '''
        """Alternatives."""
        ''',
}
RIGHT = {"double": "def double(x): return 2 * x", "quadruple": "def quadruple(x): return double(double(x))"}


@pytest.fixture(scope="module")
def courts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Court]]:
    root = tmp_path_factory.mktemp("steps")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text).lstrip())
    course = load_course(root)
    build_assignment(course, "steps", jobs=1)
    courts = {trusted: open_court(course, "steps", trusted=trusted) for trusted in (False, True)}
    yield courts
    for court in courts.values():
        court.close()


def judged(
    courts: dict[bool, Court], tmp_path: Path, *, trusted: bool, **code: str
) -> dict[str, tuple[float, tuple[str, ...]]]:
    submission = tmp_path / "submission.py"
    submission.write_text("\n\n".join({**RIGHT, **code}.values()))
    result = judge_file(courts[trusted], submission)
    return {exercise.name: (exercise.points, exercise.stood_in) for exercise in result.exercises}


@pytest.mark.parametrize("trusted", [False, True])
def test_what_only_suffers_gets_half_of_what_it_lost(courts, tmp_path, trusted):
    points = judged(courts, tmp_path, trusted=trusted, double="def double(x): return 3 * x")
    assert points == {"double": (0.0, ()), "quadruple": (1.0, ("double",))}


@pytest.mark.parametrize("trusted", [False, True])
def test_a_mistake_of_its_own_gets_nothing_back(courts, tmp_path, trusted):
    wrong = {"double": "def double(x): return 3 * x", "quadruple": "def quadruple(x): return double(x)"}
    assert judged(courts, tmp_path, trusted=trusted, **wrong) == {"double": (0.0, ()), "quadruple": (0.0, ())}


@pytest.mark.parametrize("trusted", [False, True])
def test_right_work_is_judged_once(courts, tmp_path, trusted):
    assert judged(courts, tmp_path, trusted=trusted) == {"double": (1.0, ()), "quadruple": (2.0, ())}


def test_the_right_function_cannot_be_kept(courts, tmp_path):
    """It is there for the exercise that calls it, and gone when the next one is judged."""
    keeps = "kept = []\ndef quadruple(x):\n    kept.append(double)\n    return double(double(x))"
    late = judged(
        courts, tmp_path, trusted=False, double="def double(x): return kept[-1](x) if kept else x", quadruple=keeps
    )
    assert late["double"] == (0.0, ())


def test_it_hands_over_data_alone(courts, tmp_path):
    """Neither source nor closure of the right function is in the student's process."""
    spies = "\n".join(
        [
            "import gc",
            "def quadruple(x):",
            "    held = [f for f in gc.get_objects() if getattr(f, '__doc__', None) == 'Twice x.']",
            "    return 4 * x if held or 'Twice x' in str(vars(double)) else double(x)",
        ]
    )
    points = judged(courts, tmp_path, trusted=False, double="def double(x): return 3 * x", quadruple=spies)
    assert points["quadruple"] == (0.0, ())


def test_what_gets_half_back_is_partly_right(courts, tmp_path):
    submission = tmp_path / "submission.py"
    submission.write_text("\n\n".join({**RIGHT, "double": "def double(x): return 3 * x"}.values()))
    result = judge_file(courts[True], submission)
    assert [(exercise.name, exercise.status) for exercise in result.exercises] == [
        ("double", "failed"),
        ("quadruple", "partial"),
    ]
