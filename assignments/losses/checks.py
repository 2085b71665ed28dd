"""Visible checks of the assignment on loss functions.

Each compares with torch's own function, with a closed form or with worked numbers, or states a property of the loss.
The sentence under a test is what you read when it fails.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from math import log
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Contract,
    Digits,
    Refusal,
    Rules,
    another_shape,
    assert_close,
    assert_unchanged,
    case,
    cotangent_like,
    exercise,
    explained,
    floats,
    gradient_of,
    idea,
    matrix,
    negative,
    no_word,
    not_positive,
    outside,
    raises,
    refusal,
    same_shape,
    shapes,
    tensors,
    vector,
)

# A gradient written by hand may call `torch.sigmoid` and `torch.softmax`.
RULES = Rules(library="torch", vectorised=True)
# Half precision leaves p - t and the like few digits.
ROUGH = 12.0
# Sides of at most 4: no batch adds up to more than float16 holds.
SHAPES = shapes(max_side=4)
WORDS = st.sampled_from(["mean", "sum", "none"])
DELTAS = floats(0.25, 4)
PREDICTED, TRUE = matrix((2, 5), (4, 1)), matrix((3, 2), (4, 3))


# Said where a check has just found the answer right with this argument given.
DEFAULT = "It is right where `{0}` is given, and wrong where `{0}` is left out. What is its default?"
TARGETS_OF_ZERO = "Already where all targets are 0 the answer is wrong."
TARGET_COMES_IN = (
    "Where all targets are 0 the answer is right, with other targets it is wrong. How does the target come in?"
)


def is_near(answer: Any, right: Tensor) -> bool:
    """Whether an answer is right, for a sentence about it."""
    fits = isinstance(answer, Tensor) and answer.shape == right.shape
    return fits and torch.allclose(answer.double(), right, rtol=1e-6, atol=1e-7)


def is_one_factor(ratios: list[Tensor]) -> bool:
    """Whether all of these are one number."""
    every = torch.cat(ratios)
    return bool(every.isfinite().all()) and bool((every - every[0]).abs().max() < 1e-6)


def of_parts(parts: tuple[tuple[str, Any, Tensor], ...], sizes: tuple[int, ...]) -> str:
    """What is said of the first part that is wrong; empty where all are off by one factor, or by these sizes.

    That is said better by what is said in general.
    """
    if all(isinstance(answer, Tensor) and answer.shape == right.shape for _, answer, right in parts):
        ratios = [(answer.double() / right)[right != 0].flatten() for _, answer, right in parts]
        powers = [[ratio * size**power for ratio, size in zip(ratios, sizes, strict=True)] for power in (-1, 0, 1)]
        zeros = all(not answer[right == 0].any() for _, answer, right in parts)
        if zeros and any(map(is_one_factor, powers)):
            return ""
    return next((says for says, answer, right in parts if not is_near(answer, right)), "")


def assert_parts(*parts: tuple[str, Any, Tensor], sizes: tuple[int, ...] = ()) -> None:
    """Compares answers with what is right, and says which is the first that is wrong.

    Args:
        parts: for each what is to be said where it is wrong and all before it are right, the answer, what is right.
        sizes: a number for each, by which all may be off; 1 by default.
    """
    with explained(lambda: of_parts(parts, sizes or (1,) * len(parts))):
        for _, answer, right in parts:
            assert_close(answer, right)


def number(value: float) -> Tensor:
    """A float64 tensor without axes."""
    return torch.tensor(value, dtype=torch.float64)


def distance(loss: Callable[..., Tensor], **more: Any) -> Contract:
    """The contract of a loss of numbers."""
    options = more.pop("options", {})
    contract = Contract(
        same_shape("x", "target", shape=SHAPES, **options),
        loss,
        magnitudes=(1.0, 1e-3, 500.0),
        half_magnitudes=(1.0, 0.1, 4.0),
        batch={"x": 0, "target": 0},
        names=("x", "target", *options),
        refuses=(another_shape("target"),),
    )
    return replace(contract, **more)


def off_the_truth(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same, with no prediction exactly right."""
    x, target = arguments["x"], arguments["target"]
    return {**arguments, "x": torch.where(x == target, x + 0.5, x)}


MSE = distance(lambda x, target, reduction: F.mse_loss(x, target, reduction=reduction), options={"reduction": WORDS})
MSE = replace(MSE, refuses=(another_shape("target"), no_word("reduction", "max", "Mean")))


@exercise("mse_loss", points=2, contract=replace(MSE, agrees=None))
class TestMseLoss:
    @idea("mean")
    def test_worked_values(self, student):
        """Predicted (2, 5) and (4, 1), in truth (3, 2) and (4, 3): 3.5; with targets that are all 0 it is 11.5."""
        assert_parts(
            (TARGETS_OF_ZERO, student.mse_loss(PREDICTED, 0 * TRUE), number(11.5)),
            (TARGET_COMES_IN, student.mse_loss(PREDICTED, TRUE), number(3.5)),
        )

    @idea("reduction")
    def test_worked_values_of_each_word(self, student):
        """With "none" the same four numbers give (1, 9) and (0, 4), with "sum" 14, with "mean" 3.5."""
        assert_close(student.mse_loss(PREDICTED, TRUE, "none"), matrix((1, 9), (0, 4)))
        assert_close(student.mse_loss(PREDICTED, TRUE, "sum"), number(14.0))
        assert_close(student.mse_loss(PREDICTED, TRUE, "mean"), number(3.5))

    @idea("mean")
    @given(arguments=same_shape("x", "target", shape=shapes(min_ndim=1)))
    def test_agrees(self, student, arguments):
        """Without a third argument the answer is torch's: the mean over all entries."""
        x, target = arguments.values()
        assert_close(student.mse_loss(x, target), F.mse_loss(x, target))

    @idea("reduction")
    @given(arguments=MSE.drawn)
    def test_agrees_for_each_word(self, student, arguments):
        """For "mean", "sum" and "none" the answer agrees with torch's."""
        x, target, reduction = arguments.values()
        right = F.mse_loss(x, target, reduction=reduction)
        assert_close(student.mse_loss(x, target, reduction), right)

    @refusal
    @given(rows=st.integers(2, 4), reduction=WORDS)
    def test_a_row_against_a_column(self, student, rows, reduction):
        """Targets of shape (N,) for predictions of shape (N, 1) raise ValueError that names `target`, for each word."""
        target = torch.arange(float(rows), dtype=torch.float64)
        with raises(ValueError, naming="target", because=f"x has shape ({rows}, 1), target has shape ({rows},)"):
            student.mse_loss(target[:, None], target, reduction)

    @case
    def test_a_small_difference_of_large_numbers(self, student):
        """In float64 the digits of float64 are kept: 1000.1 against 1000 costs 0.01."""
        assert_close(student.mse_loss(vector(1000.1, 2), vector(1000, 2)), torch.tensor(0.005, dtype=torch.float64))


