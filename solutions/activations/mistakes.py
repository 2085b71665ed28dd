"""Known wrong solutions of the assignment on activation functions, each with what to tell its author."""

import math

import torch

from autograder.guards import require_axis, require_one_of, require_positive, require_same_shape
from autograder.testing import mistake

from .reference import (
    elu,
    elu_backward,
    gelu,
    gelu_backward,
    leaky_relu,
    leaky_relu_backward,
    log_softmax,
    logsumexp,
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
    kind="idea",
    says="The curve falls instead of rising: the answer is that for -x. What should happen for large positive x?",
)
def falls_instead_of_rising(x):
    return sigmoid(-x)


@mistake(
    "sigmoid",
    kind="case",
    says="For large positive x the answer is nan, as from inf / inf in exp(x) / (1 + exp(x)). Treat the two signs of x apart.",
)
def overflows_far_right(x):
    return torch.exp(x) / (1 + torch.exp(x))


@mistake(
    "sigmoid",
    kind="case",
    says="The tensor `x` itself is changed. The caller still needs it: make a new tensor.",
)
def works_in_place(x):
    return x.neg_().exp_().add_(1).reciprocal_()


@mistake("sigmoid", kind="idea", says="The sign of x is lost: the answer is that for |x|, never below 1/2.")
def takes_the_size_for_x(x):
    return 1 / (1 + torch.exp(-x.abs()))


