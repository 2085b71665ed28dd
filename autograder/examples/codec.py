"""What a call asked and gave, as recorded: JSON trees of the wire format."""

from typing import Any

import numpy as np
import torch

from autograder.sandbox.protocol import Raised, Reply, Request
from autograder.sandbox.script import encode_request
from autograder.sandbox.wire import NotCarried, Pack, decode, encode
from autograder.testing.student import Call


def encode_answer(call: Call, pack: Pack) -> Any:
    """What a call gave, as far as it tells one solution from another."""
    reply = call.reply
    if reply.raised is not None:
        return {"raised": reply.raised.type_name}
    value = encode(_without_handles(reply.value), pack)
    return [value, list(reply.changed)] if reply.changed else [value]


def encode_right(call: Call, pack: Pack) -> Any:
    """What a call gave of the reference: of an exception all that a check can see, so that its like is known again."""
    raised = call.reply.raised
    if raised is None:
        return encode_answer(call, pack)
    return {"raised": raised.type_name, "bases": list(raised.bases), "message": raised.message}


def decode_answer(tree: Any, data: memoryview) -> Reply:
    """The part of a reply that `encode_answer` or `encode_right` kept."""
    if isinstance(tree, dict):
        return Reply(raised=Raised(tree["raised"], tuple(tree.get("bases", ())), tree.get("message", "")))
    return Reply(value=decode(tree[0], data), changed=tuple(tree[1]) if len(tree) > 1 else ())


def encode_question(request: Request, pack: Pack) -> Any:
    """What a call asked, or None where a function of the check goes along that has no source to record."""
    try:
        return encode_request(request, pack)
    except NotCarried:
        return None


def decode_question(tree: Any, data: memoryview) -> Request:
    """The request that `encode_question` wrote."""
    args = tuple(decode(arg, data, trusted=True) for arg in tree["args"])
    kwargs = {name: decode(value, data, trusted=True) for name, value in tree["kwargs"].items()}
    return Request(tree["kind"], tree["name"], args, kwargs)


def _without_handles(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_without_handles(item) for item in value)
    if isinstance(value, dict):
        return {key: _without_handles(item) for key, item in value.items()}
    if isinstance(value, torch.Generator | np.random.Generator):
        return None
    type_name = getattr(value, "type_name", None)
    return value if type_name is None else f"<{type_name}>"
