"""Whether points follow the lesson: the share of an exercise's points that each listed mistake costs."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from autograder.judging.scoring import CASES_ALONE, REFUSALS
from autograder.testing.assignment import Exercise
from autograder.testing.declarations import Mistake
from autograder.testing.kinds import KINDS, Kind

# A wrong idea leaves at most the rest.
IDEA_AT_LEAST = 0.80
ROUNDING = 1e-6


class MistakeShare(Struct, frozen=True):
    """What a listed mistake costs.

    Attributes:
        exercise, mistake: their names.
        kind: what is wrong: the idea, a case, or what is refused.
        stage: the idea of a staged exercise that is wrong; empty where it is all of it.
        lost: share of the exercise's points, from 0 to 1.
    """

    exercise: str
    mistake: str
    kind: Kind
    stage: str
    lost: float


def share_of(exercise: Exercise, mistake: Mistake, points: float) -> MistakeShare:
    """What a mistake costs that gets ``points``."""
    lost = round(1 - points / exercise.points, 4)
    return MistakeShare(exercise.name, mistake.name, mistake.kind, mistake.stage, lost)


def share_lines(shares: Sequence[MistakeShare]) -> Iterator[str]:
    """A line for each exercise: what its mistakes cost, by kind, in percent of its points."""
    if shares:
        yield "what each mistake costs, in percent:"
    for exercise in dict.fromkeys(share.exercise for share in shares):
        own = [share for share in shares if share.exercise == exercise]
        parts = []
        for kind in KINDS:
            costs = sorted((share for share in own if share.kind == kind), key=lambda share: share.lost, reverse=True)
            if costs:
                parts.append(f"{kind} {', '.join(f'{share.mistake} {100 * share.lost:.0f}' for share in costs)}")
        yield f"  {exercise}: {'; '.join(parts)}"


def complaint(exercise: Exercise, share: MistakeShare) -> str | None:
    """Why a mistake costs too little or too much for its kind; None where it does not."""
    costs = f"the mistake {share.mistake} is about {_about(share)} and costs {share.lost:.0%}"
    match share.kind:
        case "idea":
            stages = _stages(exercise)
            if share.stage and share.stage not in stages:
                return f"the mistake {share.mistake} names the stage {share.stage!r}, and no check is about it"
            least = IDEA_AT_LEAST * (stages[share.stage] if share.stage else 1.0)
            return f"{costs}, at least {least:.0%} is asked" if share.lost < least - ROUNDING else None
        case "case":
            most = CASES_ALONE
        case "refusal":
            most = REFUSALS
    return f"{costs}, at most {most:.0%} is allowed" if share.lost > most + ROUNDING else None


def _about(share: MistakeShare) -> str:
    if share.kind == "idea":
        return f"the idea {share.stage!r}" if share.stage else "the idea"
    return "a case" if share.kind == "case" else "a refusal"


def _stages(exercise: Exercise) -> dict[str, float]:
    """The share of each stage among the exercise's ideas."""
    weights: dict[str, float] = {}
    for check in exercise.checks:
        if check.kind == "idea":
            weights[check.stage] = max(check.weight, weights.get(check.stage, 0.0))
    total = sum(weights.values())
    return {stage: weight / total for stage, weight in weights.items()}
