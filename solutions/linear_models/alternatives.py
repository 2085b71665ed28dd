"""Correct solutions of the assignment on linear models that go another way than the reference."""

import numpy as np

from autograder.guards import require_ndim, require_positive, require_same_shape, require_shape, require_whole
from autograder.testing import alternative

from .reference import (
    linear_regression_loss,
    linear_regression_loss_backward,
    numerical_gradient,
    predict,
    sgd_step,
    softmax_regression_loss,
    softmax_regression_loss_backward,
)


@alternative("predict")
def predict_by_broadcasting(x, w, b):
    require_ndim(2, x=x)
    require_ndim((1, 2), w=w)
    require_shape((x.shape[1],) if w.ndim == 1 else (None, x.shape[1]), w=w)
    if w.ndim == 1:
        return (x * w).sum(axis=1) + b
    return (x[:, None, :] * w).sum(axis=-1) + b


@alternative("predict")
def predict_by_einsum(x, w, b):
    require_ndim(2, x=x)
    require_ndim((1, 2), w=w)
    require_shape((x.shape[1],) if w.ndim == 1 else (None, x.shape[1]), w=w)
    return np.einsum("nd,...d->n...", x, w) + b


@alternative("linear_regression_loss")
def linear_regression_loss_by_product(x, y, w, b):
    require_ndim(1, w=w)
    require_shape(x.shape[:1], y=y)
    error = y - predict(x, w, b)
    return error @ error / len(y)


@alternative("linear_regression_loss_backward")
def linear_regression_loss_backward_by_means(grad_out, x, y, w, b):
    require_ndim(1, w=w)
    require_shape(x.shape[:1], y=y)
    error = predict(x, w, b) - y
    return 2 * grad_out * (error[:, None] * x).mean(axis=0), 2 * grad_out * error.mean()


@alternative("linear_regression_loss_backward")
def linear_regression_loss_backward_by_transposing(grad_out, x, y, w, b):
    require_ndim(1, w=w)
    require_shape(x.shape[:1], y=y)
    error = predict(x, w, b) - y
    return (2 / x.shape[0]) * grad_out * (x.T @ error), (2 / x.shape[0]) * grad_out * np.sum(error)


@alternative("numerical_gradient")
def numerical_gradient_in_a_flat_copy(f, x, eps=1e-5):
    require_positive(eps=eps)
    flat, grad = x.flatten(), np.zeros(x.size)
    for i in range(x.size):
        kept = flat[i]
        flat[i] = kept + eps
        above = f(flat.reshape(x.shape))
        flat[i] = kept - eps
        below = f(flat.reshape(x.shape))
        flat[i] = kept
        grad[i] = (above - below) / (2 * eps)
    return grad.reshape(x.shape)


@alternative("gradient_check")
def gradient_check_by_norm(f, x, grad):
    require_same_shape(grad=grad, x=x)
    right = numerical_gradient(f, x)
    size = np.linalg.norm(grad) + np.linalg.norm(right)
    if size == 0:
        return 0
    return np.linalg.norm(right - grad) / size


@alternative("normal_equation")
def normal_equation_around_the_means(x, y):
    require_ndim(2, x=x)
    require_shape(x.shape[:1], y=y)
    centred = x - x.mean(axis=0)
    w = np.linalg.inv(centred.T @ centred) @ centred.T @ (y - y.mean())
    return w, y.mean() - x.mean(axis=0) @ w


@alternative("normal_equation")
def normal_equation_with_ones_in_front(x, y):
    require_ndim(2, x=x)
    require_shape(x.shape[:1], y=y)
    a = np.column_stack([np.ones_like(x[:, 0]), x])
    b, *w = np.linalg.solve(a.T @ a, a.T @ y)
    return np.array(w, dtype=x.dtype), b


@alternative("sgd_step")
def sgd_step_by_a_loop(params, grads, lr):
    if len(params) != len(grads):
        raise ValueError("params and grads do not have the same length")
    moved = []
    for i in range(len(params)):
        if params[i].shape != grads[i].shape:
            raise ValueError(f"grads {i} does not fit")
        moved.append(params[i] + (-lr) * grads[i])
    return moved


