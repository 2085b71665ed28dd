"""The commands; thin: each reads its arguments, calls the part that does the work, and shows what came back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from autograder.course import Course, CourseError, find_course

if TYPE_CHECKING:
    from autograder.grading.grade import Judged
    from autograder.grading.recheck import Answer
    from autograder.grading.verify import Verification
    from autograder.nbgrader.gradebook import Changed

DONE, UNJUDGED, WRONG_USE, UNREADABLE = 0, 1, 2, 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Builds, checks and grades a course of notebooks. Exit codes: 0 done, 1 something could not be judged "
    "or a breach, 2 wrong use, 3 unreadable input.",
)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Assignments; all of course.toml by default.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the published record instead of a table.")]
Trust = Annotated[
    bool, typer.Option("--trust-submissions", help="Run submissions in the grader's own process, without a wall.")
]
On = Annotated[
    Literal["cpu", "cuda"],
    typer.Option("--device", help="Where submissions get their tensors; each check runs there alone."),
]
Search = Annotated[bool, typer.Option("--search", help="Add live Hypothesis search to the recorded examples.")]


class Steps:
    """One progress bar on stderr that stage after stage of long work reuses."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=1, visible=False)

    def begin(self, what: str, steps: int) -> None:
        self._progress.reset(self._task, description=what, total=steps, visible=True)

    def advance(self, step: str = "") -> None:
        self._progress.advance(self._task)


@contextmanager
def steps() -> Iterator[Steps]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Steps(progress)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Ends every error that a person can cause in one sentence on stderr and its exit code."""
    from autograder.examples.record import BuildError
    from autograder.examples.store import ExamplesError
    from autograder.grading.demo import DemoError
    from autograder.grading.judge import NoDevice, TooLittleIsolation
    from autograder.notebooks.source import SourceError
    from autograder.notebooks.submission import UnreadableSubmission
    from autograder.sandbox.remote import SandboxError
    from autograder.testing.declarations import DeclarationError

    try:
        yield
    except UnreadableSubmission as error:
        _fail(str(error), UNREADABLE)
    except (CourseError, NoDevice) as error:
        _fail(str(error), WRONG_USE)
    except (
        BuildError,
        DeclarationError,
        ExamplesError,
        SourceError,
        DemoError,
        TooLittleIsolation,
        SandboxError,
    ) as error:
        _fail(str(error), UNJUDGED)


def _fail(sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)


def _chosen(course: Course, names: list[str] | None) -> list[str]:
    return [course.assignment(name).name for name in names] if names else [a.name for a in course.assignments]


@app.command()
def build(
    names: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail with a list if something committed is stale.")
    ] = False,
) -> None:
    """Builds what is stale: recorded examples, student notebooks, nbgrader's source notebooks.

    Example: `autograder build activations`
    """
    from autograder.notebooks.build import Built, build_assignment

    with one_sentence():
        course = find_course(Path.cwd())
        stale: list[Built] = []
        with steps() as bar:
            for name in _chosen(course, names):
                stale += build_assignment(course, name, write=not check, begin=bar.begin, advance=bar.advance)
        for built in stale:
            print(f"{'stale' if check else 'built'}  {built.path.relative_to(course.root)}  ({built.why})")
        if not stale:
            print("Everything is up to date.")
        raise typer.Exit(UNJUDGED if check and stale else DONE)


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, in the folder that it came in.")],
) -> None:
    """Runs the visible checks on a notebook, as `check()` does in its cells.

    Example: `autograder check assignments/activations/activations.ipynb`
    """
    from autograder.feedback.panel import Panel, points_text
    from autograder.grading.progress import check_submission
    from autograder.notebooks.submission import read_submission

    with one_sentence():
        with steps() as bar:
            overview = check_submission(read_submission(notebook), begin=bar.begin, advance=bar.advance)
        for result in overview.exercises:
            print(Panel(result, hidden_remain=True).text())
        print(f"\n{points_text(overview.points)} of {points_text(overview.max_points)} points by the visible checks.")
        for note in overview.notes:
            print(f"Note: {note}")


@app.command()
def progress(
    notebook: Annotated[
        Path | None, typer.Argument(help="Your notebook; the only one in this folder by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Shows where you stand: every exercise with its points by the visible checks, and what to do next.

    Example: `autograder progress assignments/activations/activations.ipynb`
    """
    from autograder.feedback.overview import to_json
    from autograder.grading.progress import check_submission
    from autograder.notebooks.choice import NotebookChoice, find_notebook
    from autograder.notebooks.submission import read_submission

    with one_sentence():
        try:
            submission = read_submission(find_notebook(notebook or Path.cwd()))
            with steps() as bar:
                overview = check_submission(submission, begin=bar.begin, advance=bar.advance)
        except NotebookChoice as error:
            _fail(str(error), WRONG_USE)
        print(to_json(overview) if json else overview.text())


