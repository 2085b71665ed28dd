"""What is asked of a student's code beside its answers: which operations it calls, devices, loops.

The process that runs the student's code finds this out about itself: best effort, since the student controls it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Struct

from autograder.sandbox.axes import Shapes
from autograder.sandbox.forbidden.operations import Forbidden
from autograder.sandbox.protocol import Request
from autograder.sandbox.script import encode_request
from autograder.sandbox.wire import Pack, as_json, text_of

MOST_USES, LONGEST_NAME, LONGEST_FAULT = 20, 100, 1000


@dataclass(frozen=True)
class Inquiry:
    """Examples to run again while the student's code is watched.

    Attributes:
        exercise: the graded function or class.
        forbidden: what it may not call.
        judged: names of all exercises of the assignment.
        sequences: what checks ask of it on a few examples, each from a fresh start.
        on_devices: whether its tensors have to be where its inputs are.
        vectorised: whether no loop may run over an axis of its inputs.
        loops_over: what the axes count over which one may.
        shapes: what the axes of its inputs are called; None where only the student's docstring says so.
    """

    exercise: str
    forbidden: Forbidden
    judged: tuple[str, ...]
    sequences: tuple[tuple[Request, ...], ...]
    on_devices: bool
    vectorised: bool
    loops_over: tuple[str, ...] = ()
    shapes: Shapes | None = None

    @cached_property
    def message(self) -> tuple[bytes, Pack]:
        """The JSON and the raw bytes that ask for it, made once for all submissions."""
        pack, free = Pack(), self.forbidden.free
        content = {
            "do": "inspect",
            "exercise": self.exercise,
            "names": list(self.forbidden.names),
            "families": list(self.forbidden.families),
            "judged": list(self.judged),
            "free": None if free is None else {name: sorted(calls) for name, calls in free.items()},
            "sequences": [[encode_request(request, pack) for request in sequence] for sequence in self.sequences],
            "on_devices": self.on_devices,
            "vectorised": self.vectorised,
            "loops_over": self.loops_over,
            "shapes": self.shapes,
        }
        return as_json(content), pack


class Finding(Struct, frozen=True):
    """The outcome of an analysis: ``fault`` is None where nothing was found; ``analysed`` tells whether it could be."""

    analysed: bool = False
    fault: str | None = None


class Findings(Struct, frozen=True):
    """What an inspection found.

    Attributes:
        uses: forbidden operations that were seen running, as a person writes them.
        device, loop: the outcome of the two analyses.
    """

    uses: tuple[str, ...] = ()
    device: Finding = Finding()
    loop: Finding = Finding()


NOTHING_FOUND = Findings()


def findings_of(message: Any) -> Findings:
    """Findings as the child sent them, no longer than a person would read.

    Raises:
        WireError, msgspec.ValidationError: they are not of the format.
    """
    found = msgspec.convert(message, Findings)

    def cut(finding: Finding) -> Finding:
        return Finding(finding.analysed, None if finding.fault is None else text_of(finding.fault, LONGEST_FAULT))

    uses = tuple(text_of(use, LONGEST_NAME) for use in found.uses[:MOST_USES])
    return Findings(uses, cut(found.device), cut(found.loop))


def inquiry_of(message: dict[str, Any], sequences: tuple[tuple[Request, ...], ...]) -> Inquiry:
    """The inquiry that a message asks for."""
    free = message["free"]
    calls = None if free is None else {name: frozenset(names) for name, names in free.items()}
    forbidden = Forbidden(tuple(message["names"]), tuple(message["families"]), calls)
    shapes = None if message["shapes"] is None else msgspec.convert(message["shapes"], Shapes)
    return Inquiry(
        message["exercise"],
        forbidden,
        tuple(message["judged"]),
        sequences,
        message["on_devices"],
        message["vectorised"],
        tuple(message["loops_over"]),
        shapes,
    )
