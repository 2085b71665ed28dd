"""Reference solutions of the assignment on linear models.

Arrays are float64 or float32 and results keep that; a loss, and the bias of a model with one output, is a number.
"""

from collections.abc import Callable

import numpy as np

from autograder.guards import require_ndim, require_positive, require_same_shape, require_shape, require_whole


def predict(x: np.ndarray, w: np.ndarray, b: float | np.ndarray) -> np.ndarray:
    """What a linear model answers to each sample.

    Args:
        x: samples (N, D).
        w: weights, (D,) for one output or (K, D) for K of them.
        b: bias; a number for one output, (K,) for K of them.
    Returns:
        out: (N,) for one output, (N, K) for K of them; in the dtype of ``x``.
    Raises:
        ValueError: ``x`` does not have two axes, or ``w`` does not have a weight for each of its columns.
    Derivation: out_nk = sum over d of x_nd w_kd + b_k.
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", section 3.1.
    """
    require_ndim(2, x=x)
    require_ndim((1, 2), w=w)
    require_shape((x.shape[1],) if w.ndim == 1 else (None, x.shape[1]), w=w)
    return x @ w.T + b


def linear_regression_loss(x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> float:
    """The mean squared error of a linear model with one output.

    Args:
        x: samples (N, D), at least one.
        y: targets (N,).
        w: weights (D,).
        b: bias, a number.
    Returns:
        loss: a number.
    Raises:
        ValueError: ``w`` or ``y`` does not fit ``x``.
    Derivation: the mean over the samples of (prediction - target)².
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", equation 3.12.
    """
    require_ndim(1, w=w)
    require_shape(x.shape[:1], y=y)
    return float(((predict(x, w, b) - y) ** 2).mean())


def linear_regression_loss_backward(
    grad_out: float, x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float
) -> tuple[np.ndarray, float]:
    """The gradient of `linear_regression_loss` with respect to the weights and the bias.

    Args:
        grad_out: upstream gradient, a number.
        x: samples (N, D), at least one.
        y: targets (N,).
        w: weights (D,).
        b: bias, a number.
    Returns:
        grad_w: shaped like ``w``, in its dtype.
        grad_b: a number.
    Raises:
        ValueError: as in `linear_regression_loss`.
    Derivation: with the errors e = prediction - target, grad_w = 2/N sum of e_n x_n and grad_b = 2/N sum of e_n.
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", equation 3.13.
    """
    require_ndim(1, w=w)
    require_shape(x.shape[:1], y=y)
    slope = 2 * grad_out * (predict(x, w, b) - y) / len(y)
    return slope @ x, float(slope.sum())


def numerical_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """The gradient of a function, from nothing but its values.

    Args:
        f: takes an array shaped like ``x`` and returns a number.
        x: where the gradient is asked for, a float64 array of any shape.
        eps: how far is stepped to both sides.
    Returns:
        grad: float64, shaped like ``x``.
    Raises:
        ValueError: ``eps`` is not positive.
    Derivation: central differences, (f(x + eps e_i) - f(x - eps e_i)) / (2 eps) for each entry. One-sided ones are off
        by the order of eps, these by that of eps².
    Source: Nocedal and Wright (2006), "Numerical Optimization", section 8.1.
    """
    require_positive(eps=eps)
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = eps
        grad[place] = (f(x + step) - f(x - step)) / (2 * eps)
    return grad


def gradient_check(f: Callable[[np.ndarray], float], x: np.ndarray, grad: np.ndarray) -> float:
    """How far a gradient is from what the values of the function say, relative to their size.

    Args:
        f: takes an array shaped like ``x`` and returns a number.
        x: where the gradient was computed, a float64 array of any shape.
        grad: the gradient that is to be checked, shaped like ``x``.
    Returns:
        difference: a number from 0 to 1; below a millionth for a right gradient.
    Raises:
        ValueError: ``grad`` is not shaped like ``x``.
    Derivation: |g - n| / (|g| + |n|) with the Euclidean norms of all entries, n the numerical gradient; 0 where both
        are 0.
    Source: Goodfellow et al. (2016), "Deep Learning", section 11.5.
    """
    require_same_shape(grad=grad, x=x)
    numerical = numerical_gradient(f, x)
    size = np.sqrt((grad**2).sum()) + np.sqrt((numerical**2).sum())
    return float(np.sqrt(((grad - numerical) ** 2).sum()) / size) if size > 0 else 0.0


def normal_equation(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """The weights and the bias with the least mean squared error, in one step.

    Args:
        x: samples (N, D), more than D, with columns of which none is made of the others and a constant.
        y: targets (N,).
    Returns:
        w: the best weights (D,), in the dtype of ``x``.
        b: the best bias, a number.
    Raises:
        ValueError: ``y`` does not fit ``x``.
    Derivation: where the gradient is 0, A^T A v = A^T y, with A = x and a column of ones beside it, v = (w, b).
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", equation 3.15.
    """
    require_ndim(2, x=x)
    require_shape(x.shape[:1], y=y)
    a = np.concatenate([x, np.ones((len(x), 1), dtype=x.dtype)], axis=1)
    solved = np.linalg.solve(a.T @ a, a.T @ y)
    return solved[:-1], float(solved[-1])


def sgd_step(params: list[np.ndarray], grads: list[np.ndarray], lr: float) -> list[np.ndarray]:
    """One step of gradient descent.

    Args:
        params: arrays of any shapes.
        grads: the gradient of each, shaped like it.
        lr: learning rate.
    Returns:
        new_params: a new list of new arrays.
    Raises:
        ValueError: ``grads`` does not have one gradient for each parameter, shaped like it. The message names grads.
    Derivation: downhill is against the gradient: p - lr g.
    Source: Robbins and Monro (1951), "A stochastic approximation method".
    """
    if len(grads) != len(params):
        raise ValueError(f"grads has {len(grads)} arrays, there are {len(params)} parameters")
    for p, g in zip(params, grads, strict=True):
        if g.shape != p.shape:
            raise ValueError(f"grads has an array of shape {g.shape}, its parameter has {p.shape}")
    return [p - lr * g for p, g in zip(params, grads, strict=True)]


def train_linear_regression(
    x: np.ndarray, y: np.ndarray, w: np.ndarray, b: float, *, lr: float, steps: int
) -> tuple[np.ndarray, float, list[float]]:
    """Gradient descent on the mean squared error, over all samples at once.

    Args:
        x: samples (N, D), at least one.
        y: targets (N,).
        w: weights to begin with (D,).
        b: bias to begin with, a number.
        lr: learning rate.
        steps: how many steps are taken.
    Returns:
        trained_w: the weights after the last step (D,).
        trained_b: the bias after the last step, a number.
        losses: the loss before each step, a list of ``steps`` numbers.
    Raises:
        ValueError: the shapes do not fit, ``lr`` is not positive, or ``steps`` is not a whole number from 0 on.
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", section 3.1.3.
    """
    require_ndim(1, w=w)
    require_shape(x.shape[:1], y=y)
    require_positive(lr=lr)
    require_whole(0, steps=steps)
    losses = []
    for _ in range(steps):
        losses.append(linear_regression_loss(x, y, w, b))
        grad_w, grad_b = linear_regression_loss_backward(1.0, x, y, w, b)
        w, b = w - lr * grad_w, b - lr * grad_b
    return w, b, losses


def perceptron_step(x: np.ndarray, y: int, w: np.ndarray, b: float, lr: float = 1.0) -> tuple[np.ndarray, float]:
    """What a perceptron learns from one sample.

    Args:
        x: one sample (D,).
        y: its class, 0 or 1.
        w: weights (D,).
        b: bias, a number.
        lr: learning rate.
    Returns:
        new_w: the weights afterwards (D,).
        new_b: the bias afterwards, a number.
    Raises:
        ValueError: ``w`` is not shaped like ``x``, or ``y`` is neither 0 nor 1.
    Derivation: the answer is 1 where w·x + b >= 0, else 0. Move by lr (y - answer) x, and the bias by lr (y - answer).
    Source: Rosenblatt (1958), "The perceptron", Psychological Review 65.
    """
    require_ndim(1, x=x)
    require_same_shape(w=w, x=x)
    if y not in (0, 1):
        raise ValueError(f"y is {y}, it has to be 0 or 1")
    answer = 1.0 if x @ w + b >= 0 else 0.0
    return w + lr * (y - answer) * x, float(b + lr * (y - answer))


def delta_rule(x: np.ndarray, y: float, w: np.ndarray, b: float, lr: float) -> tuple[np.ndarray, float]:
    """What a sigmoid neuron learns from one sample, by the slope of half its squared error.

    Args:
        x: one sample (D,).
        y: its target, a number from 0 to 1.
        w: weights (D,).
        b: bias, a number.
        lr: learning rate.
    Returns:
        new_w: the weights afterwards (D,).
        new_b: the bias afterwards, a number.
    Raises:
        ValueError: ``w`` is not shaped like ``x``.
    Derivation: with p = sigmoid(w·x + b) and the loss (p - y)²/2, the slope in the sum is delta = (p - y) p (1 - p); the
        step is -lr delta x for the weights and -lr delta for the bias.
    Source: Rumelhart, Hinton and Williams (1986), "Learning internal representations by error propagation", section 2.
    """
    require_ndim(1, x=x)
    require_same_shape(w=w, x=x)
    p = 1 / (1 + np.exp(-(x @ w + b)))
    delta = float((p - y) * p * (1 - p))
    return w - lr * delta * x, float(b - lr * delta)


def softmax_regression_loss(x: np.ndarray, y: np.ndarray, w: np.ndarray, b: np.ndarray) -> float:
    """The mean cross-entropy of a linear model with one score for each class.

    Args:
        x: samples (N, D), at least one.
        y: classes (N,), whole numbers 0 ... K - 1.
        w: weights (K, D).
        b: biases (K,).
    Returns:
        loss: a number.
    Raises:
        ValueError: ``w``, ``b`` or ``y`` does not fit, or ``y`` has a class outside 0 ... K - 1.
    Derivation: with the scores s less their largest, the mean of log(sum over k of exp(s_k)) - s_y.
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", section 4.3.4.
    """
    require_ndim(2, w=w)
    require_shape(w.shape[:1], b=b)
    require_shape(x.shape[:1], y=y)
    if ((y < 0) | (y >= len(w))).any():
        raise ValueError(f"y has a class outside 0 ... {len(w) - 1}")
    scores = predict(x, w, b)
    scores = scores - scores.max(axis=1, keepdims=True)
    return float((np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]).mean())


def softmax_regression_loss_backward(
    grad_out: float, x: np.ndarray, y: np.ndarray, w: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of `softmax_regression_loss` with respect to the weights and the biases.

    Args:
        grad_out: upstream gradient, a number.
        x: samples (N, D), at least one.
        y: classes (N,), whole numbers 0 ... K - 1.
        w: weights (K, D).
        b: biases (K,).
    Returns:
        grad_w: shaped like ``w``, in its dtype.
        grad_b: shaped like ``b``, in its dtype.
    Raises:
        ValueError: as in `softmax_regression_loss`.
    Derivation: the slope in the scores is (p - one-hot of y) / N with p = softmax(scores); grad_w is that transposed
        times x, grad_b its sum over the samples.
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", equation 4.109.
    """
    require_ndim(2, w=w)
    require_shape(w.shape[:1], b=b)
    require_shape(x.shape[:1], y=y)
    if ((y < 0) | (y >= len(w))).any():
        raise ValueError(f"y has a class outside 0 ... {len(w) - 1}")
    scores = predict(x, w, b)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    slope = grad_out * (p - (y[:, None] == np.arange(len(w)))) / len(y)
    return slope.T @ x, slope.sum(axis=0)


def train_softmax_regression(
    x: np.ndarray, y: np.ndarray, num_classes: int, *, lr: float, steps: int
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Gradient descent on the mean cross-entropy from weights and biases of 0, over all samples at once.

    Args:
        x: samples (N, D), at least one.
        y: classes (N,), whole numbers 0 ... K - 1.
        num_classes: K.
        lr: learning rate.
        steps: how many steps are taken.
    Returns:
        w: the weights after the last step (K, D), in the dtype of ``x``.
        b: the biases after the last step (K,), in the dtype of ``x``.
        losses: the loss before each step, a list of ``steps`` numbers.
    Raises:
        ValueError: ``y`` does not fit, ``lr`` is not positive, or ``steps`` is not a whole number from 0 on.
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", section 4.3.4.
    """
    require_ndim(2, x=x)
    require_shape(x.shape[:1], y=y)
    require_whole(1, num_classes=num_classes)
    require_positive(lr=lr)
    require_whole(0, steps=steps)
    w, b, losses = np.zeros((num_classes, x.shape[1]), dtype=x.dtype), np.zeros(num_classes, dtype=x.dtype), []
    for _ in range(steps):
        losses.append(softmax_regression_loss(x, y, w, b))
        grad_w, grad_b = softmax_regression_loss_backward(1.0, x, y, w, b)
        w, b = w - lr * grad_w, b - lr * grad_b
    return w, b, losses


def hierarchical_probabilities(group_scores: np.ndarray, class_scores: np.ndarray, group_of: np.ndarray) -> np.ndarray:
    """The probability of each class, where first a group is chosen and then a class in it.

    Args:
        group_scores: (N, G).
        class_scores: (N, K).
        group_of: the group of each class (K,), whole numbers 0 ... G - 1; every group has a class.
    Returns:
        p: (N, K), in the dtype of the scores; each row adds up to 1.
    Raises:
        ValueError: ``class_scores`` or ``group_of`` does not fit.
    Derivation: p_k = softmax(group scores) of the group of k, times the softmax of the class scores within that group.
    Source: Morin and Bengio (2005), "Hierarchical probabilistic neural network language model".
    """
    require_ndim(2, group_scores=group_scores)
    require_shape((len(group_scores), None), class_scores=class_scores)
    require_shape(class_scores.shape[1:], group_of=group_of)
    p = np.exp(group_scores - group_scores.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    out = np.zeros_like(class_scores)
    for group in range(group_scores.shape[1]):
        inside = group_of == group
        scores = class_scores[:, inside]
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        out[:, inside] = p[:, group : group + 1] * share / share.sum(axis=1, keepdims=True)
    return out
