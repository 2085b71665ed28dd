"""An author's commands: build, verify."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from autograder.cli.options import Json, Names, Search, chosen
from autograder.cli.terminal import DONE, UNJUDGED, one_sentence, steps
from autograder.course import find_course

if TYPE_CHECKING:
    from autograder.proving.verify import Verification


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
            for name in chosen(course, names):
                stale += build_assignment(course, name, write=not check, begin=bar.begin, advance=bar.advance)
        for built in stale:
            print(f"{'stale' if check else 'built'}  {built.path.relative_to(course.root)}  ({built.why})")
        if not stale:
            print("Everything is up to date.")
        raise typer.Exit(UNJUDGED if check and stale else DONE)


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

    from autograder.proving.deep import Depth
    from autograder.proving.verify import summarize, to_json, verify_assignment

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
                for name in chosen(course, names)
            )
        if json:
            print(to_json(verification))
        else:
            _report_verification(verification)
        raise typer.Exit(UNJUDGED if verification.breaches else DONE)


def _report_verification(verification: "Verification") -> None:
    """The counts as a table, what the deep part found, and the breaches."""
    from autograder.proving.shares import share_lines
    from autograder.proving.verify import deep_lines

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
        for line in share_lines(one.shares):
            print(line)
        for line in deep_lines(one):
            print(line)
    print(f"{len(verification.breaches)} breaches")
    for breach in verification.breaches:
        print(f"  {breach}")
