"""An instructor's commands: judge, grade, doctor, demo."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from autograder.cli.options import Json, On, Search, Trust
from autograder.cli.steps import steps
from autograder.cli.terminal import DONE, UNJUDGED, WRONG_USE, fail, one_sentence
from autograder.course import Course, find_course

if TYPE_CHECKING:
    from autograder.classroom.grade import Brief
    from autograder.demo.run import Shown
    from autograder.gradebook.writer import Changed


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
        table = Table("exercise", "points", "status", "diagnosis or first failure")
        for exercise in result.exercises:
            failed = next((c for c in exercise.checks if c.status != "passed"), None)
            says = exercise.diagnosis.says if exercise.diagnosis else exercise.message
            says = says or (f"{failed.title} {failed.message}" if failed else "")
            table.add_row(exercise.name, f"{exercise.points:g} / {exercise.max_points:g}", exercise.status, says)
        console = Console()
        console.print(table)
        console.print(f"{result.submission}: {result.score:g} of {result.max_score:g} points")
        for note in result.notes:
            console.print(f"Note: {note}", style="dim", markup=False)


def grade(
    name: Annotated[str, typer.Argument(help="The assignment.")],
    student: Annotated[str | None, typer.Option(help="Grade this student's submission alone.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Judge again what was judged before.")] = False,
    search: Search = False,
    trust: Trust = False,
    device: On = "cpu",
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

    with one_sentence():
        course = find_course(Path.cwd())
        class_ = submissions(course, course.assignment(name).name, student)
        if not class_:
            fail(f"No submission of {name} in {course.private_dir / 'submitted'}/{student or 'STUDENT'}/.", WRONG_USE)
        require_built(course, name)
        require_released(course, name)

        # What can be refused is refused by now: these import torch and nbgrader.
        from autograder.classroom.grade import Brief, Lines, as_line, grade_class
        from autograder.gradebook.writer import Changed, GradebookWriter
        from autograder.judging.judge import require_device

        require_device(device)
        grading = grade_class(
            course,
            name,
            class_,
            jobs=jobs or os.cpu_count() or 1,
            force=force,
            search=search,
            trusted=trust,
            device=device,
            keep=not compare,
        )
        # Of a result that is written only what the summary needs is held.
        briefs, changed = [], []
        lines = None if compare or student is not None else Lines(course, name)
        with GradebookWriter(course, name) as gradebook, steps() as bar:
            bar.begin(f"{name}: grade", len(class_))
            for done in gradebook.compare(grading) if compare else gradebook.write(grading):
                one = done.judged
                if lines is not None:
                    lines.add(one)
                if json:
                    sys.stdout.buffer.write(as_line(one))
                briefs.append(Brief(one.student, one.result is not None, one.again, one.reason))
                changed.append(Changed(one.student, done.before, one.result.score if one.result else None))
                bar.advance()
        if not json:
            _report_grading(briefs, changed, compare)
        if lines is not None:
            print(f"Records: {lines.finish().relative_to(course.root)}", file=sys.stderr)
        raise typer.Exit(DONE if all(one.is_judged for one in briefs) else UNJUDGED)


def _report_grading(briefs: "list[Brief]", changed: "list[Changed]", compare: bool) -> None:
    """What was judged, which scores changed, and what could not be judged."""
    missing = [one for one in briefs if not one.is_judged]
    again = sum(one.is_judged and one.again for one in briefs)
    print(f"{again} judged, {len(briefs) - again - len(missing)} unchanged since they were judged before.")
    for one in sorted(changed, key=lambda one: one.student):
        if one.before is not None and one.before != one.after:
            after = "none" if one.after is None else f"{one.after:g}"
            print(f"{'would change' if compare else 'changed'}  {one.student}  {one.before:g} -> {after}")
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
        table = Table("kind", "name", "on", "why", "stops")
        for finding in findings:
            table.add_row(finding.kind, finding.name, "✓" if finding.on else "✗", finding.why, finding.stops)
        Console().print(table)
        missing = [name for name in course.isolation.minimum if any(f.name == name and not f.on for f in findings)]
        if missing:
            fail(f"Submissions are not graded here: {', '.join(missing)} of isolation.minimum is off.", UNJUDGED)


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
    console = Console()
    grades = Table("student", "submission", "automatic points", "to do", title=f"{shown.name}: {shown.title}")
    for grade in shown.grades:
        points = "not graded" if grade.score is None else f"{grade.score:.2f} / {shown.max_score:g}"
        to_do = grade.reason or ("grade the written answer" if grade.needs_manual else "")
        grades.add_row(grade.student, grade.about, points, to_do)
    mistakes = Table("times", "exercise", "what it looks like", title=f"{shown.name}: most common mistakes")
    for exercise, says, count in shown.mistakes:
        mistakes.add_row(str(count), exercise, says)
    console.print(grades)
    if shown.mistakes:
        console.print(mistakes)
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