@exercise("mse_loss_backward", points=2, contract=MSE.backward("x"))
class TestMseLossBackward:
    @idea
    def test_worked_values(self, student):
        """The example of the text: upstream 6 arrives as (-3, 9), (0, -6), with "sum" as four times that; with targets 0 too."""
        expected = matrix((-3, 9), (0, -6))
        assert_parts(
            (TARGETS_OF_ZERO, student.mse_loss_backward(number(6.0), PREDICTED, 0 * TRUE), 3 * PREDICTED),
            (TARGET_COMES_IN, student.mse_loss_backward(number(6.0), PREDICTED, TRUE), expected),
        )
        assert_close(student.mse_loss_backward(number(6.0), PREDICTED, TRUE, "sum"), 4 * expected)
        grad_out = matrix((1, 2), (3, -4))
        assert_close(student.mse_loss_backward(grad_out, PREDICTED, TRUE, "none"), matrix((-2, 12), (0, 16)))


L1 = distance(F.l1_loss, half_magnitudes=(1.0, 64.0))
# What L1 does exactly at the truth is a case of its own.
L1_BACKWARD = replace(L1, arguments=L1.drawn.map(off_the_truth)).backward("x")


@exercise("l1_loss", points=1, contract=L1)
class TestL1Loss:
    @idea
    def test_worked_values(self, student):
        """Predicted (2, 5) and (4, 1), in truth (3, 2) and (4, 3): 1.5; with targets that are all 0 it is 3."""
        assert_parts(
            (TARGETS_OF_ZERO, student.l1_loss(PREDICTED, 0 * TRUE), number(3.0)),
            (TARGET_COMES_IN, student.l1_loss(PREDICTED, TRUE), number(1.5)),
        )


@exercise("l1_loss_backward", points=1, contract=L1_BACKWARD)
class TestL1LossBackward:
    @idea
    def test_worked_values(self, student):
        """Predicted (2, 5), (5, 1), in truth (3, 2), (4, 3): upstream 6 arrives as (-1.5, 1.5), (1.5, -1.5), with 0 as 1.5."""
        x = matrix((2, 5), (5, 1))
        right = matrix((-1.5, 1.5), (1.5, -1.5))
        assert_parts(
            (TARGETS_OF_ZERO, student.l1_loss_backward(number(6.0), x, 0 * TRUE), right.abs()),
            (TARGET_COMES_IN, student.l1_loss_backward(number(6.0), x, TRUE), right),
        )

    @case
    @given(x=tensors(min_ndim=1, low=-2, high=2), target=floats(-2, 2))
    @example(x=vector(3, 0, -4), target=0.0)
    def test_exactly_right(self, student, x, target):
        """Where a prediction is exactly right the slope is 0; just beside it, by 1e-12, the side decides."""
        target = torch.full_like(x, target)
        near = target + 1e-12 * x.round()
        expected = number(3.0) * (near - target).sign() / x.numel()
        assert_close(student.l1_loss_backward(number(3.0), near, target), expected)


HUBER = distance(
    lambda x, target, delta: F.huber_loss(x, target, delta=delta),
    options={"delta": DELTAS},
    half_magnitudes=(1.0, 0.1, 64.0),
    keywords=("delta",),
    refuses=(another_shape("target"), not_positive("delta")),
)


NEAR = "Already where no difference is larger than delta the answer is wrong."
FAR = "Where no difference is larger than delta the answer is right, and beyond delta it is wrong."


@exercise("huber_loss", points=2, forbid=("huber_loss", "smooth_l1_loss"), contract=HUBER)
class TestHuberLoss:
    @idea
    def test_worked_values(self, student):
        """Predicted (2, 5) and (4, 1), in truth (3, 2) and (4, 3): 1.125, with delta = 2 it is 1.625, with delta = 4 half of 3.5."""
        assert_parts(
            (NEAR, student.huber_loss(PREDICTED, TRUE, delta=4.0), number(1.75)),
            (FAR, student.huber_loss(PREDICTED, TRUE, delta=2.0), number(1.625)),
            (FAR, student.huber_loss(PREDICTED, TRUE, delta=1.0), number(1.125)),
            (DEFAULT.format("delta"), student.huber_loss(PREDICTED, TRUE), number(1.125)),
        )

    @case
    def test_numbers_of_the_joint(self, student):
        """Exactly at delta both sides are equal, and far beyond it, at 512 in float16, nothing is nan."""
        for delta in (0.5, 1.0, 2.0):
            loss = student.huber_loss(vector(delta, -delta), vector(0, 0), delta=delta)
            assert_close(loss, number(delta * delta / 2))
        x = torch.tensor([512.0, -300.0, 0.5], dtype=torch.float16)
        right = F.huber_loss(x.double(), torch.zeros(3).double()).half()
        assert_close(student.huber_loss(x, torch.zeros_like(x)), right)


@exercise("huber_loss_backward", points=1, contract=HUBER.backward("x"))
class TestHuberLossBackward:
    @idea
    def test_worked_values(self, student):
        """The example of the text: upstream 4 arrives as (-1, 1), (0, -1), with delta = 2 as (-1, 2), (0, -2), with 4 unclipped."""
        grad_out, clipped = number(4.0), matrix((-1, 1), (0, -1))
        assert_parts(
            (NEAR, student.huber_loss_backward(grad_out, PREDICTED, TRUE, delta=4.0), matrix((-1, 3), (0, -2))),
            (FAR, student.huber_loss_backward(grad_out, PREDICTED, TRUE, delta=2.0), matrix((-1, 2), (0, -2))),
            (FAR, student.huber_loss_backward(grad_out, PREDICTED, TRUE, delta=1.0), clipped),
            (DEFAULT.format("delta"), student.huber_loss_backward(grad_out, PREDICTED, TRUE), clipped),
        )


