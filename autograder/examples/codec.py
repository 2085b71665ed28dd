"""Values of the closed set as JSON and raw bytes: no pickle, and equal arrays are stored once."""

import base64
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from autograder.sandbox.protocol import Raised, Reply
from autograder.sandbox.values import Callback, storage_segment
from autograder.testing.student import Call

# numpy has no bfloat16, so its bits travel as 16-bit integers.
BITS: dict[torch.dtype, torch.dtype] = {torch.bfloat16: torch.int16}


class Pack:
    """Raw bytes of arrays, each distinct run once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._places: dict[bytes, int] = {}

    def put(self, raw: bytes) -> list[int]:
        place = self._places.get(raw)
        if place is None:
            self.data.extend(b"\0" * (-len(self.data) % 8))
            place = self._places[raw] = len(self.data)
            self.data.extend(raw)
        return [place, len(raw)]


def encode(value: Any, pack: Pack) -> Any:
    """A value as JSON, its arrays in ``pack``."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return {"float": repr(value)}
        case complex():
            return {"complex": [repr(value.real), repr(value.imag)]}
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case torch.dtype():
            return {"dtype": str(value).removeprefix("torch.")}
        case Tensor():
            segment = storage_segment(value)
            raw = segment.view(BITS.get(value.dtype, value.dtype)).numpy().tobytes()
            return {"tensor": [*pack.put(raw), str(value.dtype)[6:], list(value.shape), list(value.stride())]}
        case np.ndarray():
            order: Literal["C", "F"] = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
            return {"array": [*pack.put(value.tobytes(order)), value.dtype.str, list(value.shape), order]}
        case list():
            return [encode(item, pack) for item in value]
        case tuple():
            return {"tuple": [encode(item, pack) for item in value]}
        case dict():
            return {"dict": [[encode(key, pack), encode(item, pack)] for key, item in value.items()]}
        case Callback():
            return {"callback": value.source}
    raise TypeError(f"a {type(value).__name__} cannot be recorded: draw values of the closed set only")


def decode(tree: Any, data: memoryview) -> Any:
    """The value that `encode` wrote."""
    if isinstance(tree, list):
        return [decode(item, data) for item in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    match kind:
        case "float":
            return float(content)
        case "complex":
            return complex(float(content[0]), float(content[1]))
        case "bytes":
            return base64.b64decode(content)
        case "dtype":
            return getattr(torch, content)
        case "tensor":
            return _decode_tensor(data, *content)
        case "array":
            place, length, dtype, shape, order = content
            flat = np.frombuffer(data[place : place + length], dtype=np.dtype(dtype))
            return flat.reshape(shape, order=order).copy(order=order)
        case "tuple":
            return tuple(decode(item, data) for item in content)
        case "dict":
            return {decode(key, data): decode(item, data) for key, item in content}
        case "callback":
            return Callback(content)
    raise ValueError(f"recorded value of unknown kind {kind!r}")


def _decode_tensor(data: memoryview, place: int, length: int, name: str, shape: list[int], stride: list[int]) -> Tensor:
    dtype: torch.dtype = getattr(torch, name)
    if length == 0:
        return torch.empty(shape, dtype=dtype)
    flat = torch.frombuffer(bytearray(data[place : place + length]), dtype=BITS.get(dtype, dtype)).view(dtype)
    return torch.as_strided(flat, shape, stride)


def encode_answer(call: Call, pack: Pack) -> Any:
    """What a call gave, as far as it tells one solution from another."""
    reply = call.reply
    if reply.raised is not None:
        return {"raised": reply.raised.type_name}
    value = encode(_without_handles(reply.value), pack)
    return [value, list(reply.changed)] if reply.changed else [value]


def decode_answer(tree: Any, data: memoryview) -> Reply:
    """The part of a reply that `encode_answer` kept."""
    if isinstance(tree, dict):
        return Reply(raised=Raised(tree["raised"], (), ""))
    return Reply(value=decode(tree[0], data), changed=tuple(tree[1]) if len(tree) > 1 else ())


def _without_handles(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_without_handles(item) for item in value)
    if isinstance(value, dict):
        return {key: _without_handles(item) for key, item in value.items()}
    if isinstance(value, torch.Generator | np.random.Generator):
        return None
    type_name = getattr(value, "type_name", None)
    return value if type_name is None else f"<{type_name}>"
