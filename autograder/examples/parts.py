"""The two halves of an assignment's recorded examples, and what each recorded check was made from."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import autograder.guards
import autograder.testing
from autograder.course import Course
from autograder.examples.dependencies import DECLARATION, reached, reached_modules
from autograder.examples.store import FORMAT
from autograder.testing.assignment import Exercise
from autograder.testing.declarations import Check

FIXED_SEED = "0"
# Where recording begins: what content is written with, and what searches, chooses and writes down.
ROOTS = {
    "autograder.testing": tuple(autograder.testing.__all__),
    "autograder.testing.assignment": ("load_assignment", "load_solutions"),
    "autograder.guards": tuple(name for name in vars(autograder.guards) if name.startswith("require_")),
    "autograder.examples.choosing": ("choose",),
    "autograder.examples.answers": ("answered",),
}
# What these do changes no recorded value: where files stand, what is read of a recording, devices other than the CPU,
# when a call is stopped, what is forbidden, and what is asked about code apart from its answers.
APART = frozenset(
    {
        "autograder.course",
        "autograder.examples.parts",
        "autograder.sandbox.axes",
        "autograder.sandbox.devices",
        "autograder.sandbox.forbidden.operations",
        "autograder.sandbox.forbidden.watching",
        "autograder.sandbox.inspection",
        "autograder.sandbox.limits",
        "autograder.sandbox.loops",
        "autograder.sandbox.placement",
        "autograder.sandbox.reach",
        "autograder.sandbox.steps",
    }
)


@dataclass(frozen=True)
class Part:
    """The released or the private half of an assignment's recorded examples.

    The released one has the visible checks, drawn with a public seed. The private one has the hidden checks, and the
    visible ones again with the course's own seed, so that knowing the released answers earns nothing.
    """

    course: Course
    name: str
    visible: bool

    @property
    def path(self) -> Path:
        """Where the examples are kept."""
        if self.visible:
            return self.course.assignments_dir / self.name / "examples.npz"
        return self.course.build_dir / "examples" / f"{self.name}.npz"

    @property
    def checks(self) -> Path:
        """The file of checks that they belong to."""
        if self.visible:
            return self.course.assignments_dir / self.name / "checks.py"
        return self.course.solutions_dir / self.name / "hidden.py"

    def checks_of(self, exercise: Exercise) -> tuple[Check, ...]:
        """The checks of an exercise whose examples are in this half."""
        return exercise.visible if self.visible else exercise.checks

    def file_of(self, check: Check) -> Path:
        """Where a check is written."""
        return Part(self.course, self.name, check.visible).checks

    def key(self, exercise: Exercise, check: Check) -> str:
        """Hash of all that a check's examples depend on: content, this program's own code, libraries, seed."""
        solutions = self.course.solutions_dir / self.name
        parts = [str(FORMAT), self.seed(), str(self.course.examples.per_check), *surroundings()]
        words = {exercise.name, check.name, check.owner.__name__, *(mistake.name for mistake in exercise.mistakes)}
        if check.body.__module__ != check.owner.__module__:
            # Made by the contract of the class, or taken from a class of `autograder.testing`.
            words.add(DECLARATION)
        for file in (self.file_of(check), solutions / "mistakes.py", solutions / "reference.py"):
            text, found = reached(file, words)
            words |= found
            parts.append(text)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def seed(self) -> str:
        """The seed of the search: public for released examples, the course's own for private ones."""
        return f"visible {self.name}" if self.visible else f"{course_seed(self.course)} {self.name}"


@cache
def surroundings() -> tuple[str, ...]:
    """Versions of the libraries, and a hash of what our own code means, on which all examples depend."""
    libraries = [f"{library}=={version(library).split('+')[0]}" for library in ("torch", "numpy", "hypothesis")]
    ours = "\n".join(reached_modules(ROOTS, APART).values())
    return (*libraries, hashlib.sha256(ours.encode()).hexdigest())


def course_seed(course: Course) -> str:
    """The course's secret seed, made on first use; under ``CI`` a fixed one."""
    if os.environ.get("CI"):
        return FIXED_SEED
    path = course.private_dir / "seed"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(16) + "\n")
    return path.read_text().strip()
