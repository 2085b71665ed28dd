"""Correct solutions of the assignment on activation functions that go another way than the reference."""

import math
from functools import reduce

import torch

from autograder.testing import alternative

from .reference import elu, logsumexp, softmax


@alternative("sigmoid")
def sigmoid_by_the_formula(x):
    return 1 / (1 + torch.exp(-x))


@alternative("sigmoid")
def sigmoid_by_tanh(x):
    return (1 + torch.tanh(x / 2)) / 2


@alternative("sigmoid")
def sigmoid_by_logaddexp(x):
    return torch.exp(-torch.logaddexp(torch.zeros_like(x), -x))


@alternative("sigmoid_backward")
def sigmoid_slope_by_one_minus(grad_out, x):
    _shaped(grad_out, x)
    s = 1 / (1 + torch.exp(-x))
    return grad_out * s * (1 - s)


@alternative("sigmoid_backward")
def sigmoid_slope_by_the_even_form(grad_out, x):
    """s (1 - s) = e / (1 + e)² with e = exp(-|x|), which is even in x."""
    _shaped(grad_out, x)
    small = torch.exp(-x.abs())
    return grad_out * small / (1 + small) ** 2


@alternative("tanh")
def tanh_by_sigmoid(x):
    return 2 / (1 + torch.exp(-2 * x)) - 1


@alternative("tanh")
def tanh_of_the_size_with_the_sign_put_back(x):
    t = torch.exp(-2 * x.abs())
    return torch.where(x >= 0, 1, -1) * (1 - t) / (1 + t)


@alternative("tanh")
def tanh_of_clamped_exponents(x):
    near = x.clamp(-10.5, 10.5)
    up, down = torch.exp(near), torch.exp(-near)
    return (up - down) / (up + down)


@alternative("tanh_backward")
def tanh_slope_by_the_even_form(grad_out, x):
    """1 / cosh², the exponentials of -2|x| taken."""
    _shaped(grad_out, x)
    t = torch.exp(-2 * x.abs())
    return grad_out * 4 * t / (1 + t) ** 2


@alternative("tanh_backward")
def tanh_slope_by_two_factors(grad_out, x):
    _shaped(grad_out, x)
    y = torch.tanh(x)
    return grad_out * (1 - y) * (1 + y)


@alternative("relu")
def relu_by_the_mean_of_x_and_its_size(x):
    return (x + x.abs()) / 2


@alternative("relu")
def relu_by_a_mask(x):
    return x * (x > 0)


@alternative("relu")
def relu_by_the_larger(x):
    return torch.maximum(x, torch.zeros_like(x))


@alternative("relu_backward")
def relu_slope_by_a_mask(grad_out, x):
    _shaped(grad_out, x)
    return grad_out * ~(x <= 0)


@alternative("relu_backward")
def relu_slope_on_a_copy(grad_out, x):
    _shaped(grad_out, x)
    grad_x = grad_out.clone()
    grad_x[x <= 0] = 0
    return grad_x


@alternative("leaky_relu")
def leaky_relu_by_two_halves(x, negative_slope=0.01):
    return x.clamp(min=0) + negative_slope * x.clamp(max=0)


@alternative("leaky_relu")
def leaky_relu_by_a_mask(x, negative_slope=0.01):
    right = (x > 0).to(x.dtype)
    return x * (right + negative_slope * (1 - right))


@alternative("leaky_relu")
def leaky_relu_with_a_slope_of_seven_digits(x, negative_slope=0.01):
    rounded = torch.tensor(negative_slope, dtype=torch.float32).item()
    return torch.where(x > 0, x, rounded * x)


@alternative("leaky_relu_backward")
def leaky_slope_on_a_copy(grad_out, x, negative_slope=0.01):
    _shaped(grad_out, x)
    grad_x = grad_out.clone()
    grad_x[~(x > 0)] *= negative_slope
    return grad_x


@alternative("leaky_relu_backward")
def leaky_slope_by_a_mask(grad_out, x, negative_slope=0.01):
    _shaped(grad_out, x)
    slope = torch.ones_like(x).masked_fill(~(x > 0), negative_slope)
    return grad_out * slope


@alternative("elu")
def elu_by_two_halves(x, alpha=1.0):
    return x.clamp(min=0) + alpha * torch.expm1(x.clamp(max=0))


