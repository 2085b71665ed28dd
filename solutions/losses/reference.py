"""Reference solutions of the assignment on loss functions.

Every function takes tensors of any floating dtype on any device and returns one of the dtype and device of its first.
Backwards are written by hand, recompute what they need, and are those with respect to ``x``: a target is data.
"""

import torch
from torch import Tensor

from autograder.guards import (
    require_between,
    require_ndim,
    require_not_negative,
    require_one_of,
    require_positive,
    require_same_shape,
    require_shape,
)


def require_classes(x: Tensor, target: Tensor, *, ignore_index: int = -100) -> None:
    """Refuses targets that are no classes of the scores ``x``, (N, C): whole numbers of [0, C) or ``ignore_index``."""
    require_ndim(2, x=x)
    require_shape(x.shape[:1], target=target)
    if target.is_floating_point():
        raise ValueError(f"target has dtype {target.dtype}, classes are whole numbers")
    if ((target != ignore_index) & ((target < 0) | (target >= x.shape[1]))).any():
        raise ValueError(f"target has a class outside 0 ... {x.shape[1] - 1}")


def require_targets(x: Tensor, target: Tensor, *, ignore_index: int = -100) -> None:
    """Refuses targets that are neither classes of the scores ``x`` nor shaped like them, as probabilities are."""
    require_ndim(2, x=x)
    if target.is_floating_point():
        require_same_shape(target=target, x=x)
    else:
        require_classes(x, target, ignore_index=ignore_index)


def mse_loss(x: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The squared error of each entry: their mean, their sum, or each by itself.

    Args:
        x: predictions; any shape, floating dtype and device.
        target: what they should be, shaped like ``x``.
        reduction: "mean", "sum" or "none".
    Returns:
        loss: without axes, or shaped like ``x`` for "none"; the mean of no entries is nan.
    Raises:
        ValueError: ``target`` is not shaped like ``x``, or ``reduction`` is another word.
    Derivation: (x - t)², entry by entry; then reduced.
    Source: Goodfellow et al. (2016), "Deep Learning", section 5.1.4.
    """
    require_same_shape(target=target, x=x)
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    squares = (x - target).square()
    if reduction == "none":
        return squares
    return squares.sum() if reduction == "sum" else squares.mean()


def mse_loss_backward(grad_out: Tensor, x: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Gradient of ``mse_loss`` with respect to ``x``.

    Args:
        grad_out: upstream gradient, shaped like the loss.
        x, target, reduction: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
    Raises:
        ValueError: ``target`` is not shaped like ``x``, ``reduction`` is another word, or ``grad_out`` is not shaped
            like the loss.
    Derivation: the slope of (x - t)² is 2 (x - t); in a mean each entry counts 1 / n.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.1.2.
    """
    require_same_shape(target=target, x=x)
    require_one_of(("mean", "sum", "none"), reduction=reduction)
    require_shape(x.shape if reduction == "none" else (), grad_out=grad_out)
    grad_x = grad_out * 2 * (x - target)
    return grad_x / x.numel() if reduction == "mean" else grad_x


def l1_loss(x: Tensor, target: Tensor) -> Tensor:
    """The mean absolute error.

    Args:
        x: predictions; any shape, floating dtype and device.
        target: what they should be, shaped like ``x``.
    Returns:
        loss: without axes; nan where there are no entries.
    Raises:
        ValueError: ``target`` is not shaped like ``x``.
    Derivation: the mean of |x - t|.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.1.2.
    """
    require_same_shape(target=target, x=x)
    return (x - target).abs().mean()


def l1_loss_backward(grad_out: Tensor, x: Tensor, target: Tensor) -> Tensor:
    """Gradient of ``l1_loss`` with respect to ``x``; 0 where an entry is exactly right.

    Args:
        grad_out: upstream gradient, without axes.
        x, target: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
    Raises:
        ValueError: ``target`` is not shaped like ``x``, or ``grad_out`` has axes.
    Derivation: the slope of |d| is the sign of d, and d has the slope 1 in x; each entry counts 1 / n.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.1.2.
    """
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x - target).sign() / x.numel()


def huber_loss(x: Tensor, target: Tensor, *, delta: float = 1.0) -> Tensor:
    """The mean of errors that are squared while small and count with their size beyond ``delta``.

    Args:
        x: predictions; any shape, floating dtype and device.
        target: what they should be, shaped like ``x``.
        delta: where the parabola goes over into a straight line, above 0.
    Returns:
        loss: without axes; nan where there are no entries.
    Raises:
        ValueError: ``target`` is not shaped like ``x``, or ``delta`` is not above 0.
    Derivation: d² / 2 up to delta. A line with the slope delta that meets it there is delta * (|d| - delta / 2).
    Source: Huber (1964), "Robust estimation of a location parameter".
    """
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    off = (x - target).abs()
    return torch.where(off <= delta, off.square() / 2, delta * (off - delta / 2)).mean()


