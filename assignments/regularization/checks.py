"""Visible checks of the assignment on regularization.

Each compares with torch's own function or with worked numbers, or states a property of the function.
The sentence under a test is what you read when it fails.
"""

from collections.abc import Callable
from math import inf, nan
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    CALLS,
    GENERATORS,
    SEEDS,
    Callback,
    Contract,
    Draws,
    OwnDraws,
    Refusal,
    Rules,
    another_length,
    another_number_of_axes,
    another_shape,
    assert_close,
    assert_on_their_own,
    assert_right,
    assert_share,
    assert_unchanged,
    bad_values,
    callbacks,
    case,
    cotangent_like,
    exercise,
    explained,
    fair_draws,
    few_examples,
    floats,
    gradient_of,
    idea,
    negative,
    outside,
    own_draws,
    raises,
    refusal,
    seeded,
    shares,
    statistical,
    tensors,
    vector,
    weight,
)

RULES = Rules(library="torch")
P = st.sampled_from([0.25, 0.75, 0.2, 0.9, 0.6, 0.05, 0.37])
# Neither tenths nor hundredths, one of them rare.
ODD_P = st.sampled_from([0.004, 0.333])
PIXELS = tensors(low=0, high=1)
TEN = torch.tensor(10.0, dtype=torch.float64)


def images(*shape: int) -> Tensor:
    """Images of irregular pixels of [0.1, 0.9], all different, the same at every replay."""
    count = torch.Size(shape).numel()
    return (0.1 + 0.8 * torch.randperm(count, generator=seeded(count)).double() / max(1, count - 1)).reshape(shape)


# Said where a check has just found the answer right with this argument given.
DEFAULT = "It is right where `{0}` is given, and wrong where `{0}` is left out. What is its default?"

# N, C, H, W, all different.
IMAGES = st.permutations([2, 3, 4, 5]).map(lambda shape: images(*shape))


def drawing(arguments: Any, oracle: Callable[..., Any], **more: Any) -> Contract:
    """The contract of a function that draws: its oracle takes from the answer what was drawn."""
    if isinstance(arguments, dict):
        arguments = {**arguments, "generator": GENERATORS}
    return Contract(arguments, oracle, of_answer=True, **{"keywords": ("generator",), "batch": {"x": 0}, **more})


def dropped_out(
    answer: tuple[Tensor, Tensor], x: Tensor, p: float, training: bool = True, generator: Any = None
) -> Any:
    """What dropout has to answer if it keeps the entries that the answer's mask keeps."""
    mask = (answer[1] != 0).double() / (1 - p) if training else torch.ones_like(x)
    return x * mask, mask


def dropouts(training: bool) -> dict[str, Any]:
    return {"x": tensors(), "p": P, "training": st.just(training), "generator": GENERATORS}


DROPOUT = drawing(
    dropouts(training=True),
    dropped_out,
    agrees=None,
    magnitudes=(1.0, 1e-3, 500.0),
    variants=(dropouts(training=False),),
    keywords=("training", "generator"),
    refuses=(outside("p", 0, 1),),
)


# So many numbers, all different, do not agree with another by chance.
ENOUGH = 3


def factor_of_the_kept(mask: Tensor, p: float) -> str:
    """By what the mask multiplies the entries that it keeps; empty unless that is one wrong number, and some are dropped."""
    factors = mask.double()[mask != 0]
    if not ENOUGH <= len(factors) < mask.numel() or (factors - factors[0]).abs().max() > 1e-4 * factors[0].abs():
        return ""
    factor = factors[0].item()
    if abs(factor * (1 - p) - 1) < 1e-4:
        return ""
    return (
        f"With p = {p:g} what is kept is multiplied by {factor:.4g}. A share of {1 - p:g} is kept, so on average the "
        f"result is {factor * (1 - p):.3g} times the input."
    )


def of_mask_and_result(out: Tensor, mask: Tensor, x: Tensor, p: float) -> str:
    """What is wrong with the mask, or else with the result; empty where it cannot be told."""
    if (mask != 0).sum() < ENOUGH or len(x[mask != 0].unique()) < ENOUGH or out.shape != x.shape:
        return ""
    if not torch.allclose(mask.double(), dropped_out((out, mask), x, p)[1]):
        return factor_of_the_kept(mask, p)
    if torch.allclose(out.double(), x.double()):
        return "The mask is right, and the result is x as it came: the mask is not applied."
    return "The mask is right, and the result is not x times that mask."