def with_shares(arguments: dict[str, Any]) -> dict[str, Any]:
    """Eighths of [0, 1] as targets: products with them are exact, or nearly, in every dtype."""
    return {**arguments, "target": (arguments["target"].abs() * 2).round() / 8}


def with_answers(arguments: dict[str, Any]) -> dict[str, Any]:
    """Targets that are 0 or 1."""
    return {**arguments, "target": (arguments["target"] > 0).to(arguments["target"].dtype)}


BINARY = distance(
    F.binary_cross_entropy_with_logits,
    half_magnitudes=(1.0, 500.0),
    scaled=("x",),
    half_slack=3.0,
)
BINARY = replace(BINARY, arguments=BINARY.drawn.map(with_shares))
LN_3 = log(3)
YES_ALONE = "Where the truth is no the answer is right, and where it is yes it is wrong."
NO_ALONE = "Where the truth is yes the answer is right, and where it is no it is wrong."


def yes_or_no(no_is_right: bool, yes_is_right: bool) -> str:
    """Which of the two answers is wrong; empty where both are."""
    return "" if no_is_right == yes_is_right else YES_ALONE if no_is_right else NO_ALONE


@exercise(
    "binary_cross_entropy_with_logits",
    points=3,
    forbid=("binary_cross_entropy_with_logits", "binary_cross_entropy", "softplus", "logsigmoid", "logaddexp"),
    contract=BINARY,
)
class TestBinaryCrossEntropyWithLogits:
    @idea
    def test_worked_values(self, student):
        """Scores (ln 3, ln 3, 0) with targets (1, 0, 1/2) have the losses ln 4/3, ln 4 and ln 2: the mean is 0.789."""
        losses = number(log(4 / 3)), number(log(4)), number(log(2))
        x, target = vector(LN_3, LN_3, 0), vector(1, 0, 0.5)
        ones = [student.binary_cross_entropy_with_logits(x[n : n + 1], target[n : n + 1]) for n in range(3)]
        with explained(lambda: yes_or_no(is_near(ones[1], losses[1]), is_near(ones[0], losses[0]))):
            assert_close(ones[0], losses[0])
            assert_close(ones[1], losses[1])
        assert_close(ones[2], losses[2])
        assert_close(student.binary_cross_entropy_with_logits(x, target), number(sum(map(float, losses)) / 3))

    @idea
    @given(arguments=same_shape("x", "target", shape=shapes(1, 2), low=-4, high=4).map(with_answers))
    @example(arguments={"x": vector(0, 1), "target": vector(1, 0)})
    def test_wrong_and_sure(self, student, arguments):
        """A score of -50 for a yes costs 50, of 50 for a no too: no infinity, and nothing cut off."""
        x = torch.where(arguments["target"] > 0.5, -50.0, 50.0) + arguments["x"]
        right = F.binary_cross_entropy_with_logits(x, arguments["target"])
        assert_close(student.binary_cross_entropy_with_logits(x, arguments["target"]), right)

    @case
    def test_sure_and_nearly_right(self, student):
        """A score of 6 for a yes still costs 0.00248, one of 1000 with the target 0.9999 costs 0.1."""
        for x, target, right in ((6.0, 1.0, 0.0024756851377303), (1000.0, 0.9999, 0.1)):
            answer = student.binary_cross_entropy_with_logits(vector(x), vector(target))
            assert_close(answer, torch.tensor(right, dtype=torch.float64))


@exercise("binary_cross_entropy_with_logits_backward", points=2, contract=BINARY.backward("x", half_slack=4.0))
class TestBinaryCrossEntropyWithLogitsBackward:
    @idea
    def test_worked_values(self, student):
        """Scores (ln 3, ln 3, 0), targets (1, 0, 1/4), upstream 3: (-0.25, 0.75, 0.25)."""
        x, target = vector(LN_3, LN_3, 0), vector(1, 0, 0.25)
        answer, right = (
            student.binary_cross_entropy_with_logits_backward(number(3.0), x, target),
            vector(-0.25, 0.75, 0.25),
        )
        parts = [
            isinstance(answer, Tensor) and answer.ndim == 1 and is_near(answer[n : n + 1], right[n : n + 1])
            for n in range(2)
        ]
        with explained(lambda: yes_or_no(parts[1], parts[0])):
            assert_close(answer, right)


@st.composite
def classified(
    draw: Callable[..., Any],
    *,
    kinds: tuple[str, ...] = ("classes", "ignored", "shares"),
    smoothing: st.SearchStrategy[float] | None = None,
    max_rows: int = 4,
    low: float = -4.0,
    high: float = 4.0,
) -> dict[str, Any]:
    """Scores of samples, and targets of one of three kinds. The first sample always counts."""
    rows, classes = draw(st.lists(st.integers(1, max_rows), min_size=2, max_size=2, unique=True))
    x, kind = draw(tensors(shape=(rows, classes), low=low, high=high)), draw(st.sampled_from(kinds))
    ignore_index = -100
    if kind == "shares":
        cuts = st.lists(st.integers(0, 8), min_size=classes - 1, max_size=classes - 1).map(sorted)
        ends = [[0, *draw(cuts), 8] for _ in range(rows)]
        target = torch.tensor(ends).double().diff(dim=1) / 8
    else:
        target = torch.tensor(draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows)))
    if kind == "ignored":
        ignore_index = draw(st.sampled_from([-100, -1, 0, 1, 7]))
        places = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
        target = torch.where(torch.tensor([False, *places[1:]]), ignore_index, target)
        if target[0] == ignore_index:  # a class of its own that is ignored
            ignore_index = -100
    smoothing = floats(0, 1) if smoothing is None else smoothing
    return {"x": x, "target": target, "ignore_index": ignore_index, "label_smoothing": draw(smoothing)}


NONE, ANY = st.just(0.0), floats(0, 1)


def classes_of(*names: str, smoothing: st.SearchStrategy[float] = NONE) -> st.SearchStrategy[dict[str, Any]]:
    return classified(kinds=names, smoothing=smoothing)


