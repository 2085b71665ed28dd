"""Known wrong solutions of the assignment on convolution, each with what to tell its author."""

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
    receptive_field,
)


@mistake("conv_output_size", says="One place is missing: with the kernel at the very start there is already one.")
def forgets_the_first_place(size, kernel_size, stride=1, padding=0, dilation=1):
    return conv_output_size(size, kernel_size, stride, padding, dilation) - (padding != "same")


@mistake("conv_output_size", says="The padding is counted once. It stands on both sides.")
def pads_one_side(size, kernel_size, stride=1, padding=0, dilation=1):
    if isinstance(padding, str):
        return conv_output_size(size, kernel_size, stride, padding, dilation)
    conv_output_size(size, kernel_size, stride, padding, dilation)
    return (size + padding - dilation * (kernel_size - 1) - 1) // stride + 1


@mistake("conv_output_size", says="`dilation` is ignored: a kernel with gaps reaches further.")
def ignores_dilation_in_the_size(size, kernel_size, stride=1, padding=0, dilation=1):
    if dilation < 1:
        raise ValueError("dilation")
    return conv_output_size(size, kernel_size, stride, padding)


@mistake("conv_output_size", says="The division is rounded up. A last step that does not fit is not taken.")
def rounds_up(size, kernel_size, stride=1, padding=0, dilation=1):
    fits = conv_output_size(size, kernel_size, stride, padding, dilation)
    if isinstance(padding, str):
        return fits
    return -(-(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1


@mistake("pad2d", says='With "same" and an even kernel the odd zero stands on the left and at the top.')
def puts_the_odd_zero_first(x, kernel_size, padding="valid", stride=1, dilation=1):
    return pad2d(x.flip(2, 3), kernel_size, padding, stride, dilation).flip(2, 3)


@mistake("pad2d", says="The two numbers of a padding are swapped: the first one pads the rows, at top and bottom.")
def swaps_rows_and_columns(x, kernel_size, padding="valid", stride=1, dilation=1):
    padding = padding[::-1] if isinstance(padding, tuple) else padding
    return pad2d(x, kernel_size, padding, stride, dilation)


@mistake("pad2d", says='"same" adds a zero too few on even kernels: half is rounded down on both sides.')
def rounds_both_sides_down(x, kernel_size, padding="valid", stride=1, dilation=1):
    if padding != "same":
        return pad2d(x, kernel_size, padding, stride, dilation)
    pad2d(x, kernel_size, padding, stride, dilation)
    k, d = _pair(kernel_size), _pair(dilation)
    return pad2d(x, kernel_size, (d[0] * (k[0] - 1) // 2, d[1] * (k[1] - 1) // 2))


@mistake("pad2d", says="The dtype of the input is lost: the zeros decide the dtype of the result.")
def pads_in_float32(x, kernel_size, padding="valid", stride=1, dilation=1):
    return pad2d(x, kernel_size, padding, stride, dilation).float()


@mistake("pad2d", says='"same" is computed for a stride other than 1 too. The task says what to do there.')
def allows_same_with_a_stride(x, kernel_size, padding="valid", stride=1, dilation=1):
    return pad2d(x, kernel_size, padding, 1, dilation)


@mistake("conv2d", says="The kernel is flipped. Networks lay it on the image as it is (cross-correlation).")
def flips_the_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight.flip(-2, -1), bias, stride, padding, dilation, groups)


@mistake("conv2d", says="Rows and columns of the kernel are swapped.")
def transposes_the_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if weight.shape[-1] != weight.shape[-2]:
        return conv2d(x, weight, bias, stride, padding, dilation, groups)
    return conv2d(x, weight.mT, bias, stride, padding, dilation, groups)


@mistake("conv2d", says="`bias` is not added.")
def forgets_the_bias(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, None if bias is None else 0 * bias, stride, padding, dilation, groups)


@mistake("conv2d", says="`stride` is ignored: the kernel is laid on every place.")
def ignores_the_stride(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv2d(x, weight, bias, stride, padding, dilation, groups)
    return conv2d(x, weight, bias, 1, padding, dilation, groups)


@mistake("conv2d", says="The strides of height and width are swapped.")
def swaps_the_strides(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv2d(x, weight, bias, _pair(stride)[::-1], padding, dilation, groups)


@mistake("conv2d", says="`dilation` is ignored: the entries of the kernel stay next to each other.")
def ignores_the_dilation(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv2d(x, weight, bias, stride, padding, dilation, groups)
    return conv2d(x, weight, bias, stride, padding, 1, groups)


@mistake("conv2d", says="The kernels are dealt to the groups in turn. The first kernels all belong to the first group.")
def deals_kernels_in_turn(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if weight.shape[0] % max(1, groups):
        return conv2d(x, weight, bias, stride, padding, dilation, groups)
    order = torch.arange(len(weight), device=x.device).reshape(-1, max(1, groups)).T.flatten()
    return conv2d(x, weight[order], bias, stride, padding, dilation, groups)


@mistake("conv2d_backward", says="grad_x comes from a convolution with the kernel unflipped. Where did each pixel go?")
def flips_grad_x(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x = conv2d_backward(grad_out, x, weight.flip(-2, -1), bias, stride, padding, dilation, groups)[0]
    return grad_x, *conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)[1:]


@mistake("conv2d_backward", says="grad_weight is averaged over the batch. Each image adds its share.")
def averages_over_the_batch(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_w / len(x), grad_b


@mistake("conv2d_backward", says="grad_bias is averaged over the places. The bias is added at each of them.")
def averages_the_bias(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, _ = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return grad_x, grad_w, None if bias is None else grad_out.sum(0).mean((1, 2))


@mistake("conv2d_backward", says="The gradients come in another order than x, weight, bias.")
def swaps_the_gradients(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    grad_x, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    return grad_w, grad_x, grad_b


@mistake("conv2d_backward", says="The gradient of the padded image is returned. The zeros around it are no part of x.")
def keeps_the_padding(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _, grad_w, grad_b = conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)
    padded = pad2d(x, tuple(weight.shape[2:]), padding, stride, dilation)
    return conv2d_backward(grad_out, padded, weight, bias, stride, 0, dilation, groups)[0], grad_w, grad_b


@mistake("conv2d_backward", says="There is a grad_bias where there is no bias.")
def always_returns_a_bias_gradient(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    bias = weight.new_zeros(len(weight)) if bias is None else bias
    return conv2d_backward(grad_out, x, weight, bias, stride, padding, dilation, groups)


@mistake("im2col", says="The rows of a column run kernel position first, channel second. It has to be the other way.")
def puts_positions_before_channels(x, kernel_size, dilation=1, padding=0, stride=1):
    columns = im2col(x, kernel_size, dilation, padding, stride)
    return columns.reshape(len(x), x.shape[1], -1, columns.shape[2]).transpose(1, 2).reshape(columns.shape)


@mistake("im2col", says="Patches lie in rows. Each patch has to be a column.")
def puts_patches_in_rows(x, kernel_size, dilation=1, padding=0, stride=1):
    return im2col(x, kernel_size, dilation, padding, stride).mT


@mistake("im2col", says="The third argument is taken for the stride. Look at the order of the arguments.")
def takes_stride_third(x, kernel_size, stride=1, padding=0, dilation=1):
    return im2col(x, kernel_size, dilation, padding, stride)


@mistake("im2col", says="The entries of a column run down the patch's columns. They have to run row by row.")
def reads_patches_column_by_column(x, kernel_size, dilation=1, padding=0, stride=1):
    columns = im2col(x, kernel_size, dilation, padding, stride)
    kh, kw = _pair(kernel_size)
    return columns.reshape(len(x), x.shape[1], kh, kw, -1).transpose(2, 3).reshape(columns.shape)


@mistake("col2im", says="Where patches overlap the last one wins. Their shares have to be added.")
def overwrites(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    total = col2im(x, output_size, kernel_size, dilation, padding, stride)
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = map(_pair, (kernel_size, dilation, padding, stride))
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


@mistake("col2im", says="The sums are divided by the number of patches. The transpose of im2col only adds.")
def averages_the_overlaps(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    count = col2im(torch.ones_like(x), output_size, kernel_size, dilation, padding, stride)
    return col2im(x, output_size, kernel_size, dilation, padding, stride) / count.clamp(min=1)


@mistake("col2im", says="The zeros around the image are still there: the result is larger than `output_size`.")
def keeps_the_zeros(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    p = _pair(padding)
    col2im(x, output_size, kernel_size, dilation, padding, stride)
    larger = output_size[0] + 2 * p[0], output_size[1] + 2 * p[1]
    return col2im(x, larger, kernel_size, dilation, 0, stride)


@mistake("conv1d", says="The kernel is flipped. Networks lay it on the sequence as it is.")
def flips_the_short_kernel(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv1d(x, weight.flip(-1), bias, stride, padding, dilation, groups)


@mistake("conv1d", says="The axis of length 1 that made the sequence an image is still there.")
def keeps_the_extra_axis(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv1d(x, weight, bias, stride, padding, dilation, groups).unsqueeze(2)


@mistake("conv1d", says="The padding is also put above and below the sequence: places arise that see only zeros.")
def pads_all_sides(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv1d(x, weight, bias, stride, padding, dilation, groups)
    image, kernel = x.unsqueeze(2), weight.unsqueeze(2)
    return conv2d(image, kernel, bias, (1, stride), padding, (1, dilation), groups)[:, :, 0]


@mistake("conv3d", says="The bias is added once for each slice of the kernel.")
def adds_the_bias_for_each_slice(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    bias = None if bias is None else bias * weight.shape[2]
    return conv3d(x, weight, bias, stride, padding, dilation, groups)


@mistake("conv3d", says="Only height and width are padded. Depth has two ends as well.")
def leaves_depth_unpadded(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    padding = padding if isinstance(padding, tuple) else (padding,) * 3
    return conv3d(x, weight, bias, stride, (0, *padding[1:]), dilation, groups)


@mistake("conv3d", says="The slices of the kernel are taken in reverse: depth is flipped.")
def flips_the_depth(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return conv3d(x, weight.flip(2) if weight.ndim == 5 else weight, bias, stride, padding, dilation, groups)


@mistake("conv_transpose2d", says="The padding adds rows. In a transposed convolution it takes them away.")
def adds_the_padding(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    out = conv_transpose2d(x, weight, bias, stride, 0, output_padding, groups, dilation)
    return pad2d(out, 1, padding)


@mistake("conv_transpose2d", says="The kernel is flipped: each input entry stamps the kernel as it is.")
def stamps_flipped(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    return conv_transpose2d(x, weight.flip(-2, -1), bias, stride, padding, output_padding, groups, dilation)


@mistake("conv_transpose2d", says="`output_padding` is ignored: rows and columns are missing at the end.")
def ignores_output_padding(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)
    return conv_transpose2d(x, weight, bias, stride, padding, 0, groups, dilation)


@mistake(
    "conv_transpose2d",
    says="`output_padding` appends zeros. Those rows belong to the canvas: stamps reach into them, and the bias comes onto them.",
)
def appends_zeros(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    out = ignores_output_padding(x, weight, bias, stride, padding, output_padding, groups, dilation)
    rows, columns = _pair(output_padding)
    longer = out.new_zeros(*out.shape[:2], out.shape[2] + rows, out.shape[3] + columns)
    longer[:, :, : out.shape[2], : out.shape[3]] = out
    return longer


@mistake("conv_transpose2d", says="`groups` and `dilation` are taken in the wrong order.")
def takes_dilation_before_groups(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1, groups=1):
    groups = groups if isinstance(groups, int) else groups[0]
    return conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)


@mistake("depthwise_separable_conv2d", says="The stride is applied in both convolutions.")
def strides_twice(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    out = depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    return out[:, :, :: _pair(stride)[0], :: _pair(stride)[1]]


@mistake("depthwise_separable_conv2d", says="The padding is applied in both convolutions: a rim of the bias appears.")
def pads_twice(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    each = conv2d(x, depthwise_weight, None, stride, padding, dilation, x.shape[1])
    return conv2d(each, pointwise_weight, bias, 1, padding)


@mistake(
    "depthwise_separable_conv2d",
    says="The kernels of a channel are taken from all over the tensor. With m of them, kernels 0 to m - 1 belong to channel 0.",
)
def scatters_the_kernels(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, bias, stride, padding, dilation)
    by_channel = depthwise_weight.unflatten(0, (-1, x.shape[1])).transpose(0, 1).flatten(0, 1)
    return depthwise_separable_conv2d(x, by_channel, pointwise_weight, bias, stride, padding, dilation)


@mistake(
    "depthwise_separable_conv2d", says="The channels are not mixed: the bias is there, the pointwise kernel counts 1."
)
def forgets_to_mix(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    ones = torch.ones_like(pointwise_weight)
    return depthwise_separable_conv2d(x, depthwise_weight, ones, bias, stride, padding, dilation)


@mistake("receptive_field", says="Strides are ignored: behind a stride a step covers several input entries.")
def ignores_strides(layers):
    receptive_field(layers)
    return receptive_field([(k, 1, d) for k, _, d in layers])


@mistake("receptive_field", says="A layer's own stride widens its own kernel. It only counts for the layers behind it.")
def strides_too_early(layers):
    receptive_field(layers)
    field, step = 1, 1
    for k, s, d in layers:
        step *= s
        field += (k - 1) * d * step
    return field


@mistake("receptive_field", says="Dilation is ignored: a kernel with gaps reaches further.")
def ignores_dilations(layers):
    receptive_field(layers)
    return receptive_field([(k, s, 1) for k, s, _ in layers])


@mistake("receptive_field", says="The kernel sizes are added whole: neighbouring layers share an entry.")
def adds_whole_kernels(layers):
    return receptive_field(layers) + len(layers)


@mistake("conv_parameter_count", says="`groups` is ignored: a kernel of a group only has that group's channels.")
def ignores_groups(in_channels, out_channels, kernel_size, groups=1, bias=True):
    conv_parameter_count(in_channels, out_channels, kernel_size, groups, bias)
    return conv_parameter_count(in_channels, out_channels, kernel_size, 1, bias)


@mistake("conv_parameter_count", says="There is a bias for each input channel. It belongs to the output.")
def counts_a_bias_for_each_input(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return conv_parameter_count(in_channels, out_channels, kernel_size, groups, False) + bias * in_channels


@mistake("conv_parameter_count", says="One number for kernel_size is counted once. It is the side of a square.")
def counts_one_side(in_channels, out_channels, kernel_size, groups=1, bias=True):
    kernel_size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size,)
    return conv_parameter_count(in_channels, out_channels, kernel_size, groups, bias)


def _pair(value):
    return value if isinstance(value, tuple) else (value, value)
