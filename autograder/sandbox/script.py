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
        answers: for each request its known answer: ``[value]``, ``[value, changed arguments]``, or an object with the
            type, the bases and the message of an exception; encoded.
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
        """Whether the replies to a sequence, encoded, are to the last bit its known answers."""
        known = self.answers[number]
        return len(replies) == len(known) and all(
            self._is_answer(reply, data, answer) for reply, answer in zip(replies, known, strict=True)
        )

    def _is_answer(self, reply: Any, data: memoryview, answer: Any) -> bool:
        """Whether one reply is a known answer. Where an exception was raised is no part of it."""
        raised = reply.get("raised")
        if isinstance(answer, dict):
            return raised is not None and raised[:3] == [answer["raised"], answer.get("bases"), answer.get("message")]
        return (
            raised is None
            and reply["changed"] == (answer[1] if len(answer) > 1 else [])
            and same_value(reply["value"], data, answer[0], self.data)
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
