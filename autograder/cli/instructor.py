"""An instructor's commands: judge, grade, doctor, demo."""

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from autograder.cli.options import Json, On, OnCluster, Search, Trust
from autograder.cli.steps import steps
from autograder.cli.terminal import DONE, UNJUDGED, WRONG_USE, fail, one_sentence, print_table
from autograder.course import Course, find_course
from autograder.points import points_of, points_text

if TYPE_CHECKING:
    from autograder.classroom.grade import Brief
    from autograder.demo.run import Shown
    from autograder.gradebook.writer import Changed
    from autograder.judging.doctor import Finding
    from autograder.results import ExerciseResult, Result


def judge(
    submission: Annotated[Path, typer.Argument(help="A notebook or a plain Python file.")],
    assignment: Annotated[str | None, typer.Option(help="Assignment; a built notebook names its own.")] = None,
    json: Json = False,
    search: Search = False,
    trust: Trust = False,
    device: On = "cpu",
) -> None:
    """Runs all checks, visible and hidden, on one submission.

    Example: `autograder judge solutions/activations/reference.py --assignment activations --json`
    """
    from autograder import results
    from autograder.classroom.submitted import require_built

    with one_sentence():
        course = find_course(Path.cwd())
        if assignment is not None:
            require_built(course, course.assignment(assignment).name)

        from autograder.judging.judge import judge as judge_one  # with torch, once nothing can be refused any more

        result = judge_one(course, assignment, submission, search=search, trusted=trust, device=device)
        if json:
            print(results.to_json(result))
            return
        _show_result(result)


def _show_result(result: "Result") -> None:
    headings = ("exercise", "points", "status", "diagnosis or first failure")
    print_table(headings, map(_exercise_row, result.exercises))
    print(f"{result.submission}: {points_of(result.score, result.max_score)} points")
    for note in result.notes:
        Console().print(f"Note: {note}", style="dim", markup=False)


def _exercise_row(exercise: "ExerciseResult") -> tuple[str, ...]:
    failed = next((check for check in exercise.checks if check.status != "passed"), None)
    says = exercise.diagnosis.says if exercise.diagnosis else exercise.message
    says = says or (f"{failed.title} {failed.message}" if failed else "")
    return exercise.name, points_of(exercise.points, exercise.max_points), exercise.status, says


def grade(
    name: Annotated[str, typer.Argument(help="The assignment.")],
    student: Annotated[str | None, typer.Option(help="Grade this student's submission alone.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Judge again what was judged before.")] = False,
    search: Search = False,
    trust: Trust = False,
    device: On = "cpu",
    cluster: OnCluster = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Write nothing; list every score that would change.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a record for each submission, one a line.")] = False,
) -> None:
    """Grades a class: judges what changed, in parallel, and writes nbgrader's gradebook and autograded notebooks.

    Example: `autograder grade activations`
    """
    import os

    from autograder.classroom.submitted import require_built, submissions
    from autograder.gradebook.database import require_released

    if cluster is not None and jobs is not None:
        fail(
            "--jobs and --cluster were given; allowed is one of them: a cluster's workers say how many there are.",
            WRONG_USE,
        )
    with one_sentence():
        course = find_course(Path.cwd())
        class_ = submissions(course, course.assignment(name).name, student)
        if not class_:
            fail(f"No submission of {name} in {course.private_dir / 'submitted'}/{student or 'STUDENT'}/.", WRONG_USE)
        require_built(course, name)
        require_released(course, name)

        # What can be refused is refused by now: these import torch and nbgrader.
        from autograder.classroom.grade import Brief, Lines, Manner, as_line, grade_class, here
        from autograder.cluster.start import cluster_judges
        from autograder.gradebook.writer import Changed, GradebookWriter
        from autograder.judging.judge import require_device

        manner = Manner(search, trust, device)
        if cluster is None:
            require_device(device)
        # Of a result that is written only what the summary needs is held.
        briefs, changed = [], []
        full: float | None = None
        lines = None if compare or student is not None else Lines(course, name)
        with ExitStack() as stack:
            gradebook, bar = stack.enter_context(GradebookWriter(course, name)), stack.enter_context(steps())
            bar.begin(f"{name}: grade", len(class_))
            if cluster is None:
                judges = here(course, name, manner, jobs or os.cpu_count() or 1)
            else:
                judges = stack.enter_context(cluster_judges(course, name, manner, cluster, bar.say))
            grading = grade_class(course, name, class_, manner, judges, force=force, keep=not compare)
            for done in gradebook.compare(grading) if compare else gradebook.write(grading):
                one = done.judged
                if lines is not None:
                    lines.add(one)
                if json:
                    sys.stdout.buffer.write(as_line(one))
                briefs.append(Brief(one.student, one.result is not None, one.again, one.reason))
                changed.append(Changed(one.student, done.before, one.result.score if one.result else None))
                full = one.result.max_score if one.result else full
                bar.advance()
        if not json:
            _report_grading(briefs, changed, compare, full)
        if lines is not None:
            print(f"Records: {lines.finish().relative_to(course.root)}", file=sys.stderr)
        raise typer.Exit(DONE if all(one.is_judged for one in briefs) else UNJUDGED)


