"""Diagnosers of randomness: answers that change though nothing else does, or stay though the generator changes."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import torch

from autograder.feedback.diagnosers.evidence import Evidence, argument_pairs, same_form
from autograder.feedback.diagnosers.gathering import is_zero
from autograder.feedback.likeness import same_answer
from autograder.sandbox.messages import generators_in
from autograder.sandbox.protocol import Request
from autograder.sandbox.values import Handle, same_question
from autograder.testing.student import Call

# Beyond so many, calls are not compared.
MOST_CALLS = 40


def not_repeatable(evidence: Evidence) -> str | None:
    """Two calls with the same arguments and the same generator state differ, where the reference's do not."""
    for a, b, agrees in _twins(evidence, with_generator=True):
        if agrees and not same_answer(a.reply, b.reply):
            return (
                "Two calls with the same arguments and a generator in the same state give different answers. "
                "Is there randomness that does not come from the generator: torch's or numpy's global state?"
            )
    return None


def remembers(evidence: Evidence) -> str | None:
    """Two calls with the same arguments, and no generator, differ."""
    for a, b, agrees in _twins(evidence, with_generator=False):
        if agrees and not same_answer(a.reply, b.reply):
            return (
                "Two calls with the same arguments give different answers. "
                "It depends on something else: global random state, or what an earlier call left behind."
            )
    return None


def ignores_the_generator(evidence: Evidence) -> str | None:
    """A generator that the reference draws from is in the same state after a call as before.

    Two calls were asked with one generator: the reference's answers differ, since the first call moves it on. If it is
    in the same state for the student's second call, the first drew nothing from it.
    """
    untouched = moved = 0
    for transcript, reference in evidence.transcripts:
        for i, j in combinations(range(min(len(transcript), len(reference))), 2):
            a, b = transcript[i].request, transcript[j].request
            if not generators_in(a) or not _alike_but_for_generators(a, b):
                continue
            if _same_states(a, b):
                untouched += not same_answer(reference[i], reference[j])
            else:
                moved += _one_origin(a, b)
    if not untouched or moved:
        return None
    return (
        "Where it was tried, nothing is drawn from the generator that is passed in: a call leaves it as it was. "
        "Randomness or a seed of its own does not count."
    )


def ignores_the_seed(evidence: Evidence) -> str | None:
    """Calls that differ in the state of the generator alone give one answer, where the reference's do not."""
    asked = [
        both for transcript, reference in evidence.transcripts for both in zip(transcript, reference, strict=False)
    ]
    alike = zeros = 0
    for (a, right), (b, other) in combinations(asked[:MOST_CALLS], 2):
        if not generators_in(a.request) or not _alike_but_for_generators(a.request, b.request):
            continue
        if _same_states(a.request, b.request) or a.reply.raised is not None:
            continue
        if not same_answer(a.reply, b.reply):
            return None
        alike += not same_answer(right, other)
        zeros += not same_answer(right, other) and is_zero(a.reply)
    if not alike:
        return None
    if zeros == alike:
        return (
            "Where calls that differ in the state of the generator alone were tried, the answer is 0 everywhere, and "
            "should not be. Is what is drawn multiplied by 0, or never written to the result?"
        )
    return (
        "Where it was tried, calls that differ in the state of the generator alone gave the same answer, and should "
        "not. Does what is drawn from the generator that is passed in reach the answer, or does a fixed seed stand in "
        "for it?"
    )


def _twins(evidence: Evidence, *, with_generator: bool) -> Iterator[tuple[Call, Call, bool]]:
    """Pairs of calls of one example that were asked alike, and whether the reference answers them alike."""
    for transcript, reference in evidence.transcripts:
        if len({(call.request.kind, call.request.name) for call in transcript}) > 1:
            continue  # What is asked between two calls may rightly change what they give.
        for i, j in combinations(range(min(len(transcript), len(reference))), 2):
            a, b = transcript[i].request, transcript[j].request
            if (
                a.kind != "call"
                or bool(generators_in(a)) != with_generator
                or isinstance(transcript[i].reply.value, Handle)
            ):
                continue
            if same_form(a, b) and all(same_question(x, y) for _, x, y in argument_pairs(a, b)):
                yield transcript[i], transcript[j], same_answer(reference[i], reference[j])


def _alike_but_for_generators(a: Request, b: Request) -> bool:
    return (
        a.kind == "call"
        and same_form(a, b)
        and all(isinstance(x, GENERATORS) or same_question(x, y) for _, x, y in argument_pairs(a, b))
    )


GENERATORS = (torch.Generator, np.random.Generator)


def _same_states(a: Request, b: Request) -> bool:
    return all(same_question(x, y) for _, x, y in argument_pairs(a, b) if isinstance(x, GENERATORS))


def _one_origin(a: Request, b: Request) -> bool:
    """Whether two generators in different states began from one seed, so that one was drawn from."""
    both = zip(generators_in(a), generators_in(b), strict=False)
    return any(isinstance(x, torch.Generator) and x.initial_seed() == y.initial_seed() for x, y in both)
