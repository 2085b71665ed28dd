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
    says="The exponent has the wrong sign, so the curve falls instead of rising. What should happen for large positive x?",
)
def falls_instead_of_rising(x):
    return sigmoid(-x)


@mistake(
    "sigmoid",
    kind="case",
    says="exp(x) / (1 + exp(x)) becomes inf / inf for large positive x. Treat the two signs of x apart.",
)
def overflows_far_right(x):
    return torch.exp(x) / (1 + torch.exp(x))


@mistake(
    "sigmoid",
    kind="case",
    says="The arithmetic is done in the tensor that was passed in. The caller still needs it: use operations without a trailing underscore.",
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
    "sigmoid_backward", kind="refusal", says="An upstream gradient of another shape is broadcast instead of refused."
)
def broadcasts_the_upstream_gradient(grad_out, x):
    return grad_out * sigmoid(x) * sigmoid(-x)


@mistake(
    "sigmoid_backward",
    kind="case",
    says="For very negative x exp(-x) is inf, and inf / inf² is nan. Use your sigmoid, which takes large numbers.",
)
def slope_overflows_far_left(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    grown = torch.exp(-x)
    return grad_out * grown / (1 + grown) ** 2


@mistake(
    "tanh",
    kind="case",
    says="For large |x| one of the exponentials is inf, and inf / inf is nan. Use a form whose exponents are never positive.",
)
def tanh_overflows(x):
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


@mistake(
    "tanh",
    kind="idea",
    says="The curve has the right range and is too flat: its slope at 0 has to be 1. What stands inside the sigmoid?",
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
    says="The slope falls below 0 where x is positive and exceeds 1 where it is negative. Which power of tanh(x) belongs there?",
)
def forgets_the_square(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * (1 - tanh(x))


@mistake(
    "tanh_backward", kind="idea", says="This is the slope of the sigmoid's form, t * (1 - t). The tanh has another one."
)
def uses_the_slope_of_the_sigmoid(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * tanh(x) * (1 - tanh(x))


@mistake("tanh_backward", kind="idea", says="The slope has to be a factor of the upstream gradient. Here it is added.")
def adds_the_slope(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out + 1 - tanh(x) ** 2


@mistake("relu", kind="idea", says="Negative entries are mirrored to the other side. They have to become 0.")
def mirrors_the_negative_side(x):
    return x.abs()


@mistake(
    "relu",
    kind="idea",
    says="The comparison is turned round: the negative entries stay and the positive ones become 0.",
)
def keeps_the_negative_side(x):
    return x.clamp(max=0)


@mistake("relu", kind="idea", says="This is only the gate, 0 or 1. Where it is open, the entry itself passes.")
def returns_the_gate(x):
    return (x > 0).to(x.dtype)


@mistake("relu", kind="idea", says="The result is cut off from above too. ReLU has no upper end.")
def cuts_off_at_one(x):
    return x.clamp(0, 1)


@mistake(
    "relu",
    kind="case",
    says="The zeros are written into the tensor that was passed in. The caller still needs it: make a new tensor.",
)
def relu_in_place(x):
    x[x < 0] = 0
    return x


@mistake(
    "relu",
    kind="case",
    says="Every comparison with nan is False, so nan becomes 0 here. The rules ask that it stays visible.",
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
    says="At x = 0 the gradient passes. The exercise says what holds at the corner: look at the comparison.",
)
def relu_slope_one_at_zero(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x < 0, 0, grad_out)


@mistake(
    "relu_backward",
    kind="idea",
    says="The gate looks at the upstream gradient. Whether it is open was decided in the forward pass, by x.",
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
    says="The mask is a float32 tensor, so the gradient of a float16 or bfloat16 input comes out as float32.",
)
def turns_half_precision_into_float32(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * (~(x <= 0)).float()


@mistake(
    "relu_backward",
    kind="case",
    says="At nan the gate is closed, as every comparison with nan is False. The exercise says that it counts as open.",
)
def closes_the_gate_at_nan(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x > 0, grad_out, 0)


@mistake("leaky_relu", kind="idea", says="`negative_slope` is ignored: the slope is always 0.01.")
def ignores_negative_slope(x, negative_slope=0.01):
    return leaky_relu(x)


@mistake(
    "leaky_relu",
    kind="case",
    says="The larger of x and a * x is right only while a is between 0 and 1. Decide by the sign of x.",
)
def takes_the_larger_of_both_lines(x, negative_slope=0.01):
    return torch.maximum(x, negative_slope * x)


@mistake("leaky_relu", kind="idea", says="The left side rises to the left: its sign is wrong.")
def leaks_with_the_wrong_sign(x, negative_slope=0.01):
    return torch.where(x > 0, x, -negative_slope * x)


@mistake(
    "leaky_relu",
    kind="idea",
    says="The slope is applied to the wrong side: negative entries pass unchanged, positive ones shrink.",
)
def leaks_on_the_right_side(x, negative_slope=0.01):
    return torch.where(x > 0, negative_slope * x, x)


@mistake(
    "leaky_relu",
    kind="case",
    says="The negative entries are scaled in the tensor that was passed in. The caller still needs it: make a new tensor.",
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
    kind="case",
    says="At x = 0 the slope of the right side is taken. The exercise says which side counts at the corner: look at the comparison.",
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
    says="`alpha` stands inside the exponent. It scales how deep the left side goes, not how fast it falls.",
)
def puts_alpha_into_the_exponent(x, alpha=1.0):
    return torch.where(x > 0, x, torch.expm1((alpha * x).clamp(max=0)))


@mistake(
    "elu",
    kind="case",
    says="exp of a large entry is inf, and the mask does not remove it: 0 * inf is nan. Choose between the sides instead of adding them.",
)
def multiplies_infinity_by_a_mask(x, alpha=1.0):
    right = (x > 0).to(x.dtype)
    return right * x + (1 - right) * alpha * torch.expm1(x)


@mistake(
    "elu",
    kind="case",
    says="Just left of 0 exp(x) is rounded to nearly 1, and subtracting 1 leaves few digits or none. Is there a function for exp(x) - 1 as a whole?",
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
    says="At x = 0 the slope of the right side is taken. The exercise says which side counts: look at the comparison.",
)
def elu_slope_one_at_zero(grad_out, x, alpha=1.0):
    require_same_shape(grad_out=grad_out, x=x)
    return torch.where(x >= 0, grad_out, grad_out * alpha * torch.exp(x.clamp(max=0)))


@mistake(
    "elu_backward",
    kind="case",
    says="exp of a large entry is inf, and the mask does not remove it: 0 * inf is nan. Choose between the sides instead of adding them.",
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
    says="`approximate` is ignored: this is the tanh form also where the exact one is asked for. They differ in the fourth digit.",
)
def always_uses_the_tanh_form(x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu(x, "tanh")


@mistake(
    "gelu",
    kind="idea",
    stage="tanh",
    says="`approximate` is ignored: this is the exact form also where the tanh form is asked for. They differ in the fourth digit.",
)
def always_uses_the_exact_form(x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu(x)


@mistake(
    "gelu",
    kind="idea",
    stage="none",
    says="erf is not yet the distribution function of the normal: its argument is scaled differently. Look at the formula of Φ.",
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
    says="For large |x| the exponentials of u are inf, and inf / inf is nan. Use your own tanh, or clamp x inside u.",
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
    says="x is clamped outside u too, so beyond the clamp the answer no longer grows.",
)
def clamps_the_factor_too(x, approximate="none"):
    return gelu(x.clamp(-10, 10), approximate) if approximate == "tanh" else gelu(x, approximate)


@mistake("gelu_backward", kind="idea", says="Only one half of the product rule is here. The gate depends on x too.")
def forgets_that_the_gate_moves(grad_out, x, approximate="none"):
    require_same_shape(grad_out=grad_out, x=x)
    return grad_out * _gate(x, approximate)


@mistake(
    "gelu_backward",
    kind="idea",
    stage="tanh",
    says="`approximate` is ignored: this is always the slope of the exact form.",
)
def always_takes_the_exact_slope(grad_out, x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu_backward(grad_out, x)


@mistake(
    "gelu_backward",
    kind="idea",
    stage="none",
    says="`approximate` is ignored: this is always the slope of the tanh form.",
)
def always_takes_the_tanh_slope(grad_out, x, approximate="none"):
    require_one_of(("none", "tanh"), approximate=approximate)
    return gelu_backward(grad_out, x, "tanh")


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
    says="In the tanh form the chain rule stops too early: u is a function of x as well.",
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
    "gelu_backward", kind="case", says="In float16 x² is inf from 256 on, and 0 * inf is nan. Where may x be clamped?"
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
    "silu",
    kind="case",
    says="exp(x) / (1 + exp(x)) becomes inf / inf for large positive x. Use a sigmoid that takes large numbers.",
)
def silu_overflows(x):
    return x * torch.exp(x) / (1 + torch.exp(x))


@mistake(
    "silu",
    kind="idea",
    says="The gate opens on the wrong side: large positive entries vanish. Look at the sign inside the sigmoid.",
)
def gates_the_wrong_side(x):
    return x * sigmoid(-x)


@mistake("silu", kind="idea", says="The factor 1.702 belongs to an approximation of GELU. SiLU has none.")
def borrows_a_factor_from_gelu(x):
    return x * sigmoid(1.702 * x)


@mistake(
    "silu",
    kind="case",
    says="The product is written into the tensor that was passed in. The caller still needs it: make a new tensor.",
)
def silu_in_place(x):
    x *= sigmoid(x)
    return x


@mistake("silu_backward", kind="idea", says="Only one half of the product rule is here. The gate depends on x too.")
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
    says="exp(x) is inf for large x, and inf / inf is nan. Use your sigmoid, which takes large numbers.",
)
def silu_slope_overflows(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    s = torch.exp(x) / (1 + torch.exp(x))
    return grad_out * (s + x * s * (1 - s))


@mistake("softplus", kind="case", says="`threshold` is ignored: above it the result has to be x itself.")
def ignores_the_threshold(x, beta=1.0, threshold=20.0):
    return softplus(x, beta, math.inf)


@mistake("softplus", kind="case", says="x is compared with `threshold`. The exercise compares beta * x.")
def compares_x_with_the_threshold(x, beta=1.0, threshold=20.0):
    return softplus(x, beta, beta * threshold)


@mistake("softplus", kind="case", says="At `threshold` itself the formula still counts; x is for what is above it.")
def takes_x_at_the_threshold(x, beta=1.0, threshold=20.0):
    return torch.where(beta * x >= threshold, x, softplus(x, beta, threshold))


@mistake("softplus", kind="idea", says="`beta` is ignored: the curve is always that of beta = 1.")
def ignores_beta(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return softplus(x, 1.0, threshold)


@mistake(
    "silu_backward",
    kind="case",
    says="For large x two numbers of the size of silu(x) are subtracted, and float16 keeps nothing of the small difference. Go by sigmoid(x) and x instead of the value.",
)
def silu_slope_through_the_value(grad_out, x):
    require_same_shape(grad_out=grad_out, x=x)
    y = silu(x)
    return grad_out * (y + sigmoid(x) * (1 - y))


@mistake(
    "softplus",
    kind="idea",
    says="The logarithm is not scaled back, so for beta other than 1 the curve does not approach x. Which factor stands before it?",
)
def forgets_to_divide_by_beta(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return torch.where(beta * x > threshold, x, softplus(beta * x, 1.0, math.inf))


@mistake(
    "softplus",
    kind="case",
    says="exp overflows before `threshold` is reached. What can be taken out of the logarithm first?",
)
def overflows_below_a_large_threshold(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    return torch.where(beta * x > threshold, x, torch.log(1 + torch.exp(beta * x)) / beta)


@mistake("softplus", kind="refusal", says="A `beta` of 0 or below is not refused.")
def accepts_any_beta(x, beta=1.0, threshold=20.0):
    z = beta * x
    return torch.where(z > threshold, x, (z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))) / beta)


@mistake(
    "softplus",
    kind="case",
    says="Far left 1 + exp(z) is rounded to 1, and its logarithm is 0 or has few digits. Is there a function for log(1 + e) as a whole?",
)
def loses_the_digits_far_left(x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    z = beta * x
    return torch.where(z > threshold, x, x.clamp(min=0) + torch.log(1 + torch.exp(-z.abs())) / beta)


@mistake(
    "softplus",
    kind="refusal",
    says="A `beta` of nan is let through: it is not below 0, and every comparison with nan is False. Ask for what is good instead of what is bad.",
)
def lets_a_beta_of_nan_through(x, beta=1.0, threshold=20.0):
    if beta <= 0:
        raise ValueError("beta is not positive")
    z = beta * x
    return torch.where(z > threshold, x, x.clamp(min=0) + torch.log1p(torch.exp(-z.abs())) / beta)


@mistake("softplus_backward", kind="case", says="At `threshold` itself the slope is still that of the formula.")
def has_slope_one_at_the_threshold(grad_out, x, beta=1.0, threshold=20.0):
    return torch.where(beta * x >= threshold, grad_out, softplus_backward(grad_out, x, beta, threshold))


@mistake("softplus_backward", kind="case", says="`threshold` is ignored: above it the slope has to be exactly 1.")
def ignores_the_threshold_backward(grad_out, x, beta=1.0, threshold=20.0):
    return softplus_backward(grad_out, x, beta, math.inf)


@mistake(
    "softplus_backward",
    kind="idea",
    says="Above `threshold` the gradient is stopped. There the forward pass returned x itself: what is its slope?",
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
    says="exp overflows before `threshold` is reached, and inf / inf is nan. Use a sigmoid that takes large numbers.",
)
def slope_overflows_below_a_large_threshold(grad_out, x, beta=1.0, threshold=20.0):
    require_positive(beta=beta)
    require_same_shape(grad_out=grad_out, x=x)
    grown = torch.exp(beta * x)
    return torch.where(beta * x > threshold, grad_out, grad_out * grown / (1 + grown))


@mistake(
    "logsumexp",
    kind="idea",
    says="exp overflows for large entries, and the logarithm of 0 is -inf for very negative ones. What can be taken out of the sum first?",
)
def sums_without_taking_the_largest_out(x, dim, keepdim=False):
    _checked(x, dim)
    return torch.log(torch.exp(x).sum(dim, keepdim=keepdim))


@mistake("logsumexp", kind="idea", says="The largest entry was subtracted and never added back.")
def forgets_to_add_the_largest_back(x, dim, keepdim=False):
    return logsumexp(x, dim, keepdim) - _largest(x, dim, keepdim)


@mistake(
    "logsumexp",
    kind="case",
    says="The largest entry of the whole tensor is taken out. In a slice far below it every exponential is 0. Each slice has its own largest entry.",
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


@mistake(
    "logsumexp", kind="case", says="Where the largest entry is infinite, subtracting it gives inf - inf, which is nan."
)
def subtracts_infinity_from_itself(x, dim, keepdim=False):
    _checked(x, dim)
    if x.shape[dim] == 0:
        return logsumexp(x, dim, keepdim)
    return logsumexp(x - x.amax(dim, keepdim=True), dim, keepdim) + x.amax(dim, keepdim)


@mistake(
    "logsumexp", kind="case", says="amax has no answer for an axis of length 0 and raises. Treat the empty axis apart."
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
    says="The upstream gradient lacks the axis `dim`, and broadcasting lines it up with the wrong one. Put the axis back first.",
)
def forgets_to_put_the_axis_back(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    return grad_out * softmax(x, dim)


@mistake(
    "logsumexp_backward",
    kind="case",
    says="exp overflows for large entries, and inf / inf is nan. How did the forward pass avoid this?",
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
    says="A large logsumexp is rounded, and so are the shares exp(x - logsumexp(x)): in float16 two scores of 10,000 get a share of 1 each. Make the shares from differences of scores.",
)
def shares_from_a_rounded_logsumexp(grad_out, x, dim, keepdim=False):
    _result_shape(grad_out, x, dim, keepdim)
    shares = torch.exp(x - logsumexp(x, dim, keepdim=True))
    return (grad_out if keepdim else grad_out.unsqueeze(dim)) * shares


@mistake(
    "logsumexp_backward",
    kind="case",
    says="`keepdim` is ignored: the axis is put back also where the upstream gradient still has it.",
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
    says="exp overflows for large scores, and inf / inf is nan. What can be subtracted from all scores without changing the quotient?",
)
def overflows(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    weights = torch.exp(x / temperature)
    return weights / weights.sum(dim, keepdim=True)


@mistake(
    "softmax",
    kind="case",
    says="The largest score of the whole tensor is subtracted. In a slice far below it every exponential is 0, and 0 / 0 is nan.",
)
def subtracts_the_largest_of_the_whole_tensor(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    weights = torch.exp((x - x.max()) / temperature) if x.numel() else x
    return weights / weights.sum(dim, keepdim=True)


@mistake(
    "softmax",
    kind="idea",
    says="The temperature multiplies the scores. A high temperature has to flatten the distribution, not sharpen it.",
)
def multiplies_by_the_temperature(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    return softmax(x * temperature, dim)


@mistake("softmax", kind="idea", says="The temperature is ignored.")
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
    says="The division by a small temperature overflows in float16 before the largest score is subtracted. What if it is subtracted first?",
)
def divides_before_it_subtracts(x, dim, temperature=1.0):
    _checked(x, dim, temperature)
    scores = x / temperature
    weights = torch.exp(scores - scores.amax(dim, keepdim=True)) if x.numel() else x
    return weights / weights.sum(dim, keepdim=True)


@mistake(
    "softmax_backward",
    kind="idea",
    says="This treats every output as if it depended on its own input alone. Each output also depends on every other input, through the sum.",
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


@mistake("softmax_backward", kind="idea", says="The chain rule through x / T is missing a factor. What is d(x/T)/dx?")
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


@mistake("softmax_backward", kind="idea", says="The temperature divides twice. It stands once in x / T.")
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
    says="A probability far below the others is rounded to 0, and its logarithm is -inf. Do not go through the probabilities.",
)
def takes_the_logarithm_of_softmax(x, dim):
    return torch.log(softmax(x, dim))


@mistake(
    "log_softmax",
    kind="idea",
    says="exp overflows for large scores. What can be subtracted from all scores without changing the result?",
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


@mistake("log_softmax", kind="idea", says="The logarithm has base 10. log_softmax takes the natural one.")
def takes_the_decimal_logarithm(x, dim):
    return log_softmax(x, dim) / math.log(10)


@mistake(
    "log_softmax",
    kind="case",
    says="A large logsumexp is rounded before it is subtracted, so large scores lose digits. What can be subtracted from the scores first?",
)
def subtracts_a_rounded_logsumexp(x, dim):
    return x - logsumexp(x, dim, keepdim=True)


@mistake(
    "log_softmax_backward",
    kind="idea",
    says="This treats every output as if it depended on its own input alone. Each output also depends on every other input, through the sum.",
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
    says="A large logsumexp is rounded, and so are the probabilities exp(x - logsumexp(x)). Your softmax has them to the last digit.",
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


def _largest(x, dim, keepdim):
    largest = x.amax(dim, keepdim) if x.shape[dim] else x.new_zeros(())
    return torch.where(largest.isfinite(), largest, 0).to(x.dtype)
