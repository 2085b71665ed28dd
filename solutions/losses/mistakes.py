"""Known wrong solutions of the assignment on loss functions, each with what to tell its author."""

import torch

from autograder.guards import (
    require_between,
    require_ndim,
    require_not_negative,
    require_one_of,
    require_positive,
    require_same_shape,
    require_shape,
)
from autograder.testing import mistake

from .reference import (
    choose_head,
    cross_entropy,
    cross_entropy_backward,
    huber_loss,
    huber_loss_backward,
    kl_div_backward,
    mse_loss,
    mse_loss_backward,
    require_classes,
    require_targets,
    sigmoid_focal_loss,
    sigmoid_focal_loss_backward,
    soft_targets,
)


@mistake(
    "mse_loss",
    kind="idea",
    stage="mean",
    says="The mean is divided by the number of samples. How many squares are added up?",
)
def mse_divides_by_samples(x, target, reduction="mean"):
    total = mse_loss(x, target, reduction)
    return total * x[0].numel() if reduction == "mean" and x.ndim and len(x) else total


@mistake(
    "mse_loss",
    kind="idea",
    stage="mean",
    says="The mean is half of what it should be: this is the form with a half before the square.",
)
def mse_halves(x, target, reduction="mean"):
    loss = mse_loss(x, target, reduction)
    return loss / 2 if reduction == "mean" else loss


@mistake("mse_loss", kind="idea", stage="reduction", says="The answer is the mean, whatever `reduction` says.")
def mse_ignores_reduction(x, target, reduction="mean"):
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    return mse_loss(x, target)


@mistake(
    "mse_loss",
    kind="idea",
    stage="mean",
    says="The differences are not squared: those of opposite signs cancel each other.",
)
def mse_forgets_the_square(x, target, reduction="mean"):
    require_same_shape(target=target, x=x)
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    off = x - target
    return {"mean": off.mean(), "sum": off.sum(), "none": off}[reduction]


@mistake(
    "mse_loss",
    kind="refusal",
    says="A `target` of another shape is not refused: it is broadcast, or fails inside torch.",
)
def mse_broadcasts(x, target, reduction="mean"):
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    off = (x - target).square()
    return {"mean": off.mean(), "sum": off.sum(), "none": off}[reduction]


@mistake(
    "mse_loss",
    kind="refusal",
    says="A `reduction` that is no word of the list is not refused: it counts as one of the three.",
)
def mse_takes_any_word(x, target, reduction="mean"):
    require_same_shape(target=target, x=x)
    off = (x - target).square()
    return {"mean": off.mean(), "sum": off.sum()}.get(reduction, off)


@mistake(
    "mse_loss", kind="case", says="The tensor `x` itself is changed. The caller still needs it: make a new tensor."
)
def mse_in_place(x, target, reduction="mean"):
    loss = mse_loss(x, target, reduction)
    x.sub_(target)
    return loss


@mistake("mse_loss_backward", kind="idea", says="A factor 2 is missing: what is the slope of a square?")
def mse_slope_without_two(grad_out, x, target, reduction="mean"):
    return mse_loss_backward(grad_out, x, target, reduction) / 2


@mistake(
    "mse_loss_backward",
    kind="idea",
    says="The sign is turned round: a prediction that is too large has to be pushed down, so its gradient is positive.",
)
def mse_slope_turned_round(grad_out, x, target, reduction="mean"):
    return -mse_loss_backward(grad_out, x, target, reduction)


@mistake(
    "mse_loss_backward",
    kind="idea",
    says="With the mean, each entry has only its share of the upstream gradient, one by the number of entries.",
)
def mse_slope_without_the_share(grad_out, x, target, reduction="mean"):
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    return mse_loss_backward(grad_out, x, target, "none" if reduction == "none" else "sum")


@mistake(
    "mse_loss_backward",
    kind="idea",
    says="The gradient is divided by the number of entries also where the loss was not a mean.",
)
def mse_slope_always_shared(grad_out, x, target, reduction="mean"):
    grad_x = mse_loss_backward(grad_out, x, target, reduction)
    return grad_x if reduction == "mean" else grad_x / x.numel()


@mistake(
    "mse_loss_backward",
    kind="idea",
    says="This is the slope alone. The chain rule multiplies it by the upstream gradient.",
)
def mse_slope_without_upstream(grad_out, x, target, reduction="mean"):
    return mse_loss_backward(torch.ones_like(grad_out), x, target, reduction)


@mistake(
    "mse_loss_backward",
    kind="case",
    says="For an empty batch it raises ZeroDivisionError: 2 / n is computed with Python's numbers before a tensor is in play.",
)
def mse_slope_divides_by_zero(grad_out, x, target, reduction="mean"):
    require_same_shape(target=target, x=x)
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    require_shape(x.shape if reduction == "none" else (), grad_out=grad_out)
    factor = 2 / x.numel() if reduction == "mean" else 2
    return grad_out * factor * (x - target)