def no_class(arguments: dict[str, Any]) -> tuple[Any, ...]:
    """A class behind the last one, one before the first, and a target for each score."""
    target, classes = arguments["target"], arguments["x"].shape[1]
    if target.is_floating_point():
        return target[:, :1] if classes > 1 else None, target[0], torch.cat([target, target])
    wrong = []
    for label in (classes, -1, classes + 3):
        if label != arguments.get("ignore_index", -100):
            wrong.append(torch.where(torch.arange(len(target)) == 0, label, target))
    return (*wrong, target[:, None], torch.cat([target, target]))


BAD_TARGET = Refusal("target", no_class, ("target",))
ONE_AXIS = Refusal("x", lambda arguments: (arguments["x"][0], arguments["x"][None]), ("x", "target"))


def shares_of(x: Tensor, target: Tensor, ignore_index: int, label_smoothing: float) -> Tensor:
    """The shares, row by row."""
    rows = []
    for row in range(len(x)):
        truth = [0.0] * x.shape[1]
        if target.is_floating_point():
            truth = target[row].tolist()
        elif target[row] != ignore_index:
            truth[int(target[row])] = 1.0
        else:
            rows.append(truth)
            continue
        rows.append([(1 - label_smoothing) * share + label_smoothing / x.shape[1] for share in truth])
    return torch.tensor(rows, dtype=torch.float64).reshape(x.shape)


OPTIONS = ("ignore_index", "label_smoothing")
SHARES = Contract(
    classified(),
    shares_of,
    agrees=None,
    magnitudes=(1.0,),
    batch={"x": 0, "target": 0},
    keywords=OPTIONS,
    names=("x", "target", *OPTIONS),
    refuses=(ONE_AXIS, BAD_TARGET, outside("label_smoothing", 0, 1)),
)
THREE = torch.zeros(2, 3, dtype=torch.float64)


def widened(answer: Any) -> Any:
    """The answer in float64: its dtype is a case of its own."""
    return answer.double() if isinstance(answer, Tensor) else answer


@exercise("soft_targets", points=2, forbid=("one_hot",), contract=SHARES)
class TestSoftTargets:
    @idea("one-hot")
    def test_worked_values(self, student):
        """Of three classes, class 2 is (0, 0, 1) and class 0 is (1, 0, 0); shares stay what they are."""
        shares = matrix((0.5, 0.5, 0), (0.25, 0, 0.75))
        assert_close(widened(student.soft_targets(THREE, shares)), shares)
        assert_close(widened(student.soft_targets(THREE, torch.tensor([2, 0]))), matrix((0, 0, 1), (1, 0, 0)))

    @idea("one-hot")
    @given(arguments=classes_of("classes", "shares"))
    def test_agrees(self, student, arguments):
        """Without options a class is 1 at its place and 0 elsewhere, and shares stay what they are."""
        assert_close(widened(student.soft_targets(arguments["x"], arguments["target"])), shares_of(*arguments.values()))

    @idea("smoothing")
    def test_worked_values_of_smoothing(self, student):
        """With s = 0.3 class 2 is (0.1, 0.1, 0.8), and the shares (0.5, 0.5, 0) become (0.45, 0.45, 0.1)."""
        smoothed = student.soft_targets(THREE, torch.tensor([2, 0]), label_smoothing=0.3)
        assert_close(widened(smoothed), matrix((0.1, 0.1, 0.8), (0.8, 0.1, 0.1)))
        shares = matrix((0.5, 0.5, 0), (0.25, 0, 0.75))
        smoothed = student.soft_targets(THREE, shares, label_smoothing=0.3)
        assert_close(widened(smoothed), matrix((0.45, 0.45, 0.1), (0.275, 0.1, 0.625)))

    @idea("smoothing")
    @given(arguments=classes_of("classes", "shares", smoothing=ANY))
    def test_agrees_with_smoothing(self, student, arguments):
        """A share s is taken from the truth and spread over all classes, the right one included."""
        x, target, _, s = arguments.values()
        assert_close(widened(student.soft_targets(x, target, label_smoothing=s)), shares_of(*arguments.values()))

    @idea("ignored")
    def test_worked_values_of_ignored_targets(self, student):
        """The target -100 has the shares (0, 0, 0), also with s = 0.3; with ignore_index=2 class 2 has them."""
        for s in (0.0, 0.3):
            answer = student.soft_targets(THREE, torch.tensor([-100, 1]), label_smoothing=s)
            assert_close(widened(answer), matrix((0, 0, 0), (s / 3, 1 - s + s / 3, s / 3)))
        answer = student.soft_targets(THREE, torch.tensor([1, 2]), ignore_index=2)
        assert_close(widened(answer), matrix((0, 1, 0), (0, 0, 0)))

    @idea("ignored")
    @given(arguments=classes_of("ignored", smoothing=ANY))
    def test_agrees_where_ignored(self, student, arguments):
        """The row of an ignored target is 0 everywhere, whatever the index and the smoothing are."""
        x, target, ignore_index, s = arguments.values()
        answer = student.soft_targets(x, target, ignore_index=ignore_index, label_smoothing=s)
        assert_close(widened(answer), shares_of(*arguments.values()))

    @case
    @given(x=tensors(min_ndim=2, max_ndim=2, low=-1, high=1), s=floats(0, 1))
    def test_shares_of_any_sum(self, student, x, s):
        """Shares need not add up to one: the formula counts as it stands."""
        expected = (1 - s) * x.abs() + s / x.shape[1]
        assert_close(student.soft_targets(x, x.abs(), label_smoothing=s), expected)

    @case
    def test_class_0_is_ignored(self, student):
        """With ignore_index=0 class 0 gets zeros; shares are never ignored, whatever number stands in them."""
        x, target = matrix((1, 2), (3, 4)), torch.tensor([0, 1])
        assert_close(student.soft_targets(x, target, ignore_index=0), matrix((0, 0), (0, 1)))
        shares = matrix((0, 1), (0.5, 0.5))
        for number in (0, 1):
            assert_close(student.soft_targets(x, shares, ignore_index=number), shares)

    @case
    def test_ignored_targets_stay(self, student):
        """Targets that do not count are not changed in place."""
        student.soft_targets(matrix((1, 2), (3, 4)), torch.tensor([-100, 1]))
        assert_unchanged(student)


