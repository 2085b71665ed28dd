"""Every attempt of a student stays in ``private/attempts``; the last one is what nbgrader finds in ``submitted``."""

import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from nbgrader.utils import parse_utc

from autograder.atomic import in_place_of, write_whole
from autograder.collecting.handed import EARLIEST, IS_IT, Handed
from autograder.collecting.times import Kind, Stamp
from autograder.course import Course

Status = Literal["new", "replaced", "unchanged", "kept"]
RECORDS = "attempts.json"


class Attempt(Struct, frozen=True):
    """One file that a student handed in.

    Attributes:
        file: its name in the student's folder of attempts.
        sha256: hash of its content.
        place: where it stood in the download.
        system, person: who says to have handed it in.
        number, turn, turn_time, rank, modified: what decides which is the last, see `order`.
        submitted: the time that was written for nbgrader, if it is the one that counts.
        kind: how far that time can be relied on.
        says: the assignment that it names.
    """

    file: str
    sha256: str
    place: str
    system: str
    person: str
    number: int
    turn: int
    turn_time: datetime
    rank: int
    modified: datetime | None
    submitted: datetime | None
    kind: Kind
    says: str | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two collected files the same; without numbers of its own a system is told apart by time."""
        return self.sha256, self.place, "" if self.system in ("canvas", "blackboard") else self.turn_time.isoformat()

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.submitted, self.kind)


@dataclass(frozen=True)
class Placed:
    """What became of a student's files.

    Attributes:
        student: the student's id.
        status: "new", "replaced" by a later attempt, "unchanged", or "kept" because it is later than the download.
        stamp: the time written for nbgrader.
        attempts: how many different files there are by now.
        says: the assignment that the file which counts names.
        file: what the student called it.
    """

    student: str
    status: Status
    stamp: Stamp
    attempts: int
    says: str | None
    file: str


def attempts_folder(course: Course, name: str, student: str) -> Path:
    return course.private_dir / "attempts" / name / student


def read_attempts(course: Course, name: str, student: str) -> tuple[Attempt, ...]:
    """What was collected before; nothing where the records are missing or damaged."""
    try:
        content = (attempts_folder(course, name, student) / RECORDS).read_bytes()
        return msgspec.json.decode(content, type=tuple[Attempt, ...])
    except (OSError, msgspec.MsgspecError):
        return ()


def order(attempt: Attempt) -> tuple[int, datetime, int, int, datetime, str]:
    """The last attempt is the greatest: by the turn, then by whether it is the assignment, then by the file."""
    modified = attempt.modified or EARLIEST
    return attempt.turn, attempt.turn_time, attempt.rank, attempt.number, modified, attempt.place


def last(attempts: Sequence[Attempt]) -> tuple[Attempt, Stamp]:
    """The attempt that counts, and its time: handing in the same file again does not make it later."""
    ordered = sorted(attempts, key=order)
    first = len(ordered) - 1
    while first and ordered[first - 1].sha256 == ordered[-1].sha256:
        first -= 1
    return ordered[-1], ordered[first].stamp


def attempt_of(handed: Handed) -> Attempt:
    download, claim = handed.download, handed.claim
    name = safe_part(claim.file or download.place.name)
    return Attempt(
        file=f"{download.sha256[:12]}-{name}",
        sha256=download.sha256,
        place=str(download.place),
        system=claim.system,
        person=claim.person,
        number=claim.number,
        turn=handed.turn[0],
        turn_time=handed.turn[1],
        rank=handed.rank,
        modified=download.modified,
        submitted=handed.stamp.at,
        kind=handed.stamp.kind,
        says=handed.says,
    )


def place(course: Course, name: str, student: str, handed: Sequence[Handed]) -> Placed:
    """Adds files to a student's attempts, and puts the last one where nbgrader finds it."""
    folder = attempts_folder(course, name, student)
    target = course.private_dir / "submitted" / student / name / f"{name}.ipynb"
    before = hashlib.sha256(target.read_bytes()).hexdigest() if target.is_file() else ""
    known = {attempt.key: attempt for attempt in read_attempts(course, name, student)}
    contents = {(attempt := attempt_of(one)).key: (attempt, one.download.kept) for one in handed}
    everything = {**known, **{key: _better(known.get(key), attempt) for key, (attempt, _) in contents.items()}}
    if before and before not in {attempt.sha256 for attempt in everything.values()}:
        found = _found(target, before, list(everything.values()))
        everything[found.key] = found
        contents[found.key] = found, target
    folder.mkdir(parents=True, exist_ok=True)
    for attempt, content in contents.values():
        if not (folder / attempt.file).is_file():
            _copy(content, folder / attempt.file)
    if everything != known:
        records = sorted(everything.values(), key=order)
        write_whole(folder / RECORDS, msgspec.json.format(msgspec.json.encode(records), indent=1))
    counting, stamp = last(list(everything.values()))
    _count(folder / counting.file, target, stamp, last(list(known.values()))[1] if known else None, before)
    hashes = {attempt.sha256 for attempt in everything.values()}
    new = {attempt.sha256 for key, (attempt, _) in contents.items() if key not in known}
    file = counting.place.rpartition("/")[2]
    return Placed(student, _status(before, counting, new), stamp, len(hashes), counting.says, file)