@mistake(
    "l1_loss", kind="idea", says="The distances keep their signs, so that too large and too small cancel each other."
)
def l1_keeps_signs(x, target):
    require_same_shape(target=target, x=x)
    return (x - target).mean()


@mistake("l1_loss", kind="idea", says="The distances are added up. The loss is their mean.")
def l1_adds_up(x, target):
    require_same_shape(target=target, x=x)
    return (x - target).abs().sum()


@mistake(
    "l1_loss",
    kind="idea",
    says="The absolute value is taken of the mean difference. It has to be taken of each difference, before the mean.",
)
def l1_of_the_mean(x, target):
    require_same_shape(target=target, x=x)
    return (x - target).mean().abs()


@mistake("l1_loss", kind="idea", says="The distances are squared: this is the mean squared error.")
def l1_squares(x, target):
    return mse_loss(x, target)


@mistake(
    "l1_loss",
    kind="case",
    says="For an empty batch the loss is not nan. The mean of no numbers does not exist, and nothing else may stand for it.",
)
def l1_of_nothing_is_zero(x, target):
    require_same_shape(target=target, x=x)
    return (x - target).abs().sum() / max(x.numel(), 1)


@mistake(
    "l1_loss_backward",
    kind="idea",
    says="The slope grows with the distance. That of an absolute value is the same everywhere but for its sign.",
)
def l1_slope_is_the_difference(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x - target) / x.numel()


@mistake(
    "l1_loss_backward", kind="idea", says="Each entry has only its share of the upstream gradient: the loss is a mean."
)
def l1_slope_without_the_share(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x - target).sign()


