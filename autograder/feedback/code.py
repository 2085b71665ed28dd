"""Values and calls as code that a student can run in a cell after ``import torch`` and ``import numpy as np``."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.sandbox.protocol import Request
from autograder.sandbox.values import Handle
from autograder.testing.student import Call

PREFIX = {"neg": "-"}
FUNCTIONS = ("abs", "len", "bool", "float", "int", "str", "repr", "iter", "next")


def show(value: Any, names: dict[int, str] | None = None) -> str:
    """A value of the closed set as an expression; objects by the names that ``names`` gives them."""
    names = names or {}
    match value:
        case Tensor():
            return _show_tensor(value)
        case np.ndarray():
            return _show_array(value)
        case Handle():
            return names.get(value.number, f"<{value.type_name}>")
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case list():
            return f"[{', '.join(show(item, names) for item in value)}]"
        case tuple():
            inside = ", ".join(show(item, names) for item in value)
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        case dict():
            return "{" + ", ".join(f"{show(k, names)}: {show(v, names)}" for k, v in value.items()) + "}"
        case torch.Generator():
            return f"torch.Generator().manual_seed({value.initial_seed()})"
        case np.random.Generator():
            return f"np.random.default_rng({getattr(value.bit_generator.seed_seq, 'entropy', 0)})"
    return repr(value)


def _show_tensor(x: Tensor) -> str:
    dtype = "" if x.dtype in (torch.float32, torch.int64, torch.bool) else f", dtype={x.dtype}"
    if x.dtype is torch.float32 and x.numel() == 0:
        dtype = ""
    stride = x.stride()
    order = sorted(range(x.ndim), key=lambda axis: -stride[axis])
    plain = x.permute(order) if x.numel() else x
    if x.numel() == 0:
        return f"torch.zeros({_shape(x.shape)}{dtype})"
    if plain.is_contiguous() and not x.is_contiguous():
        back = [order.index(axis) for axis in range(x.ndim)]
        turned = ".T" if x.ndim == 2 else f".permute({', '.join(map(str, back))})"
        return f"{_show_tensor(plain)}{turned}"
    if not x.is_contiguous():
        flat = torch.as_strided(x, (1 + sum((n - 1) * s for n, s in zip(x.shape, x.stride(), strict=True)),), (1,))
        return f"{_show_tensor(flat)}.as_strided({tuple(x.shape)}, {tuple(x.stride())})"
    if x.numel() > 1 and bool((x == x.flatten()[0]).all()) and x.numel() > 4:
        return f"torch.full({_shape(x.shape)}, {_number(x.flatten()[0].item())}{dtype})"
    return f"torch.tensor({_nested(x.tolist())}{dtype})"


def _show_array(x: Any) -> str:
    dtype = "" if x.dtype in (np.float64, np.int64, np.bool_) else f", dtype=np.{x.dtype}"
    if x.ndim == 0:
        return f"np.{x.dtype}({_number(x.item())})"
    if x.size == 0:
        return f"np.zeros({_shape(x.shape)}{dtype})"
    if x.ndim > 1 and x.flags.f_contiguous and not x.flags.c_contiguous:
        return f"{_show_array(np.ascontiguousarray(x.T))}.T"
    if x.size > 4 and bool((x == x.flat[0]).all()):
        return f"np.full({_shape(x.shape)}, {_number(x.flat[0].item())}{dtype})"
    return f"np.array({_nested(x.tolist())}{dtype})"


def _shape(shape: Sequence[int]) -> str:
    return repr(tuple(int(n) for n in shape))


def _nested(items: Any) -> str:
    if isinstance(items, list):
        return f"[{', '.join(_nested(item) for item in items)}]"
    return _number(items)


def _number(value: Any) -> str:
    if isinstance(value, bool | int | complex):
        return repr(value)
    if not math.isfinite(value):
        return f'float("{value}")'
    short = f"{value:.10g}"
    text = short if float(short) == value or abs(float(short) - value) < 1e-7 * abs(value) else repr(value)
    return text if any(c in text for c in ".e") else f"{text}."


def code_of(transcript: Sequence[Call]) -> str:
    """The calls of a transcript, one a line, the student's objects under names of their own."""
    names: dict[int, str] = {}
    used: dict[str, int] = {}
    lines = []
    for call in transcript:
        expression = _expression(call.request, names)
        value = call.reply.value
        if isinstance(value, Handle):
            if call.request.name == "enter":
                lines.append(
                    f"{names.get(value.number, 'value')} = {expression}" if value.number in names else expression
                )
                continue
            stem = re.sub(r"(?<!^)(?=[A-Z])", "_", value.type_name).lower()
            used[stem] = used.get(stem, 0) + 1
            names[value.number] = stem if used[stem] == 1 else f"{stem}{used[stem]}"
            lines.append(f"{names[value.number]} = {expression}")
        else:
            lines.append(expression)
    return "\n".join(lines)


def _expression(request: Request, names: dict[int, str]) -> str:
    args = [show(arg, names) for arg in request.args]
    keywords = [f"{name}={show(value, names)}" for name, value in request.kwargs.items()]
    name = request.name
    if request.kind == "call":
        return f"{name}({', '.join(args + keywords)})"
    if request.kind == "method":
        return f"{args[0]}.{name}({', '.join(args[1:] + keywords)})"
    if request.kind == "attribute":
        return f"{args[0]}.{name}"
    if request.kind == "assign":
        return f"{args[0]}.{name} = {args[1]}"
    if name == "call":
        return f"{args[0]}({', '.join(args[1:] + keywords)})"
    if name == "getitem":
        return f"{args[0]}[{args[1]}]"
    if name == "setitem":
        return f"{args[0]}[{args[1]}] = {args[2]}"
    if name == "enter":
        return f"{args[0]}.__enter__()"
    if name == "exit":
        return f"{args[0]}.__exit__(None, None, None)"
    if name in PREFIX:
        return f"{PREFIX[name]}{args[0]}"
    if name in FUNCTIONS:
        return f"{name}({', '.join(args)})"
    return f"{args[0]} {name} {args[1]}"


def brief(value: Any, limit: int = 400) -> str:
    """A value as a reader wants it in a message: rounded, aligned by rows, cut at ``limit`` characters."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        array = value.double().numpy() if value.dtype.is_floating_point else value.numpy()
        text = np.array2string(array, precision=6, suppress_small=False, threshold=40, edgeitems=3, separator=", ")
    elif isinstance(value, np.ndarray):
        text = np.array2string(value, precision=6, threshold=40, edgeitems=3, separator=", ")
    elif isinstance(value, float):
        text = f"{value:.10g}"
    elif isinstance(value, list | tuple):
        inside = ", ".join(brief(item, limit) for item in value)
        text = f"[{inside}]" if isinstance(value, list) else f"({inside})"
    else:
        text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
