"""What a wrong answer looks like: a known mistake, an earlier exercise that fails, or a general kind of error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autograder.examples.replay import Trial
from autograder.examples.store import Examples
from autograder.feedback.diagnosers.gathering import findings
from autograder.feedback.generic import generic_word
from autograder.feedback.known import known_mistake
from autograder.results import Diagnosis


@dataclass(frozen=True)
class Earlier:
    """How a solution depends on earlier exercises of its assignment.

    Attributes:
        failed: earlier exercises that the solution uses and that do not pass, in order.
        passed: those that pass, used or not.
    """

    failed: tuple[str, ...] = ()
    passed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Words:
    """What a diagnosis says and calls by name.

    Attributes:
        says: each known mistake's sentence.
        returns: what the exercise's results are called, in order; empty where nobody has named them.
    """

    says: Mapping[str, str] = field(default_factory=dict)
    returns: tuple[str, ...] = ()


def words_of(exercise: str, examples: Examples) -> Words:
    """The words that are recorded with an exercise's examples."""
    return Words(examples.says(exercise), examples.returns(exercise))


def diagnose(
    trials: Sequence[Trial], words: Words, *, name: str = "", earlier: Earlier | None = None
) -> Diagnosis | None:
    """Names the known mistake whose recorded answers are the student's, or else what kind of error it is.

    Args:
        trials: every replayed example of the exercise, of passed and of failed checks.
        words: of the exercise.
        name: the exercise.
        earlier: what is known of earlier exercises.
    """
    earlier = earlier or Earlier()
    if all(trial.failure is None for trial in trials):
        return None
    uses = f"It uses `{earlier.failed[0]}`, which does not pass yet: mend that first." if earlier.failed else ""
    rest = "A mistake of its own may remain."
    known = known_mistake(trials, words.says)
    if known is not None:
        return Diagnosis(known.mistake, f"{known.says} {uses}".strip(), "known")
    if uses:
        return Diagnosis("earlier_exercise", f"{uses} {rest}", "generic")
    generic = generic_word(findings(trials), words.returns)
    forward = name.removesuffix("_backward")
    in_passing = f"`{forward}` passes, so only the gradient is wrong." if forward in earlier.passed - {name} else ""
    if generic is not None:
        return Diagnosis(generic[0], f"{in_passing} {generic[1]}".strip(), "generic")
    return Diagnosis("backward_only", in_passing, "generic") if in_passing else None