def torch_cross_entropy(x: Tensor, target: Tensor, ignore_index: int, label_smoothing: float) -> Tensor:
    """torch's; with shares it knows no index that is ignored."""
    options = {} if target.is_floating_point() else {"ignore_index": ignore_index}
    return F.cross_entropy(x, target, label_smoothing=label_smoothing, **options)


ENTROPY = Contract(
    classified(),
    torch_cross_entropy,
    agrees=None,
    magnitudes=(1.0, 1e-3),
    half_slack=3.0,
    scaled=("x",),
    batch={"x": 0, "target": 0},
    keywords=OPTIONS,
    names=("x", "target", *OPTIONS),
    digits=Digits(
        "For scores near ±2,500, alone and beside each other, the loss is as exact as for scores near 0.",
        offsets=(2500.0, -2500.0),
        arguments=classified(max_rows=3),
    ),
    refuses=SHARES.refuses,
)
# Exponentials 1, 3, 4, so the probabilities are 1/8, 3/8 and 1/2.
EIGHTHS = vector(0, log(3), log(4)).expand(2, 3).clone()
PICKED = torch.tensor([2, 0])
SHARED = matrix((0.5, 0, 0.5), (0, 0.25, 0.75))


class Classified:
    """What cross-entropy and its gradient are asked beside the contract: one idea after another."""

    function: str

    def assert_right(self, student: Any, arguments: dict[str, Any], **options: Any) -> None:
        right = torch_cross_entropy(*arguments.values())
        x, target = arguments["x"], arguments["target"]
        if self.function == "cross_entropy":
            assert_close(student.cross_entropy(x, target, **options), right)
            return
        grad_out = cotangent_like(right)
        expected = gradient_of(torch_cross_entropy, [0], grad_out, list(arguments.values()))
        assert_close(student.cross_entropy_backward(grad_out, x, target, **options), expected)

    @idea("classes")
    @given(arguments=classes_of("classes"))
    def test_agrees(self, student, arguments):
        """For classes the answer agrees with torch's."""
        self.assert_right(student, arguments)

    @idea("shares")
    @given(arguments=classes_of("shares"))
    def test_agrees_with_shares(self, student, arguments):
        """For shares that add up to one the answer agrees with torch's."""
        self.assert_right(student, arguments)

    @idea("shares")
    @given(arguments=classes_of("classes", "shares", smoothing=ANY))
    def test_agrees_with_smoothing(self, student, arguments):
        """With label smoothing the answer agrees with torch's."""
        self.assert_right(student, arguments, label_smoothing=arguments["label_smoothing"])

    @idea("ignored")
    @given(arguments=classes_of("ignored", smoothing=ANY))
    def test_agrees_where_ignored(self, student, arguments):
        """Where targets are ignored the answer agrees with torch's: they count neither above nor below the line."""
        options = {name: arguments[name] for name in OPTIONS}
        self.assert_right(student, arguments, **options)

    @case
    @given(x=tensors(min_ndim=2, max_ndim=2, low=-2, high=2), s=floats(0, 1))
    @example(x=matrix((1, 0, 1), (0, 2, 1)), s=0.0)
    def test_shares_of_any_sum(self, student, x, s):
        """Shares that do not add up to one count as they are."""
        arguments = {"x": x, "target": x.abs().flip(1), "ignore_index": -100, "label_smoothing": s}
        self.assert_right(student, arguments, label_smoothing=s)


@exercise(
    "cross_entropy",
    points=3,
    forbid=("cross_entropy", "nll_loss", "log_softmax", "softmax", "softmin", "logsumexp", "logaddexp"),
    contract=ENTROPY,
)
class TestCrossEntropy(Classified):
    function = "cross_entropy"

    @idea("classes")
    def test_worked_values(self, student):
        """Scores (0, ln 3, ln 4) cost ln 2 for class 2 and ln 8 for class 0; both together have the mean ln 4."""
        assert_close(student.cross_entropy(EIGHTHS[:1], PICKED[:1]), number(log(2)))
        assert_close(student.cross_entropy(EIGHTHS[1:], PICKED[1:]), number(log(8)))
        assert_close(student.cross_entropy(EIGHTHS, PICKED), number(log(4)))

    @idea("shares")
    def test_worked_values_of_shares(self, student):
        """Shares (1/2, 0, 1/2) cost ln 4; class 2 with s = 0.3 costs 0.861."""
        assert_close(student.cross_entropy(EIGHTHS[:1], SHARED[:1]), number(log(4)))
        smoothed = 0.1 * log(8) + 0.1 * log(8 / 3) + 0.8 * log(2)
        assert_close(student.cross_entropy(EIGHTHS[:1], PICKED[:1], label_smoothing=0.3), number(smoothed))
        both = (log(4) + 0.25 * log(8 / 3) + 0.75 * log(2)) / 2
        assert_close(student.cross_entropy(EIGHTHS, SHARED), number(both))

    @idea("ignored")
    def test_worked_values_where_ignored(self, student):
        """A third sample with the target -100 changes nothing: ln 4. With ignore_index=0 class 0 does not count: ln 2."""
        x = EIGHTHS[:1].expand(3, 3)
        assert_close(student.cross_entropy(x, torch.tensor([2, 0, -100])), number(log(4)))
        assert_close(student.cross_entropy(x, torch.tensor([2, 0, 2]), ignore_index=0), number(log(2)))

    @idea("classes")
    @given(x=tensors(min_ndim=2, max_ndim=2, low=-2, high=2), shift=st.sampled_from([2000, -2000]))
    @example(x=EIGHTHS, shift=2000)
    def test_large_scores(self, student, x, shift):
        """Scores near 2000 and near -2000, and a class that lies 800 behind, cost what they should: no nan, no infinity."""
        target = torch.zeros(len(x), dtype=torch.int64)
        assert_close(student.cross_entropy(x + shift, target), F.cross_entropy(x + shift, target))
        far = torch.cat([x - 800, x[:, :1]], 1)
        assert_close(student.cross_entropy(far, target), F.cross_entropy(far, target))

    @case
    @given(x=tensors(min_ndim=2, max_ndim=2), s=floats(0, 1), ignore_index=st.sampled_from([-100, 0, -1]))
    def test_nothing_counts(self, student, x, s, ignore_index):
        """Where all targets are ignored the mean is nan, as in torch."""
        target = torch.full((len(x),), ignore_index)
        answer = student.cross_entropy(x, target, ignore_index=ignore_index, label_smoothing=s)
        assert_close(answer, number(torch.nan))

    @case
    def test_all_shares_count(self, student):
        """With shares all samples count, also where a share is the number of ignore_index."""
        x, shares = matrix((0, 0), (0, 0)), matrix((0, 1), (0.5, 0.5))
        for number in (0, 1):
            answer = student.cross_entropy(x, shares, ignore_index=number)
            assert_close(answer, torch.tensor(2.0, dtype=torch.float64).log())


