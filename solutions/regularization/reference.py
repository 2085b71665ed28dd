"""Reference solutions of the assignment on regularization.

Tensors may have any floating dtype and device; results keep both. Random functions draw from the generator that they
are given, and from nothing else.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from autograder.guards import (
    require_between,
    require_ndim,
    require_not_negative,
    require_same_shape,
    require_shape,
    require_whole,
)


def dropout(x: Tensor, p: float = 0.5, *, training: bool = True, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inverted dropout: switches entries off at random, and scales the others so that the expected value stays.

    Args:
        x: any shape, floating dtype and device.
        p: probability of dropping an entry, in [0, 1].
        training: False drops and scales nothing.
        generator: source of randomness, on the device of ``x``.
    Returns:
        out: ``x * mask``, shaped like ``x``.
        mask: what each entry is multiplied by; shaped like ``x``, in its dtype.
    Raises:
        ValueError: ``p`` lies outside [0, 1].
    Derivation: with E[y] = p 0 + (1 - p) c x = x a kept entry has the factor c = 1 / (1 - p). For p = 1 nothing is
        kept, and there is nothing to divide.
    Source: Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting", sections 4
        and 10.
    """
    require_between(0, 1, p=p)
    if not training:
        return x.clone(), torch.ones_like(x)
    kept = torch.rand(x.shape, generator=generator, device=x.device) >= p
    mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(x)
    return x * mask, mask


def dropout_backward(grad_out: Tensor, mask: Tensor) -> Tensor:
    """Gradient of ``dropout`` with respect to its input, for the mask that it returned.

    Args:
        grad_out: upstream gradient, shaped like ``mask``.
        mask: what the forward pass returned; any shape.
    Returns:
        grad_x: shaped like ``mask``.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``mask``.
    Derivation: y = m x entry by entry, and m does not depend on x, so dy/dx = m.
    Source: Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting", section 5.1.
    """
    require_same_shape(grad_out=grad_out, mask=mask)
    return grad_out * mask


def mc_dropout_mean(
    x: Tensor, predict: Callable[[Tensor], Tensor], p: float = 0.5, *, samples: int, generator: torch.Generator
) -> Tensor:
    """Monte Carlo dropout: what several thinned networks answer on average.

    Args:
        x: any shape, floating dtype and device.
        predict: function of a tensor shaped like ``x``; its answers all have one shape.
        p: probability of dropping an entry, in [0, 1].
        samples: number of predictions, at least 1.
        generator: source of randomness.
    Returns:
        mean: shaped like one prediction.
    Raises:
        ValueError: ``samples`` is less than 1, or ``p`` lies outside [0, 1].
    Derivation: the mean of predict(m_t x) over t = 1 ... samples, each mask m_t drawn anew.
    Source: Gal & Ghahramani (2016), "Dropout as a Bayesian approximation", equation 6.
    """
    require_whole(1, samples=samples)
    require_between(0, 1, p=p)
    answers = [predict(dropout(x, p, generator=generator)[0]) for _ in range(samples)]
    return torch.stack(answers).mean(0)


def l2_penalty(weight: Tensor, strength: float) -> Tensor:
    """What large weights cost: ``strength`` times the sum of the squares of all entries.

    Args:
        weight: any shape, floating dtype and device.
        strength: factor, at least 0.
    Returns:
        penalty: a tensor without axes.
    Raises:
        ValueError: ``strength`` is negative.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.1.1.
    """
    require_not_negative(strength=strength)
    return strength * weight.square().sum()


def l2_penalty_backward(grad_out: Tensor, weight: Tensor, strength: float) -> Tensor:
    """Gradient of ``l2_penalty`` with respect to the weights.

    Args:
        grad_out: upstream gradient, a tensor without axes.
        weight, strength: arguments of the forward pass.
    Returns:
        grad_weight: shaped like ``weight``.
    Raises:
        ValueError: ``strength`` is negative, or ``grad_out`` has axes.
    Derivation: only the square of w_i itself depends on w_i, with the slope 2 w_i; times strength and grad_out.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.1.1.
    """
    require_ndim(0, grad_out=grad_out)
    require_not_negative(strength=strength)
    return grad_out * 2 * strength * weight


