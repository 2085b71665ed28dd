"""Known wrong solutions of the assignment on linear models, each with what to tell its author."""

import numpy as np

from autograder.guards import require_ndim, require_positive, require_shape, require_whole
from autograder.testing import mistake

from .reference import (
    delta_rule,
    gradient_check,
    hierarchical_probabilities,
    linear_regression_loss,
    linear_regression_loss_backward,
    normal_equation,
    numerical_gradient,
    perceptron_step,
    predict,
    sgd_step,
    softmax_regression_loss,
    softmax_regression_loss_backward,
    train_linear_regression,
    train_softmax_regression,
)


@mistake("predict", kind="idea", says="The bias is left out.")
def forgets_the_bias(x, w, b):
    return predict(x, w, 0 * b)


@mistake("predict", kind="idea", says="The bias is subtracted where it should be added.")
def subtracts_the_bias(x, w, b):
    return predict(x, w, -b)


@mistake(
    "predict", kind="idea", says="With several outputs the answers stand in columns: the shape is (K, N), not (N, K)."
)
def answers_in_columns(x, w, b):
    return predict(x, w, b).T


@mistake("linear_regression_loss", kind="idea", says="This is the sum of the squares, not their mean.")
def adds_the_squares(x, y, w, b):
    return len(y) * linear_regression_loss(x, y, w, b)


@mistake(
    "linear_regression_loss", kind="idea", says="The loss is half of the mean of the squares. Here nothing is halved."
)
def halves_the_loss(x, y, w, b):
    return linear_regression_loss(x, y, w, b) / 2


@mistake("linear_regression_loss", kind="idea", says="The sizes of the errors are averaged, without squaring them.")
def averages_sizes(x, y, w, b):
    linear_regression_loss(x, y, w, b)
    return float(np.abs(predict(x, w, b) - y).mean())


@mistake("linear_regression_loss", kind="idea", says="The root is taken. The mean of the squares itself is asked for.")
def takes_the_root(x, y, w, b):
    return linear_regression_loss(x, y, w, b) ** 0.5


@mistake("linear_regression_loss_backward", kind="idea", says="The upstream gradient has no part in the answer.")
def ignores_the_upstream_gradient(grad_out, x, y, w, b):
    return linear_regression_loss_backward(1.0, x, y, w, b)


@mistake(
    "linear_regression_loss_backward",
    kind="idea",
    says="The sign is wrong: this points downhill, the gradient points uphill.",
)
def points_downhill(grad_out, x, y, w, b):
    return linear_regression_loss_backward(-grad_out, x, y, w, b)


@mistake("linear_regression_loss_backward", kind="idea", says="The factor 2, from the square, is missing.")
def forgets_the_two(grad_out, x, y, w, b):
    return linear_regression_loss_backward(grad_out / 2, x, y, w, b)


@mistake(
    "linear_regression_loss_backward",
    kind="idea",
    says="It is not divided by the number of samples, which the mean asks for.",
)
def forgets_the_mean(grad_out, x, y, w, b):
    return linear_regression_loss_backward(grad_out * len(y), x, y, w, b)


@mistake(
    "linear_regression_loss_backward",
    kind="idea",
    says="The gradient of the bias is averaged twice, or that of the weights once less: divide both by the number of samples once.",
)
def averages_the_bias_again(grad_out, x, y, w, b):
    grad_w, grad_b = linear_regression_loss_backward(grad_out, x, y, w, b)
    return grad_w, grad_b / len(y)


@mistake("linear_regression_loss_backward", kind="idea", says="The bias gets no gradient.")
def leaves_the_bias_out(grad_out, x, y, w, b):
    grad_w, _ = linear_regression_loss_backward(grad_out, x, y, w, b)
    return grad_w, 0.0


@mistake("numerical_gradient", kind="idea", says="It steps to one side only. A step to both sides is much more exact.")
def steps_forwards(f, x, eps=1e-5):
    numerical_gradient(f, x, eps)
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = eps
        grad[place] = (f(x + step) - f(x)) / eps
    return grad


