"""Correct solutions of the assignment on loss functions that go another way than the reference."""

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
from autograder.testing import alternative

from .reference import require_classes, require_targets, soft_targets


@alternative("mse_loss")
def mse_by_products(x, target, reduction="mean"):
    if x.shape != target.shape:
        raise ValueError(f"target has shape {tuple(target.shape)}")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is {reduction!r}")
    off = target - x
    losses = off * off
    if reduction == "mean":
        losses = losses.sum() / losses.numel()
    elif reduction == "sum":
        losses = torch.dot(off.reshape(-1), off.reshape(-1))
    return losses


@alternative("mse_loss")
def mse_in_float32(x, target, reduction="mean"):
    require_same_shape(target=target, x=x)
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    losses = (x.double() - target.double()) ** 2
    return {"mean": losses.mean(), "sum": losses.sum(), "none": losses}[reduction].to(x.dtype)


@alternative("mse_loss_backward")
def mse_slope_by_adding_twice(grad_out, x, target, reduction="mean"):
    require_same_shape(target=target, x=x)
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    require_shape(x.shape if reduction == "none" else (), grad_out=grad_out)
    if reduction == "mean":
        grad_out = grad_out / x.numel() if x.numel() else grad_out
    half = grad_out.expand(x.shape) * (x - target)
    return half + half


@alternative("l1_loss")
def l1_by_the_larger(x, target):
    require_same_shape(target=target, x=x)
    return (torch.maximum(x, target) - torch.minimum(x, target)).sum() / x.numel()


