"""Arguments and options that several commands take."""

from typing import Annotated, Literal

import typer

from autograder.course import Course

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
OnCluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Judge on a Dask cluster: the address of its scheduler, or `start` for the one of course.toml.",
    ),
]
Search = Annotated[bool, typer.Option("--search", help="Add live Hypothesis search to the recorded examples.")]


def chosen(course: Course, names: list[str] | None) -> list[str]:
    return [course.assignment(name).name for name in names] if names else [a.name for a in course.assignments]
