"""Known wrong solutions of the assignment on activation functions, each with what to tell its author."""

import math

import torch

from autograder.testing import mistake

from .reference import (
    elu,
    elu_backward,
    gelu,
    gelu_backward,
    leaky_relu,
    leaky_relu_backward,
    log_softmax,
    log_softmax_backward,
    logsumexp,
    logsumexp_backward,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softplus_backward,
    tanh,
)


@mistake(
    "sigmoid",
    says="The exponent has the wrong sign, so the curve falls instead of rising. What should happen for large positive x?",
)
def falls_instead_of_rising(x):
    return sigmoid(-x)


@mistake(
    "sigmoid",
    says="exp(x) / (1 + exp(x)) becomes inf / inf for large positive x. Treat the two signs of x apart.",
)
def overflows_far_right(x):
    return torch.exp(x) / (1 + torch.exp(x))


@mistake(
    "sigmoid",
    says="The arithmetic is done in the tensor that was passed in. The caller still needs it: use operations without a trailing underscore.",
)
def works_in_place(x):
    return x.neg_().exp_().add_(1).reciprocal_()


@mistake("sigmoid_backward", says="This is the slope alone. The chain rule multiplies it by the upstream gradient.")
def forgets_the_upstream_gradient(grad_out, x):
    _same_shape(grad_out, x)
    return sigmoid(x) * sigmoid(-x)


