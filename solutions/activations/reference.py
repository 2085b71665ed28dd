"""Reference solutions of the assignment on activation functions.

Every function takes a tensor of any floating dtype on any device and returns one of the same dtype and device;
backwards are written by hand and recompute what they need.
"""

import math

import torch
from torch import Tensor

from autograder.guards import require_axis, require_one_of, require_positive, require_same_shape


def sigmoid(x: Tensor) -> Tensor:
    """The sigmoid of each entry, finite for entries up to ±10,000.

    Args:
        x: any shape, floating dtype and device.
    Returns:
        out: values of [0, 1], shaped like ``x``, in its dtype and on its device.
    Derivation:
        1 / (1 + exp(-x)) for x >= 0 and, multiplied by exp(x) above and below, exp(x) / (1 + exp(x)) for x < 0:
        the exponent is -|x| in both, and ``exp`` of what is not positive cannot overflow.
    Source: Goodfellow et al. (2016), "Deep Learning", section 3.10.
    """
    small = torch.exp(-x.abs())
    return torch.where(x >= 0, 1 / (1 + small), small / (1 + small))


def sigmoid_backward(grad_out: Tensor, x: Tensor) -> Tensor:
    """Gradient of ``sigmoid`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Derivation:
        The slope is s (1 - s) with s = sigmoid(x), and 1 - s = sigmoid(-x) without subtracting.
    Source: Goodfellow et al. (2016), "Deep Learning", section 3.10.
    """
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * sigmoid(x) * sigmoid(-x)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent of each entry, finite for entries up to ±10,000.

    Args:
        x: any shape, floating dtype and device.
    Returns:
        out: values of [-1, 1], shaped like ``x``, in its dtype and on its device.
    Derivation:
        With r = exp(-2|x|) - 1, which cannot overflow, it is -r / (2 + r) with the sign of x; ``expm1`` keeps the
        digits of r near 0.
    Source: LeCun et al. (1998), "Efficient BackProp", section 4.4.
    """
    r = torch.expm1(-2 * x.abs())
    return -x.sign() * r / (2 + r)


def tanh_backward(grad_out: Tensor, x: Tensor) -> Tensor:
    """Gradient of ``tanh`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Derivation:
        The slope is 1 - t² with t = tanh(x). As (1 - t)(1 + t) = 4 sigmoid(-2x) sigmoid(2x), nothing has to be
        subtracted, which keeps digits in half precision.
    Source: LeCun et al. (1998), "Efficient BackProp", section 4.4.
    """
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * 4 * sigmoid(2 * x) * sigmoid(-2 * x)


def relu(x: Tensor) -> Tensor:
    """The rectified linear unit: each entry, or 0 where it is negative.

    Args:
        x: any shape, floating dtype and device.
    Returns:
        out: values of [0, inf), shaped like ``x``, in its dtype and on its device; nan where ``x`` is nan.
    Source: Nair & Hinton (2010), "Rectified linear units improve restricted Boltzmann machines".
    """
    return x.clamp(min=0)


def relu_backward(grad_out: Tensor, x: Tensor) -> Tensor:
    """Gradient of ``relu`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device; 0 at the corner x = 0, ``grad_out`` where ``x`` is
            nan.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Derivation:
        The slope is 0 where x <= 0, else 1; nan is not <= 0.
    Source: Nair & Hinton (2010), "Rectified linear units improve restricted Boltzmann machines";
        Glorot et al. (2011), "Deep sparse rectifier neural networks", section 3.
    """
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x <= 0, 0, grad_out)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """The leaky rectified linear unit: each positive entry as it is, every other one times ``negative_slope``.

    Args:
        x: any shape, floating dtype and device.
        negative_slope: the slope of the left side; any number.
    Returns:
        out: shaped like ``x``, in its dtype and on its device.
    Source: Maas et al. (2013), "Rectifier nonlinearities improve neural network acoustic models", section 2.
    """
    return torch.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(grad_out: Tensor, x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Gradient of ``leaky_relu`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass.
        negative_slope: the slope of the left side, which counts at the corner x = 0 too.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Source: Maas et al. (2013), "Rectifier nonlinearities improve neural network acoustic models", section 2.
    """
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x > 0, grad_out, negative_slope * grad_out)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """The exponential linear unit: each positive entry as it is, every other one alpha * (e^x - 1).

    Args:
        x: any shape, floating dtype and device; entries near 0 keep their digits.
        alpha: the left side levels off at -alpha.
    Returns:
        out: shaped like ``x``, in its dtype and on its device.
    Derivation:
        ``expm1`` keeps the digits near 0; clamping from above keeps it from overflowing where it is not used.
    Source: Clevert et al. (2016), "Fast and accurate deep network learning by exponential linear units (ELUs)",
        section 3.
    """
    return torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0)))