@mistake(
    "sigmoid_backward",
    kind="idea",
    says="This is the slope alone. The chain rule multiplies it by the upstream gradient.",
)
def forgets_the_upstream_gradient(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return sigmoid(x) * sigmoid(-x)


@mistake("sigmoid_backward", kind="idea", says="s * (1 - s) is taken of x itself. In the formula, s is sigmoid(x).")
def takes_x_for_its_sigmoid(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * x * (1 - x)


@mistake(
    "sigmoid_backward",
    kind="idea",
    says="The slope is only s. A factor of the derivative is missing: the slope has to vanish on both sides.",
)
def forgets_the_second_factor(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * sigmoid(x)


@mistake(
    "sigmoid_backward",
    kind="refusal",
    says="A `grad_out` of another shape is not refused with ValueError: it is broadcast, or fails inside torch.",
)
def broadcasts_the_upstream_gradient(grad_out, x):
    return grad_out * sigmoid(x) * sigmoid(-x)


@mistake(
    "sigmoid_backward",
    kind="case",
    says="For very negative x the gradient is nan, as from inf / inf² where exp(-x) is inf. Use your sigmoid, which takes large numbers.",
)
def slope_overflows_far_left(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    grown = torch.exp(-x)
    return grad_out * grown / (1 + grown) ** 2


@mistake(
    "sigmoid_backward",
    kind="case",
    says="For large positive x the gradient is nan, as from inf / inf² where exp(x) is inf. Use your sigmoid, which takes large numbers.",
)
def slope_overflows_far_right(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    grown = torch.exp(x)
    return grad_out * grown / (1 + grown) ** 2


@mistake(
    "tanh",
    kind="case",
    says="For large |x| the answer is nan, as from inf / inf of exponentials that overflow. Use a form whose exponents are never positive.",
)
def tanh_overflows(x):
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


@mistake(
    "tanh",
    kind="case",
    says="For large positive x the answer is nan, as from inf / inf where exp(2x) is inf. Use a form whose exponent is never positive.",
)
def tanh_overflows_far_right(x):
    grown = torch.exp(2 * x)
    return (grown - 1) / (grown + 1)


@mistake(
    "tanh",
    kind="idea",
    says="The curve has the right range and is too flat: its slope at 0 is 1/2 and has to be 1. The answer is that for x / 2.",
)
def forgets_to_double_the_argument(x):
    return 2 * sigmoid(x) - 1


@mistake(
    "tanh",
    kind="idea",
    says="The values lie between 0 and 2 instead of -1 and 1. Where does the curve have to cross 0?",
)
def forgets_to_centre(x):
    return 2 * sigmoid(2 * x)


@mistake("tanh", kind="idea", says="The sign of x is lost: the answer is that for |x|.")
def loses_the_sign(x):
    return tanh(x.abs())


@mistake(
    "tanh_backward", kind="idea", says="This is the slope alone. The chain rule multiplies it by the upstream gradient."
)
def tanh_slope_without_upstream_gradient(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return 1 - tanh(x) ** 2


@mistake("tanh_backward", kind="idea", says="The square is taken of x itself. In the formula it is that of tanh(x).")
def takes_x_for_its_tanh(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * (1 - x**2)


@mistake(
    "tanh_backward",
    kind="idea",
    says="The slope is 1 - tanh(x): above 1 where x is negative, and never rising. Which power of tanh(x) belongs there?",
)
def forgets_the_square(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * (1 - tanh(x))


@mistake(
    "tanh_backward",
    kind="idea",
    says="The slope is t * (1 - t) with t = tanh(x), which is the sigmoid's form. The tanh has another one.",
)
def uses_the_slope_of_the_sigmoid(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * tanh(x) * (1 - tanh(x))


@mistake("tanh_backward", kind="idea", says="The slope has to be a factor of the upstream gradient. Here it is added.")
def adds_the_slope(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out + 1 - tanh(x) ** 2


@mistake("relu", kind="idea", says="Negative entries come out positive: the answer is |x|. They have to become 0.")
def mirrors_the_negative_side(x):
    return x.abs()


@mistake(
    "relu",
    kind="idea",
    says="It is the wrong way round: the negative entries stay and the positive ones become 0.",
)
def keeps_the_negative_side(x):
    return x.clamp(max=0)


@mistake("relu", kind="idea", says="This is only the gate, 0 or 1. Where it is open, the entry itself passes.")
def returns_the_gate(x):
    return (x > 0).to(x.dtype)


@mistake("relu", kind="idea", says="The result is cut off at 1 as well. ReLU has no upper end.")
def cuts_off_at_one(x):
    return x.clamp(0, 1)


@mistake(
    "relu",
    kind="case",
    says="The tensor `x` itself is changed. The caller still needs it: make a new tensor.",
)
def relu_in_place(x):
    x[x < 0] = 0
    return x


@mistake(
    "relu",
    kind="case",
    says="Where x is nan the answer is 0. The rules ask that nan stays visible: every comparison with it is False.",
)
def hides_nan(x):
    return torch.where(x > 0, x, 0)


@mistake(
    "relu_backward", kind="idea", says="This is the slope alone. The chain rule multiplies it by the upstream gradient."
)
def relu_slope_without_upstream_gradient(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return (x > 0).to(x.dtype)


@mistake(
    "relu_backward",
    kind="case",
    says="At x = 0 the gradient passes. The exercise says what holds at the corner.",
)
def relu_slope_one_at_zero(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x < 0, 0, grad_out)


@mistake(
    "relu_backward",
    kind="idea",
    says="The gate is open where `grad_out` is positive, whatever x is. It was opened or closed in the forward pass, by x.",
)
def gates_by_the_upstream_gradient(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return relu(grad_out)


@mistake(
    "relu_backward",
    kind="idea",
    says="The upstream gradient is multiplied by the value relu(x). The chain rule asks for the slope.",
)
def multiplies_by_relu_instead_of_slope(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * relu(x)


@mistake(
    "relu_backward",
    kind="case",
    says="The gradient of a float16 or bfloat16 input comes out as float32, as if a mask were float32.",
)
def turns_half_precision_into_float32(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * (~(x <= 0)).float()


@mistake(
    "relu_backward",
    kind="case",
    says="Where x is nan the gradient is 0: every comparison with nan is False. The exercise says that the gate counts as open there.",
)
def closes_the_gate_at_nan(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x > 0, grad_out, 0)


@mistake(
    "relu_backward",
    kind="case",
    says="A loop takes the entries one by one, as Python numbers. A comparison works on the whole tensor.",
)
def takes_entry_by_entry(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    passed = []
    for upstream, entry in zip(grad_out.flatten().tolist(), x.flatten().tolist(), strict=True):
        passed.append(0.0 if entry <= 0 else upstream)
    return torch.tensor(passed, dtype=x.dtype, device=x.device).reshape(x.shape)


@mistake("leaky_relu", kind="idea", says="`negative_slope` is ignored: the slope of the left side is always 0.01.")
def ignores_negative_slope(x, negative_slope=0.01):
    return leaky_relu(x)


@mistake(
    "leaky_relu",
    kind="case",
    says="The answer is the larger of x and a * x, which is right only while a is at most 1. Decide by the sign of x.",
)
def takes_the_larger_of_both_lines(x, negative_slope=0.01):
    return torch.maximum(x, negative_slope * x)


@mistake("leaky_relu", kind="idea", says="On the left side the sign is wrong: the answer there is -negative_slope * x.")
def leaks_with_the_wrong_sign(x, negative_slope=0.01):
    return torch.where(x > 0, x, -negative_slope * x)


@mistake(
    "leaky_relu",
    kind="idea",
    says="The slope is applied to the wrong side: negative entries pass unchanged, and positive ones are multiplied by `negative_slope`.",
)
def leaks_on_the_right_side(x, negative_slope=0.01):
    return torch.where(x > 0, negative_slope * x, x)


@mistake(
    "leaky_relu",
    kind="case",
    says="The tensor `x` itself is changed. The caller still needs it: make a new tensor.",
)
def leaky_relu_in_place(x, negative_slope=0.01):
    x[x < 0] *= negative_slope
    return x


@mistake(
    "leaky_relu_backward",
    kind="idea",
    says="This is the slope alone. The chain rule multiplies it by the upstream gradient.",
)
def leaky_slope_without_upstream_gradient(grad_out, x, negative_slope=0.01):
    require_same_shape(grad_out=grad_out, x=x)
    return leaky_relu_backward(torch.ones_like(x), x, negative_slope)


@mistake(
    "leaky_relu_backward", kind="idea", says="`negative_slope` is ignored: the slope of the left side is always 0.01."
)
def ignores_negative_slope_backward(grad_out, x, negative_slope=0.01):
    return leaky_relu_backward(grad_out, x)


@mistake(
    "leaky_relu_backward",
    kind="idea",
    says="Nothing passes on the left side, as in plain ReLU. A leaky unit lets a little through.",
)
def closes_the_left_side(grad_out, x, negative_slope=0.01):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x > 0, grad_out, 0)


@mistake(
    "leaky_relu_backward",
    kind="idea",
    says="The sides have changed places: the gradient is scaled by `negative_slope` where x is positive, and passes whole where it is negative.",
)
def leaks_on_the_right_side_backward(grad_out, x, negative_slope=0.01):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x > 0, negative_slope * grad_out, grad_out)


@mistake(
    "leaky_relu_backward",
    kind="idea",
    says="On the left side the gradient is `negative_slope` alone. The chain rule multiplies it by the upstream gradient.",
)
def left_slope_without_upstream_gradient(grad_out, x, negative_slope=0.01):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x > 0, grad_out, negative_slope)


@mistake(
    "leaky_relu_backward",
    kind="case",
    says="The gradient of a float16 or bfloat16 input comes out as float32, as if a mask were float32.",
)
def leaks_in_float32(grad_out, x, negative_slope=0.01):
    require_same_shape(grad_out=grad_out, x=x)
    right = (x > 0).float()
    return grad_out * (right + (1 - right) * negative_slope)


@mistake(
    "leaky_relu_backward",
    kind="case",
    says="At x = 0 the slope is that of the right side. The exercise says which side counts at the corner.",
)
def leaky_slope_one_at_zero(grad_out, x, negative_slope=0.01):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x >= 0, grad_out, negative_slope * grad_out)


@mistake(
    "leaky_relu_backward",
    kind="idea",
    says="The upstream gradient is multiplied by the value leaky_relu(x). The chain rule asks for the slope.",
)
def multiplies_by_leaky_relu_instead_of_slope(grad_out, x, negative_slope=0.01):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * leaky_relu(x, negative_slope)


@mistake(
    "elu",
    kind="idea",
    says="The left side is too high by alpha, so the curve jumps at 0. What is subtracted from exp(x)?",
)
def forgets_to_subtract_one(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * torch.exp(x))


@mistake("elu", kind="idea", says="`alpha` is ignored: the left side always levels off at -1.")
def ignores_alpha(x, alpha=1.0):
    return elu(x)


@mistake("elu", kind="idea", says="`alpha` scales both sides. Positive entries have to stay as they are.")
def scales_both_sides(x, alpha=1.0):
    return alpha * elu(x)


@mistake(
    "elu",
    kind="idea",
    says="The sides have changed places: positive entries go through the exponential, and the others stay as they are.",
)
def bends_the_right_side(x, alpha=1.0):
    return torch.where(x > 0, alpha * torch.expm1(x), x)


@mistake(
    "elu",
    kind="idea",
    says="`alpha` stands inside the exponent. It scales how deep the left side goes, not how fast it falls.",
)
def puts_alpha_into_the_exponent(x, alpha=1.0):
    return torch.where(x > 0, x, torch.expm1((alpha * x).clamp(max=0)))


@mistake(
    "elu",
    kind="case",
    says="For large positive x the answer is nan, as from 0 * inf: no mask removes an exp that overflows. Choose between the sides instead of adding them.",
)
def multiplies_infinity_by_a_mask(x, alpha=1.0):
    right = (x > 0).to(x.dtype)
    return right * x + (1 - right) * alpha * torch.expm1(x)


@mistake(
    "elu",
    kind="case",
    says="Just left of 0 digits are lost, as if 1 were subtracted from exp(x), which is rounded to nearly 1 there. Is there a function for exp(x) - 1 as a whole?",
)
def loses_the_digits_near_zero(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * (torch.exp(x.clamp(max=0)) - 1))


@mistake(
    "elu_backward", kind="idea", says="This is the slope alone. The chain rule multiplies it by the upstream gradient."
)
def elu_slope_without_upstream_gradient(grad_out, x, alpha=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    return elu_backward(torch.ones_like(x), x, alpha)


@mistake(
    "elu_backward",
    kind="idea",
    says="`alpha` is missing in the slope of the left side. It is a factor of the forward formula, so it stays in the derivative.",
)
def forgets_alpha(grad_out, x, alpha=1.0):
    return elu_backward(grad_out, x)


@mistake(
    "elu_backward",
    kind="idea",
    says="On the left side the value elu(x) stands for the slope. What happens to the constant when the formula is differentiated?",
)
def takes_the_value_for_the_slope(grad_out, x, alpha=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x > 0, grad_out, grad_out * elu(x, alpha))


@mistake(
    "elu_backward",
    kind="case",
    says="At x = 0 the slope is that of the right side. The exercise says which side counts.",
)
def elu_slope_one_at_zero(grad_out, x, alpha=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x >= 0, grad_out, grad_out * alpha * torch.exp(x.clamp(max=0)))


@mistake(
    "elu_backward",
    kind="case",
    says="For large positive x the gradient is nan, as from 0 * inf: no mask removes an exp that overflows. Choose between the sides instead of adding them.",
)
def multiplies_infinite_slope_by_a_mask(grad_out, x, alpha=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    right = (x > 0).to(x.dtype)
    return grad_out * (right + (1 - right) * alpha * torch.exp(x))


@mistake(
    "elu_backward",
    kind="case",
    says="Where x is nan the gradient is 0, as if nothing had gone wrong: nan is neither above 0 nor at most 0.",
)
def elu_slope_zero_at_nan(grad_out, x, alpha=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x.isnan(), 0, elu_backward(grad_out, x, alpha))


@mistake(
    "gelu",
    kind="idea",
    stage="none",
    says="Where the exact form is asked for, this is the tanh form. They differ in the fourth digit.",
)
def always_uses_the_tanh_form(x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu(x, "tanh")


@mistake(
    "gelu",
    kind="idea",
    stage="tanh",
    says="Where the tanh form is asked for, this is the exact form. They differ in the fourth digit.",
)
def always_uses_the_exact_form(x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu(x)


@mistake(
    "gelu",
    kind="idea",
    says="The two forms have changed places: each is given where the other is asked for. They differ in the fourth digit.",
)
def swaps_the_forms(x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu(x, "tanh" if approximate == "none" else "none")


@mistake(
    "gelu",
    kind="idea",
    stage="tanh",
    says="In the tanh form it is as if x stood in u where its third power belongs.",
)
def forgets_the_third_power(x, approximate="none"):
    return gelu(x) if approximate == "none" else _tanh_form(x, approximate, x + 0.044715 * x)


@mistake(
    "gelu",
    kind="idea",
    stage="tanh",
    says="In the tanh form it is as if the square of x stood in u where its third power belongs.",
)
def squares_in_u(x, approximate="none"):
    return gelu(x) if approximate == "none" else _tanh_form(x, approximate, x + 0.044715 * x**2)


@mistake(
    "gelu",
    kind="idea",
    stage="tanh",
    says="In the tanh form it is as if the terms of u were multiplied. The third power is added to x.",
)
def multiplies_the_terms_of_u(x, approximate="none"):
    return gelu(x) if approximate == "none" else _tanh_form(x, approximate, x * 0.044715 * x**3)


@mistake(
    "gelu",
    kind="idea",
    stage="tanh",
    says="In the tanh form the gate is too flat, as if it were sigmoid(u). (1 + tanh(u)) / 2 is a sigmoid of something else.",
)
def forgets_to_double_u(x, approximate="none"):
    return gelu(x) if approximate == "none" else _tanh_form(x, approximate, (x + 0.044715 * x**3) / 2)


@mistake(
    "gelu",
    kind="idea",
    stage="none",
    says="The gate of the exact form is (1 + erf(x)) / 2, and that is not Φ(x). Look at what stands inside erf in the formula of Φ.",
)
def forgets_the_root_of_two(x, approximate="none"):
    return gelu(x, "tanh") if approximate == "tanh" else gelu(x * math.sqrt(2), approximate) / math.sqrt(2)


@mistake("gelu", kind="idea", says="This is only the gate, a number between 0 and 1. What is gated?")
def returns_the_gelu_gate(x, approximate="none"):
    return _gate(x, approximate)


@mistake(
    "gelu",
    kind="idea",
    says="The result is twice too large: 1 + erf and 1 + tanh run from 0 to 2, a probability from 0 to 1.",
)
def forgets_the_half(x, approximate="none"):
    return 2 * gelu(x, approximate)


@mistake(
    "gelu",
    kind="idea",
    stage="none",
    says="A form that was not asked for, x * sigmoid(1.702 x), stands in for the exact one. It is off in the second digit.",
)
def uses_the_sigmoid_form(x, approximate="none"):
    return x * sigmoid(1.702 * x) if approximate == "none" else gelu(x, approximate)


@mistake(
    "gelu",
    kind="case",
    says="In the tanh form the answer is nan for large |x|, as from inf / inf of exponentials that overflow. Use your own tanh, or clamp x inside u.",
)
def gelu_tanh_overflows(x, approximate="none"):
    if approximate != "tanh":
        return gelu(x, approximate)
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return x * (1 + (torch.exp(u) - torch.exp(-u)) / (torch.exp(u) + torch.exp(-u))) / 2


@mistake(
    "gelu",
    kind="idea",
    stage="tanh",
    says="In the tanh form the answer no longer grows beyond |x| = 10, as if x were clamped outside u too.",
)
def clamps_the_factor_too(x, approximate="none"):
    return gelu(x.clamp(-10, 10), approximate) if approximate == "tanh" else gelu(x, approximate)


@mistake(
    "gelu_backward",
    kind="idea",
    says="This is the upstream gradient times the gate: only one half of the product rule. The gate depends on x too.",
)
def forgets_that_the_gate_moves(grad_out, x, approximate="none"):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * _gate(x, approximate)


@mistake(
    "gelu_backward",
    kind="idea",
    stage="tanh",
    says="Where the tanh form is asked for, this is the slope of the exact form.",
)
def always_takes_the_exact_slope(grad_out, x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu_backward(grad_out, x)


@mistake(
    "gelu_backward",
    kind="idea",
    stage="none",
    says="Where the exact form is asked for, this is the slope of the tanh form.",
)
def always_takes_the_tanh_slope(grad_out, x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu_backward(grad_out, x, "tanh")


@mistake(
    "gelu_backward",
    kind="idea",
    says="The slopes of the two forms have changed places: each is given where the other is asked for.",
)
def swaps_the_slopes(grad_out, x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu_backward(grad_out, x, "tanh" if approximate == "none" else "none")


@mistake(
    "gelu_backward",
    kind="idea",
    stage="none",
    says="The bell curve is too high: the area under a density is 1. Which factor makes it so?",
)
def forgets_to_normalise_the_bell_curve(grad_out, x, approximate="none"):
    if approximate == "tanh":
        return gelu_backward(grad_out, x, "tanh")
    require_one_of(("none", "tanh"), approximate=approximate)
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * (_gate(x, approximate) + x * torch.exp(-x * x / 2))


@mistake(
    "gelu_backward",
    kind="idea",
    stage="tanh",
    says="In the tanh form it is as if the slope of u were 1. The chain rule goes on: u is a function of x as well.",
)
def forgets_the_slope_of_the_inner_polynomial(grad_out, x, approximate="none"):
    if approximate == "none":
        return gelu_backward(grad_out, x)
    require_same_shape(grad_out=grad_out, x=x)
    gate = _gate(x, approximate)
    return grad_out * (gate + 2 * x * gate * (1 - gate))


@mistake(
    "gelu_backward", kind="idea", says="This is the slope alone. The chain rule multiplies it by the upstream gradient."
)
def gelu_slope_without_upstream_gradient(grad_out, x, approximate="none"):
    require_same_shape(grad_out=grad_out, x=x)
    return gelu_backward(torch.ones_like(x), x, approximate)


@mistake(
    "gelu_backward",
    kind="case",
    says="In the tanh form the gradient of large |x| is nan in float16, as from 0 * inf: x² is inf from 256 on. Where may x be clamped?",
)
def slope_overflows_in_half_precision(grad_out, x, approximate="none"):
    if approximate != "tanh":
        return gelu_backward(grad_out, x, approximate)
    require_same_shape(grad_out=grad_out, x=x)
    t = tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return grad_out * ((1 + t) / 2 + x * (1 - t**2) * du / 2)


@mistake("silu", kind="idea", says="This is only the gate, sigmoid(x). What is gated?")
def returns_the_silu_gate(x):
    return sigmoid(x)


@mistake(
    "silu", kind="idea", says="The answer is x². What belongs in the place of one of the two factors is sigmoid(x)."
)
def gates_by_itself(x):
    return x * x


@mistake(
    "silu",
    kind="case",
    says="For large positive x the answer is nan, as from inf / inf in exp(x) / (1 + exp(x)). Use a sigmoid that takes large numbers.",
)
def silu_overflows(x):
    return x * torch.exp(x) / (1 + torch.exp(x))


@mistake(
    "silu",
    kind="idea",
    says="The gate opens on the wrong side: the answer is x * sigmoid(-x), so large positive entries vanish.",
)
def gates_the_wrong_side(x):
    return x * sigmoid(-x)


@mistake(
    "silu",
    kind="idea",
    says="The answer is x * sigmoid(1.702 x). The factor belongs to an approximation of GELU; SiLU has none.",
)
def borrows_a_factor_from_gelu(x):
    return x * sigmoid(1.702 * x)


@mistake(
    "silu",
    kind="case",
    says="The tensor `x` itself is changed. The caller still needs it: make a new tensor.",
)
def silu_in_place(x):
    x *= sigmoid(x)
    return x


@mistake(
    "silu_backward",
    kind="idea",
    says="This is the upstream gradient times sigmoid(x): only one half of the product rule. The gate depends on x too.",
)
def forgets_that_the_sigmoid_moves(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * sigmoid(x)


@mistake(
    "silu_backward",
    kind="idea",
    says="Only one half of the product rule is here: the slope of the gate. The gate's own value is the other half.",
)
def forgets_that_x_moves(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * x * sigmoid(x) * sigmoid(-x)


@mistake("silu_backward", kind="idea", says="In the slope the value silu(x) stands where sigmoid(x) belongs.")
def takes_silu_for_sigmoid(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * silu(x) * (1 + x * (1 - silu(x)))


@mistake(
    "silu_backward",
    kind="idea",
    says="The sign of the second term is wrong: on the right side the slope has to rise above 1 before it settles.",
)
def subtracts_the_second_term(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * sigmoid(x) * (1 - x * sigmoid(-x))


@mistake(
    "silu_backward", kind="idea", says="This is the slope alone. The chain rule multiplies it by the upstream gradient."
)
def silu_slope_without_upstream_gradient(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return sigmoid(x) * (1 + x * sigmoid(-x))


@mistake(
    "silu_backward",
    kind="case",
    says="For large positive x the gradient is nan, as from inf / inf in exp(x) / (1 + exp(x)). Use your sigmoid, which takes large numbers.",
)
def silu_slope_overflows(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    s = torch.exp(x) / (1 + torch.exp(x))
    return grad_out * (s + x * s * (1 - s))


@mistake(
    "softplus",
    kind="case",
    says="Above `threshold` the result is still that of the formula. It has to be x itself there.",
)
def ignores_the_threshold(x, beta=1.0, threshold=20.0):
    return softplus(x, beta, math.inf)


@mistake("softplus", kind="case", says="It is as if x were compared with `threshold`. The exercise compares beta * x.")
def compares_x_with_the_threshold(x, beta=1.0, threshold=20.0):
    return softplus(x, beta, beta * threshold)


@mistake(
    "softplus",
    kind="case",
    says="At `threshold` itself the result is x. There the formula still counts; x is for what is above it.",
)
def takes_x_at_the_threshold(x, beta=1.0, threshold=20.0):
    return torch.where(beta * x >= threshold, x, softplus(x, beta, threshold))


@mistake("softplus", kind="idea", says="`beta` is ignored: the curve is always that of beta = 1.")
def ignores_beta(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return softplus(x, 1.0, threshold)


@mistake(
    "softplus",
    kind="idea",
    says="The sides have changed places: x itself is for where beta * x is above `threshold`, the formula for elsewhere.",
)
def turns_the_threshold_round(x, beta=1.0, threshold=20.0):
    return torch.where(beta * x > threshold, softplus(x, beta, math.inf), x)


@mistake(
    "softplus",
    kind="idea",
    says="Below `threshold` it is as if `beta` were missing in the exponent: it is a factor of x there.",
)
def forgets_beta_in_the_exponent(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return torch.where(beta * x > threshold, x, softplus(x, 1.0, math.inf) / beta)


@mistake(
    "softplus",
    kind="idea",
    says="The answer is the larger of x and 0, plus log(1 + exp(-|x|)) / beta: `beta` is missing in the exponent.",
)
def forgets_beta_in_the_safe_exponent(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return torch.where(x > threshold, x, x.clamp(min=0) + _bend(x) / beta)


@mistake("softplus", kind="idea", says="The logarithm is multiplied by `beta`. It has to be scaled back.")
def multiplies_by_beta(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return torch.where(beta * x > threshold, x, x.clamp(min=0) + beta * _bend(beta * x))


@mistake(
    "softplus",
    kind="idea",
    says="The answer is the larger of x and 0, plus log(1 + exp(-|beta * x|)): that logarithm is not divided by `beta`.",
)
def forgets_to_divide_the_rest_by_beta(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return torch.where(beta * x > threshold, x, x.clamp(min=0) + _bend(beta * x))


@mistake(
    "silu_backward",
    kind="case",
    says="For large x float16 gives a wrong gradient, as if two numbers of the size of silu(x) were subtracted and nothing of the small difference were kept. Go by sigmoid(x) and x instead of the value.",
)
def silu_slope_through_the_value(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    y = silu(x)
    return grad_out * (y + sigmoid(x) * (1 - y))


@mistake(
    "softplus",
    kind="idea",
    says="Below `threshold` the logarithm is not scaled back, so for beta other than 1 the curve does not approach x. Which factor stands before it?",
)
def forgets_to_divide_by_beta(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return torch.where(beta * x > threshold, x, softplus(beta * x, 1.0, math.inf))


@mistake(
    "softplus",
    kind="case",
    says="Where beta * x is large and still below `threshold`, the answer is inf, as exp is there. What can be taken out of the logarithm first?",
)
def overflows_below_a_large_threshold(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return torch.where(beta * x > threshold, x, torch.log(1 + torch.exp(beta * x)) / beta)


@mistake("softplus", kind="refusal", says="A `beta` of 0 is not refused.")
def accepts_any_beta(x, beta=1.0, threshold=20.0):
    return torch.where(beta * x > threshold, x, ((beta * x).clamp(min=0) + _bend(beta * x)) / beta)


@mistake("softplus", kind="refusal", says="A negative `beta` is not refused.")
def accepts_a_negative_beta(x, beta=1.0, threshold=20.0):
    if beta == 0:
        raise ValueError("beta is 0")
    return torch.where(beta * x > threshold, x, ((beta * x).clamp(min=0) + _bend(beta * x)) / beta)


@mistake(
    "softplus",
    kind="case",
    says="Far left digits are lost, as if 1 + exp(z) were rounded to 1 before the logarithm. Is there a function for log(1 + e) as a whole?",
)
def loses_the_digits_far_left(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    z = beta * x
    return torch.where(z > threshold, x, x.clamp(min=0) + torch.log(1 + torch.exp(-z.abs())) / beta)


@mistake(
    "softplus",
    kind="refusal",
    says="A `beta` of nan is not refused: every comparison with nan is False. Ask for what is good instead of what is bad.",
)
def lets_a_beta_of_nan_through(x, beta=1.0, threshold=20.0):
    if beta <= 0:
        raise ValueError("beta is not positive")
    return torch.where(beta * x > threshold, x, x.clamp(min=0) + _bend(beta * x) / beta)


@mistake(
    "softplus_backward",
    kind="case",
    says="At `threshold` itself the slope is 1. There that of the formula still counts.",
)
def has_slope_one_at_the_threshold(grad_out, x, beta=1.0, threshold=20.0):
    return torch.where(beta * x >= threshold, grad_out, softplus_backward(grad_out, x, beta, threshold))


@mistake(
    "softplus_backward",
    kind="case",
    says="Above `threshold` the slope is still that of the formula. It has to be exactly 1 there.",
)
def ignores_the_threshold_backward(grad_out, x, beta=1.0, threshold=20.0):
    return softplus_backward(grad_out, x, beta, math.inf)


@mistake(
    "softplus_backward",
    kind="case",
    says="It is as if x were compared with `threshold`. The exercise compares beta * x.",
)
def compares_x_with_the_threshold_backward(grad_out, x, beta=1.0, threshold=20.0):
    return softplus_backward(grad_out, x, beta, beta * threshold)


@mistake(
    "softplus_backward",
    kind="idea",
    says="The sides have changed places: the slope has to be 1 where beta * x is above `threshold`, and that of the formula elsewhere.",
)
def turns_the_slopes_round(grad_out, x, beta=1.0, threshold=20.0):
    return torch.where(beta * x > threshold, softplus_backward(grad_out, x, beta, math.inf), grad_out)


@mistake(
    "softplus_backward",
    kind="idea",
    says="This is the slope alone. The chain rule multiplies it by the upstream gradient.",
)
def softplus_slope_without_upstream_gradient(grad_out, x, beta=1.0, threshold=20.0):
    require_same_shape(grad_out=grad_out, x=x)
    return softplus_backward(torch.ones_like(x), x, beta, threshold)


@mistake(
    "softplus_backward",
    kind="idea",
    says="Up to `threshold` this is the slope alone. The chain rule multiplies it by the upstream gradient.",
)
def bent_slope_without_upstream_gradient(grad_out, x, beta=1.0, threshold=20.0):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(beta * x > threshold, grad_out, softplus_backward(torch.ones_like(x), x, beta, math.inf))


@mistake(
    "softplus_backward",
    kind="idea",
    says="Up to `threshold` the slope is added to the upstream gradient. It has to be a factor.",
)
def adds_the_bent_slope(grad_out, x, beta=1.0, threshold=20.0):
    return torch.where(
        beta * x > threshold, grad_out, grad_out + bent_slope_without_upstream_gradient(grad_out, x, beta)
    )


@mistake(
    "softplus_backward",
    kind="idea",
    says="Up to `threshold` the upstream gradient is multiplied by beta * x itself. The slope is its sigmoid.",
)
def forgets_the_sigmoid(grad_out, x, beta=1.0, threshold=20.0):
    softplus_backward(grad_out, x, beta, threshold)
    return torch.where(beta * x > threshold, grad_out, grad_out * beta * x)


@mistake(
    "softplus_backward",
    kind="idea",
    says="Up to `threshold` the upstream gradient is multiplied by the value softplus(x). The chain rule asks for the slope.",
)
def multiplies_by_softplus_instead_of_slope(grad_out, x, beta=1.0, threshold=20.0):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(beta * x > threshold, grad_out, grad_out * softplus(x, beta, math.inf))


@mistake(
    "softplus_backward",
    kind="idea",
    says="Up to `threshold` the slope falls where it should rise: it is that for -x.",
)
def turns_the_sigmoid_round(grad_out, x, beta=1.0, threshold=20.0):
    return torch.where(beta * x > threshold, grad_out, softplus_backward(grad_out, -x, beta, math.inf))


@mistake("softplus_backward", kind="idea", says="`beta` is ignored: the gradient is that for beta = 1.")
def ignores_beta_backward(grad_out, x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return softplus_backward(grad_out, x, 1.0, threshold)


@mistake("softplus_backward", kind="idea", says="It is as if `beta` were added to x. It is a factor of x.")
def adds_beta(grad_out, x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(beta + x > threshold, grad_out, grad_out * sigmoid(beta + x))


@mistake(
    "softplus_backward",
    kind="idea",
    says="Above `threshold` the gradient is 0. There the forward pass returned x itself: what is its slope?",
)
def stops_the_gradient_above_the_threshold(grad_out, x, beta=1.0, threshold=20.0):
    return torch.where(beta * x > threshold, 0, softplus_backward(grad_out, x, beta, threshold))


@mistake(
    "softplus_backward",
    kind="idea",
    says="`beta` is missing inside the sigmoid. It is a factor of x in the forward formula.",
)
def forgets_beta_in_the_sigmoid(grad_out, x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(beta * x > threshold, grad_out, grad_out * sigmoid(x))


@mistake(
    "softplus_backward",
    kind="idea",
    says="One factor `beta` too many: the inner derivative and the factor before the logarithm cancel.",
)
def keeps_the_inner_beta(grad_out, x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(beta * x > threshold, grad_out, grad_out * beta * sigmoid(beta * x))


@mistake(
    "softplus_backward",
    kind="case",
    says="Where beta * x is large and still below `threshold`, the gradient is nan, as from inf / inf of exponentials. Use a sigmoid that takes large numbers.",
)
def slope_overflows_below_a_large_threshold(grad_out, x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    require_same_shape(grad_out=grad_out, x=x)
    grown = torch.exp(beta * x)
    return torch.where(beta * x > threshold, grad_out, grad_out * grown / (1 + grown))


@mistake(
    "logsumexp",
    kind="idea",
    says="Large entries give inf and very negative ones -inf: exp overflows, or becomes 0. What can be taken out of the sum first?",
)
def sums_without_taking_the_largest_out(x, dim, keepdim=False):
    _checked(x, dim)
    return torch.log(torch.exp(x).sum(dim, keepdim=keepdim))


@mistake(
    "logsumexp",
    kind="idea",
    says="The answer is too low by the largest entry, as if that were subtracted and never added back.",
)
def forgets_to_add_the_largest_back(x, dim, keepdim=False):
    return logsumexp(x, dim, keepdim) - _largest(x, dim, keepdim)


@mistake(
    "logsumexp",
    kind="case",
    says="A slice far below the largest entry of the tensor gives -inf, as if that entry were taken out of every slice. Each slice has its own largest entry.",
)
def takes_the_largest_of_the_whole_tensor(x, dim, keepdim=False):
    _checked(x, dim)
    largest = x.max() if x.numel() and x.isfinite().all() else 0
    return largest + torch.log(torch.exp(x - largest).sum(dim, keepdim=keepdim))


@mistake("logsumexp", kind="case", says="`keepdim` is ignored: the axis always disappears.")
def ignores_keepdim(x, dim, keepdim=False):
    return logsumexp(x, dim)


@mistake("logsumexp", kind="idea", says="`dim` is ignored: the last axis is always summed.")
def always_sums_the_last_axis(x, dim, keepdim=False):
    _checked(x, dim)
    return logsumexp(x, -1, keepdim)


@mistake("logsumexp", kind="idea", says="This is the logarithm of the mean of the exponentials, not of their sum.")
def takes_the_mean(x, dim, keepdim=False):
    return logsumexp(x, dim, keepdim) - math.log(max(x.shape[dim], 1))


@mistake("logsumexp", kind="case", says="Where the largest entry is infinite the answer is nan, as from inf - inf.")
def subtracts_infinity_from_itself(x, dim, keepdim=False):
    _checked(x, dim)
    if x.shape[dim] == 0:
        return logsumexp(x, dim, keepdim)
    return logsumexp(x - x.amax(dim, keepdim=True), dim, keepdim) + x.amax(dim, keepdim)


@mistake(
    "logsumexp",
    kind="case",
    says="An axis of length 0 ends in an exception, as the largest of no entries does. Treat the empty axis apart.",
)
def fails_on_an_empty_axis(x, dim, keepdim=False):
    _checked(x, dim)
    x.amax(dim)
    return logsumexp(x, dim, keepdim)


@mistake(
    "logsumexp_backward",
    kind="idea",
    says="These are the shares alone. The chain rule multiplies them by the upstream gradient.",
)
def shares_without_upstream_gradient(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    return softmax(x, dim)


@mistake(
    "logsumexp_backward",
    kind="idea",
    says="Where the upstream gradient lacks the axis `dim`, it is lined up with the wrong axes. Put that axis back in its place first.",
)
def forgets_to_put_the_axis_back(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    return grad_out * softmax(x, dim)


@mistake(
    "logsumexp_backward",
    kind="case",
    says="For large entries the gradient is nan, as from inf / inf of exponentials. How did the forward pass avoid this?",
)
def shares_overflow(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    grown = torch.exp(x)
    return (grad_out if keepdim else grad_out.unsqueeze(dim)) * grown / grown.sum(dim, keepdim=True)


@mistake(
    "logsumexp_backward", kind="idea", says="The shares are taken of the whole tensor, not of each slice along `dim`."
)
def shares_of_the_whole_tensor(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    shares = torch.exp(x - logsumexp(x.flatten(), 0))
    return (grad_out if keepdim else grad_out.unsqueeze(dim)) * shares


@mistake(
    "logsumexp_backward",
    kind="idea",
    says="The upstream gradient is handed to every entry in full. It is shared among them.",
)
def gives_every_entry_everything(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    return (grad_out if keepdim else grad_out.unsqueeze(dim)).expand(x.shape).clone()


@mistake(
    "logsumexp_backward",
    kind="case",
    says="The shares of large scores are off, as exp(x - logsumexp(x)) is where a large logsumexp is rounded: in float16 two scores of 10,000 get a share of 1 each. Make the shares from differences of scores.",
)
def shares_from_a_rounded_logsumexp(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    shares = torch.exp(x - logsumexp(x, dim, keepdim=True))
    return (grad_out if keepdim else grad_out.unsqueeze(dim)) * shares


@mistake(
    "logsumexp_backward",
    kind="case",
    says="With keepdim=True the axis is put back although the upstream gradient still has it.",
)
def always_puts_the_axis_back(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    return grad_out.unsqueeze(dim) * softmax(x, dim)


@mistake(
    "softmax",
    kind="idea",
    says="The sum runs over the whole tensor. Each slice along `dim` has to add up to 1 by itself.",
)
def normalises_the_whole_tensor(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    weights = torch.exp((x - x.max()) / temperature) if x.numel() else x
    return weights / weights.sum()


@mistake(
    "softmax",
    kind="idea",
    says="For large scores the answer is nan, as from inf / inf of exponentials. What can be subtracted from all scores without changing the quotient?",
)
def overflows(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    weights = torch.exp(x / temperature)
    return weights / weights.sum(dim, keepdim=True)


@mistake(
    "softmax",
    kind="case",
    says="A slice far below the largest score of the tensor gives nan, as from 0 / 0, as if that score were subtracted from every slice. Each slice has its own largest score.",
)
def subtracts_the_largest_of_the_whole_tensor(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    weights = torch.exp((x - x.max()) / temperature) if x.numel() else x
    return weights / weights.sum(dim, keepdim=True)


@mistake(
    "softmax",
    kind="idea",
    says="The scores are multiplied by the temperature. A high temperature has to flatten the distribution, not sharpen it.",
)
def multiplies_by_the_temperature(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    return softmax(x * temperature, dim)


@mistake("softmax", kind="idea", says="`temperature` is ignored: the answer is that for a temperature of 1.")
def ignores_the_temperature(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    return softmax(x, dim)


@mistake("softmax", kind="idea", says="`dim` is ignored: the last axis is always normalised.")
def always_takes_the_last_axis(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    return softmax(x, -1, temperature)


@mistake(
    "softmax",
    kind="case",
    says="Large scores and a small temperature give nan in float16, as if the division overflowed before the largest score is subtracted. What if it is subtracted first?",
)
def divides_before_it_subtracts(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    scores = x / temperature
    weights = torch.exp(scores - scores.amax(dim, keepdim=True)) if x.numel() else x
    return weights / weights.sum(dim, keepdim=True)


@mistake(
    "softmax_backward",
    kind="idea",
    says="Every output is treated as if it depended on its own input alone. Each output also depends on every other input, through the sum.",
)
def keeps_only_the_diagonal(grad_out, x, dim, temperature=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    y = softmax(x, dim, temperature)
    return grad_out * y * (1 - y) / temperature


@mistake("softmax_backward", kind="idea", says="The inner product is taken over the whole tensor, not along `dim`.")
def sums_over_everything(grad_out, x, dim, temperature=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    y = softmax(x, dim, temperature)
    return y * (grad_out - (grad_out * y).sum()) / temperature


@mistake(
    "softmax_backward",
    kind="idea",
    says="The gradient is T times what it should be: the chain rule through x / T is missing. What is d(x/T)/dx?",
)
def forgets_the_temperature(grad_out, x, dim, temperature=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    y = softmax(x, dim, temperature)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True))


@mistake(
    "softmax_backward",
    kind="idea",
    says="The plain mean of the upstream gradient is subtracted. The probabilities are the weights of the average.",
)
def subtracts_the_plain_mean(grad_out, x, dim, temperature=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    y = softmax(x, dim, temperature)
    return y * (grad_out - grad_out.mean(dim, keepdim=True)) / temperature


@mistake(
    "softmax_backward",
    kind="case",
    says="A loop takes row by row. The sum along `dim` can be taken of all rows at once, if its axis is kept.",
)
def takes_row_by_row(grad_out, x, dim, temperature=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    y = softmax(x, dim, temperature).movedim(dim, -1)
    if y.numel() == 0:
        return x.clone()
    pairs = zip(grad_out.movedim(dim, -1).reshape(-1, y.shape[-1]), y.reshape(-1, y.shape[-1]), strict=True)
    rows = [row * (g - (g * row).sum()) / temperature for g, row in pairs]
    return torch.stack(rows).reshape(y.shape).movedim(-1, dim)


@mistake(
    "softmax_backward",
    kind="idea",
    says="The gradient is too small by the factor T, as if the temperature divided twice. It stands once in x / T.",
)
def divides_by_the_temperature_twice(grad_out, x, dim, temperature=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    y = softmax(x, dim, temperature)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True)) / temperature**2


@mistake(
    "softmax_backward",
    kind="case",
    says="The scores are divided by the temperature before torch's softmax subtracts the largest: with a small temperature that overflows in float16, and rounds large scores in every dtype. Subtract first.",
)
def divides_before_the_softmax(grad_out, x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    require_same_shape(grad_out=grad_out, x=x)
    y = torch.softmax(x / temperature, dim)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True)) / temperature


@mistake(
    "log_softmax",
    kind="idea",
    says="A score far below the others gives -inf, as the logarithm of a probability that is rounded to 0 does. Do not go through the probabilities.",
)
def takes_the_logarithm_of_softmax(x, dim):
    return torch.log(softmax(x, dim))


@mistake(
    "log_softmax",
    kind="idea",
    says="Large scores give -inf and very negative ones inf: exp overflows, or becomes 0. What can be subtracted from all scores without changing the result?",
)
def log_softmax_overflows(x, dim):
    _checked(x, dim)
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))


@mistake("log_softmax", kind="idea", says="The sum runs over the whole tensor. Each slice along `dim` has its own.")
def log_of_shares_of_the_whole_tensor(x, dim):
    _checked(x, dim)
    return x - logsumexp(x.flatten(), 0)


@mistake("log_softmax", kind="idea", says="`dim` is ignored: the last axis is always normalised.")
def log_softmax_of_the_last_axis(x, dim):
    _checked(x, dim)
    return log_softmax(x, -1)


@mistake(
    "log_softmax",
    kind="idea",
    says="The sign is wrong: these are the negative logarithms. Probabilities are at most 1, so their logarithms are at most 0.",
)
def returns_negative_logarithms(x, dim):
    return -log_softmax(x, dim)


@mistake("log_softmax", kind="idea", says="The answer is a logarithm of base 10. log_softmax takes the natural one.")
def takes_the_decimal_logarithm(x, dim):
    return log_softmax(x, dim) / math.log(10)


@mistake(
    "log_softmax",
    kind="case",
    says="Large scores lose digits, as if a large logsumexp were rounded before it is subtracted. What can be subtracted from the scores first?",
)
def subtracts_a_rounded_logsumexp(x, dim):
    return x - logsumexp(x, dim, keepdim=True)


@mistake(
    "log_softmax_backward",
    kind="idea",
    says="Every output is treated as if it depended on its own input alone. Each output also depends on every other input, through the sum.",
)
def keeps_only_the_diagonal_of_the_logarithm(grad_out, x, dim):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * (1 - softmax(x, dim))


@mistake(
    "log_softmax_backward", kind="idea", says="The upstream gradient is summed over the whole tensor, not along `dim`."
)
def sums_the_upstream_gradient_over_everything(grad_out, x, dim):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out - softmax(x, dim) * grad_out.sum()


@mistake(
    "log_softmax_backward",
    kind="idea",
    says="The sum of the upstream gradients is multiplied by the log-probabilities. The formula has the probabilities.",
)
def takes_log_probabilities_for_probabilities(grad_out, x, dim):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out - log_softmax(x, dim) * grad_out.sum(dim, keepdim=True)


@mistake(
    "log_softmax_backward", kind="idea", says="This is the gradient of softmax. The logarithm changes the Jacobian."
)
def uses_the_gradient_of_softmax(grad_out, x, dim):
    require_same_shape(grad_out=grad_out, x=x)
    y = softmax(x, dim)
    return y * (grad_out - (grad_out * y).sum(dim, keepdim=True))


@mistake(
    "log_softmax_backward",
    kind="idea",
    says="The sign of the shared term is wrong: along the axis the gradient has to add up to 0.",
)
def adds_the_shared_term(grad_out, x, dim):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out + softmax(x, dim) * grad_out.sum(dim, keepdim=True)


@mistake(
    "log_softmax_backward",
    kind="case",
    says="For large scores the gradient is off, as if the probabilities were exp(x - logsumexp(x)) with a logsumexp that is rounded. Your softmax has them to the last digit.",
)
def probabilities_from_a_rounded_logsumexp(grad_out, x, dim):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out - torch.exp(x - logsumexp(x, dim, keepdim=True)) * grad_out.sum(dim, keepdim=True)


def _result_shape(grad_out, x, dim, keepdim):
    require_axis(x, dim=dim)
    require_same_shape(grad_out=grad_out, out=x.sum(dim, keepdim=keepdim))


def _checked(x, dim, temperature=1.0):
    require_axis(x, dim=dim)
    require_positive(temperature=temperature)


def _gate(x, approximate):
    require_one_of(("none", "tanh"), approximate=approximate)
    if approximate == "none":
        return (1 + torch.erf(x / math.sqrt(2))) / 2
    near = x.clamp(-10, 10)
    return (1 + tanh(math.sqrt(2 / math.pi) * (near + 0.044715 * near**3))) / 2


def _tanh_form(x, approximate, inner):
    require_one_of(("none", "tanh"), approximate=approximate)
    return x * sigmoid(2 * math.sqrt(2 / math.pi) * inner)


def _bend(z):
    return torch.log1p(torch.exp(-z.abs()))


def _largest(x, dim, keepdim):
    largest = x.amax(dim, keepdim) if x.shape[dim] else x.new_zeros(())
    return torch.where(largest.isfinite(), largest, 0).to(x.dtype)