@mistake("sigmoid_backward", says="s * (1 - s) is taken of x itself. In the formula, s is sigmoid(x).")
def takes_x_for_its_sigmoid(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * x * (1 - x)


@mistake(
    "sigmoid_backward",
    says="The slope is only s. A factor of the derivative is missing: the slope has to vanish on both sides.",
)
def forgets_the_second_factor(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * sigmoid(x)


@mistake("sigmoid_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def broadcasts_the_upstream_gradient(grad_out, x):
    return grad_out * sigmoid(x) * sigmoid(-x)


@mistake(
    "tanh",
    says="For large |x| one of the exponentials is inf, and inf / inf is nan. Use a form whose exponents are never positive.",
)
def tanh_overflows(x):
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


@mistake(
    "tanh",
    says="The curve has the right range and is too flat: its slope at 0 has to be 1. What stands inside the sigmoid?",
)
def forgets_to_double_the_argument(x):
    return 2 * sigmoid(x) - 1


@mistake("tanh", says="The values lie between 0 and 2 instead of -1 and 1. Where does the curve have to cross 0?")
def forgets_to_centre(x):
    return 2 * sigmoid(2 * x)


@mistake("tanh", says="The sign of x is lost: the answer is that for |x|.")
def loses_the_sign(x):
    return tanh(x.abs())


@mistake("tanh_backward", says="This is the slope alone. The chain rule multiplies it by the upstream gradient.")
def tanh_slope_without_upstream_gradient(grad_out, x):
    _same_shape(grad_out, x)
    return 1 - tanh(x) ** 2


@mistake("tanh_backward", says="The square is taken of x itself. In the formula it is that of tanh(x).")
def takes_x_for_its_tanh(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * (1 - x**2)


@mistake(
    "tanh_backward",
    says="The slope falls below 0 where x is positive and exceeds 1 where it is negative. Which power of tanh(x) belongs there?",
)
def forgets_the_square(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * (1 - tanh(x))


@mistake("tanh_backward", says="This is the slope of the sigmoid's form, t * (1 - t). The tanh has another one.")
def uses_the_slope_of_the_sigmoid(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * tanh(x) * (1 - tanh(x))


@mistake("relu", says="Negative entries are mirrored to the other side. They have to become 0.")
def mirrors_the_negative_side(x):
    return x.abs()


@mistake("relu", says="The comparison is turned round: the negative entries stay and the positive ones become 0.")
def keeps_the_negative_side(x):
    return x.clamp(max=0)


@mistake("relu", says="This is only the gate, 0 or 1. Where it is open, the entry itself passes.")
def returns_the_gate(x):
    return (x > 0).to(x.dtype)


@mistake("relu", says="The result is cut off from above too. ReLU has no upper end.")
def cuts_off_at_one(x):
    return x.clamp(0, 1)


@mistake(
    "relu",
    says="The zeros are written into the tensor that was passed in. The caller still needs it: make a new tensor.",
)
def relu_in_place(x):
    x[x < 0] = 0
    return x


@mistake("relu_backward", says="This is the slope alone. The chain rule multiplies it by the upstream gradient.")
def relu_slope_without_upstream_gradient(grad_out, x):
    _same_shape(grad_out, x)
    return (x > 0).to(x.dtype)


@mistake(
    "relu_backward",
    says="At x = 0 the gradient passes. The exercise says what holds at the corner: look at the comparison.",
)
def relu_slope_one_at_zero(grad_out, x):
    _same_shape(grad_out, x)
    return torch.where(x >= 0, grad_out, 0)


@mistake(
    "relu_backward",
    says="The gate looks at the upstream gradient. Whether it is open was decided in the forward pass, by x.",
)
def gates_by_the_upstream_gradient(grad_out, x):
    _same_shape(grad_out, x)
    return relu(grad_out)


@mistake(
    "relu_backward",
    says="The upstream gradient is multiplied by the value relu(x). The chain rule asks for the slope.",
)
def multiplies_by_relu_instead_of_slope(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * relu(x)


@mistake(
    "relu_backward",
    says="The mask is a float32 tensor, so the gradient of a float16 or bfloat16 input comes out as float32.",
)
def turns_half_precision_into_float32(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * (x > 0).float()


@mistake("relu_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def relu_broadcasts_the_upstream_gradient(grad_out, x):
    return grad_out * (x > 0)


@mistake("leaky_relu", says="`negative_slope` is ignored: the slope is always 0.01.")
def ignores_negative_slope(x, negative_slope=0.01):
    return leaky_relu(x)


@mistake(
    "leaky_relu",
    says="The larger of x and a * x is right only while a is between 0 and 1. Decide by the sign of x.",
)
def takes_the_larger_of_both_lines(x, negative_slope=0.01):
    return torch.maximum(x, negative_slope * x)


@mistake("leaky_relu", says="The left side rises to the left: its sign is wrong.")
def leaks_with_the_wrong_sign(x, negative_slope=0.01):
    return torch.where(x > 0, x, -negative_slope * x)


@mistake(
    "leaky_relu",
    says="The slope is applied to the wrong side: negative entries pass unchanged, positive ones shrink.",
)
def leaks_on_the_right_side(x, negative_slope=0.01):
    return torch.where(x > 0, negative_slope * x, x)


@mistake(
    "leaky_relu",
    says="The negative entries are scaled in the tensor that was passed in. The caller still needs it: make a new tensor.",
)
def leaky_relu_in_place(x, negative_slope=0.01):
    x[x < 0] *= negative_slope
    return x


@mistake(
    "leaky_relu_backward",
    says="This is the slope alone. The chain rule multiplies it by the upstream gradient.",
)
def leaky_slope_without_upstream_gradient(grad_out, x, negative_slope=0.01):
    _same_shape(grad_out, x)
    return leaky_relu_backward(torch.ones_like(x), x, negative_slope)


@mistake("leaky_relu_backward", says="`negative_slope` is ignored: the slope of the left side is always 0.01.")
def ignores_negative_slope_backward(grad_out, x, negative_slope=0.01):
    return leaky_relu_backward(grad_out, x)


@mistake(
    "leaky_relu_backward",
    says="Nothing passes on the left side, as in plain ReLU. A leaky unit lets a little through.",
)
def closes_the_left_side(grad_out, x, negative_slope=0.01):
    _same_shape(grad_out, x)
    return torch.where(x > 0, grad_out, 0)


@mistake(
    "leaky_relu_backward",
    says="At x = 0 the slope of the right side is taken. The exercise says which side counts at the corner: look at the comparison.",
)
def leaky_slope_one_at_zero(grad_out, x, negative_slope=0.01):
    _same_shape(grad_out, x)
    return torch.where(x >= 0, grad_out, negative_slope * grad_out)


@mistake(
    "leaky_relu_backward",
    says="The upstream gradient is multiplied by the value leaky_relu(x). The chain rule asks for the slope.",
)
def multiplies_by_leaky_relu_instead_of_slope(grad_out, x, negative_slope=0.01):
    _same_shape(grad_out, x)
    return grad_out * leaky_relu(x, negative_slope)


@mistake("elu", says="The left side is too high by alpha, so the curve jumps at 0. What is subtracted from exp(x)?")
def forgets_to_subtract_one(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * torch.exp(x))


@mistake("elu", says="`alpha` is ignored: the left side always levels off at -1.")
def ignores_alpha(x, alpha=1.0):
    return elu(x)


@mistake("elu", says="`alpha` scales both sides. Positive entries have to stay as they are.")
def scales_both_sides(x, alpha=1.0):
    return alpha * elu(x)


@mistake(
    "elu",
    says="`alpha` stands inside the exponent. It scales how deep the left side goes, not how fast it falls.",
)
def puts_alpha_into_the_exponent(x, alpha=1.0):
    return torch.where(x > 0, x, torch.expm1((alpha * x).clamp(max=0)))


@mistake(
    "elu",
    says="exp of a large entry is inf, and the mask does not remove it: 0 * inf is nan. Choose between the sides instead of adding them.",
)
def multiplies_infinity_by_a_mask(x, alpha=1.0):
    right = (x > 0).to(x.dtype)
    return right * x + (1 - right) * alpha * torch.expm1(x)


@mistake("elu_backward", says="This is the slope alone. The chain rule multiplies it by the upstream gradient.")
def elu_slope_without_upstream_gradient(grad_out, x, alpha=1.0):
    _same_shape(grad_out, x)
    return elu_backward(torch.ones_like(x), x, alpha)


@mistake(
    "elu_backward",
    says="`alpha` is missing in the slope of the left side. It is a factor of the forward formula, so it stays in the derivative.",
)
def forgets_alpha(grad_out, x, alpha=1.0):
    return elu_backward(grad_out, x)


@mistake(
    "elu_backward",
    says="On the left side the value elu(x) stands for the slope. What happens to the constant when the formula is differentiated?",
)
def takes_the_value_for_the_slope(grad_out, x, alpha=1.0):
    _same_shape(grad_out, x)
    return torch.where(x > 0, grad_out, grad_out * elu(x, alpha))


@mistake(
    "elu_backward",
    says="At x = 0 the slope of the right side is taken. The exercise says which side counts: look at the comparison.",
)
def elu_slope_one_at_zero(grad_out, x, alpha=1.0):
    _same_shape(grad_out, x)
    return torch.where(x >= 0, grad_out, grad_out * alpha * torch.exp(x.clamp(max=0)))


@mistake(
    "elu_backward",
    says="exp of a large entry is inf, and the mask does not remove it: 0 * inf is nan. Choose between the sides instead of adding them.",
)
def multiplies_infinite_slope_by_a_mask(grad_out, x, alpha=1.0):
    _same_shape(grad_out, x)
    right = (x > 0).to(x.dtype)
    return grad_out * (right + (1 - right) * alpha * torch.exp(x))


@mistake(
    "gelu",
    says="`approximate` is ignored: this is the tanh form also where the exact one is asked for. They differ in the fourth digit.",
)
def always_uses_the_tanh_form(x, approximate="none"):
    _known(approximate)
    return gelu(x, "tanh")


@mistake(
    "gelu",
    says="`approximate` is ignored: this is the exact form also where the tanh form is asked for. They differ in the fourth digit.",
)
def always_uses_the_exact_form(x, approximate="none"):
    _known(approximate)
    return gelu(x)


@mistake(
    "gelu",
    says="erf is not yet the distribution function of the normal: its argument is scaled differently. Look at the formula of Φ.",
)
def forgets_the_root_of_two(x, approximate="none"):
    return gelu(x, "tanh") if approximate == "tanh" else gelu(x * math.sqrt(2), approximate) / math.sqrt(2)


@mistake("gelu", says="This is only the gate, a number between 0 and 1. What is gated?")
def returns_the_gelu_gate(x, approximate="none"):
    return _gate(x, approximate)


@mistake(
    "gelu",
    says="The result is twice too large: 1 + erf and 1 + tanh run from 0 to 2, a probability from 0 to 1.",
)
def forgets_the_half(x, approximate="none"):
    return 2 * gelu(x, approximate)


@mistake(
    "gelu",
    says="A form that was not asked for, x * sigmoid(1.702 x), stands in for the exact one. It is off in the second digit.",
)
def uses_the_sigmoid_form(x, approximate="none"):
    return x * sigmoid(1.702 * x) if approximate == "none" else gelu(x, approximate)


@mistake("gelu", says='Every word but "none" is taken for "tanh". A word that is misspelt has to be refused.')
def takes_any_word_for_tanh(x, approximate="none"):
    return gelu(x, "none" if approximate == "none" else "tanh")


@mistake("gelu_backward", says="Only one half of the product rule is here. The gate depends on x too.")
def forgets_that_the_gate_moves(grad_out, x, approximate="none"):
    _same_shape(grad_out, x)
    return grad_out * _gate(x, approximate)


@mistake("gelu_backward", says="`approximate` is ignored: this is always the slope of the exact form.")
def always_takes_the_exact_slope(grad_out, x, approximate="none"):
    _known(approximate)
    return gelu_backward(grad_out, x)


@mistake("gelu_backward", says="`approximate` is ignored: this is always the slope of the tanh form.")
def always_takes_the_tanh_slope(grad_out, x, approximate="none"):
    _known(approximate)
    return gelu_backward(grad_out, x, "tanh")


@mistake(
    "gelu_backward",
    says="The bell curve is too high: the area under a density is 1. Which factor makes it so?",
)
def forgets_to_normalise_the_bell_curve(grad_out, x, approximate="none"):
    if approximate == "tanh":
        return gelu_backward(grad_out, x, "tanh")
    _known(approximate)
    _same_shape(grad_out, x)
    return grad_out * (_gate(x, approximate) + x * torch.exp(-x * x / 2))


@mistake("gelu_backward", says="In the tanh form the chain rule stops too early: u is a function of x as well.")
def forgets_the_slope_of_the_inner_polynomial(grad_out, x, approximate="none"):
    if approximate == "none":
        return gelu_backward(grad_out, x)
    _same_shape(grad_out, x)
    gate = _gate(x, approximate)
    return grad_out * (gate + 2 * x * gate * (1 - gate))


@mistake("gelu_backward", says="This is the slope alone. The chain rule multiplies it by the upstream gradient.")
def gelu_slope_without_upstream_gradient(grad_out, x, approximate="none"):
    _same_shape(grad_out, x)
    return gelu_backward(torch.ones_like(x), x, approximate)


@mistake("gelu_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def gelu_broadcasts_the_upstream_gradient(grad_out, x, approximate="none"):
    return grad_out * gelu_backward(torch.ones_like(x), x, approximate)


@mistake("silu", says="This is only the gate, sigmoid(x). What is gated?")
def returns_the_silu_gate(x):
    return sigmoid(x)


@mistake(
    "silu",
    says="exp(x) / (1 + exp(x)) becomes inf / inf for large positive x. Use a sigmoid that takes large numbers.",
)
def silu_overflows(x):
    return x * torch.exp(x) / (1 + torch.exp(x))


@mistake(
    "silu",
    says="The gate opens on the wrong side: large positive entries vanish. Look at the sign inside the sigmoid.",
)
def gates_the_wrong_side(x):
    return x * sigmoid(-x)


@mistake("silu", says="The factor 1.702 belongs to an approximation of GELU. SiLU has none.")
def borrows_a_factor_from_gelu(x):
    return x * sigmoid(1.702 * x)


@mistake(
    "silu",
    says="The product is written into the tensor that was passed in. The caller still needs it: make a new tensor.",
)
def silu_in_place(x):
    x *= sigmoid(x)
    return x


@mistake("silu_backward", says="Only one half of the product rule is here. The gate depends on x too.")
def forgets_that_the_sigmoid_moves(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * sigmoid(x)


@mistake(
    "silu_backward",
    says="Only one half of the product rule is here: the slope of the gate. The gate's own value is the other half.",
)
def forgets_that_x_moves(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * x * sigmoid(x) * sigmoid(-x)


@mistake("silu_backward", says="In the slope the value silu(x) stands where sigmoid(x) belongs.")
def takes_silu_for_sigmoid(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * silu(x) * (1 + x * (1 - silu(x)))


@mistake(
    "silu_backward",
    says="The sign of the second term is wrong: on the right side the slope has to rise above 1 before it settles.",
)
def subtracts_the_second_term(grad_out, x):
    _same_shape(grad_out, x)
    return grad_out * sigmoid(x) * (1 - x * sigmoid(-x))


@mistake("silu_backward", says="This is the slope alone. The chain rule multiplies it by the upstream gradient.")
def silu_slope_without_upstream_gradient(grad_out, x):
    _same_shape(grad_out, x)
    return sigmoid(x) * (1 + x * sigmoid(-x))


@mistake("softplus", says="`threshold` is ignored: above it the result has to be x itself.")
def ignores_the_threshold(x, beta=1.0, threshold=20.0):
    return softplus(x, beta, math.inf)


@mistake("softplus", says="x is compared with `threshold`. The exercise compares beta * x.")
def compares_x_with_the_threshold(x, beta=1.0, threshold=20.0):
    return softplus(x, beta, beta * threshold)


@mistake("softplus", says="`beta` is ignored: the curve is always that of beta = 1.")
def ignores_beta(x, beta=1.0, threshold=20.0):
    _positive(beta)
    return softplus(x, 1.0, threshold)


@mistake(
    "softplus",
    says="The logarithm is not scaled back, so for beta other than 1 the curve does not approach x. Which factor stands before it?",
)
def forgets_to_divide_by_beta(x, beta=1.0, threshold=20.0):
    _positive(beta)
    return torch.where(beta * x > threshold, x, softplus(beta * x, 1.0, math.inf))


@mistake(
    "softplus",
    says="exp overflows before `threshold` is reached. What can be taken out of the logarithm first?",
)
def overflows_below_a_large_threshold(x, beta=1.0, threshold=20.0):
    _positive(beta)
    return torch.where(beta * x > threshold, x, torch.log(1 + torch.exp(beta * x)) / beta)


@mistake("softplus", says="A `beta` of 0 or below is not refused.")
def accepts_any_beta(x, beta=1.0, threshold=20.0):
    z = beta * x
    return torch.where(z > threshold, x, (z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))) / beta)


@mistake("softplus_backward", says="`threshold` is ignored: above it the slope has to be exactly 1.")
def ignores_the_threshold_backward(grad_out, x, beta=1.0, threshold=20.0):
    return softplus_backward(grad_out, x, beta, math.inf)


@mistake(
    "softplus_backward",
    says="Above `threshold` the gradient is stopped. There the forward pass returned x itself: what is its slope?",
)
def stops_the_gradient_above_the_threshold(grad_out, x, beta=1.0, threshold=20.0):
    return torch.where(beta * x > threshold, 0, softplus_backward(grad_out, x, beta, threshold))


@mistake(
    "softplus_backward",
    says="`beta` is missing inside the sigmoid. It is a factor of x in the forward formula.",
)
def forgets_beta_in_the_sigmoid(grad_out, x, beta=1.0, threshold=20.0):
    _positive(beta)
    _same_shape(grad_out, x)
    return torch.where(beta * x > threshold, grad_out, grad_out * sigmoid(x))


@mistake(
    "softplus_backward",
    says="One factor `beta` too many: the inner derivative and the factor before the logarithm cancel.",
)
def keeps_the_inner_beta(grad_out, x, beta=1.0, threshold=20.0):
    _positive(beta)
    _same_shape(grad_out, x)
    return torch.where(beta * x > threshold, grad_out, grad_out * beta * sigmoid(beta * x))


@mistake(
    "softplus_backward",
    says="exp overflows before `threshold` is reached, and inf / inf is nan. Use a sigmoid that takes large numbers.",
)
def slope_overflows_below_a_large_threshold(grad_out, x, beta=1.0, threshold=20.0):
    _positive(beta)
    _same_shape(grad_out, x)
    grown = torch.exp(beta * x)
    return torch.where(beta * x > threshold, grad_out, grad_out * grown / (1 + grown))


@mistake("softplus_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def softplus_broadcasts_the_upstream_gradient(grad_out, x, beta=1.0, threshold=20.0):
    return grad_out * softplus_backward(torch.ones_like(x), x, beta, threshold)


@mistake(
    "logsumexp",
    says="exp overflows for large entries, and the logarithm of 0 is -inf for very negative ones. What can be taken out of the sum first?",
)
def sums_without_taking_the_largest_out(x, dim, keepdim=False):
    _checked(x, dim)
    return torch.log(torch.exp(x).sum(dim, keepdim=keepdim))


@mistake("logsumexp", says="The largest entry was subtracted and never added back.")
def forgets_to_add_the_largest_back(x, dim, keepdim=False):
    return logsumexp(x, dim, keepdim) - _largest(x, dim, keepdim)


@mistake(
    "logsumexp",
    says="The largest entry of the whole tensor is taken out. In a slice far below it every exponential is 0. Each slice has its own largest entry.",
)
def takes_the_largest_of_the_whole_tensor(x, dim, keepdim=False):
    _checked(x, dim)
    largest = x.max() if x.numel() and x.isfinite().all() else 0
    return largest + torch.log(torch.exp(x - largest).sum(dim, keepdim=keepdim))


@mistake("logsumexp", says="`keepdim` is ignored: the axis always disappears.")
def ignores_keepdim(x, dim, keepdim=False):
    return logsumexp(x, dim)


@mistake("logsumexp", says="`dim` is ignored: the last axis is always summed.")
def always_sums_the_last_axis(x, dim, keepdim=False):
    _checked(x, dim)
    return logsumexp(x, -1, keepdim)


@mistake("logsumexp", says="This is the logarithm of the mean of the exponentials, not of their sum.")
def takes_the_mean(x, dim, keepdim=False):
    return logsumexp(x, dim, keepdim) - math.log(max(x.shape[dim], 1))


@mistake("logsumexp", says="Where the largest entry is infinite, subtracting it gives inf - inf, which is nan.")
def subtracts_infinity_from_itself(x, dim, keepdim=False):
    _checked(x, dim)
    if x.shape[dim] == 0:
        return logsumexp(x, dim, keepdim)
    return logsumexp(x - x.amax(dim, keepdim=True), dim, keepdim) + x.amax(dim, keepdim)


@mistake("logsumexp", says="amax has no answer for an axis of length 0 and raises. Treat the empty axis apart.")
def fails_on_an_empty_axis(x, dim, keepdim=False):
    _checked(x, dim)
    x.amax(dim)
    return logsumexp(x, dim, keepdim)


@mistake(
    "logsumexp_backward",
    says="These are the shares alone. The chain rule multiplies them by the upstream gradient.",
)
def shares_without_upstream_gradient(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    return softmax(x, dim)


@mistake(
    "logsumexp_backward",
    says="The upstream gradient lacks the axis `dim`, and broadcasting lines it up with the wrong one. Put the axis back first.",
)
def forgets_to_put_the_axis_back(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    return grad_out * softmax(x, dim)


@mistake(
    "logsumexp_backward",
    says="exp overflows for large entries, and inf / inf is nan. How did the forward pass avoid this?",
)
def shares_overflow(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    grown = torch.exp(x)
    return (grad_out if keepdim else grad_out.unsqueeze(dim)) * grown / grown.sum(dim, keepdim=True)


@mistake("logsumexp_backward", says="The shares are taken of the whole tensor, not of each slice along `dim`.")
def shares_of_the_whole_tensor(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    shares = torch.exp(x - logsumexp(x.flatten(), 0))
    return (grad_out if keepdim else grad_out.unsqueeze(dim)) * shares


@mistake(
    "logsumexp_backward",
    says="The upstream gradient is handed to every entry in full. It is shared among them.",
)
def gives_every_entry_everything(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    return (grad_out if keepdim else grad_out.unsqueeze(dim)).expand(x.shape).clone()


@mistake(
    "logsumexp_backward",
    says="An upstream gradient is accepted with and without the axis, whatever `keepdim` says. It has exactly the shape of the forward's result.",
)
def accepts_the_axis_kept_or_not(grad_out, x, dim, keepdim=False):
    return logsumexp_backward(grad_out, x, dim, grad_out.ndim == x.ndim)


@mistake("logsumexp_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def logsumexp_broadcasts_the_upstream_gradient(grad_out, x, dim, keepdim=False):
    return logsumexp_backward(grad_out.expand(logsumexp(x, dim, keepdim).shape), x, dim, keepdim)


@mistake("softmax", says="The sum runs over the whole tensor. Each slice along `dim` has to add up to 1 by itself.")
def normalises_the_whole_tensor(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    weights = torch.exp((x - x.max()) / temperature) if x.numel() else x
    return weights / weights.sum()


@mistake(
    "softmax",
    says="exp overflows for large scores, and inf / inf is nan. What can be subtracted from all scores without changing the quotient?",
)
def overflows(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    weights = torch.exp(x / temperature)
    return weights / weights.sum(dim, keepdim=True)


@mistake(
    "softmax",
    says="The largest score of the whole tensor is subtracted. In a slice far below it every exponential is 0, and 0 / 0 is nan.",
)
def subtracts_the_largest_of_the_whole_tensor(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    weights = torch.exp((x - x.max()) / temperature) if x.numel() else x
    return weights / weights.sum(dim, keepdim=True)


@mistake(
    "softmax",
    says="The temperature multiplies the scores. A high temperature has to flatten the distribution, not sharpen it.",
)
def multiplies_by_the_temperature(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    return softmax(x * temperature, dim)


@mistake("softmax", says="The temperature is ignored.")
def ignores_the_temperature(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    return softmax(x, dim)


@mistake("softmax", says="`dim` is ignored: the last axis is always normalised.")
def always_takes_the_last_axis(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    return softmax(x, -1, temperature)


@mistake(
    "softmax_backward",
    says="This treats every output as if it depended on its own input alone. Each output also depends on every other input, through the sum.",
)
def keeps_only_the_diagonal(grad_out, x, dim, temperature=1.0):
    _same_shape(grad_out, x)
    y = softmax(x, dim, temperature)
    return grad_out * y * (1 - y) / temperature


@mistake("softmax_backward", says="The inner product is taken over the whole tensor, not along `dim`.")
def sums_over_everything(grad_out, x, dim, temperature=1.0):
    _same_shape(grad_out, x)
    y = softmax(x, dim, temperature)
    return y * (grad_out - (grad_out * y).sum()) / temperature


@mistake("softmax_backward", says="The chain rule through x / T is missing a factor. What is d(x/T)/dx?")
def forgets_the_temperature(grad_out, x, dim, temperature=1.0):
    _same_shape(grad_out, x)
    y = softmax(x, dim, temperature)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True))


@mistake("softmax_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def softmax_broadcasts_the_upstream_gradient(grad_out, x, dim, temperature=1.0):
    y = softmax(x, dim, temperature)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True)) / temperature


@mistake(
    "log_softmax",
    says="A probability far below the others is rounded to 0, and its logarithm is -inf. Do not go through the probabilities.",
)
def takes_the_logarithm_of_softmax(x, dim):
    return torch.log(softmax(x, dim))


@mistake(
    "log_softmax",
    says="exp overflows for large scores. What can be subtracted from all scores without changing the result?",
)
def log_softmax_overflows(x, dim):
    _checked(x, dim)
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))


@mistake("log_softmax", says="The sum runs over the whole tensor. Each slice along `dim` has its own.")
def log_of_shares_of_the_whole_tensor(x, dim):
    _checked(x, dim)
    return x - logsumexp(x.flatten(), 0)


@mistake("log_softmax", says="`dim` is ignored: the last axis is always normalised.")
def log_softmax_of_the_last_axis(x, dim):
    _checked(x, dim)
    return log_softmax(x, -1)


@mistake(
    "log_softmax",
    says="The sign is wrong: these are the negative logarithms. Probabilities are at most 1, so their logarithms are at most 0.",
)
def returns_negative_logarithms(x, dim):
    return -log_softmax(x, dim)


@mistake("log_softmax", says="The logarithm has base 10. log_softmax takes the natural one.")
def takes_the_decimal_logarithm(x, dim):
    return log_softmax(x, dim) / math.log(10)


@mistake(
    "log_softmax_backward",
    says="This treats every output as if it depended on its own input alone. Each output also depends on every other input, through the sum.",
)
def keeps_only_the_diagonal_of_the_logarithm(grad_out, x, dim):
    _same_shape(grad_out, x)
    return grad_out * (1 - softmax(x, dim))


@mistake("log_softmax_backward", says="The upstream gradient is summed over the whole tensor, not along `dim`.")
def sums_the_upstream_gradient_over_everything(grad_out, x, dim):
    _same_shape(grad_out, x)
    return grad_out - softmax(x, dim) * grad_out.sum()


@mistake(
    "log_softmax_backward",
    says="The sum of the upstream gradients is multiplied by the log-probabilities. The formula has the probabilities.",
)
def takes_log_probabilities_for_probabilities(grad_out, x, dim):
    _same_shape(grad_out, x)
    return grad_out - log_softmax(x, dim) * grad_out.sum(dim, keepdim=True)


@mistake("log_softmax_backward", says="This is the gradient of softmax. The logarithm changes the Jacobian.")
def uses_the_gradient_of_softmax(grad_out, x, dim):
    _same_shape(grad_out, x)
    y = softmax(x, dim)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True))


@mistake(
    "log_softmax_backward",
    says="The sign of the shared term is wrong: along the axis the gradient has to add up to 0.",
)
def adds_the_shared_term(grad_out, x, dim):
    _same_shape(grad_out, x)
    return grad_out + softmax(x, dim) * grad_out.sum(dim, keepdim=True)


@mistake("log_softmax_backward", says="An upstream gradient of another shape is broadcast instead of refused.")
def log_softmax_broadcasts_the_upstream_gradient(grad_out, x, dim):
    return log_softmax_backward(grad_out.expand(x.shape), x, dim)


def _same_shape(grad_out, x):
    if grad_out.shape != x.shape:
        raise ValueError("grad_out is not shaped like x")


def _result_shape(grad_out, x, dim, keepdim):
    if grad_out.shape != logsumexp(x, dim, keepdim).shape:
        raise ValueError("grad_out is not shaped like the result")


def _checked(x, dim, temperature=1.0):
    if not -x.ndim <= dim < x.ndim:
        raise ValueError("dim is no axis of x")
    if temperature <= 0:
        raise ValueError("temperature is not positive")


def _positive(beta):
    if beta <= 0:
        raise ValueError("beta is not positive")


def _known(approximate):
    if approximate not in ("none", "tanh"):
        raise ValueError("approximate is neither none nor tanh")


def _gate(x, approximate):
    _known(approximate)
    if approximate == "none":
        return (1 + torch.erf(x / math.sqrt(2))) / 2
    near = x.clamp(-10, 10)
    return (1 + tanh(math.sqrt(2 / math.pi) * (near + 0.044715 * near**3))) / 2


def _largest(x, dim, keepdim):
    largest = x.amax(dim, keepdim) if x.shape[dim] else x.new_zeros(())
    return torch.where(largest.isfinite(), largest, 0).to(x.dtype)
