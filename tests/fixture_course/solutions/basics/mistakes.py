"""Known wrong solutions of the assignment on basics, each with what to tell its author."""

from contextlib import contextmanager
from math import inf

import numpy as np
import torch

from autograder.guards import require_between, require_ndim, require_whole
from autograder.testing import mistake

from .reference import recording, set_recording


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="`wait` is never set back. What should an improvement do to the count?",
)
class never_resets:
    def __init__(self, patience=3, min_delta=0.0):
        require_whole(1, patience=patience)
        self.patience, self.min_delta, self.best, self.wait = patience, min_delta, inf, 0

    def step(self, loss):
        if loss < self.best - self.min_delta:
            self.best = loss
        else:
            self.wait += 1
        return self.wait >= self.patience


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="Training stops one call too late. How many calls without improvement are `patience` calls?",
)
class stops_one_call_too_late:
    def __init__(self, patience=3, min_delta=0.0):
        require_whole(1, patience=patience)
        self.patience, self.min_delta, self.best, self.wait = patience, min_delta, inf, 0

    def step(self, loss):
        if loss < self.best - self.min_delta:
            self.best, self.wait = loss, 0
        else:
            self.wait += 1
        return self.wait > self.patience


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="Each loss is compared with the one before. An improvement has to beat the best loss of all.",
)
class compares_with_the_last_loss:
    def __init__(self, patience=3, min_delta=0.0):
        require_whole(1, patience=patience)
        self.patience, self.min_delta, self.best, self.wait = patience, min_delta, inf, 0

    def step(self, loss):
        improved = loss < self.best - self.min_delta
        self.best = loss
        self.wait = 0 if improved else self.wait + 1
        return self.wait >= self.patience


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="min_delta",
    says="`min_delta` is ignored: any smaller loss counts as an improvement.",
)
class ignores_min_delta:
    def __init__(self, patience=3, min_delta=0.0):
        require_whole(1, patience=patience)
        self.patience, self.best, self.wait = patience, inf, 0

    def step(self, loss):
        if loss < self.best:
            self.best, self.wait = loss, 0
        else:
            self.wait += 1
        return self.wait >= self.patience


@mistake(
    "EarlyStopping",
    kind="idea",
    says="The losses are kept in a list of the class, which all its objects share. Where does a list belong that each object has for itself?",
)
class shares_its_losses:
    losses = []  # noqa: RUF012 - this is the mistake

    def __init__(self, patience=3, min_delta=0.0):
        require_whole(1, patience=patience)
        self.patience, self.min_delta, self.wait = patience, min_delta, 0

    @property
    def best(self):
        return min(self.losses, default=inf)

    def step(self, loss):
        self.wait = 0 if loss < self.best - self.min_delta else self.wait + 1
        if self.wait == 0:
            self.losses.append(loss)
        return self.wait >= self.patience


@mistake("EarlyStopping", kind="refusal", says="A patience below 1 is accepted.")
class accepts_any_patience:
    def __init__(self, patience=3, min_delta=0.0):
        self.patience, self.min_delta, self.best, self.wait = patience, min_delta, inf, 0

    def step(self, loss):
        if loss < self.best - self.min_delta:
            self.best, self.wait = loss, 0
        else:
            self.wait += 1
        return self.wait >= self.patience


class _Node:
    """What the wrong variables share: values and who was computed from whom."""

    def __init__(self, value):
        self.value, self.grad, self.parents = value, 0.0, []

    def __add__(self, other):
        other = type(self)(other) if isinstance(other, int | float) else other
        total = type(self)(self.value + other.value)
        total.parents = [(self, 1.0), (other, 1.0)]
        return total

    def __mul__(self, other):
        other = type(self)(other) if isinstance(other, int | float) else other
        product = type(self)(self.value * other.value)
        product.parents = [(self, other.value), (other, self.value)]
        return product

    def backward(self, upstream=1.0):
        self.grad += upstream
        for parent, slope in self.parents:
            parent.backward(slope * upstream)


class _TwoSidedNode(_Node):
    """A node that takes plain numbers on the left too."""

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other


@mistake(
    "Variable",
    kind="idea",
    stage="sum over paths",
    says="A gradient replaces the one before. What if a variable is used in two places?",
)
class overwrites_gradients(_TwoSidedNode):
    def backward(self, upstream=1.0):
        self.grad = upstream
        for parent, slope in self.parents:
            parent.backward(slope * upstream)


