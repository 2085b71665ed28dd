"""Whether a student's function loops over an axis of its arguments: its steps grow with the length of that axis."""

import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.sandbox.axes import Shapes, symbol_of, words_for
from autograder.sandbox.inspection import Finding
from autograder.sandbox.nested import leaves, mapped
from autograder.sandbox.steps import Line, steps_of, text_of
from autograder.sandbox.values import copy_value

ORDINALS = ("first", "second", "third", "fourth", "fifth")

Call = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Axis:
    """One axis of one tensor or array of a call.

    Attributes:
        leaf, place: the tensor's place among the leaves of the call, and the axis's among its own.
        length: how long it is.
        argument: the name of the argument in which the tensor stands.
        words: what the axes of that tensor are called in the docstring; empty where it does not say.
    """

    leaf: int
    place: int
    length: int
    argument: str
    words: tuple[str, ...]

    @property
    def word(self) -> str:
        return self.words[self.place]

    @property
    def name(self) -> object:
        """The same for axes that have to be as long as each other, and for those of another call."""
        return symbol_of(self.word) or (self.argument, len(self.words), self.place)

    def goes_with(self, other: "Axis") -> bool:
        """Whether both are called the same; where they are called nothing, whether they look the same."""
        if self.word or other.word:
            return self.name == other.name
        of_equals = len(self.words) == len(other.words)
        return self.length == other.length and (self.place == other.place or not of_equals)

    @property
    def told(self) -> tuple[str, str]:
        """How to begin a sentence on a loop over it, and what it is called there."""
        if all(self.words):
            shape = f"({', '.join(self.words)}{',' * (len(self.words) == 1)})"
            return f"`{self.argument}` is {shape}, and your code loops over {self.word}", self.word
        ordinal = ORDINALS[self.place] if self.place < len(ORDINALS) else "last"
        return f"Your code loops over the {ordinal} axis of `{self.argument}`", "its length"


@dataclass(frozen=True)
class Growth:
    """Axes that grow at once: some by a factor, others by as many entries as the first of these gets."""

    multiplied: tuple[Axis, ...]
    extended: tuple[Axis, ...] = ()

    def of(self, call: Call, factor: int) -> Call:
        """The call with its entries repeated along these axes; the other tensors are copies."""
        more = (factor - 1) * self.multiplied[0].length
        lengths = {(axis.leaf, axis.place): factor * axis.length for axis in self.multiplied}
        lengths |= {(axis.leaf, axis.place): axis.length + more for axis in self.extended}
        numbers = count()

        def grown(value: Any) -> Any:
            leaf = next(numbers)
            for place in range(value.ndim if isinstance(value, Tensor | np.ndarray) else 0):
                if (leaf, place) in lengths:
                    entries = np.arange(lengths[leaf, place]) % value.shape[place]
                    value = value[(slice(None),) * place + (entries,)]
            return value

        args, kwargs = mapped(_copy(call), grown)
        return args, kwargs


