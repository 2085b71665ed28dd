"""How far two answers are apart, in units of what their dtype can tell apart."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.sandbox.protocol import Reply
from autograder.sandbox.values import Handle
from autograder.testing.comparison import TOLERANCES

# Relative and absolute tolerance by dtype.
Tolerances = Mapping[str, tuple[float, float]]


def same_answer(own: Reply, recorded: Reply) -> bool:
    """Whether a reply is, within tolerance, a recorded one: the same exception, or the same value."""
    return distance(own, recorded) <= 1


def same_value(a: Any, b: Any) -> bool:
    """Whether ``a``, a student's value, is the recorded ``b``: type, dtype, shape, and entries within tolerance."""
    return value_distance(a, b) <= 1


def distance(own: Reply, recorded: Reply, tolerances: Tolerances = TOLERANCES) -> float:
    """How far a reply is from a recorded one: 0 the same, up to 1 within tolerance, infinity another kind of answer."""
    if own.raised is not None or recorded.raised is not None:
        alike = (own.raised and own.raised.type_name) == (recorded.raised and recorded.raised.type_name)
        return 0.0 if alike else math.inf
    if bool(own.changed) != bool(recorded.changed):
        return math.inf
    return value_distance(own.value, recorded.value, tolerances)


def value_distance(a: Any, b: Any, tolerances: Tolerances = TOLERANCES) -> float:
    """How far ``a``, a student's value, is from the recorded ``b``, as `distance` counts it."""
    if isinstance(a, Handle):
        return _unless(isinstance(b, str) and b == f"<{a.type_name}>")
    if isinstance(a, torch.Generator | np.random.Generator):
        return _unless(b is None)
    if isinstance(a, Tensor | np.ndarray):
        wanted = Tensor if isinstance(a, Tensor) else np.ndarray
        if not isinstance(b, wanted) or a.dtype != b.dtype or a.shape != b.shape:
            return math.inf
        return _apart(_wide(a), _wide(b), *tolerance(b, tolerances))
    if isinstance(a, list | tuple):
        if type(a) is not type(b) or len(a) != len(b):
            return math.inf
        return max((value_distance(x, y, tolerances) for x, y in zip(a, b, strict=True)), default=0.0)
    if isinstance(a, dict):
        if not isinstance(b, dict) or a.keys() != b.keys():
            return math.inf
        return max((value_distance(a[key], b[key], tolerances) for key in a), default=0.0)
    if isinstance(a, float) and isinstance(b, float):
        return _apart(np.asarray(a), np.asarray(b), *tolerance(b, tolerances))
    return _unless(type(a) is type(b) and bool(a == b))


def tolerance(value: Any, tolerances: Tolerances = TOLERANCES) -> tuple[float, float]:
    """Relative and absolute tolerance for an expected array, tensor or number; zero where it has to be exact."""
    if isinstance(value, Tensor | np.ndarray):
        return tolerances.get(str(value.dtype).removeprefix("torch."), (0.0, 0.0))
    return tolerances["float64"] if isinstance(value, float) else (0.0, 0.0)


def _unless(same: bool) -> float:
    return 0.0 if same else math.inf


def _apart(a: np.ndarray, b: np.ndarray, rtol: float, atol: float) -> float:
    """The largest difference in units of the tolerance; infinity where one is no number and the other is another."""
    if a.dtype.kind not in "fciub":
        return _unless(bool(np.array_equal(a, b)))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if bool(same.all()):
        return 0.0
    if not rtol and not atol:
        return math.inf
    with np.errstate(all="ignore"):
        apart = np.abs(a - b) / (atol + rtol * np.abs(b))
    return float(np.where(same, 0.0, np.where(np.isfinite(apart), apart, math.inf)).max())


def _wide(x: Any) -> np.ndarray:
    if isinstance(x, np.ndarray):
        return x.astype(np.float64) if x.dtype.kind == "f" else x
    if x.is_floating_point():
        x = x.to(torch.float64)
    return np.asarray(x.detach().cpu().resolve_conj().numpy())