@mistake(
    "Variable",
    kind="idea",
    stage="sum over paths",
    says="A variable passes on all of its gradient each time a part of it arrives, so parts are counted twice. When is its gradient complete?",
)
class passes_on_too_early(_TwoSidedNode):
    def backward(self, upstream=1.0):
        self.grad += upstream
        for parent, slope in self.parents:
            parent.backward(slope * self.grad)


@mistake(
    "Variable",
    kind="idea",
    stage="product",
    says="The slopes of a product are mixed up. If y grows by 1, by how much does x * y grow?",
)
class mixes_up_the_factors(_TwoSidedNode):
    def __mul__(self, other):
        other = type(self)(other) if isinstance(other, int | float) else other
        product = type(self)(self.value * other.value)
        product.parents = [(self, self.value), (other, other.value)]
        return product


@mistake(
    "Variable", kind="case", says="A plain number on the left does not work: Python then asks the right-hand side."
)
class has_no_reflected_operators(_Node):
    """Everything else is right."""


@mistake("Variable", kind="idea", says="`+` returns a plain number, which remembers nothing.")
class adds_to_a_number(_TwoSidedNode):
    def __add__(self, other):
        return self.value + (other if isinstance(other, int | float) else other.value)


@mistake(
    "no_grad",
    kind="idea",
    says="Recording is always switched on at the end. It should become what it was before the block.",
)
@contextmanager
def always_switches_on():
    set_recording(False)
    try:
        yield
    finally:
        set_recording(True)


@mistake("no_grad", kind="idea", says="Recording stays off after the block.")
@contextmanager
def never_switches_back():
    set_recording(False)
    yield


@mistake(
    "no_grad",
    kind="case",
    says="After an error inside the block recording stays off. Which statement runs its last part whatever happens?",
)
@contextmanager
def forgets_errors():
    before = recording()
    set_recording(False)
    yield
    set_recording(before)


@mistake(
    "no_grad",
    kind="case",
    says="An error inside the block disappears. What does a true value that `__exit__` returns mean?",
)
class swallows_errors:
    def __enter__(self):
        self.before = recording()
        set_recording(False)

    def __exit__(self, *error):
        set_recording(self.before)
        return True


@mistake("no_grad", kind="idea", says="This is a generator, not yet a context manager. What makes one out of it?")
def is_only_a_generator():
    before = recording()
    set_recording(False)
    try:
        yield
    finally:
        set_recording(before)


@mistake(
    "numerical_gradient",
    kind="idea",
    says="This is a one-sided difference, whose error shrinks only like h. Step to both sides.",
)
def steps_to_one_side(f, x):
    return np.array([(f(x + 1e-5 * e) - f(x)) / 1e-5 for e in np.eye(x.size)])


@mistake("numerical_gradient", kind="idea", says="The two points are 2h apart, but the difference is divided by h.")
def divides_by_h(f, x):
    return np.array([(f(x + 1e-5 * e) - f(x - 1e-5 * e)) / 1e-5 for e in np.eye(x.size)])


@mistake(
    "numerical_gradient",
    kind="idea",
    says="All entries are moved at once. A partial derivative moves one and holds the others.",
)
def moves_all_entries(f, x):
    return np.full_like(x, (f(x + 1e-5) - f(x - 1e-5)) / 2e-5)


@mistake(
    "numerical_gradient",
    kind="case",
    says="The entry is moved in the array that was passed in, and comes back only up to rounding.",
)
def comes_back_roughly(f, x):
    grad = np.zeros_like(x)
    for i in range(x.size):
        x[i] += 1e-5
        above = f(x)
        x[i] -= 2e-5
        grad[i] = (above - f(x)) / 2e-5
        x[i] += 1e-5
    return grad


@mistake(
    "dropout", kind="idea", says="The kept entries are not scaled up, so their expected value shrinks while training."
)
def forgets_to_scale(x, p, *, training, generator):
    require_between(0, 1, p=p)
    if not training:
        return x, torch.ones_like(x, dtype=torch.bool)
    mask = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return x * mask, mask


@mistake("dropout", kind="idea", says="Entries are kept with probability p. p is the probability to drop one.")
def keeps_with_probability_p(x, p, *, training, generator):
    require_between(0, 1, p=p)
    if not training:
        return x, torch.ones_like(x, dtype=torch.bool)
    mask = torch.rand(x.shape, generator=generator, device=x.device) < p
    return torch.where(mask, x / (1 - p), torch.zeros_like(x)), mask


@mistake("dropout", kind="idea", says="Entries are dropped in evaluation mode too.")
def drops_in_evaluation(x, p, *, training, generator):
    require_between(0, 1, p=p)
    mask = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return torch.where(mask, x / (1 - p), torch.zeros_like(x)), mask


