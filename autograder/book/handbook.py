"""The handbook's pages: the README and docs/ of the course's folder, with what they link to."""

import re
from pathlib import Path

from autograder.book.errors import BookError
from autograder.book.markup import without_code

README, DOCS = "README.md", "docs"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s#]+)")
NOT_FOR_STUDENTS = ("solutions/", "private/", "build/")
# Where students look up what they see comes first.
FIRST = ("student", "instructor", "author")


def handbook(root: Path) -> tuple[tuple[str, ...], dict[str, bytes]]:
    """The handbook as it stands in a course's folder.

    Returns:
        The pages' names in reading order, and every file by its path; a page keeps its path, so that links hold.
    Raises:
        BookError: a page links to a file of this folder that students do not get.
    """
    docs = sorted((root / DOCS).glob("*.md"), key=lambda page: (_rank(page.stem), page.stem))
    pages = [page for page in (root / README, *docs) if page.is_file()]
    files = {str(page.relative_to(root)): page.read_bytes() for page in pages}
    for page in pages:
        for link in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
            target = (page.parent / link).resolve()
            if not target.is_file() or not target.is_relative_to(root) or target.suffix == ".md":
                continue
            path = target.relative_to(root).as_posix()
            if path.startswith(NOT_FOR_STUDENTS):
                raise BookError(f"{page.relative_to(root)}: links to {path}, which does not go to students")
            files[path] = target.read_bytes()
    return tuple(str(page.relative_to(root).with_suffix("")) for page in pages), files


def _rank(stem: str) -> int:
    return FIRST.index(stem) if stem in FIRST else len(FIRST)
