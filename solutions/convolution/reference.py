"""Reference solutions of the assignment on convolution.

Images are (N, C, H, W), kernels (C_out, C_in / groups, kH, kW). The only loops run over the positions of a kernel.
"""

import math

import torch
from torch import Tensor

from autograder.guards import require_ndim, require_same_shape, require_shape, require_whole


def per_axis(value, axes=2):
    """One number counts for every axis: per_axis(2) is (2, 2), and per_axis((1, 3)) stays (1, 3)."""
    return tuple(value) if isinstance(value, tuple | list) else (value,) * axes


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int | str = 0, dilation: int = 1) -> int:
    """Number of places that a kernel has along one axis.

    Args:
        size: length of the axis.
        kernel_size: length k of the kernel.
        stride: step s from one place to the next.
        padding: zeros p on each side, or "valid" (none), or "same" (the result is as long as the axis).
        dilation: distance d between neighbouring entries of the kernel.
    Returns:
        places: an int.
    Raises:
        ValueError: ``kernel_size``, ``stride`` or ``dilation`` is below 1; ``padding`` is negative, an unknown word,
            or "same" with a stride that is not 1; ``kernel_size`` does not fit into the padded axis.
    Derivation:
        The kernel reaches over r = d (k - 1) + 1 entries, so its first entry has n + 2p - r entries behind the first
        place to move to, in steps of s: floor((n + 2p - r) / s) steps, and the first place itself.
    Source: Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning", sections 2.4 and 5.1.
    """
    require_whole(1, axes=1, kernel_size=kernel_size)
    require_whole(1, axes=1, stride=stride)
    require_whole(1, axes=1, dilation=dilation)
    require_whole(0, axes=1, padding=0 if padding in ("valid", "same") else padding)
    if padding == "same" and stride != 1:
        raise ValueError(f'padding "same" needs stride 1, stride is {stride}')
    if padding == "same":
        return size
    padded = size if padding == "valid" else size + 2 * padding
    reach = dilation * (kernel_size - 1) + 1
    if reach > padded:
        raise ValueError(f"kernel_size {kernel_size} reaches over {reach} entries, the padded axis has {padded}")
    return (padded - reach) // stride + 1


