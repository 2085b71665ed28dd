"""Read ``course.toml`` into typed records; each fault names file, key, what was found and what is allowed."""

import re
import sys
import tomllib
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from autograder.errors import CourseError, fault, one_of, shown

__all__ = [
    "BYTE_ORDER_MARK",
    "COURSE_FILE",
    "AssignmentSettings",
    "ClusterSettings",
    "Course",
    "CourseError",
    "ExampleSettings",
    "FeedbackPolicy",
    "Isolation",
    "LatePolicy",
    "Limits",
    "PartSettings",
    "course_from",
    "course_root",
    "course_text",
    "find_course",
    "load_course",
]

COURSE_FILE = "course.toml"
BYTE_ORDER_MARK = "\ufeff"

# What a value must satisfy, and the words for it that a person reads: each fault's `allowed` comes from here.
Title = Annotated[str, Meta(pattern=r"^[^\r\n]*\S[^\r\n]*\Z", description="a line of text that is not blank")]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]*\Z",
        description="a lower-case identifier (letters a-z, digits and _, a letter first)",
    ),
]
PartName = Annotated[Name | None, Meta(description="the name of one of the [[parts]]")]
WorkingMinutes = Annotated[
    Annotated[int, Meta(gt=0)] | None, Meta(description="a whole number of minutes greater than 0")
]
EarlierNames = Annotated[tuple[Name, ...], Meta(description="an array of names of assignments that stand earlier")]
CourseId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z",
        description="a word of the letters a-z, digits, -, _ and . that begins with a letter or digit",
    ),
]
# NaN fails `gt`, infinity fails `le`.
Weight = Annotated[float, Meta(gt=0, le=sys.float_info.max, description="a finite number greater than 0")]
Seconds = Annotated[float, Meta(gt=0, le=sys.float_info.max, description="a finite number of seconds greater than 0")]
Count = Annotated[int, Meta(gt=0, description="a whole number greater than 0")]
LayerName = Annotated[
    Literal["rlimits", "namespaces", "own_root", "no_new_privs", "landlock", "seccomp"],
    Meta(description="one of rlimits, namespaces, own_root, no_new_privs, landlock and seccomp"),
]
ClassName = Annotated[
    str,
    Meta(
        pattern=r"^(local|[A-Za-z_]\w*(\.[A-Za-z_]\w*)+)\Z",
        description='"local", or the full name of a class, such as "dask_jobqueue.SLURMCluster"',
    ),
]
Arguments = Annotated[dict[str, Any], Meta(description="a table of the class's parameters")]
Percent = Annotated[float, Meta(ge=0, le=100, description="a number of percent from 0 to 100")]
Minutes = Annotated[int, Meta(ge=0, le=1_000_000, description="a whole number of minutes, 0 or more")]
Days = Annotated[int, Meta(ge=0, le=1000, description="a whole number of days, 0 or more")]
DueDate = Annotated[
    Annotated[datetime, Meta(tz=True)] | None,
    Meta(description="a date and time with its time zone, unquoted, such as 2026-12-18T23:59:00+08:00"),
]


class ExampleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How examples are recorded when the course is built.

    Attributes:
        per_check: recorded examples of one check, at most.
    """

    per_check: Count = 12


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a submission may use up. Reaching a limit while it runs costs the check at hand, never the submission.

    Attributes:
        seconds_per_call: seconds for one call of a student's function, without those in which the machine had no
            processor for it. The check fails and says that the call took too long; the next check starts afresh.
        seconds_per_cell: the same for one notebook cell. The cell stops with a timeout error, and what depends on it
            fails.
        output_bytes: bytes that one cell or call may print. The rest is cut, and a note says so in its place.
        callbacks: times that one call may call back a function which a check passed in. The check fails and
            says that its function was called too often.
        seconds_per_submission: the same for all cells and calls of one submission. Checks that are left then fail as
            too slow.
        accidents: times that a submission may end its process or be stopped. Each time a new one runs its cells
            again; after the last nothing more of it is run, and checks that are left fail.
        cpu_seconds: seconds of processor time for one submission, counted again after a crash. Checks that are
            left then fail as too slow.
        memory_mib: mebibytes that a submission may use beside Python and torch themselves. The call raises
            MemoryError or RuntimeError, and the check fails with it.
        notebook_bytes: size of a submitted file without its outputs. A larger one is not judged, and its student is
            told so.
        seconds_to_read: seconds of processor time for taking one submission apart before any of it runs; three
            times as many by the clock. One that takes longer is not judged, and its student is told so.
        cells: cells of a submitted notebook. One with more is not judged, and its student is told so.
        check_cells: calls of `check` in the check cells of a submitted notebook. One with more is not judged, and its
            student is told so.
        outputs: outputs of all cells of a submitted notebook. Of one with more none are kept, and a note says so.
        notes: remarks on what was noticed about one submission. The last one says how many are left out.
    """

    seconds_per_call: Seconds = 10.0
    seconds_per_cell: Seconds = 60.0
    output_bytes: Count = 20_000
    callbacks: Count = 10_000
    seconds_per_submission: Seconds = 300.0
    accidents: Count = 50
    cpu_seconds: Seconds = 120.0
    memory_mib: Count = 2048
    notebook_bytes: Count = 20_000_000
    seconds_to_read: Seconds = 20.0
    cells: Count = 2_000
    check_cells: Count = 1_000
    outputs: Count = 10_000
    notes: Count = 50


