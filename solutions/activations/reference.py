"""Reference solutions of the assignment on activation functions.

Every function takes a tensor of any floating dtype on any device and returns one of the same dtype and device;
backwards are written by hand and recompute what they need.
"""

import math

import torch
from torch import Tensor


def sigmoid(x: Tensor) -> Tensor:
    """Logistic function 1 / (1 + exp(-x)), entry by entry.

    Args:
        x: any shape, floating dtype and device; may be large in magnitude.
    Returns:
        Values of [0, 1] shaped like ``x``, in its dtype and on its device.
    Source: Goodfellow et al. (2016), "Deep Learning", section 3.10.
    """
    small = torch.exp(-x.abs())
    return torch.where(x >= 0, 1 / (1 + small), small / (1 + small))


def sigmoid_backward(grad_out: Tensor, x: Tensor) -> Tensor:
    """Gradient of ``sigmoid`` with respect to its input: g * s * (1 - s) with s = sigmoid(x).

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; any shape, floating dtype and device.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Source: Goodfellow et al. (2016), "Deep Learning", section 3.10.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    return grad_out * sigmoid(x) * sigmoid(-x)


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent (exp(x) - exp(-x)) / (exp(x) + exp(-x)), entry by entry.

    With r = exp(-2|x|) - 1, which cannot overflow, it is -r / (2 + r) with the sign of x.

    Args:
        x: any shape, floating dtype and device; may be large in magnitude.
    Returns:
        Values of [-1, 1] shaped like ``x``, in its dtype and on its device.
    Source: LeCun et al. (1998), "Efficient BackProp", section 4.4.
    """
    r = torch.expm1(-2 * x.abs())
    return -x.sign() * r / (2 + r)


def tanh_backward(grad_out: Tensor, x: Tensor) -> Tensor:
    """Gradient of ``tanh`` with respect to its input: g * (1 - t²) with t = tanh(x).

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; any shape, floating dtype and device.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Source: LeCun et al. (1998), "Efficient BackProp", section 4.4.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    return grad_out * (1 - tanh(x) ** 2)


def relu(x: Tensor) -> Tensor:
    """Rectified linear unit max(x, 0), entry by entry.

    Args:
        x: any shape, floating dtype and device.
    Returns:
        Values of [0, inf) shaped like ``x``, in its dtype and on its device.
    Source: Nair & Hinton (2010), "Rectified linear units improve restricted Boltzmann machines".
    """
    return x.clamp(min=0)


def relu_backward(grad_out: Tensor, x: Tensor) -> Tensor:
    """Gradient of ``relu`` with respect to its input: g where x > 0, else 0.

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; any shape, floating dtype and device.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device; 0 at the corner x = 0.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Source: Nair & Hinton (2010), "Rectified linear units improve restricted Boltzmann machines";
        Glorot et al. (2011), "Deep sparse rectifier neural networks", section 3.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    return torch.where(x > 0, grad_out, 0)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Leaky rectified linear unit: x where x > 0, else a * x, entry by entry.

    Args:
        x: any shape, floating dtype and device.
        negative_slope: the slope a of the left side; any number.
    Returns:
        Values shaped like ``x``, in its dtype and on its device.
    Source: Maas et al. (2013), "Rectifier nonlinearities improve neural network acoustic models", section 2.
    """
    return torch.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(grad_out: Tensor, x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Gradient of ``leaky_relu`` with respect to its input: g where x > 0, else a * g.

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; any shape, floating dtype and device.
        negative_slope: the slope a of the left side, which counts at the corner x = 0 too.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Source: Maas et al. (2013), "Rectifier nonlinearities improve neural network acoustic models", section 2.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    return torch.where(x > 0, grad_out, negative_slope * grad_out)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: x where x > 0, else alpha * (exp(x) - 1), entry by entry.

    ``expm1`` keeps the digits near 0; clamping from above keeps it from overflowing where it is not used.

    Args:
        x: any shape, floating dtype and device; may be large in magnitude.
        alpha: the left side levels off at -alpha.
    Returns:
        Values shaped like ``x``, in its dtype and on its device.
    Source: Clevert et al. (2016), "Fast and accurate deep network learning by exponential linear units (ELUs)",
        section 3.
    """
    return torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0)))


