"""Visible checks of the assignment on regularization.

Each compares with torch's own function or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.

Random functions are judged by the generator that they are given and by shares over many draws. With n draws a share
strays from its probability by t or more with a probability of at most 2 exp(-2 n t²) (Hoeffding, 1963), which for
`margin(n)` is 1e-12. A search of a check looks at 80 examples.
"""

from collections.abc import Callable
from math import inf, log, nan, sqrt

import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Mismatch,
    Rules,
    assert_close,
    assert_unchanged,
    callbacks,
    cotangent_like,
    entries,
    exercise,
    floats,
    probabilities,
    raises,
    seeded,
    statistical,
    tensors,
    weight,
)

RULES = Rules(library="torch")
SEEDS = st.integers(0, 1000)
# For checks that look at thousands of draws: all of them are recorded.
FEW_SEEDS = st.integers(0, 1)
SEARCHED = 80


def shares(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a check that looks at so many shares in each example."""
    return statistical(false_alarm=SEARCHED * count * 1e-12, because=f"Hoeffding (1963), {count} shares an example")


OUTSIDE = st.sampled_from([-0.1, 1.1, -1.0, 2.0])
NEGATIVE = st.sampled_from([-0.01, -1.0])


def vector(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def margin(draws: int) -> float:
    return sqrt(log(2e12) / (2 * draws))


def assert_share(found: float, probability: float, draws: int, what: str) -> None:
    """Fails if a share of ``draws`` draws strays from its probability by more than chance explains."""
    if not abs(found - probability) <= margin(draws):
        raise Mismatch(f"In {found:.1%} of {draws:,} draws {what}, expected is about {probability:.1%}.")


def assert_right(truth: bool, otherwise: str) -> None:
    if not truth:
        raise Mismatch(otherwise)


def gradient(function: Callable[[Tensor], Tensor], grad_out: Tensor, x: Tensor) -> Tensor:
    """torch's own gradient of ``function`` at ``x``."""
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(function(x), x, grad_out)[0]


def images(*shape: int) -> Tensor:
    """Images of irregular pixels of [0.1, 0.9], all different, the same at every replay."""
    count = torch.Size(shape).numel()
    return (0.1 + 0.8 * torch.randperm(count, generator=seeded(count)).double() / max(1, count - 1)).reshape(shape)


def image_shapes() -> st.SearchStrategy[tuple[int, ...]]:
    """N, C, H, W, all different."""
    return st.permutations([2, 3, 4, 5]).map(tuple)


class DrawsFromTheGenerator:
    """What every random function has to keep; ``draw`` calls the student's function on something large enough."""

    def draw(self, student, generator: torch.Generator) -> Tensor:
        raise NotImplementedError

    @given(seed=FEW_SEEDS)
    def test_equal_generators_equal_results(self, student, seed):
        """Two generators with the same seed give the same result: nothing else is drawn from."""
        first, second = self.draw(student, seeded(seed)), self.draw(student, seeded(seed))
        assert_right(torch.equal(first, second), "Two generators with the same seed gave different results.")

    @statistical(false_alarm=SEARCHED * 0.5**60, because="60 draws or more, each alike with at most 1/2")
    @given(seed=FEW_SEEDS)
    def test_each_call_draws_anew(self, student, seed):
        """Two calls with one generator give different results: it moves on with each draw."""
        generator = seeded(seed)
        first, second = self.draw(student, generator), self.draw(student, generator)
        assert_right(not torch.equal(first, second), "Two calls with one generator gave the same result.")


@exercise("dropout", points=4)
class TestDropout(DrawsFromTheGenerator):
    def draw(self, student, generator: torch.Generator) -> Tensor:
        return student.dropout(torch.ones(20, 30), 0.3, generator=generator)[0]

    @weight(4)
    @given(x=tensors(), p=probabilities(), seed=SEEDS)
    def test_zero_or_scaled_up(self, student, x, p, seed):
        """Each entry of the mask is 0 or 1 / (1 - p), and the result is x times the mask."""
        out, mask = student.dropout(x, p, generator=seeded(seed))
        assert_close(mask, (mask != 0).to(x.dtype) / (1 - p))
        assert_close(mask.shape, x.shape)
        assert_close(out, x * mask)

    @weight(2)
    @given(x=tensors(), p=probabilities())
    def test_evaluation_is_identity(self, student, x, p):
        """In evaluation mode nothing is dropped or scaled, and the mask is 1 everywhere."""
        assert_close(student.dropout(x, p, training=False, generator=seeded()), (x, torch.ones_like(x)))

    @weight(2)
    @shares(1)
    @given(p=st.sampled_from([0.2, 0.7]), seed=FEW_SEEDS)
    def test_share_that_is_dropped(self, student, p, seed):
        """Over 5,000 entries the share that is dropped is p."""
        out, _ = student.dropout(torch.ones(50, 100), p, generator=seeded(seed))
        assert_share((out == 0).double().mean().item(), p, out.numel(), "an entry was dropped")

    @statistical(false_alarm=SEARCHED * 200 * 0.7**100, because="a row or column of 100 entries, all kept")
    @given(p=st.sampled_from([0.3, 0.6]), seed=FEW_SEEDS)
    def test_each_entry_on_its_own(self, student, p, seed):
        """Entries are dropped one by one, not in whole rows or columns."""
        out, _ = student.dropout(torch.ones(100, 100), p, generator=seeded(seed))
        mixed = [bool(((out == 0).any(axis) & (out != 0).any(axis)).all()) for axis in (0, 1)]
        assert_right(all(mixed), "Whole rows or columns share one draw.")

    @given(x=tensors(min_ndim=1), p=st.sampled_from([0.0, 1.0]))
    def test_nothing_or_everything(self, student, x, p):
        """With p = 0 nothing changes, with p = 1 every entry is 0, never nan."""
        expected = (x, torch.ones_like(x)) if p == 0 else (torch.zeros_like(x), torch.zeros_like(x))
        assert_close(student.dropout(x, p, generator=seeded()), expected)

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """A float32 tensor gives float32 tensors, and x is not changed in place."""
        out, mask = student.dropout(x, 0.25, generator=seeded())
        assert_unchanged(student)
        assert_close((str(out.dtype), str(mask.dtype)), ("torch.float32", "torch.float32"))

    @given(p=OUTSIDE)
    def test_bad_input_is_refused(self, student, p):
        """A p outside [0, 1] raises ValueError that names p."""
        with raises(ValueError, naming="p"):
            student.dropout(vector(1, 2), p, generator=seeded())


@exercise("dropout_backward", points=1)
class TestDropoutBackward:
    def test_worked_values(self, student):
        """Upstream gradient (3, 4) and mask (2, 0): (6, 0)."""
        assert_close(student.dropout_backward(vector(3, 4), vector(2, 0)), vector(6, 0))

    @given(x=tensors(), p=probabilities(), seed=SEEDS)
    def test_agrees_with_torch(self, student, x, p, seed):
        """The gradient agrees with torch's for the same mask."""
        mask = (torch.rand(x.shape, generator=seeded(seed)) >= p).double() / (1 - p)
        grad_out = cotangent_like(x)
        assert_close(student.dropout_backward(grad_out, mask), gradient(lambda z: z * mask, grad_out, x))

    @given(mask=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, mask):
        """float32 tensors give a float32 gradient, and nothing is changed in place."""
        assert_close(student.dropout_backward(cotangent_like(mask), mask), cotangent_like(mask) * mask)
        assert_unchanged(student)

    @given(mask=tensors(min_ndim=2, max_ndim=2, min_side=2))
    def test_another_shape_is_refused(self, student, mask):
        """An upstream gradient of another shape than the mask raises ValueError that names grad_out."""
        with raises(ValueError, naming="grad_out"):
            student.dropout_backward(cotangent_like(mask[0]), mask)


@exercise("mc_dropout_mean", points=2)
class TestMcDropoutMean:
    @given(seed=FEW_SEEDS, predict=callbacks(["lambda v: v * 2"]))
    def test_equal_generators_equal_results(self, student, seed, predict):
        """Two generators with the same seed give the same result: nothing else is drawn from."""
        x = torch.ones(40)
        first = student.mc_dropout_mean(x, predict, 0.3, samples=3, generator=seeded(seed))
        second = student.mc_dropout_mean(x, predict, 0.3, samples=3, generator=seeded(seed))
        assert_right(torch.equal(first, second), "Two generators with the same seed gave different results.")

    @statistical(false_alarm=SEARCHED * 0.4**40, because="40 means of three draws, all alike")
    @given(seed=FEW_SEEDS, predict=callbacks(["lambda v: v * 2"]))
    def test_each_call_draws_anew(self, student, seed, predict):
        """Two calls with one generator give different results: it moves on with each draw."""
        x, generator = torch.ones(40), seeded(seed)
        first = student.mc_dropout_mean(x, predict, 0.3, samples=3, generator=generator)
        second = student.mc_dropout_mean(x, predict, 0.3, samples=3, generator=generator)
        assert_right(not torch.equal(first, second), "Two calls with one generator gave the same result.")

    @given(x=tensors(min_ndim=1), predict=callbacks(["lambda v: v ** 2", "lambda v: v.sum(0)"]))
    def test_no_dropout_is_one_prediction(self, student, x, predict):
        """With p = 0 every prediction is the same, and so is the mean."""
        assert_close(student.mc_dropout_mean(x, predict, 0.0, samples=3, generator=seeded()), predict(x))

    @shares(1)
    @given(p=st.sampled_from([0.25, 0.6]), seed=FEW_SEEDS, predict=callbacks(["lambda v: (v > 0).double()"]))
    def test_mean_over_masks(self, student, p, seed, predict):
        """Asked whether an entry is left, 20 predictions for each of 1,000 entries say yes with a share of 1 - p."""
        answer = student.mc_dropout_mean(torch.ones(1000).double(), predict, p, samples=20, generator=seeded(seed))
        assert_share(answer.mean().item(), 1 - p, 20_000, "an entry was left")
        steps = answer * 20
        assert_close(steps, steps.round())
        assert_right(len(steps.unique()) > 3, "All predictions used one mask.")

    @shares(1)
    @given(p=st.sampled_from([0.25, 0.5]), seed=FEW_SEEDS, predict=callbacks(["lambda v: v.clamp(max=1)"]))
    def test_predicts_before_the_mean(self, student, p, seed, predict):
        """The mean is taken of the predictions, not of the inputs: cut off at 1, ones become 1 - p on average."""
        answer = student.mc_dropout_mean(torch.ones(1000).double(), predict, p, samples=20, generator=seeded(seed))
        assert_share(answer.mean().item(), 1 - p, 20_000, "an entry was left")

    @given(samples=st.sampled_from([0, -1]), predict=callbacks(["lambda v: v"]))
    def test_bad_input_is_refused(self, student, samples, predict):
        """Less than one sample raises ValueError that names samples."""
        with raises(ValueError, naming="samples"):
            student.mc_dropout_mean(vector(1, 2), predict, 0.5, samples=samples, generator=seeded())


class Penalty:
    """What both penalties have to keep."""

    function: str

    def oracle(self, weight: Tensor, strength: float) -> Tensor:
        raise NotImplementedError

    @given(weight=tensors(low=-20, high=20), strength=floats(0, 3))
    def test_agrees_with_torch(self, student, weight, strength):
        """The penalty agrees with torch's norms, for weights of any shape."""
        assert_close(getattr(student, self.function)(weight, strength), self.oracle(weight, strength))

    @given(weight=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, weight):
        """A float32 tensor gives a float32 tensor, and the weights are not changed in place."""
        assert_close(getattr(student, self.function)(weight, 0.5), self.oracle(weight, 0.5))
        assert_unchanged(student)

    @given(strength=NEGATIVE)
    def test_bad_input_is_refused(self, student, strength):
        """A negative strength raises ValueError that names strength."""
        with raises(ValueError, naming="strength"):
            getattr(student, self.function)(vector(1, 2), strength)


class PenaltyBackward:
    """What both hand-written gradients have to keep."""

    function: str

    def oracle(self, weight: Tensor, strength: float) -> Tensor:
        raise NotImplementedError

    @given(weight=tensors(low=-20, high=20), strength=floats(0, 3), grad_out=floats(-3, 3))
    def test_agrees_with_torch(self, student, weight, strength, grad_out):
        """The gradient agrees with torch's for a random upstream gradient; weights may be exactly 0."""
        upstream = torch.tensor(grad_out, dtype=torch.float64)
        expected = gradient(lambda w: self.oracle(w, strength), upstream, weight)
        assert_close(getattr(student, self.function)(upstream, weight, strength), expected)

    @given(weight=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, weight):
        """A float32 tensor gives a float32 gradient, and nothing is changed in place."""
        upstream = torch.tensor(-1.5)
        expected = gradient(lambda w: self.oracle(w, 0.5), upstream, weight)
        assert_close(getattr(student, self.function)(upstream, weight, 0.5), expected)
        assert_unchanged(student)

    @given(strength=NEGATIVE)
    def test_bad_input_is_refused(self, student, strength):
        """A negative strength raises ValueError that names strength."""
        with raises(ValueError, naming="strength"):
            getattr(student, self.function)(torch.tensor(1.0).double(), vector(1, 2), strength)

    @given(weight=tensors(min_ndim=1, max_ndim=2))
    def test_upstream_gradient_has_no_axes(self, student, weight):
        """The penalty is one number, so an upstream gradient with axes raises ValueError that names grad_out."""
        with raises(ValueError, naming="grad_out"):
            getattr(student, self.function)(cotangent_like(weight), weight, 0.5)


@exercise("l2_penalty", points=1)
class TestL2Penalty(Penalty):
    function = "l2_penalty"

    def oracle(self, weight: Tensor, strength: float) -> Tensor:
        return strength * torch.linalg.vector_norm(weight) ** 2

    def test_worked_values(self, student):
        """Weights (3, -4) and strength 0.1 cost 0.1 · 25."""
        assert_close(student.l2_penalty(vector(3, -4), 0.1), torch.tensor(2.5, dtype=torch.float64))


@exercise("l2_penalty_backward", points=1)
class TestL2PenaltyBackward(PenaltyBackward):
    function = "l2_penalty_backward"

    def oracle(self, weight: Tensor, strength: float) -> Tensor:
        return strength * (weight * weight).sum()

    def test_worked_values(self, student):
        """Weights (3, -4), strength 0.1, upstream gradient 10: (6, -8)."""
        assert_close(student.l2_penalty_backward(torch.tensor(10.0).double(), vector(3, -4), 0.1), vector(6, -8))


@exercise("l1_penalty", points=1)
class TestL1Penalty(Penalty):
    function = "l1_penalty"

    def oracle(self, weight: Tensor, strength: float) -> Tensor:
        return strength * torch.linalg.vector_norm(weight, 1)

    def test_worked_values(self, student):
        """Weights (3, -4) and strength 0.1 cost 0.1 · 7."""
        assert_close(student.l1_penalty(vector(3, -4), 0.1), torch.tensor(0.7, dtype=torch.float64))


@exercise("l1_penalty_backward", points=1)
class TestL1PenaltyBackward(PenaltyBackward):
    function = "l1_penalty_backward"

    def oracle(self, weight: Tensor, strength: float) -> Tensor:
        return strength * weight.abs().sum()

    def test_worked_values(self, student):
        """Weights (3, 0, -4), strength 0.1, upstream gradient 10: (1, 0, -1)."""
        assert_close(student.l1_penalty_backward(torch.tensor(10.0).double(), vector(3, 0, -4), 0.1), vector(1, 0, -1))


@exercise("weight_decay_step", points=1)
class TestWeightDecayStep:
    def test_worked_values(self, student):
        """Weight 2, gradient 3, learning rate 0.1, decay 0.5: 0.95 · 2 - 0.1 · 3 = 1.6."""
        assert_close(student.weight_decay_step(vector(2), vector(3), lr=0.1, weight_decay=0.5), vector(1.6))

    @given(param=tensors(), lr=floats(0.01, 1), weight_decay=floats(0, 1))
    def test_agrees_with_torch(self, student, param, lr, weight_decay):
        """The step agrees with that of torch.optim.SGD with the same weight decay."""
        grad = cotangent_like(param)
        own = param.clone().requires_grad_()
        own.grad = grad.clone()
        torch.optim.SGD([own], lr=lr, weight_decay=weight_decay).step()
        assert_close(student.weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay), own.detach())

    @given(param=tensors())
    def test_no_decay_by_default(self, student, param):
        """Without weight_decay it is a plain step of gradient descent."""
        grad = cotangent_like(param)
        assert_close(student.weight_decay_step(param, grad, lr=0.25), param - 0.25 * grad)

    @given(param=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, param):
        """float32 tensors give a float32 tensor, and neither param nor grad is changed in place."""
        grad = cotangent_like(param)
        answer = student.weight_decay_step(param, grad, lr=0.5, weight_decay=0.25)
        assert_close(answer, 0.875 * param - 0.5 * grad)
        assert_unchanged(student)

    @given(wrong=st.sampled_from(["lr", "weight_decay", "grad"]))
    def test_bad_input_is_refused(self, student, wrong):
        """lr of 0, a negative weight_decay and a grad of another shape raise ValueError that names the argument."""
        lr, weight_decay = 0.0 if wrong == "lr" else 0.1, -0.1 if wrong == "weight_decay" else 0.1
        grad = vector(1) if wrong == "grad" else vector(1, 2)
        with raises(ValueError, naming=wrong):
            student.weight_decay_step(vector(3, 4), grad, lr=lr, weight_decay=weight_decay)