class Isolation(Struct, frozen=True, forbid_unknown_fields=True):
    """What has to stand between a submission and the grader.

    Attributes:
        minimum: layers without which submissions are not graded; `autograder doctor` lists what works here.
    """

    minimum: Annotated[
        tuple[LayerName, ...],
        Meta(description="an array of layers: rlimits, namespaces, own_root, no_new_privs, landlock, seccomp"),
    ] = ("rlimits", "no_new_privs", "landlock", "seccomp")


class LatePolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """What a submission after its due date costs. Nothing, unless ``percent`` says so.

    Attributes:
        grace_minutes: minutes after the due date that cost nothing. Lateness is counted from their end.
        percent: percent of the points earned that are lost for each ``per`` that has begun.
        per: ``"day"`` (24 hours) or ``"hour"``.
        at_most_percent: percent of the points earned that are lost at most, however late.
        free_days: late days that cost a student nothing, over the whole course. They are spent in the order of
            the due dates, a whole day each.
    """

    grace_minutes: Minutes = 0
    percent: Percent = 0.0
    per: Annotated[Literal["day", "hour"], Meta(description='"day" or "hour"')] = "day"
    at_most_percent: Percent = 100.0
    free_days: Days = 0


class FeedbackPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """What students are told of their results.

    Attributes:
        hidden_checks: when feedback names the hidden checks and shows where they failed. ``"never"`` and, until
            the due date has passed for everybody, ``"after_due"`` say only how many pass; an assignment without
            a due date stays so. ``"always"`` names them. Their source is never shown.
    """

    hidden_checks: Annotated[
        Literal["never", "after_due", "always"], Meta(description='"never", "after_due" or "always"')
    ] = "always"