def huber_loss_backward(grad_out: Tensor, x: Tensor, target: Tensor, *, delta: float = 1.0) -> Tensor:
    """Gradient of ``huber_loss`` with respect to ``x``.

    Args:
        grad_out: upstream gradient, without axes.
        x, target, delta: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
    Raises:
        ValueError: ``target`` is not shaped like ``x``, ``delta`` is not above 0, or ``grad_out`` has axes.
    Derivation: the slope is d while |d| <= delta, and delta times the sign of d beyond: d, cut off at both ends.
    Source: Huber (1964), "Robust estimation of a location parameter".
    """
    require_same_shape(target=target, x=x)
    require_positive(delta=delta)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (x - target).clamp(-delta, delta) / x.numel()


def binary_cross_entropy_with_logits(x: Tensor, target: Tensor) -> Tensor:
    """The mean surprise of a yes-or-no answer, from scores: -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)).

    Args:
        x: scores, before the sigmoid; any shape, floating dtype and device; entries may be ±2,000.
        target: numbers of [0, 1], shaped like ``x``: 0 for no, 1 for yes.
    Returns:
        loss: without axes; nan where there are no entries.
    Raises:
        ValueError: ``target`` is not shaped like ``x``.
    Derivation:
        -log sigmoid(x) = log(1 + exp(-x)) and -log(1 - sigmoid(x)) = x + log(1 + exp(-x)), so both together are
        (1 - t) x + log(1 + exp(-x)). With log(1 + exp(-x)) = max(-x, 0) + log(1 + exp(-|x|)) nothing overflows.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.2.2.
    """
    require_same_shape(target=target, x=x)
    return (x.clamp(min=0) - x * target + torch.log1p(torch.exp(-x.abs()))).mean()


def binary_cross_entropy_with_logits_backward(grad_out: Tensor, x: Tensor, target: Tensor) -> Tensor:
    """Gradient of ``binary_cross_entropy_with_logits`` with respect to ``x``.

    Args:
        grad_out: upstream gradient, without axes.
        x, target: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
    Raises:
        ValueError: ``target`` is not shaped like ``x``, or ``grad_out`` has axes.
    Derivation: (1 - t) x + log(1 + exp(-x)) has the slope 1 - t - sigmoid(-x) = sigmoid(x) - t.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.2.2.
    """
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return grad_out * (torch.sigmoid(x) - target) / x.numel()


def soft_targets(x: Tensor, target: Tensor, *, ignore_index: int = -100, label_smoothing: float = 0.0) -> Tensor:
    """What share of the truth each class has, for every sample.

    Args:
        x: scores (N, C); only its shape, dtype and device matter here.
        target: classes (N,), int64, or probabilities (N, C) in the dtype of ``x``.
        ignore_index: a target that is no truth: its row is 0 everywhere. Among probabilities there is none.
        label_smoothing: the share that is taken away and spread evenly over all C classes, in [0, 1].
    Returns:
        shares: (N, C), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``target`` does not fit ``x``, or ``label_smoothing`` lies outside [0, 1].
    Derivation: (1 - s) t + s / C, where t is one-hot for a class; the rows that do not count are then set to 0.
    Source: Szegedy et al. (2016), "Rethinking the Inception architecture for computer vision", section 7.
    """
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    classes = x.shape[1]
    if target.is_floating_point():
        return (1 - label_smoothing) * target + label_smoothing / classes
    one_hot = (target[:, None] == torch.arange(classes, device=x.device)).to(x.dtype)
    shares = (1 - label_smoothing) * one_hot + label_smoothing / classes
    return shares * (target != ignore_index)[:, None]


