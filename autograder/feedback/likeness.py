"""Whether two answers are one answer, within tolerance."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.sandbox.protocol import Reply
from autograder.sandbox.values import Handle
from autograder.testing.comparison import TOLERANCES


def same_answer(own: Reply, recorded: Reply) -> bool:
    """Whether a reply is, within tolerance, a recorded one: the same exception, or the same value."""
    if own.raised is not None or recorded.raised is not None:
        return (own.raised and own.raised.type_name) == (recorded.raised and recorded.raised.type_name)
    return bool(own.changed) == bool(recorded.changed) and same_value(own.value, recorded.value)


def same_value(a: Any, b: Any) -> bool:
    """Whether ``a``, a student's value, is the recorded ``b``: type, dtype, shape, and entries within tolerance."""
    if isinstance(a, Handle):
        return isinstance(b, str) and b == f"<{a.type_name}>"
    if isinstance(a, torch.Generator | np.random.Generator):
        return b is None
    if isinstance(a, Tensor):
        if not isinstance(b, Tensor) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        rtol, atol = tolerance(a)
        if not a.dtype.is_floating_point and not a.is_complex():
            return torch.equal(a, b)
        return torch.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.dtype.kind not in "fc":
            return bool(np.array_equal(a, b))
        rtol, atol = tolerance(a)
        return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True))
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same_value(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        rtol, atol = tolerance(a)
        return bool(np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True))
    return type(a) is type(b) and bool(a == b)


def tolerance(value: Any) -> tuple[float, float]:
    """Relative and absolute tolerance for an expected array, tensor or number; zero where it has to be exact."""
    if isinstance(value, Tensor | np.ndarray):
        return TOLERANCES.get(str(value.dtype).removeprefix("torch."), (0.0, 0.0))
    return TOLERANCES["float64"] if isinstance(value, float) else (0.0, 0.0)
