"""Gathers the chapters of a course: what is built of each assignment, and what its demo cells show."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from autograder.book.chapter import Chapter
from autograder.book.showing import Demos, shown
from autograder.course import Course
from autograder.examples.store import read_for
from autograder.notebooks.build import (
    files_beside,
    notebook_text,
    released_notebook,
    source_notebook,
)
from autograder.notebooks.source import read_source
from autograder.policy.deadline import deadline_of
from autograder.testing.assignment import load_assignment


def chapters_of(
    course: Course,
    runs: Path,
    *,
    jobs: int,
    begin: Callable[[str, int], None] = lambda what, steps: None,
    advance: Callable[[str], None] = lambda step: None,
) -> tuple[Chapter, ...]:
    """The chapters in the order of the course.

    Args:
        course: its assignments have to have their recorded examples.
        runs: the folder in which what demo cells show is kept.
        jobs: how many chapters run at a time.
        begin, advance: told when they begin, with their number, and of each one.
    Raises:
        BookError: a cell stops.
        ExamplesError: an assignment's examples are missing, or belong to other checks.
        DeclarationError, SourceError, BuildError: the author has to mend something.
    """
    begin("chapters", len(course.assignments))
    waiting: list[tuple[Chapter, Future[Demos]]] = []
    # Content is loaded here, one assignment after the other; the threads only wait for kernels.
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for settings in course.assignments:
                chapter, solved = _unrun(course, settings.name)
                run = pool.submit(shown, course, settings.name, solved, runs / f"{settings.name}.json")
                waiting.append((chapter, run))
            chapters = []
            for chapter, run in waiting:
                chapters.append(replace(chapter, demos=run.result()))
                advance(chapter.name)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(chapters)


def _unrun(course: Course, name: str) -> tuple[Chapter, object]:
    """A chapter without what its demo cells show, and the notebook with the solutions that will show it."""
    folder = course.assignments_dir / name
    read_for(folder / "examples.npz", folder / "checks.py")  # refuses what students could not use
    assignment = load_assignment(course, name)
    solved = source_notebook(course, assignment)
    released = released_notebook(solved)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files_beside(folder)}
    chapter = Chapter(
        course.assignment(name),
        assignment,
        read_source(folder / f"{name}.md"),
        stubs={cell.id: cell.source for cell in released.cells if cell.cell_type == "code"},
        released={f"{name}.ipynb": notebook_text(released).encode(), **files},
        deadline=deadline_of(course, name),
    )
    return chapter, solved