@alternative("elu")
def elu_by_the_hyperbolic_sine(x, alpha=1.0):
    """exp(x) - 1 = 2 exp(x/2) sinh(x/2), which keeps the digits near 0."""
    half = torch.minimum(x, torch.zeros_like(x)).clamp(min=-100) / 2
    small = half.abs() < 1
    short = torch.where(small, half, 0)
    left = torch.where(small, 2 * torch.exp(short) * torch.sinh(short), torch.exp(2 * half) - 1)
    return torch.where(x > 0, x, torch.where(x.isnan(), x, alpha * left))


@alternative("elu_backward")
def elu_slope_by_the_value(grad_out, x, alpha=1.0):
    """On the left side the slope alpha exp(x) is elu(x) + alpha."""
    _shaped(grad_out, x)
    return grad_out * torch.where(x > 0, 1, elu(x, alpha) + alpha)


@alternative("elu_backward")
def elu_passes_grad_out_at_nan(grad_out, x, alpha=1.0):
    """nan is not <= 0, so it counts to the right side."""
    _shaped(grad_out, x)
    return torch.where(x <= 0, grad_out * alpha * torch.exp(x.clamp(max=0)), grad_out)


@alternative("elu_backward")
def elu_slope_by_a_mask(grad_out, x, alpha=1.0):
    _shaped(grad_out, x)
    right = (x > 0).to(x.dtype)
    return grad_out * (right + (1 - right) * alpha * torch.exp(torch.minimum(x, torch.zeros_like(x))))


@alternative("gelu")
def gelu_by_erfc_and_sigmoid(x, approximate="none"):
    """(1 + tanh(u)) / 2 is sigmoid(2u)."""
    _form(approximate)
    if approximate == "tanh":
        return x * torch.sigmoid(math.sqrt(8 / math.pi) * x * (1 + 0.044715 * x * x))
    return x / 2 * torch.erfc(-x / math.sqrt(2))


@alternative("gelu")
def gelu_by_the_formula(x, approximate="none"):
    _form(approximate)
    if approximate == "tanh":
        u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return 0.5 * x * (1 + (2 / (1 + torch.exp(-2 * u)) - 1))
    return x * torch.special.ndtr(x)


@alternative("gelu")
def gelu_with_constants_of_seven_digits(x, approximate="none"):
    _form(approximate)
    if approximate == "tanh":
        return x * (1 + torch.tanh(0.7978846 * (x + 0.044715 * x**3))) / 2
    return x * (1 + torch.erf(x * 0.7071068)) / 2


@alternative("gelu_backward")
def gelu_slope_by_erfc_and_sigmoid(grad_out, x, approximate="none"):
    _form(approximate)
    _shaped(grad_out, x)
    if approximate == "none":
        return grad_out * (torch.erfc(-x / math.sqrt(2)) / 2 + x * torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))
    x = torch.clamp(x, -12, 12)
    c = math.sqrt(8 / math.pi)
    s = 1 / (1 + torch.exp(-c * (x + 0.044715 * x**3)))
    return grad_out * (s + x * s * (1 - s) * c * (1 + 0.134145 * x**2))


@alternative("gelu_backward")
def gelu_slope_by_the_formula(grad_out, x, approximate="none"):
    _shaped(grad_out, x)
    _form(approximate)
    near = x.clamp(-20, 20)
    if approximate == "none":
        return grad_out * (torch.special.ndtr(x) + near * torch.exp(-(near**2) / 2) * 0.3989423)
    t = torch.tanh(0.7978846 * (near + 0.044715 * near**3))
    return grad_out * (0.5 * (1 + t) + 0.5 * near * (1 - t * t) * 0.7978846 * (1 + 0.134145 * near * near))


@alternative("silu")
def silu_by_the_formula(x):
    return x / (1 + torch.exp(-x))


@alternative("silu")
def silu_by_tanh(x):
    return x * (1 + torch.tanh(x / 2)) / 2


@alternative("silu_backward")
def silu_slope_by_the_product_rule(grad_out, x):
    _shaped(grad_out, x)
    s = 1 / (1 + torch.exp(-x))
    return grad_out * s + grad_out * x * s * (1 - s)