def _better(known: Attempt | None, again: Attempt) -> Attempt:
    """What was known of a file, unless its true time is known by now."""
    if known is None or (again.kind == "exact" and known.kind != "exact"):
        return again
    return known


def _count(attempt: Path, target: Path, stamp: Stamp, stamped: Stamp | None, before: str) -> None:
    """Makes an attempt the one that counts; a time that the instructor wrote for it stays."""
    timestamp = target.with_name("timestamp.txt")
    written = timestamp.read_text(encoding="utf-8").strip() if timestamp.is_file() else ""
    if before == hashlib.sha256(attempt.read_bytes()).hexdigest():
        if written != stamp.text and (not written or (stamped is not None and written == stamped.text)):
            _stamp(timestamp, stamp)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # The time first: a run that is killed in between is put right by the next.
    _stamp(timestamp, stamp)
    _copy(attempt, target)


def _status(before: str, counting: Attempt, new: set[str]) -> Status:
    if not before:
        return "new"
    if before != counting.sha256:
        return "replaced"
    return "kept" if new - {before} else "unchanged"


def _found(target: Path, sha256: str, others: Sequence[Attempt]) -> Attempt:
    """A submission that came another way, through an exchange or by hand, as one more attempt."""
    submitted = _timestamp(target.with_name("timestamp.txt"))
    time = submitted or datetime.fromtimestamp(target.stat().st_mtime, UTC)
    # It has no number, so it stands after what is not later than itself.
    turn = max((other.turn for other in others if (other.submitted or other.turn_time) <= time), default=0)
    return Attempt(
        file=f"{sha256[:12]}-{target.name}",
        sha256=sha256,
        place=target.name,
        system="submitted",
        person="",
        number=0,
        turn=turn,
        turn_time=time,
        rank=IS_IT,
        modified=time,
        submitted=submitted,
        kind="exact" if submitted else "unknown",
        says=None,
    )


def _timestamp(file: Path) -> datetime | None:
    try:
        found = parse_utc(file.read_text(encoding="utf-8").strip())
    except (OSError, ValueError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if isinstance(found, datetime) else None


def _stamp(file: Path, stamp: Stamp) -> None:
    if stamp.at is None:
        file.unlink(missing_ok=True)
    else:
        write_whole(file, stamp.text.encode())


def _copy(source: Path, target: Path) -> None:
    with in_place_of(target) as unfinished:
        shutil.copyfile(source, unfinished)


def safe_part(name: str) -> str:
    """A name that is one part of a path on every system, and still a person's to recognise."""
    text = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "_", name).strip(" .") or "_"
    ending = Path(text).suffix[:10]
    # File systems count bytes, and 255 of them; what is cut off is in the middle.
    while len(text.encode()) > 150:
        text = text[: -len(ending) - 8] + ending if ending else text[:-8]
    return text
