"""A student's commands: start, check, progress, watch."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from autograder.cli.options import Json
from autograder.cli.steps import steps
from autograder.cli.terminal import DONE, UNJUDGED, UNREADABLE, WRONG_USE, fail, one_sentence
from autograder.points import points_of

if TYPE_CHECKING:
    from autograder.checking.recheck import Answer
    from autograder.checking.whole_course import Found


def start(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The assignment.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where to copy it; a folder of its name here by default.")
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            envvar="AUTOGRADER_FROM",
            metavar="SOURCE",
            help="What your instructor gives: a folder, a zip, or a zip's https:// address.",
        ),
    ] = "",
    update: Annotated[
        bool, typer.Option("--update", help="Bring new checks and examples; what you wrote stays as it is.")
    ] = False,
) -> None:
    """Copies an assignment, its notebook and the checks beside it, from what your instructor gives.

    Nothing that you wrote is replaced. Example: `autograder start activations --from course.zip`
    """
    from autograder.feedback.plain import say
    from autograder.starting.errors import StartError, UnreadableRelease
    from autograder.starting.placing import place
    from autograder.starting.release import read_release

    if not source:
        fail("Give --from SOURCE: the folder, zip or https:// address that your instructor gives.", WRONG_USE)
    folder = folder or Path(name)
    try:
        release = read_release(source, name)
        placed = place(release, folder, update=update)
    except UnreadableRelease as error:
        fail(str(error), UNREADABLE)
    except StartError as error:
        fail(str(error), WRONG_USE)
    written = (
        f"wrote {', '.join(map(str, placed.written))} to {folder}" if placed.written else f"{folder} is up to date"
    )
    say(f"{name}: {written}.")
    for own, new in placed.kept.items():
        say(f"{own} has a new version, which is {new}; yours is kept.")
    notebook = str(folder / release.notebook)
    quoted = f'"{notebook}"' if " " in notebook else notebook
    say(f"Next: jupyter lab {quoted}")


def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, in the folder that it came in.")],
) -> None:
    """Runs the visible checks on a notebook, as `check()` does in its cells.

    Example: `autograder check assignments/activations/activations.ipynb`
    """
    from autograder.feedback.panel import Panel
    from autograder.feedback.plain import say
    from autograder.notebooks.choice import require_beside
    from autograder.notebooks.submission import read_submission

    with one_sentence():
        submission = read_submission(notebook)
        require_beside(submission.path.resolve().parent)

        from autograder.checking.progress import check_submission  # with torch, once nothing can be refused any more

        with steps() as bar:
            overview = check_submission(submission, begin=bar.begin, advance=bar.advance)
        for result in overview.exercises:
            say(Panel(result, hidden_remain=True).text())
        say(f"\n{points_of(overview.points, overview.max_points)} points by the visible checks.")
        for note in overview.notes:
            say(f"Note: {note}")


def progress(
    place: Annotated[
        Path | None,
        typer.Argument(
            metavar="NOTEBOOK",
            help="Your notebook; or a folder with one, or with the folders of all. This folder by default.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Of all assignments check this one; may be given again."),
    ] = None,
    json: Json = False,
) -> None:
    """Shows where you stand, in a notebook or in the whole course: points by the visible checks, and what to do next.

    Example: `autograder progress assignments/activations/activations.ipynb`

    Example: `autograder progress assignments`
    """
    from autograder.checking.whole_course import find_assignments

    with one_sentence():
        folder = place or Path.cwd()
        if found := find_assignments(folder):
            _course_progress(found, only, json)
        elif only:
            fail(f"--only chooses among the folders of several assignments, and {folder} holds none.", WRONG_USE)
        else:
            _notebook_progress(folder, json)


def _notebook_progress(place: Path, json: bool) -> None:
    from autograder.feedback.overview import to_json
    from autograder.feedback.plain import say
    from autograder.notebooks.choice import NotebookChoice, find_notebook, require_beside
    from autograder.notebooks.submission import read_submission

    try:
        submission = read_submission(find_notebook(place))
        require_beside(submission.path.resolve().parent)

        from autograder.checking.progress import check_submission  # with torch, once nothing can be refused any more

        with steps() as bar:
            overview = check_submission(submission, begin=bar.begin, advance=bar.advance)
    except NotebookChoice as error:
        fail(str(error), WRONG_USE)
    say(to_json(overview) if json else overview.text())


def _course_progress(found: "tuple[Found, ...]", only: list[str] | None, json: bool) -> None:
    from autograder.checking.whole_course import check_assignments
    from autograder.errors import one_of
    from autograder.feedback.overview import to_json
    from autograder.feedback.plain import say

    names = [one.place.assignment for one in found]
    if unknown := next((name for name in only or () if name not in names), None):
        fail(f"--only is {unknown!r}; allowed is {one_of(names, unknown)}.", WRONG_USE)
    chosen = [one for one in found if not only or one.place.assignment in only]

    def begin(name: str, number: int) -> None:
        print(f"Checking {name} ({number} of {len(chosen)}) ...", file=sys.stderr)

    overview = check_assignments(chosen, begin)
    say(to_json(overview) if json else overview.text())
    raise typer.Exit(UNJUDGED if any(one.fault for one in overview.assignments) else DONE)


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

    from autograder.checking.watch import watch
    from autograder.notebooks.choice import NotebookChoice, find_notebook
    from autograder.notebooks.submission import UnreadableSubmission, read_submission

    # A shell that starts it in the background has it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def show(answer: "Answer") -> None:
        if once and answer.overview is None:
            fail(answer.fault, UNJUDGED)
        _show_watched(answer, path, once)

    try:
        path = find_notebook(notebook or Path.cwd())
        if once or not path.exists():
            read_submission(path)
        watch(path, show, lambda: print(f"Checking {path.name} ...", file=sys.stderr), once=once)
    except NotebookChoice as error:
        fail(str(error), WRONG_USE)
    except UnreadableSubmission as error:
        fail(str(error), UNREADABLE)
    except KeyboardInterrupt:
        raise typer.Exit(DONE) from None


def _show_watched(answer: "Answer", path: Path, once: bool) -> None:
    """What was found, on a cleared screen."""
    from autograder.feedback.plain import say

    Console().clear()
    panel = answer.overview.panel() if answer.overview else None
    say(answer.overview.text() if answer.overview else answer.fault)
    if panel is not None:
        say(f"\n{panel.text()}")
    if not once:
        say(f"\nWatching {path.name}; Ctrl-C ends.")
