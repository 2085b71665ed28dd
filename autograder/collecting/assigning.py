"""Whose the files are: each person that a download names becomes one student, or is listed with the reason why not."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autograder.collecting.handed import Handed
from autograder.collecting.matching import match
from autograder.collecting.names import Claim
from autograder.roster import Student, is_id

Person = tuple[str, str]
"""The system and the word by which it tells people apart."""


@dataclass(frozen=True)
class Unmatched:
    """A person in a download of whom it is not certain which student it is."""

    person: str
    why: str
    handed: tuple[Handed, ...]


@dataclass(frozen=True)
class Known:
    """What is known about people before a download is read.

    Attributes:
        roster: the course's students; empty where there is no roster.
        assigned: what the instructor wrote: students' ids by person.
        collected: students' ids of people whose files were collected before.
    """

    roster: tuple[Student, ...] = ()
    assigned: Mapping[str, str] = field(default_factory=dict)
    collected: Mapping[Person, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Choice:
    student: str
    sure: bool
    why: str = ""


def assign(handed: Sequence[Handed], known: Known) -> tuple[dict[str, list[Handed]], list[Unmatched]]:
    """Students' ids with their files, and the people who are left."""
    people: dict[Person, list[Handed]] = defaultdict(list)
    for one in handed:
        people[one.claim.system, one.claim.person].append(one)
    choose = _from_roster if known.roster else _from_names
    choices = {person: _assigned(person, known) or _Choice("", False) for person in people}
    open_ = {person: _fullest(files) for person, files in people.items() if not choices[person].student}
    choices |= _refuse_doubles(choose(open_, known), choices, known)
    students: dict[str, list[Handed]] = defaultdict(list)
    unmatched = []
    for person, files in sorted(people.items()):
        if choices[person].student:
            students[choices[person].student] += files
        else:
            unmatched.append(Unmatched(person[1], choices[person].why, tuple(files)))
    return dict(sorted(students.items())), unmatched


def _assigned(person: Person, known: Known) -> _Choice | None:
    student = known.assigned.get(person[1])
    return _Choice(student, sure=True) if student else None


def _fullest(files: Sequence[Handed]) -> Claim:
    """Of the claims of one person, one that has a name beside the user, if there is one."""
    return max((one.claim for one in files), key=lambda claim: (len(claim.names), claim.base))


def _from_roster(people: Mapping[Person, Claim], known: Known) -> dict[Person, _Choice]:
    choices = {}
    for person, claim in people.items():
        found = match(claim, known.roster)
        choices[person] = _Choice(found.student.id if found.student else "", found.sure, found.why)
    return choices


def _refuse_doubles(
    chosen: dict[Person, _Choice], others: Mapping[Person, _Choice], known: Known
) -> dict[Person, _Choice]:
    """Takes back a match by name where another person of the same system is that student, too."""
    taken: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (system, person), choice in {**others, **chosen}.items():
        taken[system, choice.student].add(person)
    for (system, person), student in known.collected.items():
        taken[system, student].add(person)
    return {
        (system, person): _Choice(
            "", False, f"{choice.student} is also {_other(taken[system, choice.student], person)}"
        )
        if choice.student and not choice.sure and len(taken[system, choice.student]) > 1
        else choice
        for (system, person), choice in chosen.items()
    }


def _other(people: set[str], person: str) -> str:
    return ", ".join(sorted(people - {person})[:3])


def _from_names(people: Mapping[Person, Claim], known: Known) -> dict[Person, _Choice]:
    """Without a roster the file names give the ids; one that two people would have gets the system's number."""
    owner = {student: person for person, student in known.collected.items()}
    wishes: dict[str, list[Person]] = defaultdict(list)
    for person, claim in people.items():
        wishes[id_from(claim.base, claim.system)].append(person)
    choices = {}
    for person, claim in people.items():
        wish = id_from(claim.base, claim.system)
        free = len(wishes[wish]) == 1 and owner.get(wish, person) == person
        if person in known.collected:
            choices[person] = _Choice(known.collected[person], sure=True)
        elif not wish:
            choices[person] = _Choice("", False, "the path names no student")
        elif free:
            choices[person] = _Choice(wish, sure=True)
        elif claim.user and is_id(f"{wish}_{claim.user}"):
            choices[person] = _Choice(f"{wish}_{claim.user}", sure=True)
        else:
            choices[person] = _Choice("", False, f"another person is {wish} already")
    return choices


def id_from(word: str, system: str) -> str:
    """A student's id made of a word in a file name; empty if none can be made."""
    text = re.sub(r"[^\w.@+-]+", "_", word).strip("_-.+@")
    text = text.lower() if system == "moodle" else text
    return text if is_id(text) else ""
