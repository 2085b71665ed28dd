"""The book as a whole: its pages from the course's sources, and the site that is made of them."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from autograder.book.chapter import DOWNLOADS, Chapter, chapter_page
from autograder.book.errors import BookError
from autograder.book.folders import zipped
from autograder.book.gathering import chapters_of
from autograder.book.handbook import Handbook, handbook
from autograder.book.leaks import leak, secrets_of
from autograder.book.markup import directive, table
from autograder.book.rendering import render
from autograder.book.terms import terms_of, terms_page
from autograder.course import Course
from autograder.points import points_text

NEEDED = ("sphinx", "myst_parser", "furo", "nbclient", "ipykernel", "nbgrader", "latex2mathml")
RUNS = "runs"
FRONT = """\
Each chapter is a notebook in which you write the functions that it needs. Here it stands to be read: its text, its
figures, and the exercises as you get them. To work on a chapter, download its folder and open the notebook in it; there
each exercise is checked in the cell below it.

Figures and printed lines were made with solutions, which are not in this book."""


def build_book(
    course: Course,
    out: Path,
    *,
    jobs: int,
    begin: Callable[[str, int], None] = lambda what, steps: None,
    advance: Callable[[str], None] = lambda step: None,
) -> Path:
    """Makes the book; what did not change since the last time is neither run nor rendered again.

    Args:
        course: its assignments need their recorded examples.
        out: the folder for the site, its sources, and what is kept for the next time.
        jobs: how many chapters run, and how many pages are made, at a time.
        begin, advance: told when the chapters begin, with their number, and of each one.
    Returns:
        The front page.
    Raises:
        BookError: a package is missing, or something stops, or would give a solution away.
        CourseError, DeclarationError, ExamplesError, SourceError, BuildError: the author has to mend something.
    """
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        raise BookError(f"The book needs the package {absent[0]}, which comes with the extras `grade` and `book`.")
    chapters = chapters_of(course, out / RUNS, jobs=jobs, begin=begin, advance=advance)
    guide = handbook(course.root)
    site = render(pages_of(course, chapters, guide), out, course.title, jobs)
    given = [*(chapter.released for chapter in chapters), guide.files]
    found = leak(secrets_of(course.solutions_dir, [chapter.assignment for chapter in chapters], given), site)
    if found is not None:
        path, secret = found
        raise BookError(f"{path}: holds {secret!r}, which stands in solutions/ and does not go to students")
    return site / "index.html"


def pages_of(course: Course, chapters: tuple[Chapter, ...], guide: Handbook) -> dict[str, bytes]:
    """Every page with its figures and downloads, by its path.

    Args:
        course: its title and parts.
        chapters: of all assignments.
        guide: the handbook.
    """
    named = {chapter.name: chapter for chapter in chapters}
    terms = tuple(term for chapter in chapters for term in terms_of(chapter.name, chapter.prose))
    titles = {chapter.name: chapter.title for chapter in chapters}
    pages = {
        "index.md": _front(course, named, guide).encode(),
        "terms.md": terms_page(terms, titles).encode(),
        **guide.files,
    }
    for chapter in chapters:
        page, figures = chapter_page(chapter)
        pages[f"chapters/{chapter.name}.md"] = page.encode()
        pages |= {f"chapters/{path}": content for path, content in figures.items()}
        pages[f"{DOWNLOADS}/{chapter.name}.zip"] = zipped(chapter.name, chapter.released)
    return pages


def _front(course: Course, chapters: Mapping[str, Chapter], guide: Handbook) -> str:
    blocks, trees = [f"# {course.title}", FRONT], []
    for part, assignments in course.by_part():
        title = part.title if part else "Chapters"
        rows = [_row(chapters[settings.name]) for settings in assignments]
        blocks += [f"## {title}", table("chapters", ("chapter", "notebook", "minutes", "points", "exercises"), rows)]
        trees.append(_tree(title, [f"chapters/{settings.name}" for settings in assignments]))
    blocks += ["## Terms", "All [terms](terms.md) of the course in English and Chinese, with the place of each."]
    trees.append(_tree("Reference", ["terms"]))
    if guide.pages:
        blocks += ["## Handbook", "\n".join(f"- {{doc}}`{page}`" for page in guide.listed)]
        trees.append(_tree("Handbook", guide.listed))
    return "\n\n".join([*blocks, *trees]) + "\n"


def _row(chapter: Chapter) -> tuple[str, ...]:
    return (
        f"[{chapter.title}](chapters/{chapter.name}.md)",
        f"{{download}}`{chapter.name}.zip <{DOWNLOADS}/{chapter.name}.zip>`",
        f"{chapter.minutes}" if chapter.minutes else "",
        points_text(chapter.points),
        str(len(chapter.assignment.exercises)),
    )


def _tree(caption: str, pages: Sequence[str]) -> str:
    """A part of the contents at the side."""
    return directive("toctree", "", {"hidden": "", "caption": caption}, "\n".join(pages))
