"""An author's commands: new, preview, build, verify, book."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.options import Json, Names, Search, chosen
from autograder.cli.steps import steps
from autograder.cli.terminal import DONE, UNJUDGED, WRONG_USE, fail, one_sentence, print_table, sentence_of
from autograder.course import find_course

if TYPE_CHECKING:
    from autograder.proving.outcome import Verification

# An assignment takes three to fifteen minutes of a processor with so many.
SEEDS = 20


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The assignment.")],
    exercises: Annotated[
        list[str], typer.Argument(metavar="EXERCISE", help="The functions that students are to write, in order.")
    ],
    title: Annotated[str, typer.Option(help="Shown to people; the name in words by default.")] = "",
    part: Annotated[str | None, typer.Option(help="The part of the course; needed where the course has parts.")] = None,
    builds_on: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="An earlier assignment that it uses; may be repeated.")
    ] = None,
) -> None:
    """Begins an assignment: its folders, an exercise of each name that builds and verifies, its row in course.toml.

    The exercises are placeholders to replace piece by piece; NAME_backward behind NAME is the gradient of that.

    Example: `autograder new similarity cosine_similarity cosine_similarity_backward --part foundations`
    """
    from autograder.authoring.new import begin_assignment

    with one_sentence():
        written = begin_assignment(
            Path.cwd(), name, exercises, title=title, part=part, builds_on=tuple(builds_on or ())
        )
        root = written[-1].parent
        for path in written[:-1]:
            print(f"wrote  {path.relative_to(root)}")
        print(f"added  a row to {written[-1].relative_to(root)}")
        print("Next:")
        print(f"  autograder preview {name} --solved   # how it looks")
        print(f"  autograder build {name}              # record examples, make the notebook")
        print(f"  autograder verify {name}             # only the proof of each exercise is missing")
        print(f"  autograder verify {name} --deep      # makes these proofs")


def preview(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The assignment.")],
    solved: Annotated[bool, typer.Option("--solved", help="With the references in place of the stubs.")] = False,
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
) -> None:
    """Shows the notebook as students see it: makes it, runs it from the top, and writes it as one page of HTML.

    Examples that are recorded are used; nothing is searched. Example: `autograder preview activations --solved`
    """
    import webbrowser

    from autograder.authoring.preview import preview_of

    with one_sentence():
        course = find_course(Path.cwd())
        with steps() as bar:
            made = preview_of(course, course.assignment(name).name, solved=solved, begin=bar.begin, advance=bar.advance)
        for fault in made.faults:
            print(fault)
        print(f"The preview: {made.page}")
        if show:
            webbrowser.open(made.page.as_uri())
        raise typer.Exit(UNJUDGED if made.faults else DONE)


def build(
    names: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail with a list if something committed is stale.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="EXERCISE", help="Record examples of this exercise alone; may be repeated."),
    ] = None,
) -> None:
    """Builds what is stale: recorded examples, student notebooks, nbgrader's source notebooks, the map of the course.

    Example: `autograder build activations`
    """
    with one_sentence():
        course = find_course(Path.cwd())
        chosen_names = chosen(course, names)
        if only and (check or len(chosen_names) != 1):
            fail("--only says which exercises of one assignment to build: name that one, without --check.", WRONG_USE)

        # What can be refused is refused by now: this imports torch.
        from autograder.notebooks.build import Built, build_assignment, build_map, still_stale

        stale: list[Built] = []
        # One assignment's fault is no reason to leave the others unbuilt.
        faults: list[tuple[str, int]] = []
        with steps() as bar:
            for name in chosen_names:
                bar.begin(f"{name}: what has to be built", 1)
                try:
                    stale += build_assignment(
                        course, name, only=only or (), write=not check, begin=bar.begin, advance=bar.advance
                    )
                except Exception as error:
                    if (fault := sentence_of(error)) is None:
                        raise
                    faults.append(fault)
        if not faults:
            stale += build_map(course, write=not check)
        for built in stale:
            print(f"{'stale' if check else 'built'}  {built.path.relative_to(course.root)}  ({built.why})")
        if faults:
            fail("\n".join(sentence for sentence, _ in faults), max(code for _, code in faults))
        if not stale:
            print("Everything is up to date.")
        left = [exercise for name in chosen_names for exercise in still_stale(course, name)] if only else []
        if left:
            print(f"Still stale: {', '.join(left)}. Nothing is checked or graded before `autograder build`.")
        raise typer.Exit(UNJUDGED if check and stale else DONE)


def verify(
    names: Names = None,
    json: Json = False,
    search: Search = False,
    notebook: Annotated[bool, typer.Option(help="Run the source notebook top to bottom.")] = True,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help="Prove what has no proof or a stale one: judge mutants of the references, search with many seeds. "
            "Three to fifteen minutes of a processor for an assignment.",
        ),
    ] = False,
    only: Annotated[str | None, typer.Option(metavar="EXERCISE", help="Prove this exercise alone.")] = None,
    again: Annotated[bool, typer.Option("--all", help="Prove again what has a proof, too.")] = False,
    seeds: Annotated[
        int, typer.Option(min=1, help="Seeds of the deep search; what was proved with fewer is proved again.")
    ] = SEEDS,
    examples: Annotated[int, typer.Option(min=1, help="Examples that each of these seeds draws.")] = 5,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes of the deep part; all cores by default.")] = None,
) -> None:
    """Proves that stubs fail, references pass, every mistake loses points, every alternative passes.

    How strong the checks are is kept in `solutions/NAME/strength.toml`, by exercise: it fails where that is missing or
    stale, and `--deep` proves these.

    Example: `autograder verify activations`, `autograder verify activations --deep --only softmax`
    """
    import os

    with one_sentence():
        course = find_course(Path.cwd())
        chosen_names = chosen(course, names)
        if (only is not None or again) and not deep:
            fail("--only and --all say what --deep proves: give --deep, too.", WRONG_USE)
        if only is not None and len(chosen_names) != 1:
            fail("--only names an exercise of one assignment: name that assignment, too.", WRONG_USE)

        # What can be refused is refused by now: this imports torch.
        from autograder.proving.deep import Depth
        from autograder.proving.outcome import summarize, to_json
        from autograder.proving.verify import verify_assignment

        depth = Depth(seeds, examples, jobs or os.cpu_count() or 1, only, again) if deep else None
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
                for name in chosen_names
            )
        if json:
            print(to_json(verification))
        else:
            _report_verification(verification)
        raise typer.Exit(UNJUDGED if verification.breaches else DONE)


def _report_verification(verification: "Verification") -> None:
    """The counts as a table, what the deep part found, and the breaches."""
    from autograder.proving.outcome import strength_lines
    from autograder.proving.shares import share_lines

    headings = (
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
    rows = []
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
        rows.append((one.name, *map(str, counts), seconds))
    print_table(headings, rows)
    for one in verification.per_assignment:
        for line in share_lines(one.shares):
            print(line)
        for line in strength_lines(one):
            print(line)
    print(f"{len(verification.breaches)} breaches")
    for breach in verification.breaches:
        print(f"  {breach}")


def book(
    out: Annotated[Path | None, typer.Option(help="Folder to make it in; build/book by default.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
) -> None:
    """Makes the course as a site to read: chapters with their figures and without solutions, terms, the handbook.

    Example: `autograder book --out /tmp/book`
    """
    import os

    from autograder.book.site import build_book

    with one_sentence():
        course = find_course(Path.cwd())
        folder = (out or course.build_dir / "book").resolve()
        with steps() as bar:
            page = build_book(course, folder, jobs=jobs or os.cpu_count() or 1, begin=bar.begin, advance=bar.advance)
        print(f"The book: {page}")