@exercise("cross_entropy_backward", points=3, contract=ENTROPY.backward("x", half_slack=ROUGH))
class TestCrossEntropyBackward(Classified):
    function = "cross_entropy_backward"

    @idea("classes")
    def test_worked_values(self, student):
        """Scores (0, ln 3, ln 4): upstream 8 for class 2 arrives as (1, 3, -4); with classes 2 and 0 upstream 16 too."""
        expected = matrix((1, 3, -4), (-7, 3, 4))
        assert_close(student.cross_entropy_backward(number(8.0), EIGHTHS[:1], PICKED[:1]), expected[:1])
        assert_close(student.cross_entropy_backward(number(16.0), EIGHTHS, PICKED), expected)

    @idea("shares")
    def test_worked_values_of_shares(self, student):
        """Upstream 8, shares (1/2, 0, 1/2): (-3, 3, 0); class 2 with s = 0.3: (0.2, 2.2, -2.4)."""
        answer = student.cross_entropy_backward(number(8.0), EIGHTHS[:1], SHARED[:1])
        assert_close(answer, matrix((-3, 3, 0)))
        answer = student.cross_entropy_backward(number(8.0), EIGHTHS[:1], PICKED[:1], label_smoothing=0.3)
        assert_close(answer, matrix((0.2, 2.2, -2.4)))
        answer = student.cross_entropy_backward(number(16.0), EIGHTHS, SHARED)
        assert_close(answer, matrix((-3, 3, 0), (1, 1, -2)))

    @idea("ignored")
    def test_worked_values_where_ignored(self, student):
        """With a third sample that is ignored, upstream 16 arrives as (1, 3, -4), (-7, 3, 4), (0, 0, 0)."""
        x, target = EIGHTHS[:1].expand(3, 3), torch.tensor([2, 0, -100])
        expected = matrix((1, 3, -4), (-7, 3, 4), (0, 0, 0))
        assert_close(student.cross_entropy_backward(number(16.0), x, target), expected)


@st.composite
def distributions(draw: Callable[..., Any]) -> dict[str, Any]:
    """Log-probabilities, and true probabilities of which some are 0; both add up to one."""
    rows, answers = draw(st.lists(st.integers(1, 4), min_size=2, max_size=2, unique=True))
    x = torch.log_softmax(draw(tensors(shape=(rows, answers), low=-2, high=2)), 1)
    cuts = st.lists(st.integers(0, 8), min_size=answers - 1, max_size=answers - 1).map(sorted)
    ends = torch.tensor([[0, *draw(cuts), 8] for _ in range(rows)]).double()
    return {"x": x, "target": ends.diff(dim=1) / 8}


def torch_divergence(x: Tensor, target: Tensor) -> Tensor:
    return F.kl_div(x, target, reduction="batchmean")


DIVERGENCE = Contract(
    distributions(),
    torch_divergence,
    half_slack=6.0,  # terms of both signs
    scaled=(),
    batch={"x": 0, "target": 0},
    names=("x", "target"),
    refuses=(
        Refusal("x", lambda arguments: (arguments["x"][0], arguments["x"][None]), ("x", "target")),
        another_shape("target"),
    ),
)
HISTOGRAMS = matrix((0.5, 0.25, 0.25, 0), (0, 0, 1, 0))
FLAT = torch.full((2, 4), log(1 / 4), dtype=torch.float64)
SURE_TRUTH = "Already for one answer that is surely true, where -x alone counts, the divergence is wrong."
TWO_SAMPLES = "For one sample the divergence is right, and for two it is wrong."
OPEN_TRUTH = "For one answer that is surely true the divergence is right, and for several answers it is wrong."


@exercise("kl_div", points=2, contract=DIVERGENCE)
class TestKlDiv:
    @idea
    def test_worked_values(self, student):
        """A flat prediction of four answers: 0.347 for the truth (1/2, 1/4, 1/4, 0), ln 4 for (0, 0, 1, 0), on average 0.866."""
        both = number((log(2) / 2 + log(4)) / 2)
        assert_parts(
            (SURE_TRUTH, student.kl_div(FLAT[1:, 2:3], HISTOGRAMS[1:, 2:3]), number(log(4))),
            (OPEN_TRUTH, student.kl_div(FLAT[1:], HISTOGRAMS[1:]), number(log(4))),
            (OPEN_TRUTH, student.kl_div(FLAT[:1], HISTOGRAMS[:1]), number(log(2) / 2)),
            (TWO_SAMPLES, student.kl_div(FLAT, HISTOGRAMS), both),
            sizes=(1, 4, 4, 4),
        )

    @idea
    @given(arguments=distributions())
    def test_none_where_both_agree(self, student, arguments):
        """A prediction that is the truth has the divergence 0."""
        x = arguments["x"]
        assert_close(student.kl_div(x, x.exp()), number(0.0))

    @case
    @given(x=tensors(min_ndim=2, max_ndim=2, low=-3, high=1), target=floats(0, 2))
    def test_rows_of_any_sum(self, student, x, target):
        """Rows that do not add up to one count as they are, those of 0 too."""
        target = torch.full_like(x, target)
        assert_close(student.kl_div(x, target), torch_divergence(x, target))

    @case
    def test_what_seldom_happens(self, student):
        """A target of 0.0005 counts, and so does a log-probability of -30."""
        answer = student.kl_div(matrix((-1, -30)), matrix((0.0005, 0.5)))
        right = 0.0005 * (math.log(0.0005) + 1) + 0.5 * (math.log(0.5) + 30)
        assert_close(answer, torch.tensor(right, dtype=torch.float64))


