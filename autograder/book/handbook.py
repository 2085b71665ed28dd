"""The handbook's pages: the README and docs/ of the course's folder, with what they link to."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.book.errors import BookError
from autograder.book.markup import without_code

README, DOCS = "README.md", "docs"
NOT_FOR_STUDENTS = ("solutions/", "private/", "build/")
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s#]+)")
# An assignment's notebook or its source, which the book has as a chapter.
NOTEBOOK = re.compile(r"assignments/(\w+)/\1\.(?:ipynb|md)")
# Where students look up what they see comes first.
FIRST = ("student", "instructor", "author")
# READMEs have the course's title.
TITLES = {"README": "About this course", "assignments/README": "Map of the course"}


@dataclass(frozen=True)
class Handbook:
    """The handbook as it stands in a course's folder.

    Attributes:
        pages: their names in reading order.
        files: every page and picture by its path; a page keeps its path, so that links hold.
    """

    pages: tuple[str, ...]
    files: dict[str, bytes]

    @property
    def listed(self) -> tuple[str, ...]:
        """The pages as Sphinx lists them, with a title where their own would not tell."""
        return tuple(f"{TITLES[page]} <{page}>" if page in TITLES else page for page in self.pages)


def handbook(root: Path) -> Handbook:
    """Reads it; a page that another one links to belongs to it.

    Raises:
        BookError: a page links to a file of this folder that students do not get.
    """
    docs = sorted((root / DOCS).glob("*.md"), key=lambda page: (_rank(page.stem), page.stem))
    waiting = [page for page in (root / README, *docs) if page.is_file()]
    files: dict[str, bytes] = {}
    pages: list[str] = []
    for page in waiting:  # grows
        text = page.read_text(encoding="utf-8")
        pages.append(page.relative_to(root).with_suffix("").as_posix())
        files[page.relative_to(root).as_posix()] = _to_chapters(text, page, root).encode()
        for target in _linked(text, page, root):
            if target.suffix != ".md":
                files[target.relative_to(root).as_posix()] = target.read_bytes()
            elif target not in waiting:
                waiting.append(target)
    return Handbook(tuple(pages), files)


def _linked(text: str, page: Path, root: Path) -> list[Path]:
    """The files of a course's folder that a page links to, without notebooks."""
    found = []
    for _, link in LINK.findall(without_code(text)):
        target = (page.parent / link).resolve()
        if not target.is_file() or not target.is_relative_to(root):
            continue
        path = target.relative_to(root).as_posix()
        if path.startswith(NOT_FOR_STUDENTS):
            raise BookError(f"{page.relative_to(root)}: links to {path}, which does not go to students")
        if NOTEBOOK.fullmatch(path) is None:
            found.append(target)
    return found


def _to_chapters(text: str, page: Path, root: Path) -> str:
    """A page whose links to notebooks lead to chapters."""

    def to_chapter(link: re.Match[str]) -> str:
        notebook = NOTEBOOK.fullmatch(os.path.relpath((page.parent / link[2]).resolve(), root).replace(os.sep, "/"))
        return (
            link[0] if notebook is None else link[1] + os.path.relpath(f"chapters/{notebook[1]}.md", _place(page, root))
        )

    return LINK.sub(to_chapter, text)


def _place(page: Path, root: Path) -> str:
    return page.parent.relative_to(root).as_posix()


def _rank(stem: str) -> int:
    return FIRST.index(stem) if stem in FIRST else len(FIRST)
