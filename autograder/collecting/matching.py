"""Finds the student on the roster whom a download means; where that is not certain, says so."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from autograder.collecting.names import Claim
from autograder.roster import Student

# Letters that have no accent to take away.
PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
NOBODY = "nobody on the roster is called so"


@dataclass(frozen=True)
class Match:
    """What the roster says about a claim.

    Attributes:
        student: the one whom it means; None if nobody or more than one fits.
        sure: found by id or email, not by a name that somebody else may have.
        why: for a person, where there is no student.
    """

    student: Student | None
    sure: bool = False
    why: str = ""


def match(claim: Claim, roster: Sequence[Student]) -> Match:
    """The student of a claim: by id, by email, by the email's local part, then by name."""
    if claim.system != "plain":
        return _match(claim, roster)
    # A folder further in is the student's own, so it counts only where those further out name nobody.
    for word in claim.ids:
        matched = _match(replace(claim, ids=(word,), names=(word,)), roster)
        if matched.student is not None or matched.why != NOBODY:
            return matched
    return Match(None, why=NOBODY)


def _match(claim: Claim, roster: Sequence[Student]) -> Match:
    named = [student for student in roster if _named(student, claim)]
    for word in filter(None, map(fold, claim.ids)):
        for by in (_id, _email, _local_part):
            found = [student for student in roster if by(student) == word]
            if len(found) == 1:
                return Match(found[0], sure=True)
            if found:
                both = [student for student in found if student in named]
                return Match(both[0]) if len(both) == 1 else Match(None, why=_several(word, found))
    if claim.system == "canvas":
        # Canvas's own number may be the roster's id; a name that disagrees shows that it is another number.
        for student in roster:
            if student.id == claim.user and (student in named or not student.name or not claim.names):
                return Match(student, sure=True)
    if len(named) == 1:
        return Match(named[0])
    return Match(None, why=_several(claim.names[0], named) if named else NOBODY)


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """A text without case, accents and the spaces around it, so that "Zoë" and "zoe" are one."""
    apart = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).translate(PLAIN_LETTERS)


@lru_cache(maxsize=8192)
def name_keys(name: str) -> frozenset[str]:
    """Texts of which two spellings of one name share at least one.

    The words of a name in any order; and joined, beginning with any of them, as Canvas writes last and first name.
    """
    words = re.findall(r"[^\W_]+", fold(name).replace("'", "").replace("’", ""))
    joined = {"".join(words[index:] + words[:index]) for index in range(len(words))}
    return frozenset({" ".join(sorted(words)), *joined}) - {""}


def _id(student: Student) -> str:
    return fold(student.id)


def _email(student: Student) -> str:
    return fold(student.email)


def _local_part(student: Student) -> str:
    return fold(student.email.partition("@")[0])


def _named(student: Student, claim: Claim) -> bool:
    keys = name_keys(student.name)
    return any(keys & name_keys(name) for name in claim.names)


def _several(word: str, found: Sequence[Student]) -> str:
    return f"{word} may be {', '.join(student.id for student in found[:4])}{' or others' if len(found) > 4 else ''}"