def elu_backward(grad_out: Tensor, x: Tensor, alpha: float = 1.0) -> Tensor:
    """Gradient of ``elu`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass.
        alpha: as in the forward pass; also the slope at x = 0.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Derivation:
        The slope is 1 where x > 0, else alpha * exp(x).
    Source: Clevert et al. (2016), "Fast and accurate deep network learning by exponential linear units (ELUs)",
        section 3.
    """
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x > 0, grad_out, grad_out * alpha * torch.exp(x.clamp(max=0)))


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """The Gaussian error linear unit of each entry: x times the probability that a standard normal number is below x.

    Args:
        x: any shape, floating dtype and device; the result is finite for entries up to ±10,000.
        approximate: "none" for the exact form, "tanh" for the tanh form.
    Returns:
        out: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``approximate`` is neither "none" nor "tanh".
    Derivation:
        Exactly, Φ(x) = (1 + erf(x / √2)) / 2. The tanh form has (1 + tanh(u)) / 2 in its place, which is sigmoid(2u),
        with u = √(2/π) * (x + 0.044715 x³). Where x³ overflows the sigmoid is 0 or 1, as it has to be.
    Source: Hendrycks & Gimpel (2016), "Gaussian error linear units (GELUs)", section 2.
    """
    require_one_of(("none", "tanh"), approximate=approximate)
    if approximate == "none":
        return x * (1 + torch.erf(x / math.sqrt(2))) / 2
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x * sigmoid(2 * u)


def gelu_backward(grad_out: Tensor, x: Tensor, approximate: str = "none") -> Tensor:
    """Gradient of ``gelu`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass; the gradient is finite for entries up to ±10,000.
        approximate: "none" or "tanh", as in the forward pass.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``, or ``approximate`` is neither "none" nor "tanh".
    Derivation:
        By the product rule the slope is Φ(x) + x φ(x), with the bell curve φ(x) = exp(-x²/2) / √(2π).
        The tanh form is x s with s = sigmoid(2u), so its slope is s + 2 x s (1 - s) u', with
        u' = √(2/π) (1 + 3 * 0.044715 x²). Beyond |x| = 10 it is 0 or 1, and u' would overflow in float16.
    Source: Hendrycks & Gimpel (2016), "Gaussian error linear units (GELUs)", section 2.
    """
    require_same_shape(grad_out=grad_out, x=x)
    require_one_of(("none", "tanh"), approximate=approximate)
    if approximate == "none":
        cdf = (1 + torch.erf(x / math.sqrt(2))) / 2
        pdf = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return grad_out * (cdf + x * pdf)
    near = x.clamp(-10, 10)
    u = math.sqrt(2 / math.pi) * (near + 0.044715 * near**3)
    du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * near**2)
    return grad_out * sigmoid(2 * u) * (1 + 2 * near * du * sigmoid(-2 * u))


def silu(x: Tensor) -> Tensor:
    """The sigmoid linear unit, also called Swish, of each entry; finite for entries up to ±10,000.

    Args:
        x: any shape, floating dtype and device.
    Returns:
        out: shaped like ``x``, in its dtype and on its device.
    Source: Elfwing et al. (2018), "Sigmoid-weighted linear units for neural network function approximation in
        reinforcement learning", section 2.
    """
    return x * sigmoid(x)