def elu_backward(grad_out: Tensor, x: Tensor, alpha: float = 1.0) -> Tensor:
    """Gradient of ``elu`` with respect to its input: g where x > 0, else g * alpha * exp(x).

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; any shape, floating dtype and device.
        alpha: as in the forward pass; also the slope at the corner x = 0.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Source: Clevert et al. (2016), "Fast and accurate deep network learning by exponential linear units (ELUs)",
        section 3.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    return torch.where(x > 0, grad_out, grad_out * alpha * torch.exp(x.clamp(max=0)))


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """Gaussian error linear unit x * Φ(x), entry by entry, with Φ the distribution function of a standard normal.

    Exactly, Φ(x) = (1 + erf(x / √2)) / 2. The tanh form puts (1 + tanh(u)) / 2 in its place,
    with u = √(2/π) * (x + 0.044715 x³).

    Args:
        x: any shape, floating dtype and device; may be large in magnitude.
        approximate: "none" for the exact form, "tanh" for the tanh form.
    Returns:
        Values shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``approximate`` is neither "none" nor "tanh".
    Source: Hendrycks & Gimpel (2016), "Gaussian error linear units (GELUs)", section 2.
    """
    if approximate == "none":
        return x * (1 + torch.erf(x / math.sqrt(2))) / 2
    if approximate == "tanh":
        near = x.clamp(-10, 10)  # further out tanh(u) is ±1, and the cube would overflow in float16
        u = math.sqrt(2 / math.pi) * (near + 0.044715 * near**3)
        return x * (1 + tanh(u)) / 2
    raise ValueError(f'approximate is {approximate!r}, it has to be "none" or "tanh"')


def gelu_backward(grad_out: Tensor, x: Tensor, approximate: str = "none") -> Tensor:
    """Gradient of ``gelu`` with respect to its input.

    By the product rule the slope is Φ(x) + x * φ(x), with the bell curve φ(x) = exp(-x²/2) / √(2π).
    The tanh form has (1 + t) / 2 + x * (1 - t²) * u' / 2, with t = tanh(u) and u' = √(2/π) * (1 + 3 * 0.044715 x²).

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass; any shape, floating dtype and device.
        approximate: "none" or "tanh", as in the forward pass.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``, or ``approximate`` is neither "none" nor "tanh".
    Source: Hendrycks & Gimpel (2016), "Gaussian error linear units (GELUs)", section 2.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    if approximate == "none":
        cdf = (1 + torch.erf(x / math.sqrt(2))) / 2
        pdf = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return grad_out * (cdf + x * pdf)
    if approximate == "tanh":
        t = tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
        du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
        return grad_out * ((1 + t) / 2 + x * (1 - t**2) * du / 2)
    raise ValueError(f'approximate is {approximate!r}, it has to be "none" or "tanh"')


def silu(x: Tensor) -> Tensor:
    """Sigmoid linear unit, also called Swish: x * sigmoid(x), entry by entry.

    Args:
        x: any shape, floating dtype and device; may be large in magnitude.
    Returns:
        Values shaped like ``x``, in its dtype and on its device.
    Source: Elfwing et al. (2018), "Sigmoid-weighted linear units for neural network function approximation in
        reinforcement learning", section 2.
    """
    return x * sigmoid(x)


def silu_backward(grad_out: Tensor, x: Tensor) -> Tensor:
    """Gradient of ``silu`` with respect to its input: g * s * (1 + x * (1 - s)) with s = sigmoid(x).

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; any shape, floating dtype and device.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Source: Elfwing et al. (2018), "Sigmoid-weighted linear units for neural network function approximation in
        reinforcement learning", section 2.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    return grad_out * sigmoid(x) * (1 + x * sigmoid(-x))


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Smooth ReLU log(1 + exp(z)) / beta with z = beta * x, entry by entry; x itself where z > threshold.

    Taking the larger of z and 0 out of the logarithm, log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)),
    keeps ``exp`` from overflowing.

    Args:
        x: any shape, floating dtype and device; may be large in magnitude.
        beta: sharpness of the bend, above 0.
        threshold: where z is above it, the result is x.
    Returns:
        Values shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``beta`` is not positive.
    Source: Dugas et al. (2001), "Incorporating second-order functional knowledge for better option pricing".
    """
    if beta <= 0:
        raise ValueError(f"beta is {beta}, it has to be positive")
    z = beta * x
    smooth = z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    return torch.where(z > threshold, x, smooth / beta)


