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


@mistake("dropout", says="The kept entries are not scaled up, so their expected value shrinks while training.")
def forgets_to_scale(x, p=0.5, *, training=True, generator):
    _, mask = dropout(x, p, training=training, generator=generator)
    return x * (mask != 0), (mask != 0).to(x.dtype)


@mistake("dropout", says="p is taken for the probability of keeping an entry. It is that of dropping one.")
def keeps_with_probability_p(x, p=0.5, *, training=True, generator):
    dropout(x, p, training=False, generator=generator)
    return dropout(x, 1 - p, training=training, generator=generator)


@mistake(
    "dropout",
    says="Entries are kept with probability p, and scaled as if they were dropped with it. Which comparison with the draw drops?",
)
def keeps_where_it_should_drop(x, p=0.5, *, training=True, generator):
    out, mask = dropout(x, p, training=False, generator=generator)
    if training:
        kept = torch.rand(x.shape, generator=generator, device=x.device) < p
        mask = kept.to(x.dtype) / (1 - p) if p < 1 else torch.zeros_like(x)
        out = x * mask
    return out, mask


@mistake("dropout", says="Entries are dropped in evaluation mode too. Nothing is random there.")
def drops_in_evaluation(x, p=0.5, *, training=True, generator):
    return dropout(x, p, generator=generator)


@mistake("dropout", says="The mask is drawn from torch's global generator. Two runs with the same seed then differ.")
def draws_from_the_global_generator(x, p=0.5, *, training=True, generator):
    return dropout(x, p, training=training, generator=torch.default_generator)


@mistake("dropout", says="One draw decides about a whole row. Each entry has a draw of its own.")
def drops_whole_rows(x, p=0.5, *, training=True, generator):
    _, mask = dropout(x[..., :1] if x.ndim else x, p, training=training, generator=generator)
    return x * mask, mask * torch.ones_like(x)


@mistake("dropout", says="With p = 1 nothing is left to scale: 0 / 0 is nan.")
def divides_by_zero(x, p=0.5, *, training=True, generator):
    _, mask = dropout(x, p, training=training, generator=generator)
    if training and p == 1:
        mask = mask / 0
    return x * mask, mask


@mistake(
    "dropout",
    says="Only the scaling happens in evaluation mode: the entries are multiplied by 1 - p. With inverted dropout nothing is left to do.",
)
def scales_in_evaluation(x, p=0.5, *, training=True, generator):
    out, mask = dropout(x, p, training=training, generator=generator)
    return (out, mask) if training else (x * (1 - p), mask * (1 - p))


@mistake(
    "dropout_backward", says="The upstream gradient passes dropped entries as well. They had no part in the result."
)
def passes_everything(grad_out, mask):
    dropout_backward(grad_out, mask)
    return grad_out.clone()


@mistake(
    "dropout_backward",
    says="The kept entries are not scaled. The forward multiplied them by 1 / (1 - p), and so does the backward.",
)
def forgets_the_factor(grad_out, mask):
    dropout_backward(grad_out, mask)
    return torch.where(mask != 0, grad_out, 0)


@mistake("dropout_backward", says="The mask is divided out. The derivative of x * mask is mask.")
def divides_by_the_mask(grad_out, mask):
    dropout_backward(grad_out, mask)
    return torch.where(mask != 0, grad_out / mask, 0)