@app.command()
def watch(
    notebook: Annotated[
        Path | None, typer.Argument(help="Your notebook; the only one in this folder by default.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Check once and end.")] = False,
) -> None:
    """Checks a notebook again whenever you save it: where you stand, and the exercise to go on with. Ctrl-C ends it.

    Example: `autograder watch assignments/activations/activations.ipynb`
    """
    import signal

    from autograder.grading.watch import watch
    from autograder.notebooks.choice import NotebookChoice, find_notebook
    from autograder.notebooks.submission import UnreadableSubmission, read_submission

    # A shell that starts it in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def show(answer: "Answer") -> None:
        if once and answer.overview is None:
            _fail(answer.fault, UNJUDGED)
        _show_watched(answer, path, once)

    try:
        path = find_notebook(notebook or Path.cwd())
        if once or not path.exists():
            read_submission(path)
        watch(path, show, lambda: print(f"Checking {path.name} ...", file=sys.stderr), once=once)
    except NotebookChoice as error:
        _fail(str(error), WRONG_USE)
    except UnreadableSubmission as error:
        _fail(str(error), UNREADABLE)
    except KeyboardInterrupt:
        raise typer.Exit(DONE) from None


def _show_watched(answer: "Answer", path: Path, once: bool) -> None:
    """What was found, on a cleared screen."""
    Console().clear()
    panel = answer.overview.panel() if answer.overview else None
    print(answer.overview.text() if answer.overview else answer.fault)
    if panel is not None:
        print(f"\n{panel.text()}")
    if not once:
        print(f"\nWatching {path.name}; Ctrl-C ends.", flush=True)


@app.command()
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
    from autograder.grading.judge import judge as judge_one
    from autograder.notebooks.submission import read_submission

    with one_sentence():
        course = find_course(Path.cwd())
        name = assignment or read_submission(submission).assignment
        if name is None:
            _fail(f"{submission} does not say which assignment it answers: give --assignment NAME.", WRONG_USE)
        result = judge_one(course, str(name), submission, search=search, trusted=trust, device=device)
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


@app.command()
def verify(
    names: Names = None,
    json: Json = False,
    search: Search = False,
    notebook: Annotated[bool, typer.Option(help="Run the source notebook top to bottom.")] = True,
    deep: Annotated[
        bool, typer.Option("--deep", help="Judge mutants of the references, and search with many seeds: half an hour.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of the deep search.")] = 1000,
    examples: Annotated[int, typer.Option(min=1, help="Examples that each of these seeds draws.")] = 5,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes of the deep part; all cores by default.")] = None,
) -> None:
    """Proves that stubs fail, references pass, every mistake loses points, every alternative passes.

    Example: `autograder verify activations`
    """
    import os

    from autograder.grading.deep import Depth
    from autograder.grading.verify import summarize, to_json, verify_assignment

    with one_sentence():
        course = find_course(Path.cwd())
        depth = Depth(seeds, examples, jobs or os.cpu_count() or 1) if deep else None
        with steps() as bar:
            verification = summarize(
                verify_assignment(
                    course,
                    name,
                    search=search,
                    notebook=notebook,
                    depth=depth,
                    begin=bar.begin,
                    advance=bar.advance,
                )
                for name in _chosen(course, names)
            )
        if json:
            print(to_json(verification))
        else:
            _report_verification(verification)
        raise typer.Exit(UNJUDGED if verification.breaches else DONE)