def l1_penalty(weight: Tensor, strength: float) -> Tensor:
    """What weights other than 0 cost: ``strength`` times the sum of the sizes of all entries.

    Args:
        weight: any shape, floating dtype and device.
        strength: factor, at least 0.
    Returns:
        penalty: a tensor without axes.
    Raises:
        ValueError: ``strength`` is negative.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.1.2.
    """
    require_not_negative(strength=strength)
    return strength * weight.abs().sum()


def l1_penalty_backward(grad_out: Tensor, weight: Tensor, strength: float) -> Tensor:
    """Gradient of ``l1_penalty`` with respect to the weights; 0 where a weight is exactly 0.

    Args:
        grad_out: upstream gradient, a tensor without axes.
        weight, strength: arguments of the forward pass.
    Returns:
        grad_weight: shaped like ``weight``.
    Raises:
        ValueError: ``strength`` is negative, or ``grad_out`` has axes.
    Derivation: |w| falls with slope -1 left of 0 and rises with slope 1 right of it, however large w is: sign(w).
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.1.2, equation 7.20.
    """
    require_ndim(0, grad_out=grad_out)
    require_not_negative(strength=strength)
    return grad_out * strength * weight.sign()


def weight_decay_step(param: Tensor, grad: Tensor, *, lr: float, weight_decay: float = 0.0) -> Tensor:
    """A step of gradient descent that also shrinks the weights.

    Args:
        param: weights w; any shape, floating dtype and device.
        grad: gradient of the loss without penalty, shaped like ``param``.
        lr: learning rate, > 0.
        weight_decay: how fast weights shrink, at least 0.
    Returns:
        new_param: the weights after the step, shaped like ``param``.
    Raises:
        ValueError: ``lr`` is not positive, ``weight_decay`` is negative, or ``grad`` has another shape than ``param``.
            The message names the argument.
    Derivation: the penalty (weight_decay / 2) w² has the gradient weight_decay w, so that the step is
        w - lr (g + weight_decay w) = (1 - lr weight_decay) w - lr g.
    Source: Loshchilov & Hutter (2019), "Decoupled weight decay regularization", equation 1, whose decay is here
        lr * weight_decay, as in torch's optimizers.
    """
    if not lr > 0:
        raise ValueError(f"lr is {lr}, it has to be above 0")
    if not weight_decay >= 0:
        raise ValueError(f"weight_decay is {weight_decay}, it has to be at least 0")
    if grad.shape != param.shape:
        raise ValueError(f"grad has shape {tuple(grad.shape)}, param has shape {tuple(param.shape)}")
    return (1 - lr * weight_decay) * param - lr * grad


class EarlyStopping:
    """Says when the validation loss has stopped getting better, and keeps the weights of the best epoch.

    Args:
        patience: epochs in a row without a better loss after which to stop, at least 1.
        min_delta: by how much a loss has to be below the best one to count as better, at least 0.
    Attributes:
        best: lowest loss that counted as better; infinity at the start.
        best_params: copies of the weights that had it, a list of tensors; None at the start.
        bad_epochs: epochs in a row without a better loss.
    Raises:
        ValueError: ``patience`` is less than 1, or ``min_delta`` is negative.
    Source: Prechelt (1998), "Early stopping - but when?"; Goodfellow et al. (2016), "Deep Learning", algorithm 7.1.
    """

    def __init__(self, patience: int = 5, min_delta: float = 0.0) -> None:
        require_whole(1, patience=patience)
        require_not_negative(min_delta=min_delta)
        self.patience = patience
        self.min_delta = min_delta
        self.best = math.inf
        self.best_params: list[Tensor] | None = None
        self.bad_epochs = 0

    def step(self, loss: float, params: list[Tensor]) -> bool:
        """Takes an epoch's validation loss, and the weights that have it; returns whether to stop now."""
        if loss < self.best - self.min_delta:
            self.best = loss
            self.best_params = [param.clone() for param in params]
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


