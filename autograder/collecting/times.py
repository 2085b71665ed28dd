"""When something was handed in: what LMSs say about it, and what may be written as nbgrader's time of submission.

A zip's times are those of packing: Canvas and Moodle pack when the instructor downloads. So they are an upper bound,
and no student may lose points by an upper bound unless the LMS itself says that the submission was late.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.collecting.names import Claim

Kind = Literal["exact", "at the latest", "on time", "late, time unknown", "unknown"]
# What Java writes for time zones and means the same everywhere; CST and IST are several zones each.
ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "JST": 9, "KST": 9,
    "HKT": 8, "SGT": 8, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7,
    "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
SUBMITTED = re.compile(r"^Date Submitted:\s*(.+?)\s*$", re.MULTILINE)
WHO = re.compile(r"^Name:[ \t]*(.*?)[ \t]*\(([^()\n]+)\)\s*$", re.MULTILINE)
CLOCK = re.compile(
    r"(?:[A-Z]\w+, )?([A-Z]\w+ \d{1,2}, \d{4}|\d{1,2} [A-Z]\w+ \d{4}),?(?: at)? "
    r"(\d{1,2}:\d\d(?::\d\d)?)[\s\u202f]*(AM|PM)?[\s\u202f]*(\S*)"
)


@dataclass(frozen=True)
class Stamp:
    """A time of submission for nbgrader's gradebook.

    Attributes:
        at: the time to write; None where none can be said, so that no penalty is due.
        kind: how far it can be relied on.
    """

    at: datetime | None
    kind: Kind

    @property
    def text(self) -> str:
        """As nbgrader's ``timestamp.txt`` holds it."""
        return self.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC") if self.at else ""


def stamp(
    claim: Claim,
    about: "About | None",
    modified: datetime | None,
    due: datetime | None,
    zone: tzinfo,
    trusted: bool,
) -> Stamp:
    """What to write as the time of a submission.

    Args:
        claim: what the file's name says.
        about: what the LMS says beside it.
        modified: the file's time in the download.
        due: when the assignment is due.
        zone: the time zone of times that say none.
        trusted: the file's time is that of the submission.
    """
    if about is not None and about.at is not None:
        return Stamp(about.at, "exact")
    if claim.local is not None:
        return Stamp(_aware(claim.local, zone), "exact")
    if trusted and modified is not None:
        return Stamp(modified, "exact")
    if claim.late:
        later = modified is not None and (due is None or modified > due)
        return Stamp(modified, "at the latest") if later else Stamp(None, "late, time unknown")
    if due is None or (modified is not None and modified <= due):
        return Stamp(modified, "at the latest" if modified else "unknown")
    # Canvas would have said LATE.
    return Stamp(due, "on time") if claim.late is False else Stamp(None, "unknown")


@dataclass(frozen=True)
class About:
    """What an LMS says about a submission beside its file name: who it is by, and when it came."""

    names: tuple[str, ...]
    ids: tuple[str, ...]
    at: datetime | None


def read_about(text: str, zone: tzinfo) -> About:
    """Reads ``Name: Jane Doe (jdoe)`` and ``Date Submitted: Friday, December 18, 2026 11:10:05 PM CST``."""
    # The student's own words follow, and may look the same.
    head = re.split(r"^(?:Submission Field|Comments|Files):", text, maxsplit=1, flags=re.MULTILINE)[0]
    who, submitted = WHO.search(head), SUBMITTED.search(head)
    names = (who[1],) if who and who[1] else ()
    return About(names, (who[2],) if who else (), parse_clock(submitted[1], zone) if submitted else None)


def parse_clock(text: str, zone: tzinfo) -> datetime | None:
    """A date as Blackboard and Moodle write it in English; None in another form."""
    found = CLOCK.fullmatch(text)
    if found is None:
        return None
    day, hour, half, name = found.groups()
    written = " ".join(filter(None, (day.replace(",", ""), hour if hour.count(":") == 2 else f"{hour}:00", half)))
    date = "%d %B %Y" if day[0].isdigit() else "%B %d %Y"
    try:
        local = datetime.strptime(written, f"{date} %I:%M:%S %p" if half else f"{date} %H:%M:%S")
    except ValueError:
        return None
    return _aware(local, _named_zone(name) or zone)


def zone_named(name: str) -> tzinfo | None:
    """A time zone such as ``Asia/Shanghai`` or ``+08:00``; None if there is none of that name."""
    try:
        return _named_zone(name) or ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_of(due: datetime | None) -> tzinfo:
    """The time zone that a course lives in, as far as is known: that of the due date, else this machine's."""
    return (due or datetime.now().astimezone()).tzinfo or UTC


def _named_zone(name: str) -> tzinfo | None:
    if found := re.fullmatch(r"(?:GMT|UTC)?([+-])(\d\d?):?(\d\d)", name):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset) if offset < timedelta(hours=24) else None
    hours = ZONES.get(name)
    return None if hours is None else timezone(timedelta(hours=hours))


def _aware(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
