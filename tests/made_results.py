"""Made-up results of a class of any size, as `autograder grade` writes them; no submission is judged."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from autograder.classroom.grade import Judged, write_lines
from autograder.course import Course, load_course
from autograder.results import CheckResult, Diagnosis, ExerciseResult, Result, Seconds

CHECKS = 6
SAYS = (
    "This treats every output as if it depended on its own input alone.",
    "The inner product is taken over the whole tensor, not along `dim`.",
    "The chain rule through x / T is missing a factor.",
)
IN_PARTS = """\
schema = 1
title = "Fixture course"
course_id = "fixture"

[[parts]]
name = "first"
title = "First <things>"

[[parts]]
name = "last"
title = "Last things"

[[assignments]]
name = "basics"
title = "Basics"
part = "first"
weight = 3

[[assignments]]
name = "more"
title = "More"
part = "first"

[[assignments]]
name = "end"
title = "The end"
part = "last"
"""
COUNTEREXAMPLE = "x = torch.tensor([[1., 2.], [3., 4.]])\nexercise(x, dim=0)"


def check(name: str, status: str = "passed", *, visible: bool = True) -> CheckResult:
    shown = {} if status == "passed" else {"message": "2 of 4 values differ.", "counterexample": COUNTEREXAMPLE}
    return CheckResult(name, f"What {name} says holds.", visible, "cpu", status, 1.0, **shown)  # type: ignore[arg-type]


def exercise(name: str, *statuses: str, diagnosis: Diagnosis | None = None) -> ExerciseResult:
    """An exercise of two points with a check for each status; the last one is hidden."""
    checks = tuple(check(f"test_{i}", s, visible=i < len(statuses) - 1) for i, s in enumerate(statuses))
    passed = sum(status == "passed" for status in statuses)
    status = "passed" if passed == len(checks) else "partial" if passed else "failed"
    return ExerciseResult(name, round(2.0 * passed / len(checks), 6), 2.0, status, diagnosis, checks)


def unwritten(name: str, checks: int = 2) -> ExerciseResult:
    """An exercise that was not tried."""
    empty = tuple(check(f"test_{i}", "failed", visible=i < checks - 1) for i in range(checks))
    return ExerciseResult(name, 0.0, 2.0, "missing", None, empty, f"`{name}` is not defined.")


def judged(
    student: str,
    *exercises: ExerciseResult,
    submitted: str | None = None,
    notes: tuple[str, ...] = (),
    cpu: float = 0.25,
) -> Judged:
    score, most = (round(sum(values), 6) for values in zip(*((e.points, e.max_points) for e in exercises), strict=True))
    result = Result(
        "basics", f"{student}.ipynb", "0" * 64, score, most, Seconds(cpu, cpu), ("landlock",), notes, exercises
    )
    return Judged(student, Path(f"{student}.ipynb"), submitted, result)


def unjudged(student: str, reason: str) -> Judged:
    return Judged(student, Path(f"{student}.ipynb"), None, None, reason)


def make_up(course: Course, size: int, exercises: int = 8, seed: int = 0) -> None:
    """Writes results of ``size`` students, some better than others."""
    draw = random.Random(seed)
    class_ = []
    for number in range(size):
        ability = draw.random()
        done = []
        for place in range(exercises):
            statuses = ["passed" if draw.random() < 0.4 + 0.6 * ability else "failed" for _ in range(CHECKS)]
            says = draw.choice(SAYS)
            wrong = Diagnosis(f"mistake_{SAYS.index(says)}", says) if "failed" in statuses else None
            done.append(exercise(f"exercise_{place}", *statuses, diagnosis=wrong))
        handed_in = datetime(2026, 12, 17, 8, tzinfo=UTC) + timedelta(minutes=draw.randrange(3000))
        stamp = f"{handed_in:%Y-%m-%d %H:%M:%S} UTC"
        class_.append(judged(f"s{number:04}", *done, submitted=stamp, cpu=round(draw.random(), 4)))
    write_lines(course, "basics", class_)


def in_parts(course: Course) -> Course:
    """Gives the fixture course two parts and results: ada did all, boris one, and chen's could not be judged."""
    for name in ("more", "end"):
        (course.assignments_dir / name).mkdir()
        (course.assignments_dir / name / f"{name}.md").touch()
    (course.root / "course.toml").write_text(IN_PARTS, encoding="utf-8")
    half, full = exercise("mean", "passed", "failed"), exercise("mean", "passed", "passed")
    write_lines(course, "basics", [judged("ada", half), unjudged("chen", "It is empty.")])
    for name in ("more", "end"):
        class_ = [judged("ada", full), *([judged("boris", half)] if name == "more" else [])]
        write_lines(course, name, [replace(one, result=structs.replace(one.result, assignment=name)) for one in class_])
    return load_course(course.root)
