"""Correct solutions of the assignment on regularization that go another way than the reference."""

import math

import torch

from autograder.guards import (
    require_between,
    require_ndim,
    require_not_negative,
    require_same_shape,
    require_shape,
    require_whole,
)
from autograder.testing import alternative

from .reference import dropout


@alternative("dropout")
def dropout_by_bernoulli(x, p=0.5, *, training=True, generator):
    require_between(0, 1, p=p)
    if not training:
        return x * 1, torch.ones_like(x)
    kept = torch.bernoulli(torch.full(x.shape, 1 - p, dtype=torch.float64, device=x.device), generator=generator)
    mask = (kept / max(1 - p, 1e-12)).to(x.dtype)
    return x * mask, mask


@alternative("dropout")
def dropout_by_integers(x, p=0.5, *, training=True, generator):
    require_between(0, 1, p=p)
    mask = torch.ones_like(x)
    if training:
        drawn = torch.randint(1_000_000, x.shape, generator=generator, device=x.device)
        mask = (drawn >= round(p * 1_000_000)).to(x.dtype) / max(1 - p, 1e-12)
    return x * mask, mask


@alternative("dropout_backward")
def dropout_backward_by_where(grad_out, mask):
    require_same_shape(grad_out=grad_out, mask=mask)
    return torch.where(mask == 0, torch.zeros_like(grad_out), grad_out * mask)


@alternative("mc_dropout_mean")
def mc_dropout_by_running_mean(x, predict, p=0.5, *, samples, generator):
    require_whole(1, samples=samples)
    require_between(0, 1, p=p)
    mean = None
    for n in range(1, samples + 1):
        answer = predict(dropout(x, p, generator=generator)[0])
        mean = answer if mean is None else mean + (answer - mean) / n
    return mean


@alternative("l2_penalty")
def l2_by_a_product(weight, strength):
    require_not_negative(strength=strength)
    flat = weight.reshape(-1)
    return strength * (flat @ flat)


@alternative("l2_penalty_backward")
def l2_backward_by_adding_twice(grad_out, weight, strength):
    require_ndim(0, grad_out=grad_out)
    require_not_negative(strength=strength)
    part = (grad_out * strength) * weight
    return part + part


@alternative("l1_penalty")
def l1_by_two_halves(weight, strength):
    require_not_negative(strength=strength)
    return strength * (weight.clamp(min=0).sum() - weight.clamp(max=0).sum())


@alternative("l1_penalty_backward")
def l1_backward_by_comparing(grad_out, weight, strength):
    require_ndim(0, grad_out=grad_out)
    require_not_negative(strength=strength)
    return grad_out * strength * ((weight > 0).to(weight.dtype) - (weight < 0).to(weight.dtype))


@alternative("weight_decay_step")
def weight_decay_as_a_gradient(param, grad, *, lr, weight_decay=0.0):
    if not lr > 0:
        raise ValueError("lr")
    if weight_decay < 0:
        raise ValueError("weight_decay")
    if param.shape != grad.shape:
        raise ValueError("grad")
    return param - lr * (grad + weight_decay * param)


@alternative("EarlyStopping")
class EarlyStoppingByHistory:
    def __init__(self, patience=5, min_delta=0.0):
        require_whole(1, patience=patience)
        require_not_negative(min_delta=min_delta)
        self._settings = patience, min_delta
        self._better = []
        self.best, self.best_params = float("inf"), None

    @property
    def bad_epochs(self):
        return next((n for n, better in enumerate(reversed(self._better)) if better), len(self._better))

    def step(self, loss, params):
        patience, min_delta = self._settings
        self._better.append(loss + min_delta < self.best)
        if self._better[-1]:
            self.best, self.best_params = loss, [param * 1 for param in params]
        return self.bad_epochs >= patience


@alternative("smooth_targets")
def smooth_targets_by_filling(y, num_classes, smoothing=0.1):
    require_ndim(1, y=y)
    require_whole(1, num_classes=num_classes)
    require_between(0, 1, smoothing=smoothing)
    targets = torch.full((len(y), num_classes), smoothing / num_classes, device=y.device)
    targets[torch.arange(len(y), device=y.device), y] += 1 - smoothing
    return targets


