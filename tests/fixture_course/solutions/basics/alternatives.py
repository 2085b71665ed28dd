"""Correct solutions of the assignment on basics that go another way than the reference."""

from math import inf

import numpy as np
import torch

from autograder.guards import require_between, require_ndim, require_whole
from autograder.testing import alternative

from .reference import recording, set_recording


@alternative("EarlyStopping")
class keeps_the_history:
    """Keeps every loss, and works out best and wait when asked."""

    def __init__(self, patience=3, min_delta=0.0):
        require_whole(1, patience=patience)
        self.patience, self.min_delta, self.losses = patience, min_delta, []

    def replayed(self):
        best, since = inf, 0
        for loss in self.losses:
            best, since = (loss, 0) if best - loss > self.min_delta else (best, since + 1)
        return best, since

    @property
    def best(self):
        return self.replayed()[0]

    @property
    def wait(self):
        return self.replayed()[1]

    def step(self, loss):
        self.losses.append(loss)
        return self.wait >= self.patience


@alternative("Variable")
class path_by_path:
    """Follows every path from the result to a leaf by itself; their products add up."""

    def __init__(self, value, slopes=()):
        self.value, self.grad, self.slopes = value, 0.0, slopes

    def __add__(self, other):
        if isinstance(other, int | float):
            return path_by_path(self.value + other, [(self, 1.0)])
        return path_by_path(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        if isinstance(other, int | float):
            return path_by_path(self.value * other, [(self, other)])
        return path_by_path(self.value * other.value, [(self, other.value), (other, self.value)])

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self, upstream=1.0):
        self.grad += upstream
        for node, slope in self.slopes:
            node.backward(upstream * slope)


@alternative("no_grad")
class by_a_class:
    def __enter__(self):
        self.before = recording()
        set_recording(False)
        return self

    def __exit__(self, kind, error, trace):
        set_recording(self.before)


@alternative("numerical_gradient")
def on_a_copy(f, x):
    moved, grad = x.copy(), []
    for i, entry in enumerate(x):
        moved[i] = entry + 1e-5
        above = f(moved)
        moved[i] = entry - 1e-5
        grad.append((above - f(moved)) / 2e-5)
        moved[i] = entry
    return np.array(grad)


@alternative("numerical_gradient")
def by_rows_of_the_identity(f, x):
    h = 1e-5 * np.eye(x.size)
    return (np.array([f(x + e) for e in h]) - np.array([f(x - e) for e in h])) / 2e-5


@alternative("dropout")
def by_bernoulli(x, p, *, training, generator):
    require_between(0, 1, p=p)
    if not training or p == 0:
        return x, torch.ones_like(x, dtype=torch.bool)
    mask = torch.empty_like(x).bernoulli_(1 - p, generator=generator)
    return (x * mask / (1 - p) if p < 1 else torch.zeros_like(x)), mask.bool()


@alternative("dropout")
def by_masking(x, p, *, training, generator):
    require_between(0, 1, p=p)
    dropped = torch.rand(x.shape, generator=generator, dtype=torch.float64, device=x.device) < (p if training else 0.0)
    return (x / (1 - p) if training else x).masked_fill(dropped, 0), ~dropped


@alternative("grade_letter")
def by_counting_limits(score):
    if score < 0 or score > 100:
        raise ValueError("score is out of range")
    return "FDCBA"[sum(score >= least for least in (60, 70, 80, 90))]


@alternative("standardize")
def column_by_column(x):
    require_ndim(2, x=x)
    result = np.empty_like(x)
    for j, column in enumerate(x.T):
        centred = column - column.mean()
        result[:, j] = 0 if (column == column[0]).all() else centred / np.sqrt((centred**2).mean())
    return result
