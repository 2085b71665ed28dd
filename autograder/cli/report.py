"""An instructor's view of a class: report."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.options import Json
from autograder.cli.terminal import UNJUDGED, fail, one_sentence
from autograder.course import find_course


def report(
    name: Annotated[str | None, typer.Argument(help="The assignment; the whole course by default.")] = None,
    json: Json = False,
) -> None:
    """Writes what grading found, for the instructor: scores, pass rates, mistakes, as a page with CSV tables.

    Example: `autograder report activations`
    """
    from autograder.reporting.figures import to_json
    from autograder.reporting.handed_in import ReportError
    from autograder.reporting.page import write_course_report, write_report

    with one_sentence():
        course = find_course(Path.cwd())
        try:
            path, figures = write_report(course, name) if name else write_course_report(course)
        except ReportError as error:
            fail(str(error), UNJUDGED)
        if json:
            print(to_json(figures))
        print(f"Report: {path.relative_to(course.root)}", file=sys.stderr if json else sys.stdout)
