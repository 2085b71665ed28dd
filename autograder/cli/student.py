"""A student's commands: check, progress, watch."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from autograder.cli.options import Json
from autograder.cli.terminal import DONE, UNJUDGED, UNREADABLE, WRONG_USE, fail, one_sentence, steps

if TYPE_CHECKING:
    from autograder.checking.recheck import Answer


def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, in the folder that it came in.")],
) -> None:
    """Runs the visible checks on a notebook, as `check()` does in its cells.

    Example: `autograder check assignments/activations/activations.ipynb`
    """
    from autograder.checking.progress import check_submission
    from autograder.feedback.panel import Panel, points_text
    from autograder.notebooks.submission import read_submission

    with one_sentence():
        with steps() as bar:
            overview = check_submission(read_submission(notebook), begin=bar.begin, advance=bar.advance)
        for result in overview.exercises:
            print(Panel(result, hidden_remain=True).text())
        print(f"\n{points_text(overview.points)} of {points_text(overview.max_points)} points by the visible checks.")
        for note in overview.notes:
            print(f"Note: {note}")


def progress(
    notebook: Annotated[
        Path | None, typer.Argument(help="Your notebook; the only one in this folder by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Shows where you stand: every exercise with its points by the visible checks, and what to do next.

    Example: `autograder progress assignments/activations/activations.ipynb`
    """
    from autograder.checking.progress import check_submission
    from autograder.feedback.overview import to_json
    from autograder.notebooks.choice import NotebookChoice, find_notebook
    from autograder.notebooks.submission import read_submission

    with one_sentence():
        try:
            submission = read_submission(find_notebook(notebook or Path.cwd()))
            with steps() as bar:
                overview = check_submission(submission, begin=bar.begin, advance=bar.advance)
        except NotebookChoice as error:
            fail(str(error), WRONG_USE)
        print(to_json(overview) if json else overview.text())


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
    Console().clear()
    panel = answer.overview.panel() if answer.overview else None
    print(answer.overview.text() if answer.overview else answer.fault)
    if panel is not None:
        print(f"\n{panel.text()}")
    if not once:
        print(f"\nWatching {path.name}; Ctrl-C ends.", flush=True)