@exercise("EarlyStopping", points=2)
class TestEarlyStopping:
    def stopped(self, losses: list[float], patience: int, min_delta: float) -> list[bool]:
        best, bad, answers = inf, 0, []
        for loss in losses:
            better = loss < best - min_delta
            best, bad = (loss, 0) if better else (best, bad + 1)
            answers.append(bad >= patience)
        return answers

    def test_worked_values(self, student):
        """With patience 2, losses 5, 4, 4, 3, 3, 3 say stop at the last one: equal is not better."""
        stopping = student.EarlyStopping(patience=2)
        assert_close([stopping.step(loss) for loss in (5.0, 4.0, 4.0, 3.0, 3.0, 3.0)], [False] * 5 + [True])

    @given(losses=st.lists(st.integers(0, 6).map(float), min_size=1, max_size=9), patience=st.integers(1, 4))
    def test_patience(self, student, losses, patience):
        """It says stop after `patience` epochs in a row without a better loss; a better one starts the count anew."""
        stopping = student.EarlyStopping(patience)
        assert_close([stopping.step(loss) for loss in losses], self.stopped(losses, patience, 0.0))

    @given(
        losses=st.lists(st.integers(0, 12).map(lambda n: n / 4), min_size=2, max_size=9),
        min_delta=st.sampled_from([0.375, 0.625, 1.125]),
    )
    def test_min_delta(self, student, losses, min_delta):
        """A loss has to be below the best one by more than min_delta; smaller steps do not add up unseen."""
        stopping = student.EarlyStopping(patience=2, min_delta=min_delta)
        assert_close([stopping.step(loss) for loss in losses], self.stopped(losses, 2, min_delta))

    @given(losses=st.lists(st.integers(0, 6).map(float), min_size=1, max_size=6))
    def test_attributes(self, student, losses):
        """`best` is the lowest loss so far, `bad_epochs` counts the epochs since."""
        stopping = student.EarlyStopping(patience=3)
        for loss in losses:
            stopping.step(loss)
        since = len(losses) - 1 - losses.index(min(losses))
        assert_close((stopping.best, stopping.bad_epochs), (min(losses), since))

    def test_before_the_first_epoch(self, student):
        """Before the first epoch `best` is infinite and `bad_epochs` 0; a first loss of any size is better."""
        stopping = student.EarlyStopping()
        assert_close((stopping.best, stopping.bad_epochs), (inf, 0))
        assert_close(stopping.step(1e30), False)

    @given(losses=st.sampled_from([[1.0, nan, nan], [nan, nan], [nan, 2.0, nan, nan]]))
    def test_nan_is_not_better(self, student, losses):
        """A loss of nan is never better: training has gone wrong, and the count goes on."""
        stopping = student.EarlyStopping(patience=2)
        assert_close([stopping.step(loss) for loss in losses], self.stopped(losses, 2, 0.0))

    @given(wrong=st.sampled_from(["patience", "min_delta"]))
    def test_bad_input_is_refused(self, student, wrong):
        """A patience of 0 and a negative min_delta raise ValueError that names the argument."""
        settings = {"patience": 0} if wrong == "patience" else {"min_delta": -0.1}
        with raises(ValueError, naming=wrong):
            student.EarlyStopping(**settings)


