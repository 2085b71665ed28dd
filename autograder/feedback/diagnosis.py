"""What a wrong answer looks like: a known mistake, an earlier exercise that fails, or a general kind of error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.examples.replay import Trial
from autograder.feedback.diagnosers import first_word
from autograder.feedback.diagnosers.evidence import gather
from autograder.feedback.likeness import same_answer
from autograder.results import Diagnosis
from autograder.sandbox.protocol import Reply
from autograder.sandbox.values import same_data

# Where no mistake explains every failing example, several together have to explain this share of them.
MOST = 0.75


@dataclass(frozen=True)
class Earlier:
    """How a solution depends on earlier exercises of its assignment.

    Attributes:
        failed: earlier exercises that the solution uses and that do not pass, in order.
        passed: those that pass, used or not.
    """

    failed: tuple[str, ...] = ()
    passed: frozenset[str] = frozenset()


def diagnose(
    trials: Sequence[Trial], says: Mapping[str, str], *, name: str = "", earlier: Earlier | None = None
) -> Diagnosis | None:
    """Names the known mistake whose recorded answers are the student's, or else what kind of error it is.

    A mistake matches if on every failing example the student's calls gave what the mistake's gave, and this is
    not what the reference's gave. Of several, the one that also agrees on most of the examples that passed.

    Args:
        trials: every replayed example of the exercise, of passed and of failed checks.
        says: each mistake's sentence.
        name: the exercise.
        earlier: what is known of earlier exercises.
    """
    earlier = earlier or Earlier()
    if all(trial.failure is None for trial in trials):
        return None
    uses = f"It uses `{earlier.failed[0]}`, which does not pass yet: mend that first." if earlier.failed else ""
    rest = "A mistake of its own may remain."
    known = _known(trials, says)
    if known is not None:
        return Diagnosis(known.mistake, f"{known.says} {uses}".strip(), "known")
    if uses:
        return Diagnosis("earlier_exercise", f"{uses} {rest}", "generic")
    generic = first_word(gather(trials))
    forward = name.removesuffix("_backward")
    in_passing = f"`{forward}` passes, so only the gradient is wrong." if forward in earlier.passed - {name} else ""
    if generic is not None:
        return Diagnosis(generic[0], f"{in_passing} {generic[1]}".strip(), "generic")
    return Diagnosis("backward_only", in_passing, "generic") if in_passing else None


def _known(trials: Sequence[Trial], says: Mapping[str, str]) -> Diagnosis | None:
    failing = [trial for trial in trials if trial.failure is not None]
    passing = [trial for trial in trials if trial.failure is None]
    explained = {name: _explained(failing, name) for name in says}
    whole = [name for name in says if len(explained[name]) == len(failing)]
    if not whole:
        return _first_of_several(explained, len(failing), says)
    agreeing = {name: sum(_same_calls(t, t.example.mistakes.get(name, ())) for t in passing) for name in whole}
    most = max(agreeing.values())
    best = [name for name in whole if agreeing[name] == most]
    sentences = list(dict.fromkeys(says[name] for name in best))[:2]
    return Diagnosis(best[0], " Or it is this: ".join(sentences))


def _explained(failing: Sequence[Trial], mistake: str) -> frozenset[int]:
    """Which failing examples a mistake explains; where it explains any, also those that tell nothing either way."""
    told = frozenset(i for i, trial in enumerate(failing) if _explains(trial, mistake))
    return told | frozenset(i for i, trial in enumerate(failing) if told and _raises_alike(trial, mistake))


def _first_of_several(
    explained: Mapping[str, frozenset[int]], failing: int, says: Mapping[str, str]
) -> Diagnosis | None:
    """The mistake that explains most of the failing examples, if others explain more of what it leaves."""
    by_size = sorted((name for name in says), key=lambda name: -len(explained[name]))
    if len(by_size) < 2 or len(explained[by_size[0]]) < 2:
        return None
    first = by_size[0]
    others = [explained[name] - explained[first] for name in by_size[1:]]
    rest = max(others, key=len)
    if not rest or len(explained[first] | frozenset().union(*others)) < MOST * failing:
        return None
    share = f"It explains {len(explained[first])} of the {failing} examples that fail"
    return Diagnosis(first, f"{says[first]} {share}; mend it first, another mistake remains.")


def _explains(trial: Trial, mistake: str) -> bool:
    answers = trial.example.mistakes.get(mistake)
    if answers is None or not _same_calls(trial, answers):
        return False
    right = trial.example.reference
    if not (_same_calls(trial, right) and len(right) == len(answers)):
        return True
    # A check that looks closer than the usual tolerance tells answers apart by their last digits.
    return _exactly(trial, answers) and not _exactly(trial, right)


def _raises_alike(trial: Trial, mistake: str) -> bool:
    """Whether student, mistake and reference raise one exception: then only what it says was wrong."""
    answers = trial.example.mistakes.get(mistake)
    if answers is None or not any(reply.raised for reply in trial.replies):
        return False
    return _same_calls(trial, answers) and _same_calls(trial, trial.example.reference)


def _exactly(trial: Trial, answers: Sequence[Reply]) -> bool:
    return all(same_data(own.value, other.value) for own, other in zip(trial.replies, answers, strict=True))


def _same_calls(trial: Trial, answers: Sequence[Reply]) -> bool:
    own = trial.replies
    return len(own) == len(answers) and all(same_answer(a, b) for a, b in zip(own, answers, strict=True))