@exercise("dropout", points=4, contract=DROPOUT)
class TestDropout(OwnDraws):
    def draw(self, student, generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
        return student.dropout(torch.ones(shape), 0.5, generator=generator)[0]

    @idea
    @weight(4)
    @given(x=tensors(), p=P, generator=GENERATORS)
    def test_zero_or_scaled_up(self, student, x, p, generator):
        """Each entry of the mask is 0 or 1 / (1 - p), and the result is x times the mask."""
        out, mask = student.dropout(x, p, generator=generator)
        right_out, right_mask = dropped_out((out, mask), x, p)
        with explained(lambda: of_mask_and_result(out, mask, x, p)):
            assert_close(mask.double(), right_mask)
            assert_close(out.double(), right_out)

    @idea
    @shares(1)
    @few_examples
    @given(p=st.sampled_from([0.2, 0.7]), seed=SEEDS)
    def test_share_that_is_dropped(self, student, p, seed):
        """Over 4,000 entries the share that is dropped is p."""
        out, _ = student.dropout(torch.ones(50, 80), p, generator=seeded(seed))
        assert_share(out == 0, p, "an entry was dropped")

    @idea("evaluation")
    @given(x=tensors(), p=P, generator=GENERATORS)
    def test_evaluation_is_identity(self, student, x, p, generator):
        """In evaluation mode nothing is dropped or scaled, and the mask is 1 everywhere."""
        out, mask = student.dropout(x, p, training=False, generator=generator)
        assert_close((out.double(), mask.double()), (x, torch.ones_like(x)))

    @case
    @shares(2)
    @few_examples
    @given(p=ODD_P, seed=SEEDS)
    def test_any_probability(self, student, p, seed):
        """p may be any number, such as 0.333 or 0.004, and is 0.5 by default: of 20,000 entries a share p is dropped."""
        x = torch.ones(100, 200)
        assert_share(student.dropout(x, p, generator=seeded(seed))[1] == 0, p, "an entry was dropped")
        with explained(lambda: DEFAULT.format("p")):
            assert_share(student.dropout(x, generator=seeded(seed))[1] == 0, 0.5, "an entry was dropped")

    @case
    @given(x=tensors(min_ndim=1), p=st.sampled_from([0.0, 1.0]))
    def test_nothing_or_everything(self, student, x, p):
        """With p = 0 nothing changes, with p = 1 every entry is 0, never nan."""
        expected = torch.ones_like(x) - p
        assert_close(student.dropout(x, p, generator=seeded()), (x * expected, expected))

    @case
    @given(x=tensors(min_ndim=1).map(torch.zeros_like), seed=SEEDS)
    def test_zeros_are_dropped_too(self, student, x, seed):
        """The mask does not depend on the entries: zeros are kept or dropped like others."""
        masks = [student.dropout(x + k, 0.5, generator=seeded(seed))[1] for k in (0, 1)]
        assert_close(masks[0], masks[1])


MASKED = Contract(
    tensors().map(lambda x: {"grad_out": cotangent_like(x), "mask": torch.where(x > 0, 1.25, 0.0).double()}),
    lambda grad_out, mask: gradient_of(torch.mul, [0], grad_out, [grad_out, mask]),
    agrees="The gradient agrees with torch's for the same mask.",
    magnitudes=(1.0, 80.0),
    batch={"grad_out": 0, "mask": 0},
    refuses=(another_shape("grad_out"),),
)


@exercise("dropout_backward", points=1, contract=MASKED)
class TestDropoutBackward:
    @idea
    def test_worked_values(self, student):
        """Upstream gradient (3, 5) and mask (4, 0): (12, 0)."""
        assert_close(student.dropout_backward(vector(3, 5), vector(4, 0)), vector(12, 0))


WITHOUT_DROPOUT = Contract(
    {
        "x": tensors(min_ndim=1),
        "predict": callbacks(["lambda v: v ** 2", "lambda v: v.sum(0)"]),
        "p": st.just(0.0),
        "samples": st.integers(1, 4),
        "generator": GENERATORS,
    },
    lambda x, predict, p, samples, generator: predict(x),
    agrees="With p = 0 every prediction is the same, and so is the mean.",
    keywords=("samples", "generator"),
    refuses=(bad_values("samples", 0, -1), outside("p", 0, 1)),
)


@exercise("mc_dropout_mean", points=2, contract=WITHOUT_DROPOUT)
class TestMcDropoutMean(Draws):
    def draw(self, student, generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
        itself = Callback("lambda v: v")
        return student.mc_dropout_mean(torch.ones(shape), itself, samples=1, generator=generator)

    def seen(self, student, x: Tensor, *p: float, samples: int, seed: int) -> list[Tensor]:
        """What the predictions are made from."""
        inputs: list[Tensor] = []

        def predict(v: Tensor) -> Tensor:
            inputs.append(v)
            return v.square()

        student.mc_dropout_mean(x, predict, *p, samples=samples, generator=seeded(seed))
        return inputs

    @idea
    @own_draws
    @few_examples
    @given(seed=SEEDS)
    def test_each_prediction_has_its_own_mask(self, student, seed):
        """Each prediction is made from x after dropout with a mask of its own."""
        inputs = self.seen(student, torch.ones(36).double(), 0.5, samples=CALLS, seed=seed)
        assert_on_their_own(torch.stack(inputs) != 0)

    @idea
    @shares(1)
    @few_examples
    @given(p=st.sampled_from([0.25, 0.6]), seed=SEEDS)
    def test_predicts_before_the_mean(self, student, p, seed):
        """The mean is taken of the predictions, not of the inputs: cut off at 1, ones become 1 - p on average."""
        cut_off = Callback("lambda v: v.clamp(max=1)")
        answer = student.mc_dropout_mean(torch.ones(500).double(), cut_off, p, samples=20, generator=seeded(seed))
        assert_close(answer * 20, (answer * 20).round())
        assert_share(torch.arange(1, 21) < answer[:, None] * 20 + 0.5, 1 - p, "an entry was left")

    @idea
    @given(x=tensors(min_ndim=1, max_ndim=2), p=P, seed=SEEDS)
    def test_inputs_are_scaled_up(self, student, x, p, seed):
        """What is kept is scaled up, as dropout does: each input is 0 or x / (1 - p)."""
        for v in self.seen(student, x, p, samples=2, seed=seed)[-2:]:
            assert_close(v, torch.where(v != 0, x / (1 - p), 0.0))

    @case
    @given(samples=st.integers(1, 9))
    def test_as_many_predictions_as_asked(self, student, samples):
        """It asks for exactly as many predictions as samples."""
        seen = len(self.seen(student, vector(1, 2), samples=samples, seed=0))
        assert_right(seen == samples, f"With samples={samples} the function was called {seen} times.")

    @case
    def test_hundreds_of_predictions(self, student):
        """The mean of 400 predictions that are all alike is that prediction, in float16 and bfloat16 too."""
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            x = vector(1, -3, 0.5).to(dtype)
            answer = student.mc_dropout_mean(x, Callback("lambda v: v"), 0.0, samples=400, generator=seeded())
            assert_close(answer, x)

    @case
    @fair_draws(36)
    @few_examples
    @given(seed=SEEDS)
    def test_a_half_by_default(self, student, seed):
        """Without p, entries are dropped with probability 1/2."""
        given, left_out = (
            student.mc_dropout_mean(torch.ones(36), Callback("lambda v: v"), *p, samples=1, generator=seeded(seed))
            for p in ((0.5,), ())
        )
        is_right = sorted(set(given.tolist())) == [0.0, 2.0]
        with explained(lambda: DEFAULT.format("p") if is_right else ""):
            assert_close(sorted(set(left_out.tolist())), [0.0, 2.0])


def penalty(loss: Callable[..., Tensor], weights: st.SearchStrategy[Tensor]) -> Contract:
    """The contract of a penalty that is torch's distance of the weights from 0, summed."""
    return Contract(
        {"weight": weights, "strength": floats(0, 3)},
        lambda weight, strength: strength * loss(weight, torch.zeros_like(weight), reduction="sum"),
        magnitudes=(1.0, 1e-3, 50.0),
        half_magnitudes=(0.1, 1e-2),
        batch={"weight": 0},
        refuses=(negative("strength"),),
    )


L2 = penalty(F.mse_loss, tensors(low=-20, high=20))
# What L1 does at exactly 0 is a case of its own.
L1 = penalty(F.l1_loss, tensors(low=-20, high=20).map(lambda w: torch.where(w == 0, 0.5, w)))


@exercise("l2_penalty", points=1, contract=L2)
class TestL2Penalty:
    @idea
    def test_worked_values(self, student):
        """Weights (3, -4) and strength 0.1 cost 0.1 · 25."""
        assert_close(student.l2_penalty(vector(3, -4), 0.1), TEN / 4)


@exercise("l2_penalty_backward", points=1, contract=L2.backward("weight"))
class TestL2PenaltyBackward:
    @idea
    def test_worked_values(self, student):
        """Weights (3, -4), strength 0.2, upstream gradient 10: (12, -16)."""
        assert_close(student.l2_penalty_backward(TEN, vector(3, -4), 0.2), vector(12, -16))


@exercise("l1_penalty", points=1, contract=L1)
class TestL1Penalty:
    @idea
    def test_worked_values(self, student):
        """Weights (3, -4) and strength 0.1 cost 0.1 · 7."""
        assert_close(student.l1_penalty(vector(3, -4), 0.1), 0.07 * TEN)


@exercise("l1_penalty_backward", points=1, contract=L1.backward("weight"))
class TestL1PenaltyBackward:
    @idea
    def test_worked_values(self, student):
        """Weights (3, -4), strength 0.2, upstream gradient 10: (2, -2)."""
        assert_close(student.l1_penalty_backward(TEN, vector(3, -4), 0.2), vector(2, -2))

    @case
    @given(weight=tensors(low=-2, high=2), strength=floats(0, 3))
    @example(weight=vector(3, 0, -4), strength=0.1)
    def test_zero_stays(self, student, weight, strength):
        """At exactly 0 the slope is 0, and just beside it the side decides."""
        weight = weight.round() * 1e-30
        assert_close(student.l1_penalty_backward(TEN, weight, strength), TEN * strength * torch.sign(weight))


def sgd(param: Tensor, grad: Tensor, lr: float, weight_decay: float = 0.0) -> Tensor:
    """A step of torch's own optimizer."""
    own = param.clone().requires_grad_()
    own.grad = grad.clone()
    torch.optim.SGD([own], lr=lr, weight_decay=weight_decay).step()
    return own.detach()


DECAY = Contract(
    st.tuples(tensors(), floats(0.01, 1), floats(0, 1)).map(
        lambda drawn: {"param": drawn[0], "grad": cotangent_like(drawn[0]), "lr": drawn[1], "weight_decay": drawn[2]}
    ),
    sgd,
    agrees="The step agrees with that of torch.optim.SGD with the same weight decay.",
    magnitudes=(1.0, 1e-3),
    half_slack=6.0,  # a sum may cancel
    scaled=("param", "grad"),
    batch={"param": 0, "grad": 0},
    keywords=("lr", "weight_decay"),
    refuses=(another_shape("grad"), bad_values("lr", 0.0, -0.1), bad_values("weight_decay", -0.01, -3.0)),
)


@exercise("weight_decay_step", points=2, contract=DECAY)
class TestWeightDecayStep:
    @idea
    def test_worked_values(self, student):
        """Weight 2, gradient 3, learning rate 0.1, decay 0.5: 0.95 · 2 - 0.1 · 3 = 1.6."""
        assert_close(student.weight_decay_step(vector(2), vector(3), lr=0.1, weight_decay=0.5), vector(1.6))

    @case
    @given(param=tensors(), lr=floats(1, 20), weight_decay=floats(0, 5))
    def test_any_settings(self, student, param, lr, weight_decay):
        """Rates and decays of any size give the step of the formula, also past 0."""
        grad = cotangent_like(param)
        answer = student.weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
        assert_close(answer, sgd(param, grad, lr, weight_decay))

    @case
    @given(param=tensors(), lr=floats(0.01, 2))
    def test_no_decay_by_default(self, student, param, lr):
        """Without weight_decay it is a plain step of gradient descent."""
        grad = cotangent_like(param)
        assert_close(student.weight_decay_step(param, grad, lr=lr), sgd(param, grad, lr))


def losses(low: int, high: int, parts: int = 1) -> st.SearchStrategy[list[float]]:
    """Losses of some epochs: multiples of a part of 1, so that ties are common."""
    return st.lists(st.integers(low, high).map(lambda n: n / parts), min_size=1, max_size=10)


@exercise("EarlyStopping", points=3)
class TestEarlyStopping:
    BY_HAND = (5.0, 4.0, 4.0, 3.0, 5.0, 3.0, 4.0)

    def weights(self, epoch: int) -> list[Tensor]:
        """The weights of an epoch."""
        return [vector(epoch, -epoch), torch.full((2, 1), epoch / 2)]

    def follow(self, student, losses: list[float], *settings: Any) -> tuple[list[bool], Any]:
        """When it says stop, and the object after the last epoch."""
        stopping = student.EarlyStopping(*settings)
        return [stopping.step(loss, self.weights(epoch)) for epoch, loss in enumerate(losses)], stopping

    def right(self, losses: list[float], patience: int = 3, min_delta: float = 0.0) -> tuple[list[bool], Any, int, Any]:
        """When to stop; the best loss, the bad epochs and the best weights after the last epoch."""
        best, since, bad, stops = inf, None, 0, []
        for epoch, loss in enumerate(losses):
            best, since, bad = (loss, epoch, 0) if loss < best - min_delta else (best, since, bad + 1)
            stops.append(bad >= patience)
        return stops, best, bad, None if since is None else self.weights(since)

    @idea("patience")
    @weight(2)
    @given(losses=losses(-2, 5), patience=st.integers(1, 4))
    @example(losses=BY_HAND, patience=2)
    @example(losses=[1.0, 2.0, 0.5], patience=1)
    def test_patience(self, student, losses, patience):
        """It says stop after `patience` epochs in a row without a better loss; a better one starts the count anew."""
        assert_close(self.follow(student, losses, patience)[0], self.right(losses, patience)[0])

    @idea("min_delta")
    @given(losses=losses(0, 12, 4), min_delta=st.sampled_from([0.375, 0.625, 1.125]))
    @example(losses=[4.0, 3.8, 3.45, 3.4, 3.3], min_delta=0.5)
    def test_min_delta(self, student, losses, min_delta):
        """A loss has to be below the best one by more than min_delta; small gains add up, as the best stays."""
        assert_close(self.follow(student, losses, 2, min_delta)[0], self.right(losses, 2, min_delta)[0])

    @idea("weights")
    @given(losses=losses(0, 6))
    @example(losses=BY_HAND)
    def test_best_weights(self, student, losses):
        """`best_params` are the weights of the best epoch, the first one where two are equal."""
        assert_close(self.follow(student, losses)[1].best_params, self.right(losses)[3])

    @case
    @given(losses=losses(-8, 8, 4), min_delta=st.sampled_from([0.0, 0.5, 0.625]))
    @example(losses=[1.0, 0.5, 0.25], min_delta=0.5)
    @example(losses=[2.0, 1.75], min_delta=0.5)
    def test_attributes(self, student, losses, min_delta):
        """`best` and `best_params` are of the last better epoch, `bad_epochs` counts those since; params stay."""
        _, stopping = self.follow(student, losses, 3, min_delta)
        assert_unchanged(student)
        found = stopping.best, stopping.bad_epochs, stopping.best_params
        assert_close(found, self.right(losses, 3, min_delta)[1:])

    @case
    def test_before_the_first_epoch(self, student):
        """At first `best` is infinite, `bad_epochs` 0 and `best_params` None; a first loss of any size is better."""
        stopping = student.EarlyStopping()
        assert_close((stopping.best, stopping.bad_epochs, stopping.best_params), (inf, 0, None))
        assert_close(stopping.step(1e30, self.weights(1)), False)

    @case
    @given(losses=st.sampled_from([[1.0, nan, nan], [nan, nan], [nan, 2.0, nan, nan]]))
    def test_nan_is_not_better(self, student, losses):
        """A loss of nan is never better: training has gone wrong, and the count goes on."""
        assert_close(self.follow(student, losses, 2)[0], self.right(losses, 2)[0])

    @case
    def test_five_epochs_by_default(self, student):
        """Without arguments it stops at the fifth bad epoch in a row, and any lower loss is better."""
        losses = [1.0, 0.999, 1.0, 1.0, 1.0, 1.0, 1.0]
        assert_close(self.follow(student, losses)[0], self.right(losses, 5)[0])

    @refusal
    @given(wrong=st.sampled_from([("patience", 0), ("patience", -2), ("min_delta", -0.1), ("min_delta", nan)]))
    def test_bad_input_is_refused(self, student, wrong):
        """A patience below 1 and a negative min_delta raise ValueError that names the argument."""
        with raises(ValueError, naming=wrong[0]):
            student.EarlyStopping(**dict([wrong]))


CLASSES = st.lists(st.integers(0, 4), min_size=1, max_size=7).map(lambda y: torch.tensor(y, dtype=torch.int64))


@exercise("smooth_targets", points=1)
class TestSmoothTargets:
    def expected(self, y: Tensor, num_classes: int, smoothing: float) -> Tensor:
        return ((1 - smoothing) * F.one_hot(y, num_classes).double() + smoothing / num_classes).float()

    @idea
    def test_worked_values(self, student):
        """Class 1 of 4 with smoothing 0.2: (0.05, 0.85, 0.05, 0.05)."""
        targets = student.smooth_targets(torch.tensor([1]), 4, 0.2)
        assert_close(targets.float(), torch.tensor([[0.05, 0.85, 0.05, 0.05]]))

    @idea
    @given(y=CLASSES, num_classes=st.integers(5, 8), smoothing=floats(0, 1))
    def test_agrees_with_the_formula(self, student, y, num_classes, smoothing):
        """Every class gets s / K, and the right one 1 - s beside it."""
        targets = student.smooth_targets(y, num_classes, smoothing)
        assert_close(targets.float(), self.expected(y, num_classes, smoothing))

    @case
    @given(y=CLASSES, kind=st.sampled_from(["ordinary", "every second", "no sample", "one class"]))
    def test_float32_for_any_y(self, student, y, kind):
        """The targets are float32, for classes however they lie in memory, for no sample, and for one class."""
        y = {"every second": y.repeat_interleave(2)[::2], "no sample": y[:0], "one class": y * 0}.get(kind, y)
        num_classes = 1 if kind == "one class" else 5
        assert_close(student.smooth_targets(y, num_classes, 0.25), self.expected(y, num_classes, 0.25))
        assert_unchanged(student)

    @case
    @given(y=CLASSES)
    def test_a_tenth_by_default(self, student, y):
        """Without smoothing given, it is 0.1."""
        given, left_out = student.smooth_targets(y, 5, 0.1).float(), student.smooth_targets(y, 5).float()
        with explained(lambda: DEFAULT.format("smoothing") if is_right else ""):
            is_right = torch.allclose(given, self.expected(y, 5, 0.1))
            assert_close(left_out, self.expected(y, 5, 0.1))

    @refusal
    @given(wrong=st.sampled_from([("smoothing", -0.1), ("smoothing", 1.1), ("num_classes", 0), ("y", [[0, 1]])]))
    def test_bad_input_is_refused(self, student, wrong):
        """A smoothing outside [0, 1], no classes, and a y with two axes raise ValueError that names the argument."""
        arguments = {"y": [0, 1], "num_classes": 3, "smoothing": 0.1} | dict([wrong])
        with raises(ValueError, naming=wrong[0]):
            student.smooth_targets(torch.tensor(arguments["y"]), arguments["num_classes"], arguments["smoothing"])


def noisy(out: Tensor, x: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """The answer itself, as long as it is one that noise explains; else no noise at all."""
    near = out.shape == x.shape and bool(((out - x).abs() <= 12 * std + 0.02 * x.abs()).all())
    return out.double() if near else x


NOISE = drawing(
    {"x": tensors(), "std": st.sampled_from([0.0, 0.5, 3.0])},
    noisy,
    agrees=None,
    magnitudes=(1.0, 500.0),
    refuses=(negative("std"),),
)


@exercise("add_noise", points=1, contract=NOISE)
class TestAddNoise(OwnDraws):
    def draw(self, student, generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
        return student.add_noise(torch.zeros(shape), 0.5, generator=generator)

    def decided(self, drawn: Tensor) -> Tensor:
        return drawn > 0

    @idea
    @shares(3)
    @few_examples
    @given(std=st.sampled_from([0.1, 3.0]), seed=SEEDS)
    def test_normal_noise(self, student, std, seed):
        """Of 2,400 draws 68.3 % lie within one standard deviation, 95.4 % within two, half on either side."""
        noise = (student.add_noise(torch.full((40, 60), 2.0), std, generator=seeded(seed)) - 2) / std
        assert_share(noise.abs() < 1, 0.68269, "the noise lay within std")
        assert_share(noise.abs() < 2, 0.95450, "the noise lay within 2 std")
        assert_share(noise > 0, 0.5, "the noise was positive")

    @case
    @shares(1)
    @few_examples
    @given(seed=SEEDS)
    def test_far_out(self, student, seed):
        """Normal noise has no bounds: of 20,000 draws 0.27 % lie further out than three standard deviations."""
        noise = student.add_noise(torch.zeros(100, 200), 2.0, generator=seeded(seed)) / 2
        assert_share(noise.abs() > 3, 0.0027, "the noise lay outside 3 std")

    @case
    @given(x=tensors(min_ndim=1, low=-100, high=100), seed=SEEDS)
    def test_noise_does_not_depend_on_the_input(self, student, x, seed):
        """The noise is the same whatever the numbers are."""
        noise = student.add_noise(torch.zeros_like(x), 2.0, generator=seeded(seed))
        out = student.add_noise(x, 2.0, generator=seeded(seed))
        with explained(lambda: "The same noise comes out whatever x is: x is not in the answer." if same else ""):
            same = torch.equal(out, noise)
            assert_close(out - x, noise)


@st.composite
def batches(draw) -> dict[str, Any]:
    """Samples, each with a class of its own as its target."""
    x = draw(tensors(min_ndim=2, min_side=2, max_side=6))
    y = torch.eye(len(x), dtype=torch.float64)
    return {"x": x, "y": y, "lam": draw(floats(0.1, 0.9)), "generator": draw(GENERATORS)}


def partners(mixed_y: Tensor, y: Tensor, lam: float) -> Tensor:
    """Which sample each was mixed with, as rows of 0 and 1: sample n has class n."""
    return ((mixed_y.double() - lam * y) / (1 - lam)).round()[:, : len(y)]


def mixed(answer: tuple[Tensor, Tensor], x: Tensor, y: Tensor, lam: float, generator: torch.Generator) -> Any:
    """What mixup has to answer for the partners that the answer's targets show."""
    partner = partners(answer[1], y, lam)
    return tuple(lam * one + (1 - lam) * torch.tensordot(partner, one, 1) for one in (x, y))


def partner_in(part: Tensor) -> Tensor:
    """Rows of 0 and 1: with what each row of the identity was mixed, itself where no other entry sticks out."""
    one = torch.eye(len(part), dtype=torch.float64)
    others = part.nan_to_num(0.0, 0.0, 0.0).abs().masked_fill(one.bool(), 0)
    least = others.masked_fill(one.bool(), inf).amin(1, keepdim=True)
    return torch.where((others - least > 1e-6).any(1, keepdim=True), one[others.argmax(1)], one)


def of_shares(name: str, part: Tensor, lam: float) -> str:
    """What share a row of the identity keeps, and what its partner's gets, in a wrong result."""
    if not part.isfinite().all():
        return f"`{name}` is nan or infinite where an entry is 0: something is divided by the entries."
    partner = partner_in(part)
    moved = partner.diagonal() == 0
    if not moved.any():
        return f"In `{name}` no sample has any part of another one: the partners are missing."
    own, others = part.diagonal()[moved], part[partner.bool()][moved]
    rest = part[moved][(partner[moved] + torch.eye(len(part))[moved]) == 0]
    if any((values - values[0]).abs().max() > 1e-6 for values in (own, others, rest)):
        return ""
    if rest[0].abs() > 1e-6:
        return (
            f"Where a sample and its partner are both 0, `{name}` is {rest[0]:.3g}: something is added that is no "
            "multiple of either."
        )
    return (
        f"In `{name}` a sample counts {own[0]:.3g} times and its partner {others[0]:.3g} times, where lam is {lam:.3g}."
    )


MIXUP = drawing(
    batches(),
    mixed,
    agrees="Every sample keeps the share lam and gets the rest from its partner, and so does its target.",
    half_slack=6.0,  # a sum may cancel
    batch={"x": 0, "y": 0},
    refuses=(outside("lam", 0, 1), another_length("y", 0), another_number_of_axes("y")),
)


@exercise("mixup", points=2, contract=MIXUP)
class TestMixup(Draws):
    def mix(self, student, count: int, generator: torch.Generator) -> Tensor:
        y = torch.eye(count, dtype=torch.float64)
        return partners(student.mixup(torch.arange(count).double()[:, None], y, 0.25, generator=generator)[1], y, 0.25)

    def draw(self, student, generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
        return self.mix(student, 36, generator)

    @idea
    @statistical(false_alarm=2 * (9 * (2 / 3) ** 80 + 15 * (4 / 6) ** 80), because="80 permutations of three samples")
    @few_examples
    @given(seed=SEEDS)
    def test_any_permutation(self, student, seed):
        """Each sample is the partner of exactly one; in 80 calls each of three meets every one, itself too."""
        drawn = [self.mix(student, 3, seeded(seed + call)) for call in range(80)]
        assert_close(torch.stack(drawn).sum(1), torch.ones(80, 3, dtype=torch.float64))
        never = (torch.stack(drawn).sum(0) == 0).nonzero().tolist()
        assert_right(not never, f"In 80 calls these samples never meet as partners: {never[:3]}.")
        ways = len({tuple(one.flatten().tolist()) for one in drawn})
        assert_right(ways > 4, f"Only {ways} of the 6 permutations of three samples occur.")

    @idea
    @given(lam=floats(0.1, 0.45), seed=SEEDS)
    @example(lam=0.3, seed=1)
    def test_shares_of_each(self, student, lam, seed):
        """With rows of the identity as samples and as targets, both results show shares: lam of a row, 1 - lam of its partner's."""
        one = torch.eye(5, dtype=torch.float64)
        answer = student.mixup(one, one, lam, generator=seeded(seed))
        expected = tuple(lam * one + (1 - lam) * partner_in(part) for part in answer)
        for name, part, right in zip(("mixed_x", "mixed_y"), answer, expected, strict=True):
            with explained(lambda name=name, part=part: of_shares(name, part, lam)):
                assert_close(part, right)

    @case
    @given(x=tensors(min_ndim=1, max_ndim=3), lam=st.sampled_from([0.0, 1.0]))
    def test_all_or_nothing_of_oneself(self, student, x, lam):
        """With lam = 1 nothing changes, with lam = 0 every sample gives way to its partner."""
        y = torch.eye(len(x)).double()
        mixed_x, mixed_y = student.mixup(x, y, lam, generator=seeded())
        assert_close(mixed_x, torch.tensordot(mixed_y, x, 1) if lam == 0 else x)
        assert_close(mixed_y.sort(0).values if lam == 0 else mixed_y, y.sort(0).values if lam == 0 else y)


def flipped(out: Tensor, x: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """The images, with those turned that are turned in the answer."""
    turned = (out == x.flip(3)).flatten(1).all(1)
    return torch.where(turned[:, None, None, None], x.flip(3), x)


FLIP = drawing(
    {"x": IMAGES, "p": P},
    flipped,
    agrees="Each image is turned whole or stays as it is.",
    refuses=(outside("p", 0, 1), another_number_of_axes("x")),
)


@exercise("horizontal_flip", points=2, contract=FLIP)
class TestHorizontalFlip(OwnDraws):
    def turned(self, student, count: int, *p: float, generator: torch.Generator) -> Tensor:
        """Which of so many images are turned."""
        x = torch.tensor([0.0, 1.0]).expand(count, 1, 1, 2).clone()
        return student.horizontal_flip(x, *p, generator=generator)[:, 0, 0, 0]

    def draw(self, student, generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
        return self.turned(student, torch.Size(shape).numel(), 0.5, generator=generator)

    @idea
    def test_worked_values(self, student):
        """Turned, the rows (1, 2, 3) and (4, 5, 6) are (3, 2, 1) and (6, 5, 4): the rows keep their places."""
        x = vector(1, 2, 3, 4, 5, 6).reshape(1, 1, 2, 3)
        assert_close(student.horizontal_flip(x, 1.0, generator=seeded()).flatten(), vector(3, 2, 1, 6, 5, 4))

    @idea
    @shares(1)
    @few_examples
    @given(p=st.sampled_from([0.2, 0.7]), seed=SEEDS)
    def test_share_that_is_turned(self, student, p, seed):
        """Of 2,000 images a share of p is turned."""
        assert_share(self.turned(student, 2000, p, generator=seeded(seed)) == 1, p, "an image was turned")

    @case
    @shares(2)
    @few_examples
    @given(p=ODD_P, seed=SEEDS)
    def test_any_probability(self, student, p, seed):
        """p may be any number, such as 0.333 or 0.004, and is 0.5 by default: of 20,000 images a share p is turned."""
        assert_share(self.turned(student, 20_000, p, generator=seeded(seed)) == 1, p, "an image was turned")
        with explained(lambda: DEFAULT.format("p")):
            assert_share(self.turned(student, 20_000, generator=seeded(seed)) == 1, 0.5, "an image was turned")

    @case
    @given(p=st.sampled_from([0.0, 1.0]), x=IMAGES)
    def test_none_or_all(self, student, p, x):
        """With p = 0 no image is turned, with p = 1 every one; images one column wide are fine."""
        assert_close(student.horizontal_flip(x, p, generator=seeded()), x.flip(3) if p else x)
        assert_close(student.horizontal_flip(x[..., :1], p, generator=seeded()), x[..., :1])


def cropped(out: Tensor, x: Tensor, size: tuple[int, int], padding: int, generator: torch.Generator) -> Tensor:
    """For each image that window of it which is nearest to the answer."""
    windows = F.pad(x, (padding,) * 4).unfold(2, size[0], 1).unfold(3, size[1], 1).flatten(2, 3).transpose(1, 2)
    far = (windows - out.double()[:, None]).abs().amax((2, 3, 4))
    return windows[torch.arange(len(x)), far.argmin(1)]


def too_large(arguments: Any) -> tuple[Any, ...]:
    height, width = (side + 2 * arguments["padding"] for side in arguments["x"].shape[2:])
    return (height + 1, 1), (1, width + 1), (height + 3, width + 3), (0, 1)


CROP = drawing(
    {"x": IMAGES, "size": st.sampled_from([(1, 2), (2, 1), (2, 2)]), "padding": st.integers(0, 2)},
    cropped,
    agrees="Each result is a window of its own image, with rows and columns of zeros around it if asked.",
    refuses=(Refusal("size", too_large, ("size",)), another_number_of_axes("x"), bad_values("padding", -1)),
)


@exercise("random_crop", points=3, contract=CROP)
class TestRandomCrop(OwnDraws):
    def pixels(self, student, shape: tuple[int, int], count: int, *padding: int, generator: torch.Generator) -> Tensor:
        """Which pixel of an image of so many rows and columns windows of one pixel take; 0 is the first, -1 the frame."""
        x = torch.arange(1.0, 1 + shape[0] * shape[1]).reshape(1, 1, *shape).expand(count, 1, *shape).clone()
        return student.random_crop(x, (1, 1), *padding, generator=generator).flatten() - 1

    places = (18,)  # each of which draws a row and a column

    def draw(self, student, generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
        return self.pixels(student, (2, 2), *shape, generator=generator)

    def decided(self, drawn: Tensor) -> Tensor:
        return torch.stack([drawn >= 2, drawn % 2 == 1], dim=-1)

    @idea
    @shares(6)
    @few_examples
    @given(seed=SEEDS)
    def test_every_place_equally_often(self, student, seed):
        """Of 6,000 windows a sixth stands at each of the 2 · 3 places."""
        found = self.pixels(student, (2, 3), 6000, generator=seeded(seed))
        for place in range(6):
            assert_share(found == place, 1 / 6, f"the window stood at place {place}")

    @idea
    @shares(1)
    @few_examples
    @given(seed=SEEDS)
    def test_places_in_the_frame_count_too(self, student, seed):
        """With padding 1, a window of one pixel has 3 · 4 places on an image of 1 · 2: each is taken as often."""
        found = self.pixels(student, (1, 2), 6000, 1, generator=seeded(seed))
        assert_share(found == 1, 1 / 12, "the window stood on the last pixel")

    @case
    @given(x=IMAGES, padding=st.integers(0, 3))
    def test_a_window_of_the_whole_size(self, student, x, padding):
        """A window as large as the padded image is that image, with zeros on all four sides."""
        wide = F.pad(x, (padding,) * 4)
        assert_close(student.random_crop(x, tuple(wide.shape[2:]), padding, generator=seeded()), wide)


def turned(x: Tensor, degrees: float) -> Tensor:
    """The image turned by torch's own sampler, which counts places from -1 to 1 across the image."""
    height, width = x.shape[2:]
    angle = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    cos, sin = angle.cos(), angle.sin()
    theta = torch.stack([cos, -sin * height / width, 0 * cos, sin * width / height, cos, 0 * cos]).reshape(1, 2, 3)
    grid = F.affine_grid(theta.expand(max(1, len(x)), 2, 3), [max(1, len(x)), *x.shape[1:]], align_corners=False)
    return F.grid_sample(x.double(), grid, align_corners=False) if len(x) else x


# On an image of this size a pixel looks inside it, for these angles, wherever the centre is not far off.
FIELD, SLANTS = (9, 12), (20.0, -35.0)


def field() -> Tensor:
    """An image of three channels: each pixel's row, its column, and 1."""
    rows, columns = (torch.arange(float(n), dtype=torch.float64) for n in FIELD)
    return torch.stack([rows[:, None].expand(FIELD), columns.expand(FIELD), torch.ones(FIELD).double()])[None]


def of_places(answer: Tensor, degrees: float) -> str:
    """Where in `field` the pixels of an answer look, in words; empty where that is right, or cannot be told."""
    if not answer.isfinite().all():
        return ""
    rows, columns, shares = answer[0].double()
    if not shares.abs().amax() > 1e-9:
        return (
            f"Turned by {degrees:g} degrees, every pixel is 0: they all look outside the image, or nothing is added up."
        )
    right = turned(field(), degrees)[0]
    whole = right[2] > 1 - 1e-6
    if torch.allclose(answer[0][:, whole], right[:, whole], atol=1e-5):
        return (
            f"Turned by {degrees:g} degrees, pixels that look at a place inside the image are right. Of those that "
            "look outside it, wholly or across its border, not all are: what lies outside counts as 0."
        )
    if shares.min() < -1e-6 or shares.max() > 1 + 1e-6:
        return (
            f"An image of ones, turned by {degrees:g} degrees, has pixels between {rounded(shares.min())} and "
            f"{rounded(shares.max())}: the shares of the four neighbours of a place have to add up to 1."
        )
    inside = whole & (shares > 1 - 1e-6)
    down, across = (one - (n - 1) / 2 for one, n in zip(field()[0, :2], FIELD, strict=True))
    known = torch.stack([down[inside], across[inside], torch.ones_like(down[inside])], 1)
    if len(known) < 6 or torch.linalg.matrix_rank(known) < 3:
        return (
            f"An image of ones, turned by {degrees:g} degrees, is less than 1 nearly everywhere: places are looked at "
            "that lie outside the image, or not all four neighbours of a place are added up."
        )
    turn = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    wanted = (turn.cos(), turn.sin(), (FIELD[0] - 1) / 2), (-turn.sin(), turn.cos(), (FIELD[1] - 1) / 2)
    said, centre = [], []
    for word, looked_at, (of_down, of_right, middle) in zip(("row", "column"), (rows, columns), wanted, strict=True):
        made = torch.linalg.lstsq(known, looked_at[inside][:, None], driver="gelsd").solution[:, 0]
        if (known @ made - looked_at[inside]).abs().max() > 1e-5:
            return (
                f"From pixel to pixel the {word} at which they look does not change evenly, and a turn by {degrees:g} "
                "degrees changes it evenly."
            )
        for step, own, right_one in (("down", made[0], of_down), ("to the right", made[1], of_right)):
            if abs(own - right_one) > 1e-5:
                said.append(
                    f"the {word} changes by {rounded(own)} from a pixel to the next one {step}, where "
                    f"{rounded(right_one)} is right"
                )
        centre.append((word, made[2], middle))
    if any(abs(own - middle) > 1e-5 for _, own, middle in centre):
        at = " and ".join(f"{word} {rounded(own)}" for word, own, _ in centre)
        said.append(f"the centre looks at {at}, where it should look at itself, row 4 and column 5.5")
    where = f"In an image of {FIELD[0]} by {FIELD[1]} pixels, turned by {degrees:g} degrees"
    return f"{where}, look at the places that pixels are taken from: {'; '.join(said[:3])}." if said else ""


def rounded(number: Tensor | float) -> str:
    """With three digits, and 0 for what rounding makes of it."""
    return f"{round(float(number), 3) + 0.0:.4g}"


ROTATE = Contract(
    {"x": IMAGES, "degrees": floats(-180, 180)},
    turned,
    agrees=None,
    batch={"x": 0},
    refuses=(another_number_of_axes("x"),),
)


@exercise("rotate", points=4, forbid=("rotate", "grid_sample", "grid_sampler", "affine_grid"), contract=ROTATE)
class TestRotate:
    @idea("turn")
    def test_worked_values(self, student):
        """A quarter turn to the left brings the right column of (1, 2), (3, 4) to the top: (2, 4), (1, 3)."""
        x, left = vector(1, 2, 3, 4).reshape(1, 1, 2, 2), vector(2, 4, 1, 3).reshape(1, 1, 2, 2)
        assert_close(student.rotate(x, 90.0), left, atol=1e-5)

    @idea("turn")
    @given(side=st.integers(2, 5), quarters=st.integers(-4, 4))
    def test_quarter_turns(self, student, side, quarters):
        """Quarter turns of a square only move its pixels, as torch.rot90 does."""
        x = images(2, 3, side, side)
        assert_close(student.rotate(x, 90.0 * quarters), torch.rot90(x, quarters, (2, 3)), atol=1e-5)

    @idea("turn")
    @given(x=IMAGES, halves=st.integers(0, 2))
    def test_half_turns(self, student, x, halves):
        """Half turns of any image bring every pixel to the other side of the centre."""
        assert_close(student.rotate(x, 180.0 * halves), x.flip(2, 3) if halves % 2 else x, atol=1e-5)

    @idea("between")
    def test_worked_values_between_pixels(self, student):
        """Turned by 60 degrees, the row (1, 2, 4) is about (0.201, 2, 0.402)."""
        answer = student.rotate(vector(1, 2, 4).reshape(1, 1, 1, 3), 60.0)
        assert_close(answer.flatten(), vector(0.200962, 2, 0.401924), atol=1e-5)

    @idea("between")
    @given(x=IMAGES, degrees=floats(-180, 180))
    @example(x=images(2, 3, 5, 4), degrees=45.0)
    def test_any_angle(self, student, x, degrees):
        """For any angle and images that are not square, the pixels agree with torch's bilinear sampler."""
        assert_close(student.rotate(x, degrees), turned(x, degrees), rtol=1e-4, atol=1e-5)

    @idea("between")
    @given(degrees=st.sampled_from(SLANTS))
    def test_places_looked_at(self, student, degrees):
        """Where pixels are their own row, or column, the turned ones show at which row and column they look; ones stay ones."""
        x = field()
        answer = student.rotate(x, degrees)
        with explained(lambda: of_places(answer, degrees)):
            assert_close(answer, turned(x, degrees), rtol=1e-4, atol=1e-5)

    @case
    @given(degrees=floats(-720, 720), side=st.integers(1, 7))
    def test_long_and_narrow(self, student, degrees, side):
        """Images of one row or column, and angles beyond a full turn, give the right pixels."""
        x = images(1, 2, 1, side) if side % 2 else images(1, 2, side, 1)
        assert_close(student.rotate(x, degrees), turned(x, degrees))


BRIGHTNESS = Contract(
    {"x": PIXELS, "factor": floats(0, 4)},
    lambda x, factor: torch.minimum(x * factor, torch.ones_like(x)),
    agrees="Every pixel is multiplied by the factor and cut off at 1.",
    batch={"x": 0},
    refuses=(negative("factor"),),
)


@exercise("adjust_brightness", points=1, contract=BRIGHTNESS)
class TestAdjustBrightness:
    @idea
    def test_worked_values(self, student):
        """Twice as bright, (0, 0.25, 0.75) is (0, 0.5, 1)."""
        assert_close(student.adjust_brightness(vector(0, 0.25, 0.75), 2.0), vector(0, 0.5, 1))

    @case
    def test_large_factors(self, student):
        """A thousand times as bright, all is white but what was black."""
        assert_close(student.adjust_brightness(vector(0, 1e-4, 0.5), 1000.0), vector(0, 0.1, 1))


FGSM = Contract(
    st.tuples(PIXELS, floats(0, 1)).map(
        lambda drawn: {"x": drawn[0], "grad": cotangent_like(drawn[0]), "epsilon": drawn[1]}
    ),
    lambda x, grad, epsilon: torch.where(grad > 0, (x + epsilon).clamp(max=1), (x - epsilon).clamp(min=0)),
    agrees="Every pixel moves by epsilon along the sign of its gradient, and stays in [0, 1].",
    magnitudes=(1.0, 1e-3, 1000.0),
    scaled=("grad",),
    batch={"x": 0, "grad": 0},
    refuses=(another_shape("grad"), negative("epsilon")),
)


@exercise("fgsm_step", points=2, contract=FGSM)
class TestFgsmStep:
    @idea
    def test_worked_values(self, student):
        """Pixels (0.5, 0.5, 0.95), gradient (7, -0.01, 2), epsilon 0.1: (0.6, 0.4, 1)."""
        answer = student.fgsm_step(vector(0.5, 0.5, 0.95), vector(7, -0.01, 2), 0.1)
        assert_close(answer, vector(0.6, 0.4, 1))

    @case
    @given(x=PIXELS, epsilon=floats(0, 3))
    def test_no_gradient_no_move(self, student, x, epsilon):
        """A pixel whose gradient is exactly 0 stays; a gradient of 1e-30 moves it as far as any, at most to 0 or 1."""
        grad = cotangent_like(x).round() * 1e-30
        assert_close(student.fgsm_step(x, grad, epsilon), (x + epsilon * torch.sign(grad)).clamp(0, 1))