@mistake("dropout_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def broadcasts_the_upstream_gradient(grad_out, mask):
    return grad_out * mask


@mistake("mc_dropout_mean", says="All predictions share one mask. Each has to draw its own.")
def draws_one_mask(x, predict, p=0.5, *, samples, generator):
    if samples < 1:
        raise ValueError("samples")
    out, _ = dropout(x, p, generator=generator)
    return torch.stack([predict(out) for _ in range(samples)]).mean(0)


@mistake(
    "mc_dropout_mean",
    says="The masked inputs are averaged before the prediction. The mean is taken of the predictions.",
)
def averages_the_inputs(x, predict, p=0.5, *, samples, generator):
    return predict(mc_dropout_mean(x, lambda v: v, p, samples=samples, generator=generator))


@mistake("mc_dropout_mean", says="Dropout is off: every prediction is the same.")
def predicts_in_evaluation_mode(x, predict, p=0.5, *, samples, generator):
    if samples < 1:
        raise ValueError("samples")
    return torch.stack([predict(dropout(x, p, training=False, generator=generator)[0]) for _ in range(samples)]).mean(0)


@mistake("mc_dropout_mean", says="This is the sum of the predictions, not their mean.")
def adds_the_predictions(x, predict, p=0.5, *, samples, generator):
    return samples * mc_dropout_mean(x, predict, p, samples=samples, generator=generator)


@mistake("l2_penalty", says="This is the norm itself. The penalty is the sum of the squares, without a root.")
def takes_the_root(weight, strength):
    l2_penalty(weight, strength)
    return strength * weight.square().sum().sqrt()


@mistake("l2_penalty", says="The squares are averaged. The penalty is their sum.")
def averages_the_squares(weight, strength):
    l2_penalty(weight, strength)
    return strength * weight.square().mean()


@mistake(
    "l2_penalty", says="The penalty is halved. Some books do so, but here it is strength times the sum of the squares."
)
def halves_the_penalty(weight, strength):
    return l2_penalty(weight, strength) / 2


@mistake("l2_penalty_backward", says="The derivative of a square has a factor 2.")
def forgets_the_two(grad_out, weight, strength):
    return l2_penalty_backward(grad_out, weight, strength) / 2


@mistake("l2_penalty_backward", says="The upstream gradient is not used.")
def forgets_the_upstream_gradient(grad_out, weight, strength):
    l2_penalty_backward(grad_out, weight, strength)
    return 2 * strength * weight


@mistake(
    "l2_penalty_backward", says="This is the gradient of the other penalty: it has the same size for every weight."
)
def takes_the_sign(grad_out, weight, strength):
    return l1_penalty_backward(grad_out, weight, strength)


@mistake("l1_penalty", says="The weights are added with their signs, so that positive and negative ones cancel.")
def adds_with_signs(weight, strength):
    l1_penalty(weight, strength)
    return strength * weight.sum()


@mistake("l1_penalty", says="The absolute values are averaged. The penalty is their sum.")
def averages_the_sizes(weight, strength):
    l1_penalty(weight, strength)
    return strength * weight.abs().mean()


@mistake("l1_penalty", says="This is the sum of the squares, the other penalty.")
def squares_instead(weight, strength):
    return l2_penalty(weight, strength)


@mistake(
    "l1_penalty_backward",
    says="The gradient is positive everywhere. For a negative weight the penalty falls when the weight grows.",
)
def loses_the_sign(grad_out, weight, strength):
    return l1_penalty_backward(grad_out, weight, strength) * weight.sign()


@mistake(
    "l1_penalty_backward", says="The gradient grows with the weight. The slope of |w| is 1 or -1, however large w is."
)
def grows_with_the_weight(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return grad_out * strength * weight


@mistake(
    "l1_penalty_backward", says="A weight that is exactly 0 is pushed away from it. Its gradient is stated to be 0."
)
def pushes_zeros_away(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return grad_out * strength * torch.where(weight >= 0, 1.0, -1.0).to(weight.dtype)


@mistake("l1_penalty_backward", says="The upstream gradient is not used.")
def l1_without_upstream_gradient(grad_out, weight, strength):
    l1_penalty_backward(grad_out, weight, strength)
    return strength * weight.sign()


@mistake(
    "weight_decay_step",
    says="The weights shrink by weight_decay in each step, whatever the learning rate. The formula multiplies the two.",
)
def decays_without_the_rate(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return (1 - weight_decay) * param - lr * grad


@mistake("weight_decay_step", says="The decay makes weights grow. Look at its sign.")
def grows_the_weights(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return (1 + lr * weight_decay) * param - lr * grad


@mistake("weight_decay_step", says="The shrinking is applied after the step, to the new weights, gradient and all.")
def decays_after_the_step(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return (1 - lr * weight_decay) * (param - lr * grad)


@mistake(
    "weight_decay_step",
    says="The decay is that of a penalty with the factor 2. Here w shrinks by lr * weight_decay * w.",
)
def decays_twice_as_fast(param, grad, *, lr, weight_decay=0.0):
    weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
    return (1 - 2 * lr * weight_decay) * param - lr * grad


class _Counting:
    """Early stopping as asked, with one thing left to change."""

    def __init__(self, patience=5, min_delta=0.0):
        self._right = EarlyStopping(patience, min_delta)
        self.patience, self.min_delta, self.best, self.bad_epochs = patience, min_delta, math.inf, 0


@mistake("EarlyStopping", says="The count of bad epochs is never set back: a better loss starts it anew.")
class NeverStartsAnew(_Counting):
    def step(self, loss):
        if loss < self.best - self.min_delta:
            self.best = loss
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


@mistake("EarlyStopping", says="A loss that equals the best one counts as better. It has to be lower.")
class TakesEqualForBetter(_Counting):
    def step(self, loss):
        if loss <= self.best - self.min_delta:
            self.best, self.bad_epochs = loss, 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


@mistake("EarlyStopping", says="It stops one epoch too late: `patience` bad epochs in a row are enough.")
class StopsTooLate(_Counting):
    def step(self, loss):
        if loss < self.best - self.min_delta:
            self.best, self.bad_epochs = loss, 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs > self.patience


@mistake("EarlyStopping", says="Each loss is compared with the one before it. It has to be compared with the best one.")
class ComparesWithTheLast(_Counting):
    def step(self, loss):
        if loss < self.best - self.min_delta:
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        self.best = loss
        return self.bad_epochs >= self.patience


@mistake(
    "EarlyStopping",
    says="`best` follows every small improvement. A loss that is not lower than best - min_delta does not become the best.",
)
class RemembersSmallImprovements(_Counting):
    def step(self, loss):
        if loss < self.best - self.min_delta:
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        self.best = min(self.best, loss)
        return self.bad_epochs >= self.patience


@mistake("EarlyStopping", says="min_delta is not used: a loss that is better by less still counts.")
class IgnoresMinDelta(_Counting):
    def step(self, loss):
        if loss < self.best:
            self.best, self.bad_epochs = loss, 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


@mistake(
    "EarlyStopping",
    says="A nan counts as better, because no comparison with nan is true. Ask what is better, not what is worse.",
)
class TakesNanForBetter(_Counting):
    def step(self, loss):
        if loss >= self.best - self.min_delta:
            self.bad_epochs += 1
        else:
            self.best, self.bad_epochs = loss, 0
        return self.bad_epochs >= self.patience


@mistake(
    "smooth_targets",
    says="The doubt is shared by the other classes alone. The formula gives every class, also the right one, s / K.",
)
def leaves_the_right_class_out(y, num_classes, smoothing=0.1):
    one_hot = smooth_targets(y, num_classes, 0.0) + 0 * smooth_targets(y, num_classes, smoothing)
    return (1 - smoothing) * one_hot + smoothing / max(1, num_classes - 1) * (1 - one_hot)


@mistake("smooth_targets", says="The rows do not sum to 1: every class gets s instead of s / K.")
def gives_every_class_all(y, num_classes, smoothing=0.1):
    right = smooth_targets(y, num_classes, smoothing)
    return right + smoothing - smoothing / num_classes


@mistake("smooth_targets", says="The right class keeps a 1. What goes to all classes has to be taken from it.")
def keeps_the_one(y, num_classes, smoothing=0.1):
    smooth_targets(y, num_classes, smoothing)
    return smooth_targets(y, num_classes, 0.0) + smoothing / num_classes


@mistake("add_noise", says="std is used as a variance: its root multiplies the noise.")
def takes_std_for_a_variance(x, std, *, generator):
    add_noise(x, std, generator=torch.Generator(x.device))
    return add_noise(x, std**0.5, generator=generator)


@mistake("add_noise", says="The noise is uniform, not normal. Few draws of normal noise lie far out, but some do.")
def adds_uniform_noise(x, std, *, generator):
    add_noise(x, std, generator=torch.Generator(x.device))
    spread = (torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype) - 0.5) * 12**0.5
    return x + std * spread


@mistake("add_noise", says="The noise comes from `torch.rand`: uniform between 0 and 1. It has to be normal, about 0.")
def adds_numbers_from_0_to_1(x, std, *, generator):
    add_noise(x, std, generator=torch.Generator(x.device))
    return x + std * torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)


@mistake("add_noise", says="The noise is never negative. It has to go both ways.")
def adds_positive_noise(x, std, *, generator):
    return x + (add_noise(x, std, generator=generator) - x).abs()


@mistake("add_noise", says="The noise is drawn from torch's global generator. Two runs with the same seed then differ.")
def draws_noise_globally(x, std, *, generator):
    return add_noise(x, std, generator=torch.default_generator)


@mistake("mixup", says="Samples and targets have different partners: two permutations were drawn.")
def draws_two_permutations(x, y, lam, *, generator):
    return mixup(x, y, lam, generator=generator)[0], mixup(x, y, lam, generator=generator)[1]


@mistake("mixup", says="lam is the share of the partner here. It belongs to the sample itself.")
def swaps_the_shares(x, y, lam, *, generator):
    return mixup(x, y, 1 - lam, generator=generator)


@mistake("mixup", says="The targets are left as they were. They are mixed like the samples.")
def mixes_samples_only(x, y, lam, *, generator):
    return mixup(x, y, lam, generator=generator)[0], y.clone()


@mistake("mixup", says="Every sample is mixed with the one on the opposite side of the batch: nothing is drawn.")
def takes_the_reversed_batch(x, y, lam, *, generator):
    mixup(x, y, lam, generator=torch.Generator(x.device))
    return lam * x + (1 - lam) * x.flip(0), lam * y + (1 - lam) * y.flip(0)


@mistake(
    "mixup",
    says="Partners are drawn one by one, so that some samples are several times a partner and others never. Draw a permutation.",
)
def draws_with_replacement(x, y, lam, *, generator):
    mixup(x, y, lam, generator=torch.Generator(x.device))
    partner = torch.randint(len(x), (len(x),), generator=generator, device=x.device)
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


@mistake("horizontal_flip", says="The images are turned upside down. Left and right are the last axis.")
def turns_upside_down(x, p=0.5, *, generator):
    return horizontal_flip(x.transpose(2, 3), p, generator=generator).transpose(2, 3)


@mistake("horizontal_flip", says="One draw decides about the whole batch. Each image has a draw of its own.")
def turns_all_or_none(x, p=0.5, *, generator):
    horizontal_flip(x, p, generator=torch.Generator(x.device))
    turn = torch.rand((), generator=generator, device=x.device) < p
    return torch.where(turn, x.flip(3), x)


@mistake("horizontal_flip", says="p is the probability of leaving an image as it is. It is that of turning it.")
def leaves_with_probability_p(x, p=0.5, *, generator):
    return horizontal_flip(x, 1 - p, generator=generator)


@mistake("horizontal_flip", says="Each channel has a draw of its own. An image is turned whole.")
def turns_channels(x, p=0.5, *, generator):
    flat = horizontal_flip(x.reshape(-1, 1, *x.shape[2:]), p, generator=generator)
    return flat.reshape(x.shape)


@mistake("random_crop", says="One place is drawn for the whole batch. Each image has a place of its own.")
def crops_all_at_one_place(x, size, padding=0, *, generator):
    wide = _framed(x, padding)
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    top = int(torch.randint(wide.shape[2] - size[0] + 1, (), generator=generator))
    left = int(torch.randint(wide.shape[3] - size[1] + 1, (), generator=generator))
    return wide[:, :, top : top + size[0], left : left + size[1]].clone()


@mistake("random_crop", says="The last place is never drawn: the upper end of a range is left out. Count the places.")
def misses_the_last_place(x, size, padding=0, *, generator):
    rows, columns = (x.shape[2 + i] + 2 * padding - size[i] for i in range(2))
    if min(rows, columns) < 1:
        return random_crop(x, size, padding, generator=generator)
    wide = _framed(x, padding)[:, :, : -1 if rows else None, : -1 if columns else None]
    return random_crop(wide, size, generator=generator)


@mistake(
    "random_crop",
    says="The place is drawn as if there were no frame. With padding, windows may begin anywhere in the padded image.",
)
def forgets_the_frame_when_drawing(x, size, padding=0, *, generator):
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    wide = _framed(x, padding)[:, :, : max(x.shape[2], size[0]), : max(x.shape[3], size[1])]
    return random_crop(wide, size, generator=generator)


@mistake(
    "random_crop",
    says="`randint` does not draw its upper end: a window with no room to move has one place, and drawing below 0 stops.",
)
def draws_below_the_room(x, size, padding=0, *, generator):
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    wide = _framed(x, padding)
    tops, lefts = (torch.randint(0, wide.shape[2 + i] - size[i], (x.shape[0],), generator=generator) for i in range(2))
    windows = [image[:, t : t + size[0], m : m + size[1]] for image, t, m in zip(wide, tops, lefts, strict=True)]
    return torch.stack(windows) if windows else x.new_zeros(0, x.shape[1], *size)


@mistake("random_crop", says="The window is always cut out of the middle. Its place has to be drawn.")
def crops_the_centre(x, size, padding=0, *, generator):
    random_crop(x[:0], size, padding, generator=torch.Generator(x.device))
    wide = _framed(x, padding)
    top, left = (wide.shape[2] - size[0]) // 2, (wide.shape[3] - size[1]) // 2
    return wide[:, :, top : top + size[0], left : left + size[1]].clone()


@mistake("random_crop", says="Height and width have changed places in size.")
def swaps_height_and_width(x, size, padding=0, *, generator):
    return random_crop(x, size[::-1], padding, generator=generator)


@mistake("random_crop", says="The border repeats the image. Around it there are zeros.")
def pads_with_copies(x, size, padding=0, *, generator):
    if padding == 0 or x.shape[0] == 0:
        return random_crop(x, size, padding, generator=generator)
    return random_crop(_stretched(x, padding), size, generator=generator)


@mistake("rotate", says="The images turn to the right. A positive angle turns to the left.")
def turns_to_the_right(x, degrees):
    return rotate(x, -degrees)


@mistake("rotate", says="The angle is taken in radians. It is given in degrees.")
def takes_radians(x, degrees):
    return rotate(x, math.degrees(degrees))


@mistake("rotate", says="Every pixel takes its nearest neighbour. Four neighbours share, each by how near it is.")
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
    "rotate", says="The images turn about the pixel (H // 2, W // 2). Their centre lies at ((H - 1) / 2, (W - 1) / 2)."
)
def turns_about_a_pixel(x, degrees):
    odd = [1 - x.shape[2] % 2, 1 - x.shape[3] % 2]
    wide = _framed(x, 1)[:, :, 1 : 1 + x.shape[2] + odd[0], 1 : 1 + x.shape[3] + odd[1]]
    return rotate(wide, degrees)[:, :, : x.shape[2], : x.shape[3]].clone()


@mistake("rotate", says="The images turn about (H / 2, W / 2). The middle of rows 0 to H - 1 is (H - 1) / 2.")
def turns_about_half_the_size(x, degrees):
    wide = _framed(x, 1)[:, :, 1:, 1:]
    return rotate(wide, degrees)[:, :, :-1, :-1].clone()


@mistake("rotate", says="The border pixels are stretched outwards. What lies outside the image is 0.")
def stretches_the_border(x, degrees):
    wide = _stretched(x, 8)
    return rotate(wide, degrees)[:, :, 8:-8, 8:-8].clone()


@mistake("adjust_brightness", says="The factor is added. It multiplies every pixel.")
def adds_the_factor(x, factor):
    adjust_brightness(x, factor)
    return (x + factor).clamp(0, 1)


@mistake("adjust_brightness", says="Pixels above 1 are left. An image has none: cut them off.")
def forgets_to_cut_off(x, factor):
    adjust_brightness(x, factor)
    return x * factor


@mistake(
    "adjust_brightness",
    says="The image is scaled back so that its largest pixel is 1, which undoes the change. Cut off instead.",
)
def scales_back(x, factor):
    adjust_brightness(x, factor)
    bright = x * factor
    return bright / bright.amax().clamp(min=1) if x.numel() else bright


@mistake("fgsm_step", says="The step goes against the gradient, as in training. An attack wants the loss to grow.")
def descends(x, grad, epsilon):
    return fgsm_step(x, -grad, epsilon)


@mistake("fgsm_step", says="Pixels move by epsilon times their gradient. Only its sign counts.")
def uses_the_size_of_the_gradient(x, grad, epsilon):
    fgsm_step(x, grad, epsilon)
    return (x + epsilon * grad).clamp(0, 1)


@mistake("fgsm_step", says="Pixels leave the range from 0 to 1. Cut them off.")
def leaves_the_range(x, grad, epsilon):
    fgsm_step(x, grad, epsilon)
    return x + epsilon * grad.sign()


@mistake("fgsm_step", says="A pixel whose gradient is exactly 0 moves as well. It has to stay.")
def moves_every_pixel(x, grad, epsilon):
    return fgsm_step(x, torch.where(grad >= 0, 1.0, -1.0).to(x.dtype).expand(grad.shape), epsilon)


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
