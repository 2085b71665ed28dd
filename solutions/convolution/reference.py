"""Reference solutions of the assignment on convolution.

Images are (N, C, H, W), kernels (C_out, C_in / groups, kH, kW). The only loops run over the positions of a kernel.
"""

import torch
from torch import Tensor


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int | str = 0, dilation: int = 1) -> int:
    """Number of places that a kernel has along one axis: floor((size + 2p - d (k - 1) - 1) / s) + 1.

    Args:
        size: length of the axis.
        kernel_size: length k of the kernel.
        stride: step s from one place to the next.
        padding: zeros p on each side, or "valid" (none), or "same" (the result is as long as the input).
        dilation: distance d between neighbouring entries of the kernel.
    Returns:
        The length of the result.
    Raises:
        ValueError: ``kernel_size``, ``stride`` or ``dilation`` is below 1; ``padding`` is negative, an unknown word,
            or "same" with a stride that is not 1; ``kernel_size`` does not fit into the padded axis.
    Source: Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning", sections 2.4 and 5.1.
    """
    for name, value in [("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation)]:
        if value < 1:
            raise ValueError(f"{name} is {value}, it has to be at least 1")
    if padding == "same":
        if stride != 1:
            raise ValueError(f'padding "same" needs stride 1, stride is {stride}')
        return size
    p = 0 if padding == "valid" else padding
    if isinstance(p, str) or p < 0:
        raise ValueError(f'padding is {padding!r}, it has to be "valid", "same" or a number from 0')
    reach = dilation * (kernel_size - 1) + 1
    if reach > size + 2 * p:
        raise ValueError(f"kernel_size {kernel_size} reaches over {reach} entries, the padded axis has {size + 2 * p}")
    return (size + 2 * p - reach) // stride + 1


def pad2d(
    x: Tensor,
    kernel_size: int | tuple[int, int],
    padding: int | str | tuple[int, int] = "valid",
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """Zeros around images, as many as a convolution with that kernel asks for.

    "same" adds d (k - 1) zeros along an axis, half of them on each side, an odd one right or at the bottom.

    Args:
        x: images (N, C, H, W); any floating dtype and device.
        kernel_size: one number, or (height, width).
        padding: "valid" (none), "same", or zeros on each side as one number or (top and bottom, left and right).
        stride: of the convolution to come; it only matters to "same".
        dilation: of the convolution to come; it only matters to "same".
    Returns:
        Images (N, C, H + zeros, W + zeros) in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` does not have four axes; ``padding`` is negative, an unknown word, or "same" with a stride
            that is not 1.
    Source: Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning", section 2.2.
    """
    if x.ndim != 4:
        raise ValueError(f"x has {x.ndim} axes, images have four: N, C, H, W")
    k, s, d = (v if isinstance(v, tuple) else (v, v) for v in (kernel_size, stride, dilation))
    if padding == "same":
        if s != (1, 1):
            raise ValueError(f'padding "same" needs stride 1, stride is {stride}')
        zeros = (d[0] * (k[0] - 1), d[1] * (k[1] - 1))
    else:
        p = 0 if padding == "valid" else padding
        p = p if isinstance(p, tuple) else (p, p)
        if any(isinstance(side, str) or side < 0 for side in p):
            raise ValueError(f'padding is {padding!r}, it has to be "valid", "same" or numbers from 0')
        zeros = (2 * p[0], 2 * p[1])
    n, c, h, w = x.shape
    top, left = zeros[0] // 2, zeros[1] // 2
    out = x.new_zeros(n, c, h + zeros[0], w + zeros[1])
    out[:, :, top : top + h, left : left + w] = x
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

    out[n, o, y, z] = bias[o] + sum over c, i, j of weight[o, c, i, j] * padded[n, c, s y + d i, s z + d j].
    With groups, the output channels of a group see the input channels of that group only.

    Args:
        x: images (N, C_in, H, W); any floating dtype and device.
        weight: kernels (C_out, C_in / groups, kH, kW), in the dtype of ``x``.
        bias: (C_out,), or None.
        stride, dilation: one number, or (height, width).
        padding: one number, (height, width), "valid" or "same".
        groups: number of groups; divides C_in and C_out.
    Returns:
        Feature maps (N, C_out, H_out, W_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` or ``weight`` does not have four axes; ``groups`` does not divide both channel counts;
            ``weight`` does not fit the channels of ``x``; ``bias`` is not (C_out,); what `conv_output_size` and
            `pad2d` refuse.
    Source: Goodfellow et al. (2016), "Deep Learning", section 9.1, equation 9.6, and section 9.5.
    """
    if weight.ndim != 4:
        raise ValueError(f"weight has {weight.ndim} axes, it needs four: C_out, C_in / groups, kH, kW")
    c_out, c_group, kh, kw = weight.shape
    (sh, sw), (dh, dw) = (v if isinstance(v, tuple) else (v, v) for v in (stride, dilation))
    padded = pad2d(x, (kh, kw), padding, stride, dilation)
    n, c_in, h, w = padded.shape
    if groups < 1 or c_in % groups or c_out % groups:
        raise ValueError(f"groups is {groups}, it has to divide {c_in} and {c_out} channels")
    if c_group * groups != c_in:
        raise ValueError(f"weight is made for {c_group * groups} channels, x has {c_in}")
    if bias is not None and bias.shape != (c_out,):
        raise ValueError(f"bias has shape {tuple(bias.shape)}, it needs ({c_out},)")
    h_out, w_out = conv_output_size(h, kh, sh, 0, dh), conv_output_size(w, kw, sw, 0, dw)
    kernels = weight.reshape(groups, c_out // groups, c_group, kh, kw)
    out = x.new_zeros(n, c_out, h_out, w_out)
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (h_out - 1) * sh + 1, sh)
            columns = slice(j * dw, j * dw + (w_out - 1) * sw + 1, sw)
            seen = padded[:, :, rows, columns].reshape(n, groups, c_group, h_out, w_out)
            out = out + torch.einsum("ngchw,goc->ngohw", seen, kernels[..., i, j]).reshape(out.shape)
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

    Each kernel entry connected one shifted image with the output. It sends the output's gradient back to that shifted
    image, times its own value; its own gradient is the product of the two, summed over images and places.

    Args:
        grad_out: upstream gradient (N, C_out, H_out, W_out).
        x, weight, bias, stride, padding, dilation, groups: as in the forward pass.
    Returns:
        grad_x, grad_weight and grad_bias, shaped like ``x``, ``weight`` and ``bias``; grad_bias is None without bias.
    Raises:
        ValueError: ``grad_out`` does not have the shape of the forward's result; what `conv2d` refuses.
    Source: Goodfellow et al. (2016), "Deep Learning", section 9.5, equations 9.11 and 9.13.
    """
    out = conv2d(x, weight, bias, stride, padding, dilation, groups)
    if grad_out.shape != out.shape:
        raise ValueError(f"grad_out has shape {tuple(grad_out.shape)}, the result has {tuple(out.shape)}")
    (sh, sw), (dh, dw) = (v if isinstance(v, tuple) else (v, v) for v in (stride, dilation))
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
        Columns (N, C * kH * kW, places): in a column channel by channel, row by row; the places row by row.
    Raises:
        ValueError: what `conv_output_size` and `pad2d` refuse.
    Source: Chellapilla et al. (2006), "High performance convolutional neural networks for document processing",
        section 2.
    """
    (kh, kw), (dh, dw), (sh, sw) = (v if isinstance(v, tuple) else (v, v) for v in (kernel_size, dilation, stride))
    padded = pad2d(x, kernel_size, padding)
    n, c, h, w = padded.shape
    h_out, w_out = conv_output_size(h, kh, sh, 0, dh), conv_output_size(w, kw, sw, 0, dw)
    patches = [
        padded[:, :, i * dh : i * dh + (h_out - 1) * sh + 1 : sh, j * dw : j * dw + (w_out - 1) * sw + 1 : sw]
        for i in range(kh)
        for j in range(kw)
    ]
    return torch.stack(patches, 2).reshape(n, c * kh * kw, h_out * w_out)


def col2im(
    x: Tensor,
    output_size: tuple[int, int],
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Puts columns back to where ``im2col`` took them from; where patches overlap, they add up.

    This is the transpose of ``im2col``, not its inverse.

    Args:
        x: columns (N, C * kH * kW, places); any floating dtype and device.
        output_size: (H, W) of the images.
        kernel_size, dilation, padding, stride: one number, or (height, width).
    Returns:
        Images (N, C, H, W), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` does not have three axes, or not C * kH * kW rows for a whole C, or not one column a place;
            what `conv_output_size` refuses.
    Source: Chellapilla et al. (2006), "High performance convolutional neural networks for document processing",
        section 2.
    """
    k, d, p, s = (v if isinstance(v, tuple) else (v, v) for v in (kernel_size, dilation, padding, stride))
    (kh, kw), (dh, dw), (ph, pw), (sh, sw), (h, w) = k, d, p, s, output_size
    h_out, w_out = conv_output_size(h, kh, sh, ph, dh), conv_output_size(w, kw, sw, pw, dw)
    if x.ndim != 3 or x.shape[1] % (kh * kw) or x.shape[2] != h_out * w_out:
        raise ValueError(f"x has shape {tuple(x.shape)}, it needs (N, C * {kh * kw}, {h_out * w_out})")
    n, c = x.shape[0], x.shape[1] // (kh * kw)
    patches = x.reshape(n, c, kh, kw, h_out, w_out)
    padded = x.new_zeros(n, c, h + 2 * ph, w + 2 * pw)
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (h_out - 1) * sh + 1, sh)
            columns = slice(j * dw, j * dw + (w_out - 1) * sw + 1, sw)
            padded[:, :, rows, columns] += patches[:, :, i, j]
    return padded[:, :, ph : ph + h, pw : pw + w]


def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution along one axis: a convolution over images of height 1.

    Args:
        x: sequences (N, C_in, L); any floating dtype and device.
        weight: kernels (C_out, C_in / groups, k), in the dtype of ``x``.
        bias: (C_out,), or None.
        stride, padding, dilation, groups: as in `conv2d`, one number each.
    Returns:
        (N, C_out, L_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` or ``weight`` does not have three axes; what `conv2d` refuses.
    Source: Waibel et al. (1989), "Phoneme recognition using time-delay neural networks", section II.
    """
    if x.ndim != 3:
        raise ValueError(f"x has {x.ndim} axes, sequences have three: N, C, L")
    if weight.ndim != 3:
        raise ValueError(f"weight has {weight.ndim} axes, it needs three: C_out, C_in / groups, k")
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
    """Convolution over volumes: for each slice of the kernel, a two-dimensional convolution of the slices it meets.

    Args:
        x: volumes (N, C_in, D, H, W); any floating dtype and device.
        weight: kernels (C_out, C_in / groups, kD, kH, kW), in the dtype of ``x``.
        bias: (C_out,), or None.
        stride, padding, dilation: one number, or (depth, height, width).
        groups: number of groups; divides C_in and C_out.
    Returns:
        (N, C_out, D_out, H_out, W_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` or ``weight`` does not have five axes; what `conv2d` refuses.
    Source: Ji et al. (2013), "3D convolutional neural networks for human action recognition", equation 2.
    """
    if x.ndim != 5:
        raise ValueError(f"x has {x.ndim} axes, volumes have five: N, C, D, H, W")
    if weight.ndim != 5:
        raise ValueError(f"weight has {weight.ndim} axes, it needs five: C_out, C_in / groups, kD, kH, kW")
    s, p, d = (v if isinstance(v, tuple) else (v, v, v) for v in (stride, padding, dilation))
    n, c, depth, h, w = x.shape
    places = conv_output_size(depth, weight.shape[2], s[0], p[0], d[0])
    padded = x.new_zeros(n, c, depth + 2 * p[0], h, w)
    padded[:, :, p[0] : p[0] + depth] = x
    out = None
    for i in range(weight.shape[2]):
        slices = padded[:, :, i * d[0] : i * d[0] + (places - 1) * s[0] + 1 : s[0]]
        flat = slices.transpose(1, 2).reshape(n * places, c, h, w)
        part = conv2d(flat, weight[:, :, i], bias if i == 0 else None, s[1:], p[1:], d[1:], groups)
        out = part if out is None else out + part
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

    Its result has the size of the images that ``conv2d`` with the same arguments would map to the size of ``x``:
    (size - 1) s - 2p + d (k - 1) + 1 + output_padding.

    Args:
        x: (N, C_in, H, W); any floating dtype and device.
        weight: (C_in, C_out / groups, kH, kW), in the dtype of ``x``.
        bias: (C_out,), or None.
        stride, padding, dilation: one number, or (height, width), those of the convolution that is transposed.
        output_padding: rows and columns added at the bottom and on the right; smaller than ``stride``.
        groups: number of groups; divides C_in and C_out.
    Returns:
        (N, C_out, H_out, W_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` or ``weight`` does not have four axes; ``weight`` does not start with the channels of ``x``;
            ``output_padding`` is negative or not smaller than the stride; ``bias`` is not (C_out,).
    Source: Dumoulin & Visin (2016), "A guide to convolution arithmetic for deep learning", chapter 4.
    """
    if x.ndim != 4:
        raise ValueError(f"x has {x.ndim} axes, images have four: N, C, H, W")
    if weight.ndim != 4 or weight.shape[0] != x.shape[1]:
        raise ValueError(f"weight has shape {tuple(weight.shape)}, it needs (C_in, C_out / groups, kH, kW)")
    s, p, e, d = (v if isinstance(v, tuple) else (v, v) for v in (stride, padding, output_padding, dilation))
    if any(extra < 0 or extra >= step for extra, step in zip(e, s, strict=True)):
        raise ValueError(f"output_padding is {output_padding}, it has to be from 0 and smaller than stride {stride}")
    c_out = weight.shape[1] * groups
    if bias is not None and bias.shape != (c_out,):
        raise ValueError(f"bias has shape {tuple(bias.shape)}, it needs ({c_out},)")
    h, w = ((x.shape[2 + a] - 1) * s[a] - 2 * p[a] + d[a] * (weight.shape[2 + a] - 1) + 1 + e[a] for a in range(2))
    out = conv2d_backward(x, x.new_zeros(x.shape[0], c_out, h, w), weight, None, s, p, d, groups)[0]
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
        Feature maps (N, C_out, H_out, W_out), in the dtype and on the device of ``x``.
    Raises:
        ValueError: ``x`` does not have four axes; ``depthwise_weight`` is not (C_in * m, 1, kH, kW);
            ``pointwise_weight`` is not (C_out, C_in * m, 1, 1); what `conv2d` refuses.
    Source: Howard et al. (2017), "MobileNets: efficient convolutional neural networks for mobile vision applications",
        section 3.1.
    """
    if x.ndim != 4:
        raise ValueError(f"x has {x.ndim} axes, images have four: N, C, H, W")
    channels = x.shape[1]
    if depthwise_weight.ndim != 4 or depthwise_weight.shape[1] != 1 or depthwise_weight.shape[0] % channels:
        raise ValueError(f"depthwise_weight has shape {tuple(depthwise_weight.shape)}, it needs (C_in * m, 1, kH, kW)")
    middle = depthwise_weight.shape[0]
    if pointwise_weight.ndim != 4 or pointwise_weight.shape[1:] != (middle, 1, 1):
        raise ValueError(
            f"pointwise_weight has shape {tuple(pointwise_weight.shape)}, it needs (C_out, {middle}, 1, 1)"
        )
    each = conv2d(x, depthwise_weight, None, stride, padding, dilation, groups=channels)
    return conv2d(each, pointwise_weight, bias)


def receptive_field(layers: list[tuple[int, int, int]]) -> int:
    """How many neighbouring input entries along one axis one output entry depends on.

    Start with r = 1 and step j = 1; a layer adds (k - 1) d j to r and multiplies j by its stride.

    Args:
        layers: (kernel_size, stride, dilation) of each layer, the first one next to the input.
    Returns:
        The number of entries; 1 without layers.
    Raises:
        ValueError: an entry of ``layers`` is not three numbers of at least 1.
    Source: Araujo et al. (2019), "Computing receptive fields of convolutional neural networks", section 2.
    """
    field, step = 1, 1
    for layer in layers:
        if len(layer) != 3 or min(layer) < 1:
            raise ValueError(f"layers has {layer}, it needs (kernel_size, stride, dilation), each at least 1")
        kernel_size, stride, dilation = layer
        field += (kernel_size - 1) * dilation * step
        step *= stride
    return field


def conv_parameter_count(
    in_channels: int, out_channels: int, kernel_size: int | tuple[int, ...], groups: int = 1, bias: bool = True
) -> int:
    """Number of trainable numbers in a convolutional layer: C_out (C_in / groups) times the kernel's size, and C_out.

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size: one number for a square, or the sides of the kernel, one or more.
        groups: number of groups.
        bias: whether there is one number more for each output channel.
    Returns:
        The count. The size of the image plays no part.
    Raises:
        ValueError: ``groups`` is below 1 or does not divide both channel counts.
    Source: Goodfellow et al. (2016), "Deep Learning", section 9.2.
    """
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ValueError(f"groups is {groups}, it has to divide {in_channels} and {out_channels}")
    sides = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    count = out_channels * (in_channels // groups)
    for side in sides:
        count *= side
    return count + out_channels if bias else count