class ClusterSettings(Struct, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """The cluster that `autograder grade NAME --cluster start` starts, and the certificate of any cluster.

    Attributes:
        class: ``"local"`` for processes of this machine, or a class of Dask's that starts workers elsewhere, such as
            ``"dask_jobqueue.SLURMCluster"``. Its package has to be installed.
        arguments: what the class is given, by the names of its parameters.
        workers: how many it is asked for; without it what ``arguments`` say, or one for each core of this machine.
        certificates: folder of ``cert.pem`` and ``key.pem``, from the course's folder;
            `autograder cluster certificates` makes them.
    """

    class_: ClassName = "local"
    arguments: Arguments = {}
    workers: Annotated[Count | None, Meta(description="a whole number greater than 0")] = None
    certificates: Title = "private/cluster"


class PartSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One part of the course; the order is that of the course. A part without assignments is shown nowhere.

    Attributes:
        name: what assignments call it.
        title: shown to people.
    """

    name: Name
    title: Title


class AssignmentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One assignment; the order is that of the course.

    Attributes:
        name: of its folders in ``assignments/`` and ``solutions/``.
        title: shown to people.
        weight: its share of the course's grade, relative to the others.
        due: when it has to be handed in; students see it in the notebook. Without one nothing is ever late.
        part: the part of the course that it belongs to. Where there are parts every assignment has one, and
            assignments stand in the order of their parts.
        minutes: how long it takes, about. Without it the minutes of its exercises are added up.
        builds_on: assignments whose ideas it uses. They stand earlier in the course.
    """

    name: Name
    title: Title
    weight: Weight = 1.0
    due: DueDate = None
    part: PartName = None
    minutes: WorkingMinutes = None
    builds_on: EarlierNames = ()


class Course(Struct, frozen=True):
    """A course: the folder that holds it, and its settings."""

    root: Path
    title: str
    course_id: str
    examples: ExampleSettings
    limits: Limits
    isolation: Isolation
    late: LatePolicy
    feedback: FeedbackPolicy
    cluster: ClusterSettings
    parts: tuple[PartSettings, ...]
    assignments: tuple[AssignmentSettings, ...]

    @property
    def assignments_dir(self) -> Path:
        """What students may see: each assignment's notebook, visible checks and recorded examples."""
        return self.root / "assignments"

    @property
    def solutions_dir(self) -> Path:
        """What students may not see: references, hidden checks, known mistakes."""
        return self.root / "solutions"

    @property
    def private_dir(self) -> Path:
        """What stays on this machine: the course's seed, the roster, the gradebook, results."""
        return self.root / "private"

    @property
    def build_dir(self) -> Path:
        """What is made from the rest and can be made again."""
        return self.root / "build"

    def by_part(self) -> tuple[tuple[PartSettings | None, tuple[AssignmentSettings, ...]], ...]:
        """Each part that has assignments, with them, in order; in a course without parts all under None."""
        if not self.parts:
            return ((None, self.assignments),)
        grouped = ((part, tuple(one for one in self.assignments if one.part == part.name)) for part in self.parts)
        return tuple((part, assignments) for part, assignments in grouped if assignments)

    def assignment(self, name: str) -> AssignmentSettings:
        """The settings of the assignment called ``name``.

        Raises:
            CourseError: the course has no such assignment; the sentence suggests the nearest name.
        """
        for assignment in self.assignments:
            if assignment.name == name:
                return assignment
        names = [assignment.name for assignment in self.assignments]
        raise CourseError(self.root / COURSE_FILE, "assignments[].name", f"never {shown(name)}", one_of(names, name))


def find_course(start: Path) -> Course:
    """Read the course whose folder is ``start`` or the nearest one above it.

    Raises:
        CourseError: no folder from ``start`` upwards holds a ``course.toml``, or its content has a fault.
    """
    return load_course(course_root(start))


def course_root(start: Path) -> Path:
    """The folder that is ``start`` or the nearest one above it and holds a ``course.toml``.

    Raises:
        CourseError: there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / COURSE_FILE).is_file():
            return folder
    raise CourseError(start, COURSE_FILE, "missing, here and in every folder above", "a folder inside a course")


def load_course(root: Path) -> Course:
    """Read the course whose folder is ``root``.

    Raises:
        CourseError: ``course.toml`` is missing, is not TOML, or asks for something that is not allowed.
    """
    root = root.resolve()
    course = course_from(root, course_text(root))
    _refuse_missing_sources(root / COURSE_FILE, course)
    return course


def course_from(root: Path, text: str) -> Course:
    """The course in the folder ``root`` if its ``course.toml`` had this text; whether its sources exist is left open.

    Raises:
        CourseError: it is not TOML, or asks for something that is not allowed.
    """
    file = root / COURSE_FILE
    settings = _decode(file, _parse(file, text))
    course = Course(
        root=root,
        title=settings.title,
        course_id=settings.course_id,
        examples=settings.examples,
        limits=settings.limits,
        isolation=settings.isolation,
        late=settings.late,
        feedback=settings.feedback,
        cluster=settings.cluster,
        parts=settings.parts,
        assignments=settings.assignments,
    )
    _refuse_duplicate_names(file, "parts", [part.name for part in course.parts])
    _refuse_duplicate_names(file, "assignments", [assignment.name for assignment in course.assignments])
    _refuse_other_parts(file, course)
    _refuse_building_on_later(file, course)
    return course


def course_text(root: Path) -> str:
    """The text of ``course.toml`` as it is, ends of lines and a byte-order mark included.

    Raises:
        CourseError: it cannot be read.
    """
    file = root / COURSE_FILE
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        raise CourseError(file.parent, COURSE_FILE, "missing", "a folder that holds this file") from None
    except OSError as error:
        raise CourseError(file, "the file", f"unreadable ({error.strerror})", "a file that can be read") from None
    except UnicodeDecodeError as error:
        found = f"0x{error.object[error.start]:02x}, which is not UTF-8"
        raise CourseError(file, f"byte {error.start + 1}", found, "UTF-8 text") from None


class CourseFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of ``course.toml``.

    Attributes:
        schema: the version of this file's form.
        title: shown to people.
        course_id: nbgrader's course id; the exchange has a folder of this name.
    """

    schema: Annotated[Literal[1], Meta(description="1")]
    title: Title
    course_id: CourseId
    examples: ExampleSettings = ExampleSettings()
    limits: Limits = Limits()
    isolation: Isolation = Isolation()
    late: LatePolicy = LatePolicy()
    feedback: FeedbackPolicy = FeedbackPolicy()
    cluster: ClusterSettings = ClusterSettings()
    parts: Annotated[tuple[PartSettings, ...], Meta(description="one [[parts]] table for each part of the course")] = ()
    assignments: Annotated[
        tuple[AssignmentSettings, ...],
        Meta(min_length=1, description="one [[assignments]] table for each assignment, at least one"),
    ]


def _parse(file: Path, text: str) -> dict[str, Any]:
    # Some editors on Windows put a byte-order mark in front.
    text = text.removeprefix(BYTE_ORDER_MARK)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        lines = text.split("\n")
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        number = int(place[1]) if place else len(lines)  # otherwise "(at end of document)"
        reason = str(error).split(" (at ")[0]
        raise CourseError(file, f"line {number}", shown(lines[number - 1].strip()), f"valid TOML ({reason})") from None


def _decode(file: Path, content: dict[str, Any]) -> CourseFile:
    try:
        # Without `builtin_types` a quoted date would do as well; one way to write it is enough.
        return msgspec.convert(content, CourseFile, builtin_types=(datetime, date, time))
    except msgspec.ValidationError as error:
        raise fault(file, content, CourseFile, str(error)) from None


def _refuse_duplicate_names(file: Path, key: str, names: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        earlier = first.setdefault(name, index)
        if earlier != index:
            found = f"{shown(name)}, like {key}[{earlier}].name"
            raise CourseError(file, f"{key}[{index}].name", found, f"a name that no other {key.removesuffix('s')} has")


def _refuse_other_parts(file: Path, course: Course) -> None:
    """Refuses a part that is missing, unknown, or earlier than that of the assignment before."""
    names = [part.name for part in course.parts]
    reached = 0
    for index, assignment in enumerate(course.assignments):
        key, part = f"assignments[{index}].part", assignment.part
        if not names:
            if part is not None:
                found = f"{shown(part)}, though the course has no [[parts]]"
                raise CourseError(file, key, found, "the name of one of the [[parts]]")
            continue
        if part is None:
            raise CourseError(file, key, "missing", one_of(names))
        if part not in names:
            raise CourseError(file, key, shown(part), one_of(names, part))
        if names.index(part) < reached:
            found = f"{shown(part)}, after an assignment of {names[reached]}"
            raise CourseError(file, key, found, f"{one_of(names[reached:])}, for assignments follow their parts")
        reached = names.index(part)


def _refuse_building_on_later(file: Path, course: Course) -> None:
    """Refuses to build on what does not stand earlier in the course, so that nothing builds on itself in a circle."""
    names = [assignment.name for assignment in course.assignments]
    for index, assignment in enumerate(course.assignments):
        allowed = names[:index]
        for place, name in enumerate(assignment.builds_on):
            key = f"assignments[{index}].builds_on[{place}]"
            if not allowed:
                raise CourseError(file, key, shown(name), "an empty array, for no assignment stands earlier")
            if name not in allowed:
                later = ", which does not stand earlier" if name in names else ""
                raise CourseError(file, key, f"{shown(name)}{later}", one_of(allowed, name))
            if name in assignment.builds_on[:place]:
                raise CourseError(file, key, f"{shown(name)}, for the second time", "each assignment once")


def _refuse_missing_sources(file: Path, course: Course) -> None:
    for index, assignment in enumerate(course.assignments):
        folder = course.assignments_dir / assignment.name
        source = folder / f"{assignment.name}.md"
        if not source.is_file():
            absent = source if folder.is_dir() else folder
            found = f"{shown(assignment.name)}, but {absent.relative_to(course.root)} does not exist"
            allowed = "the name of a folder in assignments/ that holds NAME.md"
            raise CourseError(file, f"assignments[{index}].name", found, allowed)