@mistake(
    "l1_loss_backward",
    kind="idea",
    says="The sign is turned round: a prediction that is too large has a positive slope.",
)
def l1_slope_turned_round(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (target - x).sign() / x.numel()


@mistake(
    "l1_loss_backward",
    kind="case",
    says="Where a prediction is exactly right the gradient is nan, as from 0 / 0 in d / |d|.",
)
def l1_slope_by_division(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    off = x - target
    return grad_out * (off / off.abs()) / x.numel()


@mistake(
    "l1_loss_backward",
    kind="case",
    says="Where a prediction is exactly right the slope is 1 or -1. It has to be 0 there.",
)
def l1_slope_has_two_sides_only(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * torch.where(x > target, 1, -1).to(x.dtype) / x.numel()


@mistake(
    "huber_loss",
    kind="idea",
    says="Beyond delta the line does not begin where the parabola ends: there is a jump. How high does it have to begin?",
)
def huber_jumps(x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    off = (x - target).abs()
    return torch.where(off <= delta, off.square() / 2, delta * off).mean()


@mistake("huber_loss", kind="idea", says="Near the truth this is d². The parabola has a half before it.")
def huber_without_the_half(x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    off = (x - target).abs()
    return torch.where(off <= delta, off.square(), delta * (off - delta / 2)).mean()


@mistake(
    "huber_loss",
    kind="idea",
    says="The line has the slope 1 whatever `delta` is: this is smooth L1, Huber's loss divided by delta.",
)
def huber_is_smooth_l1(x, target, *, delta=1.0):
    return huber_loss(x, target, delta=delta) / delta


@mistake(
    "huber_loss",
    kind="idea",
    says="The two sides are exchanged: the parabola has to count near the truth, the line far from it.",
)
def huber_exchanges_sides(x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    off = (x - target).abs()
    return torch.where(off > delta, off.square() / 2, delta * (off - delta / 2)).mean()


@mistake(
    "huber_loss",
    kind="case",
    says="In float16 the answer is nan where a difference is large, as from inf * 0 where d² overflows under a mask. Choose between the sides.",
)
def huber_multiplies_by_a_mask(x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    off = (x - target).abs()
    near = (off <= delta).to(x.dtype)
    return (near * off.square() / 2 + (1 - near) * delta * (off - delta / 2)).mean()


@mistake(
    "huber_loss",
    kind="idea",
    says="The sign of the difference is not taken off: large negative differences count as if they were small.",
)
def huber_forgets_the_size(x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    off = x - target
    return torch.where(off <= delta, off.square() / 2, delta * (off - delta / 2)).mean()


@mistake(
    "huber_loss_backward",
    kind="idea",
    says="Beyond delta the slope is 1 or -1, whatever `delta` is. Which slope does the line have?",
)
def huber_slope_of_one(grad_out, x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    require_ndim(0, grad_out=grad_out)
    off = x - target
    return grad_out * torch.where(off.abs() <= delta, off, off.sign()) / x.numel()


@mistake(
    "huber_loss_backward",
    kind="idea",
    says="The slope is that of the squared error everywhere: it is never held back by `delta`.",
)
def huber_slope_never_clipped(grad_out, x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x - target) / x.numel()


@mistake(
    "huber_loss_backward",
    kind="idea",
    says="Far below the truth the slope is positive. Its sign has to be that of the difference.",
)
def huber_slope_loses_the_sign(grad_out, x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    require_ndim(0, grad_out=grad_out)
    off = x - target
    return grad_out * torch.where(off.abs() <= delta, off, delta) / x.numel()


@mistake(
    "huber_loss_backward",
    kind="idea",
    says="Each entry has only its share of the upstream gradient: the loss is a mean.",
)
def huber_slope_without_the_share(grad_out, x, target, *, delta=1.0):
    return huber_loss_backward(grad_out, x, target, delta=delta) * x.numel()


@mistake("huber_loss_backward", kind="refusal", says="A `delta` of 0 is not refused.")
def huber_slope_takes_any_delta(grad_out, x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x - target).clamp(min=-delta).clamp(max=delta) / x.numel()


@mistake(
    "binary_cross_entropy_with_logits",
    kind="idea",
    says="A score that is sure and wrong costs infinity: the sigmoid is rounded to 0 or 1 before its logarithm is taken.",
)
def binary_through_the_sigmoid(x, target):
    require_same_shape(target=target, x=x)
    p = torch.sigmoid(x)
    losses = torch.where(target > 0, -target * torch.log(p), 0) + torch.where(
        target < 1, (target - 1) * torch.log(1 - p), 0
    )
    return losses.mean()


@mistake(
    "binary_cross_entropy_with_logits",
    kind="idea",
    says="The loss of a sure and wrong answer never grows beyond about 16: the probability is cut off before its logarithm is taken.",
)
def binary_with_an_epsilon(x, target):
    require_same_shape(target=target, x=x)
    p = torch.sigmoid(x).clamp(1e-7, 1 - 1e-7)
    return -(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()


@mistake(
    "binary_cross_entropy_with_logits",
    kind="case",
    says="For scores of about -1000 the loss is infinite: exp(-x) overflows there. Which sign of the exponent is safe?",
)
def binary_overflows(x, target):
    require_same_shape(target=target, x=x)
    return ((1 - target) * x + torch.log1p(torch.exp(-x))).mean()


@mistake(
    "binary_cross_entropy_with_logits",
    kind="idea",
    says="Yes and no are exchanged: a large score costs much where the target is 1.",
)
def binary_exchanges_yes_and_no(x, target):
    require_same_shape(target=target, x=x)
    return (x.clamp(min=0) - x * (1 - target) + torch.log1p(torch.exp(-x.abs()))).mean()


@mistake(
    "binary_cross_entropy_with_logits",
    kind="idea",
    says="The term of the no is missing: where the target is 0 nothing is lost, whatever the score is.",
)
def binary_knows_only_yes(x, target):
    require_same_shape(target=target, x=x)
    return (target * ((-x).clamp(min=0) + torch.log1p(torch.exp(-x.abs())))).mean()


@mistake("binary_cross_entropy_with_logits", kind="idea", says="The losses are added up. The answer is their mean.")
def binary_adds_up(x, target):
    require_same_shape(target=target, x=x)
    return (x.clamp(min=0) - x * target + torch.log1p(torch.exp(-x.abs()))).sum()


@mistake(
    "binary_cross_entropy_with_logits_backward",
    kind="idea",
    says="The slope of the sigmoid is multiplied in once more. It has cancelled: look at the table of the section before.",
)
def binary_slope_of_the_squared_error(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    p = torch.sigmoid(x)
    return grad_out * (p - target) * p * (1 - p) / x.numel()


@mistake(
    "binary_cross_entropy_with_logits_backward",
    kind="idea",
    says="The target is taken from the score, not from its sigmoid.",
)
def binary_slope_of_the_score(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x - target) / x.numel()


@mistake(
    "binary_cross_entropy_with_logits_backward",
    kind="idea",
    says="The sign is turned round: a score that is too large has a positive slope.",
)
def binary_slope_turned_round(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (target - torch.sigmoid(x)) / x.numel()


@mistake(
    "binary_cross_entropy_with_logits_backward",
    kind="idea",
    says="Each entry has only its share of the upstream gradient: the loss is a mean.",
)
def binary_slope_without_the_share(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (torch.sigmoid(x) - target)


@mistake(
    "binary_cross_entropy_with_logits_backward",
    kind="idea",
    says="This is the slope alone. The chain rule multiplies it by the upstream gradient.",
)
def binary_slope_without_upstream(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return (torch.sigmoid(x) - target) / x.numel()


@mistake(
    "binary_cross_entropy_with_logits_backward",
    kind="idea",
    says="The upstream gradient is added to the slope. It has to be a factor.",
)
def binary_slope_adds_upstream(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return (grad_out + torch.sigmoid(x) - target) / x.numel()


@mistake(
    "binary_cross_entropy_with_logits_backward",
    kind="case",
    says="For large scores the gradient is nan, as from inf / inf in exp(x) / (1 + exp(x)).",
)
def binary_slope_overflows(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x.exp() / (1 + x.exp()) - target) / x.numel()


@mistake(
    "soft_targets",
    kind="idea",
    stage="smoothing",
    says="The share s is spread over the wrong classes alone. The right one gets its part of it too.",
)
def smooths_over_the_others(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_between(0, 1, label_smoothing=label_smoothing)
    shares = soft_targets(x, target, ignore_index=ignore_index)
    s, others = label_smoothing, max(x.shape[1] - 1, 1)
    return (shares * (1 - s) + (shares.sum(1, keepdim=True) - shares) * s / others).to(x.dtype)


@mistake(
    "soft_targets",
    kind="idea",
    stage="smoothing",
    says="Every class gets s / C on top, but the truth keeps all it had: the shares add up to more than one.",
)
def smooths_without_taking_away(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_between(0, 1, label_smoothing=label_smoothing)
    shares = soft_targets(x, target, ignore_index=ignore_index)
    counts = 1 if target.is_floating_point() else (target != ignore_index)[:, None]
    return (shares + label_smoothing / x.shape[1] * counts).to(x.dtype)


@mistake(
    "soft_targets",
    kind="idea",
    stage="ignored",
    says="An ignored target gets its smoothing all the same: with label smoothing its row is not 0.",
)
def smooths_the_ignored(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_between(0, 1, label_smoothing=label_smoothing)
    shares = soft_targets(x, target, ignore_index=ignore_index)
    return (1 - label_smoothing) * shares + label_smoothing / x.shape[1]


@mistake(
    "soft_targets", kind="idea", stage="ignored", says="Targets of -100 are left out, whatever `ignore_index` says."
)
def ignores_only_minus_hundred(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    if target.is_floating_point():
        return soft_targets(x, target, label_smoothing=label_smoothing)
    one_hot = (target[:, None] == torch.arange(x.shape[1], device=x.device)).to(x.dtype)
    return ((1 - label_smoothing) * one_hot + label_smoothing / x.shape[1]) * (target != -100)[:, None]


@mistake(
    "soft_targets",
    kind="idea",
    stage="smoothing",
    says="Shares come back as they were, without smoothing; only classes are smoothed.",
)
def smooths_classes_alone(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    if target.is_floating_point():
        return target.clone()
    return soft_targets(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)


@mistake(
    "soft_targets", kind="case", says="The shares are float32, whatever `x` is. They should have the dtype of `x`."
)
def shares_in_float32(x, target, *, ignore_index=-100, label_smoothing=0.0):
    return soft_targets(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing).float()


@mistake(
    "soft_targets",
    kind="idea",
    stage="one-hot",
    says="The right class is the only one that is 0. It should be the only one that is 1.",
)
def one_cold(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    if target.is_floating_point():
        return soft_targets(x, target, label_smoothing=label_smoothing)
    cold = (target[:, None] != torch.arange(x.shape[1], device=x.device)).to(x.dtype)
    shares = (1 - label_smoothing) * cold + label_smoothing / x.shape[1]
    return shares * (target != ignore_index)[:, None]


def _entropy(log_p, x, target, ignore_index, label_smoothing):
    """The rest of the loss, for whatever counts as log-probabilities."""
    shares = soft_targets(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    count = len(x) if target.is_floating_point() else (target != ignore_index).sum()
    return -torch.where(shares > 0, shares * log_p, 0).sum() / count


@mistake(
    "cross_entropy",
    kind="idea",
    stage="classes",
    says="Large scores give nan or infinity: the exponential of a score overflows, or all of them are 0.",
)
def entropy_overflows(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    log_p = x - x.exp().sum(1, keepdim=True).log()
    return _entropy(log_p, x, target, ignore_index, label_smoothing)


@mistake(
    "cross_entropy",
    kind="idea",
    stage="classes",
    says="A class that lies far behind costs infinity: its probability is rounded to 0 before the logarithm is taken.",
)
def entropy_takes_log_of_softmax(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    weights = (x - x.amax(1, keepdim=True)).exp()
    log_p = (weights / weights.sum(1, keepdim=True)).log()
    return _entropy(log_p, x, target, ignore_index, label_smoothing)


@mistake(
    "cross_entropy",
    kind="case",
    says="For large scores that hardly differ the loss loses its digits: a rounded logsumexp is taken from a large score. Subtract the largest score first.",
)
def entropy_subtracts_a_rounded_number(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    m = x.amax(1, keepdim=True)
    log_p = x - (m + (x - m).exp().sum(1, keepdim=True).log())
    return _entropy(log_p, x, target, ignore_index, label_smoothing)


@mistake(
    "cross_entropy",
    kind="idea",
    stage="ignored",
    says="The sum is divided by all samples, those that are ignored included.",
)
def entropy_counts_the_ignored(x, target, *, ignore_index=-100, label_smoothing=0.0):
    loss = cross_entropy(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    return loss if target.is_floating_point() else loss * (target != ignore_index).sum() / len(x)


@mistake(
    "cross_entropy", kind="idea", stage="shares", says="Label smoothing makes no difference. Does it reach the shares?"
)
def entropy_forgets_smoothing(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_between(0, 1, label_smoothing=label_smoothing)
    return cross_entropy(x, target, ignore_index=ignore_index)


@mistake(
    "cross_entropy", kind="idea", stage="shares", says="Of shares only the largest one counts, as if it were the class."
)
def entropy_takes_the_largest_share(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    if target.is_floating_point():
        target, ignore_index = target.argmax(1), -100
    return cross_entropy(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)


@mistake(
    "cross_entropy", kind="idea", stage="classes", says="The softmax is taken along the samples, not along the classes."
)
def entropy_along_samples(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    shifted = x - x.amax()
    log_p = shifted - shifted.exp().sum(0, keepdim=True).log()
    return _entropy(log_p, x, target, ignore_index, label_smoothing)


@mistake(
    "cross_entropy",
    kind="case",
    says="Where no sample counts the loss is 0. The mean of nothing is nan, which nobody can mistake for a perfect answer.",
)
def entropy_of_nothing_is_zero(x, target, *, ignore_index=-100, label_smoothing=0.0):
    loss = cross_entropy(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    return loss.nan_to_num(0.0)


@mistake(
    "cross_entropy_backward",
    kind="case",
    says="For shares that do not add up to one the gradient is p - t. Each log p_k has a weight of its own: how much is that together?",
)
def entropy_slope_of_sums_to_one(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    require_ndim(0, grad_out=grad_out)
    shares = soft_targets(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    counts = torch.ones_like(x[:, :1]) if target.is_floating_point() else (target != ignore_index)[:, None]
    return grad_out * (torch.softmax(x, 1) - shares) * counts / counts.sum()


@mistake(
    "cross_entropy_backward",
    kind="idea",
    stage="ignored",
    says="Samples that are ignored have a gradient: where no truth is, p is pushed down all the same.",
)
def entropy_slope_of_the_ignored(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    grad_x = cross_entropy_backward(grad_out, x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    if target.is_floating_point():
        return grad_x
    counts = (target != ignore_index)[:, None]
    return torch.where(counts, grad_x, grad_out * torch.softmax(x, 1) / counts.sum())


@mistake(
    "cross_entropy_backward",
    kind="idea",
    stage="ignored",
    says="The gradient is divided by all samples, those that are ignored included.",
)
def entropy_slope_counts_the_ignored(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    grad_x = cross_entropy_backward(grad_out, x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    return grad_x if target.is_floating_point() else grad_x * (target != ignore_index).sum() / len(x)


@mistake(
    "cross_entropy_backward",
    kind="idea",
    says="The sign is turned round: the score of the right class has a negative slope, since raising it makes the loss smaller.",
)
def entropy_slope_turned_round(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    return -cross_entropy_backward(grad_out, x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)


@mistake(
    "cross_entropy_backward",
    kind="idea",
    says="Only the score of the right class has a gradient. The others stand in the sum of the exponentials, and push back.",
)
def entropy_slope_of_the_right_class_alone(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    grad_x = cross_entropy_backward(grad_out, x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    return torch.where(soft_targets(x, target, ignore_index=ignore_index) > 0, grad_x, 0)


@mistake(
    "cross_entropy_backward",
    kind="idea",
    says="Each sample has only its share of the upstream gradient: the loss is a mean over the samples.",
)
def entropy_slope_without_the_share(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    grad_x = cross_entropy_backward(grad_out, x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    return grad_x * (len(x) if target.is_floating_point() else (target != ignore_index).sum())


@mistake(
    "cross_entropy_backward",
    kind="idea",
    stage="shares",
    says="Label smoothing makes no difference to the gradient. Does it reach the shares?",
)
def entropy_slope_forgets_smoothing(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_between(0, 1, label_smoothing=label_smoothing)
    return cross_entropy_backward(grad_out, x, target, ignore_index=ignore_index)


@mistake("kl_div", kind="idea", says="The sum is divided by all entries. It is averaged over the samples alone.")
def kl_over_all_entries(x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    return torch.where(target > 0, target * (target.log() - x), 0).mean()


@mistake(
    "kl_div",
    kind="idea",
    says="The answer is nan where a target is 0: 0 times the logarithm of 0. What never happens costs nothing.",
)
def kl_of_zero_is_nan(x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    return (target * (target.log() - x)).sum() / len(x)


@mistake("kl_div", kind="idea", says="A logarithm is taken of x, which is a logarithm already.")
def kl_takes_the_logarithm_again(x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    return torch.where(target > 0, target * (target.log() - x.exp()), 0).sum() / len(x)


@mistake(
    "kl_div",
    kind="idea",
    says="This is the divergence the other way round: the terms are weighed by the prediction, not by the truth.",
)
def kl_the_other_way_round(x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    return torch.where(target > 0, x.exp() * (x - target.log()), 0).sum() / len(x)


@mistake(
    "kl_div",
    kind="idea",
    says="This is the cross-entropy: the truth's own surprise is not taken away, so that a perfect prediction costs something.",
)
def kl_is_cross_entropy(x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    return -(target * x).sum() / len(x)


@mistake(
    "kl_div_backward",
    kind="idea",
    says="This is the gradient in the scores before the softmax. `x` are log-probabilities here.",
)
def kl_slope_in_scores(grad_out, x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x.exp() - target) / len(x)


@mistake(
    "kl_div_backward",
    kind="idea",
    says="The sign is turned round: as a log-probability of something true grows, the loss falls.",
)
def kl_slope_turned_round(grad_out, x, target):
    return -kl_div_backward(grad_out, x, target)


@mistake(
    "kl_div_backward", kind="idea", says="The gradient is divided by all entries. The loss is a mean over the samples."
)
def kl_slope_over_all_entries(grad_out, x, target):
    return kl_div_backward(grad_out, x, target) / x.shape[1]


@mistake(
    "kl_div_backward",
    kind="idea",
    says="This is the slope for a sum. Each sample has only its share of the upstream gradient.",
)
def kl_slope_without_the_share(grad_out, x, target):
    return kl_div_backward(grad_out, x, target) * len(x)


@mistake(
    "multi_margin_loss",
    kind="idea",
    says="The right class itself is counted: with a lead of 0 over itself it lacks the whole margin.",
)
def hinge_counts_the_right_class(x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    return (margin - x.gather(1, target[:, None]) + x).clamp(min=0).mean()


@mistake("multi_margin_loss", kind="idea", says="The sum is not divided by the number of classes.")
def hinge_without_dividing_by_classes(x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    wrong = target[:, None] != torch.arange(x.shape[1], device=x.device)
    return ((margin - x.gather(1, target[:, None]) + x).clamp(min=0) * wrong).sum(1).mean()


@mistake(
    "multi_margin_loss",
    kind="idea",
    says="The sum is divided by the number of wrong classes. It has to be that of all classes.",
)
def hinge_divides_by_the_others(x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    wrong = target[:, None] != torch.arange(x.shape[1], device=x.device)
    terms = (margin - x.gather(1, target[:, None]) + x).clamp(min=0) * wrong
    return terms.sum(1).mean() / max(x.shape[1] - 1, 1)


@mistake(
    "multi_margin_loss",
    kind="idea",
    says="Only the strongest rival counts. Here every wrong class that comes too near does.",
)
def hinge_of_the_strongest(x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    wrong = target[:, None] != torch.arange(x.shape[1], device=x.device)
    terms = (margin - x.gather(1, target[:, None]) + x).clamp(min=0) * wrong
    return terms.amax(1).mean() / x.shape[1]


@mistake("multi_margin_loss", kind="idea", says="The lead is turned round: a right class that is far ahead costs much.")
def hinge_turned_round(x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    wrong = target[:, None] != torch.arange(x.shape[1], device=x.device)
    return ((margin + x.gather(1, target[:, None]) - x).clamp(min=0) * wrong).mean()


@mistake(
    "multi_margin_loss",
    kind="idea",
    says="Terms below 0 are counted: a class that is beaten by more than the margin may not pay for another.",
)
def hinge_without_the_kink(x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    wrong = target[:, None] != torch.arange(x.shape[1], device=x.device)
    return ((margin - x.gather(1, target[:, None]) + x) * wrong).mean()


def _hinge_parts(grad_out, x, target, margin):
    require_classes(x, target)
    require_positive(margin=margin)
    require_ndim(0, grad_out=grad_out)
    lead = x.gather(1, target[:, None]) - x
    wrong = target[:, None] != torch.arange(x.shape[1], device=x.device)
    return lead, wrong


@mistake(
    "multi_margin_loss_backward",
    kind="idea",
    says="The right class has the slope -1 as soon as one class is too near. It stands in each such term: how many are there?",
)
def hinge_slope_of_minus_one(grad_out, x, target, *, margin=1.0):
    lead, wrong = _hinge_parts(grad_out, x, target, margin)
    pushed = ((lead < margin) & wrong).to(x.dtype)
    slope = torch.where(wrong, pushed, -pushed.amax(1, keepdim=True))
    return grad_out * slope / x.numel()


@mistake(
    "multi_margin_loss_backward",
    kind="idea",
    says="The right class has no gradient. Its score stands in every term, with a minus.",
)
def hinge_slope_of_the_wrong_alone(grad_out, x, target, *, margin=1.0):
    lead, wrong = _hinge_parts(grad_out, x, target, margin)
    return grad_out * ((lead < margin) & wrong).to(x.dtype) / x.numel()


@mistake(
    "multi_margin_loss_backward",
    kind="idea",
    says="The gradient is divided by the samples alone. The loss also divides by the classes.",
)
def hinge_slope_over_samples(grad_out, x, target, *, margin=1.0):
    lead, wrong = _hinge_parts(grad_out, x, target, margin)
    pushed = ((lead < margin) & wrong).to(x.dtype)
    return grad_out * torch.where(wrong, pushed, -pushed.sum(1, keepdim=True)) / len(x)


@mistake(
    "multi_margin_loss_backward",
    kind="case",
    says="Where the lead is exactly the margin the slope is 1. It has to be 0 there, as in torch.",
)
def hinge_slope_at_the_kink(grad_out, x, target, *, margin=1.0):
    lead, wrong = _hinge_parts(grad_out, x, target, margin)
    pushed = ((lead <= margin) & wrong).to(x.dtype)
    return grad_out * torch.where(wrong, pushed, -pushed.sum(1, keepdim=True)) / x.numel()


@mistake(
    "multi_margin_loss_backward",
    kind="idea",
    says="A wrong class is pushed down only where it leads. It has to be as soon as it is nearer than the margin.",
)
def hinge_slope_without_the_margin(grad_out, x, target, *, margin=1.0):
    lead, wrong = _hinge_parts(grad_out, x, target, margin)
    pushed = ((lead < 0) & wrong).to(x.dtype)
    return grad_out * torch.where(wrong, pushed, -pushed.sum(1, keepdim=True)) / x.numel()


@mistake(
    "sigmoid_focal_loss",
    kind="idea",
    says="The weight alpha is given to every entry. Those whose target is 0 have 1 - alpha.",
)
def focal_weighs_all_alike(x, target, alpha=0.25, gamma=2.0):
    require_between(0, 1, alpha=alpha)
    return sigmoid_focal_loss(x, target, 1.0, gamma) * alpha * target + sigmoid_focal_loss(
        x, target, 0.0, gamma
    ) * alpha * (1 - target)


@mistake(
    "sigmoid_focal_loss",
    kind="idea",
    says="Answers that are right are turned up, and wrong ones down: the factor is p_t instead of 1 - p_t.",
)
def focal_turns_down_the_hard_ones(x, target, alpha=0.25, gamma=2.0):
    require_same_shape(target=target, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    z = x * (2 * target - 1)
    return sigmoid_focal_loss(x, target, alpha, 0.0) * torch.sigmoid(z) ** gamma


@mistake(
    "sigmoid_focal_loss",
    kind="idea",
    says="The factor is that of a yes, (1 - p) ** gamma, for every entry. For a no the truth has the probability 1 - p.",
)
def focal_factor_of_a_yes(x, target, alpha=0.25, gamma=2.0):
    require_same_shape(target=target, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    return sigmoid_focal_loss(x, target, alpha, 0.0) * torch.sigmoid(-x) ** gamma


@mistake("sigmoid_focal_loss", kind="idea", says="The losses are averaged. Here each entry keeps its own.")
def focal_takes_the_mean(x, target, alpha=0.25, gamma=2.0):
    return sigmoid_focal_loss(x, target, alpha, gamma).mean()


@mistake(
    "sigmoid_focal_loss",
    kind="case",
    says="For scores that are large and wrong the loss is infinite, or nan: the probability is rounded to 0 before its logarithm is taken.",
)
def focal_through_the_sigmoid(x, target, alpha=0.25, gamma=2.0):
    require_same_shape(target=target, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    p = torch.sigmoid(x * (2 * target - 1))
    weight = alpha * target + (1 - alpha) * (1 - target)
    return -weight * (1 - p) ** gamma * torch.log(p)


@mistake(
    "sigmoid_focal_loss",
    kind="refusal",
    says="A `target` of another shape is not refused: it is broadcast, or fails inside torch.",
)
def focal_broadcasts(x, target, alpha=0.25, gamma=2.0):
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    z = x * (2 * target - 1)
    surprise = (-z).clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    return (alpha * target + (1 - alpha) * (1 - target)) * torch.sigmoid(-z) ** gamma * surprise


def _focal_parts(grad_out, x, target, alpha, gamma):
    require_same_shape(target=target, x=x)
    require_same_shape(grad_out=grad_out, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    sign = 2 * target - 1
    z = x * sign
    surprise = (-z).clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    weight = alpha * target + (1 - alpha) * (1 - target)
    return sign, weight, torch.sigmoid(-z), torch.sigmoid(z), surprise


@mistake(
    "sigmoid_focal_loss_backward",
    kind="idea",
    says="The factor (1 - p_t) ** gamma is treated as a constant. It moves with the score too: the product rule has two terms.",
)
def focal_slope_with_a_constant_factor(grad_out, x, target, alpha=0.25, gamma=2.0):
    sign, weight, q, _, _ = _focal_parts(grad_out, x, target, alpha, gamma)
    return -grad_out * sign * weight * q**gamma * q


@mistake(
    "sigmoid_focal_loss_backward",
    kind="idea",
    says="Only the factor is differentiated. The surprise, -log p_t, moves with the score too.",
)
def focal_slope_of_the_factor_alone(grad_out, x, target, alpha=0.25, gamma=2.0):
    sign, weight, q, p, surprise = _focal_parts(grad_out, x, target, alpha, gamma)
    return -grad_out * sign * weight * q**gamma * gamma * p * surprise


@mistake(
    "sigmoid_focal_loss_backward",
    kind="idea",
    says="The sign for a no is that of a yes. Where the score was turned round, its slope turns round too.",
)
def focal_slope_without_turning_back(grad_out, x, target, alpha=0.25, gamma=2.0):
    _, weight, q, p, surprise = _focal_parts(grad_out, x, target, alpha, gamma)
    return -grad_out * weight * q**gamma * (gamma * p * surprise + q)


@mistake(
    "sigmoid_focal_loss_backward",
    kind="idea",
    says="The two terms have opposite signs here. As the score for the truth grows, factor and surprise both fall.",
)
def focal_slope_with_a_wrong_sign(grad_out, x, target, alpha=0.25, gamma=2.0):
    sign, weight, q, p, surprise = _focal_parts(grad_out, x, target, alpha, gamma)
    return -grad_out * sign * weight * q**gamma * (q - gamma * p * surprise)


@mistake(
    "sigmoid_focal_loss_backward",
    kind="case",
    says="With gamma below 1 the gradient is nan or infinite for a score that is large and right: a power of 0 with the exponent gamma - 1 is left over.",
)
def focal_slope_with_a_negative_power(grad_out, x, target, alpha=0.25, gamma=2.0):
    sign, weight, q, p, surprise = _focal_parts(grad_out, x, target, alpha, gamma)
    return -grad_out * sign * weight * (gamma * q ** (gamma - 1) * q * p * surprise + q**gamma * q)


@mistake(
    "sigmoid_focal_loss_backward", kind="idea", says="The sign is turned round: a yes whose score grows costs less."
)
def focal_slope_turned_round(grad_out, x, target, alpha=0.25, gamma=2.0):
    return -sigmoid_focal_loss_backward(grad_out, x, target, alpha, gamma)


@mistake(
    "choose_head",
    kind="idea",
    stage="activation",
    says="A choice of exactly one class gets a sigmoid for each class. Nothing then makes the answers share one sum.",
)
def sigmoids_for_one_class(task):
    activation, loss, target = choose_head(task)
    return ("sigmoid" if activation == "softmax" else activation), loss, target


@mistake(
    "choose_head",
    kind="idea",
    stage="activation",
    says="Several labels that may all be right get one softmax. It would let one of them push the others out.",
)
def softmax_for_several_labels(task):
    activation, loss, target = choose_head(task)
    return ("softmax" if task == "multilabel" else activation), loss, target


@mistake(
    "choose_head",
    kind="idea",
    stage="loss",
    says="Where exactly one class is right the loss is that of many yes-or-no questions.",
)
def binary_loss_for_one_class(task):
    activation, loss, target = choose_head(task)
    return activation, ("binary_cross_entropy_with_logits" if task == "multiclass" else loss), target


@mistake(
    "choose_head",
    kind="idea",
    stage="loss",
    says="The loss for numbers with outliers is the squared error, which runs after them.",
)
def squares_outliers(task):
    activation, loss, target = choose_head(task)
    return activation, ("mse_loss" if loss == "huber_loss" else loss), target


@mistake(
    "choose_head",
    kind="idea",
    stage="target",
    says="An article with several topics gets a single class index as its target. It cannot say that two are right.",
)
def one_index_for_several_labels(task):
    activation, loss, target = choose_head(task)
    return activation, loss, ("class index" if task == "multilabel" else target)


@mistake("choose_head", kind="case", says="The three words come back as a list. Asked for is a tuple.")
def returns_a_list(task):
    return list(choose_head(task))