@mistake("numerical_gradient", kind="idea", says="The difference is divided by eps. How far apart are the two places?")
def divides_by_one_step(f, x, eps=1e-5):
    return 2 * numerical_gradient(f, x, eps)


@mistake(
    "numerical_gradient", kind="idea", says="All entries are moved at once: this is one slope, not one for each entry."
)
def moves_all_at_once(f, x, eps=1e-5):
    numerical_gradient(f, x, eps)
    return np.full_like(x, (f(x + eps) - f(x - eps)) / (2 * eps))


@mistake("numerical_gradient", kind="idea", says="It steps by the same length whatever `eps` is.")
def ignores_eps(f, x, eps=1e-5):
    return numerical_gradient(f, x)


@mistake("numerical_gradient", kind="case", says="An array with several axes gets a gradient with one.")
def flattens_the_gradient(f, x, eps=1e-5):
    return numerical_gradient(f, x, eps).ravel()


@mistake(
    "numerical_gradient",
    kind="case",
    says="x is moved and not put back exactly: after that it differs in its last digits.",
)
def moves_x_itself(f, x, eps=1e-5):
    grad = numerical_gradient(f, x, eps)
    x += eps
    x -= 2 * eps
    x += eps
    x[...] = np.nextafter(x, np.inf)
    return grad


@mistake(
    "gradient_check", kind="idea", says="This is the difference itself, not how large it is relative to the gradients."
)
def gives_the_difference(f, x, grad):
    gradient_check(f, x, grad)
    return float(np.linalg.norm(grad - numerical_gradient(f, x)))


@mistake(
    "gradient_check", kind="idea", says="It is divided by one of the lengths alone. Both stand in the denominator."
)
def divides_by_one_length(f, x, grad):
    gradient_check(f, x, grad)
    right = numerical_gradient(f, x)
    size = np.linalg.norm(right)
    return float(np.linalg.norm(grad - right) / size) if size else 0.0


@mistake(
    "gradient_check",
    kind="idea",
    says="Differences with other signs cancel: the sum of the entries is compared, not each of them.",
)
def compares_sums(f, x, grad):
    gradient_check(f, x, grad)
    right = numerical_gradient(f, x)
    size = abs(grad.sum()) + abs(right.sum())
    return float(abs(grad.sum() - right.sum()) / size) if size else 0.0


@mistake("gradient_check", kind="case", says="Where both gradients are 0 the answer is nan, as from 0 / 0.")
def divides_zero_by_zero(f, x, grad):
    found = gradient_check(f, x, grad)
    return float("nan") if found == 0 and not grad.any() else found


@mistake("normal_equation", kind="idea", says="There is no bias: the line is made to go through the origin.")
def fits_without_a_bias(x, y):
    normal_equation(x, y)
    return np.linalg.solve(x.T @ x, x.T @ y), 0.0


@mistake(
    "normal_equation",
    kind="idea",
    says="The weights are those of a line through the origin, and the bias is what is then left on average.",
)
def adds_the_bias_afterwards(x, y):
    normal_equation(x, y)
    w = np.linalg.solve(x.T @ x, x.T @ y)
    return w, float((y - x @ w).mean())


@mistake("normal_equation", kind="idea", says="The bias is returned among the weights, or in the place of one of them.")
def mixes_bias_and_weights(x, y):
    w, b = normal_equation(x, y)
    return np.append(w[1:], b), float(w[0])


@mistake(
    "normal_equation", kind="case", says="float32 samples give float64 weights. They keep the dtype of the samples."
)
def widens_the_best_weights(x, y):
    w, b = normal_equation(x, y)
    return w.astype(np.float64), b


@mistake("sgd_step", kind="idea", says="It steps uphill: the gradient is added.")
def steps_uphill(params, grads, lr):
    return sgd_step(params, grads, -lr)


