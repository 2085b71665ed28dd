"""Which known mistake a wrong answer looks like: its outputs equal the mistake's and not the right ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.examples.replay import Trial
from autograder.results import Diagnosis
from autograder.sandbox.protocol import Reply
from autograder.sandbox.values import Handle
from autograder.testing.comparison import TOLERANCES


def diagnose(trials: Sequence[Trial], says: Mapping[str, str]) -> Diagnosis | None:
    """Names the known mistake whose recorded answers are the student's.

    A mistake matches if on every failing example the student's calls gave what the mistake's gave, and this is
    not what the reference's gave. Of several, the one that also agrees on most of the examples that passed.

    Args:
        trials: every replayed example of the exercise, of passed and of failed checks.
        says: each mistake's sentence.
    """
    failing = [trial for trial in trials if trial.failure is not None]
    passing = [trial for trial in trials if trial.failure is None]
    best: tuple[int, str] | None = None
    for name in says:
        if not failing or not all(_explains(trial, name) for trial in failing):
            continue
        agreeing = sum(_same_calls(trial, trial.example.mistakes.get(name, ())) for trial in passing)
        if best is None or agreeing > best[0]:
            best = agreeing, name
    return Diagnosis(best[1], says[best[1]]) if best else None


def _explains(trial: Trial, mistake: str) -> bool:
    answers = trial.example.mistakes.get(mistake)
    return (
        answers is not None
        and _same_calls(trial, answers)
        and not (_same_calls(trial, trial.example.reference) and len(trial.example.reference) == len(answers))
    )


def _same_calls(trial: Trial, answers: Sequence[Reply]) -> bool:
    own = trial.replies
    return len(own) == len(answers) and all(same_answer(a, b) for a, b in zip(own, answers, strict=True))


def same_answer(own: Reply, recorded: Reply) -> bool:
    """Whether a reply is, within tolerance, a recorded one: the same exception, or the same value."""
    if own.raised is not None or recorded.raised is not None:
        return (own.raised and own.raised.type_name) == (recorded.raised and recorded.raised.type_name)
    return bool(own.changed) == bool(recorded.changed) and _same(own.value, recorded.value)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Handle):
        return bool(b == f"<{a.type_name}>")
    if isinstance(a, torch.Generator | np.random.Generator):
        return b is None
    if isinstance(a, Tensor):
        if not isinstance(b, Tensor) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        rtol, atol = TOLERANCES.get(str(a.dtype)[6:], (0.0, 0.0))
        if not a.dtype.is_floating_point and not a.is_complex():
            return torch.equal(a, b)
        return torch.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        rtol, atol = TOLERANCES.get(str(a.dtype), (0.0, 0.0))
        return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=a.dtype.kind in "fc"))
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return bool(np.isclose(a, b, rtol=1e-8, atol=1e-10, equal_nan=True))
    return type(a) is type(b) and bool(a == b)
