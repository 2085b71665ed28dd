"""Bad input that an exercise has to refuse, made from good input: what a contract's ``refuses`` lists.

Each gives, for a set of good arguments, what may stand in place of one and has to raise ValueError that names it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy as np
from torch import Tensor

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Bad values of one argument.

    Attributes:
        name: the argument.
        spoil: gives the bad values for a set of good arguments; None stands for one that would be good there.
        naming: the words of which the message has to have one; two refusals may apply, and either is right.

    >>> odd = Refusal("width", lambda arguments: (2 * arguments["width"],), ("width",))
    >>> odd.spoil({"width": 3})
    (6,)
    >>> # Whole numbers that depend on another argument: labels of rows of scores, and one that is no class.
    >>> @st.composite
    ... def labelled(draw):
    ...     rows, classes = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    ...     labels = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    ...     return {"scores": draw(tensors(shape=(rows, classes))), "labels": torch.tensor(labels)}
    >>> def no_class(arguments):
    ...     wrong = arguments["labels"].clone()
    ...     wrong[0] = arguments["scores"].shape[1]
    ...     return (wrong,)
    >>> bad = Refusal("labels", no_class, ("labels",))
    >>> contract = Contract(labelled(), torch.nn.functional.cross_entropy, refuses=(bad,))
    >>> drawn = find(contract.drawn, lambda drawn: drawn["labels"].amax() == 2)
    >>> drawn["labels"], bad.spoil(drawn)
    (tensor([2]), (tensor([3]),))
    """

    name: str
    spoil: Callable[[Arguments], tuple[Any, ...]]
    naming: tuple[str, ...]


def another_shape(name: str, *, or_naming: tuple[str, ...] = ()) -> Refusal:
    """An array of another shape: longer, flat, with an axis more, one that would broadcast, one without axes.

    >>> [bad.shape for bad in another_shape("x").spoil({"x": torch.ones(3, 2)})]
    [torch.Size([4, 2]), torch.Size([6]), torch.Size([1, 3, 2]), torch.Size([3, 1]), torch.Size([])]
    """

    def spoil(arguments: Arguments) -> tuple[Any, ...]:
        x = arguments[name]
        shape = tuple(x.shape)
        longer = (shape[0] + 1, *shape[1:]) if shape else (2,)
        single = (*shape[:-1], 1)
        wanted = (longer, (int(np.prod(shape)),), (1, *shape), single if shape else (1, 1), ())
        return tuple(None if other == shape else _of_shape(x, other) for other in wanted)

    return Refusal(name, spoil, (name, *or_naming))


def another_number_of_axes(name: str, *, or_naming: tuple[str, ...] = ()) -> Refusal:
    """An array with an axis more, and one with an axis less.

    >>> [bad.shape for bad in another_number_of_axes("x").spoil({"x": torch.ones(3, 2)})]
    [torch.Size([1, 3, 2]), torch.Size([2])]
    """

    def spoil(arguments: Arguments) -> tuple[Any, ...]:
        x = arguments[name]
        return x[None], (_of_shape(x, tuple(x.shape)[1:]) if x.ndim else None)

    return Refusal(name, spoil, (name, *or_naming))


def another_length(name: str, axis: int, *, or_naming: tuple[str, ...] = ()) -> Refusal:
    """An array that is longer by one, or of length one, along an axis.

    >>> [bad.shape for bad in another_length("x", axis=0).spoil({"x": torch.ones(3, 2)})]
    [torch.Size([4, 2]), torch.Size([1, 2])]
    """

    def spoil(arguments: Arguments) -> tuple[Any, ...]:
        x = arguments[name]
        sides = list(x.shape)
        longer, single = [*sides], [*sides]
        longer[axis] += 1
        single[axis] = 1
        return _of_shape(x, tuple(longer)), None if single == sides else _of_shape(x, tuple(single))

    return Refusal(name, spoil, (name, *or_naming))


def no_axis(name: str, of: str) -> Refusal:
    """A number behind the last axis of the array ``of``, and one before the first.

    >>> no_axis("dim", of="x").spoil({"x": torch.ones(3, 2)})
    (2, -3)
    """

    def spoil(arguments: Arguments) -> tuple[Any, ...]:
        axes = arguments[of].ndim
        return axes, -axes - 1

    return Refusal(name, spoil, (name,))


def not_positive(name: str) -> Refusal:
    """0, a negative number, nan.

    >>> not_positive("temperature").spoil({})
    (0.0, -1.5, nan)
    """
    return bad_values(name, 0.0, -1.5, nan)


def negative(name: str) -> Refusal:
    """Numbers below 0, nan.

    >>> negative("weight_decay").spoil({})
    (-0.01, -3.0, nan)
    """
    return bad_values(name, -0.01, -3.0, nan)


def outside(name: str, low: float, high: float, *, ends: bool = False) -> Refusal:
    """Numbers below ``low`` and above ``high``, nan, and the two themselves where ``ends`` are bad too.

    >>> outside("p", 0, 1, ends=True).spoil({})
    (-0.1, 1.1, inf, nan, 0, 1)
    """
    return bad_values(name, low - 0.1, high + 0.1, inf, nan, *((low, high) if ends else ()))


def no_word(name: str, *words: Any) -> Refusal:
    """Words that are not among the allowed ones; give some that come near.

    >>> no_word("approximate", "Tanh").spoil({})
    ('', 'Tanh')
    """
    return bad_values(name, "", *words)


def bad_values(name: str, *values: Any, or_naming: tuple[str, ...] = ()) -> Refusal:
    """These values.

    >>> bad_values("groups", 0, -2).spoil({"groups": 1})
    (0, -2)
    """
    return Refusal(name, lambda arguments: values, (name, *or_naming))


def _of_shape(x: Any, shape: tuple[int, ...]) -> Any:
    """An array of another shape in the dtype of ``x``, with ordinary numbers."""
    count = int(np.prod(shape))
    if isinstance(x, Tensor):
        return (x.new_ones(count).cumsum(0) / 2).to(x.dtype).reshape(shape)
    return (np.arange(1, count + 1) / 2).astype(x.dtype).reshape(shape)
