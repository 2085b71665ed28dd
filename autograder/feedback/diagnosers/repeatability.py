"""Diagnosers of randomness: answers that change though nothing else does, or stay though the generator changes."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import torch

from autograder.feedback.diagnosers.evidence import Evidence, argument_pairs, same_form
from autograder.feedback.likeness import same_answer
from autograder.sandbox.messages import generators_in
from autograder.sandbox.protocol import Request
from autograder.sandbox.values import Handle, same_question
from autograder.testing.student import Call


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
    """Calls that differ in the generator's state alone agree, where the reference's do not."""
    agree = [
        same_answer(transcript[i].reply, transcript[j].reply)
        for transcript, reference in evidence.transcripts
        for i, j in combinations(range(min(len(transcript), len(reference))), 2)
        if _differ_in_generator_alone(transcript[i].request, transcript[j].request)
        and not same_answer(reference[i], reference[j])
    ]
    if not agree or not all(agree):
        return None
    return (
        "Generators in different states give the same answer. Is anything drawn from the generator that is passed in?"
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


def _differ_in_generator_alone(a: Request, b: Request) -> bool:
    if a.kind != "call" or not same_form(a, b):
        return False
    differing = [x for _, x, y in argument_pairs(a, b) if not same_question(x, y)]
    return len(differing) == 1 and isinstance(differing[0], torch.Generator | np.random.Generator)
