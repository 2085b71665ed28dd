"""Known wrong solutions of the assignment on convolution, each with what to tell its author."""

import itertools
import math

import numpy as np
import torch

from autograder.testing import mistake

from .reference import (
    col2im,
    conv1d,
    conv2d,
    conv2d_backward,
    conv3d,
    conv_output_size,
    conv_parameter_count,
    conv_transpose2d,
    depthwise_separable_conv2d,
    im2col,
    pad2d,
    per_axis,
    receptive_field,
)


@mistake(
    "conv_output_size",
    kind="idea",
    says="One place is missing: with the kernel at the very start there is already one.",
)
def forgets_the_first_place(size, kernel_size, stride=1, padding=0, dilation=1):
    return conv_output_size(size, kernel_size, stride, padding, dilation) - (padding != "same")


@mistake("conv_output_size", kind="idea", stage="padding", says="The padding is counted once. It stands on both sides.")
def pads_one_side(size, kernel_size, stride=1, padding=0, dilation=1):
    if isinstance(padding, str):
        return conv_output_size(size, kernel_size, stride, padding, dilation)
    conv_output_size(size, kernel_size, stride, padding, dilation)
    return (size + padding - dilation * (kernel_size - 1) - 1) // stride + 1


@mistake(
    "conv_output_size",
    kind="idea",
    stage="dilation",
    says="`dilation` has no part in the answer: a kernel with gaps reaches further.",
)
def ignores_dilation_in_the_size(size, kernel_size, stride=1, padding=0, dilation=1):
    if dilation < 1:
        raise ValueError("dilation")
    return conv_output_size(size, kernel_size, stride, padding)


