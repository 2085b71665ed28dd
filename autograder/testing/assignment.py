"""An assignment's content, loaded by path under module names of its own."""

import hashlib
import importlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from autograder.course import Course
from autograder.sandbox.forbidden.operations import NOTHING, Forbidden, Rules, RulesError
from autograder.testing.declarations import (
    Alternative,
    Check,
    Declaration,
    Mistake,
    declared_alternatives,
    declared_checks,
    declared_mistakes,
    declared_rules,
)
from autograder.testing.kinds import DeclarationError

SEARCH_EXAMPLES = 80


@dataclass(frozen=True)
class Exercise:
    """One function or class that a student writes. A released exercise has no hidden checks, mistakes, alternatives."""

    name: str
    points: float
    visible: tuple[Check, ...]
    hidden: tuple[Check, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    forbidden: Forbidden = NOTHING
    rules: Rules | None = None

    @property
    def on_devices(self) -> bool:
        """Whether its tensors have to be where its inputs are."""
        return self.rules is not None and self.rules.library == "torch"

    @property
    def vectorised(self) -> bool:
        """Whether no loop may run over an axis of an argument, but for those of `loops_over`."""
        return self.rules is not None and self.rules.vectorised

    @property
    def loops_over(self) -> tuple[str, ...]:
        """What the axes count over which a loop is right."""
        return () if self.rules is None else self.rules.loops_over

    @property
    def rules_say(self) -> str:
        """What the student has to keep to, in words; empty where there are no rules."""
        right = f"; one over {', '.join(self.loops_over)} is fine" if self.loops_over else ""
        asked = f"Vectorised code is asked for: no loop over an axis of an argument{right}." if self.vectorised else ""
        return f"{self.forbidden.says} {asked}".strip()

    @property
    def checks(self) -> tuple[Check, ...]:
        return self.visible + self.hidden


@dataclass(frozen=True)
class Assignment:
    """An assignment's exercises, and the names that its reference defines (none where students load it)."""

    name: str
    folder: Path
    exercises: tuple[Exercise, ...]
    reference: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def max_score(self) -> float:
        return round(sum(exercise.points for exercise in self.exercises), 6)

    def exercise(self, name: str) -> Exercise | None:
        return next((exercise for exercise in self.exercises if exercise.name == name), None)


def load_released(folder: Path) -> Assignment:
    """What a student has: the visible checks of a released folder.

    Raises:
        DeclarationError: ``checks.py`` is missing, or declares something that cannot be.
    """
    with _search_profile(), _modules_of(folder) as modules:
        visible = declared_checks(modules("checks"), visible=True)
        rules = _rules_of(folder, modules("checks"))
    return Assignment(folder.name, folder, tuple(_exercise(folder, rules, *entry) for entry in visible))


@dataclass(frozen=True)
class Solutions:
    """The names that an assignment's reference defines, and its known mistakes."""

    reference: Mapping[str, Any]
    mistakes: tuple[Mistake, ...]

    def of(self, exercise: str) -> tuple[Mapping[str, Any], tuple[Mistake, ...]]:
        """The reference, and the mistakes of an exercise."""
        return self.reference, tuple(mistake for mistake in self.mistakes if mistake.exercise == exercise)


def load_solutions(course: Course, name: str) -> Solutions:
    """The reference and the mistakes of an assignment, which remember nothing of earlier calls.

    Raises:
        DeclarationError: as `load_assignment`.
    """
    with _search_profile(), _modules_of(course.solutions_dir / name) as modules:
        reference = modules("reference")
        return Solutions(MappingProxyType(dict(vars(reference))), declared_mistakes(modules("mistakes")))


def load_assignment(course: Course, name: str) -> Assignment:
    """Everything of an assignment: checks, hidden checks, mistakes, alternatives and the reference's names.

    Raises:
        CourseError: the course has no such assignment.
        DeclarationError: a file is missing, or content declares something that cannot be.
    """
    course.assignment(name)
    folder = course.assignments_dir / name
    solutions = course.solutions_dir / name
    with _search_profile(), _modules_of(folder) as modules:
        visible = declared_checks(modules("checks"), visible=True)
        rules = _rules_of(folder, modules("checks"))
    with _search_profile(), _modules_of(solutions) as modules:
        reference = modules("reference")
        hidden = {declaration.name: checks for declaration, checks in declared_checks(modules("hidden"), visible=False)}
        mistakes = declared_mistakes(modules("mistakes"))
        alternatives = declared_alternatives(modules("alternatives"))
    names = {declaration.name for declaration, _ in visible}
    for what, used in (
        ("hidden.py", set(hidden)),
        ("mistakes.py", {mistake.exercise for mistake in mistakes}),
        ("alternatives.py", {alternative.exercise for alternative in alternatives}),
    ):
        if used - names:
            raise DeclarationError(
                f"{solutions / what}: {min(used - names)!r} is no exercise of {folder / 'checks.py'}"
            )
    for declaration, checks in visible:
        twice = {check.name for check in checks} & {check.name for check in hidden.get(declaration.name, ())}
        if twice:
            raise DeclarationError(
                f"{solutions / 'hidden.py'}: {declaration.name} has a check {min(twice)!r}, and so has "
                f"{folder / 'checks.py'}; a name of its own is allowed"
            )
    missing = [name for name in sorted(names) if not hasattr(reference, name)]
    if missing:
        raise DeclarationError(f"{solutions / 'reference.py'}: no function or class {missing[0]!r}")
    exercises = tuple(
        _exercise(
            folder,
            rules,
            declaration,
            checks,
            hidden=hidden.get(declaration.name, ()),
            mistakes=tuple(m for m in mistakes if m.exercise == declaration.name),
            alternatives=tuple(a for a in alternatives if a.exercise == declaration.name),
        )
        for declaration, checks in visible
    )
    return Assignment(name, folder, exercises, MappingProxyType(dict(vars(reference))))


def _rules_of(folder: Path, checks: ModuleType) -> Rules | None:
    try:
        return declared_rules(checks)
    except DeclarationError as error:
        raise DeclarationError(f"{folder / 'checks.py'}: {error}") from None


def _exercise(
    folder: Path, rules: Rules | None, declaration: Declaration, visible: tuple[Check, ...], **more: Any
) -> Exercise:
    if declaration.points is None:
        raise DeclarationError(f"{folder / 'checks.py'}: exercise {declaration.name!r} has no points")
    return Exercise(
        declaration.name,
        declaration.points,
        visible,
        forbidden=declaration.forbidden(rules),
        rules=declaration.rules_in(rules),
        **more,
    )


@contextmanager
def _modules_of(folder: Path) -> Iterator[Any]:
    """Imports the files of a folder as modules of a package that no other folder shares, anew each time."""
    package = f"autograder_content_{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
    parent = ModuleType(package)
    parent.__path__ = [str(folder.resolve())]
    sys.modules[package] = parent
    importlib.invalidate_caches()

    def load(stem: str) -> ModuleType:
        if not (folder / f"{stem}.py").is_file():
            raise DeclarationError(f"{folder / f'{stem}.py'} is missing")
        try:
            return importlib.import_module(f"{package}.{stem}")
        except (DeclarationError, RulesError) as error:
            raise DeclarationError(f"{folder / f'{stem}.py'}: {error}") from None

    yield load


@contextmanager
def _search_profile() -> Iterator[None]:
    """Hypothesis reads its settings where `given` stands, so the profile is set while content is imported."""
    # Even without a database Hypothesis writes a folder; not into the course or beside a student's notebook.
    set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "autograder-hypothesis")
    before = settings.get_current_profile_name()
    settings.register_profile(
        "autograder-search",
        max_examples=SEARCH_EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    settings.load_profile("autograder-search")
    try:
        yield
    finally:
        settings.load_profile(before)
