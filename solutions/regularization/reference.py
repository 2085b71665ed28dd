"""Reference solutions of the assignment on regularization.

Tensors may have any floating dtype and device; results keep both. Random functions draw from the generator that they
are given, and from nothing else.
"""

import math

import torch
from torch import Tensor


def dropout(x: Tensor, p: float = 0.5, *, training: bool = True, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inverted dropout: each entry becomes 0 with probability p, the others are divided by 1 - p.

    Args:
        x: any shape, floating dtype and device.
        p: probability of dropping an entry, in [0, 1].
        training: False changes nothing.
        generator: source of randomness, on the device of ``x``.
    Returns:
        The tensor x * mask; and the mask, shaped like ``x`` and of its dtype: 0 or 1 / (1 - p) for each entry while
        training (only 0 for p = 1), else 1.
    Raises:
        ValueError: ``p`` lies outside [0, 1].
    Source: Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting", sections 4
        and 10.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}, allowed is a number from 0 to 1")
    if not training:
        return x.clone(), torch.ones_like(x)
    kept = torch.rand(x.shape, generator=generator, device=x.device) >= p
    mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(x)
    return x * mask, mask


def dropout_backward(grad_out: Tensor, mask: Tensor) -> Tensor:
    """Gradient of ``dropout`` with respect to its input: each entry was multiplied by its entry of the mask.

    Args:
        grad_out: upstream gradient.
        mask: what the forward pass returned; any shape.
    Returns:
        Gradient shaped like ``mask``.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``mask``.
    Source: Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting", section 5.1.
    """
    if grad_out.shape != mask.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, mask has shape {tuple(mask.shape)}")
    return grad_out * mask


def mc_dropout_mean(x: Tensor, predict, p: float = 0.5, *, samples: int, generator: torch.Generator) -> Tensor:
    """Monte Carlo dropout: the mean of several predictions, each with a mask of its own.

    Args:
        x: any shape, floating dtype and device.
        predict: function of a tensor shaped like ``x``; its answers all have one shape.
        p: probability of dropping an entry, in [0, 1].
        samples: number of predictions, at least 1.
        generator: source of randomness.
    Returns:
        The mean of ``predict(dropout(x, p))`` over ``samples`` masks, shaped like one prediction.
    Raises:
        ValueError: ``samples`` is less than 1, or ``p`` lies outside [0, 1].
    Source: Gal & Ghahramani (2016), "Dropout as a Bayesian approximation", equation 6.
    """
    if samples < 1:
        raise ValueError(f"samples is {samples}, allowed is a whole number from 1")
    answers = [predict(dropout(x, p, generator=generator)[0]) for _ in range(samples)]
    return torch.stack(answers).mean(0)


def l2_penalty(weight: Tensor, strength: float) -> Tensor:
    """What large weights cost: strength * the sum of the squares of all entries.

    Args:
        weight: any shape, floating dtype and device.
        strength: factor, at least 0.
    Returns:
        A tensor without axes.
    Raises:
        ValueError: ``strength`` is negative.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.1.1.
    """
    if strength < 0:
        raise ValueError(f"strength is {strength}, allowed is a number from 0")
    return strength * weight.square().sum()


def l2_penalty_backward(grad_out: Tensor, weight: Tensor, strength: float) -> Tensor:
    """Gradient of ``l2_penalty`` with respect to the weights: 2 * strength * w, times the upstream gradient.

    Args:
        grad_out: upstream gradient, a tensor without axes.
        weight, strength: arguments of the forward pass.
    Returns:
        Gradient shaped like ``weight``.
    Raises:
        ValueError: ``strength`` is negative, or ``grad_out`` has axes.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.1.1.
    """
    if strength < 0:
        raise ValueError(f"strength is {strength}, allowed is a number from 0")
    if grad_out.ndim != 0:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, allowed is a tensor without axes")
    return grad_out * 2 * strength * weight


def l1_penalty(weight: Tensor, strength: float) -> Tensor:
    """What weights other than 0 cost: strength * the sum of the absolute values of all entries.

    Args:
        weight: any shape, floating dtype and device.
        strength: factor, at least 0.
    Returns:
        A tensor without axes.
    Raises:
        ValueError: ``strength`` is negative.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.1.2.
    """
    if strength < 0:
        raise ValueError(f"strength is {strength}, allowed is a number from 0")
    return strength * weight.abs().sum()


def l1_penalty_backward(grad_out: Tensor, weight: Tensor, strength: float) -> Tensor:
    """Gradient of ``l1_penalty`` with respect to the weights: strength * sign(w), times the upstream gradient.

    Args:
        grad_out: upstream gradient, a tensor without axes.
        weight, strength: arguments of the forward pass.
    Returns:
        Gradient shaped like ``weight``; 0 where a weight is 0.
    Raises:
        ValueError: ``strength`` is negative, or ``grad_out`` has axes.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.1.2, equation 7.20.
    """
    if strength < 0:
        raise ValueError(f"strength is {strength}, allowed is a number from 0")
    if grad_out.ndim != 0:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, allowed is a tensor without axes")
    return grad_out * strength * weight.sign()