def silu_backward(grad_out: Tensor, x: Tensor) -> Tensor:
    """Gradient of ``silu`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``.
    Derivation:
        By the product rule the slope is s + x s (1 - s) = s (1 + x (1 - s)) with s = sigmoid(x).
    Source: Elfwing et al. (2018), "Sigmoid-weighted linear units for neural network function approximation in
        reinforcement learning", section 2.
    """
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * sigmoid(x) * (1 + x * sigmoid(-x))


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """The smooth ReLU of each entry; the entry itself where beta * x is above ``threshold``.

    Args:
        x: any shape, floating dtype and device; small results keep their digits.
        beta: sharpness of the bend, above 0.
        threshold: where beta * x is above it, the result is x.
    Returns:
        out: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``beta`` is not above 0.
    Derivation:
        With z = beta * x, taking the larger of z and 0 out of the logarithm, log(1 + exp(z)) / beta =
        max(x, 0) + log(1 + exp(-|z|)) / beta, keeps ``exp`` from overflowing; ``log1p`` keeps the digits where
        exp(-|z|) is tiny.
    Source: Dugas et al. (2001), "Incorporating second-order functional knowledge for better option pricing".
    """
    if not beta > 0:
        raise ValueError(f"beta is {beta}, it has to be above 0")
    z = beta * x
    smooth = x.clamp(min=0) + torch.log1p(torch.exp(-z.abs())) / beta
    return torch.where(z > threshold, x, smooth)


