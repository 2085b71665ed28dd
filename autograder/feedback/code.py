"""Values as code that a student can run in a cell after ``import torch`` and ``import numpy as np``."""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.sandbox.values import Handle


@dataclass(frozen=True)
class Word:
    """Stands for a value in code."""

    text: str


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
        case Word():
            return value.text
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
        case FunctionType() | MethodType() if value.__name__.isidentifier():
            return value.__name__
    return repr(value)


def _show_tensor(x: Tensor) -> str:
    told_by_entries = (torch.float32, torch.int64, torch.bool) if x.numel() else (torch.float32,)
    dtype = "" if x.dtype in told_by_entries else f", dtype={x.dtype}"
    stride = x.stride()
    order = sorted(range(x.ndim), key=lambda axis: -stride[axis])
    plain = x.permute(order) if x.numel() else x
    if x.numel() == 0:
        return f"torch.zeros({shape_text(x.shape)}{dtype})"
    if plain.is_contiguous() and not x.is_contiguous():
        back = [order.index(axis) for axis in range(x.ndim)]
        turned = ".T" if x.ndim == 2 else f".permute({', '.join(map(str, back))})"
        return f"{_show_tensor(plain)}{turned}"
    if not x.is_contiguous():
        flat = torch.as_strided(x, (1 + sum((n - 1) * s for n, s in zip(x.shape, x.stride(), strict=True)),), (1,))
        return f"{_show_tensor(flat)}.as_strided({tuple(x.shape)}, {tuple(x.stride())})"
    if x.numel() > 1 and bool((x == x.flatten()[0]).all()) and x.numel() > 4:
        return f"torch.full({shape_text(x.shape)}, {_number(x.flatten()[0].item(), x.dtype)}{dtype})"
    return f"torch.tensor({_nested(x.tolist(), x.dtype)}{dtype})"


def _show_array(x: Any) -> str:
    name = "bool_" if x.dtype == np.bool_ else x.dtype.name
    told_by_entries = (np.float64, np.int64, np.bool_) if x.size else (np.float64,)
    dtype = "" if x.dtype in told_by_entries else f", dtype=np.{name}"
    if x.ndim == 0:
        return f"np.{name}({_number(x.item())})"
    if x.size == 0:
        return f"np.zeros({shape_text(x.shape)}{dtype})"
    if x.ndim > 1 and x.flags.f_contiguous and not x.flags.c_contiguous:
        return f"{_show_array(np.ascontiguousarray(x.T))}.T"
    if x.size > 4 and bool((x == x.flat[0]).all()):
        return f"np.full({shape_text(x.shape)}, {_number(x.flat[0].item())}{dtype})"
    return f"np.array({_nested(x.tolist(), torch.float64)}{dtype})"


def shape_text(shape: Sequence[int]) -> str:
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
