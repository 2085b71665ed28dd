"""An instructor's commands: judge, grade, doctor, demo."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from autograder.cli.options import Json, On, Search, Trust
from autograder.cli.terminal import DONE, UNJUDGED, WRONG_USE, fail, one_sentence, steps
from autograder.course import find_course, load_course

if TYPE_CHECKING:
    from autograder.classroom.grade import Brief
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
    from autograder.judging.judge import judge as judge_one

    with one_sentence():
        course = find_course(Path.cwd())
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

    from autograder.classroom.grade import Brief, Lines, as_line, grade_class, submissions
    from autograder.gradebook.writer import Changed, GradebookError, GradebookWriter
    from autograder.judging.judge import require_device

    with one_sentence():
        course = find_course(Path.cwd())
        class_ = submissions(course, course.assignment(name).name, student)
        if not class_:
            fail(f"No submission of {name} in {course.private_dir / 'submitted'}/{student or 'STUDENT'}/.", WRONG_USE)
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
        try:
            with GradebookWriter(course, name) as gradebook, steps() as bar:
                bar.begin(f"grading {name}", len(class_))
                for done in grading:
                    before = gradebook.score(done.student)
                    one = done if compare or gradebook.holds(done) else gradebook.write(done)
                    if not compare:
                        gradebook.settle(one)
                    if lines is not None:
                        lines.add(one)
                    if json:
                        sys.stdout.buffer.write(as_line(one))
                    briefs.append(Brief(one.student, one.result is not None, one.again, one.reason))
                    changed.append(Changed(one.student, before, one.result.score if one.result else None))
                    bar.advance()
        except GradebookError as error:
            fail(str(error), WRONG_USE)
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
    out: Annotated[Path | None, typer.Option(help="Folder to make; build/demo by default.")] = None,
) -> None:
    """Shows the whole way on a made-up class: build, release, grade, feedback, grades.csv, class report.

    Example: `autograder demo --out /tmp/demo`
    """
    from autograder.demo.run import run_demo, write_automatic_grades
    from autograder.reporting.page import write_course_report

    with one_sentence():
        course = find_course(Path.cwd())
        with steps() as bar:
            shown = run_demo(course, (out or course.build_dir / "demo").resolve(), bar.begin, bar.advance)
        console = Console()
        table = Table("student", "submission", "automatic points", "to do", title=course.title)
        for grade in shown.grades:
            points = "not graded" if grade.score is None else f"{grade.score:.2f} / {grade.max_score:g}"
            to_do = grade.reason or ("grade the written answer" if grade.needs_manual else "")
            table.add_row(grade.student, grade.about, points, to_do)
        console.print(table)
        common = Table("times", "exercise", "what it looks like", title="Most common mistakes")
        for exercise, says, count in shown.mistakes:
            common.add_row(str(count), exercise, says)
        console.print(common)
        automatic = write_automatic_grades(shown)
        report, _ = write_course_report(load_course(shown.folder))
        console.print(f"Feedback pages   {shown.folder}/private/feedback/STUDENT/ASSIGNMENT/*.html", soft_wrap=True)
        console.print(
            f"Grades           {shown.folder / 'grades.csv'} (nbgrader export), {automatic.name}",
            soft_wrap=True,
        )
        console.print(f"Class report     {report}, with a page for each assignment beside it", soft_wrap=True)
        console.print(
            f"Formgrader       cd {shown.folder} && jupyter lab, then open Nbgrader > Formgrader",
            soft_wrap=True,
        )
        console.print("Next             README.md: how a student, an instructor and an author start", soft_wrap=True)
