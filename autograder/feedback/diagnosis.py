"""What a wrong answer looks like: a known mistake, an earlier exercise that fails, or a general kind of error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autograder.examples.replay import Trial
from autograder.examples.store import Examples
from autograder.feedback.diagnosers.gathering import findings
from autograder.feedback.generic import Generic, generic_word
from autograder.feedback.known import known_mistake
from autograder.results import Diagnosis
from autograder.testing.comparison import Mismatch


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
    trials: Sequence[Trial],
    words: Words,
    *,
    name: str = "",
    earlier: Earlier | None = None,
    checks: Sequence[str] = (),
) -> Diagnosis | None:
    """Says what a wrong solution looks like.

    That is the known mistake whose recorded answers are the student's; or what a check has read off its answers; or
    what kind of error it is in general; or the message of a check that says it all.

    Args:
        trials: every replayed example of the exercise, of passed and of failed checks.
        words: of the exercise.
        name: the exercise.
        earlier: what is known of earlier exercises.
        checks: of each trial the check that it belongs to, where it matters which ones a diagnosis is about.
    """
    earlier = earlier or Earlier()
    failing = [trial for trial in trials if trial.failure is not None]
    if not failing:
        return None
    uses = f"It uses `{earlier.failed[0]}`, which does not pass yet: mend that first." if earlier.failed else ""
    rest = "A mistake of its own may remain."
    known = known_mistake(trials, words.says)
    if known is not None:
        return Diagnosis(known.mistake, f"{known.says} {uses}".strip(), "known")
    if uses:
        return Diagnosis("earlier_exercise", f"{uses} {rest}", "generic")
    found = _read_off(failing) or generic_word(findings(trials), words.returns) or _by_message(failing)
    forward = name.removesuffix("_backward")
    # Not "the gradient is wrong": it may be what is refused, or how.
    alone = f"`{forward}` passes: what is wrong is in `{name}` alone."
    in_passing = alone if forward in earlier.passed - {name} else ""
    if found is not None:
        about = _checks_of(found.trials, trials, checks)
        return Diagnosis(found.kind, f"{in_passing} {found.says}".strip(), "generic", about)
    return Diagnosis("backward_only", in_passing, "generic") if in_passing else None


def _read_off(failing: Sequence[Trial]) -> Generic | None:
    """What the first check that can tell has read off a wrong answer."""
    for trial in failing:
        if isinstance(trial.failure, Mismatch) and trial.failure.says:
            return Generic("read_off", trial.failure.says, (trial,))
    return None


def _by_message(failing: Sequence[Trial]) -> Generic | None:
    """The first message of a check that compares no two values, and so says in words what is wrong."""
    for trial in failing:
        failure = trial.failure
        if type(failure) is Mismatch and failure.expected is None and failure.got is None:
            return Generic("by_message", failure.message, (trial,))
    return None


def _checks_of(own: Sequence[Trial], trials: Sequence[Trial], checks: Sequence[str]) -> tuple[str, ...]:
    """The checks to which trials belong; none where all that fail do."""
    chosen = {id(trial) for trial in own}
    named = [(check, trial) for check, trial in zip(checks, trials, strict=False) if trial.failure is not None]
    about = dict.fromkeys(check for check, trial in named if id(trial) in chosen)
    return tuple(about) if len(about) < len({check for check, _ in named}) else ()
