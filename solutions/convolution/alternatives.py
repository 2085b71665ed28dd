"""Correct solutions of the assignment on convolution that go another way than the reference."""

import torch

from autograder.guards import require_ndim, require_shape, require_whole
from autograder.testing import alternative

from .reference import col2im, conv2d, conv_output_size, im2col, pad2d, per_axis


@alternative("conv_output_size")
def size_by_counting_places(size, kernel_size, stride=1, padding=0, dilation=1):
    conv_output_size(size, kernel_size, stride, padding, dilation)
    if padding == "same":
        return size
    p = 0 if padding == "valid" else padding
    return len(range(0, size + 2 * p - dilation * (kernel_size - 1), stride))


@alternative("pad2d")
def pad_by_joining_zeros(x, kernel_size, padding="valid", stride=1, dilation=1):
    shape = pad2d(x, kernel_size, padding, stride, dilation).shape
    for axis in (2, 3):
        total = shape[axis] - x.shape[axis]
        sides = []
        for length in (total // 2, total - total // 2):
            size = list(x.shape)
            size[axis] = length
            sides.append(torch.zeros(size, dtype=x.dtype, device=x.device))
        x = torch.cat([sides[0], x, sides[1]], axis)
    return x


@alternative("conv2d")
def conv_by_sliding_windows(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Windows as a view; the dilated kernel is written with its zeros."""
    conv2d(x, weight, bias, stride, padding, dilation, groups)
    (sh, sw), (dh, dw) = per_axis(stride), per_axis(dilation)
    c_out, c, kh, kw = weight.shape
    padded = pad2d(x, (kh, kw), padding, stride, dilation)
    wide = weight.new_zeros(c_out, c, dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    wide[:, :, ::dh, ::dw] = weight
    windows = padded.unfold(2, wide.shape[2], sh).unfold(3, wide.shape[3], sw).unflatten(1, (groups, c))
    out = torch.einsum("ngchwij,gocij->ngohw", windows, wide.unflatten(0, (groups, -1))).flatten(1, 2)
    return out if bias is None else out + bias[:, None, None]


@alternative("conv2d")
def conv_by_columns(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    conv2d(x, weight, bias, stride, padding, dilation, groups)
    _c_out, _c, kh, kw = weight.shape
    padded = pad2d(x, (kh, kw), padding, stride, dilation)
    s, d = per_axis(stride), per_axis(dilation)
    h = conv_output_size(padded.shape[2], kh, s[0], 0, d[0])
    columns = im2col(padded, (kh, kw), dilation, 0, stride).unflatten(1, (groups, -1))
    out = (weight.flatten(1).unflatten(0, (groups, -1)) @ columns).flatten(1, 2).unflatten(2, (h, -1))
    return out if bias is None else out + bias.reshape(1, -1, 1, 1)


@alternative("conv2d_backward")
def gradients_by_columns(grad_out, x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution is a matrix product of columns, so its gradients are those of a matrix product."""
    if grad_out.shape != conv2d(x, weight, bias, stride, padding, dilation, groups).shape:
        raise ValueError("grad_out must have the shape of the result")
    padded = pad2d(x, tuple(weight.shape[2:]), padding, stride, dilation)
    arguments = tuple(weight.shape[2:]), dilation, 0, stride
    columns = im2col(padded, *arguments).unflatten(1, (groups, -1))
    g = grad_out.flatten(2).unflatten(1, (groups, -1))
    kernels = weight.flatten(1).unflatten(0, (groups, -1))
    grad_weight = (g @ columns.mT).sum(0).reshape(weight.shape)
    grad_padded = col2im((kernels.mT @ g).flatten(1, 2), tuple(padded.shape[2:]), *arguments)
    top, left = ((padded.shape[a] - x.shape[a]) // 2 for a in (2, 3))
    grad_x = grad_padded[:, :, top : top + x.shape[2], left : left + x.shape[3]]
    return grad_x, grad_weight, None if bias is None else grad_out.sum(3).sum(2).sum(0)


@alternative("im2col")
def columns_by_sliding_windows(x, kernel_size, dilation=1, padding=0, stride=1):
    require_whole(0, axes=2, padding=padding)
    (kh, kw), (dh, dw), (sh, sw) = per_axis(kernel_size), per_axis(dilation), per_axis(stride)
    padded = pad2d(x, kernel_size, padding)
    conv_output_size(padded.shape[2], kh, sh, 0, dh), conv_output_size(padded.shape[3], kw, sw, 0, dw)
    windows = padded.unfold(2, dh * (kh - 1) + 1, sh).unfold(3, dw * (kw - 1) + 1, sw)[..., ::dh, ::dw]
    return windows.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)


@alternative("col2im")
def images_by_adding_at_indices(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Numbers the padded pixels, lets im2col say which of them each entry came from, and adds there."""
    require_whole(0, axes=2, padding=padding)
    (kh, kw), (ph, pw), (h, w) = per_axis(kernel_size), per_axis(padding), output_size
    wide = h + 2 * ph, w + 2 * pw
    index = torch.arange(wide[0] * wide[1], device=x.device, dtype=torch.float64).reshape(1, 1, *wide)
    index = im2col(index, kernel_size, dilation, 0, stride).long()
    if x.ndim != 3 or x.shape[1] % (kh * kw) or x.shape[2] != index.shape[2]:
        raise ValueError("x does not fit")
    channels = x.reshape(x.shape[0], x.shape[1] // (kh * kw), index.numel())
    flat = x.new_zeros(*channels.shape[:2], wide[0] * wide[1])
    flat = flat.index_add(2, index.flatten(), channels).unflatten(2, wide)
    return flat[:, :, ph : ph + h, pw : pw + w]


@alternative("conv1d")
def sequence_by_sliding_windows(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    require_ndim(3, x=x)
    require_ndim(3, weight=weight)
    require_whole(1, axes=1, stride=stride)
    require_whole(0, axes=1, padding=0 if padding in ("valid", "same") else padding)
    require_whole(1, axes=1, dilation=dilation)
    if padding == "same" and stride != 1:
        raise ValueError('padding "same" needs stride 1')
    reach = dilation * (weight.shape[2] - 1)
    left = {"same": reach // 2, "valid": 0}.get(padding, padding)
    right = reach - left if padding == "same" else left
    x = torch.cat([x.new_zeros(*x.shape[:2], left), x, x.new_zeros(*x.shape[:2], right)], 2)
    windows = x.unfold(2, reach + 1, stride)[..., ::dilation].unflatten(1, (groups, -1))
    out = torch.einsum("ngclk,gock->ngol", windows, weight.unflatten(0, (groups, -1))).flatten(1, 2)
    return out if bias is None else out + bias[:, None]


@alternative("conv3d")
def volume_by_sliding_windows(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    require_ndim(5, x=x)
    require_ndim(5, weight=weight)
    require_whole(1, axes=3, stride=stride)
    require_whole(0, axes=3, padding=padding)
    require_whole(1, axes=3, dilation=dilation)
    s, p, d = (per_axis(v, 3) for v in (stride, padding, dilation))
    padded = x.new_zeros(*x.shape[:2], *(side + 2 * q for side, q in zip(x.shape[2:], p, strict=True)))
    padded[:, :, p[0] : p[0] + x.shape[2], p[1] : p[1] + x.shape[3], p[2] : p[2] + x.shape[4]] = x
    for axis in range(3):
        padded = padded.unfold(2 + axis, d[axis] * (weight.shape[2 + axis] - 1) + 1, s[axis])
    windows = padded[..., :: d[0], :: d[1], :: d[2]].unflatten(1, (groups, -1))
    out = torch.einsum("ngcxyzijk,gocijk->ngoxyz", windows, weight.unflatten(0, (groups, -1))).flatten(1, 2)
    return out if bias is None else out + bias[:, None, None, None]


@alternative("conv_transpose2d")
def transposed_by_stamping(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Every entry becomes a column of its kernel's values; `col2im` stamps the columns."""
    s, p, e, d = map(per_axis, (stride, padding, output_padding, dilation))
    require_ndim(4, x=x)
    require_shape((x.shape[1], None, None, None), weight=weight)
    require_whole(0, axes=2, padding=padding)
    if min(e) < 0 or e[0] >= max(s[0], d[0]) or e[1] >= max(s[1], d[1]):
        raise ValueError("output_padding must be smaller than the stride or the dilation")
    if bias is not None and tuple(bias.shape) != (weight.shape[1] * groups,):
        raise ValueError("bias does not fit")
    kernels = weight.flatten(1).unflatten(0, (groups, -1))
    columns = (kernels.mT @ x.flatten(2).unflatten(1, (groups, -1))).flatten(1, 2)
    h, w = ((x.shape[2 + a] - 1) * s[a] + d[a] * (weight.shape[2 + a] - 1) + 1 for a in (0, 1))
    canvas = col2im(columns, (h, w), tuple(weight.shape[2:]), dilation, 0, stride)
    canvas = torch.cat([canvas, canvas.new_zeros(*canvas.shape[:2], e[0], w)], 2)
    canvas = torch.cat([canvas, canvas.new_zeros(*canvas.shape[:3], e[1])], 3)
    out = canvas[:, :, p[0] : canvas.shape[2] - p[0], p[1] : canvas.shape[3] - p[1]]
    return out if bias is None else out + bias[:, None, None]


@alternative("depthwise_separable_conv2d")
def separable_by_one_full_kernel(x, depthwise_weight, pointwise_weight, bias=None, stride=1, padding=0, dilation=1):
    """The two kernels multiplied out into one full kernel."""
    require_ndim(4, x=x)
    require_shape((None, 1, None, None), depthwise_weight=depthwise_weight)
    many = depthwise_weight.shape[0]
    if many % x.shape[1]:
        raise ValueError("depthwise_weight does not fit")
    require_shape((None, many, 1, 1), pointwise_weight=pointwise_weight)
    full = pointwise_weight * depthwise_weight.squeeze(1)
    full = full.unflatten(1, (x.shape[1], -1)).sum(2)
    return conv2d(x, full, bias, stride, padding, dilation)


@alternative("receptive_field")
def field_from_the_last_layer_back(layers):
    needed = 1
    for layer in reversed(layers):
        if not isinstance(layer, tuple) or len(layer) != 3:
            raise ValueError("layers needs three numbers each")
        require_whole(1, layers=layer)
        k, s, d = layer
        needed = (needed - 1) * s + (k - 1) * d + 1
    return needed


@alternative("conv_parameter_count")
def parameters_by_group(in_channels, out_channels, kernel_size, groups=1, bias=True):
    if groups <= 0 or in_channels % groups != 0 or out_channels % groups != 0:
        raise ValueError("groups must divide both")
    kernel_size = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
    entries = torch.Size(kernel_size).numel()
    return groups * (in_channels // groups) * (out_channels // groups) * entries + out_channels * int(bias)