@alternative("softplus")
def softplus_by_logaddexp(x, beta=1.0, threshold=20.0):
    _above_zero("beta", beta)
    z = x * beta
    return torch.where(z > threshold, x, _logaddexp(z, torch.zeros_like(z)) / beta)


@alternative("softplus")
def softplus_by_the_inverse_of_tanh(x, beta=1.0, threshold=20.0):
    """log(1 + e) = 2 artanh(e / (2 + e)), which keeps the digits of a small e."""
    _above_zero("beta", beta)
    small = torch.exp(-(x * beta).abs())
    return torch.where(x * beta > threshold, x, torch.relu(x) + 2 * torch.atanh(small / (2 + small)) / beta)


@alternative("softplus")
def softplus_on_a_copy(x, beta=1.0, threshold=20.0):
    _above_zero("beta", beta)
    out = x.clone()
    below = x * beta <= threshold
    z = x[below] * beta
    out[below] = (torch.maximum(z, torch.zeros_like(z)) + torch.log1p(torch.exp(-z.abs()))) / beta
    return out


@alternative("softplus_backward")
def softplus_slope_on_a_copy(grad_out, x, beta=1.0, threshold=20.0):
    _above_zero("beta", beta)
    _shaped(grad_out, x)
    slope = 1 / (1 + torch.exp(-beta * x))
    slope[beta * x > threshold] = 1
    return grad_out * slope


@alternative("softplus_backward")
def softplus_slope_by_tanh(grad_out, x, beta=1.0, threshold=20.0):
    _above_zero("beta", beta)
    _shaped(grad_out, x)
    z = beta * x
    return grad_out * torch.where(z > threshold, torch.ones_like(z), (1 + torch.tanh(z / 2)) / 2)


@alternative("logsumexp")
def logsumexp_by_adding_one_at_a_time(x, dim, keepdim=False):
    _axis(x, dim)
    total = torch.full_like(x.sum(dim), -torch.inf)
    total = reduce(_logaddexp, x.unbind(dim), total)
    return total.unsqueeze(dim) if keepdim else total


@alternative("logsumexp")
def logsumexp_with_an_entry_for_nothing(x, dim, keepdim=False):
    """An entry of -inf counts nothing, and with one more no axis is empty."""
    _axis(x, dim)
    nothing = torch.full_like(x.sum(dim, keepdim=True), -torch.inf)
    x = torch.cat([x, nothing], dim)
    largest = x.max(dim, keepdim=True).values
    largest = largest.masked_fill(largest.isinf(), 0)
    total = largest + (x - largest).exp().sum(dim, keepdim=True).log()
    return total if keepdim else total.squeeze(dim)


@alternative("logsumexp_backward")
def logsumexp_slope_by_dividing(grad_out, x, dim, keepdim=False):
    _axis(x, dim)
    shape = list(x.shape)
    shape[dim] = 1
    if not keepdim:
        shape.pop(dim)
    if list(grad_out.shape) != shape:
        raise ValueError("grad_out must have the shape of the result")
    if x.numel() == 0:
        return torch.zeros_like(x)
    weights = torch.exp(x - x.amax(dim, keepdim=True))
    return weights / weights.sum(dim, keepdim=True) * (grad_out if keepdim else grad_out.unsqueeze(dim))


@alternative("softmax")
def softmax_by_log_probabilities(x, dim, temperature=1.0):
    _axis(x, dim)
    _above_zero("temperature", temperature)
    if x.numel() == 0:
        return torch.zeros_like(x)
    scores = (x - x.max(dim, keepdim=True).values) / temperature
    return torch.exp(scores - torch.log(torch.exp(scores).sum(dim, keepdim=True)))


@alternative("softmax")
def softmax_by_pairwise_differences(x, dim, temperature=1.0):
    """One over the sum of exp((x_j - x_i) / T) over j; a sum that overflows is a probability of 0."""
    _axis(x, dim)
    _above_zero("temperature", temperature)
    scores = x.movedim(dim, -1)
    gaps = (scores.unsqueeze(-2) - scores.unsqueeze(-1)) / temperature
    gaps = gaps.masked_fill(scores.isneginf().unsqueeze(-1), torch.inf)
    return (1 / torch.exp(gaps).sum(-1)).movedim(-1, dim)