def _report_grading(briefs: "list[Brief]", changed: "list[Changed]", compare: bool, full: float | None) -> None:
    """What was judged, which scores changed, and what could not be judged."""
    missing = [one for one in briefs if not one.is_judged]
    again = sum(one.is_judged and one.again for one in briefs)
    print(f"{again} judged, {len(briefs) - again - len(missing)} unchanged since they were judged before.")
    for one in sorted(changed, key=lambda one: one.student):
        if one.before is not None and one.before != one.after:
            before, after = ("none" if p is None else points_text(p, full) for p in (one.before, one.after))
            print(f"{'would change' if compare else 'changed'}  {one.student}  {before} -> {after}")
    for left in missing:
        print(f"not judged  {left.student}  {left.reason}")


def doctor() -> None:
    """Shows which layers of the wall work on this machine, what each stops, and the versions that count.

    Example: `autograder doctor`
    """
    from autograder.judging.doctor import diagnose

    with one_sentence():
        course = find_course(Path.cwd())
        findings = diagnose((course.solutions_dir, course.private_dir))
        _show_findings(findings)
        missing = [name for name in course.isolation.minimum if any(f.name == name and not f.on for f in findings)]
        if missing:
            fail(f"Submissions are not graded here: {', '.join(missing)} of isolation.minimum is off.", UNJUDGED)


def _show_findings(findings: "Iterable[Finding]") -> None:
    rows = ((one.kind, one.name, "✓" if one.on else "✗", one.why, one.stops) for one in findings)
    print_table(("kind", "name", "on", "why", "stops"), rows)


def demo(
    name: Annotated[
        str | None, typer.Argument(help="The assignment to show; the first of course.toml by default.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every assignment, one after the other.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder to make; build/demo by default.")] = None,
) -> None:
    """Shows one assignment from release to gradebook: a made-up class, graded by nbgrader and by this program.

    Example: `autograder demo activations`
    """
    if every and name:
        fail(f"{name} and --all were given; allowed is one of them.", WRONG_USE)
    with one_sentence():
        course = find_course(Path.cwd())
        chosen = course.assignment(name).name if name else course.assignments[0].name
        names = [one.name for one in course.assignments] if every else [chosen]
        folder = (out or course.build_dir / "demo").resolve()
        with steps() as bar:
            bar.begin("loading torch and nbgrader", 1)
            from autograder.demo.run import conclude, prepare, show

            copy = prepare(course, names, folder, bar.begin, bar.advance)
        shown = []
        for one in names:
            with steps() as bar:
                shown.append(show(copy, one, bar.begin, bar.advance))
            _show_class(shown[-1])
        with steps() as bar:
            grades, report = conclude(copy, bar.begin, bar.advance)
        _say_where(copy, shown, grades, report)


def _show_class(shown: "Shown") -> None:
    """An assignment's grades, and its most common mistakes."""
    title, grades = f"{shown.name}: {shown.title}", []
    for grade in shown.grades:
        points = "not graded" if grade.score is None else points_of(grade.score, shown.max_score)
        to_do = grade.reason or ("grade the written answer" if grade.needs_manual else "")
        grades.append((grade.student, grade.about, points, to_do))
    print_table(("student", "submission", "automatic points", "to do"), grades, title=title)
    if shown.mistakes:
        mistakes = ((str(count), exercise, says) for exercise, says, count in shown.mistakes)
        title = f"{shown.name}: most common mistakes"
        print_table(("times", "exercise", "what it looks like"), mistakes, title=title)
    if shown.both:
        print(f"`nbgrader autograde` gave {', '.join(shown.both)} the same points as `autograder grade`.")
    else:
        print("`nbgrader autograde` was left out: the wall is not complete here, see `autograder doctor`.")


def _say_where(course: Course, shown: "list[Shown]", grades: Path, report: Path) -> None:
    """Where everything is that the demo made."""
    jupyter = Path(sys.executable).parent / "jupyter"
    print(f"Feedback page    {shown[0].feedback}")
    print(f"Class report     {report if len(shown) > 1 else shown[0].report}")
    print(f"Gradebook        {course.private_dir / 'gradebook.db'}, as a table {grades} (nbgrader export)")
    print(f"Formgrader       cd {course.root} && {jupyter} lab, then open Nbgrader > Formgrader")
    print("Next             README.md: how a student, an instructor and an author start")