@mistake(
    "dropout",
    kind="idea",
    says="The randomness comes from torch's global state, so nobody can repeat it. Use the generator.",
)
def ignores_the_generator(x, p, *, training, generator):
    require_between(0, 1, p=p)
    if not training:
        return x, torch.ones_like(x, dtype=torch.bool)
    mask = torch.rand(x.shape, device=x.device) >= p
    return torch.where(mask, x / (1 - p), torch.zeros_like(x)), mask


@mistake("dropout", kind="case", says="For p = 1 this is 0 / 0, which is nan.")
def divides_zero_by_zero(x, p, *, training, generator):
    require_between(0, 1, p=p)
    if not training:
        return x, torch.ones_like(x, dtype=torch.bool)
    mask = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return x * mask / (1 - p), mask


@mistake("dropout", kind="refusal", says="A p that is no probability is accepted.")
def accepts_any_p(x, p, *, training, generator):
    if not training:
        return x, torch.ones_like(x, dtype=torch.bool)
    mask = torch.rand(x.shape, generator=generator, device=x.device) >= p
    return torch.where(mask, x / (1 - p), torch.zeros_like(x)), mask


@mistake("grade_letter", kind="case", says="A score that just reaches a limit gets the lower letter.")
def excludes_the_limit(score):
    if not 0 <= score <= 100:
        raise ValueError("score has to be in [0, 100]")
    return "A" if score > 90 else "B" if score > 80 else "C" if score > 70 else "D" if score > 60 else "F"


@mistake(
    "grade_letter",
    kind="case",
    says="The score is rounded before it is compared. A fraction below a limit does not reach it.",
)
def rounds_first(score):
    if not 0 <= score <= 100:
        raise ValueError("score has to be in [0, 100]")
    return "FDCBAA"[max(0, round(score) // 10 - 5)]


@mistake("grade_letter", kind="refusal", says="A score that cannot be is graded instead of refused.")
def grades_everything(score):
    return "A" if score >= 90 else "B" if score >= 80 else "C" if score >= 70 else "D" if score >= 60 else "F"


@mistake("grade_letter", kind="idea", says="The letter after D is E here. Read the table once more.")
def invents_an_e(score):
    if not 0 <= score <= 100:
        raise ValueError("score has to be in [0, 100]")
    return "EDCBAA"[max(0, int(score // 10) - 5)]


@mistake("standardize", kind="idea", says="Mean and deviation are those of the whole matrix. Each column has its own.")
def takes_the_whole_matrix(x):
    require_ndim(2, x=x)
    return np.where(np.ptp(x, axis=0) == 0, 0.0, (x - x.mean()) / (x.std() or 1.0))


@mistake(
    "standardize",
    kind="idea",
    says="Rows are standardised instead of columns. Which axis does the mean of a column run along?",
)
def takes_rows(x):
    require_ndim(2, x=x)
    deviation = x.std(axis=1, keepdims=True)
    centred = x - x.mean(axis=1, keepdims=True)
    return np.divide(centred, deviation, out=np.zeros_like(x), where=deviation > 1e-12)


@mistake("standardize", kind="case", says="A constant column gives 0 / 0, or rounding errors divided by each other.")
def divides_by_zero(x):
    require_ndim(2, x=x)
    with np.errstate(all="ignore"):
        return (x - x.mean(axis=0)) / x.std(axis=0)


@mistake(
    "standardize", kind="idea", says="The deviation is divided by n - 1. The one of the population is divided by n."
)
def takes_the_sample_deviation(x):
    require_ndim(2, x=x)
    constant = np.ptp(x, axis=0) == 0
    deviation = np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=0) / max(1, len(x) - 1))
    return np.where(constant, 0.0, (x - x.mean(axis=0)) / np.where(constant, 1.0, deviation))


@mistake(
    "standardize",
    kind="case",
    says="The mean is subtracted in the array that was passed in. The caller still needs it.",
)
def works_in_place(x):
    require_ndim(2, x=x)
    constant = np.ptp(x, axis=0) == 0
    deviation = np.where(constant, 1.0, x.std(axis=0))
    x -= x.mean(axis=0)
    x /= deviation
    x[:, constant] = 0
    return x


@mistake("standardize", kind="refusal", says="A vector or a stack of matrices is taken for a matrix.")
def takes_any_number_of_axes(x):
    constant = np.ptp(x, axis=0) == 0
    return np.where(constant, 0.0, (x - x.mean(axis=0)) / np.where(constant, 1.0, x.std(axis=0)))