@mistake(
    "conv_output_size",
    kind="idea",
    stage="stride",
    says="The number of steps is rounded up. A last step that does not fit is not taken.",
)
def rounds_up(size, kernel_size, stride=1, padding=0, dilation=1):
    fits = conv_output_size(size, kernel_size, stride, padding, dilation)
    if isinstance(padding, str):
        return fits
    return -(-(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1


@mistake(
    "conv_output_size",
    kind="idea",
    stage="dilation",
    says="The kernel's reach is taken as d times k. It begins on its first weight and ends on its last.",
)
def takes_a_gap_too_many(size, kernel_size, stride=1, padding=0, dilation=1):
    conv_output_size(size, kernel_size, stride, padding, dilation)
    if padding == "same":
        return size
    return (size + 2 * (0 if padding == "valid" else padding) - dilation * kernel_size) // stride + 1


@mistake("conv_output_size", kind="idea", says="The answer is a float. A number of places is whole: divide with //.")
def returns_a_float(size, kernel_size, stride=1, padding=0, dilation=1):
    return float(conv_output_size(size, kernel_size, stride, padding, dilation))


@mistake(
    "conv_output_size",
    kind="case",
    says='With "same" a wide kernel is refused. The zeros are as many as it needs, so any kernel fits.',
)
def refuses_wide_kernels_with_same(size, kernel_size, stride=1, padding=0, dilation=1):
    if padding == "same":
        conv_output_size(size, kernel_size, stride, "valid", dilation)
    return conv_output_size(size, kernel_size, stride, padding, dilation)


@mistake(
    "conv_output_size",
    kind="refusal",
    says="A kernel that does not fit is not refused: it gets a number of places below 1. The task says what to do there.",
)
def counts_places_that_are_not_there(size, kernel_size, stride=1, padding=0, dilation=1):
    for name, value in [("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation)]:
        if value < 1:
            raise ValueError(name)
    if isinstance(padding, str) or padding < 0:
        return conv_output_size(size, kernel_size, stride, padding, dilation)
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


@mistake(
    "conv_output_size",
    kind="refusal",
    says='"same" with a stride other than 1 is not refused. The task says what to do there.',
)
def divides_by_the_stride_under_same(size, kernel_size, stride=1, padding=0, dilation=1):
    if padding == "same":
        return -(-conv_output_size(size, kernel_size, 1, "same", dilation) // max(1, stride))
    return conv_output_size(size, kernel_size, stride, padding, dilation)


@mistake("pad2d", kind="case", says='With "same" and an even kernel the odd zero stands on the left and at the top.')
def puts_the_odd_zero_first(x, kernel_size, padding="valid", stride=1, dilation=1):
    pad2d(x, kernel_size, padding, stride, dilation)
    return pad2d(x.flip(2, 3), kernel_size, padding, stride, dilation).flip(2, 3)


@mistake(
    "pad2d",
    kind="idea",
    stage="numbers",
    says="The two numbers of a padding are swapped: the first one pads the rows, at top and bottom.",
)
def swaps_rows_and_columns(x, kernel_size, padding="valid", stride=1, dilation=1):
    padding = padding[::-1] if isinstance(padding, tuple) else padding
    return pad2d(x, kernel_size, padding, stride, dilation)


@mistake(
    "pad2d",
    kind="case",
    says='With "same" there is a zero too few on even kernels: half is rounded down on both sides.',
)
def rounds_both_sides_down(x, kernel_size, padding="valid", stride=1, dilation=1):
    if padding != "same":
        return pad2d(x, kernel_size, padding, stride, dilation)
    pad2d(x, kernel_size, padding, stride, dilation)
    k, d = per_axis(kernel_size), per_axis(dilation)
    return pad2d(x, kernel_size, (d[0] * (k[0] - 1) // 2, d[1] * (k[1] - 1) // 2))


@mistake(
    "pad2d", kind="case", says='With "same" there is a zero too many on even kernels: half is rounded up on both sides.'
)
def rounds_both_sides_up(x, kernel_size, padding="valid", stride=1, dilation=1):
    if padding != "same":
        return pad2d(x, kernel_size, padding, stride, dilation)
    pad2d(x, kernel_size, padding, stride, dilation)
    k, d = per_axis(kernel_size), per_axis(dilation)
    return pad2d(x, kernel_size, ((d[0] * (k[0] - 1) + 1) // 2, (d[1] * (k[1] - 1) + 1) // 2))


@mistake(
    "pad2d",
    kind="case",
    says='With "same" and an even kernel there are dilation * (k // 2) zeros on both sides. That is more than it needs.',
)
def pads_half_the_kernel(x, kernel_size, padding="valid", stride=1, dilation=1):
    if padding != "same":
        return pad2d(x, kernel_size, padding, stride, dilation)
    pad2d(x, kernel_size, padding, stride, dilation)
    k, d = per_axis(kernel_size), per_axis(dilation)
    return pad2d(x, kernel_size, (d[0] * (k[0] // 2), d[1] * (k[1] // 2)))


@mistake("pad2d", kind="case", says="The result is float32, whatever the dtype of `x` is.")
def pads_in_float32(x, kernel_size, padding="valid", stride=1, dilation=1):
    return pad2d(x, kernel_size, padding, stride, dilation).float()


@mistake(
    "pad2d", kind="refusal", says='"same" with a stride other than 1 is not refused. The task says what to do there.'
)
def allows_same_with_a_stride(x, kernel_size, padding="valid", stride=1, dilation=1):
    return pad2d(x, kernel_size, padding, 1, dilation)


@mistake(
    "pad2d",
    kind="idea",
    stage="dilation",
    says='`dilation` has no part in the answer: with "same" a kernel with gaps needs more zeros.',
)
def ignores_dilation_in_same(x, kernel_size, padding="valid", stride=1, dilation=1):
    pad2d(x, kernel_size, padding, stride, dilation)
    return pad2d(x, kernel_size, padding, stride, 1)


@mistake(
    "pad2d",
    kind="idea",
    stage="same",
    says='With "same" there are as many zeros as the kernel has entries, times the dilation. One entry less keeps the size.',
)
def adds_a_zero_too_many(x, kernel_size, padding="valid", stride=1, dilation=1):
    pad2d(x, kernel_size, padding, stride, dilation)
    if padding != "same":
        return pad2d(x, kernel_size, padding)
    k, d = per_axis(kernel_size), per_axis(dilation)
    return pad2d(x, (d[0] * k[0] + 1, d[1] * k[1] + 1), "same")


@mistake("pad2d", kind="case", says="A loop copies pixel by pixel. One slice of the result takes the whole image.")
def copies_pixel_by_pixel(x, kernel_size, padding="valid", stride=1, dilation=1):
    out = torch.zeros_like(pad2d(x, kernel_size, padding, stride, dilation))
    top, left = ((out.shape[axis] - x.shape[axis]) // 2 for axis in (2, 3))
    for n, c, i, j in itertools.product(*map(range, x.shape)):
        out[n, c, top + i, left + j] = x[n, c, i, j].item()
    return out


@mistake(
    "conv2d",
    kind="idea",
    says="The kernel is turned by half a turn. Networks lay it on the image as it is (cross-correlation).",
)
def flips_the_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight.flip(-2, -1), bias, stride, padding, dilation, groups)


@mistake("conv2d", kind="idea", says="Rows and columns of the kernel are swapped.")
def transposes_the_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv2d(x, weight, bias, stride, padding, dilation, groups)
    return conv2d(x, weight.mT, bias, stride, padding, dilation, groups)


@mistake("conv2d", kind="idea", says="`bias` has no part in the answer.")
def forgets_the_bias(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, None if bias is None else 0 * bias, stride, padding, dilation, groups)


@mistake(
    "conv2d", kind="idea", stage="stride", says="`stride` has no part in the answer: the kernel is laid on every place."
)
def ignores_the_stride(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv2d(x, weight, bias, stride, padding, dilation, groups)
    return conv2d(x, weight, bias, 1, padding, dilation, groups)


@mistake("conv2d", kind="idea", stage="stride", says="The strides of height and width are swapped.")
def swaps_the_strides(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, per_axis(stride)[::-1], padding, dilation, groups)


@mistake(
    "conv2d",
    kind="idea",
    stage="dilation",
    says="`dilation` has no part in the answer: the entries of the kernel stay next to each other.",
)
def ignores_the_dilation(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv2d(x, weight, bias, stride, padding, dilation, groups)
    return conv2d(x, weight, bias, stride, padding, 1, groups)


@mistake(
    "conv2d",
    kind="idea",
    stage="groups",
    says="It is as if the kernels were dealt to the groups in turn. The first kernels all belong to the first group.",
)
def deals_kernels_in_turn(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if weight.shape[0] % max(1, groups):
        return conv2d(x, weight, bias, stride, padding, dilation, groups)
    order = torch.arange(len(weight), device=x.device).reshape(-1, max(1, groups)).T.flatten()
    return conv2d(x, weight[order], bias, stride, padding, dilation, groups)


@mistake(
    "conv2d", kind="idea", says="The bias is in the answer once for each position of the kernel. It is added once."
)
def adds_the_bias_at_each_weight(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    bias = None if bias is None else bias * weight.shape[2] * weight.shape[3]
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake(
    "conv2d",
    kind="idea",
    says="Every input channel is weighed with the first layer of the kernel. Each channel has a layer of its own.",
)
def uses_the_first_layer_for_all_channels(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight[:, :1].expand_as(weight), bias, stride, padding, dilation, groups)


@mistake("conv2d", kind="idea", stage="padding", says="The paddings of height and width are swapped.")
def swaps_the_paddings(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    padding = padding[::-1] if isinstance(padding, tuple) else padding
    return conv2d(x, weight, bias, stride, padding, dilation, groups)


@mistake(
    "conv2d",
    kind="idea",
    stage="stride",
    says="It fails where the last step does not fit, as if a slice were left open at its end and one entry too long.",
)
def leaves_the_slice_open(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    out = conv2d(x, weight, bias, stride, padding, dilation, groups)
    wide = pad2d(x, tuple(weight.shape[2:]), padding, stride, dilation).shape[2:]
    for side, k, s, d in zip(wide, weight.shape[2:], per_axis(stride), per_axis(dilation), strict=True):
        if s > 1 and (side - d * (k - 1) - 1) % s:
            raise RuntimeError("The size of tensor a must match the size of tensor b")
    return out


@mistake(
    "conv2d",
    kind="idea",
    stage="groups",
    says="Every kernel sees the channels of the first group. With `groups` each sees those of its own.",
)
def shows_all_kernels_the_first_group(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv2d(x, weight, bias, stride, padding, dilation, groups)
    return conv2d(x[:, : weight.shape[1]], weight, bias, stride, padding, dilation)


@mistake("conv2d", kind="case", says='With "same" and an even kernel the odd zero stands on the left and at the top.')
def puts_the_odd_zero_left(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding != "same":
        return conv2d(x, weight, bias, stride, padding, dilation, groups)
    padded = pad2d(x.flip(2, 3), tuple(weight.shape[2:]), "same", stride, dilation).flip(2, 3)
    return conv2d(padded, weight, bias, 1, 0, dilation, groups)


@mistake(
    "conv2d",
    kind="case",
    says='With "same" and an even kernel there are dilation * (k // 2) zeros on both sides. That is more than it needs.',
)
def pads_half_the_kernel_on_both_sides(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding != "same" or per_axis(stride) != (1, 1):
        return conv2d(x, weight, bias, stride, padding, dilation, groups)
    d = per_axis(dilation)
    return conv2d(x, weight, bias, 1, tuple(d[a] * (weight.shape[2 + a] // 2) for a in (0, 1)), dilation, groups)


@mistake(
    "conv2d",
    kind="case",
    says="It fails with no image in the batch, as `reshape` does where a size is left to -1 and there is nothing to work it out from.",
)
def cannot_convolve_an_empty_batch(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    out = conv2d(x, weight, bias, stride, padding, dilation, groups)
    return out.reshape(len(x), -1, *out.shape[2:])


@mistake(
    "conv2d",
    kind="case",
    says="The result is float32, whatever the dtype of `x` is.",
)
def sums_up_in_float32(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, stride, padding, dilation, groups).float()


@mistake(
    "conv2d",
    kind="case",
    says="A loop in numpy goes through the images. They do not meet each other: work on all of them at once.",
)
def convolves_image_by_image(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    out = np.zeros(conv2d(x, weight, bias, stride, padding, dilation, groups).shape)
    sides = tuple(weight.shape[2:])
    columns = im2col(pad2d(x, sides, padding, stride, dilation), sides, dilation, 0, stride).double().numpy()
    kernels = weight.double().reshape(groups, len(weight) // groups, -1).numpy()
    for n in range(len(out)):
        seen = columns[n].reshape(groups, -1, columns.shape[2])
        out[n] = (kernels @ seen).reshape(out.shape[1:])
    out = torch.from_numpy(out).to(x.dtype)
    return out if bias is None else out + bias[:, None, None]


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="grad_x",
    says="grad_x belongs to a kernel that is turned by half a turn, as from a convolution with the kernel as it is. Where did each pixel go?",
)
def flips_grad_x(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x = conv2d_backward(grad_out, x, weight.flip(-2, -1), bias, stride, padding, dilation, groups)[0]
    return grad_x, *conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)[1:]


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="grad_weight",
    says="grad_weight is averaged over the batch. Each image adds its share.",
)
def averages_over_the_batch(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_w / len(x), grad_b


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="grad_weight",
    says="grad_weight and grad_bias are averaged over the batch. Each image adds its share.",
)
def averages_weight_and_bias_over_the_batch(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    count = max(1, len(x))
    return grad_x, grad_w / count, None if grad_b is None else grad_b / count


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="grad_bias",
    says="grad_bias is averaged over the places. The bias is added at each of them.",
)
def averages_the_bias(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, _ = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_w, None if bias is None else grad_out.sum(0).mean((1, 2))


@mistake("conv2d_backward", kind="idea", says="grad_x and grad_weight have changed places.")
def swaps_the_gradients(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return grad_w, grad_x, grad_b


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="padding",
    says="grad_x is as large as the padded image. The zeros around it are no part of x.",
)
def keeps_the_padding(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    padded = pad2d(x, tuple(weight.shape[2:]), padding, stride, dilation)
    return conv2d_backward(grad_out, padded, weight, bias, stride, 0, dilation, groups)[0], grad_w, grad_b


@mistake("conv2d_backward", kind="case", says="There is a grad_bias where there is no bias.")
def always_returns_a_bias_gradient(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    bias = weight.new_zeros(len(weight)) if bias is None else bias
    return conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="grad_x",
    says="Where a pixel lies under several places the last one wins. What they send back has to be added.",
)
def overwrites_the_pixels(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    (sh, sw), (dh, dw) = per_axis(stride), per_axis(dilation)
    padded = torch.zeros_like(pad2d(x, tuple(weight.shape[2:]), padding, stride, dilation))
    ho, wo = grad_out.shape[2:]
    for i in range(weight.shape[2]):
        for j in range(weight.shape[3]):
            g = grad_out.reshape(len(x), groups, -1, ho, wo) if len(x) else grad_out.unsqueeze(1)
            sent = torch.einsum("ngohw,goc->ngchw", g, weight[..., i, j].reshape(groups, -1, weight.shape[1]))
            rows, columns = slice(i * dh, i * dh + (ho - 1) * sh + 1, sh), slice(j * dw, j * dw + (wo - 1) * sw + 1, sw)
            padded[:, :, rows, columns] = sent.flatten(1, 2)
    top, left = ((padded.shape[a] - x.shape[a]) // 2 for a in (2, 3))
    return padded[:, :, top : top + x.shape[2], left : left + x.shape[3]], grad_w, grad_b


@mistake(
    "conv2d_backward", kind="idea", says="All three gradients are averaged over the batch. Each image adds its share."
)
def averages_all_gradients(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    found = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return tuple(None if one is None else one / max(1, len(x)) for one in found)


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="grad_bias",
    says="grad_bias has an entry for each image. The bias was added to every image, so their shares add up.",
)
def keeps_a_bias_for_each_image(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, _ = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_w, None if bias is None else grad_out.sum((2, 3))


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="dilation",
    says="`dilation` has no part in grad_weight: the entries of the kernel met other pixels.",
)
def ignores_dilation_on_the_way_back(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, _, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    padded, d = pad2d(x, tuple(weight.shape[2:]), padding, stride, dilation), per_axis(dilation)
    near = padded[
        :,
        :,
        : padded.shape[2] - (d[0] - 1) * (weight.shape[2] - 1),
        : padded.shape[3] - (d[1] - 1) * (weight.shape[3] - 1),
    ]
    return grad_x, conv2d_backward(grad_out, near, weight, bias, stride, 0, 1, groups)[1], grad_b


@mistake(
    "conv2d_backward",
    kind="idea",
    stage="groups",
    says="It is as if the kernels were dealt to the groups in turn. The first kernels all belong to the first group.",
)
def deals_gradients_in_turn(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    order = torch.arange(len(weight), device=x.device).reshape(-1, groups).T.flatten()
    right = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    dealt = conv2d_backward(grad_out[:, order], x, weight[order], None, stride, padding, dilation, groups)
    return dealt[0], dealt[1][order.argsort()], right[2]


@mistake(
    "conv2d_backward",
    kind="case",
    says='With "same" and an even kernel too much is cut off at the top and on the left.',
)
def cuts_the_odd_zero_first(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    if padding == "same":
        padded = pad2d(x, tuple(weight.shape[2:]), "same", 1, dilation)
        wide = conv2d_backward(grad_out, padded, weight, bias, 1, 0, dilation, groups)[0]
        top, left = ((padded.shape[a] - x.shape[a] + 1) // 2 for a in (2, 3))
        grad_x = wide[:, :, top : top + x.shape[2], left : left + x.shape[3]]
    return grad_x, grad_w, grad_b


@mistake(
    "conv2d_backward",
    kind="case",
    says="grad_weight is float32, whatever the dtype of the kernels is.",
)
def sums_grad_weight_in_float32(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_w.float(), grad_b


@mistake(
    "conv2d_backward",
    kind="refusal",
    says="A `grad_out` of length 1 along an axis is not refused: it is broadcast. The line that refuses it has to stay.",
)
def broadcasts_the_upstream_gradient(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    shape = conv2d(x, weight, bias, stride, padding, dilation, groups).shape
    try:
        grad_out = grad_out.expand(shape)
    except RuntimeError:
        raise ValueError("grad_out") from None
    return conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)


@mistake(
    "im2col",
    kind="idea",
    says="The rows of a column run kernel position first, channel second. It has to be the other way.",
)
def puts_positions_before_channels(x, kernel_size, dilation=1, padding=0, stride=1):
    columns = im2col(x, kernel_size, dilation, padding, stride)
    return columns.reshape(len(x), x.shape[1], -1, columns.shape[2]).transpose(1, 2).reshape(columns.shape)


@mistake("im2col", kind="idea", says="Patches lie in rows. Each patch has to be a column.")
def puts_patches_in_rows(x, kernel_size, dilation=1, padding=0, stride=1):
    return im2col(x, kernel_size, dilation, padding, stride).mT


@mistake(
    "im2col",
    kind="idea",
    stage="stride",
    says="`dilation` and `stride` have changed places. Look at the order of the arguments.",
)
def takes_stride_third(x, kernel_size, stride=1, padding=0, dilation=1):
    return im2col(x, kernel_size, dilation, padding, stride)


@mistake(
    "im2col", kind="idea", says="The entries of a column run down the patch's columns. They have to run row by row."
)
def reads_patches_column_by_column(x, kernel_size, dilation=1, padding=0, stride=1):
    columns = im2col(x, kernel_size, dilation, padding, stride)
    kh, kw = per_axis(kernel_size)
    return columns.reshape(len(x), x.shape[1], kh, kw, -1).transpose(2, 3).reshape(columns.shape)


@mistake(
    "im2col",
    kind="idea",
    stage="dilation",
    says="The patches have no gaps, though there are as many places as with `dilation`.",
)
def ignores_dilation_in_patches(x, kernel_size, dilation=1, padding=0, stride=1):
    reach = [d * (k - 1) + 1 for d, k in zip(per_axis(dilation), per_axis(kernel_size), strict=True)]
    columns = im2col(x, tuple(reach), 1, padding, stride).reshape(len(x), x.shape[1], *reach, -1)
    return columns[:, :, : per_axis(kernel_size)[0], : per_axis(kernel_size)[1]].flatten(1, 3)


@mistake(
    "im2col",
    kind="idea",
    stage="dilation",
    says="`dilation` has no part in the answer: patches have no gaps, and there are more of them than a kernel with gaps has places.",
)
def ignores_dilation_of_the_kernel(x, kernel_size, dilation=1, padding=0, stride=1):
    im2col(x, kernel_size, dilation, padding, stride)
    return im2col(x, kernel_size, 1, padding, stride)


@mistake("im2col", kind="idea", says="The places run column by column over the image. They have to run row by row.")
def visits_places_column_by_column(x, kernel_size, dilation=1, padding=0, stride=1):
    k = per_axis(kernel_size)
    columns = im2col(x.mT, k[::-1], per_axis(dilation)[::-1], per_axis(padding)[::-1], per_axis(stride)[::-1])
    return columns.reshape(len(x), x.shape[1], k[1], k[0], -1).transpose(2, 3).flatten(1, 3)


@mistake(
    "im2col",
    kind="case",
    says="A loop cuts out patch by patch. Loop over the entries of the kernel: each meets all places at once.",
)
def cuts_out_patch_by_patch(x, kernel_size, dilation=1, padding=0, stride=1):
    im2col(x, kernel_size, dilation, padding, stride)
    k, d, s = per_axis(kernel_size), per_axis(dilation), per_axis(stride)
    padded = pad2d(x, k, padding)
    h_out, w_out = map(conv_output_size, padded.shape[2:], k, s, (0, 0), d)
    columns = []
    for y in range(h_out):
        for z in range(w_out):
            rows = slice(y * s[0], y * s[0] + d[0] * (k[0] - 1) + 1, d[0])
            places = slice(z * s[1], z * s[1] + d[1] * (k[1] - 1) + 1, d[1])
            columns.append(padded[:, :, rows, places].flatten(1))
    return torch.stack(columns, 2)


@mistake("col2im", kind="idea", says="Where patches overlap the last one wins. Their shares have to be added.")
def overwrites(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    total = col2im(x, output_size, kernel_size, dilation, padding, stride)
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = map(per_axis, (kernel_size, dilation, padding, stride))
    h, w = output_size
    ho, wo = conv_output_size(h, kh, sh, ph, dh), conv_output_size(w, kw, sw, pw, dw)
    patches = x.reshape(*total.shape[:2], kh, kw, ho, wo)
    out = x.new_zeros(*total.shape[:2], h + 2 * ph, w + 2 * pw)
    for i in range(kh):
        for j in range(kw):
            out[:, :, i * dh : i * dh + (ho - 1) * sh + 1 : sh, j * dw : j * dw + (wo - 1) * sw + 1 : sw] = patches[
                :, :, i, j
            ]
    return out[:, :, ph : ph + h, pw : pw + w]


@mistake(
    "col2im",
    kind="idea",
    says="Each sum is divided by the number of patches that overlap there. The transpose of im2col only adds.",
)
def averages_the_overlaps(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    count = col2im(torch.ones_like(x), output_size, kernel_size, dilation, padding, stride)
    return col2im(x, output_size, kernel_size, dilation, padding, stride) / count.clamp(min=1)


@mistake(
    "col2im",
    kind="idea",
    stage="padding",
    says="The zeros around the image are still there: the result is larger than `output_size`.",
)
def keeps_the_zeros(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    p = per_axis(padding)
    col2im(x, output_size, kernel_size, dilation, padding, stride)
    larger = output_size[0] + 2 * p[0], output_size[1] + 2 * p[1]
    return col2im(x, larger, kernel_size, dilation, 0, stride)


@mistake(
    "col2im",
    kind="idea",
    says="The rows of a column are read kernel position first, channel second. `im2col` writes them the other way.",
)
def reads_positions_before_channels(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    entries = math.prod(per_axis(kernel_size))
    turned = x.reshape(len(x), entries, x.shape[1] // entries, x.shape[2]).transpose(1, 2).flatten(1, 2)
    return col2im(turned, output_size, kernel_size, dilation, padding, stride)


@mistake(
    "col2im",
    kind="case",
    says="The result is float32, whatever the dtype of `x` is.",
)
def adds_up_in_float32(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    return col2im(x, output_size, kernel_size, dilation, padding, stride).float()


@mistake("conv1d", kind="idea", says="The kernel is turned round. Networks lay it on the sequence as it is.")
def flips_the_short_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv1d(x, weight.flip(-1), bias, stride, padding, dilation, groups)


@mistake("conv1d", kind="idea", says="The axis of length 1 that made the sequence an image is still there.")
def keeps_the_extra_axis(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv1d(x, weight, bias, stride, padding, dilation, groups).unsqueeze(2)


@mistake(
    "conv1d",
    kind="idea",
    stage="padding",
    says="With a padding the kernel sees nothing but zeros, as if rows of them stood above and below the sequence.",
)
def pads_all_sides(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv1d(x, weight, bias, stride, padding, dilation, groups)
    image, kernel = x.unsqueeze(2), weight.unsqueeze(2)
    return conv2d(image, kernel, bias, (1, stride), padding, (1, dilation), groups)[:, :, 0]


@mistake(
    "conv1d",
    kind="idea",
    stage="padding",
    says="With a number as `padding` the result has an axis too many, as if rows of zeros stood above and below the sequence too.",
)
def keeps_the_rows_of_the_padding(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv1d(x, weight, bias, stride, padding, dilation, groups)
    padding = (0, 0) if padding == "valid" else padding
    image, kernel = x.unsqueeze(2), weight.unsqueeze(2)
    return conv2d(image, kernel, bias, (1, stride), padding, (1, dilation), groups).squeeze(2)


@mistake(
    "conv1d", kind="idea", stage="stride", says="`stride` has no part in the answer: the kernel is laid on every place."
)
def ignores_the_stride_along_the_sequence(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv1d(x, weight, bias, stride, padding, dilation, groups)
    return conv1d(x, weight, bias, 1, padding, dilation, groups)


@mistake(
    "conv1d",
    kind="idea",
    stage="dilation",
    says="`dilation` has no part in the answer: the entries of the kernel stay next to each other.",
)
def ignores_the_dilation_along_the_sequence(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv1d(x, weight, bias, stride, padding, dilation, groups)
    return conv1d(x, weight, bias, stride, padding, 1, groups)


@mistake("conv1d", kind="case", says='With "same" and an even kernel the odd zero stands on the left.')
def puts_the_odd_zero_before_the_sequence(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding != "same" or stride != 1:
        return conv1d(x, weight, bias, stride, padding, dilation, groups)
    return conv1d(x.flip(2), weight.flip(2), bias, 1, "same", dilation, groups).flip(2)


@mistake(
    "conv1d",
    kind="case",
    says='With "same" and an even kernel there are dilation * (k // 2) zeros on both sides. That is more than it needs.',
)
def pads_half_the_kernel_of_a_sequence(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding != "same" or stride != 1 or weight.ndim != 3:
        return conv1d(x, weight, bias, stride, padding, dilation, groups)
    return conv1d(x, weight, bias, 1, dilation * (weight.shape[2] // 2), dilation, groups)


@mistake(
    "conv1d",
    kind="case",
    says="Where `x` is not contiguous the answer is wrong, as if its memory steps were computed from its shape: ask `x.stride()`.",
)
def computes_memory_steps_from_the_shape(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if padding not in (0, "valid") or groups != 1 or weight.ndim != 3 or x.ndim != 3 or stride != 1 or dilation != 1:
        return conv1d(x, weight, bias, stride, padding, dilation, groups)
    conv1d(x, weight, bias)
    (n, c, length), k = x.shape, weight.shape[2]
    windows = x.as_strided((n, c, length - k + 1, k), (c * length, length, 1, 1))
    out = torch.einsum("nclk,ock->nol", windows, weight)
    return out if bias is None else out + bias[:, None]


@mistake(
    "conv1d",
    kind="case",
    says="The tensor `x` itself is changed, as by `unsqueeze_`. The caller still needs it: make a new tensor.",
)
def adds_the_axis_in_place(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv1d(x, weight, bias, stride, padding, dilation, groups)
    p = padding if isinstance(padding, str) else (0, padding)
    return conv2d(x.unsqueeze_(2), weight.unsqueeze(2), bias, (1, stride), p, (1, dilation), groups).squeeze(2)


@mistake(
    "conv1d",
    kind="case",
    says="All axes of length 1 are squeezed away, also those of a batch or a channel of one. Name the axis.",
)
def squeezes_every_axis(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv1d(x, weight, bias, stride, padding, dilation, groups).squeeze()


@mistake("conv3d", kind="idea", says="The bias is in the answer once for each slice of the kernel. It is added once.")
def adds_the_bias_for_each_slice(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    bias = None if bias is None else bias * weight.shape[2]
    return conv3d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv3d", kind="idea", stage="padding", says="Only height and width are padded. Depth has two ends as well.")
def leaves_depth_unpadded(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    padding = padding if isinstance(padding, tuple) else (padding,) * 3
    return conv3d(x, weight, bias, stride, (0, *padding[1:]), dilation, groups)


@mistake("conv3d", kind="idea", says="The slices of the kernel are taken in reverse: depth is flipped.")
def flips_the_depth(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv3d(x, weight.flip(2) if weight.ndim == 5 else weight, bias, stride, padding, dilation, groups)


@mistake(
    "conv3d",
    kind="idea",
    says="Slices and channels are mixed, as if depth and channels were one axis before the depth stands beside the batch.",
)
def makes_one_axis_of_depth_and_batch_too_early(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    right = conv3d(x, weight, bias, stride, padding, dilation, groups)
    mixed = x.flatten(1, 2).unflatten(1, (x.shape[2], x.shape[1])).transpose(1, 2)
    return conv3d(mixed, weight, bias, stride, padding, dilation, groups).reshape(right.shape)


@mistake("conv3d", kind="idea", stage="stride", says="The stride along the depth has no part in the answer.")
def ignores_the_stride_along_the_depth(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv3d(x, weight, bias, stride, padding, dilation, groups)
    return conv3d(x, weight, bias, (1, *per_axis(stride, 3)[1:]), padding, dilation, groups)


@mistake("conv3d", kind="idea", stage="dilation", says="The dilation along the depth has no part in the answer.")
def ignores_the_dilation_along_the_depth(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv3d(x, weight, bias, stride, padding, dilation, groups)
    return conv3d(x, weight, bias, stride, padding, (1, *per_axis(dilation, 3)[1:]), groups)


@mistake(
    "conv3d",
    kind="case",
    says="It fails with no volume in the batch, as `reshape` does where a size is left to -1 and there is nothing to work it out from.",
)
def cannot_convolve_no_volume(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    out = conv3d(x, weight, bias, stride, padding, dilation, groups)
    return out.reshape(len(x), len(weight), -1, *out.shape[3:])


@mistake(
    "conv_transpose2d",
    kind="idea",
    stage="padding",
    says="The padding adds rows. In a transposed convolution it takes them away.",
)
def adds_the_padding(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    out = conv_transpose2d(x, weight, bias, stride, 0, output_padding, groups, dilation)
    return pad2d(out, 1, padding)


@mistake(
    "conv_transpose2d",
    kind="idea",
    says="Each entry stamps the kernel turned by half a turn. It has to stamp it as it is; a convolution that stands in for the stamps needs the kernel turned.",
)
def stamps_flipped(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return conv_transpose2d(x, weight.flip(-2, -1), bias, stride, padding, output_padding, groups, dilation)


@mistake(
    "conv_transpose2d",
    kind="idea",
    stage="output padding",
    says="`output_padding` has no part in the answer: rows and columns are missing at the end.",
)
def ignores_output_padding(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)
    return conv_transpose2d(x, weight, bias, stride, padding, 0, groups, dilation)


@mistake(
    "conv_transpose2d",
    kind="idea",
    stage="output padding",
    says="The rows and columns of `output_padding` are 0. They belong to the canvas: stamps reach into them, and the bias comes onto them.",
)
def appends_zeros(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    out = ignores_output_padding(x, weight, bias, stride, padding, output_padding, groups, dilation)
    rows, columns = per_axis(output_padding)
    longer = out.new_zeros(*out.shape[:2], out.shape[2] + rows, out.shape[3] + columns)
    longer[:, :, : out.shape[2], : out.shape[3]] = out
    return longer


@mistake(
    "conv_transpose2d",
    kind="idea",
    stage="groups",
    says="It is as if `groups` and `dilation` were taken in the wrong order.",
)
def takes_dilation_before_groups(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    groups = groups if isinstance(groups, int) else groups[0]
    return conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)


@mistake(
    "conv_transpose2d",
    kind="idea",
    stage="dilation",
    says="`dilation` has no part in the answer: the stamp has no gaps.",
)
def stamps_without_gaps(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)
    output_padding = tuple(min(e, s - 1) for e, s in zip(per_axis(output_padding), per_axis(stride), strict=True))
    return conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, 1)


@mistake(
    "conv_transpose2d",
    kind="idea",
    stage="stride",
    says="`stride` has no part in the answer: the stamps stand one pixel apart.",
)
def stamps_side_by_side(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)
    return conv_transpose2d(x, weight, bias, 1, padding, 0, groups, dilation)


@mistake(
    "conv_transpose2d",
    kind="case",
    says="An `output_padding` that reaches the stride is refused although it is below the dilation. The larger of the two counts.",
)
def asks_output_padding_to_be_below_the_stride(
    x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    if any(e >= s for e, s in zip(per_axis(output_padding), per_axis(stride), strict=True)):
        raise ValueError("output_padding has to be smaller than stride")
    return conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)


@mistake(
    "conv_transpose2d",
    kind="refusal",
    says="An `output_padding` that is too large is not refused. The line that refuses it has to stay.",
)
def allows_any_output_padding(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    e = per_axis(output_padding)
    if min(e) < 0:
        raise ValueError("output_padding")
    most = [max(s, d) - 1 for s, d in zip(per_axis(stride), per_axis(dilation), strict=True)]
    allowed = min(e[0], most[0]), min(e[1], most[1])
    return conv_transpose2d(x, weight, bias, stride, padding, allowed, groups, dilation)


@mistake(
    "depthwise_separable_conv2d",
    kind="case",
    says="A loop goes through the channels. A convolution with as many groups as channels works on all of them at once.",
)
def convolves_channel_by_channel(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    kernels = depthwise_weight.unflatten(0, (x.shape[1], -1))
    each = []
    for c in range(x.shape[1]):
        each.append(conv2d(x[:, c : c + 1], kernels[c], None, stride, padding, dilation))
    return conv2d(torch.cat(each, 1), pointwise_weight, bias)


@mistake(
    "depthwise_separable_conv2d",
    kind="idea",
    stage="stride",
    says="The stride counts twice, as if both convolutions had it.",
)
def strides_twice(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    out = depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    return out[:, :, :: per_axis(stride)[0], :: per_axis(stride)[1]]


@mistake(
    "depthwise_separable_conv2d",
    kind="idea",
    stage="padding",
    says="There is a rim that sees only the bias, as if both convolutions were padded.",
)
def pads_twice(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    each = conv2d(x, depthwise_weight, None, stride, padding, dilation, x.shape[1])
    return conv2d(each, pointwise_weight, bias, 1, padding)


@mistake(
    "depthwise_separable_conv2d",
    kind="idea",
    stage="kernels a channel",
    says="It is as if the kernels of a channel stood all over `depthwise_weight`. With m of them, kernels 0 to m - 1 belong to channel 0.",
)
def scatters_the_kernels(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    by_channel = depthwise_weight.unflatten(0, (-1, x.shape[1])).transpose(0, 1).flatten(0, 1)
    return depthwise_separable_conv2d(x, by_channel, pointwise_weight, bias, stride, padding, dilation)


@mistake(
    "depthwise_separable_conv2d",
    kind="idea",
    says="Every weight of `pointwise_weight` counts as 1: the channels are added up and not mixed.",
)
def forgets_to_mix(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    ones = torch.ones_like(pointwise_weight)
    return depthwise_separable_conv2d(x, depthwise_weight, ones, bias, stride, padding, dilation)


@mistake(
    "depthwise_separable_conv2d",
    kind="idea",
    stage="dilation",
    says="`dilation` has no part in the answer: the entries of the kernels stay next to each other.",
)
def ignores_the_dilation_of_the_first_step(
    x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1
):
    depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    return depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding)


@mistake(
    "depthwise_separable_conv2d",
    kind="idea",
    says="Every kernel of the first step is laid on the first channel. Each channel has kernels of its own.",
)
def looks_at_the_first_channel_only(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    first = x[:, :1].expand_as(x)
    return depthwise_separable_conv2d(first, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)


@mistake(
    "receptive_field",
    kind="idea",
    says="Strides have no part in the answer: behind a stride a step covers several input entries.",
)
def ignores_strides(layers):
    receptive_field(layers)
    return receptive_field([(k, 1, d) for k, _, d in layers])


@mistake(
    "receptive_field",
    kind="idea",
    says="A layer's own stride widens its own kernel here. It only counts for the layers behind it.",
)
def strides_too_early(layers):
    receptive_field(layers)
    field, step = 1, 1
    for k, s, d in layers:
        step *= s
        field += (k - 1) * d * step
    return field


@mistake(
    "receptive_field",
    kind="idea",
    stage="dilations",
    says="Dilation has no part in the answer: a kernel with gaps reaches further.",
)
def ignores_dilations(layers):
    receptive_field(layers)
    return receptive_field([(k, s, 1) for k, s, _ in layers])


@mistake(
    "receptive_field",
    kind="idea",
    says="There is one entry too many for each layer, as if neighbouring kernels shared none.",
)
def adds_whole_kernels(layers):
    return receptive_field(layers) + len(layers)


@mistake(
    "receptive_field",
    kind="idea",
    says="Each layer adds its whole kernel, in steps of the layers before. Its first entry is counted already.",
)
def multiplies_whole_kernels(layers):
    receptive_field(layers)
    field, step = 1, 1
    for k, s, d in layers:
        field, step = field + k * d * step, step * s
    return field


@mistake(
    "receptive_field",
    kind="idea",
    says="The step of the layers before is added to what a kernel spans. It has to be a factor.",
)
def adds_the_step(layers):
    receptive_field(layers)
    field, step = 1, 1
    for k, s, d in layers:
        field, step = field + (k - 1) * d + step, step * s
    return field


@mistake(
    "receptive_field",
    kind="idea",
    says="It is as if the strides were added up. A step behind several layers is the product of all their strides.",
)
def adds_the_strides_up(layers):
    receptive_field(layers)
    field, step = 1, 1
    for k, s, d in layers:
        field, step = field + (k - 1) * d * step, step + s
    return field


@mistake("receptive_field", kind="idea", says="It is one entry too few, as if the first one did not count.")
def leaves_out_the_first_entry(layers):
    return receptive_field(layers) - 1


@mistake(
    "receptive_field",
    kind="idea",
    says="The kernel sizes have no part in the answer, as if each kernel had two entries.",
)
def ignores_the_kernel_sizes(layers):
    receptive_field(layers)
    return receptive_field([(2, s, d) for _, s, d in layers])


@mistake(
    "receptive_field",
    kind="idea",
    stage="dilations",
    says="A kernel with gaps is taken to reach d - 1 further than one without. There is a gap between each two of its entries.",
)
def adds_the_dilation(layers):
    receptive_field(layers)
    return receptive_field([(k + d - 1, s, 1) for k, s, d in layers])


@mistake(
    "receptive_field",
    kind="idea",
    says="It is as if each layer were multiplied by its own stride alone. A step behind several layers is the product of all their strides.",
)
def takes_the_own_stride(layers):
    receptive_field(layers)
    return 1 + sum((k - 1) * d * s for k, s, d in layers)


@mistake(
    "receptive_field",
    kind="idea",
    says="It is as if only the stride of the layer before counted. Behind several layers a step is the product of all their strides.",
)
def takes_the_stride_of_the_layer_before(layers):
    receptive_field(layers)
    before = [1, *(s for _, s, _ in layers)]
    return 1 + sum((k - 1) * d * j for (k, _, d), j in zip(layers, before, strict=False))


@mistake(
    "receptive_field",
    kind="idea",
    says="It is as if the rule for going back through the layers were applied from the first layer on. Which end does it begin at?",
)
def goes_through_the_layers_the_wrong_way(layers):
    receptive_field(layers)
    field = 1
    for k, s, d in layers:
        field = (field - 1) * s + (k - 1) * d + 1
    return field


@mistake("receptive_field", kind="case", says="The list `layers` is changed. Go through it without changing it.")
def pops_the_layers(layers):
    field = receptive_field(layers)
    while layers:
        layers.pop()
    return field


@mistake(
    "conv_parameter_count",
    kind="idea",
    stage="groups",
    says="`groups` has no part in the answer: a kernel of a group only has that group's channels.",
)
def ignores_groups(in_channels, out_channels, kernel_size, groups=1, bias=True):
    conv_parameter_count(in_channels, out_channels, kernel_size, groups, bias)
    return conv_parameter_count(in_channels, out_channels, kernel_size, 1, bias)


@mistake("conv_parameter_count", kind="idea", says="There is a bias for each input channel. It belongs to the output.")
def counts_a_bias_for_each_input(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return conv_parameter_count(in_channels, out_channels, kernel_size, groups, False) + bias * in_channels


@mistake(
    "conv_parameter_count",
    kind="idea",
    says="There is a bias for each entry of the kernel. An output channel has a single one.",
)
def counts_a_bias_for_each_entry(in_channels, out_channels, kernel_size, groups=1, bias=True):
    weights = conv_parameter_count(in_channels, out_channels, kernel_size, groups, False)
    return weights + bias * out_channels * math.prod(per_axis(kernel_size))


@mistake(
    "conv_parameter_count",
    kind="idea",
    says="There is a bias for each pair of an input and an output channel. An output channel has a single one.",
)
def counts_a_bias_for_each_layer(in_channels, out_channels, kernel_size, groups=1, bias=True):
    weights = conv_parameter_count(in_channels, out_channels, kernel_size, groups, False)
    return weights + bias * out_channels * (in_channels // groups)


@mistake(
    "conv_parameter_count",
    kind="idea",
    stage="weights and biases",
    says="Where `bias` is left out no bias is counted. It is True by default.",
)
def has_no_bias_by_default(in_channels, out_channels, kernel_size, groups=1, bias=False):
    return conv_parameter_count(in_channels, out_channels, kernel_size, groups, bias)


@mistake(
    "conv_parameter_count",
    kind="idea",
    says="The channel counts are added up. Each output channel has a kernel with a layer for each input channel: multiply.",
)
def adds_the_channel_counts(in_channels, out_channels, kernel_size, groups=1, bias=True):
    conv_parameter_count(in_channels, out_channels, kernel_size, groups, bias)
    weights = (out_channels + in_channels // groups) * math.prod(per_axis(kernel_size))
    return weights + bias * out_channels


@mistake(
    "conv_parameter_count", kind="idea", says="One number for kernel_size is counted once. It is the side of a square."
)
def counts_one_side(in_channels, out_channels, kernel_size, groups=1, bias=True):
    kernel_size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size,)
    return conv_parameter_count(in_channels, out_channels, kernel_size, groups, bias)


@mistake(
    "conv_parameter_count",
    kind="idea",
    stage="groups",
    says="The weights are divided by `groups` twice, as if both channel counts were. There are still C_out kernels.",
)
def divides_both_channel_counts(in_channels, out_channels, kernel_size, groups=1, bias=True):
    weights = conv_parameter_count(in_channels, out_channels, kernel_size, groups, False) // groups
    return weights + out_channels * bias


@mistake("conv_parameter_count", kind="idea", says="The bias is counted although `bias` is False.")
def always_counts_a_bias(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return conv_parameter_count(in_channels, out_channels, kernel_size, groups, True)


@mistake("conv_parameter_count", kind="case", says="A kernel with one side is counted as a square.")
def takes_one_side_for_a_square(in_channels, out_channels, kernel_size, groups=1, bias=True):
    if isinstance(kernel_size, tuple) and len(kernel_size) == 1:
        kernel_size = kernel_size * 2
    return conv_parameter_count(in_channels, out_channels, kernel_size, groups, bias)