@exercise("kl_div_backward", points=1, contract=DIVERGENCE.backward("x"))
class TestKlDivBackward:
    @idea
    def test_worked_values(self, student):
        """Truths (1/2, 1/4, 1/4, 0) and (0, 0, 1, 0), upstream 4: (-1, -0.5, -0.5, 0) and (0, 0, -2, 0)."""
        answer = student.kl_div_backward(number(4.0), FLAT, HISTOGRAMS)
        assert_close(answer, matrix((-1, -0.5, -0.5, 0), (0, 0, -2, 0)))


@st.composite
def rivals(draw: Callable[..., Any]) -> dict[str, Any]:
    """Scores that are quarters, and a margin that is an odd number of eighths: no lead is ever exactly the margin."""
    rows, classes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=2, unique=True))
    x = (draw(tensors(shape=(rows, classes), low=-3, high=3)) * 4).round() / 4
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    margin = draw(st.sampled_from([1.125, 0.125, 0.625, 2.375]))
    return {"x": x, "target": torch.tensor(labels), "margin": margin}


def torch_hinge(x: Tensor, target: Tensor, margin: float) -> Tensor:
    """torch's; of an empty batch it returns whatever stands in memory."""
    if not len(x):
        return x.sum() * torch.nan
    return F.multi_margin_loss(x, target, margin=margin)


HINGE = Contract(
    rivals(),
    torch_hinge,
    magnitudes=(1.0, 64.0),
    half_magnitudes=(1.0,),
    scaled=("x",),
    batch={"x": 0, "target": 0},
    keywords=("margin",),
    names=("x", "target", "margin"),
    refuses=(ONE_AXIS, BAD_TARGET, not_positive("margin")),
)
LED = matrix((2, 3, 0.5), (0.5, 3, 2))
TWO_CLASSES = (
    "Already for one sample of two classes, where only one other class can come too near, the answer is wrong."
)
THREE_CLASSES = "For one sample of two classes the answer is right, and for one of three it is wrong."


@exercise("multi_margin_loss", points=2, forbid=("multi_margin_loss", "multilabel_margin_loss"), contract=HINGE)
class TestMultiMarginLoss:
    @idea
    def test_worked_values(self, student):
        """Scores (2, 3, 0.5), class 0: 2/3, with margin 2 it is 3.5/3; with (0.5, 3, 2) and class 1 beside it half of these."""
        target, f = torch.tensor([0, 1]), student.multi_margin_loss
        assert_parts(
            (TWO_CLASSES, f(LED[:1, :2], target[:1], margin=1.0), number(1.0)),
            (TWO_CLASSES, f(LED[:1, ::2], target[:1], margin=1.0), number(0.0)),
            (THREE_CLASSES, f(LED[:1], target[:1], margin=2.0), number(3.5 / 3)),
            (THREE_CLASSES, f(LED[:1], target[:1], margin=1.0), number(2 / 3)),
            (DEFAULT.format("margin"), f(LED[:1], target[:1]), number(2 / 3)),
            sizes=(2, 2, 3, 3, 3),
        )
        assert_close(f(LED, target), number(1 / 3))
        assert_close(f(LED, target, margin=2.0), number(4.5 / 6))

    @idea
    @given(arguments=rivals(), shift=floats(-9, 9))
    def test_only_leads_count(self, student, arguments, shift):
        """Adding the same number to all scores changes nothing."""
        x, target, margin = arguments.values()
        answer = student.multi_margin_loss(x + shift, target, margin=margin)
        assert_close(answer, torch_hinge(x, target, margin))


@exercise("multi_margin_loss_backward", points=2, contract=HINGE.backward("x"))
class TestMultiMarginLossBackward:
    @idea
    def test_worked_values(self, student):
        """Scores (2, 3, 0.5), class 0, upstream 3: (-1, 1, 0), with margin 2 (-2, 1, 1)."""
        target, grad_out, f = torch.tensor([0, 1]), number(3.0), student.multi_margin_loss_backward
        assert_parts(
            (TWO_CLASSES, f(grad_out, LED[:1, :2], target[:1], margin=1.0), matrix((-1.5, 1.5))),
            (TWO_CLASSES, f(grad_out, LED[:1, ::2], target[:1], margin=1.0), matrix((0, 0))),
            (THREE_CLASSES, f(grad_out, LED[:1], target[:1], margin=2.0), matrix((-2, 1, 1))),
            (THREE_CLASSES, f(grad_out, LED[:1], target[:1], margin=1.0), matrix((-1, 1, 0))),
            (DEFAULT.format("margin"), f(grad_out, LED[:1], target[:1]), matrix((-1, 1, 0))),
            sizes=(2, 2, 3, 3, 3),
        )
        assert_close(f(2 * grad_out, LED, target, margin=2.0), matrix((-2, 1, 1), (0, -1, 1)))

    @case
    @given(x=tensors(min_ndim=2, max_ndim=2, low=-2, high=2), margin=st.sampled_from([1.0, 2.0, 3.0]))
    @example(x=matrix((1, 0, 2), (0, 3, 1)), margin=1.0)
    def test_kink(self, student, x, margin):
        """Where the lead is exactly the margin the slope is 0, as in torch."""
        x, target = x.round(), torch.zeros(len(x), dtype=torch.int64)
        grad_out = number(-1.5)
        right = gradient_of(torch_hinge, [0], grad_out, [x, target, margin])
        assert_close(student.multi_margin_loss_backward(grad_out, x, target, margin=margin), right)


def focal(x: Tensor, target: Tensor, alpha: float, gamma: float) -> Tensor:
    """The closed form, with a power that has a gradient everywhere."""
    log_right = F.logsigmoid(torch.where(target > 0.5, x, -x))
    log_wrong = F.logsigmoid(torch.where(target > 0.5, -x, x))
    return -torch.where(target > 0.5, alpha, 1 - alpha).double() * (gamma * log_wrong).exp() * log_right