def weight_decay_step(param: Tensor, grad: Tensor, *, lr: float, weight_decay: float = 0.0) -> Tensor:
    """A step of gradient descent that also shrinks the weights: (1 - lr * weight_decay) * w - lr * grad.

    Args:
        param: weights w; any shape, floating dtype and device.
        grad: gradient of the loss without penalty, shaped like ``param``.
        lr: learning rate, > 0.
        weight_decay: how fast weights shrink, at least 0.
    Returns:
        New weights shaped like ``param``.
    Raises:
        ValueError: ``lr`` is not positive, ``weight_decay`` is negative, or ``grad`` has another shape.
    Source: Loshchilov & Hutter (2019), "Decoupled weight decay regularization", equation 1, whose decay is here
        lr * weight_decay, as in torch's optimizers.
    """
    if lr <= 0:
        raise ValueError(f"lr is {lr}, allowed is a number above 0")
    if weight_decay < 0:
        raise ValueError(f"weight_decay is {weight_decay}, allowed is a number from 0")
    if grad.shape != param.shape:
        raise ValueError(f"grad has shape {tuple(grad.shape)}, param has shape {tuple(param.shape)}")
    return (1 - lr * weight_decay) * param - lr * grad


class EarlyStopping:
    """Says when the validation loss has stopped getting better.

    Args:
        patience: epochs in a row without a better loss after which to stop, at least 1.
        min_delta: by how much a loss has to be below the best one to count as better, at least 0.
    Attributes:
        best: lowest loss that counted as better; infinity at the start.
        bad_epochs: epochs in a row without a better loss.
    Raises:
        ValueError: ``patience`` is less than 1, or ``min_delta`` is negative.
    Source: Prechelt (1998), "Early stopping - but when?"; Goodfellow et al. (2016), "Deep Learning", algorithm 7.1.
    """

    def __init__(self, patience: int = 5, min_delta: float = 0.0) -> None:
        if patience < 1:
            raise ValueError(f"patience is {patience}, allowed is a whole number from 1")
        if min_delta < 0:
            raise ValueError(f"min_delta is {min_delta}, allowed is a number from 0")
        self.patience = patience
        self.min_delta = min_delta
        self.best = math.inf
        self.bad_epochs = 0

    def step(self, loss: float) -> bool:
        """Takes an epoch's validation loss; returns whether to stop now. A nan is not better."""
        if loss < self.best - self.min_delta:
            self.best = loss
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


def smooth_targets(y: Tensor, num_classes: int, smoothing: float = 0.1) -> Tensor:
    """Targets that leave a little doubt: (1 - s) for the class itself, and s / K added to every class.

    Args:
        y: classes 0 ... K - 1, int64, shape (N,).
        num_classes: K.
        smoothing: s, in [0, 1].
    Returns:
        float32, shape (N, K); rows sum to 1.
    Raises:
        ValueError: ``smoothing`` lies outside [0, 1].
    Source: Szegedy et al. (2016), "Rethinking the Inception architecture for computer vision", section 7.
    """
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing is {smoothing}, allowed is a number from 0 to 1")
    one_hot = (y[:, None] == torch.arange(num_classes, device=y.device)).float()
    return (1 - smoothing) * one_hot + smoothing / num_classes


def add_noise(x: Tensor, std: float, *, generator: torch.Generator) -> Tensor:
    """The input with normal noise of mean 0 added, drawn for each entry.

    Args:
        x: any shape, floating dtype and device.
        std: standard deviation of the noise, at least 0.
        generator: source of randomness, on the device of ``x``.
    Returns:
        Tensor shaped like ``x``.
    Raises:
        ValueError: ``std`` is negative.
    Source: Goodfellow et al. (2016), "Deep Learning", section 7.5.
    """
    if std < 0:
        raise ValueError(f"std is {std}, allowed is a number from 0")
    return x + std * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)


