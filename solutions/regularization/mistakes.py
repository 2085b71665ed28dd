"""Known wrong solutions of the assignment on regularization, each with what to tell its author."""

import math

import torch

from autograder.testing import mistake

from .reference import (
    EarlyStopping,
    add_noise,
    adjust_brightness,
    dropout,
    dropout_backward,
    fgsm_step,
    horizontal_flip,
    l1_penalty,
    l1_penalty_backward,
    l2_penalty,
    l2_penalty_backward,
    mc_dropout_mean,
    mixup,
    random_crop,
    rotate,
    smooth_targets,
    weight_decay_step,
)


@mistake(
    "dropout", kind="idea", says="The kept entries are not scaled up, so their expected value shrinks while training."
)
def forgets_to_scale(x, p=0.5, *, training=True, generator):
    _, mask = dropout(x, p, training=training, generator=generator)
    return x * (mask != 0), (mask != 0).to(x.dtype)


@mistake(
    "dropout",
    kind="idea",
    says="Entries are kept with probability p, and scaled by 1 / p. p is the probability of dropping one.",
)
def keeps_with_probability_p(x, p=0.5, *, training=True, generator):
    dropout(x, p, training=False, generator=generator)
    return dropout(x, 1 - p, training=training, generator=generator)


@mistake(
    "dropout",
    kind="idea",
    says="Entries are kept with probability p, and scaled by 1 / (1 - p). Which comparison with the draw drops?",
)
def keeps_where_it_should_drop(x, p=0.5, *, training=True, generator):
    out, mask = dropout(x, p, training=False, generator=generator)
    if training:
        kept = torch.rand(x.shape, generator=generator, device=x.device) < p
        mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(x)
        out = x * mask
    return out, mask


@mistake(
    "dropout",
    kind="idea",
    stage="evaluation",
    says="Entries are dropped in evaluation mode too. Nothing is random there.",
)
def drops_in_evaluation(x, p=0.5, *, training=True, generator):
    return dropout(x, p, generator=generator)


@mistake(
    "dropout",
    kind="case",
    says="Equal generators give different results, as if the numbers came from torch's global generator. Two runs with the same seed then differ.",
)
def draws_from_the_global_generator(x, p=0.5, *, training=True, generator):
    return dropout(x, p, training=training, generator=torch.default_generator)


@mistake(
    "dropout", kind="idea", says="All entries of a row are kept or dropped together. Each entry has a draw of its own."
)
def drops_whole_rows(x, p=0.5, *, training=True, generator):
    _, mask = dropout(x[..., :1] if x.ndim else x, p, training=training, generator=generator)
    return x * mask, mask * torch.ones_like(x)


@mistake("dropout", kind="case", says="With p = 1 the answer is nan, as from 0 / 0: nothing is left to scale.")
def divides_by_zero(x, p=0.5, *, training=True, generator):
    _, mask = dropout(x, p, training=training, generator=generator)
    if training and p == 1:
        mask = mask / 0
    return x * mask, mask


@mistake(
    "dropout",
    kind="idea",
    stage="evaluation",
    says="In evaluation mode the entries are multiplied by 1 - p. With inverted dropout nothing is left to do there.",
)
def scales_in_evaluation(x, p=0.5, *, training=True, generator):
    out, mask = dropout(x, p, training=training, generator=generator)
    return (out, mask) if training else (x * (1 - p), mask * (1 - p))


@mistake(
    "dropout",
    kind="idea",
    says="The same entries are dropped in every call, whatever the generator, as with a seed of its own.",
)
def drops_the_same_entries(x, p=0.5, *, training=True, generator):
    return dropout(x, p, training=training, generator=torch.Generator(x.device).manual_seed(0))


@mistake(
    "dropout",
    kind="idea",
    says="The same entries are dropped in every sample. Each entry of the whole tensor has a draw of its own.",
)
def draws_for_one_sample(x, p=0.5, *, training=True, generator):
    _, mask = dropout(x[0] if x.ndim else x, p, training=training, generator=generator)
    return x * mask, mask * torch.ones_like(x)


@mistake(
    "dropout",
    kind="idea",
    says="The number of dropped entries is fixed: always a share p of them. Each entry has a draw of its own, so any number may be dropped.",
)
def drops_a_fixed_number(x, p=0.5, *, training=True, generator):
    if not training:
        return dropout(x, p, training=False, generator=generator)
    order = torch.randperm(x.numel(), generator=generator, device=x.device).reshape(x.shape)
    mask = (order >= round(p * x.numel())).to(x.dtype) / max(1 - p, 1e-9)
    return x * mask, mask


