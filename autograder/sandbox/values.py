"""The closed set of values that may cross between a check and a student's code.

bool, int, float, complex, str, bytes, None, torch dtype, numpy array and scalar, dense torch tensor,
list, tuple, dict of these, seeded generator, callback, and a handle for any other object, which stays
on the student's side. Everything is copied on the way, so neither side can change what the other holds.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

SCALARS = (bool, int, float, complex, str, bytes, type(None))
# What is passed on as it is; asked of a set, and by exact type, since it is asked of every value.
_AS_THEY_ARE = frozenset((*SCALARS, torch.dtype))
ARRAY_KINDS = "biufc"
# Asked by exact type: torch's own `isinstance` runs Python for every value that is none.
GENERATORS = frozenset((torch.Generator, np.random.Generator))


@dataclass(frozen=True)
class Handle:
    """Stands for an object that lives on the student's side."""

    number: int
    type_name: str


@dataclass(frozen=True)
class BoundMethod:
    """What reading an attribute gives when the attribute is a method."""

    owner: Handle
    name: str


class Callback:
    """A function that a check passes in, kept as source so that it can be recorded, shown and run.

    >>> Callback("lambda v: (v ** 2).sum()")(np.array([1.0, 2.0]))
    np.float64(5.0)
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._function: Callable[..., Any] = eval(source, {"np": np, "torch": torch})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return self.source

    def __reduce__(self) -> tuple[type["Callback"], tuple[str]]:
        return Callback, (self.source,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Callback) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)


def storage_segment(x: Tensor) -> Tensor:
    """The smallest flat run of memory that holds a dense tensor's entries, as a 1-d view."""
    if x.numel() == 0:
        return x.detach().new_empty(0)
    length = 1 + sum((size - 1) * stride for size, stride in zip(x.shape, x.stride(), strict=True))
    return torch.as_strided(x.detach(), (length,), (1,), x.storage_offset())


def copy_tensor(x: Tensor) -> Tensor:
    """A copy with the same strides, so that a non-contiguous tensor stays non-contiguous."""
    if x.is_contiguous():
        return (x.detach() if x.requires_grad else x).clone()
    return torch.as_strided(storage_segment(x).clone(), x.shape, x.stride(), 0)


def copy_generator(generator: torch.Generator) -> torch.Generator:
    twin = torch.Generator(device=generator.device)
    twin.set_state(generator.get_state())
    return twin


def copy_rng(rng: np.random.Generator) -> np.random.Generator:
    return np.random.Generator(deepcopy(rng.bit_generator))


def copy_value(value: Any, foreign: Callable[[object], object]) -> Any:
    """Copies a value of the closed set; hands anything else to ``foreign``."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is Tensor or isinstance(value, Tensor):
        if value.layout is not torch.strided or value.is_meta or value.is_quantized:
            return foreign(value)
        # Tensors are what is copied most, so what most of them do not need is left out.
        plain = value if kind is Tensor else value.detach().as_subclass(Tensor)
        if plain.is_conj() or plain.is_neg():
            plain = plain.detach().resolve_conj().resolve_neg()
        return copy_tensor(plain)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        if value.dtype.kind not in ARRAY_KINDS:
            return foreign(value)
        return np.array(value, order="K", subok=False)
    if kind is list:
        return [copy_value(item, foreign) for item in value]
    if isinstance(value, tuple):
        return tuple([copy_value(item, foreign) for item in value])
    if kind is dict:
        return {copy_value(key, foreign): copy_value(item, foreign) for key, item in value.items()}
    if isinstance(value, torch.Generator):
        return copy_generator(value)
    if isinstance(value, np.random.Generator):
        return copy_rng(value)
    return foreign(value)


def same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays or tensors hold the same entries in the same shape and dtype, NaN equal to NaN."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if isinstance(a, Tensor):
        return torch.equal(a, b) or bool(((a == b) | (a.isnan() & b.isnan())).all())
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


def same_data(before: Any, after: Any) -> bool:
    """Whether a value of the closed set still holds what it held; handles, callbacks and generators always do."""
    kind = type(before)
    if kind in _AS_THEY_ARE:
        # Python shares most of them; equal ones may still differ, as 0.0 and -0.0 do.
        return after is before or (type(after) is kind and repr(after) == repr(before))
    if isinstance(before, Tensor | np.ndarray):
        return isinstance(after, kind) and same_bits(before, after)
    if isinstance(before, list | tuple):
        return type(after) is kind and len(after) == len(before) and all(map(same_data, before, after))
    if isinstance(before, dict):
        same_keys = type(after) is dict and after.keys() == before.keys()
        return same_keys and all(same_data(before[key], after[key]) for key in before)
    return True


def arrays_in(value: Any) -> list[Any]:
    """The arrays and tensors inside a value, in reading order."""
    if isinstance(value, Tensor | np.ndarray):
        return [value]
    if isinstance(value, list | tuple):
        return [array for item in value for array in arrays_in(item)]
    if isinstance(value, dict):
        return [array for item in value.values() for array in arrays_in(item)]
    return []


def same_question(a: Any, b: Any) -> bool:
    """Whether two values would be answered alike: `same_data`, and the same handles, callbacks, generator states."""
    return same_data(a, b) and all(map(_same_leaf, _leaves(a), _leaves(b)))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    else:
        yield value


def _same_leaf(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Generator):
        return isinstance(b, torch.Generator) and torch.equal(a.get_state(), b.get_state())
    if isinstance(a, np.random.Generator):
        return isinstance(b, np.random.Generator) and repr(a.bit_generator.state) == repr(b.bit_generator.state)
    return a == b if isinstance(a, Handle | Callback) else type(a) is type(b)
