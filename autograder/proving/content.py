"""What of an assignment its proofs are about, and where they are kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from autograder.course import Course
from autograder.notebooks.source import read_source
from autograder.proving.basis import basis_of
from autograder.proving.equivalents import FILE as EQUIVALENTS
from autograder.proving.equivalents import exercise_of, read_equivalents, wrong_entries
from autograder.proving.mutants import mutants_of, unchanged
from autograder.proving.mutations import VERSION
from autograder.proving.strength import FILE as STRENGTH
from autograder.proving.strength import Kept, Strength, complaints, read_strength, write_strength
from autograder.proving.verdicts import UNCHANGED, Verdict, Wrong
from autograder.testing.assignment import Assignment, Exercise, load_assignment
from autograder.testing.kinds import DeclarationError


@dataclass(frozen=True)
class Content:
    """What of an assignment its proofs are about, and where they are kept.

    Attributes:
        course, assignment: what is proved.
        equivalents: the reason for each mutant that is no mistake.
        given: exercises whose guards stand in the stub.
        bases: for each exercise the hash of what its proof depends on.
    """

    course: Course
    assignment: Assignment
    equivalents: dict[str, str]
    given: frozenset[str]
    bases: dict[str, str]

    @classmethod
    def of(cls, course: Course, name: str) -> "Content":
        """Reads it.

        Raises:
            DeclarationError: ``equivalents.toml`` cannot be read.
        """
        assignment = load_assignment(course, name)
        equivalents = read_equivalents(course.solutions_dir / name / EQUIVALENTS)
        cells = read_source(course.assignments_dir / name / f"{name}.md")
        given = frozenset(cell.name for cell in cells if cell.role == "exercise" and not cell.refuses)
        bases = {
            exercise.name: basis_of(
                course,
                name,
                exercise,
                (
                    f"mutations {VERSION}",
                    f"guards given {exercise.name in given}",
                    *sorted(mutant for mutant in equivalents if exercise_of(mutant) == exercise.name),
                ),
            )
            for exercise in assignment.exercises
        }
        return cls(course, assignment, equivalents, given, bases)

    @property
    def file(self) -> Path:
        """Where the proofs are kept."""
        return self.course.solutions_dir / self.assignment.name / STRENGTH

    def complaints(self, kept: Kept) -> Iterator[tuple[str, str]]:
        """Each exercise whose proof is missing, stale or of a false alarm, and the sentence that says so."""
        file = str(self.file.relative_to(self.course.root))
        yield from complaints(kept, self.bases, file, f"autograder verify --deep {self.assignment.name}")
        for mutant in self.equivalents:
            exercise = exercise_of(mutant)
            if exercise not in self.bases:
                yield exercise, f"{EQUIVALENTS} names {mutant!r}, which is no mutant any more"

    def unproved(self, *, only: str | None, seeds: int, again: bool) -> list[Exercise]:
        """The exercises that are to be proved, in the order of the assignment.

        Args:
            only: the one to look at; None for all of them.
            seeds: a proof of fewer is made again.
            again: whether those with a proof are proved too.
        Raises:
            DeclarationError: ``strength.toml`` cannot be read, or there is no such exercise.
        """
        if only is not None and only not in self.bases:
            raise DeclarationError(
                f"--only is {only!r}; allowed is an exercise of {self.assignment.name}: {', '.join(self.bases)}"
            )
        kept = read_strength(self.file)
        return [
            exercise
            for exercise in self.assignment.exercises
            if only in (None, exercise.name)
            and (again or _is_lacking(kept.get(exercise.name), self.bases[exercise.name], seeds))
        ]

    def wrong(self, exercise: Exercise) -> list[Wrong]:
        """An exercise's mistakes and mutants in the order of the reference, and its reference unchanged."""
        path = self.course.solutions_dir / self.assignment.name / "reference.py"
        source, file = path.read_text(encoding="utf-8"), str(path.relative_to(self.course.root))
        mutants = mutants_of(exercise.name, source, file, guards_given=exercise.name in self.given)
        return [
            *(Wrong(exercise.name, mistake.name) for mistake in exercise.mistakes),
            *(Wrong(exercise.name, mutant.id, mutant) for mutant in mutants),
            Wrong(exercise.name, UNCHANGED, unchanged(exercise.name, source, file)),
        ]

    def marked(self, verdict: Verdict) -> Verdict:
        """The verdict with the recorded reason why a mutant is no mistake."""
        return msgspec.structs.replace(verdict, equivalent=self.equivalents.get(verdict.id))

    def faults(self, exercise: Exercise, verdicts: Sequence[Verdict]) -> Iterator[str]:
        """Why nothing is proved by an exercise's verdicts."""
        for verdict in verdicts:
            if verdict.id == UNCHANGED and verdict.caught:
                failed = f"fails {', '.join(verdict.killers)}" if verdict.killers else "does not answer"
                yield f"{exercise.name}: the reference itself {failed} when it is judged as its mutants are"
        own = {mutant: why for mutant, why in self.equivalents.items() if exercise_of(mutant) == exercise.name}
        made = {verdict.id for verdict in verdicts if verdict.kind == "mutant"}
        told_apart = {verdict.id for verdict in verdicts if verdict.caught or verdict.caught_live}
        yield from wrong_entries(own, made, told_apart)

    def keep(self, exercise: Exercise, strength: Strength) -> None:
        """Writes an exercise's proof beside the others, which another run may have written meanwhile."""
        write_strength(self.file, {**read_strength(self.file), exercise.name: strength})

    def drop_what_is_gone(self) -> None:
        """Drops proofs of what is no exercise any more."""
        kept = read_strength(self.file)
        if kept.keys() - self.bases.keys():
            write_strength(self.file, {name: proof for name, proof in kept.items() if name in self.bases})


def _is_lacking(proof: Strength | None, basis: str, seeds: int) -> bool:
    return proof is None or proof.depends_on != basis or proof.seeds < seeds
