"""Values and calls as code that a student can run in a cell after ``import torch`` and ``import numpy as np``."""

import builtins
import cmath
import keyword
import math
import re
from collections.abc import Iterator, Sequence
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
        case float() | complex():
            return repr(value) if cmath.isfinite(value) else _number(value)
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
    told_by_entries = (torch.float32, torch.int64, torch.bool) if x.numel() else (torch.float32,)
    dtype = "" if x.dtype in told_by_entries else f", dtype={x.dtype}"
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
        return f"torch.full({_shape(x.shape)}, {_number(x.flatten()[0].item(), x.dtype)}{dtype})"
    return f"torch.tensor({_nested(x.tolist(), x.dtype)}{dtype})"


def _show_array(x: Any) -> str:
    name = "bool_" if x.dtype == np.bool_ else x.dtype.name
    told_by_entries = (np.float64, np.int64, np.bool_) if x.size else (np.float64,)
    dtype = "" if x.dtype in told_by_entries else f", dtype=np.{name}"
    if x.ndim == 0:
        return f"np.{name}({_number(x.item())})"
    if x.size == 0:
        return f"np.zeros({_shape(x.shape)}{dtype})"
    if x.ndim > 1 and x.flags.f_contiguous and not x.flags.c_contiguous:
        return f"{_show_array(np.ascontiguousarray(x.T))}.T"
    if x.size > 4 and bool((x == x.flat[0]).all()):
        return f"np.full({_shape(x.shape)}, {_number(x.flat[0].item())}{dtype})"
    return f"np.array({_nested(x.tolist(), torch.float64)}{dtype})"


def _shape(shape: Sequence[int]) -> str:
    return repr(tuple(int(n) for n in shape))


def _nested(items: Any, dtype: torch.dtype) -> str:
    if isinstance(items, list):
        return f"[{', '.join(_nested(item, dtype) for item in items)}]"
    return _number(items, dtype)


def _number(value: Any, dtype: torch.dtype = torch.float64) -> str:
    """The shortest text that gives this number again in its dtype."""
    if isinstance(value, complex) and not cmath.isfinite(value):
        return f"complex({_number(value.real)}, {_number(value.imag)})"
    if isinstance(value, bool | int | complex):
        return repr(value)
    if not math.isfinite(value):
        return f'float("{value}")'
    texts = (f"{value:.{digits}g}" for digits in range(1, 17))
    text = next((t for t in texts if torch.tensor(float(t), dtype=dtype).item() == value), repr(value))
    return text if any(c in text for c in ".e") else f"{text}."


def code_of(transcript: Sequence[Call]) -> str:
    """The calls of a transcript, one a line, the student's objects under names of their own."""
    names: dict[int, str] = {}
    used: dict[str, int] = {}
    lines = []
    reserved = {call.request.name for call in transcript if call.request.kind == "call"}
    for call in transcript:
        if _is_silent(call, is_last=call is transcript[-1]):
            continue
        expression = _expression(call.request, names)
        value = call.reply.value
        new = {number: place for number, place in _handles(value) if number not in names}
        if not new:
            lines.append(expression)
            continue
        stem = "values"
        if isinstance(value, Handle):
            stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", value.type_name.lstrip("_")).lower()
        if stem in reserved or keyword.iskeyword(stem) or hasattr(builtins, stem) or not stem.isidentifier():
            stem = f"{stem}_object" if stem.isidentifier() else "object_"
        used[stem] = used.get(stem, 0) + 1
        name = stem if used[stem] == 1 else f"{stem}{used[stem]}"
        names.update({number: f"{name}{place}" for number, place in new.items()})
        lines.append(f"{name} = {expression}")
    return "\n".join(lines)


def _is_silent(call: Call, *, is_last: bool) -> bool:
    """Whether Python itself asked, in a loop or in ``list``, and took the exception for an answer."""
    raised = call.reply.raised.type_name if call.reply.raised is not None else ""
    asked = call.request.kind == "operator" and call.request.name
    return (asked, raised) == ("next", "StopIteration") or ((asked, raised) == ("len", "TypeError") and not is_last)


def _handles(value: Any, place: str = "") -> Iterator[tuple[int, str]]:
    """The objects in a value, and how each is reached from it."""
    match value:
        case Handle():
            yield value.number, place
        case list() | tuple():
            for i, item in enumerate(value):
                yield from _handles(item, f"{place}[{i}]")
        case dict():
            for key, item in value.items():
                yield from _handles(item, f"{place}[{show(key)}]")


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
    left = f"({args[0]})" if name == "**" and args[0].startswith("-") else args[0]
    return f"{left} {name} {args[1]}"


def brief(value: Any, limit: int = 400) -> str:
    """A value as a reader wants it in a message: rounded, on one line, cut at ``limit`` characters."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        array = value.double().numpy() if value.dtype.is_floating_point else value.numpy()
        text = " ".join(np.array2string(array, precision=6, threshold=40, edgeitems=3, separator=", ").split())
    elif isinstance(value, np.ndarray):
        text = " ".join(np.array2string(value, precision=6, threshold=40, edgeitems=3, separator=", ").split())
    elif isinstance(value, float):
        text = f"{value:.10g}"
    elif isinstance(value, list | tuple):
        inside = ", ".join(brief(item, limit) for item in value[:limit])
        text = f"[{inside}]" if isinstance(value, list) else f"({inside})"
    else:
        text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