@mistake(
    "dropout",
    kind="idea",
    says="The second half of the entries is kept and dropped as the first half is. Each entry has a draw of its own.",
)
def repeats_half_of_the_draws(x, p=0.5, *, training=True, generator):
    half = x.new_ones((x.numel() + 1) // 2)
    _, mask = dropout(half, p, training=training, generator=generator)
    mask = torch.cat([mask, mask])[: x.numel()].reshape(x.shape)
    return x * mask, mask


@mistake("dropout", kind="case", says="It is as if p were rounded to tenths. It may be any number of [0, 1].")
def rounds_p_to_tenths(x, p=0.5, *, training=True, generator):
    out, mask = dropout(x, p, training=False, generator=generator)
    if training:
        kept = torch.randint(10, x.shape, generator=generator, device=x.device) >= round(10 * p)
        mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(x)
        out = x * mask
    return out, mask


@mistake(
    "dropout", kind="case", says="The mask is float32, whatever the dtype of x is. Both results have the dtype of x."
)
def masks_in_float32(x, p=0.5, *, training=True, generator):
    _, mask = dropout(x.float(), p, training=training, generator=generator)
    return x * mask, mask


@mistake(
    "dropout",
    kind="case",
    says="Where an entry of x is 0 the mask is 0, as if it were read off the result. The mask does not depend on the entries.",
)
def reads_the_mask_off_the_result(x, p=0.5, *, training=True, generator):
    out, mask = dropout(x, p, training=training, generator=generator)
    return (out, (out != 0).to(x.dtype) / (1 - p)) if training and p < 1 else (out, mask)


@mistake(
    "dropout_backward",
    kind="idea",
    says="The answer is `grad_out` itself: it passes dropped entries as well, though they had no part in the result.",
)
def passes_everything(grad_out, mask):
    dropout_backward(grad_out, mask)
    return grad_out.clone()


@mistake(
    "dropout_backward",
    kind="idea",
    says="The kept entries are not scaled. The forward multiplied them by 1 / (1 - p), and so does the backward.",
)
def forgets_the_factor(grad_out, mask):
    dropout_backward(grad_out, mask)
    return torch.where(mask != 0, grad_out, 0)


@mistake(
    "dropout_backward", kind="idea", says="Kept entries are divided by the mask. The derivative of x * mask is mask."
)
def divides_by_the_mask(grad_out, mask):
    dropout_backward(grad_out, mask)
    return torch.where(mask != 0, grad_out / mask, 0)


@mistake(
    "dropout_backward",
    kind="idea",
    says="The mask is added to the upstream gradient. The derivative of x * mask is a factor.",
)
def adds_the_mask(grad_out, mask):
    dropout_backward(grad_out, mask)
    return grad_out + mask


@mistake(
    "dropout_backward",
    kind="refusal",
    says="A `grad_out` of another shape is not refused with ValueError: it is broadcast, or fails inside torch.",
)
def broadcasts_the_upstream_gradient(grad_out, mask):
    return grad_out * mask


@mistake(
    "dropout_backward",
    kind="case",
    says="The tensor `grad_out` itself is changed. The caller still needs it: make a new tensor.",
)
def multiplies_in_place(grad_out, mask):
    dropout_backward(grad_out, mask)
    return grad_out.mul_(mask)


@mistake("mc_dropout_mean", kind="idea", says="All predictions share one mask. Each has to draw its own.")
def draws_one_mask(x, predict, p=0.5, *, samples, generator):
    if samples < 1:
        raise ValueError("samples")
    out, _ = dropout(x, p, generator=generator)
    return torch.stack([predict(out) for _ in range(samples)]).mean(0)


@mistake(
    "mc_dropout_mean",
    kind="idea",
    says="It is as if the masked inputs were averaged before the prediction. The mean is taken of the predictions.",
)
def averages_the_inputs(x, predict, p=0.5, *, samples, generator):
    return predict(mc_dropout_mean(x, lambda v: v, p, samples=samples, generator=generator))


@mistake("mc_dropout_mean", kind="idea", says="Every prediction is made from x as it is: nothing is dropped.")
def predicts_in_evaluation_mode(x, predict, p=0.5, *, samples, generator):
    if samples < 1:
        raise ValueError("samples")
    return torch.stack([predict(dropout(x, p, training=False, generator=generator)[0]) for _ in range(samples)]).mean(0)


@mistake("mc_dropout_mean", kind="idea", says="This is the sum of the predictions, not their mean.")
def adds_the_predictions(x, predict, p=0.5, *, samples, generator):
    return samples * mc_dropout_mean(x, predict, p, samples=samples, generator=generator)


@mistake(
    "mc_dropout_mean",
    kind="idea",
    says="What is kept is not scaled up before the prediction. Use the inverted dropout of this notebook.",
)
def predicts_from_smaller_inputs(x, predict, p=0.5, *, samples, generator):
    return mc_dropout_mean(x, lambda v: predict(v * (1 - p)), p, samples=samples, generator=generator)


@mistake(
    "mc_dropout_mean",
    kind="idea",
    says="Entries are kept with probability p, and scaled by 1 / p. p is the probability of dropping one.",
)
def keeps_a_share_p(x, predict, p=0.5, *, samples, generator):
    mc_dropout_mean(x, lambda v: v, p, samples=samples, generator=torch.Generator(x.device))
    return mc_dropout_mean(x, predict, 1 - p, samples=samples, generator=generator)


@mistake(
    "mc_dropout_mean",
    kind="idea",
    says="Every call draws the same masks, whatever the generator, as with a seed of its own.",
)
def asks_the_same_crowd(x, predict, p=0.5, *, samples, generator):
    own = torch.Generator(x.device).manual_seed(0)
    return mc_dropout_mean(x, predict, p, samples=samples, generator=own)


@mistake(
    "mc_dropout_mean",
    kind="case",
    says="One prediction more is asked for than `samples` says, as if to learn the shape of an answer.",
)
def asks_once_more(x, predict, p=0.5, *, samples, generator):
    predict(x)
    return mc_dropout_mean(x, predict, p, samples=samples, generator=generator)


@mistake(
    "mc_dropout_mean",
    kind="case",
    says="Predictions for a float16 or bfloat16 x are made from float32, as if the mask were float32.",
)
def thins_by_a_float32_mask(x, predict, p=0.5, *, samples, generator):
    wide = torch.promote_types(x.dtype, torch.float32)
    return mc_dropout_mean(x, lambda v: predict(v.to(wide)), p, samples=samples, generator=generator)


@mistake(
    "mc_dropout_mean",
    kind="case",
    says="The predictions are added up one by one in the dtype of x: a sum in bfloat16 stops growing at 256 times what is added. torch's own `mean` and `sum` add with more digits.",
)
def adds_up_one_by_one(x, predict, p=0.5, *, samples, generator):
    if samples < 1:
        raise ValueError("samples")
    return sum(predict(dropout(x, p, generator=generator)[0]) for _ in range(samples)) / samples


@mistake(
    "mc_dropout_mean",
    kind="case",
    says="Equal generators give different results, as if the numbers came from torch's global generator. Two runs with the same seed then differ.",
)
def draws_masks_globally(x, predict, p=0.5, *, samples, generator):
    return mc_dropout_mean(x, predict, p, samples=samples, generator=torch.default_generator)


@mistake(
    "l2_penalty",
    kind="idea",
    says="This is strength times the norm itself. The penalty has the sum of the squares, without a root.",
)
def takes_the_root(weight, strength):
    l2_penalty(weight, strength)
    return strength * weight.square().sum().sqrt()


@mistake("l2_penalty", kind="idea", says="The squares are averaged. The penalty is their sum.")
def averages_the_squares(weight, strength):
    l2_penalty(weight, strength)
    return strength * weight.square().mean()


@mistake(
    "l2_penalty",
    kind="idea",
    says="The penalty is halved. Some books do so, but here it is strength times the sum of the squares.",
)
def halves_the_penalty(weight, strength):
    return l2_penalty(weight, strength) / 2


@mistake("l2_penalty", kind="idea", says="`strength` has no part in the answer: this is the sum of the squares alone.")
def forgets_the_strength(weight, strength):
    l2_penalty(weight, strength)
    return l2_penalty(weight, 1.0)


@mistake("l2_penalty", kind="idea", says="`strength` is added to the sum of the squares. It is a factor.")
def adds_the_strength(weight, strength):
    l2_penalty(weight, strength)
    return strength + l2_penalty(weight, 1.0)


@mistake("l2_penalty", kind="idea", says="The weights are added up as they are. Each is squared first.")
def forgets_the_squares(weight, strength):
    l2_penalty(weight, strength)
    return strength * weight.sum()


@mistake(
    "l2_penalty", kind="idea", says="This is strength times the square of the sum. Each weight is squared by itself."
)
def squares_the_sum(weight, strength):
    l2_penalty(weight, strength)
    return strength * weight.sum().square()


@mistake(
    "l2_penalty",
    kind="case",
    says="The penalty is float64, whatever the dtype of the weights is.",
)
def gives_float64_penalties(weight, strength):
    return l2_penalty(weight.double(), strength)


@mistake(
    "l2_penalty_backward",
    kind="idea",
    says="The gradient is half as large as it should be: the derivative of a square has a factor 2.",
)
def forgets_the_two(grad_out, weight, strength):
    return l2_penalty_backward(grad_out, weight, strength) / 2


@mistake(
    "l2_penalty_backward", kind="idea", says="`grad_out` has no part in the answer. The chain rule multiplies by it."
)
def forgets_the_upstream_gradient(grad_out, weight, strength):
    l2_penalty_backward(grad_out, weight, strength)
    return 2 * strength * weight


@mistake(
    "l2_penalty_backward", kind="idea", says="This is 2 w alone: `grad_out` and `strength` have no part in the answer."
)
def returns_twice_the_weights(grad_out, weight, strength):
    l2_penalty_backward(grad_out, weight, strength)
    return 2 * weight


@mistake(
    "l2_penalty_backward",
    kind="idea",
    says="This is the gradient of the other penalty: it has the same size for every weight.",
)
def takes_the_sign(grad_out, weight, strength):
    return l1_penalty_backward(grad_out, weight, strength)


@mistake(
    "l2_penalty_backward",
    kind="idea",
    says="The gradient is divided by the number of weights. The penalty is a sum, so nothing is.",
)
def averages_over_the_weights(grad_out, weight, strength):
    return l2_penalty_backward(grad_out, weight, strength) / max(1, weight.numel())


@mistake(
    "l1_penalty", kind="idea", says="The weights are added with their signs, so that positive and negative ones cancel."
)
def adds_with_signs(weight, strength):
    l1_penalty(weight, strength)
    return strength * weight.sum()


@mistake("l1_penalty", kind="idea", says="The absolute values are averaged. The penalty is their sum.")
def averages_the_sizes(weight, strength):
    l1_penalty(weight, strength)
    return strength * weight.abs().mean()


@mistake("l1_penalty", kind="idea", says="`strength` has no part in the answer: this is the sum of the sizes alone.")
def sizes_without_strength(weight, strength):
    l1_penalty(weight, strength)
    return l1_penalty(weight, 1.0)


@mistake("l1_penalty", kind="idea", says="`strength` is added to the sum of the sizes. It is a factor.")
def adds_the_strength_to_the_sizes(weight, strength):
    l1_penalty(weight, strength)
    return strength + l1_penalty(weight, 1.0)


@mistake("l1_penalty", kind="idea", says="This is the other penalty, strength times the sum of the squares.")
def squares_instead(weight, strength):
    return l2_penalty(weight, strength)


@mistake(
    "l1_penalty_backward",
    kind="idea",
    says="The gradient has the sign of `grad_out` for every weight. For a negative weight the penalty falls when the weight grows.",
)
def loses_the_sign(grad_out, weight, strength):
    return l1_penalty_backward(grad_out, weight, strength) * weight.sign()


@mistake(
    "l1_penalty_backward",
    kind="idea",
    says="The gradient grows with the weight. The slope of |w| is 1 or -1, however large w is.",
)
def grows_with_the_weight(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return grad_out * strength * weight


@mistake(
    "l1_penalty_backward",
    kind="case",
    says="A weight that is exactly 0 has a gradient as if it were positive. It is stated to be 0.",
)
def pushes_zeros_away(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return grad_out * strength * torch.where(weight >= 0, 1.0, -1.0).to(weight.dtype)


@mistake(
    "l1_penalty_backward", kind="idea", says="`grad_out` has no part in the answer. The chain rule multiplies by it."
)
def l1_without_upstream_gradient(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return strength * weight.sign()


@mistake(
    "l1_penalty_backward", kind="idea", says="`strength` has no part in the answer. It is a factor of the penalty."
)
def l1_without_strength(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return grad_out * weight.sign()


@mistake(
    "l1_penalty_backward",
    kind="idea",
    says="This is the sign alone: `grad_out` and `strength` have no part in the answer.",
)
def returns_the_sign(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return weight.sign()


@mistake(
    "l1_penalty_backward",
    kind="idea",
    says="The sign of the weight is added to the factors before it. It multiplies them.",
)
def adds_the_sign(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return grad_out * strength + weight.sign()


@mistake("l1_penalty_backward", kind="case", says="For a weight of exactly 0 the gradient is nan, as from w / |w|.")
def divides_by_the_size(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return grad_out * strength * (weight / weight.abs())


@mistake(
    "weight_decay_step",
    kind="idea",
    says="The weights shrink by weight_decay in each step, whatever the learning rate. The formula multiplies the two.",
)
def decays_without_the_rate(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return (1 - weight_decay) * param - lr * grad


@mistake("weight_decay_step", kind="idea", says="The decay makes weights grow: its sign is wrong.")
def grows_the_weights(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return (1 + lr * weight_decay) * param - lr * grad


@mistake(
    "weight_decay_step",
    kind="idea",
    says="It is as if the new weights shrank, gradient and all. The old weights shrink, and then the step is taken.",
)
def decays_after_the_step(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return (1 - lr * weight_decay) * (param - lr * grad)


@mistake(
    "weight_decay_step",
    kind="idea",
    says="The decay is twice too large, as from a penalty without the half. Here w shrinks by lr * weight_decay * w.",
)
def decays_twice_as_fast(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return (1 - 2 * lr * weight_decay) * param - lr * grad


@mistake(
    "weight_decay_step",
    kind="idea",
    says="`weight_decay` has no part in the answer: this is a plain step of gradient descent.",
)
def ignores_the_decay(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return param - lr * grad


@mistake(
    "weight_decay_step",
    kind="idea",
    says="The weights shrink by exp(-lr * weight_decay), which is nearly the same only while that is small.",
)
def decays_exponentially(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return math.exp(-lr * weight_decay) * param - lr * grad


@mistake(
    "weight_decay_step",
    kind="case",
    says="The factor of the old weights is cut off at 0. With a large rate and decay it may be negative.",
)
def stops_at_zero(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return max(0.0, 1 - lr * weight_decay) * param - lr * grad


@mistake("weight_decay_step", kind="case", says="The tensor `param` itself is changed. Return a new one.")
def steps_in_place(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return param.mul_(1 - lr * weight_decay).sub_(lr * grad)


@mistake("weight_decay_step", kind="refusal", says="An `lr` of 0 is not refused.")
def accepts_any_rate(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=1.0, weight_decay=weight_decay)
    return (1 - lr * weight_decay) * param - lr * grad


@mistake("weight_decay_step", kind="refusal", says="A negative `lr` is not refused.")
def accepts_a_negative_rate(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=abs(lr), weight_decay=weight_decay)
    return (1 - lr * weight_decay) * param - lr * grad


@mistake("weight_decay_step", kind="refusal", says="A negative `weight_decay` is not refused, and weights grow.")
def accepts_any_decay(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=0.0)
    return (1 - lr * weight_decay) * param - lr * grad


@mistake(
    "weight_decay_step",
    kind="refusal",
    says="A `grad` of another shape is not refused with ValueError: it is stretched over the weights, or fails inside torch.",
)
def stretches_the_gradient(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, param, lr=lr, weight_decay=weight_decay)
    return (1 - lr * weight_decay) * param - lr * grad


class _Counting:
    """Early stopping as asked, with one thing left to change."""

    def __init__(self, patience=5, min_delta=0.0):
        EarlyStopping(patience, min_delta)
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_params, self.bad_epochs = math.inf, None, 0

    def step(self, loss, params):
        if self.is_better(loss):
            self.best, self.best_params, self.bad_epochs = loss, list(params), 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience

    def is_better(self, loss):
        return loss < self.best - self.min_delta


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="A better loss does not set the count of bad epochs back: it has to start anew.",
)
class NeverStartsAnew(_Counting):
    def step(self, loss, params):
        bad = self.bad_epochs
        super().step(loss, params)
        self.bad_epochs = max(bad, self.bad_epochs)
        return self.bad_epochs >= self.patience


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="A loss that equals best - min_delta counts as better. It has to be lower.",
)
class TakesEqualForBetter(_Counting):
    def is_better(self, loss):
        return loss <= self.best - self.min_delta


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="It stops one epoch too late: `patience` bad epochs in a row are enough.",
)
class StopsTooLate(_Counting):
    def step(self, loss, params):
        super().step(loss, params)
        return self.bad_epochs > self.patience


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="It says stop only once. As long as the bad epochs go on, the answer stays True.",
)
class StopsOnlyOnce(_Counting):
    def step(self, loss, params):
        super().step(loss, params)
        return self.bad_epochs == self.patience


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="Once it has said stop, it says so for ever. After a better loss the answer is False again.",
)
class SaysStopForEver(_Counting):
    def step(self, loss, params):
        self._stopped = super().step(loss, params) or getattr(self, "_stopped", False)
        return self._stopped


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="patience",
    says="It is as if each loss were compared with the one before it. It has to be compared with the best one.",
)
class ComparesWithTheLast(_Counting):
    def step(self, loss, params):
        stop = super().step(loss, params)
        self.best = loss
        return stop


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="min_delta",
    says="`best` follows every small improvement. A loss that is not lower than best - min_delta does not become the best.",
)
class RemembersSmallImprovements(_Counting):
    def step(self, loss, params):
        stop = super().step(loss, params)
        self.best = min(self.best, loss)
        return stop


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="min_delta",
    says="`min_delta` has no part in the answer: a loss that is better by less still counts.",
)
class IgnoresMinDelta(_Counting):
    def is_better(self, loss):
        return loss < self.best


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="min_delta",
    says="It is as if `min_delta` were added: a loss that is a little worse counts as better.",
)
class AddsMinDelta(_Counting):
    def is_better(self, loss):
        return loss < self.best + self.min_delta


@mistake(
    "EarlyStopping",
    kind="case",
    says="A loss of nan counts as better: every comparison with nan is False. Ask what is better, not what is worse.",
)
class TakesNanForBetter(_Counting):
    def is_better(self, loss):
        return not loss >= self.best - self.min_delta


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="weights",
    says="`best_params` are always those of the latest epoch. They change only with the best loss.",
)
class KeepsTheLastWeights(_Counting):
    def step(self, loss, params):
        stop = super().step(loss, params)
        self.best_params = list(params)
        return stop


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="weights",
    says="`best_params` stay those of the first epoch. A better epoch brings its own.",
)
class KeepsTheFirstWeights(_Counting):
    def step(self, loss, params):
        first = self.best_params
        stop = super().step(loss, params)
        self.best_params = first or self.best_params
        return stop


@mistake(
    "EarlyStopping",
    kind="idea",
    stage="weights",
    says="`best_params` are those of the epoch before the best one. A loss belongs to the weights that come with it.",
)
class KeepsTheWeightsBefore(_Counting):
    def step(self, loss, params):
        stop = super().step(loss, getattr(self, "_before", params))
        self._before = params
        return stop


@mistake(
    "EarlyStopping",
    kind="case",
    says="A gain of less than min_delta changes `best_params`, though `best` stays. The two belong together.",
)
class KeepsAnyLowerWeights(_Counting):
    def step(self, loss, params):
        lowest = getattr(self, "_lowest", math.inf)
        stop = super().step(loss, params)
        if loss < lowest:
            self._lowest, self.best_params = loss, list(params)
        return stop


@mistake(
    "EarlyStopping",
    kind="case",
    says="A loss that is better by exactly min_delta counts as better. It has to be lower than best - min_delta.",
)
class TakesMinDeltaForEnough(_Counting):
    def is_better(self, loss):
        return loss <= self.best - self.min_delta and loss < self.best


@mistake(
    "EarlyStopping",
    kind="case",
    says="A first loss above 1000 does not count as better. At the start any loss is better.",
)
class StartsAtAThousand(_Counting):
    def __init__(self, patience=5, min_delta=0.0):
        super().__init__(patience, min_delta)
        self.best = 1000.0


@mistake(
    "smooth_targets",
    kind="idea",
    says="The doubt is shared by the other classes alone. The formula gives every class, also the right one, s / K.",
)
def leaves_the_right_class_out(y, num_classes, smoothing=0.1):
    one_hot = smooth_targets(y, num_classes, 0.0) + 0 * smooth_targets(y, num_classes, smoothing)
    return (1 - smoothing) * one_hot + smoothing / max(1, num_classes - 1) * (1 - one_hot)


@mistake("smooth_targets", kind="idea", says="The rows do not sum to 1: every class gets s instead of s / K.")
def gives_every_class_all(y, num_classes, smoothing=0.1):
    right = smooth_targets(y, num_classes, smoothing)
    return right + smoothing - smoothing / num_classes


@mistake(
    "smooth_targets", kind="idea", says="The right class keeps a 1. What goes to all classes has to be taken from it."
)
def keeps_the_one(y, num_classes, smoothing=0.1):
    smooth_targets(y, num_classes, smoothing)
    return smooth_targets(y, num_classes, 0.0) + smoothing / num_classes


@mistake(
    "smooth_targets",
    kind="idea",
    says="`num_classes` has no part in the number of columns: it is that of the largest class of this batch.",
)
def counts_the_classes_itself(y, num_classes, smoothing=0.1):
    smooth_targets(y, num_classes, smoothing)
    return smooth_targets(y, int(y.max()) + 1 if len(y) else 1, smoothing)


@mistake("smooth_targets", kind="case", says="The targets are float64. They have to be float32.")
def gives_float64(y, num_classes, smoothing=0.1):
    return smooth_targets(y, num_classes, smoothing).double()


@mistake("add_noise", kind="idea", says="The noise is multiplied by the root of `std`, as if that were a variance.")
def takes_std_for_a_variance(x, std, *, generator):
    add_noise(x, std, generator=torch.Generator(x.device))
    return add_noise(x, std**0.5, generator=generator)


@mistake(
    "add_noise",
    kind="idea",
    says="No noise is further out than 1.73 `std`, as where it is uniform. Normal noise lies further out now and then.",
)
def adds_uniform_noise(x, std, *, generator):
    add_noise(x, std, generator=torch.Generator(x.device))
    spread = (torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype) - 0.5) * 12**0.5
    return x + std * spread


@mistake(
    "add_noise",
    kind="idea",
    says="The noise lies between 0 and `std`, as that of `torch.rand` does. It has to be normal, about 0.",
)
def adds_numbers_from_0_to_1(x, std, *, generator):
    add_noise(x, std, generator=torch.Generator(x.device))
    return x + std * torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)


@mistake("add_noise", kind="idea", says="The noise is never negative. It has to go both ways.")
def adds_positive_noise(x, std, *, generator):
    return x + (add_noise(x, std, generator=generator) - x).abs()


@mistake(
    "add_noise",
    kind="case",
    says="Equal generators give different results, as if the numbers came from torch's global generator. Two runs with the same seed then differ.",
)
def draws_noise_globally(x, std, *, generator):
    return add_noise(x, std, generator=torch.default_generator)


@mistake(
    "add_noise", kind="idea", says="Every call adds the same noise, whatever the generator, as with a seed of its own."
)
def adds_the_same_noise(x, std, *, generator):
    return add_noise(x, std, generator=torch.Generator(x.device).manual_seed(0))


@mistake("add_noise", kind="idea", says="Every sample gets the same noise. Each entry has a draw of its own.")
def draws_noise_for_one_sample(x, std, *, generator):
    noise = add_noise(torch.zeros_like(x[:1] if x.ndim else x), std, generator=generator)
    return x + noise


@mistake("add_noise", kind="idea", says="The noise is multiplied by the input. It is added, and does not depend on x.")
def scales_the_noise_with_x(x, std, *, generator):
    return x + x * add_noise(torch.zeros_like(x), std, generator=generator)


@mistake(
    "add_noise",
    kind="case",
    says="The noise adds up to exactly 0, as if its mean were taken away. Only on average is the noise 0.",
)
def takes_the_mean_away(x, std, *, generator):
    noise = add_noise(torch.zeros_like(x), std, generator=generator)
    return x + noise - (noise.mean() if x.numel() else 0)


@mistake(
    "add_noise",
    kind="case",
    says="No noise is further out than two and a half `std`. Normal noise has no bounds.",
)
def cuts_off_the_noise(x, std, *, generator):
    noise = add_noise(torch.zeros_like(x), std, generator=generator)
    return x + noise.clamp(-2.5 * std, 2.5 * std)


@mistake(
    "add_noise",
    kind="case",
    says="The result for a float16 x is float32, as if the noise were. The result has the dtype of x.",
)
def adds_float32_noise(x, std, *, generator):
    return x + add_noise(torch.zeros(x.shape, device=x.device), std, generator=generator)


@mistake("mixup", kind="idea", says="Samples and targets have different partners, as if two permutations were drawn.")
def draws_two_permutations(x, y, lam, *, generator):
    return mixup(x, y, lam, generator=generator)[0], mixup(x, y, lam, generator=generator)[1]


@mistake("mixup", kind="idea", says="`lam` is the share of the partner here. It belongs to the sample itself.")
def swaps_the_shares(x, y, lam, *, generator):
    return mixup(x, y, 1 - lam, generator=generator)


@mistake("mixup", kind="idea", says="The targets are left as they were. They are mixed like the samples.")
def mixes_samples_only(x, y, lam, *, generator):
    return mixup(x, y, lam, generator=generator)[0], y.clone()


@mistake(
    "mixup", kind="idea", says="Every sample is mixed with the one on the opposite side of the batch: nothing is drawn."
)
def takes_the_reversed_batch(x, y, lam, *, generator):
    mixup(x, y, lam, generator=torch.Generator(x.device))
    return lam * x + (1 - lam) * x.flip(0), lam * y + (1 - lam) * y.flip(0)


@mistake(
    "mixup",
    kind="idea",
    says="Some samples are several times a partner and others never, as if partners were drawn one by one. Draw a permutation.",
)
def draws_with_replacement(x, y, lam, *, generator):
    mixup(x, y, lam, generator=torch.Generator(x.device))
    partner = torch.randint(len(x), (len(x),), generator=generator, device=x.device)
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


@mistake(
    "mixup",
    kind="idea",
    says="Neighbours stay neighbours, as if the batch were moved on by a drawn number of places. Draw a permutation.",
)
def moves_the_batch_on(x, y, lam, *, generator):
    mixup(x, y, lam, generator=torch.Generator(x.device))
    places = int(torch.randint(max(1, len(x)), (), generator=generator, device=x.device))
    return lam * x + (1 - lam) * x.roll(places, 0), lam * y + (1 - lam) * y.roll(places, 0)


@mistake(
    "mixup",
    kind="idea",
    says="Nobody is ever their own partner. All permutations are equally likely, those with fixed places too.",
)
def never_pairs_with_oneself(x, y, lam, *, generator):
    mixup(x, y, lam, generator=torch.Generator(x.device))
    order = torch.randperm(len(x), generator=generator, device=x.device)
    partner = torch.empty_like(order)
    partner[order] = order.roll(1, 0)
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


@mistake(
    "mixup",
    kind="idea",
    says="The partners are the same in every call, whatever the generator, as with a seed of its own.",
)
def mixes_the_same_partners(x, y, lam, *, generator):
    return mixup(x, y, lam, generator=torch.Generator(x.device).manual_seed(0))


@mistake(
    "mixup",
    kind="case",
    says="Equal generators give different results, as if the numbers came from torch's global generator. Two runs with the same seed then differ.",
)
def draws_partners_globally(x, y, lam, *, generator):
    return mixup(x, y, lam, generator=torch.default_generator)


@mistake("horizontal_flip", kind="idea", says="The images are turned upside down. Left and right are the last axis.")
def turns_upside_down(x, p=0.5, *, generator):
    return horizontal_flip(x.transpose(2, 3), p, generator=generator).transpose(2, 3)


@mistake(
    "horizontal_flip", kind="idea", says="All images of a batch are turned, or none. Each image has a draw of its own."
)
def turns_all_or_none(x, p=0.5, *, generator):
    horizontal_flip(x, p, generator=torch.Generator(x.device))
    turn = torch.rand((), generator=generator, device=x.device) < p
    return torch.where(turn, x.flip(3), x)


@mistake(
    "horizontal_flip",
    kind="idea",
    says="Images are turned with probability 1 - p. p is the probability of turning one.",
)
def leaves_with_probability_p(x, p=0.5, *, generator):
    return horizontal_flip(x, 1 - p, generator=generator)


@mistake("horizontal_flip", kind="idea", says="The channels of an image are turned apart. An image is turned whole.")
def turns_channels(x, p=0.5, *, generator):
    flat = horizontal_flip(x.reshape(-1, 1, *x.shape[2:]), p, generator=generator)
    return flat.reshape(x.shape)


@mistake(
    "horizontal_flip",
    kind="idea",
    says="The images are turned by half a turn. Turned left to right, the rows keep their places.",
)
def turns_half_a_turn(x, p=0.5, *, generator):
    turned = horizontal_flip(x, p, generator=generator)
    return torch.where((turned == x).flatten(1).all(1)[:, None, None, None], x, turned.flip(2))


@mistake(
    "horizontal_flip",
    kind="idea",
    says="The number of turned images is fixed: always a share p of them. Each image has a draw of its own.",
)
def turns_a_fixed_number(x, p=0.5, *, generator):
    horizontal_flip(x, p, generator=torch.Generator(x.device))
    turned = torch.randperm(len(x), generator=generator, device=x.device) < round(p * len(x))
    return torch.where(turned[:, None, None, None], x.flip(3), x)


@mistake(
    "horizontal_flip",
    kind="idea",
    says="The same images are turned in every call, whatever the generator, as with a seed of its own.",
)
def turns_the_same_images(x, p=0.5, *, generator):
    return horizontal_flip(x, p, generator=torch.Generator(x.device).manual_seed(0))


@mistake("horizontal_flip", kind="case", says="It is as if p were rounded to tenths. It may be any number of [0, 1].")
def rounds_the_probability(x, p=0.5, *, generator):
    horizontal_flip(x, p, generator=torch.Generator(x.device))
    turned = torch.randint(10, (len(x),), generator=generator, device=x.device) < round(10 * p)
    return torch.where(turned[:, None, None, None], x.flip(3), x)


@mistake(
    "horizontal_flip",
    kind="case",
    says="The tensor `x` itself is changed. The caller still needs it: make a new tensor.",
)
def turns_in_place(x, p=0.5, *, generator):
    return x.copy_(horizontal_flip(x, p, generator=generator)) if x.is_contiguous() else x


@mistake(
    "horizontal_flip",
    kind="case",
    says="Equal generators give different results, as if the numbers came from torch's global generator. Two runs with the same seed then differ.",
)
def flips_globally(x, p=0.5, *, generator):
    return horizontal_flip(x, p, generator=torch.default_generator)


@mistake(
    "random_crop", kind="idea", says="All windows of a batch stand at one place. Each image has a place of its own."
)
def crops_all_at_one_place(x, size, padding=0, *, generator):
    wide = _framed(x, padding)
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    top = int(torch.randint(wide.shape[2] - size[0] + 1, (), generator=generator))
    left = int(torch.randint(wide.shape[3] - size[1] + 1, (), generator=generator))
    return wide[:, :, top : top + size[0], left : left + size[1]].clone()


@mistake(
    "random_crop",
    kind="idea",
    says="The last place is never drawn, as where the upper end of a range is left out. Count the places.",
)
def misses_the_last_place(x, size, padding=0, *, generator):
    rows, columns = (x.shape[2 + i] + 2 * padding - size[i] for i in range(2))
    if min(rows, columns) < 1:
        return random_crop(x, size, padding, generator=generator)
    wide = _framed(x, padding)[:, :, : -1 if rows else None, : -1 if columns else None]
    return random_crop(wide, size, generator=generator)


@mistake(
    "random_crop",
    kind="idea",
    says="It is as if the place were drawn without the frame. With padding, windows may begin anywhere in the padded image.",
)
def forgets_the_frame_when_drawing(x, size, padding=0, *, generator):
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    wide = _framed(x, padding)[:, :, : max(x.shape[2], size[0]), : max(x.shape[3], size[1])]
    return random_crop(wide, size, generator=generator)


@mistake(
    "random_crop",
    kind="idea",
    says="A window with no room to move fails: `randint` does not draw its upper end, so there is nothing left to draw. It has one place.",
)
def draws_below_the_room(x, size, padding=0, *, generator):
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    wide = _framed(x, padding)
    tops, lefts = (torch.randint(0, wide.shape[2 + i] - size[i], (x.shape[0],), generator=generator) for i in range(2))
    windows = [image[:, t : t + size[0], m : m + size[1]] for image, t, m in zip(wide, tops, lefts, strict=True)]
    return torch.stack(windows) if windows else x.new_zeros(0, x.shape[1], *size)


@mistake("random_crop", kind="idea", says="The window is always cut out of the middle. Its place has to be drawn.")
def crops_the_centre(x, size, padding=0, *, generator):
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    wide = _framed(x, padding)
    top, left = (wide.shape[2] - size[0]) // 2, (wide.shape[3] - size[1]) // 2
    return wide[:, :, top : top + size[0], left : left + size[1]].clone()


@mistake("random_crop", kind="idea", says="The two numbers of `size` have changed places: the first one is the height.")
def swaps_height_and_width(x, size, padding=0, *, generator):
    return random_crop(x, size[::-1], padding, generator=generator)


@mistake("random_crop", kind="idea", says="The frame repeats the image's border. Around the image there are zeros.")
def pads_with_copies(x, size, padding=0, *, generator):
    if padding == 0 or x.shape[0] == 0:
        return random_crop(x, size, padding, generator=generator)
    return random_crop(_stretched(x, padding), size, generator=generator)


@mistake(
    "random_crop",
    kind="idea",
    says="Windows move along a diagonal only, as if rows and columns shared one draw. The two are drawn apart.",
)
def moves_along_a_diagonal(x, size, padding=0, *, generator):
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    wide = _framed(x, padding)
    share = torch.rand(len(x), generator=generator)
    windows = []
    for image, part in zip(wide, share.tolist(), strict=True):
        top, left = (int(part * (wide.shape[2 + i] - size[i] + 1)) for i in range(2))
        windows.append(image[:, top : top + size[0], left : left + size[1]])
    return torch.stack(windows) if windows else x.new_zeros(0, x.shape[1], *size)


@mistake(
    "random_crop", kind="idea", says="`padding` has no part in the answer: windows are cut out of the image as it is."
)
def ignores_the_padding(x, size, padding=0, *, generator):
    fits = size[0] <= x.shape[2] and size[1] <= x.shape[3]
    return random_crop(x, size, 0 if fits else padding, generator=generator)


@mistake(
    "random_crop",
    kind="idea",
    says="There is a frame above and to the left only. It surrounds the image on all four sides.",
)
def frames_two_sides(x, size, padding=0, *, generator):
    wide = _framed(x, padding)
    if padding and size[0] <= wide.shape[2] - padding and size[1] <= wide.shape[3] - padding:
        return random_crop(wide[:, :, :-padding, :-padding], size, generator=generator)
    return random_crop(x, size, padding, generator=generator)


@mistake(
    "random_crop",
    kind="idea",
    says="The places are the same in every call, whatever the generator, as with a seed of its own.",
)
def crops_the_same_places(x, size, padding=0, *, generator):
    return random_crop(x, size, padding, generator=torch.Generator(x.device).manual_seed(0))


@mistake(
    "random_crop",
    kind="case",
    says="Equal generators give different results, as if the numbers came from torch's global generator. Two runs with the same seed then differ.",
)
def crops_globally(x, size, padding=0, *, generator):
    return random_crop(x, size, padding, generator=torch.default_generator)


@mistake("rotate", kind="idea", says="The images turn to the right. A positive angle turns to the left.")
def turns_to_the_right(x, degrees):
    return rotate(x, -degrees)


@mistake("rotate", kind="idea", says="The angle is taken in radians. It is given in degrees.")
def takes_radians(x, degrees):
    return rotate(x, math.degrees(degrees))


@mistake(
    "rotate",
    kind="idea",
    stage="between",
    says="Every pixel is a single neighbour, the nearest one. Four neighbours share, each by how near it is.",
)
def takes_the_nearest(x, degrees):
    height, width = x.shape[2:]
    angle = math.radians(degrees)
    down = torch.arange(height).double()[:, None] - (height - 1) / 2
    right = torch.arange(width).double()[None, :] - (width - 1) / 2
    i = (math.cos(angle) * down + math.sin(angle) * right + (height - 1) / 2).round().long()
    j = (-math.sin(angle) * down + math.cos(angle) * right + (width - 1) / 2).round().long()
    inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
    return x[:, :, i.clamp(0, height - 1), j.clamp(0, width - 1)] * inside.to(x.dtype)


@mistake(
    "rotate",
    kind="idea",
    says="The images turn about the pixel (H // 2, W // 2). Their centre lies at ((H - 1) / 2, (W - 1) / 2).",
)
def turns_about_a_pixel(x, degrees):
    odd = [1 - x.shape[2] % 2, 1 - x.shape[3] % 2]
    wide = _framed(x, 1)[:, :, 1 : 1 + x.shape[2] + odd[0], 1 : 1 + x.shape[3] + odd[1]]
    return rotate(wide, degrees)[:, :, : x.shape[2], : x.shape[3]].clone()


@mistake(
    "rotate", kind="idea", says="The images turn about (H / 2, W / 2). The middle of rows 0 to H - 1 is (H - 1) / 2."
)
def turns_about_half_the_size(x, degrees):
    wide = _framed(x, 1)[:, :, 1:, 1:]
    return rotate(wide, degrees)[:, :, :-1, :-1].clone()


@mistake(
    "rotate",
    kind="idea",
    stage="between",
    says="What lies outside the image repeats its border. It is 0.",
)
def stretches_the_border(x, degrees):
    wide = _stretched(x, 8)
    return rotate(wide, degrees)[:, :, 8:-8, 8:-8].clone()


@mistake("rotate", kind="idea", says="The images turn about the pixel (0, 0). They turn about their centre.")
def turns_about_the_corner(x, degrees):
    height, width = x.shape[2:]
    wide = x.new_zeros(*x.shape[:2], 2 * height - 1, 2 * width - 1)
    wide[:, :, height - 1 :, width - 1 :] = x
    return rotate(wide, degrees)[:, :, height - 1 :, width - 1 :].clone()


@mistake(
    "rotate", kind="idea", stage="between", says="All four neighbours count the same. Each counts by how near it is."
)
def averages_the_neighbours(x, degrees):
    return _places(
        x, degrees, torch.float64, lambda far: torch.where(far < 1 - 1e-9, torch.where(far < 1e-9, 1.0, 0.5), 0.0)
    )


@mistake(
    "rotate",
    kind="case",
    says="Far from the centre the answer is off, as if the places were computed in float32. Compute them in float64.",
)
def computes_places_in_float32(x, degrees):
    return _places(x, degrees, torch.float32, lambda far: (1 - far).clamp(min=0))


@mistake(
    "rotate",
    kind="case",
    says="In half precision the answer is far off, as if the places were computed in the dtype of x. Compute them in float64.",
)
def computes_places_in_the_dtype_of_x(x, degrees):
    return _places(x, degrees, x.dtype, lambda far: (1 - far).clamp(min=0))


@mistake("adjust_brightness", kind="idea", says="The factor is added. It multiplies every pixel.")
def adds_the_factor(x, factor):
    adjust_brightness(x, factor)
    return (x + factor).clamp(0, 1)


@mistake("adjust_brightness", kind="idea", says="Pixels above 1 are left. An image has none: cut them off.")
def forgets_to_cut_off(x, factor):
    adjust_brightness(x, factor)
    return x * factor


@mistake(
    "adjust_brightness",
    kind="idea",
    says="The whole image is scaled back so that its largest pixel is at most 1. Cut off instead.",
)
def scales_back(x, factor):
    adjust_brightness(x, factor)
    bright = x * factor
    return bright / bright.amax().clamp(min=1) if x.numel() else bright


@mistake("adjust_brightness", kind="case", says="The tensor `x` itself is changed. Return a new one.")
def brightens_in_place(x, factor):
    return x.copy_(adjust_brightness(x, factor)) if x.is_contiguous() else adjust_brightness(x, factor)


@mistake(
    "fgsm_step",
    kind="idea",
    says="The step goes against the gradient, as in training. An attack wants the loss to grow.",
)
def descends(x, grad, epsilon):
    return fgsm_step(x, -grad, epsilon)


@mistake("fgsm_step", kind="idea", says="Pixels move by epsilon times their gradient. Only its sign counts.")
def uses_the_size_of_the_gradient(x, grad, epsilon):
    fgsm_step(x, grad, epsilon)
    return (x + epsilon * grad).clamp(0, 1)


@mistake("fgsm_step", kind="idea", says="Pixels leave the range from 0 to 1. Cut them off.")
def leaves_the_range(x, grad, epsilon):
    fgsm_step(x, grad, epsilon)
    return x + epsilon * grad.sign()


@mistake("fgsm_step", kind="case", says="A pixel whose gradient is exactly 0 moves as well. It has to stay.")
def moves_every_pixel(x, grad, epsilon):
    return fgsm_step(x, torch.where(grad >= 0, 1.0, -1.0).to(x.dtype).expand(grad.shape), epsilon)


@mistake(
    "fgsm_step",
    kind="idea",
    says="The gradient is divided by its largest entry, so that other pixels move by less. All move by epsilon.",
)
def divides_by_the_largest(x, grad, epsilon):
    fgsm_step(x, grad, epsilon)
    return (x + epsilon * grad / grad.abs().amax()).clamp(0, 1) if x.numel() else x.clone()


@mistake("fgsm_step", kind="case", says="Where the gradient is exactly 0 the answer is nan, as from g / |g|.")
def divides_by_the_size_of_the_gradient(x, grad, epsilon):
    fgsm_step(x, grad, epsilon)
    return (x + epsilon * grad / grad.abs()).clamp(0, 1)


@mistake(
    "fgsm_step",
    kind="case",
    says="Pixels with a tiny gradient stay. A pixel moves as far for a tiny gradient as for a large one.",
)
def leaves_out_small_gradients(x, grad, epsilon):
    fgsm_step(x, grad, epsilon)
    return (x + epsilon * torch.where(grad.abs() > 1e-8, grad.sign(), 0)).clamp(0, 1)


def _framed(x, padding):
    """The images with rows and columns of zeros on all sides."""
    height, width = x.shape[2:]
    wide = x.new_zeros(*x.shape[:2], height + 2 * padding, width + 2 * padding)
    wide[:, :, padding : padding + height, padding : padding + width] = x
    return wide


def _stretched(x, padding):
    """The images with copies of their border on all sides."""
    rows = torch.arange(-padding, x.shape[2] + padding).clamp(0, x.shape[2] - 1)
    columns = torch.arange(-padding, x.shape[3] + padding).clamp(0, x.shape[3] - 1)
    return x[:, :, rows][:, :, :, columns]


def _places(x, degrees, dtype, share_of):
    """Images turned by places of a dtype; a pixel counts by its distances from the place down and across."""
    rotate(x[:0], degrees)
    height, width = x.shape[2:]
    cos, sin = (torch.tensor(f(math.radians(degrees)), dtype=dtype, device=x.device) for f in (math.cos, math.sin))
    rows, columns = (torch.arange(n, dtype=dtype, device=x.device) for n in (height, width))
    down, right = rows[:, None] - (height - 1) / 2, columns[None, :] - (width - 1) / 2
    i, j = cos * down + sin * right + (height - 1) / 2, cos * right - sin * down + (width - 1) / 2
    near_rows = share_of((i[..., None] - rows).abs())
    near_columns = share_of((j[..., None] - columns).abs())
    return torch.einsum("ncrs,ijr,ijs->ncij", x.double(), near_rows.double(), near_columns.double()).to(x.dtype)