@exercise("smooth_targets", points=1)
class TestSmoothTargets:
    def expected(self, y: Tensor, num_classes: int, smoothing: float) -> Tensor:
        one_hot = torch.nn.functional.one_hot(y, num_classes).double()
        return ((1 - smoothing) * one_hot + smoothing / num_classes).float()

    def test_worked_values(self, student):
        """Class 1 of 4 with smoothing 0.2: (0.05, 0.85, 0.05, 0.05)."""
        assert_close(student.smooth_targets(torch.tensor([1]), 4, 0.2), torch.tensor([[0.05, 0.85, 0.05, 0.05]]))

    @given(y=st.lists(st.integers(0, 4), max_size=7), num_classes=st.integers(5, 8), smoothing=floats(0, 1))
    def test_agrees_with_the_formula(self, student, y, num_classes, smoothing):
        """The targets are (1 - s) · one-hot + s / K, float32, for any number of samples, also none."""
        classes = torch.tensor(y, dtype=torch.int64)
        answer = student.smooth_targets(classes, num_classes, smoothing)
        assert_close(answer, self.expected(classes, num_classes, smoothing))
        assert_unchanged(student)

    @given(y=st.lists(st.integers(0, 2), min_size=1, max_size=5))
    def test_a_tenth_by_default(self, student, y):
        """Without smoothing given, it is 0.1."""
        classes = torch.tensor(y)
        assert_close(student.smooth_targets(classes, 3), self.expected(classes, 3, 0.1))

    @given(smoothing=OUTSIDE)
    def test_bad_input_is_refused(self, student, smoothing):
        """A smoothing outside [0, 1] raises ValueError that names smoothing."""
        with raises(ValueError, naming="smoothing"):
            student.smooth_targets(torch.tensor([0, 1]), 3, smoothing)