@alternative("train_linear_regression")
def train_linear_regression_by_steps(x, y, w, b, *, lr, steps):
    require_ndim(1, w=w)
    require_shape(x.shape[:1], y=y)
    require_positive(lr=lr)
    require_whole(0, steps=steps)
    losses, params = [], [w, np.array(b, dtype=w.dtype)]
    for _ in range(steps):
        losses.append(linear_regression_loss(x, y, params[0], params[1]))
        grad_w, grad_b = linear_regression_loss_backward(1.0, x, y, params[0], params[1])
        params = sgd_step(params, [grad_w, np.array(grad_b, dtype=w.dtype)], lr)
    return params[0], params[1].item(), losses


@alternative("perceptron_step")
def perceptron_step_by_cases(x, y, w, b, lr=1.0):
    require_ndim(1, x=x)
    require_same_shape(w=w, x=x)
    if y not in (0, 1):
        raise ValueError(f"y is {y}")
    fires = (w * x).sum() + b >= 0
    if fires and y == 0:
        return w - lr * x, b - lr
    if not fires and y == 1:
        return w + lr * x, b + lr
    return w.copy(), b


@alternative("delta_rule")
def delta_rule_by_parts(x, y, w, b, lr):
    require_ndim(1, x=x)
    require_same_shape(w=w, x=x)
    z = (w * x).sum() + b
    p = (1 + np.tanh(z / 2)) / 2
    push = lr * (y - p) * p * (1 - p)
    return w + push * x, b + push


@alternative("softmax_regression_loss")
def softmax_regression_loss_by_one_hot(x, y, w, b):
    require_ndim(2, w=w)
    require_shape(w.shape[:1], b=b)
    require_shape(x.shape[:1], y=y)
    if ((y < 0) | (y >= len(w))).any():
        raise ValueError(f"y has a class outside 0 ... {len(w) - 1}")
    s = predict(x, w, b)
    top = s.max(axis=1)
    logs = s - top[:, None] - np.log(np.exp(s - top[:, None]).sum(axis=1))[:, None]
    hot = np.eye(len(w), dtype=s.dtype)[y]
    return -(hot * logs).sum() / len(y)


@alternative("softmax_regression_loss_backward")
def softmax_regression_loss_backward_in_place(grad_out, x, y, w, b):
    require_ndim(2, w=w)
    require_shape(w.shape[:1], b=b)
    require_shape(x.shape[:1], y=y)
    if ((y < 0) | (y >= len(w))).any():
        raise ValueError(f"y has a class outside 0 ... {len(w) - 1}")
    p = predict(x, w, b)
    p = np.exp(p - p.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    p *= grad_out / len(y)
    return np.einsum("nk,nd->kd", p, x), p.sum(0)


@alternative("train_softmax_regression")
def train_softmax_regression_by_steps(x, y, num_classes, *, lr, steps):
    require_ndim(2, x=x)
    require_shape(x.shape[:1], y=y)
    require_whole(1, num_classes=num_classes)
    require_positive(lr=lr)
    require_whole(0, steps=steps)
    params = [np.zeros((num_classes, x.shape[1]), x.dtype), np.zeros(num_classes, x.dtype)]
    losses = []
    for _ in range(steps):
        losses.append(softmax_regression_loss(x, y, *params))
        params = sgd_step(params, list(softmax_regression_loss_backward(1.0, x, y, *params)), lr)
    return params[0], params[1], losses


@alternative("hierarchical_probabilities")
def hierarchical_probabilities_by_a_table(group_scores, class_scores, group_of):
    require_ndim(2, group_scores=group_scores)
    require_shape((len(group_scores), None), class_scores=class_scores)
    require_shape(class_scores.shape[1:], group_of=group_of)
    member = group_of == np.arange(group_scores.shape[1])[:, None]
    top = np.where(member, class_scores[:, None, :], -np.inf).max(axis=-1)
    share = np.exp(class_scores - top[:, group_of])
    share = share / (share @ member.T.astype(share.dtype))[:, group_of]
    group = np.exp(group_scores - group_scores.max(axis=1, keepdims=True))
    group = group / group.sum(axis=1, keepdims=True)
    return group[:, group_of] * share