def _report_verification(verification: "Verification") -> None:
    """The counts as a table, what the deep part found, and the breaches."""
    from autograder.grading.verify import deep_lines

    table = Table(
        "assignment",
        "exercises",
        "checks",
        "mistakes",
        "caught",
        "by visible checks",
        "named",
        "alternatives",
        "notebook",
    )
    for one in verification.per_assignment:
        seconds = "not run" if one.notebook_seconds is None else f"{one.notebook_seconds:.0f} s"
        counts = (
            one.exercises,
            one.checks,
            one.mistakes,
            one.mistakes_caught,
            one.mistakes_caught_visible,
            one.mistakes_named,
            one.alternatives,
        )
        table.add_row(one.name, *map(str, counts), seconds)
    Console().print(table)
    for one in verification.per_assignment:
        for line in deep_lines(one):
            print(line)
    print(f"{len(verification.breaches)} breaches")
    for breach in verification.breaches:
        print(f"  {breach}")


@app.command()
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

    from autograder.grading.grade import as_line, grade_class, submissions, write_lines
    from autograder.grading.judge import require_device
    from autograder.nbgrader.gradebook import Changed, GradebookError, GradebookWriter

    with one_sentence():
        course = find_course(Path.cwd())
        class_ = submissions(course, course.assignment(name).name, student)
        if not class_:
            _fail(f"No submission of {name} in {course.private_dir / 'submitted'}/{student or 'STUDENT'}/.", WRONG_USE)
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
        judged, changed = [], []
        try:
            with GradebookWriter(course, name) as gradebook, steps() as bar:
                bar.begin(f"grading {name}", len(class_))
                for one in grading:
                    judged.append(one)
                    before = gradebook.score(one.student)
                    if not compare and not gradebook.holds(one):
                        gradebook.write(one)
                    changed.append(Changed(one.student, before, one.result.score if one.result else None))
                    bar.advance()
        except GradebookError as error:
            _fail(str(error), WRONG_USE)
        if json:
            sys.stdout.buffer.write(b"".join(as_line(one) for one in judged))
        else:
            _report_grading(judged, changed, compare)
        if not compare and student is None:
            lines = write_lines(course, name, judged)
            print(f"Records: {lines.relative_to(course.root)}", file=sys.stderr)
        raise typer.Exit(UNJUDGED if any(one.result is None for one in judged) else DONE)


def _report_grading(judged: "list[Judged]", changed: "list[Changed]", compare: bool) -> None:
    """What was judged, which scores changed, and what could not be judged."""
    missing = [one for one in judged if one.result is None]
    again = sum(one.result is not None and one.again for one in judged)
    print(f"{again} judged, {len(judged) - again - len(missing)} unchanged since they were judged before.")
    for one in sorted(changed, key=lambda one: one.student):
        if one.before is not None and one.before != one.after:
            after = "none" if one.after is None else f"{one.after:g}"
            print(f"{'would change' if compare else 'changed'}  {one.student}  {one.before:g} -> {after}")
    for left in missing:
        print(f"not judged  {left.student}  {left.reason}")


@app.command()
def doctor() -> None:
    """Shows which layers of the wall work on this machine, what each stops, and the versions that count.

    Example: `autograder doctor`
    """
    from autograder.grading.doctor import diagnose

    with one_sentence():
        course = find_course(Path.cwd())
        findings = diagnose((course.solutions_dir, course.private_dir))
        table = Table("kind", "name", "on", "why", "stops")
        for finding in findings:
            table.add_row(finding.kind, finding.name, "✓" if finding.on else "✗", finding.why, finding.stops)
        Console().print(table)
        missing = [name for name in course.isolation.minimum if any(f.name == name and not f.on for f in findings)]
        if missing:
            _fail(f"Submissions are not graded here: {', '.join(missing)} of isolation.minimum is off.", UNJUDGED)


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="Folder to make; build/demo by default.")] = None,
) -> None:
    """Shows the whole way on a made-up class: build, release, grade with nbgrader, feedback, grades.csv.

    Example: `autograder demo --out /tmp/demo`
    """
    from autograder.grading.demo import run_demo, write_automatic_grades

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
        console.print(f"Feedback pages   {shown.folder}/private/feedback/STUDENT/ASSIGNMENT/*.html", soft_wrap=True)
        console.print(
            f"Grades           {shown.folder / 'grades.csv'} (nbgrader export), {automatic.name}",
            soft_wrap=True,
        )
        console.print(
            f"Formgrader       cd {shown.folder} && jupyter lab, then open Nbgrader > Formgrader",
            soft_wrap=True,
        )
        console.print("Next             README.md: how a student, an instructor and an author start", soft_wrap=True)


if __name__ == "__main__":
    app()