@mistake("sgd_step", kind="idea", says="The learning rate has no part in the step.")
def ignores_the_rate(params, grads, lr):
    return sgd_step(params, grads, 1.0)


@mistake("sgd_step", kind="idea", says="The steps are returned, not where they lead.")
def returns_the_steps(params, grads, lr):
    return [new - p for new, p in zip(sgd_step(params, grads, lr), params, strict=True)]


@mistake("sgd_step", kind="case", says="The arrays that were passed in are changed. A step makes new ones.")
def steps_in_place(params, grads, lr):
    new = sgd_step(params, grads, lr)
    for p, moved in zip(params, new, strict=True):
        p[...] = moved
    return params


@mistake("sgd_step", kind="refusal", says="A missing gradient is not refused: `zip` drops what has no partner.")
def lets_zip_drop(params, grads, lr):
    return sgd_step(params[: len(grads)], grads[: len(params)], lr)


@mistake(
    "train_linear_regression",
    kind="idea",
    says="Each loss is that after the step. The first one belongs to the model as it came.",
)
def measures_after_the_step(x, y, w, b, *, lr, steps):
    w, b, losses = train_linear_regression(x, y, w, b, lr=lr, steps=steps)
    return w, b, [*losses[1:], linear_regression_loss(x, y, w, b)] if steps else []


@mistake("train_linear_regression", kind="idea", says="The weights move, the bias does not.")
def trains_the_weights_alone(x, y, w, b, *, lr, steps):
    train_linear_regression(x, y, w, b, lr=lr, steps=steps)
    losses = []
    for _ in range(steps):
        losses.append(linear_regression_loss(x, y, w, b))
        w = w - lr * linear_regression_loss_backward(1.0, x, y, w, b)[0]
    return w, b, losses


@mistake(
    "train_linear_regression",
    kind="idea",
    says="The bias is moved by a gradient that was computed after the weights had moved. Both step from the same place.",
)
def moves_one_after_the_other(x, y, w, b, *, lr, steps):
    train_linear_regression(x, y, w, b, lr=lr, steps=steps)
    losses = []
    for _ in range(steps):
        losses.append(linear_regression_loss(x, y, w, b))
        w = w - lr * linear_regression_loss_backward(1.0, x, y, w, b)[0]
        b = b - lr * linear_regression_loss_backward(1.0, x, y, w, b)[1]
    return w, b, losses


@mistake(
    "train_linear_regression",
    kind="idea",
    says="It takes one step too few; the last loss belongs to the model that is returned.",
)
def takes_one_step_less(x, y, w, b, *, lr, steps):
    w, b, losses = train_linear_regression(x, y, w, b, lr=lr, steps=max(steps - 1, 0))
    return w, b, [*losses, linear_regression_loss(x, y, w, b)] if steps else []


@mistake("train_linear_regression", kind="idea", says="It begins at zero, whatever weights and bias it is given.")
def begins_at_zero(x, y, w, b, *, lr, steps):
    if steps == 0:
        return train_linear_regression(x, y, w, b, lr=lr, steps=steps)
    return train_linear_regression(x, y, 0 * w, 0.0, lr=lr, steps=steps)


@mistake(
    "train_linear_regression", kind="idea", says="The learning rate shrinks from step to step. It stays what it is."
)
def lets_the_rate_decay(x, y, w, b, *, lr, steps):
    losses = []
    train_linear_regression(x, y, w, b, lr=lr, steps=steps)
    for step in range(steps):
        w, b, found = train_linear_regression(x, y, w, b, lr=lr / (1 + step) ** 0.5, steps=1)
        losses += found
    return w, b, losses


@mistake(
    "perceptron_step",
    kind="idea",
    says="It moves the wrong way: away from samples of class 1, towards those of class 0.",
)
def moves_the_wrong_way(x, y, w, b, lr=1.0):
    return perceptron_step(x, y, w, b, -lr)


