"""What was handed in: each downloaded file with its claim, its time, and how likely it is to be the assignment."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec import Struct

from autograder.collecting.downloads import Download
from autograder.collecting.names import NOTEBOOK, Claim, claim_of, fits
from autograder.collecting.times import About, Stamp, read_about, stamp

EARLIEST = datetime.min.replace(tzinfo=UTC)
# Whether a file is the assignment: it says so or is called so; it may be; it says that it is another one.
IS_IT, MAY_BE, IS_ANOTHER = 2, 1, 0


@dataclass(frozen=True)
class Manner:
    """How times are read.

    Attributes:
        due: when the assignment is due.
        zone: the time zone of times that say none.
        trusted: whether the files' own times are those of submission.
        told: what Moodle's grading worksheet says about each participant's number.
    """

    due: datetime | None
    zone: tzinfo
    trusted: bool = False
    told: Mapping[str, About] = field(default_factory=dict)


@dataclass(frozen=True)
class Handed:
    """One file that somebody handed in.

    Attributes:
        download, claim, stamp: the file, who says to have handed it in, and when.
        rank: whether it is the assignment.
        says: the assignment that its metadata names; None where it is no readable notebook.
        turn: which time of handing in it belongs to, as a number and a time; files of one turn are one attempt.
        about: Blackboard's text about it.
    """

    download: Download
    claim: Claim
    stamp: Stamp
    rank: int
    says: str | None
    turn: tuple[int, datetime]
    about: Download | None = None


def handed_in(downloads: Sequence[Download], name: str, manner: Manner) -> list[Handed]:
    """The files that students handed in, in the order of their places."""
    claims = [(download, claim) for download, claim in _claims(downloads, name) if not claim.about]
    abouts = _abouts(downloads, name)
    turns: dict[tuple[Path, str], tuple[int, datetime]] = {}
    for download, claim in claims:
        key, turn = (download.source, claim.person), (claim.number, download.modified or EARLIEST)
        number, time = turns.get(key, turn)
        turns[key] = max(number, turn[0]), max(time, turn[1])
    handed = []
    for download, claim in claims:
        text = abouts.get((download.source, claim.person, claim.local))
        about = read_about(_text(text.kept), manner.zone) if text else _told(claim, manner)
        when = stamp(claim, about, download.modified, manner.due, manner.zone, manner.trusted)
        # Blackboard's download holds every attempt, each with its own time.
        exact = claim.local is not None and when.at is not None
        turn = (0, when.at or EARLIEST) if exact else turns[download.source, claim.person]
        says = _says(download, claim)
        rank = _rank(says, claim, name)
        handed.append(Handed(download, _completed(claim, about), when, rank, says, turn, about=text))
    return sorted(handed, key=lambda one: (str(one.download.source), str(one.download.place)))


def _claims(downloads: Iterable[Download], name: str) -> Iterable[tuple[Download, Claim]]:
    by_source: dict[Path, list[Download]] = defaultdict(list)
    for download in downloads:
        by_source[download.source].append(download)
    for of_one in by_source.values():
        shared = _shared([download.place for download in of_one])
        for download in of_one:
            yield download, claim_of(download.place, name, shared, download.outer)


def _shared(places: Sequence[PurePosixPath]) -> tuple[str, ...]:
    """The folders that all places begin with."""
    first, *rest = [place.parts[:-1] for place in places]
    count = 0
    while count < len(first) and all(len(parts) > count and parts[count] == first[count] for parts in rest):
        count += 1
    return first[:count]


def _abouts(downloads: Sequence[Download], name: str) -> dict[tuple[Path, str, datetime | None], Download]:
    """Blackboard's texts, by the attempt that they are about."""
    return {
        (download.source, claim.person, claim.local): download
        for download, claim in _claims(downloads, name)
        if claim.about
    }


def _text(path: Path) -> str:
    return path.read_bytes()[:100_000].decode("utf-8-sig", errors="replace")


def _told(claim: Claim, manner: Manner) -> About | None:
    return manner.told.get(claim.user) if claim.system == "moodle" else None


def _completed(claim: Claim, about: About | None) -> Claim:
    """A claim with the ids and names that the LMS gives beside it."""
    if about is None:
        return claim
    base = about.ids[0] if claim.system == "blackboard" and about.ids else claim.base
    return replace(claim, ids=about.ids or claim.ids, base=base, names=about.names or claim.names)


class _Head(Struct):
    """As much of a notebook as says which assignment it is; cells and outputs are skipped in reading."""

    metadata: dict[str, Any] = {}


def _says(download: Download, claim: Claim) -> str | None:
    if not NOTEBOOK.search(claim.file):
        return None
    try:
        head = msgspec.json.decode(download.kept.read_bytes().removeprefix(b"\xef\xbb\xbf"), type=_Head)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    mark = head.metadata.get("autograder")
    says = mark.get("assignment") if isinstance(mark, dict) else None
    return says if isinstance(says, str) else ""


def _rank(says: str | None, claim: Claim, name: str) -> int:
    if says:
        return IS_IT if says == name else IS_ANOTHER
    return IS_IT if NOTEBOOK.search(claim.file) and fits(claim.file, name) else MAY_BE
