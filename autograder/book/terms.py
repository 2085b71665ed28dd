"""The terms of all chapters with their Chinese words, from the table of words at the end of each notebook."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from autograder.book.markup import CHINESE, HEADING, count, slug, table, without_code

HEAD = re.compile(r"^\| *English *\| *中文 *\| *meaning *\|\n\|[-| :]+\|\n((?:\|.*\|\n?)+)", re.MULTILINE)
CELL = re.compile(r"(?<!\\)\|")
SEVERAL = re.compile(r"[,、/]")


@dataclass(frozen=True)
class Term:
    """A term as one chapter has it.

    Attributes:
        english, chinese, meaning: as they stand in its row.
        chapter: the assignment's name.
        section: the heading under which the Chinese word stands first; empty if only in the table.
        anchor: that heading's.
    """

    english: str
    chinese: str
    meaning: str
    chapter: str
    section: str
    anchor: str


def terms_of(name: str, text: str) -> tuple[Term, ...]:
    """The terms of a chapter.

    Args:
        name: of its assignment.
        text: all of its prose, in Markdown.
    """
    text = without_code(text) + "\n"
    found = []
    for rows in HEAD.finditer(text):
        for row in rows[1].strip().splitlines():
            english, chinese, meaning = (cell.strip() for cell in CELL.split(row.strip().strip("|"), 2))
            words = [word.strip() for word in SEVERAL.split(chinese)]
            word = next((word for word in words if CHINESE.search(word)), chinese)
            section, anchor = _first_place(word, text)
            found.append(Term(english, chinese, meaning, name, section, anchor))
    return tuple(found)


def _first_place(word: str, text: str) -> tuple[str, str]:
    """The heading above the first place of a word, or in which it stands, and that heading's anchor."""
    before = text[: text.index("\n", text.index(word))]
    headings = HEADING.findall(before)
    if not headings:
        return "", ""
    twice = Counter(slug(heading) for heading in headings[:-1])[slug(headings[-1])]
    return headings[-1], slug(headings[-1]) + (f"-{twice}" if twice else "")


def terms_page(terms: tuple[Term, ...], titles: Mapping[str, str]) -> str:
    """The page of all terms in the order of their English words.

    Args:
        terms: of all chapters, in their order; a term of several chapters keeps the meaning that the first one gives.
        titles: each chapter's title.
    """
    rows: dict[tuple[str, str], list[Term]] = {}
    for term in sorted(terms, key=lambda one: one.english.casefold()):
        rows.setdefault((term.english, term.chinese), []).append(term)
    lines = [
        (english, chinese, same[0].meaning, "<br>".join(_link(term, titles[term.chapter]) for term in same))
        for (english, chinese), same in rows.items()
    ]
    body = (
        table("terms", ("English", "中文", "meaning", "where"), lines) if lines else "No chapter has a table of words."
    )
    return "\n".join(
        ["# Terms 术语", "", f"{count(len(lines), 'term')}, each with the place where it is explained.", "", body, ""]
    )


def _link(term: Term, title: str) -> str:
    place = f"#{term.anchor}" if term.anchor else ""
    text = title if term.section in ("", title) else f"{title}: {term.section}"
    return f"[{text}](chapters/{term.chapter}.md{place})"
