"""Draws a check's examples with Hypothesis, and chooses those that are worth replaying."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.examples.answers import rehearsal, runner_of
from autograder.examples.parts import Part
from autograder.examples.replay import replay, run_once
from autograder.examples.search import NAMED, search
from autograder.examples.store import Recorded
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.values import arrays_in
from autograder.sandbox.wire import Pack, encode
from autograder.testing.assignment import Exercise
from autograder.testing.declarations import Check, Mistake

# What a check's examples are chosen from; a live search looks further. Where released examples show already that the
# mistakes are caught, and of what is refused, fewer do.
DRAWS, DRAWS_AGAIN, DRAWS_OF_REFUSALS = 48, 24, 12
# So many of a visible check's released examples are among the private ones, and so many has a check of refusals.
FEW = 3
# A counterexample with so few numbers and words in it, or with so many times those of the smallest example there is,
# is as small as students need it.
SMALL, NEARLY = 6, 2

Values = dict[str, Any]


class BuildError(Exception):
    """An assignment cannot be built; the sentence says what its author has to mend."""


def choose(
    check: Check, exercise: Exercise, reference: Mapping[str, Any], part: Part, released: Recorded | None = None
) -> list[Values]:
    """The examples of a check that are worth replaying, smallest first.

    First those that kill mistakes; then edge cases that it names; then a spread by size. Private examples of a visible
    check begin with a few of its ``released`` ones.

    Raises:
        BuildError: the reference fails the check.
    """
    seed = int.from_bytes(hashlib.sha256(f"{part.seed()} {check.exercise} {check.name}".encode()).digest()[:4], "big")
    pool, named = _drawn(check, reference, part, seed)
    mistakes = [wrong for wrong in _likely_killed(check, exercise) if not _is_harmless(wrong, released)]
    runners = {mistake.name: _runner(mistake, reference) for mistake in mistakes}
    killers = [] if released is None else _few_released(check, runners, released)
    for mistake, runner in zip(mistakes, runners.values(), strict=True):
        if any(_kills(check, runner, one) for one in killers):
            continue
        smallest = next((one for one in pool if _kills(check, runner, one)), None)
        if smallest is None:
            continue
        # What students see is made small; a private example is one of those that were drawn.
        is_large = size(_values(smallest))[0] > max(SMALL, NEARLY * size(_values(pool[0]))[0])
        if part.visible and is_large and mistake.kind == check.kind:
            found = search(check, runner, seed, named_examples=False)
            made_small = [draw.values for draw in found if draw.failure is not None]
            values = min([_values(smallest), *made_small], key=size)
            smallest = rehearsal(check, values, run_once(check, InProcess(reference), values)[0])
        killers.append(smallest)
    # What is refused is given to students and worth little.
    wanted = FEW if check.kind == "refusal" else part.course.examples.per_check
    kept: dict[str, Values] = {}
    for values in [*map(_values, killers), *named, *_spread([*map(_values, pool)], wanted)]:
        if len(kept) < wanted:
            kept.setdefault(_identity(values), values)
    return sorted(kept.values(), key=size)


def _drawn(check: Check, reference: Mapping[str, Any], part: Part, seed: int) -> tuple[list[Recorded], list[Values]]:
    """What a search on the reference draws, each once and smallest first; and what the check names itself."""
    count = DRAWS if part.visible or not check.visible else DRAWS_AGAIN
    count = DRAWS_OF_REFUSALS if check.kind == "refusal" else count
    draws = search(check, InProcess(reference), seed, draws_at_most=count)
    for draw in draws:
        if draw.failure is not None:
            raise BuildError(
                f"{part.file_of(check)}: the reference fails {check.exercise}.{check.name} on {draw.values}: "
                f"{draw.failure}"
            )
    different = {_identity(draw.values): draw for draw in draws}.values()
    pool = [rehearsal(check, d.values, d.transcript) for d in sorted(different, key=lambda draw: size(draw.values))]
    return pool, [draw.values for draw in draws[: len(getattr(check.test, NAMED, ()))]]


def _values(one: Recorded) -> Values:
    return one.examples[0].values


def _likely_killed(check: Check, exercise: Exercise) -> list[Mistake]:
    """The mistakes that a check is there to catch, then wrong ideas, which show in cases and refusals, too."""
    own = [mistake for mistake in exercise.mistakes if mistake.kind == check.kind]
    return own + [mistake for mistake in exercise.mistakes if mistake.kind == "idea" != check.kind]


def _is_harmless(mistake: Mistake, released: Recorded | None) -> bool:
    """Whether a mistake answers all released examples like the reference: others would hardly tell them apart."""
    if released is None:
        return False
    return all(example.mistakes.get(mistake.name) is example.reference for example in released.examples)


def _runner(mistake: Mistake, reference: Mapping[str, Any]) -> InProcess:
    return runner_of({**reference, mistake.exercise: mistake.solution})


def _kills(check: Check, runner: InProcess, one: Recorded) -> bool:
    """Whether the check fails on an example; where the answers are the reference's it need not even run."""
    return replay(check, runner, one)[0].failure is not None


def _few_released(check: Check, runners: Mapping[str, InProcess], released: Recorded) -> list[Recorded]:
    """A few released examples: those that kill mistakes, then the smallest."""
    few: list[int] = []
    examples = released.examples
    for name, runner in runners.items():
        # Where a mistake answers like the reference it need not run.
        differing = [i for i, example in enumerate(examples) if example.mistakes.get(name) is not example.reference]
        for i in sorted(differing, key=lambda i: i not in few):
            if len(few) < FEW and _kills(check, runner, released.alone(i)):
                few += [i] if i not in few else []
                break
    few += [i for i in range(len(examples)) if i not in few]
    return [released.alone(i) for i in few[:FEW]]


def _spread(pool: list[Values], count: int) -> list[Values]:
    """Examples from large to small at even distances, the largest first."""
    places = np.linspace(len(pool) - 1, 0, min(count, len(pool))).round().astype(int)
    return [pool[i] for i in places]


def size(values: Values) -> tuple[int, float, str]:
    """How much there is to read in an example: entries, then how large the numbers are, then its text."""
    arrays = arrays_in(values)
    entries = sum(int(np.prod(array.shape)) for array in arrays)
    magnitude = sum(float(np.abs(np.nan_to_num(_float64(array))).sum()) for array in arrays)
    parts = list(_parts(list(values.values())))
    magnitude += sum(min(abs(part), 1e300) for part in parts if isinstance(part, int | float) and not math.isnan(part))
    return entries + len(parts), magnitude, _identity(values)


def _parts(value: Any) -> Iterator[Any]:
    """The numbers, words and other single things inside a value."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)
    elif not arrays_in(value):
        yield value


def _float64(array: Any) -> Any:
    return np.asarray(array.double() if hasattr(array, "double") else array, dtype=np.float64)


def _identity(values: Values) -> str:
    pack = Pack()
    tree = {name: encode(value, pack) for name, value in values.items()}
    return json.dumps(tree) + hashlib.sha256(bytes(pack.data)).hexdigest()