def mixup(x: Tensor, y: Tensor, lam: float, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mixes every sample, and its target, with a partner of the same batch.

    The partners are a random permutation of the batch; a sample may be its own partner.

    Args:
        x: samples, shape (N, ...); any floating dtype and device.
        y: targets, shape (N, K), floating.
        lam: share of the sample itself, in [0, 1].
        generator: source of randomness, on the device of ``x``.
    Returns:
        lam * x + (1 - lam) * partners of x, shaped like ``x``; and the same for ``y``, with the same partners.
    Raises:
        ValueError: ``lam`` lies outside [0, 1].
    Source: Zhang et al. (2018), "mixup: Beyond empirical risk minimization", equation 1.
    """
    if not 0 <= lam <= 1:
        raise ValueError(f"lam is {lam}, allowed is a number from 0 to 1")
    partner = torch.randperm(x.shape[0], generator=generator, device=x.device)
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


def horizontal_flip(x: Tensor, p: float = 0.5, *, generator: torch.Generator) -> Tensor:
    """Turns each image left to right with probability p, independently of the others.

    Args:
        x: images, shape (N, C, H, W); any floating dtype and device.
        p: probability of turning an image, in [0, 1].
        generator: source of randomness, on the device of ``x``.
    Returns:
        Tensor shaped like ``x``.
    Raises:
        ValueError: ``p`` lies outside [0, 1].
    Source: Krizhevsky et al. (2012), "ImageNet classification with deep convolutional neural networks", section 4.1.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}, allowed is a number from 0 to 1")
    turned = torch.rand(x.shape[0], generator=generator, device=x.device) < p
    return torch.where(turned[:, None, None, None], x.flip(3), x)


def random_crop(x: Tensor, size: tuple[int, int], padding: int = 0, *, generator: torch.Generator) -> Tensor:
    """Cuts a window out of each image, at a random place of its own; all places are equally likely.

    Args:
        x: images, shape (N, C, H, W); any floating dtype and device.
        size: height h and width w of the window.
        padding: rows and columns of zeros put around each image first, on all four sides; at least 0.
        generator: source of randomness, on the device of ``x``.
    Returns:
        Tensor of shape (N, C, h, w).
    Raises:
        ValueError: ``size`` is larger than the padded image.
    Source: Krizhevsky et al. (2012), "ImageNet classification with deep convolutional neural networks", section 4.1.
    """
    count, channels, height, width = x.shape
    rows, columns = height + 2 * padding - size[0], width + 2 * padding - size[1]
    if rows < 0 or columns < 0:
        raise ValueError(f"size is {tuple(size)}, the padded image has {height + 2 * padding, width + 2 * padding}")
    wide = x.new_zeros(count, channels, height + 2 * padding, width + 2 * padding)
    wide[:, :, padding : padding + height, padding : padding + width] = x
    top = torch.randint(rows + 1, (count,), generator=generator, device=x.device)
    left = torch.randint(columns + 1, (count,), generator=generator, device=x.device)
    row = top[:, None] + torch.arange(size[0], device=x.device)
    column = left[:, None] + torch.arange(size[1], device=x.device)
    sample = torch.arange(count, device=x.device)
    return wide[sample[:, None, None], :, row[:, :, None], column[:, None, :]].permute(0, 3, 1, 2)


def rotate(x: Tensor, degrees: float) -> Tensor:
    """Turns images about their centre, counter-clockwise, by bilinear interpolation.

    The pixel (i, j) of the result looks at the place in the image that lands on it when the image is turned. That
    place lies between four pixels: each counts by how near it is. Pixels outside the image are 0. The centre is
    ((H - 1) / 2, (W - 1) / 2); i points down and j to the right.

    Args:
        x: images, shape (N, C, H, W); any floating dtype and device.
        degrees: angle, positive to the left.
    Returns:
        Tensor shaped like ``x``.
    Source: Szeliski (2022), "Computer Vision", 2nd edition, section 3.6.
    """
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
        Tensor shaped like ``x``.
    Raises:
        ValueError: ``factor`` is negative.
    Source: Howard (2013), "Some improvements on deep convolutional neural network based image classification".
    """
    if factor < 0:
        raise ValueError(f"factor is {factor}, allowed is a number from 0")
    return (x * factor).clamp(0, 1)


def fgsm_step(x: Tensor, grad: Tensor, epsilon: float) -> Tensor:
    """The fast gradient sign method: every pixel moves by epsilon in the direction in which the loss grows.

    Args:
        x: images with pixels of [0, 1]; any shape, floating dtype and device.
        grad: gradient of the loss with respect to ``x``, shaped like it.
        epsilon: how far a pixel moves, at least 0.
    Returns:
        Tensor shaped like ``x``, cut off at 0 and 1. A pixel whose gradient is 0 stays.
    Raises:
        ValueError: ``epsilon`` is negative, or ``grad`` has another shape than ``x``.
    Source: Goodfellow, Shlens & Szegedy (2015), "Explaining and harnessing adversarial examples", section 4.
    """
    if epsilon < 0:
        raise ValueError(f"epsilon is {epsilon}, allowed is a number from 0")
    if grad.shape != x.shape:
        raise ValueError(f"grad has shape {tuple(grad.shape)}, x has shape {tuple(x.shape)}")
    return (x + epsilon * grad.sign()).clamp(0, 1)
