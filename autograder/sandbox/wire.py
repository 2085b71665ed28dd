"""The wire format between judge and child: a small header, JSON, raw array bytes. No pickle, no path, no object.

A frame is 24 bytes of header, then JSON, then raw bytes::

    magic     4 bytes   b"agw1"
    sequence  4 bytes   unsigned, counts the frames of this direction from 0
    json      4 bytes   unsigned, length of the JSON
    raw       8 bytes   unsigned, length of the raw bytes
    place     4 bytes   0: the raw bytes follow on the socket; 1: they lie at the start of the shared mapping

The JSON is a tree. None, bool, int, str and list stand for themselves; every other value is an object with one key::

    {"float": "nan"}  {"complex": ["0.0", "1.0"]}  {"bytes": base64}  {"dtype": "float32"}
    {"tensor": [place, length, dtype, shape, stride]}      {"array": [place, length, dtype, shape, order]}
    {"tuple": [...]}  {"dict": [[key, value], ...]}        {"callback": source}  {"function": number}
    {"generator": base64 of the state}  {"seeded": seed of a fresh one}  {"rng": bit generator and state}
    {"handle": [number, type name]}  {"method": [owner's number, owner's type name, name]}

Whatever breaks this ends the child with a named reason (`WireError`).
"""

import base64
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from autograder.sandbox.values import BoundMethod, Callback, Handle, storage_segment

DTYPES: dict[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
        torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool,
    )
}  # fmt: skip
# numpy has no bfloat16, so its bits travel as 16-bit integers.
BITS: dict[torch.dtype, torch.dtype] = {torch.bfloat16: torch.int16}
ARRAY_DTYPE = re.compile(r"[<>|=]?[biufc]\d{1,2}")
RAW_ALIGNMENT = 16
# What all answers of a script, or those to one example, may hold once they are decoded; what a value counts at least.
ROOM = 16 << 20
ARRAY_LEAST, GENERATOR_LEAST = 512, 8192
MOST_AXES = 16
# How deep lists, tuples and dicts may be nested in each other.
DEPTH = 64


class WireError(ValueError):
    """What came over the wire is not of the format."""


class NotCarried(TypeError):
    """A value is not of the closed set."""


class Room:
    """What decoded values may still take: a few bytes on the wire can stand for a tensor of any size.

    Args:
        size: bytes of all values together.
    """

    def __init__(self, size: int = ROOM) -> None:
        self._size = self._left = size

    def take(self, count: int) -> None:
        """Counts a value of that many bytes."""
        self._left -= count
        if self._left < 0:
            raise WireError(f"its values take more than what they are allowed to: allowed are {self._size:,} bytes")