ALPHAS, GAMMAS = floats(0, 1), st.sampled_from([2.0, 0.0, 1.0, 0.5, 3.5])
FOCAL = Contract(
    same_shape("x", "target", shape=SHAPES, alpha=ALPHAS, gamma=GAMMAS).map(with_answers),
    focal,
    agrees="The answer agrees with the formula.",
    magnitudes=(1.0, 1e-3, 500.0),
    half_magnitudes=(1.0, 500.0),
    half_slack=3.0,
    scaled=("x",),
    batch={"x": 0, "target": 0},
    names=("x", "target", "alpha", "gamma"),
    refuses=(another_shape("target"), outside("alpha", 0, 1), negative("gamma")),
)
BOTH, ANSWERS = vector(LN_3, LN_3), vector(1, 0)
WITHOUT_GAMMA = "Already with gamma = 0 the answer is wrong, where only the weight and the cross-entropy count."
WITH_GAMMA = "With gamma = 0 the answer is right, and with gamma = {0} it is wrong. Look at what depends on gamma."


@exercise(
    "sigmoid_focal_loss",
    points=2,
    forbid=("sigmoid_focal_loss", "binary_cross_entropy_with_logits", "binary_cross_entropy", "softplus", "logsigmoid"),
    contract=FOCAL,
)
class TestSigmoidFocalLoss:
    @idea
    def test_worked_values(self, student):
        """The score ln 3: 0.0045 for a yes, 0.5848 for a no; with alpha = 0.6 and gamma = 1 they are 0.0432 and 0.4159."""
        f, right = student.sigmoid_focal_loss, vector(log(4 / 3) / 64, 27 / 64 * log(4))
        assert_parts(
            (WITHOUT_GAMMA, f(BOTH, ANSWERS, 0.25, 0.0), vector(0.25 * log(4 / 3), 0.75 * log(4))),
            (WITH_GAMMA.format(1), f(BOTH, ANSWERS, 0.6, 1.0), vector(0.15 * log(4 / 3), 0.3 * log(4))),
            (WITH_GAMMA.format(2), f(BOTH, ANSWERS, 0.25, 2.0), right),
            (DEFAULT.format("gamma"), f(BOTH, ANSWERS, 0.25), right),
            (DEFAULT.format("alpha"), f(BOTH, ANSWERS, gamma=2.0), right),
        )

    @idea
    @given(arguments=same_shape("x", "target", shape=shapes(1, 2)).map(with_answers))
    def test_cross_entropy_without_gamma(self, student, arguments):
        """With gamma = 0 and alpha = 1/2 it is half the binary cross-entropy of each entry, also where that is 50."""
        x, target = arguments["x"] * 12.5, arguments["target"]
        right = F.binary_cross_entropy_with_logits(x, target, reduction="none") / 2
        assert_close(student.sigmoid_focal_loss(x, target, alpha=0.5, gamma=0.0), right)


@exercise(
    "sigmoid_focal_loss_backward",
    points=3,
    forbid=("softplus", "logsigmoid", "sigmoid_focal_loss_backward"),
    contract=FOCAL.backward(
        "x", agrees="The gradient agrees with that of the formula for a random upstream gradient.", half_slack=ROUGH
    ),
)
class TestSigmoidFocalLossBackward:
    @idea
    def test_worked_values(self, student):
        """The score ln 3, upstream 1: -0.0106 for a yes, 0.6088 for a no; with alpha = 0.6, gamma = 1, upstream 2 other ones."""
        f, one = student.sigmoid_focal_loss_backward, vector(1, 1)
        with_one = vector(-0.3 * (0.75 * log(4 / 3) + 0.25), 0.6 * (0.25 * log(4) + 0.75))
        right = vector(-(1.5 * log(4 / 3) + 0.25) / 64, 27 / 64 * (0.5 * log(4) + 0.75))
        assert_parts(
            (WITHOUT_GAMMA, f(2 * one, BOTH, ANSWERS, 0.25, 0.0), vector(-0.125, 1.125)),
            (WITH_GAMMA.format(1), f(2 * one, BOTH, ANSWERS, alpha=0.6, gamma=1.0), with_one),
            (WITH_GAMMA.format(2), f(one, BOTH, ANSWERS, 0.25, 2.0), right),
            (DEFAULT.format("gamma"), f(one, BOTH, ANSWERS, 0.25), right),
            (DEFAULT.format("alpha"), f(one, BOTH, ANSWERS, gamma=2.0), right),
        )


SURE = "binary_cross_entropy_with_logits"
HEADS = {
    "regression": ("identity", "mse_loss", "number"),
    "regression with outliers": ("identity", "huber_loss", "number"),
    "binary": ("sigmoid", SURE, "0 or 1"),
    "imbalanced binary": ("sigmoid", "sigmoid_focal_loss", "0 or 1"),
    "multilabel": ("sigmoid", SURE, "0 or 1 for each label"),
    "multiclass": ("softmax", "cross_entropy", "class index"),
    "multiclass by margin": ("identity", "multi_margin_loss", "class index"),
}
TASKS = st.sampled_from(sorted(HEADS))


def every_task(test: Callable[..., None]) -> Callable[..., None]:
    """Draws a task, and tries each of them."""
    test = given(task=TASKS)(test)
    for task in HEADS:
        test = example(task=task)(test)
    return test


@exercise("choose_head", points=2, forbid=())
class TestChooseHead:
    @idea("activation")
    @every_task
    def test_activation(self, student, task):
        """The activation turns scores into answers that the task can have: one softmax where exactly one class is right."""
        assert_close(student.choose_head(task)[0], HEADS[task][0])

    @idea("loss")
    @every_task
    def test_loss(self, student, task):
        """The loss is the one of this notebook that fits the task."""
        assert_close(student.choose_head(task)[1], HEADS[task][1])

    @idea("target")
    @every_task
    def test_target(self, student, task):
        """The target is what one sample is compared with."""
        assert_close(student.choose_head(task)[2], HEADS[task][2])

    @case
    @given(task=TASKS)
    def test_a_tuple_of_three_words(self, student, task):
        """The answer is a tuple of three words."""
        assert_close(student.choose_head(task), HEADS[task])

    @refusal
    @given(task=st.sampled_from(["", "Binary", "multi-class", "ranking"]))
    def test_another_task(self, student, task):
        """Another task raises ValueError that names `task`."""
        with raises(ValueError, naming="task"):
            student.choose_head(task)