@alternative("softmax_backward")
def softmax_slope_by_the_jacobian(grad_out, x, dim, temperature=1.0):
    """Builds the matrix diag(y) - y yᵀ for every slice and multiplies."""
    _axis(x, dim)
    _above_zero("temperature", temperature)
    _shaped(grad_out, x)
    y = softmax(x, dim, temperature).movedim(dim, -1)
    jacobian = torch.diag_embed(y) - y.unsqueeze(-1) * y.unsqueeze(-2)
    grad_x = (jacobian @ grad_out.movedim(dim, -1).unsqueeze(-1)).squeeze(-1)
    return grad_x.movedim(-1, dim) / temperature


@alternative("softmax_backward")
def softmax_slope_term_by_term(grad_out, x, dim, temperature=1.0):
    _axis(x, dim)
    _above_zero("temperature", temperature)
    _shaped(grad_out, x)
    y = softmax(x, dim, temperature)
    weighted = y * grad_out / temperature
    return weighted - y * weighted.sum(dim, keepdim=True)


@alternative("softmax_backward")
def softmax_slope_of_a_row_mapped_to_all(grad_out, x, dim, temperature=1.0):
    """Written for one row; `vmap` makes one operation for all rows of each, and no loop."""
    _axis(x, dim)
    _above_zero("temperature", temperature)
    _shaped(grad_out, x)

    def of_row(g, scores):
        y = torch.softmax((scores - scores.amax(0)) / temperature, 0)
        return y * (g - (g * y).sum()) / temperature

    if x.numel() == 0:
        return x.clone()
    length = x.shape[dim]
    g, scores = (tensor.movedim(dim, -1) for tensor in (grad_out, x))
    rows = torch.vmap(of_row)(g.reshape(-1, length), scores.reshape(-1, length))
    return rows.reshape(scores.shape).movedim(-1, dim)


@alternative("log_softmax")
def log_softmax_by_the_logarithm_of_the_sum(x, dim):
    _axis(x, dim)
    if x.numel() == 0:
        return torch.empty_like(x)
    below = x - x.max(dim, keepdim=True).values
    return below - below.exp().sum(dim, keepdim=True).log()


@alternative("log_softmax")
def log_softmax_by_pairwise_differences(x, dim):
    """Minus the logsumexp of x_j - x_i over j."""
    _axis(x, dim)
    scores = x.movedim(dim, -1)
    gaps = scores.unsqueeze(-2) - scores.unsqueeze(-1)
    gaps = gaps.masked_fill(scores.isneginf().unsqueeze(-1), torch.inf)
    return -logsumexp(gaps, -1).movedim(-1, dim)


@alternative("log_softmax_backward")
def log_softmax_slope_by_the_jacobian(grad_out, x, dim):
    """Builds the matrix I - 1 yᵀ for every slice and multiplies by its transpose."""
    _axis(x, dim)
    _shaped(grad_out, x)
    y = torch.softmax(x, dim).movedim(dim, -1)
    jacobian = torch.diag_embed(torch.ones_like(y)) - y.unsqueeze(-2)
    grad_x = (jacobian.mT @ grad_out.movedim(dim, -1).unsqueeze(-1)).squeeze(-1)
    return grad_x.movedim(-1, dim)


@alternative("log_softmax_backward")
def log_softmax_slope_by_the_log_probabilities(grad_out, x, dim):
    _axis(x, dim)
    _shaped(grad_out, x)
    return grad_out - torch.exp(torch.log_softmax(x, dim)) * grad_out.sum(dim, keepdim=True)


def _logaddexp(a, b):
    """log(exp(a) + exp(b)); where a and b are the same infinity, that."""
    gap = torch.where(a == b, 0, (a - b).abs())
    return torch.maximum(a, b) + torch.log1p(torch.exp(-gap))


def _shaped(grad_out, x):
    if grad_out.shape != x.shape:
        raise ValueError("grad_out must have the shape of x")


def _axis(x, dim):
    if dim not in range(-x.ndim, x.ndim):
        raise ValueError("dim is no axis")


def _above_zero(name, value):
    if not value > 0:
        raise ValueError(f"{name} must be positive")


def _form(approximate):
    if approximate not in {"none", "tanh"}:
        raise ValueError("approximate must be none or tanh")