class Pack:
    """Raw bytes of arrays, each distinct run once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._places: dict[bytes, int] = {}

    def put(self, raw: bytes) -> list[int]:
        """Adds ``raw`` unless it is there; its place and length."""
        place = self._places.get(raw)
        if place is None:
            self.data.extend(b"\0" * (-len(self.data) % RAW_ALIGNMENT))
            place = self._places[raw] = len(self.data)
            self.data.extend(raw)
        return [place, len(raw)]


def as_json(message: Any) -> bytes:
    """A message of JSON trees as it travels."""
    return json.dumps(message, separators=(",", ":")).encode()


def encode(value: Any, pack: Pack) -> Any:
    """A value of the closed set as a JSON tree, its arrays in ``pack``.

    Raises:
        NotCarried: the value, or one inside it, is not of the closed set.
    """
    if type(value) is Tensor:  # before all else, since most are
        return {"tensor": _encode_tensor(value, pack)}
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return {"float": repr(value)}
        case Tensor():
            return {"tensor": _encode_tensor(value, pack)}
        case np.ndarray():
            order: Literal["C", "F"] = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
            return {"array": [*pack.put(value.tobytes(order)), value.dtype.str, list(value.shape), order]}
        case list():
            return [encode(item, pack) for item in value]
        case tuple():
            return {"tuple": [encode(item, pack) for item in value]}
        case dict():
            return {"dict": [[encode(key, pack), encode(item, pack)] for key, item in value.items()]}
        case complex():
            return {"complex": [repr(value.real), repr(value.imag)]}
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case torch.dtype():
            return {"dtype": str(value).removeprefix("torch.")}
        case Callback():
            return {"callback": value.source}
        case Handle():
            return {"handle": [value.number, value.type_name]}
        case BoundMethod():
            return {"method": [value.owner.number, value.owner.type_name, value.name]}
        case torch.Generator() if torch.equal(value.get_state(), _seeded(value.initial_seed()).get_state()):
            return {"seeded": value.initial_seed()}
        case torch.Generator():
            return {"generator": base64.b64encode(value.get_state().numpy().tobytes()).decode()}
        case np.random.Generator():
            return {"rng": json.dumps(value.bit_generator.state, default=np.ndarray.tolist)}
    raise NotCarried(f"a {type(value).__name__} cannot cross: it is not of the closed set of values")


def _encode_tensor(x: Tensor, pack: Pack) -> list[Any]:
    flat = x.detach() if x.is_contiguous() else storage_segment(x)
    if x.dtype in BITS:
        flat = flat.view(BITS[x.dtype])
    return [*pack.put(flat.numpy().tobytes()), str(x.dtype)[6:], list(x.shape), list(x.stride())]


def text_of(value: Any, limit: int | None = None) -> str:
    """A text from the other side, cut at ``limit``; half a surrogate pair, which no file can hold, becomes ``?``."""
    if not isinstance(value, str):
        raise WireError("malformed value: a text was expected")
    cut = value[:limit]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def decode(tree: Any, data: memoryview, *, trusted: bool = False, room: Room | None = None) -> Any:
    """The value that `encode` wrote; arrays are copies, whatever happens to ``data`` later.

    Args:
        tree, data: what `encode` gave.
        trusted: whether the other side may send source of callbacks, which is run here.
        room: what this and other values may take together.
    Raises:
        WireError: the tree or a length in it is not of the format.
    """
    try:
        return _Decoder(data, trusted, room or Room()).value(tree)
    except WireError:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, RuntimeError, MemoryError) as error:
        raise WireError(f"malformed value: {type(error).__name__}") from None


class _Decoder:
    def __init__(self, data: memoryview, trusted: bool, room: Room) -> None:
        self._data = data
        self._trusted = trusted
        self._room = room
        self._depth = 0

    def value(self, tree: Any) -> Any:
        if tree is None or isinstance(tree, bool | int):
            return tree
        if isinstance(tree, str):
            return text_of(tree)
        self._depth += 1
        if self._depth > DEPTH:
            raise WireError(f"malformed value: it is nested more than {DEPTH} deep")
        value = self._composed(tree)
        self._depth -= 1
        return value

    def _composed(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return [self.value(item) for item in tree]
        if not isinstance(tree, dict) or len(tree) != 1:
            raise WireError("malformed value: an object with one key was expected")
        ((kind, content),) = tree.items()
        match kind:
            case "tensor":
                return _decode_tensor(self._data, self._room, *content)
            case "array":
                return _decode_array(self._data, self._room, *content)
            case "float":
                return float(content)
            case "tuple":
                return tuple(self.value(item) for item in content)
            case "dict":
                return {self.value(key): self.value(item) for key, item in content}
            case "complex":
                return complex(float(content[0]), float(content[1]))
            case "bytes":
                return base64.b64decode(content, validate=True)
            case "dtype":
                return DTYPES[content]
            case "callback" if self._trusted:
                return Callback(str(content))
            case "handle":
                return Handle(_whole(content[0]), text_of(content[1], 100))
            case "method":
                owner = Handle(_whole(content[0]), text_of(content[1], 100))
                return BoundMethod(owner, text_of(content[2], 100))
            case "seeded":
                self._room.take(GENERATOR_LEAST)
                return _seeded(_whole(content))
            case "generator":
                self._room.take(GENERATOR_LEAST)
                state = np.frombuffer(base64.b64decode(content, validate=True), np.uint8).copy()
                generator = torch.Generator()
                generator.set_state(torch.from_numpy(state))
                return generator
            case "rng":
                self._room.take(GENERATOR_LEAST)
                return _decode_rng(json.loads(content))
        raise WireError(f"malformed value: unknown kind {str(kind)[:40]!r}")


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def same_value(own: Any, own_data: memoryview, known: Any, known_data: memoryview) -> bool:
    """Whether two encoded values are equal to the last bit and in layout; a handle equals ``"<its type>"``.

    Anything unusual is not equal: the caller then decodes and looks closer.
    """
    if isinstance(own, dict) and len(own) == 1:
        ((kind, content),) = own.items()
        if kind == "handle":
            return isinstance(content, list) and len(content) == 2 and known == f"<{content[1]}>"
        if not isinstance(known, dict) or kind not in known:
            return False
        expected = known[kind]
        if kind in ("tensor", "array"):
            (at, length), (place, count) = content[:2], expected[:2]
            same = content[2:] == expected[2:] and length == count
            return same and own_data[at : at + length] == known_data[place : place + count]
        if kind == "tuple":
            return _same_items(content, own_data, expected, known_data)
        return bool(kind in ("float", "complex", "bytes", "dtype") and content == expected)
    if isinstance(own, list):
        return isinstance(known, list) and _same_items(own, own_data, known, known_data)
    return type(own) is type(known) and bool(own == known)


def _same_items(own: Any, own_data: memoryview, known: Any, known_data: memoryview) -> bool:
    return len(own) == len(known) and all(
        same_value(a, own_data, b, known_data) for a, b in zip(own, known, strict=True)
    )


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise WireError("malformed value: a whole number was expected")
    return value


def _raw(data: memoryview, place: Any, length: Any) -> memoryview:
    start, count = _whole(place), _whole(length)
    if start + count > len(data):
        raise WireError("malformed value: its bytes lie outside the frame")
    return data[start : start + count]


def _bytes_of(sizes: Sequence[int], itemsize: int) -> int:
    """What an array takes if every entry gets a place of its own; an empty one as if its empty axes had one entry.

    A check that sums an empty array along its empty axis gets an array of the other axes.
    """
    return max(itemsize * prod(max(size, 1) for size in sizes), ARRAY_LEAST)


def _decode_tensor(data: memoryview, room: Room, place: Any, length: Any, name: Any, shape: Any, stride: Any) -> Tensor:
    sizes, steps = _lengths(shape), _lengths(stride)
    dtype, taken, needed = _layout(name, sizes, steps)
    room.take(taken)
    raw = _raw(data, place, length)
    if 0 in sizes:
        return torch.empty(sizes, dtype=dtype)
    if needed != len(raw):
        raise WireError("malformed tensor: shape and bytes do not agree")
    # `bytearray` copies, so that a mapping shared with the other side can change without harm.
    flat = torch.frombuffer(bytearray(raw), dtype=dtype)
    return flat if steps == (1,) else torch.as_strided(flat, sizes, steps)


def _lengths(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or len(values) > MOST_AXES:
        raise WireError(f"malformed value: a list of at most {MOST_AXES} lengths was expected")
    # Before a cache is asked, to which True is 1.
    return tuple(map(_whole, values))


@lru_cache(maxsize=4096)
def _layout(name: str, sizes: tuple[int, ...], steps: tuple[int, ...]) -> tuple[torch.dtype, int, int]:
    """A tensor's dtype, the bytes that it counts in a room, and those that it has on the wire."""
    dtype = DTYPES[name]
    if len(sizes) != len(steps):
        raise WireError("malformed tensor: shape and stride differ in length")
    entries = 1 + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True))
    return dtype, _bytes_of(sizes, dtype.itemsize), entries * dtype.itemsize


def _decode_array(data: memoryview, room: Room, place: Any, length: Any, name: Any, shape: Any, order: Any) -> Any:
    if not isinstance(name, str) or not ARRAY_DTYPE.fullmatch(name) or order not in ("C", "F"):
        raise WireError("malformed array: its dtype or order is not allowed")
    sizes, dtype = _lengths(shape), np.dtype(name)
    room.take(_bytes_of(sizes, dtype.itemsize))
    flat = np.frombuffer(bytes(_raw(data, place, length)), dtype=dtype)
    return flat.reshape(sizes, order=order).copy(order=order)


def _decode_rng(state: Any) -> np.random.Generator:
    kinds = {"PCG64": np.random.PCG64, "PCG64DXSM": np.random.PCG64DXSM, "Philox": np.random.Philox,
             "SFC64": np.random.SFC64, "MT19937": np.random.MT19937}  # fmt: skip
    bits = kinds[state["bit_generator"]](0)
    bits.state = state
    return np.random.Generator(bits)