def pad2d(
    x: Tensor,
    kernel_size: int | tuple[int, int],
    padding: int | str | tuple[int, int] = "valid",
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """Zeros around images, as many as a convolution with that kernel asks for.

    Args:
        x: images (N, C, H, W); any floating dtype and device.
        kernel_size: one number, or (height, width).
        padding: "valid" (none), "same", or zeros on each side as one number or (top and bottom, left and right).
        stride: of the convolution to come; "same" needs 1, else it plays no part.
        dilation: of the convolution to come; it only matters to "same".
    Returns:
        out: images (N, C, H + zeros, W + zeros) in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` does not have four axes; ``padding`` is negative, an unknown word, or "same" with a stride
            that is not 1; ``kernel_size``, ``stride`` or ``dilation`` is below 1.
    Derivation:
        With stride 1 there are n + zeros - d (k - 1) places, so "same" needs d (k - 1) zeros. Half of them stand on
        each side, an odd one right or at the bottom.
    Source: Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning", section 2.2.
    """
    require_ndim(4, x=x)
    require_whole(1, axes=2, kernel_size=kernel_size)
    require_whole(0, axes=2, padding=0 if padding in ("valid", "same") else padding)
    require_whole(1, axes=2, stride=stride)
    require_whole(1, axes=2, dilation=dilation)
    if padding == "same" and per_axis(stride) != (1, 1):
        raise ValueError(f'padding "same" needs stride 1, stride is {stride}')
    if padding == "same":
        rows, columns = (d * (k - 1) for d, k in zip(per_axis(dilation), per_axis(kernel_size), strict=True))
    else:
        rows, columns = (2 * p for p in per_axis(0 if padding == "valid" else padding))
    n, c, h, w = x.shape
    out = x.new_zeros(n, c, h + rows, w + columns)
    out[:, :, rows // 2 : rows // 2 + h, columns // 2 : columns // 2 + w] = x
    return out


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | str | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """Two-dimensional convolution as networks use it: the kernel is laid on the image unflipped.

    Args:
        x: images (N, C_in, H, W); any floating dtype and device.
        weight: kernels (C_out, C_in / groups, kH, kW).
        bias: (C_out,), or None.
        stride, dilation: one number, or (height, width).
        padding: one number, (height, width), "valid" or "same".
        groups: number of parts into which the channels are cut.
    Returns:
        out: feature maps (N, C_out, H_out, W_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` or ``weight`` does not have four axes; ``groups`` does not divide both channel counts;
            ``weight`` does not fit the channels of ``x``; ``bias`` is not (C_out,); what `conv_output_size` and
            `pad2d` refuse.
    Derivation:
        out[n, o, y, z] = bias[o] + sum over c, i, j of weight[o, c, i, j] * padded[n, c, s y + d i, s z + d j].
        For one (i, j) these pixels form a shifted, thinned image: d i, d i + s, ..., d i + (H_out - 1) s.
    Source: Goodfellow et al. (2016), "Deep Learning", section 9.1, equation 9.6, and section 9.5.
    """
    require_ndim(4, x=x)
    require_ndim(4, weight=weight)
    require_whole(1, axes=1, groups=groups)
    if x.shape[1] % groups or weight.shape[0] % groups:
        raise ValueError(f"groups is {groups}, it has to divide {x.shape[1]} and {weight.shape[0]} channels")
    require_shape((None, x.shape[1] // groups, None, None), weight=weight)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias has shape {tuple(bias.shape)}, it needs ({weight.shape[0]},)")
    padded = pad2d(x, tuple(weight.shape[2:]), padding, stride, dilation)
    (sh, sw), (dh, dw) = per_axis(stride), per_axis(dilation)
    c_out, c_group, kh, kw = weight.shape
    h_out, w_out = map(conv_output_size, padded.shape[2:], (kh, kw), (sh, sw), (0, 0), (dh, dw))
    kernels = weight.reshape(groups, c_out // groups, c_group, kh, kw)
    out = x.new_zeros(len(x), groups, c_out // groups, h_out, w_out)
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (h_out - 1) * sh + 1, sh)
            columns = slice(j * dw, j * dw + (w_out - 1) * sw + 1, sw)
            seen = padded[:, :, rows, columns].reshape(len(x), groups, c_group, h_out, w_out)
            out = out + torch.einsum("ngchw,goc->ngohw", seen, kernels[..., i, j])
    out = out.reshape(len(x), c_out, h_out, w_out)
    return out if bias is None else out + bias.reshape(-1, 1, 1)


def conv2d_backward(
    grad_out: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | str | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Gradients of ``conv2d`` with respect to its images, its kernels and its bias.

    Args:
        grad_out: upstream gradient (N, C_out, H_out, W_out).
        x, weight, bias, stride, padding, dilation, groups: as in the forward pass.
    Returns:
        grad_x: shaped like ``x``.
        grad_weight: shaped like ``weight``.
        grad_bias: shaped like ``bias``; None without bias.
    Raises:
        ValueError: ``grad_out`` does not have the shape of the forward's result; what `conv2d` refuses.
    Derivation:
        Each kernel entry connected one shifted image with the output. It sends the output's gradient back to that
        shifted image, times its own value; its own gradient is the product of the two, summed over images and places.
    Source: Goodfellow et al. (2016), "Deep Learning", section 9.5, equations 9.11 and 9.13.
    """
    require_same_shape(grad_out=grad_out, out=conv2d(x, weight, bias, stride, padding, dilation, groups))
    (sh, sw), (dh, dw) = per_axis(stride), per_axis(dilation)
    c_out, c_group, kh, kw = weight.shape
    padded = pad2d(x, (kh, kw), padding, stride, dilation)
    n, c_in, h, w = padded.shape
    h_out, w_out = grad_out.shape[2:]
    g = grad_out.reshape(n, groups, c_out // groups, h_out, w_out)
    kernels = weight.reshape(groups, c_out // groups, c_group, kh, kw)
    grad_padded, grad_kernels = torch.zeros_like(padded), torch.zeros_like(kernels)
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (h_out - 1) * sh + 1, sh)
            columns = slice(j * dw, j * dw + (w_out - 1) * sw + 1, sw)
            seen = padded[:, :, rows, columns].reshape(n, groups, c_group, h_out, w_out)
            sent = torch.einsum("ngohw,goc->ngchw", g, kernels[..., i, j])
            grad_padded[:, :, rows, columns] += sent.reshape(n, c_in, h_out, w_out)
            grad_kernels[..., i, j] = torch.einsum("ngohw,ngchw->goc", g, seen)
    top, left = (h - x.shape[2]) // 2, (w - x.shape[3]) // 2
    grad_x = grad_padded[:, :, top : top + x.shape[2], left : left + x.shape[3]]
    return grad_x, grad_kernels.reshape(weight.shape), None if bias is None else grad_out.sum((0, 2, 3))


def im2col(
    x: Tensor,
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Every patch that a kernel meets as one column, so that convolution becomes one matrix product.

    Args:
        x: images (N, C, H, W); any floating dtype and device.
        kernel_size, dilation, padding, stride: one number, or (height, width).
    Returns:
        columns: (N, C * kH * kW, places); in a column channel by channel, row by row; the places row by row.
    Raises:
        ValueError: ``x`` does not have four axes; ``padding`` is no number; what `conv_output_size` and `pad2d` refuse.
    Derivation:
        For each entry of the kernel the pixels that it meets, place by place, are one row of the result.
    Source: Chellapilla et al. (2006), "High performance convolutional neural networks for document processing",
        section 2.
    """
    require_ndim(4, x=x)
    require_whole(0, axes=2, padding=padding)
    (kh, kw), (dh, dw), (sh, sw) = per_axis(kernel_size), per_axis(dilation), per_axis(stride)
    padded = pad2d(x, (kh, kw), padding)
    h_out, w_out = map(conv_output_size, padded.shape[2:], (kh, kw), (sh, sw), (0, 0), (dh, dw))
    patches = [
        padded[:, :, i * dh : i * dh + (h_out - 1) * sh + 1 : sh, j * dw : j * dw + (w_out - 1) * sw + 1 : sw]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(patches, 2).reshape(x.shape[0], x.shape[1] * kh * kw, h_out * w_out)


def col2im(
    x: Tensor,
    output_size: tuple[int, int],
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Puts columns back to where ``im2col`` took them from; where patches overlap, they add up.

    Args:
        x: columns (N, C * kH * kW, places); any floating dtype and device.
        output_size: (H, W) of the images, without padding.
        kernel_size, dilation, padding, stride: one number, or (height, width).
    Returns:
        out: images (N, C, H, W), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` does not have three axes, or not C * kH * kW rows for a whole C; ``padding`` is no
            number; what `conv_output_size` refuses.
    Derivation:
        The transpose of ``im2col``: whatever entry it read at a pixel is added to that pixel.
    Source: Chellapilla et al. (2006), "High performance convolutional neural networks for document processing",
        section 2.
    """
    require_ndim(3, x=x)
    require_whole(0, axes=2, padding=padding)
    if x.shape[1] % math.prod(per_axis(kernel_size)):
        raise ValueError(f"x has {x.shape[1]} rows: no whole number of channels with kernel_size {kernel_size}")
    k, d, p, s = per_axis(kernel_size), per_axis(dilation), per_axis(padding), per_axis(stride)
    places = tuple(map(conv_output_size, output_size, k, s, p, d))
    n, c = x.shape[0], x.shape[1] // math.prod(k)
    patches = x.reshape(n, c, *k, *places)
    padded = x.new_zeros(n, c, output_size[0] + 2 * p[0], output_size[1] + 2 * p[1])
    for i in range(k[0]):
        for j in range(k[1]):
            rows = slice(i * d[0], i * d[0] + (places[0] - 1) * s[0] + 1, s[0])
            columns = slice(j * d[1], j * d[1] + (places[1] - 1) * s[1] + 1, s[1])
            padded[:, :, rows, columns] += patches[:, :, i, j]
    return padded[:, :, p[0] : p[0] + output_size[0], p[1] : p[1] + output_size[1]]


def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution along one axis.

    Args:
        x: sequences (N, C_in, L); any floating dtype and device.
        weight: kernels (C_out, C_in / groups, k).
        bias: (C_out,), or None.
        stride, padding, dilation, groups: as in `conv2d`, one number each; ``padding`` also "valid" or "same".
    Returns:
        out: (N, C_out, L_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` or ``weight`` does not have three axes; ``stride``, ``padding`` or ``dilation`` is a tuple;
            what `conv2d` refuses.
    Derivation:
        A sequence is an image of height 1, a kernel one of height 1, and height is not padded.
    Source: Waibel et al. (1989), "Phoneme recognition using time-delay neural networks", section II.
    """
    require_ndim(3, x=x)
    require_ndim(3, weight=weight)
    require_whole(1, axes=1, stride=stride)
    require_whole(0, axes=1, padding=0 if padding in ("valid", "same") else padding)
    require_whole(1, axes=1, dilation=dilation)
    p = padding if isinstance(padding, str) else (0, padding)
    return conv2d(x.unsqueeze(2), weight.unsqueeze(2), bias, (1, stride), p, (1, dilation), groups).squeeze(2)


def conv3d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int, int] = 1,
    padding: int | tuple[int, int, int] = 0,
    dilation: int | tuple[int, int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over volumes.

    Args:
        x: volumes (N, C_in, D, H, W); any floating dtype and device.
        weight: kernels (C_out, C_in / groups, kD, kH, kW).
        bias: (C_out,), or None.
        stride, padding, dilation: one number, or (depth, height, width).
        groups: number of parts into which the channels are cut.
    Returns:
        out: (N, C_out, D_out, H_out, W_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` or ``weight`` does not have five axes; ``padding`` is a word; what `conv2d` refuses.
    Derivation:
        Each slice of the kernel is a two-dimensional convolution of the slices that it meets; the bias is added once.
    Source: Ji et al. (2013), "3D convolutional neural networks for human action recognition", equation 2.
    """
    require_ndim(5, x=x)
    require_ndim(5, weight=weight)
    require_whole(1, axes=3, stride=stride)
    require_whole(0, axes=3, padding=padding)
    require_whole(1, axes=3, dilation=dilation)
    s, p, d = per_axis(stride, 3), per_axis(padding, 3), per_axis(dilation, 3)
    n, c, depth, h, w = x.shape
    places = conv_output_size(depth, weight.shape[2], s[0], p[0], d[0])
    padded = x.new_zeros(n, c, depth + 2 * p[0], h, w)
    padded[:, :, p[0] : p[0] + depth] = x
    parts = []
    for i in range(weight.shape[2]):
        slices = padded[:, :, i * d[0] : i * d[0] + (places - 1) * s[0] + 1 : s[0]]
        flat = slices.transpose(1, 2).reshape(n * places, c, h, w)
        parts.append(conv2d(flat, weight[:, :, i], bias if i == 0 else None, s[1:], p[1:], d[1:], groups))
    out = sum(parts[1:], parts[0])
    return out.reshape(n, places, *out.shape[1:]).transpose(1, 2)


def conv_transpose2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    output_padding: int | tuple[int, int] = 0,
    groups: int = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """Transposed convolution: the gradient of ``conv2d`` with respect to its images, used as a forward pass.

    Args:
        x: (N, C_in, H, W); any floating dtype and device.
        weight: (C_in, C_out / groups, kH, kW).
        bias: (C_out,), or None.
        stride, padding, dilation: one number, or (height, width), those of the convolution that is transposed.
        output_padding: rows and columns that the canvas is longer at the bottom and on the right, before ``padding``
            is cut off; on each axis smaller than ``stride`` or smaller than ``dilation``.
        groups: number of parts into which the channels are cut.
    Returns:
        out: (N, C_out, H_out, W_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` or ``weight`` does not have four axes; ``weight`` does not start with the channels of ``x``;
            ``output_padding`` is negative or too large; ``bias`` is not (C_out,); ``padding`` is no number.
    Derivation:
        Every entry stamps its kernel onto a canvas of (n - 1) s + d (k - 1) + 1 entries, s apart. A convolution over
        such a canvas has exactly n places, so the stamps are its gradient. ``output_padding`` makes the canvas longer,
        ``padding`` is cut off at both ends.
    Source: Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning", chapter 4.
    """
    require_ndim(4, x=x)
    require_shape((x.shape[1], None, None, None), weight=weight)
    require_whole(0, axes=2, padding=padding)
    require_whole(0, axes=2, output_padding=output_padding)
    if any(map(lambda e, s, d: e >= max(s, d), per_axis(output_padding), per_axis(stride), per_axis(dilation))):
        raise ValueError(f"output_padding is {output_padding}, too much for stride {stride} and dilation {dilation}")
    if bias is not None and tuple(bias.shape) != (weight.shape[1] * groups,):
        raise ValueError(f"bias has shape {tuple(bias.shape)}, it needs ({weight.shape[1] * groups},)")
    s, p, e, d = per_axis(stride), per_axis(padding), per_axis(output_padding), per_axis(dilation)
    n, c_out = x.shape[0], weight.shape[1] * groups
    h, w = ((x.shape[2 + a] - 1) * s[a] + d[a] * (weight.shape[2 + a] - 1) + 1 for a in (0, 1))
    stamps = conv2d_backward(x, x.new_zeros(n, c_out, h, w), weight, None, s, 0, d, groups)[0]
    canvas = x.new_zeros(n, c_out, h + e[0], w + e[1])
    canvas[:, :, :h, :w] = stamps
    out = canvas[:, :, p[0] : h + e[0] - p[0], p[1] : w + e[1] - p[1]]
    return out if bias is None else out + bias.reshape(-1, 1, 1)


def depthwise_separable_conv2d(
    x: Tensor,
    depthwise_weight: Tensor,
    pointwise_weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | str | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """A kernel for each channel by itself, then a 1x1 convolution that mixes the channels.

    Args:
        x: images (N, C_in, H, W); any floating dtype and device.
        depthwise_weight: (C_in * m, 1, kH, kW): m kernels a channel, those of a channel next to each other.
        pointwise_weight: (C_out, C_in * m, 1, 1).
        bias: (C_out,), added at the end, or None.
        stride, padding, dilation: of the first convolution, as in `conv2d`.
    Returns:
        out: feature maps (N, C_out, H_out, W_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` does not have four axes; ``depthwise_weight`` is not (C_in * m, 1, kH, kW);
            ``pointwise_weight`` is not (C_out, C_in * m, 1, 1); what `conv2d` refuses.
    Derivation:
        Each channel by itself is a convolution with as many groups as channels.
    Source: Howard et al. (2017), "MobileNets: efficient convolutional neural networks for mobile vision applications",
        section 3.1.
    """
    require_ndim(4, x=x)
    require_shape((None, 1, None, None), depthwise_weight=depthwise_weight)
    if depthwise_weight.shape[0] % x.shape[1]:
        raise ValueError(f"depthwise_weight has {depthwise_weight.shape[0]} kernels for {x.shape[1]} channels")
    require_shape((None, depthwise_weight.shape[0], 1, 1), pointwise_weight=pointwise_weight)
    each = conv2d(x, depthwise_weight, None, stride, padding, dilation, groups=x.shape[1])
    return conv2d(each, pointwise_weight, bias)


def receptive_field(layers: list[tuple[int, int, int]]) -> int:
    """How far apart the first and the last input entry lie, both counted, on which one output entry depends.

    Args:
        layers: (kernel_size, stride, dilation) of each layer, the first one next to the input.
    Returns:
        field: an int; 1 without layers.
    Raises:
        ValueError: an entry of ``layers`` is not three whole numbers of at least 1.
    Derivation:
        A step of one entry behind some layers is a step of j input entries, j the product of their strides. So a
        layer with kernel k and dilation d adds (k - 1) d j, with j from the layers before it.
    Source: Araujo et al. (2019), "Computing receptive fields of convolutional neural networks", section 2.
    """
    if not all(isinstance(layer, tuple | list) and len(layer) == 3 for layer in layers):
        raise ValueError(f"layers is {layers}, each of them needs kernel_size, stride and dilation")
    require_whole(1, layers=[number for layer in layers for number in layer])
    field, step = 1, 1
    for kernel_size, stride, dilation in layers:
        field += (kernel_size - 1) * dilation * step
        step *= stride
    return field


def conv_parameter_count(
    in_channels: int, out_channels: int, kernel_size: int | tuple[int, ...], groups: int = 1, bias: bool = True
) -> int:
    """Number of trainable numbers in a convolutional layer.

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size: one number for a square, or a tuple of the kernel's sides, one or more.
        groups: number of parts into which the channels are cut.
        bias: whether there is one number more for each output channel.
    Returns:
        count: an int.
    Raises:
        ValueError: ``groups`` is below 1 or does not divide both channel counts.
    Derivation:
        C_out kernels of C_in / groups layers with the kernel's size in entries each, and C_out biases. The size of the
        image plays no part.
    Source: Goodfellow et al. (2016), "Deep Learning", section 9.2.
    """
    require_whole(1, axes=1, groups=groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"groups is {groups}, it has to divide {in_channels} and {out_channels}")
    weights = out_channels * (in_channels // groups) * math.prod(per_axis(kernel_size))
    return weights + out_channels if bias else weights
