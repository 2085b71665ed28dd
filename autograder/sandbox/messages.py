"""Requests and replies as messages of the wire format, as the child reads and writes them."""

from collections.abc import Callable
from typing import Any

from autograder.sandbox.protocol import Raised, Reply, Request
from autograder.sandbox.values import GENERATORS, copy_value
from autograder.sandbox.wire import NotCarried, Pack, decode, encode


def decode_request(tree: dict[str, Any], data: memoryview, function: Callable[[int], Any]) -> Request:
    """A request as the judge sent it.

    Args:
        tree, data: the message.
        function: gives what stands for a function that stays with the judge, by its number.
    """

    def argument(part: Any) -> Any:
        if isinstance(part, dict) and "function" in part:
            return function(part["function"])
        return decode(part, data, trusted=True)

    args = tuple(argument(part) for part in tree["args"])
    return Request(tree["kind"], tree["name"], args, {name: argument(part) for name, part in tree["kwargs"].items()})


def generators_in(request: Request) -> list[Any]:
    """The generators among the arguments of a request, in order."""
    values = [*request.args, *request.kwargs.values()]
    return [value for value in values if type(value) in GENERATORS]


def with_own_generators(request: Request) -> Request:
    """The request with copies of its generators: what is asked again has to be given the same draws."""
    if not generators_in(request):
        return request
    args, kwargs = copy_value((request.args, request.kwargs), lambda item: item)
    return Request(request.kind, request.name, args, kwargs)


def encode_reply(reply: Reply, generators: list[Any], pack: Pack) -> dict[str, Any]:
    """A reply as a message; what cannot be carried becomes an exception of the student's code."""
    tree: dict[str, Any] = {"printed": reply.printed, "changed": list(reply.changed)}
    if reply.raised is not None:
        return {**tree, "raised": encode_raised(reply.raised)}
    try:
        tree["value"] = encode(reply.value, pack)
    except (NotCarried, ValueError, RuntimeError) as error:
        return {**tree, "raised": ["TypeError", [], str(error)[:300], ""]}
    if generators:
        tree["generators"] = [encode(generator, pack) for generator in generators]
    return tree


def encode_raised(raised: Raised | None) -> list[Any] | None:
    """An exception of the student's code as a message."""
    return None if raised is None else [raised.type_name, list(raised.bases), raised.message, raised.place]
