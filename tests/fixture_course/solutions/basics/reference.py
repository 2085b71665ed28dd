"""Reference solutions of the assignment on basics.

The functions above the first exercise stand in the notebook's setup cell too: an exercise cell holds one definition.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from math import inf

import numpy as np
import torch
from torch import Tensor

from autograder.guards import require_between, require_ndim, require_whole

STATE = {"recording": True}


def recording() -> bool:
    """Whether operations are recorded at the moment."""
    return STATE["recording"]


def set_recording(on: bool) -> None:
    """Switches recording on or off."""
    STATE["recording"] = on


def fails_inside(context: AbstractContextManager) -> bool:
    """Raises an error inside ``with context`` and says whether it came out again."""
    try:
        with context:
            raise ArithmeticError("an error on purpose")
    except ArithmeticError:
        return True
    return False


class EarlyStopping:
    """Says when training should stop: the loss has not improved for a while.

    A loss improves if it is below the best one by more than ``min_delta``; only then does it become the best one.

    Args:
        patience: how many calls in a row without improvement are too many; at least 1.
        min_delta: what an improvement has to exceed.
    Attributes:
        best (float): the best loss so far, at first infinity.
        wait (int): calls since it was found.
    Raises:
        ValueError: ``patience`` is less than 1.
    Source: Prechelt (1998), "Early Stopping - But When?".
    """

    def __init__(self, patience: int = 3, min_delta: float = 0.0) -> None:
        require_whole(1, patience=patience)
        self.patience = patience
        self.min_delta = min_delta
        self.best = inf
        self.wait = 0

    def step(self, loss: float) -> bool:
        """Takes the loss of one more epoch; True if training should stop."""
        if loss < self.best - self.min_delta:
            self.best = loss
            self.wait = 0
        else:
            self.wait += 1
        return self.wait >= self.patience


class Variable:
    """A number that remembers how it was computed.

    Sums and products of variables, and of variables and plain numbers, are variables.

    Args:
        value: the number.
    Attributes:
        value (float): the number.
        grad (float): derivative of the variable that ``backward`` was called on with respect to this one; 0 before.
    Source: Linnainmaa (1970), the reverse mode of automatic differentiation.
    """

    def __init__(self, value: float) -> None:
        self.value = value
        self.grad = 0.0
        self.parents: list[tuple[Variable, float]] = []

    def __add__(self, other: "Variable | float") -> "Variable":
        """self + other."""
        other = other if isinstance(other, Variable) else Variable(other)
        total = Variable(self.value + other.value)
        total.parents = [(self, 1.0), (other, 1.0)]
        return total

    def __radd__(self, other: float) -> "Variable":
        """other + self, for a plain number on the left."""
        return self + other

    def __mul__(self, other: "Variable | float") -> "Variable":
        """self * other."""
        other = other if isinstance(other, Variable) else Variable(other)
        product = Variable(self.value * other.value)
        product.parents = [(self, other.value), (other, self.value)]
        return product

    def __rmul__(self, other: float) -> "Variable":
        """other * self, for a plain number on the left."""
        return self * other

    def backward(self) -> None:
        """Adds to the grad of every variable that this one was computed from its derivative; this one's own is 1."""
        ordered: list[Variable] = []
        seen = set()

        def visit(node: Variable) -> None:
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                ordered.append(node)

        visit(self)
        self.grad += 1.0
        for node in reversed(ordered):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad


@contextmanager
def no_grad() -> Iterator[None]:
    """Switches recording off inside a ``with`` block, and back to what it was when the block is left.

    An error inside the block is passed on.
    """
    before = recording()
    set_recording(False)
    try:
        yield
    finally:
        set_recording(before)


def numerical_gradient(f: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
    """Gradient of ``f`` at ``x``, right to seven digits, from nothing but values of ``f``.

    Args:
        f: takes a vector, returns a number.
        x: float64 vector; it is not changed.
    Returns:
        grad: float64 vector, shaped like ``x``.
    Derivation:
        Central differences: entry i is (f(x + h e_i) - f(x - h e_i)) / 2h. What is left out is of the order of h²,
        what rounding adds of the order of 1e-16 / h; h = 1e-5 is between the two.
    Source: Nocedal and Wright (2006), "Numerical Optimization", section 8.1.
    """
    h = 1e-5
    grad = np.zeros_like(x)
    for i in range(x.size):
        e = np.zeros_like(x)
        e[i] = 1.0
        grad[i] = (f(x + h * e) - f(x - h * e)) / (2 * h)
    return grad


def dropout(x: Tensor, p: float, *, training: bool, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inverted dropout: while training each entry becomes 0 with probability p, the others x / (1 - p).

    Args:
        x: any shape, floating dtype and device.
        p: probability of [0, 1] to drop an entry.
        training: False changes nothing and keeps every entry.
        generator: source of all randomness.
    Returns:
        out: shaped like ``x``, in its dtype and on its device.
        mask: bool, shaped like ``x``; True where an entry was kept.
    Raises:
        ValueError: ``p`` is outside [0, 1].
    Source: Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting".
    """
    require_between(0, 1, p=p)
    if not training:
        return x.clone(), torch.ones_like(x, dtype=torch.bool)
    mask = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return torch.where(mask, x / (1 - p), torch.zeros_like(x)), mask


def grade_letter(score: float) -> str:
    """The letter of a score: A from 90, B from 80, C from 70, D from 60, and F below.

    Args:
        score: points of [0, 100]; fractions count.
    Returns:
        letter: one capital letter.
    Raises:
        ValueError: ``score`` is outside [0, 100].
    """
    if not 0 <= score <= 100:
        raise ValueError(f"score has to be in [0, 100], not {score}")
    for letter, least in (("A", 90), ("B", 80), ("C", 70), ("D", 60)):
        if score >= least:
            return letter
    return "F"


def standardize(x: np.ndarray) -> np.ndarray:
    """Shifts and scales every column to mean 0 and standard deviation 1.

    The deviation is that of the population (divided by the number of rows). A constant column becomes 0.

    Args:
        x: floating matrix, a row for each sample; it is not changed.
    Returns:
        z: shaped like ``x``, in its dtype.
    Raises:
        ValueError: ``x`` is no matrix.
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", section 9.1.
    """
    require_ndim(2, x=x)
    constant = x.max(axis=0) == x.min(axis=0)
    deviation = np.where(constant, 1.0, x.std(axis=0))
    return np.where(constant, 0.0, (x - x.mean(axis=0)) / deviation)
