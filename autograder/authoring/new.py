"""Begins an assignment: its folders, with an exercise of each name that builds and verifies, and its row in the course.

The exercises are one and the same, softsign, under the names that were asked for; one called ``NAME_backward`` behind
its ``NAME`` is the gradient of that. An author replaces them piece by piece and always has something that runs.
"""

import keyword
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.authoring.course_row import row_of, with_row
from autograder.authoring.errors import AuthoringError
from autograder.course import BYTE_ORDER_MARK, COURSE_FILE, Course, course_from, course_root, course_text
from autograder.errors import one_of
from autograder.testing.comparison import TOLERANCE_RULE

# Each file by its template; what students get stands in assignments/, everything else in solutions/.
FILES = {
    "assignments/{name}/{name}.md": "assignment.md.j2",
    "assignments/{name}/checks.py": "checks.py.j2",
    "solutions/{name}/reference.py": "reference.py.j2",
    "solutions/{name}/hidden.py": "hidden.py.j2",
    "solutions/{name}/mistakes.py": "mistakes.py.j2",
    "solutions/{name}/alternatives.py": "alternatives.py.j2",
}
# Names that the first cell brings, or that the exercises call: one of their own would hide these, or forbid them.
TAKEN = frozenset({"Tensor", "abs", "check", "grading", "plt", "reference", "rules", "torch", "where"})
TAKEN |= {"require_positive", "require_same_shape"}
BACKWARD = "_backward"


@dataclass(frozen=True)
class NewExercise:
    """An exercise to begin with.

    Attributes:
        name: of the function.
        forward: the exercise whose gradient it is; empty where it is none.
        refuses: whether its guards are the student's to write; one exercise of a notebook teaches that.
    """

    name: str
    forward: str = ""
    refuses: bool = False

    @property
    def camel(self) -> str:
        """As its class of checks is called."""
        return "".join(word[:1].upper() + word[1:] for word in self.name.split("_"))

    @property
    def constant(self) -> str:
        """As its contract is called."""
        return self.name.upper()

    @property
    def mistakes(self) -> str:
        """What the names of its mistakes and alternatives begin with: they are functions of one module."""
        return self.name.lower()


def begin_assignment(
    start: Path,
    name: str,
    exercises: Sequence[str],
    *,
    title: str = "",
    part: str | None = None,
    builds_on: Sequence[str] = (),
) -> tuple[Path, ...]:
    """Writes a new assignment of the course around ``start``; all of it or nothing.

    Returns:
        The files written, the course's last.
    Raises:
        AuthoringError: a name is none or taken, or the part is unknown.
        CourseError: there is no course, or its file has a fault.
    """
    root = course_root(start)
    text = course_text(root)
    known = _known(root, text)
    _refuse_names(name, exercises)
    _refuse_taken(root, name, known)
    _refuse_part(known, part)
    title = title or name.replace("_", " ").capitalize()
    added = _with_assignment(root, text, known, row_of(name, title, part, builds_on), part)
    return _write(root, name, title, _new_exercises(exercises), added)


def _known(root: Path, text: str) -> Course | None:
    """The course as it is; None if it is only begun and has no assignment yet."""
    try:
        begun = "assignments" not in tomllib.loads(text.removeprefix(BYTE_ORDER_MARK))
    except tomllib.TOMLDecodeError:
        begun = False
    return None if begun else course_from(root, text)


def _refuse_names(name: str, exercises: Sequence[str]) -> None:
    if not (name.isascii() and name.isidentifier() and name == name.lower() and name[0] != "_"):
        allowed = "a lower-case identifier (letters a-z, digits and _, a letter first)"
        raise AuthoringError(f"The assignment's name is {name!r}, allowed is {allowed}.")
    if not exercises:
        raise AuthoringError("No exercise is named, needed is at least one.")
    seen: dict[str, str] = {}
    for exercise in exercises:
        if not (exercise.isascii() and exercise.isidentifier()) or keyword.iskeyword(exercise) or exercise[0] == "_":
            raise AuthoringError(f"The exercise {exercise!r} is no name of a function, allowed are a-z, 0-9 and _.")
        if exercise in TAKEN:
            raise AuthoringError(f"The exercise {exercise!r} has a name that the notebook needs itself, give another.")
        plain = exercise.replace("_", "").lower()
        if plain in seen:
            raise AuthoringError(f"The exercises {seen[plain]!r} and {exercise!r} need names that differ more.")
        seen[plain] = exercise


def _refuse_taken(root: Path, name: str, known: Course | None) -> None:
    if known is not None and name in [assignment.name for assignment in known.assignments]:
        raise AuthoringError(f"The assignment {name!r} stands in {root / COURSE_FILE} already, give another name.")
    for folder in (root / "assignments" / name, root / "solutions" / name):
        if folder.exists():
            raise AuthoringError(f"{folder} exists already, give another name or move it away.")


def _refuse_part(known: Course | None, part: str | None) -> None:
    names = [] if known is None else [one.name for one in known.parts]
    if part is None and names:
        raise AuthoringError(f"The course has parts: give --part, allowed is {one_of(names)}.")
    if part is not None and known is not None and part not in names:
        allowed = f"allowed is {one_of(names, part)}" if names else "and the course has no parts"
        raise AuthoringError(f"The course has no part {part!r}, {allowed}.")


def _with_assignment(root: Path, text: str, known: Course | None, row: str, part: str | None) -> str:
    """The course's file with the row behind the assignments of its part and of the parts before.

    Raises:
        CourseError: the row asks for something that is not allowed, such as building on what does not exist.
        AuthoringError: the row cannot be put in without changing another.
    """
    before = () if known is None else known.assignments
    order: dict[str | None, int] = {None: 0}
    order |= {one.name: number for number, one in enumerate(known.parts if known else ())}
    place = sum(order[one.part] <= order[part] for one in before)
    added = with_row(text, row, place)
    after = course_from(root, added).assignments
    if (*after[:place], *after[place + 1 :]) != before:
        raise AuthoringError(f"Where to add a row to {root / COURSE_FILE} cannot be told: add it by hand, then repeat.")
    return added


def _new_exercises(names: Sequence[str]) -> tuple[NewExercise, ...]:
    made: list[NewExercise] = []
    for number, name in enumerate(names):
        forward = name.removesuffix(BACKWARD)
        is_backward = forward != name and forward in names[:number]
        made.append(NewExercise(name, forward if is_backward else "", refuses=number == 0))
    return tuple(made)


def _write(root: Path, name: str, title: str, exercises: Sequence[NewExercise], course: str) -> tuple[Path, ...]:
    values = {
        "title": title,
        "exercises": exercises,
        "has_backward": any(exercise.forward for exercise in exercises),
        "tolerance_rule": TOLERANCE_RULE,
    }
    environment = Environment(
        loader=PackageLoader("autograder.authoring"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts = {root / at.format(name=name): environment.get_template(file).render(values) for at, file in FILES.items()}
    texts[root / COURSE_FILE] = course
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.write_bytes(text.encode())
            part.replace(path)
    except OSError as error:
        for folder in {path.parent for path in texts} - {root}:
            shutil.rmtree(folder, ignore_errors=True)
        raise AuthoringError(f"{error.filename} cannot be written: {error.strerror}.") from None
    return tuple(texts)