def cross_entropy(x: Tensor, target: Tensor, *, ignore_index: int = -100, label_smoothing: float = 0.0) -> Tensor:
    """The mean surprise of a choice between C classes, from scores: -sum of t log(softmax(x)).

    Args:
        x: scores, before the softmax, (N, C); any floating dtype and device; entries may be ±2,500.
        target: classes (N,), int64, or probabilities (N, C) in the dtype of ``x``.
        ignore_index: samples with this target do not count, neither above nor below the line of the mean.
        label_smoothing: as in ``soft_targets``.
    Returns:
        loss: without axes; nan where no sample counts.
    Raises:
        ValueError: ``target`` does not fit ``x``, or ``label_smoothing`` lies outside [0, 1].
    Derivation:
        log softmax(x) = (x - m) - log(sum(exp(x - m))) with the largest score m of each row: nothing overflows, and no
        large number is subtracted from a rounded one.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.2.3.
    """
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    shares = soft_targets(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    shifted = x - x.amax(1, keepdim=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    count = len(x) if target.is_floating_point() else (target != ignore_index).sum()
    return -(shares * log_p).sum() / count


def cross_entropy_backward(
    grad_out: Tensor, x: Tensor, target: Tensor, *, ignore_index: int = -100, label_smoothing: float = 0.0
) -> Tensor:
    """Gradient of ``cross_entropy`` with respect to the scores ``x``; 0 for a sample that does not count.

    Args:
        grad_out: upstream gradient, without axes.
        x, target, ignore_index, label_smoothing: arguments of the forward pass; at least one sample counts, or there is
            none.
    Returns:
        grad_x: shaped like ``x``.
    Raises:
        ValueError: ``target`` does not fit ``x``, ``label_smoothing`` lies outside [0, 1], or ``grad_out`` has axes.
    Derivation:
        The sum of -t_i log p_i has the slope -t_j in x_j itself, and each log p_i loses p_j: together
        p_j * sum(t) - t_j. Where the shares t add up to one that is p - t.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.2.3.
    """
    require_targets(x, target, ignore_index=ignore_index)
    require_between(0, 1, label_smoothing=label_smoothing)
    require_ndim(0, grad_out=grad_out)
    shares = soft_targets(x, target, ignore_index=ignore_index, label_smoothing=label_smoothing)
    count = len(x) if target.is_floating_point() else (target != ignore_index).sum()
    return grad_out * (torch.softmax(x, 1) * shares.sum(1, keepdim=True) - shares) / count


def kl_div(x: Tensor, target: Tensor) -> Tensor:
    """How far predicted distributions are from the true ones: the sum of t (log t - x), averaged over the samples.

    Args:
        x: log-probabilities (N, K), finite; any floating dtype and device.
        target: probabilities, shaped like ``x``; where one is 0 its term is 0.
    Returns:
        loss: without axes; nan where there are no samples.
    Raises:
        ValueError: ``x`` has not two axes, or ``target`` is not shaped like ``x``.
    Derivation: t log t tends to 0 as t does, though log t does not exist there.
    Source: Kullback & Leibler (1951), "On information and sufficiency".
    """
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    terms = torch.where(target > 0, target * (target.log() - x), 0)
    return terms.sum() / len(x)


def kl_div_backward(grad_out: Tensor, x: Tensor, target: Tensor) -> Tensor:
    """Gradient of ``kl_div`` with respect to the log-probabilities ``x``.

    Args:
        grad_out: upstream gradient, without axes.
        x, target: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
    Raises:
        ValueError: ``x`` has not two axes, ``target`` is not shaped like ``x``, or ``grad_out`` has axes.
    Derivation: t (log t - x) is a straight line in x with the slope -t; each sample counts 1 / N.
    Source: Kullback & Leibler (1951), "On information and sufficiency".
    """
    require_ndim(2, x=x)
    require_same_shape(target=target, x=x)
    require_ndim(0, grad_out=grad_out)
    return -grad_out * target / len(x)


def multi_margin_loss(x: Tensor, target: Tensor, *, margin: float = 1.0) -> Tensor:
    """The hinge loss of several classes: what each wrong class lacks to lie ``margin`` below the right one.

    Args:
        x: scores (N, C); any floating dtype and device.
        target: the right classes (N,), int64.
        margin: how far the right class has to lead, above 0.
    Returns:
        loss: the sum over the wrong classes, divided by C, averaged over the samples; nan where there are none.
    Raises:
        ValueError: ``target`` does not fit ``x``, or ``margin`` is not above 0.
    Derivation: max(0, margin - (x_y - x_j)) for each j other than y.
    Source: Crammer & Singer (2001), "On the algorithmic implementation of multiclass kernel-based vector machines",
        which takes the largest term; the sum is that of Weston & Watkins (1999), "Support vector machines for
        multi-class pattern recognition".
    """
    require_classes(x, target)
    require_positive(margin=margin)
    lead = x.gather(1, target[:, None]) - x
    wrong = target[:, None] != torch.arange(x.shape[1], device=x.device)
    return ((margin - lead).clamp(min=0) * wrong).mean()


def multi_margin_loss_backward(grad_out: Tensor, x: Tensor, target: Tensor, *, margin: float = 1.0) -> Tensor:
    """Gradient of ``multi_margin_loss`` with respect to the scores ``x``.

    Args:
        grad_out: upstream gradient, without axes.
        x, target, margin: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
    Raises:
        ValueError: ``target`` does not fit ``x``, ``margin`` is not above 0, or ``grad_out`` has axes.
    Derivation: a wrong class whose term is above 0 has the slope 1, and the right one the slope -1 for each of them;
        all divided by N C. Exactly at the kink a term is 0, and so is its slope.
    Source: Weston & Watkins (1999), "Support vector machines for multi-class pattern recognition".
    """
    require_classes(x, target)
    require_positive(margin=margin)
    require_ndim(0, grad_out=grad_out)
    lead = x.gather(1, target[:, None]) - x
    wrong = target[:, None] != torch.arange(x.shape[1], device=x.device)
    pushed = ((lead < margin) & wrong).to(x.dtype)
    slope = torch.where(wrong, pushed, -pushed.sum(1, keepdim=True))
    return grad_out * slope / x.numel()


def sigmoid_focal_loss(x: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """The surprise of each yes-or-no answer, times ``(1 - p_t) ** gamma`` and a weight of its class.

    Args:
        x: scores, before the sigmoid; any shape, floating dtype and device; entries may be ±2,000.
        target: 0 or 1, shaped like ``x``, in its dtype.
        alpha: weight of the targets that are 1, in [0, 1]; the others have 1 - alpha.
        gamma: how strongly answers that are right already are discounted, at least 0.
    Returns:
        losses: shaped like ``x``: not reduced.
    Raises:
        ValueError: ``target`` is not shaped like ``x``, ``alpha`` lies outside [0, 1], or ``gamma`` is negative.
    Derivation:
        With z = x where t is 1 and -x where it is 0, the true answer has the probability p_t = sigmoid(z). So
        1 - p_t = sigmoid(-z), and -log p_t = log(1 + exp(-z)).
    Source: Lin et al. (2017), "Focal loss for dense object detection", equation 5.
    """
    require_same_shape(target=target, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    z = x * (2 * target - 1)
    surprise = (-z).clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    weight = alpha * target + (1 - alpha) * (1 - target)
    return weight * torch.sigmoid(-z) ** gamma * surprise


def sigmoid_focal_loss_backward(
    grad_out: Tensor, x: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Gradient of ``sigmoid_focal_loss`` with respect to ``x``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x, target, alpha, gamma: arguments of the forward pass.
    Returns:
        grad_x: shaped like ``x``.
    Raises:
        ValueError: ``target`` or ``grad_out`` is not shaped like ``x``, ``alpha`` lies outside [0, 1], or ``gamma`` is
            negative.
    Derivation:
        With q = sigmoid(-z) the loss is w q^gamma s, s = -log(1 - q). As z grows, q has the slope -q (1 - q), so q^gamma
        has -gamma (1 - q) q^gamma, and s has -q: together -w q^gamma (gamma (1 - q) s + q). In x the sign is that of z.
    Source: Lin et al. (2017), "Focal loss for dense object detection", appendix B.
    """
    require_same_shape(target=target, x=x)
    require_same_shape(grad_out=grad_out, x=x)
    require_between(0, 1, alpha=alpha)
    require_not_negative(gamma=gamma)
    sign = 2 * target - 1
    z = x * sign
    surprise = (-z).clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    weight = alpha * target + (1 - alpha) * (1 - target)
    q = torch.sigmoid(-z)
    return -grad_out * sign * weight * q**gamma * (gamma * torch.sigmoid(z) * surprise + q)


def choose_head(task: str) -> tuple[str, str, str]:
    """What stands at the end of a network, by the task.

    Args:
        task: "regression", "regression with outliers", "binary", "imbalanced binary", "multilabel", "multiclass" or
            "multiclass by margin".
    Returns:
        activation: of the answer: "identity", "sigmoid" or "softmax".
        loss: the name of one of this notebook's losses, which takes the scores before the activation.
        target: "number", "0 or 1", "0 or 1 for each label" or "class index".
    Raises:
        ValueError: ``task`` is another word.
    Derivation: an answer of any size needs no activation, several that may all be right a sigmoid each, and one of
        several the softmax, which makes them share one sum.
    Source: Chollet (2021), "Deep learning with Python", second edition, chapter 6.
    """
    require_one_of(
        (
            "regression",
            "regression with outliers",
            "binary",
            "imbalanced binary",
            "multilabel",
            "multiclass",
            "multiclass by margin",
        ),
        task=task,
    )
    heads = {
        "regression": ("identity", "mse_loss", "number"),
        "regression with outliers": ("identity", "huber_loss", "number"),
        "binary": ("sigmoid", "binary_cross_entropy_with_logits", "0 or 1"),
        "imbalanced binary": ("sigmoid", "sigmoid_focal_loss", "0 or 1"),
        "multilabel": ("sigmoid", "binary_cross_entropy_with_logits", "0 or 1 for each label"),
        "multiclass": ("softmax", "cross_entropy", "class index"),
        "multiclass by margin": ("identity", "multi_margin_loss", "class index"),
    }
    return heads[task]