@exercise("add_noise", points=1)
class TestAddNoise(DrawsFromTheGenerator):
    def draw(self, student, generator: torch.Generator) -> Tensor:
        return student.add_noise(torch.zeros(20, 30), 0.5, generator=generator)

    @weight(4)
    @shares(3)
    @given(std=st.sampled_from([0.1, 3.0]), seed=FEW_SEEDS)
    def test_normal_noise(self, student, std, seed):
        """Of 2,400 draws 68.3 % lie within one standard deviation, 95.4 % within two, half on either side."""
        noise = (student.add_noise(torch.full((40, 60), 2.0), std, generator=seeded(seed)) - 2) / std
        count = noise.numel()
        assert_share((noise.abs() < 1).double().mean().item(), 0.68269, count, "the noise lay within std")
        assert_share((noise.abs() < 2).double().mean().item(), 0.95450, count, "the noise lay within 2 std")
        assert_share((noise > 0).double().mean().item(), 0.5, count, "the noise was positive")

    @given(seed=FEW_SEEDS)
    def test_each_entry_on_its_own(self, student, seed):
        """Every entry has noise of its own."""
        noise = student.add_noise(torch.zeros(20, 30).double(), 1.0, generator=seeded(seed))
        assert_right(len(noise.unique()) == noise.numel(), "Entries share one draw.")

    @given(x=tensors())
    def test_no_noise(self, student, x):
        """With std = 0 nothing changes."""
        assert_close(student.add_noise(x, 0.0, generator=seeded()), x)
        assert_unchanged(student)

    @given(x=tensors(min_ndim=2, max_ndim=2, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """A float32 tensor gives a float32 tensor of its shape."""
        out = student.add_noise(x, 0.5, generator=seeded())
        assert_close((str(out.dtype), out.shape), ("torch.float32", x.shape))

    @given(std=NEGATIVE)
    def test_bad_input_is_refused(self, student, std):
        """A negative std raises ValueError that names std."""
        with raises(ValueError, naming="std"):
            student.add_noise(vector(1, 2), std, generator=seeded())


@exercise("mixup", points=2)
class TestMixup(DrawsFromTheGenerator):
    def draw(self, student, generator: torch.Generator) -> Tensor:
        return student.mixup(torch.arange(60.0).reshape(30, 2), torch.eye(30), 0.25, generator=generator)[1]

    def partners(self, mixed_y: Tensor, lam: float) -> Tensor:
        """Which sample each was mixed with: the targets were rows of the unit matrix."""
        return ((mixed_y - lam * torch.eye(len(mixed_y), dtype=mixed_y.dtype)) / (1 - lam)).round()

    @weight(3)
    @given(x=tensors(min_ndim=1, min_side=2, max_side=6), lam=floats(0.1, 0.9), seed=SEEDS)
    def test_same_partners_for_samples_and_targets(self, student, x, lam, seed):
        """Every sample keeps the share lam and gets the rest from its partner, and so does its target."""
        y = torch.eye(len(x)).double()
        mixed_x, mixed_y = student.mixup(x, y, lam, generator=seeded(seed))
        partner = self.partners(mixed_y, lam)
        assert_close(mixed_y, lam * y + (1 - lam) * partner)
        assert_close(mixed_x, lam * x + (1 - lam) * torch.tensordot(partner, x, 1))

    @weight(2)
    @given(count=st.integers(2, 9), lam=floats(0.1, 0.9), seed=SEEDS)
    def test_everyone_is_a_partner_once(self, student, count, lam, seed):
        """The partners are a permutation: every sample is the partner of exactly one."""
        y = torch.eye(count).double()
        partner = self.partners(student.mixup(y, y, lam, generator=seeded(seed))[1], lam)
        assert_close(partner.sum(0), torch.ones(count).double())
        assert_close(partner.sum(1), torch.ones(count).double())

    @given(x=tensors(min_ndim=1, max_ndim=3))
    def test_all_of_oneself(self, student, x):
        """With lam = 1 nothing changes; x and y are not changed in place."""
        y = torch.eye(len(x)).double()
        assert_close(student.mixup(x, y, 1.0, generator=seeded()), (x, y))
        assert_unchanged(student)

    @given(lam=OUTSIDE)
    def test_bad_input_is_refused(self, student, lam):
        """A lam outside [0, 1] raises ValueError that names lam."""
        with raises(ValueError, naming="lam"):
            student.mixup(vector(1, 2), torch.eye(2).double(), lam, generator=seeded())


@exercise("horizontal_flip", points=2)
class TestHorizontalFlip(DrawsFromTheGenerator):
    def draw(self, student, generator: torch.Generator) -> Tensor:
        return student.horizontal_flip(images(60, 1, 1, 2), generator=generator)

    def test_worked_values(self, student):
        """Turned, the rows (1, 2, 3) and (4, 5, 6) are (3, 2, 1) and (6, 5, 4): the rows keep their places."""
        x = vector(1, 2, 3, 4, 5, 6).reshape(1, 1, 2, 3)
        turned = vector(3, 2, 1, 6, 5, 4).reshape(1, 1, 2, 3)
        assert_close(student.horizontal_flip(x, 1.0, generator=seeded()), turned)

    @weight(2)
    @given(shape=image_shapes(), seed=SEEDS)
    def test_turned_or_not(self, student, shape, seed):
        """Each image is turned whole or stays as it is; x is not changed in place."""
        x = images(*shape)
        out = student.horizontal_flip(x, generator=seeded(seed))
        assert_unchanged(student)
        turned = (out == x.flip(3)).flatten(1).all(1)
        assert_close(out, torch.where(turned[:, None, None, None], x.flip(3), x))

    @given(p=st.sampled_from([0.0, 1.0]), shape=image_shapes())
    def test_none_or_all(self, student, p, shape):
        """With p = 0 no image is turned, with p = 1 every one."""
        x = images(*shape)
        assert_close(student.horizontal_flip(x, p, generator=seeded()), x.flip(3) if p else x)

    @weight(2)
    @shares(1)
    @given(p=st.sampled_from([0.25, 0.7]), seed=FEW_SEEDS)
    def test_share_that_is_turned(self, student, p, seed):
        """Of 4,000 images a share of p is turned, each by a draw of its own."""
        x = torch.tensor([0.0, 1.0]).expand(4000, 1, 1, 2).clone()
        out = student.horizontal_flip(x, p, generator=seeded(seed))
        assert_share(out[:, 0, 0, 0].double().mean().item(), p, 4000, "an image was turned")

    @given(p=OUTSIDE)
    def test_bad_input_is_refused(self, student, p):
        """A p outside [0, 1] raises ValueError that names p."""
        with raises(ValueError, naming="p"):
            student.horizontal_flip(images(2, 1, 2, 3), p, generator=seeded())


@exercise("random_crop", points=3)
class TestRandomCrop(DrawsFromTheGenerator):
    def draw(self, student, generator: torch.Generator) -> Tensor:
        return student.random_crop(images(30, 1, 5, 6), (2, 3), generator=generator)

    def windows(self, image: Tensor, size: tuple[int, int]) -> list[Tensor]:
        return [window for rows in image.unfold(1, size[0], 1).unfold(2, size[1], 1).transpose(0, 1)
                for window in rows.transpose(0, 1)]  # fmt: skip

    @given(
        shape=image_shapes(),
        size=st.sampled_from([(1, 2), (2, 1), (2, 2)]),
        padding=st.integers(0, 2),
        seed=SEEDS,
    )
    def test_a_window_of_each_image(self, student, shape, size, padding, seed):
        """Each result is a window of its own image, with rows and columns of zeros around it if asked."""
        x = images(*shape)
        out = student.random_crop(x, size, padding, generator=seeded(seed))
        assert_unchanged(student)
        assert_close(out.shape, (*shape[:2], *size))
        wide = torch.nn.functional.pad(x, (padding,) * 4)
        for image, found in zip(wide, out, strict=True):
            nearest = min(self.windows(image, size), key=lambda window: float((window - found).abs().max()))
            assert_close(found, nearest)

    @given(shape=image_shapes())
    def test_a_window_of_the_whole_size(self, student, shape):
        """A window as large as the image is the image."""
        x = images(*shape)
        assert_close(student.random_crop(x, shape[2:], generator=seeded()), x)

    @weight(3)
    @shares(6)
    @given(seed=FEW_SEEDS)
    def test_every_place_equally_often(self, student, seed):
        """Of 6,000 windows a sixth stands at each of the 2 · 3 places."""
        x = torch.arange(6.0).reshape(1, 1, 2, 3).expand(6000, 1, 2, 3).clone()
        out = student.random_crop(x, (1, 1), generator=seeded(seed)).flatten()
        for place in range(6):
            assert_share((out == place).double().mean().item(), 1 / 6, 6000, f"the window stood at place {place}")

    @weight(2)
    @shares(2)
    @given(seed=FEW_SEEDS)
    def test_places_in_the_frame_count_too(self, student, seed):
        """With padding 1, a window of one pixel has 3 · 4 places on an image of 1 · 2: each is taken as often."""
        x = torch.tensor([[[[1.0, 2.0]]]]).expand(6000, 1, 1, 2).clone()
        out = student.random_crop(x, (1, 1), 1, generator=seeded(seed)).flatten()
        for pixel in (1, 2):
            assert_share((out == pixel).double().mean().item(), 1 / 12, 6000, f"the window stood on pixel {pixel}")

    @given(size=st.sampled_from([(6, 4), (4, 7), (9, 9)]))
    def test_bad_input_is_refused(self, student, size):
        """A size larger than the padded image raises ValueError that names size."""
        with raises(ValueError, naming="size"):
            student.random_crop(images(2, 1, 3, 4), size, 1, generator=seeded())


def turned(x: Tensor, degrees: float) -> Tensor:
    """The image turned by torch's own sampler, which counts places from -1 to 1 across the image."""
    height, width = x.shape[2:]
    angle = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    cos, sin = angle.cos(), angle.sin()
    theta = torch.stack([cos, -sin * height / width, 0 * cos, sin * width / height, cos, 0 * cos]).reshape(1, 2, 3)
    grid = torch.nn.functional.affine_grid(theta.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return torch.nn.functional.grid_sample(x.double(), grid, align_corners=False).to(x.dtype)


@exercise("rotate", points=4, forbid=("rotate", "grid_sample", "grid_sampler", "affine_grid"))
class TestRotate:
    def test_worked_values(self, student):
        """A quarter turn to the left brings the right column of (1, 2), (3, 4) to the top: (2, 4), (1, 3)."""
        x, left = vector(1, 2, 3, 4).reshape(1, 1, 2, 2), vector(2, 4, 1, 3).reshape(1, 1, 2, 2)
        assert_close(student.rotate(x, 90.0), left, atol=1e-5)

    @given(side=st.integers(2, 5), quarters=st.integers(-4, 4))
    def test_quarter_turns(self, student, side, quarters):
        """Quarter turns of a square only move its pixels, as torch.rot90 does."""
        x = images(2, 3, side, side)
        assert_close(student.rotate(x, 90.0 * quarters), torch.rot90(x, quarters, (2, 3)), atol=1e-5)

    @given(shape=image_shapes())
    def test_no_turn(self, student, shape):
        """Turned by 0, nothing changes; x is not changed in place."""
        x = images(*shape)
        assert_close(student.rotate(x, 0.0), x, atol=1e-5)
        assert_unchanged(student)

    @given(shape=image_shapes(), degrees=floats(-180, 180))
    @example(shape=(2, 3, 5, 4), degrees=45.0)
    def test_any_angle(self, student, shape, degrees):
        """For any angle and images that are not square, the pixels agree with torch's bilinear sampler."""
        x = images(*shape)
        assert_close(student.rotate(x, degrees), turned(x, degrees), rtol=1e-4, atol=1e-5)

    @given(degrees=floats(-90, 90))
    def test_zeros_come_in_from_outside(self, student, degrees):
        """What lies outside the image counts as 0: no pixel is repeated, and none comes in from the other side."""
        x = torch.ones(1, 1, 3, 6).double()
        assert_close(student.rotate(x, degrees), turned(x, degrees), rtol=1e-4, atol=1e-5)

    @given(shape=image_shapes())
    def test_float32_stays_float32(self, student, shape):
        """A float32 tensor gives a float32 tensor."""
        x = images(*shape).float()
        assert_close(student.rotate(x, 30.0), turned(x, 30.0), rtol=1e-3, atol=1e-4)


@exercise("adjust_brightness", points=1)
class TestAdjustBrightness:
    def test_worked_values(self, student):
        """Twice as bright, (0, 0.25, 0.75) is (0, 0.5, 1)."""
        assert_close(student.adjust_brightness(vector(0, 0.25, 0.75), 2.0), vector(0, 0.5, 1))

    @given(x=tensors(low=0, high=1), factor=floats(0, 4))
    def test_agrees_with_the_formula(self, student, x, factor):
        """Every pixel is multiplied by the factor and cut off at 1."""
        assert_close(student.adjust_brightness(x, factor), torch.minimum(x * factor, torch.ones_like(x)))

    @given(x=tensors(min_ndim=2, max_ndim=2, low=0, high=1, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """A float32 tensor gives a float32 tensor, and x is not changed in place."""
        assert_close(student.adjust_brightness(x, 1.5), (x * 1.5).clamp(max=1))
        assert_unchanged(student)

    @given(factor=NEGATIVE)
    def test_bad_input_is_refused(self, student, factor):
        """A negative factor raises ValueError that names factor."""
        with raises(ValueError, naming="factor"):
            student.adjust_brightness(vector(0, 1), factor)


@exercise("fgsm_step", points=2)
class TestFgsmStep:
    def test_worked_values(self, student):
        """Pixels (0.5, 0.5, 0.5, 0.95), gradient (7, -0.01, 0, 2), epsilon 0.1: (0.6, 0.4, 0.5, 1)."""
        answer = student.fgsm_step(vector(0.5, 0.5, 0.5, 0.95), vector(7, -0.01, 0, 2), 0.1)
        assert_close(answer, vector(0.6, 0.4, 0.5, 1))

    @given(x=tensors(low=0, high=1), scale=entries(-3, 3), epsilon=floats(0, 1))
    def test_agrees_with_the_formula(self, student, x, scale, epsilon):
        """Every pixel moves by epsilon along the sign of its gradient, however small that is, and stays in [0, 1]."""
        grad = scale * cotangent_like(x)
        assert_close(student.fgsm_step(x, grad, epsilon), (x + epsilon * torch.sign(grad)).clamp(0, 1))

    @given(x=tensors(min_ndim=2, max_ndim=2, low=0, high=1, dtype=torch.float32))
    def test_float32_stays_float32(self, student, x):
        """float32 tensors give a float32 tensor, and neither x nor grad is changed in place."""
        grad = cotangent_like(x)
        assert_close(student.fgsm_step(x, grad, 0.25), (x + 0.25 * torch.sign(grad)).clamp(0, 1))
        assert_unchanged(student)

    @given(wrong=st.sampled_from(["epsilon", "grad"]))
    def test_bad_input_is_refused(self, student, wrong):
        """A negative epsilon and a grad of another shape raise ValueError that names the argument."""
        grad = vector(1) if wrong == "grad" else vector(1, 2)
        with raises(ValueError, naming=wrong):
            student.fgsm_step(vector(0.25, 0.5), grad, -0.1 if wrong == "epsilon" else 0.1)