def smooth_targets(y: Tensor, num_classes: int, smoothing: float = 0.1) -> Tensor:
    """Targets that leave a little doubt: a share ``smoothing`` of each is spread evenly over all classes.

    Args:
        y: classes 0 ... K - 1, int64, shape (N,).
        num_classes: K.
        smoothing: s, in [0, 1].
    Returns:
        targets: float32, shape (N, K); rows sum to 1.
    Raises:
        ValueError: ``y`` does not have one axis, ``num_classes`` is less than 1, or ``smoothing`` lies outside [0, 1].
    Derivation: the class itself keeps 1 - s, and every class, also this one, gets s / K.
    Source: Szegedy et al. (2016), "Rethinking the Inception architecture for computer vision", section 7.
    """
    require_ndim(1, y=y)
    require_whole(1, num_classes=num_classes)
    require_between(0, 1, smoothing=smoothing)
    one_hot = (y[:, None] == torch.arange(num_classes, device=y.device)).float()
    return (1 - smoothing) * one_hot + smoothing / num_classes


def add_noise(x: Tensor, std: float, *, generator: torch.Generator) -> Tensor:
    """The input with normal noise of mean 0 added, drawn for each entry.

    Args:
        x: any shape, floating dtype and device.
        std: standard deviation of the noise, at least 0.
        generator: source of randomness, on the device of ``x``.
    Returns:
        out: shaped like ``x``.
    Raises:
        ValueError: ``std`` is negative.
    Derivation: a factor on a standard normal number multiplies its standard deviation: x + std e.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.5.
    """
    require_not_negative(std=std)
    return x + std * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)


