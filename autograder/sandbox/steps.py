"""Counts the steps of a student's code: the lines of Python that it runs, and its calls of torch."""

import linecache
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType
from typing import Any

from torch.overrides import TorchFunctionMode

# A line of a code object.
Line = tuple[CodeType, int]


def steps_of(
    function: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any], others: frozenset[CodeType]
) -> Counter[Line]:
    """How many steps each line takes in one call, by the order in which they first took one.

    Each turn of a loop within one line is a step, and so is a call of a function of the student's, where it is called.
    What happens inside of one call of torch is none.

    Args:
        function: the student's; what has its globals is the student's code.
        args, kwargs: what it is called with.
        others: code of functions whose steps do not count.
    """
    counting = _Counting(function, others)
    with counting, _tracing(counting.enter):
        function(*args, **kwargs)
    return counting.steps


def text_of(line: Line, function: FunctionType) -> str:
    """A line as it is written; empty where the source is not there."""
    return linecache.getline(line[0].co_filename, line[1], function.__globals__).strip()


@contextmanager
def _tracing(trace: Callable[[FrameType, str, Any], Any]) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


class _Counting(TorchFunctionMode):
    def __init__(self, function: FunctionType, others: frozenset[CodeType]) -> None:
        super().__init__()
        self.steps: Counter[Line] = Counter()
        self._globals = function.__globals__
        self._others = others
        self._in_others = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self._count(sys._getframe(1))
        return func(*args, **(kwargs or {}))

    def enter(self, frame: FrameType, event: str, argument: object) -> Any:
        """Traces a frame that begins, or a generator's that goes on."""
        if frame.f_code in self._others:
            self._in_others += 1
            frame.f_trace_lines = False
            return self._leave
        if frame.f_globals is not self._globals or self._in_others:
            return None
        self._count(frame.f_back)
        return self._step

    def _step(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self._count(frame)
        return self._step

    def _leave(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "return":
            self._in_others -= 1
        return self._leave

    def _count(self, frame: FrameType | None) -> None:
        """Counts a step of the student's line that is running."""
        while frame is not None and frame.f_globals is not self._globals:
            frame = frame.f_back
        if frame is not None and not self._in_others:
            self.steps[frame.f_code, frame.f_lineno] += 1