@alternative("l1_loss_backward")
def l1_slope_by_comparing(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    above, below = (x > target).to(x.dtype), (x < target).to(x.dtype)
    return (grad_out / x.numel()) * (above - below)


@alternative("huber_loss")
def huber_by_clamping(x, target, *, delta=1.0):
    """With c = min(|d|, delta) both sides are c (|d| - c / 2)."""
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    off = (x - target).abs()
    cut = off.clamp(max=delta)
    return (cut * (off - cut / 2)).mean()


@alternative("huber_loss")
def huber_by_what_is_beyond(x, target, *, delta=1.0):
    """The parabola of the clamped distance, and delta for each unit beyond."""
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    off = torch.abs(target - x)
    beyond = (off - delta).clamp(min=0)
    near = off - beyond
    return (0.5 * near * near + delta * beyond).sum() / off.numel()


@alternative("huber_loss_backward")
def huber_slope_by_three_cases(grad_out, x, target, *, delta=1.0):
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    require_ndim(0, grad_out=grad_out)
    off = x - target
    slope = off.clone()
    slope[off > delta] = delta
    slope[off < -delta] = -delta
    return slope * grad_out / x.numel()


@alternative("binary_cross_entropy_with_logits")
def binary_by_two_cases(x, target):
    require_same_shape(target=target, x=x)
    smooth = torch.where(x > 0, torch.log1p(torch.exp(-x.clamp(min=0))), torch.log1p(torch.exp(x.clamp(max=0))) - x)
    return ((1 - target) * x + smooth).sum() / x.numel()


@alternative("binary_cross_entropy_with_logits")
def binary_by_both_surprises(x, target):
    require_same_shape(target=target, x=x)
    rest = torch.log(1 + torch.exp(-abs(x)))
    yes, no = rest - x.clamp(max=0), rest + x.clamp(min=0)
    return (target * yes + (1 - target) * no).mean()


@alternative("binary_cross_entropy_with_logits_backward")
def binary_slope_by_tanh(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return (0.5 + 0.5 * torch.tanh(x / 2) - target) / x.numel() * grad_out


@alternative("binary_cross_entropy_with_logits_backward")
def binary_slope_by_the_formula(grad_out, x, target):
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (1 / (1 + torch.exp(-x)) - target) / x.numel()


@alternative("soft_targets")
def soft_targets_by_scatter(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    if target.is_floating_point():
        return target - label_smoothing * (target - 1 / x.shape[1])
    counts = target != ignore_index
    safe = torch.where(counts, target, 0)
    shares = torch.full_like(x, label_smoothing / x.shape[1])
    shares = shares.scatter(1, safe[:, None], 1 - label_smoothing + label_smoothing / x.shape[1])
    return torch.where(counts[:, None], shares, 0)


@alternative("soft_targets")
def soft_targets_by_rows_of_the_identity(x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    truth = target
    if not target.is_floating_point():
        truth = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)[target.clamp(0, x.shape[1] - 1)]
    shares = truth * (1 - label_smoothing) + torch.ones_like(x) * label_smoothing / x.shape[1]
    if not target.is_floating_point():
        shares[target == ignore_index] = 0
    return shares


@alternative("cross_entropy")
def cross_entropy_of_those_that_count(x, target, *, ignore_index=-100, label_smoothing=0.0):
    """Without shares: the score of the class is picked, and the smoothing is a mean over all classes."""
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    if not target.is_floating_point():
        counts = target != ignore_index
        x, target = x[counts], target[counts]
    shifted = x - x.max(1, keepdim=True).values
    costs = torch.log(torch.exp(shifted).sum(1, keepdim=True)) - shifted
    if target.is_floating_point():
        right, sums = (target * costs).sum(1), target.new_ones(len(target))
    else:
        right, sums = costs[torch.arange(len(x), device=x.device), target], x.new_ones(len(x))
    return ((1 - label_smoothing) * right + label_smoothing * sums * costs.mean(1)).mean()


@alternative("cross_entropy")
def cross_entropy_in_float64(x, target, *, ignore_index=-100, label_smoothing=0.0):
    shares = soft_targets(
        x.double(),
        target.double() if target.is_floating_point() else target,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
    )
    require_between(0, 1, label_smoothing=label_smoothing)
    wide = x.double()
    top = wide.amax(1)
    total = (wide - top[:, None]).exp().sum(1).log() + top
    losses = shares.sum(1) * total - (shares * wide).sum(1)
    count = torch.tensor(len(x)) if target.is_floating_point() else (target != ignore_index).sum()
    return (losses.sum() / count).to(x.dtype)


@alternative("cross_entropy_backward")
def entropy_slope_by_parts(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    """Back through the log-softmax: g - softmax * sum(g) with g = -shares / count."""
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    require_ndim(0, grad_out=grad_out)
    shares = soft_targets(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    counts = torch.ones(len(x), dtype=torch.bool, device=x.device)
    if not target.is_floating_point():
        counts = target != ignore_index
    g = -grad_out * shares / counts.sum()
    weights = torch.exp(x - x.amax(1, keepdim=True))
    return g - weights / weights.sum(1, keepdim=True) * g.sum(1, keepdim=True)


@alternative("cross_entropy_backward")
def entropy_slope_of_those_that_count(grad_out, x, target, *, ignore_index=-100, label_smoothing=0.0):
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    require_ndim(0, grad_out=grad_out)
    if target.is_floating_point():
        shares = (1 - label_smoothing) * target + label_smoothing / x.shape[1]
        return grad_out * (torch.softmax(x, 1) * shares.sum(1)[:, None] - shares) / x.shape[0]
    counts = target != ignore_index
    slope = torch.softmax(x[counts], 1) - label_smoothing / x.shape[1]
    rows = torch.arange(len(slope), device=x.device)
    slope[rows, target[counts]] -= 1 - label_smoothing
    grad_x = torch.zeros_like(x)
    grad_x[counts] = slope * grad_out / counts.sum()
    return grad_x


@alternative("kl_div")
def kl_by_xlogy(x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    return (torch.xlogy(target, target) - target * x).sum(1).mean()


@alternative("kl_div")
def kl_by_a_safe_logarithm(x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    safe = torch.where(target == 0, 1, target)
    return (target * (safe.log() - x)).sum() / x.shape[0]


@alternative("kl_div_backward")
def kl_slope_by_dividing_first(grad_out, x, target):
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return target * (-grad_out / x.shape[0])


@alternative("multi_margin_loss")
def hinge_minus_the_right_class(x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    own = x[torch.arange(len(x), device=x.device), target]
    terms = torch.relu(x - own[:, None] + margin)
    return ((terms.sum(1) - margin) / x.shape[1]).mean()


@alternative("multi_margin_loss")
def hinge_by_scattered_zeros(x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    lack = (x + margin) - x.gather(1, target.unsqueeze(1))
    lack = lack.scatter(1, target.unsqueeze(1), 0.0)
    return torch.where(lack > 0, lack, 0).sum() / x.numel()


@alternative("multi_margin_loss_backward")
def hinge_slope_by_scatter(grad_out, x, target, *, margin=1.0):
    require_classes(x, target)
    require_positive(margin=margin)
    require_ndim(0, grad_out=grad_out)
    column = target.unsqueeze(1)
    pushed = (x - x.gather(1, column) + margin > 0).to(x.dtype).scatter(1, column, 0.0)
    slope = pushed.scatter(1, column, -pushed.sum(1, keepdim=True))
    return slope * (grad_out / x.numel())


@alternative("sigmoid_focal_loss")
def focal_by_two_cases(x, target, alpha=0.25, gamma=2.0):
    require_same_shape(target=target, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    p, rest = torch.sigmoid(x), torch.log1p(torch.exp(-x.abs()))
    yes = alpha * (1 - p) ** gamma * (rest - x.clamp(max=0))
    no = (1 - alpha) * p**gamma * (rest + x.clamp(min=0))
    return torch.where(target == 1, yes, no)


@alternative("sigmoid_focal_loss")
def focal_as_torchvision(x, target, alpha=0.25, gamma=2.0):
    require_same_shape(target=target, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    p = torch.sigmoid(x)
    surprise = x.clamp(min=0) - x * target + torch.log1p(torch.exp(-x.abs()))
    right = p * target + (1 - p) * (1 - target)
    return (alpha * target + (1 - alpha) * (1 - target)) * surprise * (1 - right) ** gamma


@alternative("sigmoid_focal_loss_backward")
def focal_slope_by_two_cases(grad_out, x, target, alpha=0.25, gamma=2.0):
    require_same_shape(target=target, x=x)
    require_same_shape(grad_out=grad_out, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    p, rest = torch.sigmoid(x), torch.log1p(torch.exp(-x.abs()))
    yes = -alpha * (1 - p) ** gamma * (gamma * p * (rest - x.clamp(max=0)) + 1 - p)
    no = (1 - alpha) * p**gamma * (gamma * (1 - p) * (rest + x.clamp(min=0)) + p)
    return grad_out * torch.where(target > 0, yes, no)


@alternative("choose_head")
def head_by_questions(task):
    tasks = ("regression", "regression with outliers", "binary", "imbalanced binary", "multilabel", "multiclass")
    require_one_of((*tasks, "multiclass by margin"), task=task)
    if task.startswith("regression"):
        return "identity", "huber_loss" if "outliers" in task else "mse_loss", "number"
    if task.startswith("multiclass"):
        if task.endswith("margin"):
            return "identity", "multi_margin_loss", "class index"
        return "softmax", "cross_entropy", "class index"
    loss = "sigmoid_focal_loss" if task.startswith("imbalanced") else "binary_cross_entropy_with_logits"
    return "sigmoid", loss, "0 or 1" + " for each label" * (task == "multilabel")