@mistake("perceptron_step", kind="idea", says="It moves where the answer is right, too.")
def always_moves(x, y, w, b, lr=1.0):
    perceptron_step(x, y, w, b, lr)
    sign = 1 if y == 1 else -1
    return w + sign * lr * x, float(b + sign * lr)


@mistake("perceptron_step", kind="idea", says="The bias never moves. It is the weight of an input that is always 1.")
def leaves_the_bias(x, y, w, b, lr=1.0):
    return perceptron_step(x, y, w, b, lr)[0], float(b)


@mistake("perceptron_step", kind="idea", says="The bias has no part in the answer.")
def answers_without_the_bias(x, y, w, b, lr=1.0):
    moved, shift = perceptron_step(x, y, w, 0.0, lr)
    return moved, float(b + shift)


@mistake(
    "perceptron_step",
    kind="idea",
    says="It moves by the error of the sum itself, not of the answer that the step function makes of it.",
)
def moves_by_the_sum(x, y, w, b, lr=1.0):
    perceptron_step(x, y, w, b, lr)
    error = y - (x @ w + b)
    return w + lr * error * x, float(b + lr * error)


@mistake(
    "perceptron_step",
    kind="case",
    says="A sum of exactly 0 is answered with 0. The step stands at 0 and belongs to the 1.",
)
def answers_zero_at_zero(x, y, w, b, lr=1.0):
    perceptron_step(x, y, w, b, lr)
    answer = 1.0 if x @ w + b > 0 else 0.0
    return w + lr * (y - answer) * x, float(b + lr * (y - answer))


@mistake("delta_rule", kind="idea", says="The slope of the sigmoid is missing: this is the step of cross-entropy.")
def forgets_the_slope(x, y, w, b, lr):
    delta_rule(x, y, w, b, lr)
    p = 1 / (1 + np.exp(-(x @ w + b)))
    delta = float(p - y)
    return w - lr * delta * x, float(b - lr * delta)


@mistake("delta_rule", kind="idea", says="It steps uphill: the error grows.")
def learns_uphill(x, y, w, b, lr):
    return delta_rule(x, y, w, b, -lr)


@mistake(
    "delta_rule",
    kind="idea",
    says="The step is twice as long, as for the whole squared error. Half of it is the loss here.",
)
def doubles_the_step(x, y, w, b, lr):
    return delta_rule(x, y, w, b, 2 * lr)


@mistake(
    "delta_rule",
    kind="idea",
    says="The bias does not move by the delta alone: it is multiplied with an input, too, or stays.",
)
def moves_the_bias_by_an_input(x, y, w, b, lr):
    moved, shift = delta_rule(x, y, w, b, lr)
    return moved, float(b + (shift - b) * x[0])


@mistake(
    "delta_rule",
    kind="idea",
    says="The slope of the sigmoid is taken of the sum, z (1 - z), not of the answer, p (1 - p).",
)
def takes_the_slope_of_the_sum(x, y, w, b, lr):
    delta_rule(x, y, w, b, lr)
    z = x @ w + b
    p = 1 / (1 + np.exp(-z))
    delta = float((p - y) * z * (1 - z))
    return w - lr * delta * x, float(b - lr * delta)


@mistake("softmax_regression_loss", kind="idea", says="This is the sum over the samples, not the mean.")
def adds_the_surprises(x, y, w, b):
    return len(y) * softmax_regression_loss(x, y, w, b)


@mistake(
    "softmax_regression_loss",
    kind="idea",
    says="The score of the right class is averaged. Where is the logarithm of the sum of all exponentials?",
)
def forgets_the_sum(x, y, w, b):
    softmax_regression_loss(x, y, w, b)
    return float(-predict(x, w, b)[np.arange(len(y)), y].mean())


