"""What a stub refuses before the student's own lines: each guard raises ValueError that names the argument.

They look at shapes and plain numbers alone, so they hold on any device and cost no tensor operation.
"""

import math
from collections.abc import Sequence
from typing import Any

__all__ = [
    "require_axis",
    "require_between",
    "require_ndim",
    "require_not_negative",
    "require_one_of",
    "require_positive",
    "require_same_shape",
    "require_shape",
    "require_whole",
]


def require_same_shape(**arrays: Any) -> None:
    """Refuses the first array unless it is shaped like the second.

    >>> require_same_shape(grad_out=torch.ones(3), x=torch.ones(3))
    >>> require_same_shape(grad_out=torch.ones(2), x=torch.ones(3))
    Traceback (most recent call last):
        ...
    ValueError: grad_out has shape (2,), x has shape (3,): they have to be the same
    """
    (name, array), (other_name, other) = arrays.items()
    if _shape(array) != _shape(other):
        raise ValueError(
            f"{name} has shape {_shape(array)}, {other_name} has shape {_shape(other)}: they have to be the same"
        )


def require_shape(shape: Sequence[int | None], **array: Any) -> None:
    """Refuses an array of another shape; None in ``shape`` fits any length.

    >>> require_shape((None, 3), x=torch.ones(5, 3))
    >>> require_shape((None, 3), x=torch.ones(3))
    Traceback (most recent call last):
        ...
    ValueError: x has shape (3,), it has to be (any, 3)
    """
    ((name, value),) = array.items()
    found = _shape(value)
    fits = len(found) == len(shape) and all(w is None or w == f for w, f in zip(shape, found, strict=True))
    if not fits:
        wanted = ", ".join("any" if side is None else str(side) for side in shape)
        raise ValueError(f"{name} has shape {found}, it has to be ({wanted}{',' if len(shape) == 1 else ''})")


def require_ndim(allowed: int | tuple[int, ...], **array: Any) -> None:
    """Refuses an array with another number of axes; a tuple allows several.

    >>> require_ndim((2, 3), x=torch.ones(5, 3))
    >>> require_ndim(2, x=torch.ones(3))
    Traceback (most recent call last):
        ...
    ValueError: x has 1 axis, it has to have 2
    """
    ((name, value),) = array.items()
    axes = (allowed,) if isinstance(allowed, int) else allowed
    if len(_shape(value)) not in axes:
        raise ValueError(f"{name} has {_axes(value)}, it has to have {' or '.join(map(str, axes))}")


def require_axis(x: Any, **axis: Any) -> None:
    """Refuses a number that is no axis of ``x``; negative ones count from the back.

    >>> require_axis(torch.ones(5, 3), dim=-2)
    >>> require_axis(torch.ones(5, 3), dim=2)
    Traceback (most recent call last):
        ...
    ValueError: dim is 2, x has 2 axes
    """
    ((name, value),) = axis.items()
    axes = len(_shape(x))
    if not isinstance(value, int) or isinstance(value, bool) or not -axes <= value < axes:
        raise ValueError(f"{name} is {value!r}, x has {_axes(x)}")


def require_positive(**number: Any) -> None:
    """Refuses what is not above 0, nan too.

    >>> require_positive(temperature=0.5)
    >>> require_positive(temperature=0.0)
    Traceback (most recent call last):
        ...
    ValueError: temperature is 0.0, it has to be above 0
    """
    ((name, value),) = number.items()
    if not _is_number(value) or not value > 0:
        raise ValueError(f"{name} is {value!r}, it has to be above 0")


def require_not_negative(**number: Any) -> None:
    """Refuses what is below 0, nan too.

    >>> require_not_negative(weight_decay=0.0)
    >>> require_not_negative(weight_decay=-0.1)
    Traceback (most recent call last):
        ...
    ValueError: weight_decay is -0.1, it has to be at least 0
    """
    ((name, value),) = number.items()
    if not _is_number(value) or not value >= 0:
        raise ValueError(f"{name} is {value!r}, it has to be at least 0")


def require_between(low: float, high: float, *, exclusive: bool = False, **number: Any) -> None:
    """Refuses what is outside [low, high], nan too, and the ends as well if ``exclusive``.

    >>> require_between(0, 1, p=1.0)
    >>> require_between(0, 1, exclusive=True, p=1.0)
    Traceback (most recent call last):
        ...
    ValueError: p is 1.0, it has to be strictly between 0 and 1
    """
    ((name, value),) = number.items()
    inside = _is_number(value) and (low < value < high if exclusive else low <= value <= high)
    if not inside:
        allowed = f"strictly between {low:g} and {high:g}" if exclusive else f"from {low:g} to {high:g}"
        raise ValueError(f"{name} is {value!r}, it has to be {allowed}")


def require_one_of(allowed: Sequence[Any], **value: Any) -> None:
    """Refuses anything but the words, or numbers, of a list.

    >>> require_one_of(("none", "tanh"), approximate="tanh")
    >>> require_one_of(("none", "tanh"), approximate="sigmoid")
    Traceback (most recent call last):
        ...
    ValueError: approximate is 'sigmoid', allowed is 'none' or 'tanh'
    """
    ((name, found),) = value.items()
    if not any(type(found) is type(item) and found == item for item in allowed):
        raise ValueError(f"{name} is {found!r}, allowed is {' or '.join(map(repr, allowed))}")


def require_whole(least: int, *, axes: int | None = None, **number: Any) -> None:
    """Refuses all but whole numbers of at least ``least``, and tuples or lists of such.

    With ``axes`` a tuple has to have one number for each axis; where that is one axis, only a plain number will do.

    >>> require_whole(1, axes=2, stride=(1, 2))
    >>> require_whole(1, k=0)
    Traceback (most recent call last):
        ...
    ValueError: k is 0, it has to be whole and at least 1
    """
    ((name, value),) = number.items()
    items = value if isinstance(value, tuple | list) else (value,)
    if axes is not None and items is value and (axes == 1 or len(items) != axes):
        wanted = "one number" if axes == 1 else f"one number, or {axes} in a tuple"
        raise ValueError(f"{name} is {value!r}, it has to be {wanted}")
    if not all(isinstance(item, int) and not isinstance(item, bool) and item >= least for item in items):
        raise ValueError(f"{name} is {value!r}, it has to be whole and at least {least}")


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(getattr(value, "shape", ()))


def _axes(value: Any) -> str:
    count = len(_shape(value))
    return f"{count} {'axis' if count == 1 else 'axes'}"


def _is_number(value: Any) -> bool:
    # A tensor or an array of one number counts too; on a device without numbers it cannot be compared.
    return not isinstance(value, bool | str | bytes | list | tuple | dict | None) and not (
        isinstance(value, float) and math.isnan(value)
    )