class LoopSearch:
    """Looks for loops in calls of one function.

    A call is made again with an axis twice, four and eight times as long, and with it every axis that has to be as
    long. A loop adds the same number of steps for every entry. Code that adds a few once, or a few with each doubling,
    is no such loop. What can be made longer in one call is left alone in the next.

    Args:
        function: the student's.
        shapes: what the axes of its arguments are called.
        loops_over: what the axes count over which a loop is right; one along the axis ``dim`` always is.
        others: functions whose steps do not count, since they are judged by themselves.
    """

    def __init__(
        self,
        function: FunctionType,
        shapes: Shapes,
        loops_over: Sequence[str] = (),
        others: Sequence[FunctionType] = (),
    ) -> None:
        self._function = function
        self._shapes = shapes
        self._loops_over = loops_over
        self._others = frozenset(other.__code__ for other in others) - {function.__code__}
        self._tried: set[object] = set()

    def finding(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Finding:
        """The first loop that is found in a call.

        Raises:
            Exception: the function raises it in this very call.
        """
        if any(isinstance(value, torch.Generator) for value in leaves((args, kwargs))):
            return Finding()
        call = args, kwargs
        axes = self._axes_without_loops(call)
        before: Counter[Line] | None = None
        for axis in axes:
            if axis.name in self._tried:
                continue
            before = before or self._steps(_copy(call))
            for growth in _growths(axis, axes):
                try:
                    counts = self._counted(before, growth, call)
                except Exception:  # these axes alone cannot be longer
                    continue
                self._tried |= {axis.name} if axis.word else {other.name for other in growth.multiplied}
                if _is_loop(counts):
                    return Finding(True, self._fault(axis, counts))
                break
        return Finding(bool(self._tried))

    def _counted(self, before: Counter[Line], growth: Growth, call: Call) -> list[Counter[Line]]:
        """The steps of the call as it is and with axes 2, 4 and 8 times as long; where 2 adds none, no further."""
        twice = self._steps(growth.of(call, 2))
        if twice.total() <= before.total():
            return [before, twice]
        return [before, twice, *(self._steps(growth.of(call, factor)) for factor in (4, 8))]

    def _steps(self, call: Call) -> Counter[Line]:
        return steps_of(self._function, *call, self._others)

    def _fault(self, axis: Axis, counts: list[Counter[Line]]) -> str:
        before, _, after, _ = counts
        line = next(text_of(line, self._function) for line in after if after[line] > before[line])
        where = f" in `{line}`" if line else ""
        loops, name = axis.told
        return (
            f"{loops}{where}. It takes {before.total()} steps where {name} is {axis.length}, and {after.total()} where "
            f"{name} is {4 * axis.length}. Work on the whole axis at once instead."
        )

    def _axes_without_loops(self, call: Call) -> list[Axis]:
        """The axes over which no loop may run; one without entries, or whose length is a number, tells nothing."""
        axes = list(self._axes(call))
        along = self._along(call, axes)

        def is_right(axis: Axis) -> bool:
            is_along = along is not None and axis.goes_with(along)
            return is_along or axis.name in self._loops_over or not axis.length or axis.word.isdecimal()

        return [axis for axis in axes if not is_right(axis)]

    def _along(self, call: Call, axes: list[Axis]) -> Axis | None:
        """The axis that the argument ``dim`` names, of the first tensor that has the most axes."""
        try:
            bound = inspect.signature(self._function).bind(*call[0], **call[1])
        except TypeError:
            return None
        bound.apply_defaults()
        dim, widest = bound.arguments.get("dim"), max(axes, key=lambda axis: len(axis.words), default=None)
        if not isinstance(dim, int) or widest is None:
            return None
        place = dim % len(widest.words)
        return next(axis for axis in axes if (axis.leaf, axis.place) == (widest.leaf, place))

    def _axes(self, call: Call) -> Iterator[Axis]:
        args, kwargs = call
        parameters = list(inspect.signature(self._function).parameters)
        names = [parameters[i] if i < len(parameters) else f"argument {i + 1}" for i in range(len(args))]
        start = 0
        for argument, value in (*zip(names, args, strict=True), *kwargs.items()):
            inside: list[Any] = []
            mapped(value, inside.append)
            tensors = [(leaf, x) for leaf, x in enumerate(inside, start) if isinstance(x, Tensor | np.ndarray)]
            start += len(inside)
            shapes = self._shapes.get(argument, ())
            for i, (leaf, tensor) in enumerate(tensors):
                words = words_for(shapes[i : i + 1] if len(shapes) == len(tensors) else shapes, tensor.ndim)
                yield from (Axis(leaf, place, n, argument, words) for place, n in enumerate(tensor.shape))


def _copy(call: Call) -> Call:
    args, kwargs = copy_value(call, lambda item: item)
    return args, kwargs


def _growths(axis: Axis, axes: list[Axis]) -> Iterator[Growth]:
    """Which axes may have to grow with ``axis``, the likeliest first."""
    same = tuple(other for other in axes if axis.goes_with(other))
    yield Growth(same)
    # With stride 1 a result such as H_out gets as many entries as H.
    results = tuple(other for other in axes if other.name == f"{axis.name}_out")
    if results:
        yield Growth(same, results)
    equal = tuple(other for other in axes if other in same or other.length == axis.length)
    if equal != same:
        yield Growth(equal)


def _is_loop(counts: list[Counter[Line]]) -> bool:
    """Whether the steps grow as the axis does; from 4 to 8 times as long it gets more entries than up to then."""
    if len(counts) < 4:
        return False
    first, _, third, last = (steps.total() for steps in counts)
    return last - third >= third - first > 0