@alternative("add_noise")
def add_noise_by_normal(x, std, *, generator):
    require_not_negative(std=std)
    noise = torch.empty_like(x).normal_(0.0, 1.0, generator=generator)
    return torch.add(x, noise, alpha=std)


@alternative("mixup")
def mixup_by_sorting(x, y, lam, *, generator):
    """The order of random keys is a random permutation."""
    require_shape((len(x), None), y=y)
    require_between(0, 1, lam=lam)
    partner = torch.rand(len(x), generator=generator, device=x.device, dtype=torch.float64).argsort()
    return x[partner] + lam * (x - x[partner]), y[partner] + lam * (y - y[partner])


@alternative("horizontal_flip")
def horizontal_flip_by_choosing(x, p=0.5, *, generator):
    require_ndim(4, x=x)
    require_between(0, 1, p=p)
    out = x.clone()
    turned = torch.bernoulli(torch.full((len(x),), p, device=x.device, dtype=torch.float64), generator=generator).bool()
    out[turned] = x[turned].flip(-1)
    return out


@alternative("random_crop")
def random_crop_image_by_image(x, size, padding=0, *, generator):
    require_ndim(4, x=x)
    require_whole(1, size=size)
    require_whole(0, padding=padding)
    height, width = (x.shape[2 + i] + 2 * padding for i in range(2))
    if size[0] > height or size[1] > width:
        raise ValueError("size")
    out = torch.zeros(*x.shape[:2], *size, dtype=x.dtype, device=x.device)
    wide = torch.zeros(*x.shape[:2], height, width, dtype=x.dtype, device=x.device)
    wide[..., padding : height - padding, padding : width - padding] = x
    for n in range(len(x)):
        place = int(torch.randint((height - size[0] + 1) * (width - size[1] + 1), (), generator=generator))
        top, left = divmod(place, width - size[1] + 1)
        out[n] = wide[n, :, top : top + size[0], left : left + size[1]]
    return out


@alternative("rotate")
def rotate_pixel_by_pixel(x, degrees):
    require_ndim(4, x=x)
    height, width = x.shape[2:]
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    out = torch.zeros_like(x)
    for i in range(height):
        for j in range(width):
            down, right = i - (height - 1) / 2, j - (width - 1) / 2
            a = cos * down + sin * right + (height - 1) / 2
            b = -sin * down + cos * right + (width - 1) / 2
            for row in (math.floor(a), math.floor(a) + 1):
                for column in (math.floor(b), math.floor(b) + 1):
                    if 0 <= row < height and 0 <= column < width:
                        share = (1 - abs(a - row)) * (1 - abs(b - column))
                        out[:, :, i, j] += share * x[:, :, row, column]
    return out


@alternative("rotate")
def rotate_by_hats(x, degrees):
    """Every pixel asks all others how near they are: a product of two hat functions, 0 from a distance of 1."""
    require_ndim(4, x=x)
    height, width = x.shape[2:]
    angle = torch.tensor(math.radians(degrees), dtype=torch.float64, device=x.device)
    rows = torch.arange(height, device=x.device, dtype=torch.float64)
    columns = torch.arange(width, device=x.device, dtype=torch.float64)
    down, right = rows[:, None] - (height - 1) / 2, columns[None, :] - (width - 1) / 2
    a = angle.cos() * down + angle.sin() * right + (height - 1) / 2
    b = angle.cos() * right - angle.sin() * down + (width - 1) / 2
    near_rows = (1 - (a[..., None] - rows).abs()).clamp(min=0)
    near_columns = (1 - (b[..., None] - columns).abs()).clamp(min=0)
    return torch.einsum("ncrs,ijr,ijs->ncij", x.double(), near_rows, near_columns).to(x.dtype)


@alternative("adjust_brightness")
def brightness_by_minimum(x, factor):
    require_not_negative(factor=factor)
    bright = factor * x
    return torch.where(bright > 1, torch.ones_like(x), bright)


@alternative("fgsm_step")
def fgsm_by_comparing(x, grad, epsilon):
    require_same_shape(grad=grad, x=x)
    require_not_negative(epsilon=epsilon)
    up, down = (x + epsilon).clamp(max=1), (x - epsilon).clamp(min=0)
    return torch.where(grad > 0, up, torch.where(grad < 0, down, x))