def mixup(x: Tensor, y: Tensor, lam: float, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mixes every sample, and its target, with a partner of the same batch.

    The partners are a random permutation of the batch, all equally likely; a sample may be its own partner.

    Args:
        x: samples, shape (N,) or (N, ...); any floating dtype and device.
        y: targets, shape (N, K), floating.
        lam: share of the sample itself, in [0, 1].
        generator: source of randomness, on the device of ``x``.
    Returns:
        mixed_x: the samples mixed with their partners; shaped like ``x``, in its dtype.
        mixed_y: the targets mixed with those of the same partners; shaped like ``y``, in its dtype.
    Raises:
        ValueError: ``x`` has no axis, ``y`` does not have the shape (N, K), or ``lam`` lies outside [0, 1].
    Derivation: lam x + (1 - lam) x[partner], and the same for y with the same partners.
    Source: Zhang et al. (2018), "mixup: Beyond empirical risk minimization", equation 1.
    """
    if x.ndim == 0:
        raise ValueError("x has no axes, it has to have one for the samples")
    require_shape((len(x), None), y=y)
    require_between(0, 1, lam=lam)
    partner = torch.randperm(len(x), generator=generator, device=x.device)
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


def horizontal_flip(x: Tensor, p: float = 0.5, *, generator: torch.Generator) -> Tensor:
    """Turns each image left to right with probability p, whole and independently of the others.

    Args:
        x: images, shape (N, C, H, W); any floating dtype and device.
        p: probability of turning an image, in [0, 1].
        generator: source of randomness, on the device of ``x``.
    Returns:
        out: shaped like ``x``.
    Raises:
        ValueError: ``x`` does not have four axes, or ``p`` lies outside [0, 1].
    Source: Krizhevsky et al. (2012), "ImageNet classification with deep convolutional neural networks", section 4.1.
    """
    require_ndim(4, x=x)
    require_between(0, 1, p=p)
    turned = torch.rand(len(x), generator=generator, device=x.device) < p
    return torch.where(turned[:, None, None, None], x.flip(3), x)


def random_crop(x: Tensor, size: tuple[int, int], padding: int = 0, *, generator: torch.Generator) -> Tensor:
    """Cuts a window out of each image, at a random place of its own; all places are equally likely.

    Args:
        x: images, shape (N, C, H, W); any floating dtype and device.
        size: height h and width w of the window.
        padding: rows and columns of zeros put around each image first, on all four sides; at least 0.
        generator: source of randomness, on the device of ``x``.
    Returns:
        out: shape (N, C, h, w).
    Raises:
        ValueError: ``x`` does not have four axes, ``padding`` is negative, or ``size`` is less than one pixel or larger
            than the padded image.
    Derivation: a window of h rows has H + 2 padding - h + 1 places downwards, from 0 on; the same across.
    Source: Krizhevsky et al. (2012), "ImageNet classification with deep convolutional neural networks", section 4.1.
    """
    require_ndim(4, x=x)
    require_whole(1, size=size)
    require_whole(0, padding=padding)
    if size[0] > x.shape[2] + 2 * padding or size[1] > x.shape[3] + 2 * padding:
        raise ValueError(f"size is {size}, larger than images of shape {tuple(x.shape)} with padding {padding}")
    count, channels, height, width = x.shape
    wide = x.new_zeros(count, channels, height + 2 * padding, width + 2 * padding)
    wide[:, :, padding : padding + height, padding : padding + width] = x
    top = torch.randint(wide.shape[2] - size[0] + 1, (count,), generator=generator, device=x.device)
    left = torch.randint(wide.shape[3] - size[1] + 1, (count,), generator=generator, device=x.device)
    row = top[:, None] + torch.arange(size[0], device=x.device)
    column = left[:, None] + torch.arange(size[1], device=x.device)
    sample = torch.arange(count, device=x.device)
    return wide[sample[:, None, None], :, row[:, :, None], column[:, None, :]].permute(0, 3, 1, 2)


def rotate(x: Tensor, degrees: float) -> Tensor:
    """Turns images about their centre, counter-clockwise, by bilinear interpolation.

    Pixels outside the image are 0. The centre is ((H - 1) / 2, (W - 1) / 2); rows count downwards, columns to the
    right.

    Args:
        x: images, shape (N, C, H, W); any floating dtype and device.
        degrees: angle, positive to the left.
    Returns:
        out: shaped like ``x``.
    Raises:
        ValueError: ``x`` does not have four axes.
    Derivation: the pixel (i, j) of the result looks at the place in the image that lands on it when the image is
        turned. With (d, r) = (i, j) - centre that is centre + (cos d + sin r, -sin d + cos r). It lies between four
        pixels; each counts by (1 - distance down) (1 - distance across).
    Source: Szeliski (2022), "Computer Vision", 2nd edition, section 3.6.
    """
    require_ndim(4, x=x)
    height, width = x.shape[2:]
    angle = math.radians(degrees)
    down = torch.arange(height, device=x.device, dtype=torch.float64)[:, None] - (height - 1) / 2
    right = torch.arange(width, device=x.device, dtype=torch.float64)[None, :] - (width - 1) / 2
    i = math.cos(angle) * down + math.sin(angle) * right + (height - 1) / 2
    j = -math.sin(angle) * down + math.cos(angle) * right + (width - 1) / 2
    out = torch.zeros_like(x)
    for row in (i.floor(), i.floor() + 1):
        for column in (j.floor(), j.floor() + 1):
            share = (1 - (i - row).abs()) * (1 - (j - column).abs())
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            pixel = x[:, :, row.clamp(0, height - 1).long(), column.clamp(0, width - 1).long()]
            out = out + pixel * torch.where(inside, share, 0).to(x.dtype)
    return out


def adjust_brightness(x: Tensor, factor: float) -> Tensor:
    """Makes images brighter or darker: every pixel times the factor, cut off at 0 and 1.

    Args:
        x: images with pixels of [0, 1]; any shape, floating dtype and device.
        factor: at least 0; 1 changes nothing, 0 is black.
    Returns:
        out: shaped like ``x``.
    Raises:
        ValueError: ``factor`` is negative.
    Source: Howard (2013), "Some improvements on deep convolutional neural network based image classification".
    """
    require_not_negative(factor=factor)
    return (x * factor).clamp(0, 1)


def fgsm_step(x: Tensor, grad: Tensor, epsilon: float) -> Tensor:
    """The fast gradient sign method: every pixel moves by epsilon, so that the loss grows as much as it can.

    Args:
        x: images with pixels of [0, 1]; any shape, floating dtype and device.
        grad: gradient of the loss with respect to ``x``, shaped like it.
        epsilon: how far a pixel moves, at least 0.
    Returns:
        out: shaped like ``x``, cut off at 0 and 1. A pixel whose gradient is 0 stays.
    Raises:
        ValueError: ``epsilon`` is negative, or ``grad`` has another shape than ``x``.
    Derivation: the loss changes by about the sum of gradient times move; with moves of at most epsilon it is largest
        where each move has the sign of its gradient.
    Source: Goodfellow, Shlens & Szegedy (2015), "Explaining and harnessing adversarial examples", section 4.
    """
    require_same_shape(grad=grad, x=x)
    require_not_negative(epsilon=epsilon)
    return (x + epsilon * grad.sign()).clamp(0, 1)