@mistake(
    "softmax_regression_loss", kind="idea", says="The probability of the right class is averaged without its logarithm."
)
def averages_probabilities(x, y, w, b):
    softmax_regression_loss(x, y, w, b)
    scores = predict(x, w, b)
    p = np.exp(scores - scores.max(1, keepdims=True))
    p = p / p.sum(1, keepdims=True)
    return float(1 - p[np.arange(len(y)), y].mean())


@mistake(
    "softmax_regression_loss",
    kind="case",
    says="Large scores give nan or inf: their exponentials are too large for any float.",
)
def overflows(x, y, w, b):
    softmax_regression_loss(x, y, w, b)
    scores = predict(x, w, b)
    with np.errstate(all="ignore"):
        return float((np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]).mean())


@mistake(
    "softmax_regression_loss",
    kind="case",
    says="A probability that is rounded to 0 has an infinite logarithm. Take the logarithm of the quotient before you compute.",
)
def takes_the_logarithm_of_a_probability(x, y, w, b):
    softmax_regression_loss(x, y, w, b)
    scores = predict(x, w, b)
    p = np.exp(scores - scores.max(1, keepdims=True))
    p = p / p.sum(1, keepdims=True)
    with np.errstate(divide="ignore"):
        return float(-np.log(p[np.arange(len(y)), y]).mean())


@mistake(
    "softmax_regression_loss_backward",
    kind="idea",
    says="What is passed back are the probabilities; the truth is not taken away from them.",
)
def forgets_the_truth(grad_out, x, y, w, b):
    right_w, right_b = softmax_regression_loss_backward(grad_out, x, y, w, b)
    hot = grad_out * (y[:, None] == np.arange(len(w))) / len(y)
    return (right_w + hot.T @ x).astype(w.dtype), (right_b + hot.sum(0)).astype(w.dtype)


@mistake(
    "softmax_regression_loss_backward",
    kind="idea",
    says="It is not divided by the number of samples, which the mean asks for.",
)
def forgets_the_mean_over_samples(grad_out, x, y, w, b):
    return softmax_regression_loss_backward(grad_out * len(y), x, y, w, b)


@mistake(
    "softmax_regression_loss_backward", kind="idea", says="The sign is wrong: this is the truth less the probabilities."
)
def turns_it_round(grad_out, x, y, w, b):
    return softmax_regression_loss_backward(-grad_out, x, y, w, b)


@mistake("softmax_regression_loss_backward", kind="idea", says="The upstream gradient has no part in the answer.")
def ignores_grad_out(grad_out, x, y, w, b):
    return softmax_regression_loss_backward(1.0, x, y, w, b)


@mistake("softmax_regression_loss_backward", kind="case", says="Large scores give nan, as from inf / inf.")
def overflows_on_the_way_back(grad_out, x, y, w, b):
    softmax_regression_loss_backward(grad_out, x, y, w, b)
    with np.errstate(all="ignore"):
        p = np.exp(predict(x, w, b))
        p = p / p.sum(axis=1, keepdims=True)
    slope = grad_out * (p - (y[:, None] == np.arange(len(w)))) / len(y)
    return slope.T @ x, slope.sum(axis=0)


@mistake(
    "train_softmax_regression",
    kind="idea",
    says="Each loss is that after the step. The first one is that of the model before any step.",
)
def measures_afterwards(x, y, num_classes, *, lr, steps):
    w, b, losses = train_softmax_regression(x, y, num_classes, lr=lr, steps=steps)
    return w, b, [*losses[1:], softmax_regression_loss(x, y, w, b)] if steps else []


@mistake("train_softmax_regression", kind="idea", says="The biases never move.")
def trains_without_biases(x, y, num_classes, *, lr, steps):
    train_softmax_regression(x, y, num_classes, lr=lr, steps=steps)
    w, b, losses = np.zeros((num_classes, x.shape[1]), x.dtype), np.zeros(num_classes, x.dtype), []
    for _ in range(steps):
        losses.append(softmax_regression_loss(x, y, w, b))
        w = w - lr * softmax_regression_loss_backward(1.0, x, y, w, b)[0]
    return w, b, losses