def softplus_backward(grad_out: Tensor, x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Gradient of ``softplus`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass.
        beta: sharpness of the bend, above 0.
        threshold: where beta * x is above it, the forward pass returned x.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``, or ``beta`` is not above 0.
    Derivation:
        The slope is sigmoid(beta * x): the inner derivative beta cancels the factor 1 / beta. Above the threshold it
        is 1.
    Source: Dugas et al. (2001), "Incorporating second-order functional knowledge for better option pricing".
    """
    require_same_shape(grad_out=grad_out, x=x)
    require_positive(beta=beta)
    z = beta * x
    return torch.where(z > threshold, grad_out, grad_out * sigmoid(z))


def logsumexp(x: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """The soft maximum along the axis ``dim``: the logarithm of the sum of the exponentials.

    Args:
        x: at least one axis, any floating dtype and device; entries may be ±10,000 or infinite.
        dim: the axis that is summed; negative counts from the back.
        keepdim: whether that axis stays, with length 1.
    Returns:
        out: shaped like ``x`` without the axis ``dim`` (or with length 1 there), in its dtype and on its device;
            -inf where the axis is empty or has only -inf, inf where it has an inf.
    Raises:
        ValueError: ``dim`` is not an axis of ``x``.
    Derivation:
        With m the largest entry it is m + log(sum(exp(x - m))), where ``exp`` cannot overflow and the sum is at
        least 1.
    Source: Blanchard et al. (2021), "Accurately computing the log-sum-exp and softmax functions", section 1.
    """
    require_axis(x, dim=dim)
    if x.shape[dim] == 0:
        return torch.full_like(x.sum(dim, keepdim=keepdim), -torch.inf)
    m = x.amax(dim, keepdim=True)
    m = torch.where(m.isfinite(), m, 0)  # inf - inf would be nan
    out = m + torch.log(torch.exp(x - m).sum(dim, keepdim=True))
    return out if keepdim else out.squeeze(dim)


def logsumexp_backward(grad_out: Tensor, x: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """Gradient of ``logsumexp`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like the result of the forward pass.
        x: input of the forward pass; along ``dim`` at least one entry is finite and none is inf.
        dim: the axis that was summed; negative counts from the back.
        keepdim: whether that axis stayed, with length 1.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device; empty where ``x`` is empty.
    Raises:
        ValueError: ``dim`` is not an axis of ``x``, or ``grad_out`` is not shaped like the forward's result.
    Derivation:
        Each entry gets its share of the sum, exp(x - m) / sum(exp(x - m)) with m the largest entry. (Written
        exp(x - logsumexp(x)) the share of large scores would hang on the rounding of a large number.)
    Source: Blanchard et al. (2021), "Accurately computing the log-sum-exp and softmax functions", section 1.
    """
    require_axis(x, dim=dim)
    require_same_shape(grad_out=grad_out, out=x.sum(dim, keepdim=keepdim))
    if x.numel() == 0:
        return x.clone()
    weights = torch.exp(x - x.amax(dim, keepdim=True))
    shares = weights / weights.sum(dim, keepdim=True)
    return shares * (grad_out if keepdim else grad_out.unsqueeze(dim))


def softmax(x: Tensor, dim: int, temperature: float = 1.0) -> Tensor:
    """Probabilities along the axis ``dim``: the softmax of ``x / temperature``.

    Args:
        x: scores; at least one axis, any floating dtype and device; entries may be ±10,000 or -inf.
        dim: the axis that is normalised; negative counts from the back.
        temperature: above 0; a small one sharpens, a large one flattens.
    Returns:
        out: probabilities shaped like ``x``, in its dtype and on its device; empty where ``x`` is empty.
    Raises:
        ValueError: ``dim`` is not an axis of ``x``, or ``temperature`` is not above 0.
    Derivation:
        exp(x / T) / sum(exp(x / T)). Subtracting the largest entry first changes nothing in the quotient and keeps
        ``exp`` from overflowing; subtracting it before dividing by T keeps the division from overflowing too.
    Source: Bridle (1990), "Probabilistic interpretation of feedforward classification network outputs";
        Goodfellow et al. (2016), "Deep Learning", section 4.1.
    """
    require_axis(x, dim=dim)
    require_positive(temperature=temperature)
    if x.numel() == 0:
        return x.clone()
    weights = torch.exp((x - x.amax(dim, keepdim=True)) / temperature)
    return weights / weights.sum(dim, keepdim=True)


def softmax_backward(grad_out: Tensor, x: Tensor, dim: int, temperature: float = 1.0) -> Tensor:
    """Gradient of ``softmax`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass; at least one axis.
        dim: the axis that was normalised; negative counts from the back.
        temperature: as in the forward pass.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device; empty where ``x`` is empty.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``, ``dim`` is not an axis of ``x``,
            or ``temperature`` is not above 0.
    Derivation:
        With y = softmax(x / T), the Jacobian is (diag(y) - y yᵀ) / T, so no matrix is needed:
        grad_x = y * (g - <g, y>) / T, the inner product taken along ``dim``.
    Source: Bridle (1990), "Probabilistic interpretation of feedforward classification network outputs";
        Goodfellow et al. (2016), "Deep Learning", section 6.2.2.3.
    """
    require_same_shape(grad_out=grad_out, x=x)
    require_axis(x, dim=dim)
    require_positive(temperature=temperature)
    y = softmax(x, dim, temperature)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True)) / temperature


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """Logarithm of the softmax along the axis ``dim``, also where the probability is too small to be stored.

    Args:
        x: scores; at least one axis, any floating dtype and device; entries may be ±10,000 or -inf.
        dim: the axis that is normalised; negative counts from the back.
    Returns:
        out: log-probabilities shaped like ``x``, in its dtype and on its device; -inf where ``x`` is -inf,
            empty where ``x`` is empty.
    Raises:
        ValueError: ``dim`` is not an axis of ``x``.
    Derivation:
        x - log(sum(exp(x))). With m the largest entry, (x - m) - log(sum(exp(x - m))): subtracting first keeps
        ``exp`` from overflowing, and the digits of results that are small beside m.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.2.3, equation 6.30.
    """
    require_axis(x, dim=dim)
    if x.numel() == 0:
        return x.clone()
    shifted = x - x.amax(dim, keepdim=True)
    return shifted - logsumexp(shifted, dim, keepdim=True)


def log_softmax_backward(grad_out: Tensor, x: Tensor, dim: int) -> Tensor:
    """Gradient of ``log_softmax`` with respect to ``x``, for the upstream gradient ``grad_out``.

    Args:
        grad_out: upstream gradient, shaped like ``x``.
        x: input of the forward pass; at least one axis.
        dim: the axis that was normalised; negative counts from the back.
    Returns:
        grad_x: shaped like ``x``, in its dtype and on its device; empty where ``x`` is empty.
    Raises:
        ValueError: ``grad_out`` is not shaped like ``x``, or ``dim`` is not an axis of ``x``.
    Derivation:
        x hands g straight back, and the logsumexp, which is part of every output, collects sum(g) and hands it out by
        its shares: g - softmax(x) * sum(g), the sum taken along ``dim``.
    Source: Goodfellow et al. (2016), "Deep Learning", section 6.2.2.3.
    """
    require_same_shape(grad_out=grad_out, x=x)
    require_axis(x, dim=dim)
    return grad_out - softmax(x, dim) * grad_out.sum(dim, keepdim=True)