def softplus_backward(grad_out: Tensor, x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Gradient of ``softplus`` with respect to its input: g * sigmoid(beta * x); g where beta * x > threshold.

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; any shape, floating dtype and device.
        beta: sharpness of the bend, above 0.
        threshold: where beta * x is above it, the slope is 1.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``, or ``beta`` is not positive.
    Source: Dugas et al. (2001), "Incorporating second-order functional knowledge for better option pricing".
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    if beta <= 0:
        raise ValueError(f"beta is {beta}, it has to be positive")
    z = beta * x
    return torch.where(z > threshold, grad_out, grad_out * sigmoid(z))


def logsumexp(x: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """Soft maximum log(sum(exp(x))), the sum taken along ``dim``.

    With m the largest entry it is m + log(sum(exp(x - m))), where ``exp`` cannot overflow.

    Args:
        x: at least one axis, any floating dtype and device; entries may be large or infinite.
        dim: the axis that is summed; negative counts from the back.
        keepdim: whether that axis stays, with length 1.
    Returns:
        Shaped like ``x`` without the axis ``dim`` (or with length 1 there), in its dtype and on its device;
        -inf where the axis is empty or has only -inf, inf where it has an inf.
    Raises:
        ValueError: ``dim`` is not an axis of ``x``.
    Source: Blanchard et al. (2021), "Accurately computing the log-sum-exp and softmax functions", section 1.
    """
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"dim is {dim}, x has {x.ndim} axes")
    if x.shape[dim] == 0:
        return torch.full_like(x.sum(dim, keepdim=keepdim), -torch.inf)
    m = x.amax(dim, keepdim=True)
    m = torch.where(m.isfinite(), m, 0)  # inf - inf would be nan
    out = m + torch.log(torch.exp(x - m).sum(dim, keepdim=True))
    return out if keepdim else out.squeeze(dim)


def logsumexp_backward(grad_out: Tensor, x: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """Gradient of ``logsumexp`` with respect to its input: g * exp(x - logsumexp(x)), each entry's share of the sum.

    Args:
        grad_out: upstream gradient g, shaped like the result of the forward pass.
        x: input of the forward pass; at least one axis, any floating dtype and device.
        dim: the axis that was summed; negative counts from the back.
        keepdim: whether that axis stayed, with length 1.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``dim`` is not an axis of ``x``, or ``grad_out`` is not shaped like the forward's result.
    Source: Blanchard et al. (2021), "Accurately computing the log-sum-exp and softmax functions", section 1.
    """
    out = logsumexp(x, dim, keepdim)
    if grad_out.shape != out.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, the result has shape {tuple(out.shape)}")
    if not keepdim:
        grad_out, out = grad_out.unsqueeze(dim), out.unsqueeze(dim)
    return grad_out * torch.exp(x - out)


def softmax(x: Tensor, dim: int, temperature: float = 1.0) -> Tensor:
    """Probabilities exp(x / T) / sum(exp(x / T)), the sum taken along ``dim``.

    Subtracting the largest entry first changes nothing in the quotient and keeps ``exp`` from overflowing.

    Args:
        x: scores; at least one axis, any floating dtype and device; entries may be large or -inf.
        dim: the axis that is normalised; negative counts from the back.
        temperature: T > 0; a small one sharpens, a large one flattens.
    Returns:
        Probabilities shaped like ``x``, in its dtype and on its device; empty where ``x`` is empty.
    Raises:
        ValueError: ``dim`` is not an axis of ``x``, or ``temperature`` is not positive.
    Source: Bridle (1990), "Probabilistic interpretation of feedforward classification network outputs";
        Goodfellow et al. (2016), "Deep Learning", section 4.1.
    """
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"dim is {dim}, x has {x.ndim} axes")
    if temperature <= 0:
        raise ValueError(f"temperature is {temperature}, it has to be positive")
    if x.numel() == 0:
        return x.clone()
    weights = torch.exp((x - x.amax(dim, keepdim=True)) / temperature)
    return weights / weights.sum(dim, keepdim=True)


def softmax_backward(grad_out: Tensor, x: Tensor, dim: int, temperature: float = 1.0) -> Tensor:
    """Gradient of ``softmax`` with respect to its input.

    With y = softmax(x / T), the Jacobian is (diag(y) - y yᵀ) / T, so no matrix is needed:
    grad_x = y * (g - <g, y>) / T, the inner product taken along ``dim``.

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; at least one axis, any floating dtype and device.
        dim: the axis that was normalised; negative counts from the back.
        temperature: T > 0 of the forward pass.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``, ``dim`` is not an axis of ``x``,
            or ``temperature`` is not positive.
    Source: Bridle (1990), "Probabilistic interpretation of feedforward classification network outputs";
        Goodfellow et al. (2016), "Deep Learning", section 6.2.2.3.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    y = softmax(x, dim, temperature)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True)) / temperature


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """Logarithm of ``softmax``: x - log(sum(exp(x))), the sum taken along ``dim``.

    Subtracting the largest entry first keeps ``exp`` from overflowing, and the digits of results near 0.

    Args:
        x: scores; at least one axis, any floating dtype and device; entries may be large or -inf.
        dim: the axis that is normalised; negative counts from the back.
    Returns:
        Log-probabilities shaped like ``x``, in its dtype and on its device; -inf where ``x`` is -inf,
        empty where ``x`` is empty.
    Raises:
        ValueError: ``dim`` is not an axis of ``x``.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.2.3, equation 6.30.
    """
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(f"dim is {dim}, x has {x.ndim} axes")
    if x.numel() == 0:
        return x.clone()
    shifted = x - x.amax(dim, keepdim=True)
    return shifted - logsumexp(shifted, dim, keepdim=True)


def log_softmax_backward(grad_out: Tensor, x: Tensor, dim: int) -> Tensor:
    """Gradient of ``log_softmax`` with respect to its input: g - softmax(x) * sum(g), the sum taken along ``dim``.

    Args:
        grad_out: upstream gradient g, shaped like ``x``.
        x: input of the forward pass; at least one axis, any floating dtype and device.
        dim: the axis that was normalised; negative counts from the back.
    Returns:
        Gradient shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``, or ``dim`` is not an axis of ``x``.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.2.3.
    """
    if grad_out.shape != x.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, x has shape {tuple(x.shape)}")
    return grad_out - softmax(x, dim) * grad_out.sum(dim, keepdim=True)
