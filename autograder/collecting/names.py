"""What the name of a downloaded file says: who handed it in, when, and what the student called it.

Canvas, Moodle and Blackboard put their own words in front of the student's file name. Each is a parser of one part
of a path. The student chooses what stands behind, so the parser that is done soonest is believed.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

# The file names under which people hand in notebooks: some browsers add an ending of their own.
NOTEBOOK = re.compile(r"\.(?:ipynb|json)(?:\.(?:txt|json))?\Z", re.IGNORECASE)
PYTHON = re.compile(r"\.py(?:\.txt)?\Z", re.IGNORECASE)
COPY = re.compile(r"(?:[\s_-]*\(\d+\)|[\s_-]+\d{1,2}|[\s_-]+copy)+\Z", re.IGNORECASE)
# Canvas removes everything but word characters from a name and makes it lower case; only LATE is in capitals.
CANVAS = re.compile(r"(?:(?P<name>[^\WA-Z]+?)_)??(?:(?P<late>LATE)_)?(?P<user>\d+|anon_\w+?)_(?P<number>\d{2,})_")
MOODLE = re.compile(r"(?P<name>[^/]+?)_(?P<number>\d+)_assignsubmission_file(?:_|\Z)")
BLACKBOARD = re.compile(r"(?P<before>[^/]+?)_attempt_(?P<stamp>\d{4}(?:-\d\d){5})(?:_|(?P<about>\.txt\Z))")
ANONYMOUS = "participant"
System = Literal["canvas", "moodle", "blackboard", "plain"]


@dataclass(frozen=True)
class Claim:
    """What a path says about a file that was handed in.

    Attributes:
        system: what wrote the name.
        person: who handed it in, as the system tells people apart.
        file: the file's name as the student chose it.
        base: an id to use where there is no roster; empty where the path names nobody.
        ids: what may be a roster's id, an email address or its local part, the likeliest first.
        names: what may be the person's name.
        user: the system's own number for the person.
        number: grows with each file that is handed in; 0 where the system has no such number.
        late: whether the system says that it was late; None where it says nothing.
        local: when it was handed in, on the system's own clock, which may stand in another time zone.
        about: the file is the system's own text about an attempt.
    """

    system: System
    person: str
    file: str
    base: str
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    user: str = ""
    number: int = 0
    late: bool | None = None
    local: datetime | None = None
    about: bool = False


def canvas(part: str) -> tuple[Claim, int] | None:
    """``doejane_LATE_12345_67890_activations-1.ipynb``; ``anon_x1y2z_67890_…`` where names are hidden."""
    found = CANVAS.match(part)
    if found is None:
        return None
    name, user = found["name"] or "", found["user"]
    claim = Claim(
        "canvas",
        person=part[: found.start("number") - 1].replace("LATE_", ""),
        file=part[found.end() :],
        base=name or user,
        names=(name,) if name else (),
        user=user,
        number=int(found["number"]),
        late=found["late"] is not None,
    )
    return claim, found.end()


def moodle(part: str) -> tuple[Claim, int] | None:
    """``Jane Doe_1234567_assignsubmission_file_activations.ipynb``, or a folder of that name.

    The number belongs to one assignment alone, so it says nothing about who the student is.
    """
    found = MOODLE.match(part)
    if found is None:
        return None
    name, person = found["name"], f"{found['name']}_{found['number']}"
    anonymous = name.casefold().startswith(ANONYMOUS)
    base = person if anonymous else name
    file, names = part[found.end() :], () if anonymous else (name,)
    return Claim("moodle", person, file, base, names=names, user=found["number"]), found.end()


def blackboard(part: str) -> tuple[Claim, int] | None:
    """``Activations_jdoe_attempt_2026-12-18-23-10-05_activations.ipynb``, and the text about it without the last part.

    Both the assignment and the user name may hold ``_``, so each ending of what stands in front may be the user.
    """
    found = BLACKBOARD.match(part)
    if found is None:
        return None
    words = found["before"].split("_")
    users = tuple("_".join(words[index:]) for index in range(1, len(words))) or (found["before"],)
    try:
        local = datetime.strptime(found["stamp"], "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
    claim = Claim(
        "blackboard",
        person=found["before"],
        file=part[found.end() :],
        base=users[-1],
        ids=users,
        local=local,
        about=found["about"] is not None,
    )
    return claim, found.end()


PARSERS: tuple[Callable[[str], tuple[Claim, int] | None], ...] = (moodle, blackboard, canvas)


def claim_of(place: PurePosixPath, name: str, shared: Sequence[str] = (), outer: int = 0) -> Claim:
    """What a path inside a download says.

    Args:
        place: the path.
        name: the assignment.
        shared: the folders in which all files of the download stand; they name a student only if nothing else does.
        outer: how many parts of the path lead to a zip that a student packed; 0 where there is none.
    """
    for part in place.parts[: outer or None]:
        readings = [reading for parser in PARSERS if (reading := parser(part)) is not None]
        if readings:
            claim, _ = min(readings, key=lambda reading: reading[1])
            return replace(claim, file=claim.file if part == place.name and claim.file else place.name)
    # The whole download may have been packed once more.
    return claim_of(place, name, shared) if outer and _is_named(place) else _plain(place, name, shared, outer)


def _is_named(place: PurePosixPath) -> bool:
    return any(parser(part) is not None for part in place.parts for parser in PARSERS)


def _plain(place: PurePosixPath, name: str, shared: Sequence[str], outer: int) -> Claim:
    """``STUDENT/NAME.ipynb``, ``STUDENT.ipynb``, ``STUDENT/NAME/NAME.ipynb`` and the like."""
    parts = [stem(part) for part in place.parts]
    common, end = min(len(shared), outer or len(parts)), outer or len(parts)
    above, own, inner = (_words(part, name) for part in (parts[:common], parts[common:end], parts[end:]))
    nearest = [*own, *reversed(above), *inner]
    person = nearest[0] if nearest else stem(place.name)
    # Folders further out are named by whoever downloaded them, those further in by the student.
    words = tuple((*own, *above, *inner))
    return Claim("plain", person, place.name, person if words else "", ids=words, names=words)


def _words(parts: Sequence[str], name: str) -> list[str]:
    """What parts of a path say beside the assignment."""
    return [word for part in parts if (word := _without_assignment(part, name))]


def stem(file: str) -> str:
    """A file's name without the endings that say what it is."""
    return re.sub(r"(?:\.(?:ipynb|json|py|txt|zip))+\Z", "", file, flags=re.IGNORECASE)


def fits(file: str, name: str) -> bool:
    """Whether a student's file is called like the assignment, or like a copy of it."""
    return COPY.sub("", stem(file)).casefold() == name.casefold()


def _without_assignment(word: str, name: str) -> str:
    """``jdoe`` from ``activations_jdoe``; nothing from ``activations`` or ``Activations (1)``."""
    uncopied = COPY.sub("", word)
    bare = re.sub(rf"(?:\A|[\s_-]+){re.escape(name)}(?=\Z|[\s_(-])", "", uncopied, flags=re.IGNORECASE)
    return word.strip() if bare == uncopied else bare.strip(" _-")
