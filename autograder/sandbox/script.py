"""Sequences of requests that are known beforehand, with answers that need no second look."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from autograder.sandbox.protocol import Reply, Request
from autograder.sandbox.wire import Pack, as_json, encode, same_value


@dataclass(frozen=True)
class Script:
    """Many sequences of requests, played in one frame.

    Attributes:
        sequences: each is played from a fresh start.
        answers: for each request its known answer: ``[value]``, ``[value, changed arguments]``, or an object for an
            exception; encoded.
        data: the raw bytes that the answers point into.
    """

    sequences: tuple[tuple[Request, ...], ...]
    answers: tuple[tuple[Any, ...], ...]
    data: memoryview

    @cached_property
    def message(self) -> tuple[bytes, Pack]:
        """The JSON and the raw bytes that ask for it, made once however often the script is played."""
        pack = Pack()
        trees = [[encode_request(request, pack) for request in sequence] for sequence in self.sequences]
        return as_json({"do": "play", "sequences": trees}), pack

    def is_known(self, number: int, replies: list[Any], data: memoryview) -> bool:
        """Whether the replies to a sequence, encoded, are to the last bit its known answers, exceptions aside."""
        known = self.answers[number]
        return len(replies) == len(known) and all(
            isinstance(answer, list)
            and reply.get("raised") is None
            and reply["changed"] == (answer[1] if len(answer) > 1 else [])
            and same_value(reply["value"], data, answer[0], self.data)
            for reply, answer in zip(replies, known, strict=True)
        )


def encode_request(request: Request, pack: Pack) -> dict[str, Any]:
    """A request without functions of the judge, as a message."""
    return {
        "kind": request.kind,
        "name": request.name,
        "args": [encode(arg, pack) for arg in request.args],
        "kwargs": {name: encode(value, pack) for name, value in request.kwargs.items()},
    }


# For each sequence of a script None if the answers are the known ones, else what was replied.
Played = list[list[Reply] | None]