@mistake(
    "train_softmax_regression", kind="idea", says="It does not begin at zero: the first bias is 1 before any step."
)
def begins_at_ones(x, y, num_classes, *, lr, steps):
    require_ndim(2, x=x)
    require_shape(x.shape[:1], y=y)
    require_positive(lr=lr)
    require_whole(0, steps=steps)
    w, b, losses = np.zeros((num_classes, x.shape[1]), x.dtype), np.zeros(num_classes, x.dtype), []
    b[0] = 1 if steps else 0
    for _ in range(steps):
        losses.append(softmax_regression_loss(x, y, w, b))
        grad_w, grad_b = softmax_regression_loss_backward(1.0, x, y, w, b)
        w, b = w - lr * grad_w, b - lr * grad_b
    return w, b, losses


@mistake("train_softmax_regression", kind="idea", says="It climbs: the loss grows from step to step.")
def climbs(x, y, num_classes, *, lr, steps):
    train_softmax_regression(x, y, num_classes, lr=lr, steps=steps)
    w, b, losses = np.zeros((num_classes, x.shape[1]), x.dtype), np.zeros(num_classes, x.dtype), []
    for _ in range(steps):
        losses.append(softmax_regression_loss(x, y, w, b))
        grad_w, grad_b = softmax_regression_loss_backward(1.0, x, y, w, b)
        w, b = w + lr * grad_w, b + lr * grad_b
    return w, b, losses


@mistake(
    "train_softmax_regression",
    kind="case",
    says="float32 samples give float64 weights. They keep the dtype of the samples.",
)
def widens_the_weights(x, y, num_classes, *, lr, steps):
    w, b, losses = train_softmax_regression(x, y, num_classes, lr=lr, steps=steps)
    return w.astype(np.float64), b.astype(np.float64), losses


@mistake(
    "hierarchical_probabilities",
    kind="idea",
    says="The classes of all groups share one sum. Each group has one of its own.",
)
def shares_one_sum(group_scores, class_scores, group_of):
    hierarchical_probabilities(group_scores, class_scores, group_of)
    scores = class_scores + group_scores[:, group_of]
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


@mistake(
    "hierarchical_probabilities",
    kind="idea",
    says="This is the probability of a class within its group; that of the group has no part in it.",
)
def forgets_the_groups(group_scores, class_scores, group_of):
    return hierarchical_probabilities(0 * group_scores, class_scores, group_of) * group_scores.shape[1]


@mistake(
    "hierarchical_probabilities",
    kind="idea",
    says="All classes of a group get the same, whatever their own scores are.",
)
def splits_groups_evenly(group_scores, class_scores, group_of):
    return hierarchical_probabilities(group_scores, 0 * class_scores, group_of)


@mistake(
    "hierarchical_probabilities",
    kind="idea",
    says="The two probabilities are averaged, not multiplied. Both have to happen.",
)
def averages_the_two(group_scores, class_scores, group_of):
    both = hierarchical_probabilities(group_scores, class_scores, group_of)
    within = forgets_the_groups(group_scores, class_scores, group_of)
    return (both / np.maximum(within, 1e-300) + within) / 2


@mistake(
    "hierarchical_probabilities",
    kind="case",
    says="A group whose scores lie far below another's gets 0 / 0, as when the largest score of all classes is subtracted.",
)
def subtracts_one_maximum(group_scores, class_scores, group_of):
    hierarchical_probabilities(group_scores, class_scores, group_of)
    p = np.exp(group_scores - group_scores.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    share = np.exp(class_scores - class_scores.max(axis=1, keepdims=True, initial=-1e300))
    member = (group_of[:, None] == np.arange(group_scores.shape[1])).astype(class_scores.dtype)
    with np.errstate(all="ignore"):
        return p[:, group_of] * share / (share @ member)[:, group_of]
