"""Assertions of checks: they compare in the order type, axes, dtype, shape, value, and fail with data."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder.testing.student import Assertions, Student, StudentError, StudentObject

# Relative and absolute tolerance by the dtype of the expected answer: another order of operations, a few dozen
# roundings and a constant of seven digits pass, another formula does not.
# The unit roundoffs are 1e-16, 6e-8, 5e-4, 4e-3.
TOLERANCES: dict[str, tuple[float, float]] = {
    "float64": (1e-6, 1e-7),
    "float32": (2e-5, 2e-6),
    "float16": (1e-2, 1e-3),
    "bfloat16": (5e-2, 5e-3),
    "complex128": (1e-6, 1e-7),
    "complex64": (2e-5, 2e-6),
}
# The same for students; it stands among the rules of every notebook.
TOLERANCE_RULE = (
    "**How exact.** An answer is right if it is off by at most a millionth of its size in float64, 2·10⁻⁵ of it in "
    "float32, a hundredth in float16 and a twentieth in bfloat16; numbers smaller than 0.1 count as 0.1. Where an "
    "exercise asks for more, it says so."
)


class Mismatch(AssertionError):
    """An answer that is not the expected one, with what a student needs to see.

    Attributes:
        message: one or two sentences.
        expected, got: the two values, or None where the message says it all.
        difference: the largest absolute difference, where there is one.
        says: what the mistake is, where the check can read it off the answer; see `explained`.

    >>> raise Mismatch("The order is wrong.", expected=[1, 2], got=[2, 1])
    Traceback (most recent call last):
        ...
    autograder.testing.comparison.Mismatch: The order is wrong.
    """

    says: str = ""

    def __init__(self, message: str, expected: Any = None, got: Any = None, difference: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.got = got
        self.difference = difference


class NotRefused(Mismatch):
    """Bad input was taken, or refused with another exception or message than is asked for."""


def assert_close(actual: Any, expected: Any, *, rtol: float | None = None, atol: float | None = None) -> None:
    """Fails unless ``actual`` is ``expected``: type, axes, dtype, shape, then every value.

    Args:
        actual: what the student's code returned.
        expected: tensor, array, number, str, bool, None, or a list, tuple or dict of these. Its dtype is the one
            asked for: write ``assert_close(student.f(x), oracle64.to(x.dtype))``.
        rtol, atol: tolerances; by default those of the expected dtype, see `TOLERANCES`.
    Raises:
        Mismatch: they differ.

    >>> assert_close(student.half(vector(3, -1)), vector(1.5, -0.5))
    >>> assert_close(student.half(vector(3, -1)), vector(1.5, 0.5))
    Traceback (most recent call last):
        ...
    autograder.testing.comparison.Mismatch: 1 of 2 values are wrong; the largest difference is 1.
    """
    _compare(actual, expected, rtol, atol, ())
    Assertions.passed += 1


def _compare(actual: Any, expected: Any, rtol: float | None, atol: float | None, path: tuple[Any, ...]) -> None:
    where = _where(path)
    if actual is None and expected is not None:
        raise Mismatch(f"Got None{where}, expected {_kind(expected)}. Does every path of the function end in `return`?")
    if isinstance(expected, Tensor | np.ndarray):
        _compare_arrays(actual, expected, rtol, atol, where)
    elif isinstance(expected, bool | str | bytes | type(None)):
        if type(actual) is not type(expected) and not _is_numpy_bool(actual, expected):
            raise Mismatch(f"Expected {_kind(expected)}{where}, got {_kind(actual)}.", expected, actual)
        if actual != expected:
            raise Mismatch(f"The answer{where} is wrong.", expected, actual)
    elif isinstance(expected, int | float | complex):
        _compare_numbers(actual, expected, rtol, atol, where)
    elif isinstance(expected, list | tuple):
        # A named tuple or a shape is a plain tuple on its way here.
        if not isinstance(actual, tuple if isinstance(expected, tuple) else list):
            raise Mismatch(f"Expected {_kind(expected)}{where}, got {_kind(actual)}.", expected, actual)
        if len(actual) != len(expected):
            raise Mismatch(f"Expected {len(expected)} values{where}, got {len(actual)}.", expected, actual)
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            _compare(a, e, rtol, atol, (*path, i))
    elif isinstance(expected, dict):
        if not isinstance(actual, dict) or actual.keys() != expected.keys():
            raise Mismatch(f"Expected a dict with the keys {sorted(map(str, expected))}{where}.", expected, actual)
        for key in expected:
            _compare(actual[key], expected[key], rtol, atol, (*path, key))
    else:
        raise TypeError(f"assert_close cannot compare with a {type(expected).__name__}")


def _where(path: tuple[Any, ...]) -> str:
    """Where in a nested answer a value stands, in words or, further inside, as one would index it."""
    if len(path) == 1:
        return f" at position {path[0]}" if isinstance(path[0], int) else f" under {path[0]!r}"
    return f" at {''.join(f'[{step!r}]' for step in path)}" if path else ""


def _is_numpy_bool(actual: Any, expected: Any) -> bool:
    is_scalar = isinstance(actual, np.ndarray) and actual.ndim == 0
    return isinstance(expected, bool) and is_scalar and actual.dtype == np.bool_


def _compare_arrays(actual: Any, expected: Any, rtol: float | None, atol: float | None, where: str) -> None:
    wanted = Tensor if isinstance(expected, Tensor) else np.ndarray
    if not isinstance(actual, wanted):
        raise Mismatch(f"Expected {_kind(expected)}{where}, got {_kind(actual)}.", expected, actual)
    if actual.ndim != expected.ndim:
        raise Mismatch(
            f"Expected {_axes(expected)}{where}, shape {tuple(expected.shape)}, "
            f"got {_axes(actual)}, shape {tuple(actual.shape)}.",
            expected,
            actual,
        )
    if actual.dtype != expected.dtype:
        raise Mismatch(f"Expected dtype {expected.dtype}{where}, got {actual.dtype}.", expected, actual)
    if actual.shape != expected.shape:
        raise Mismatch(f"Expected shape {tuple(expected.shape)}{where}, got {tuple(actual.shape)}.", expected, actual)
    name = str(expected.dtype).removeprefix("torch.")
    default_rtol, default_atol = TOLERANCES.get(name, (0.0, 0.0))
    _compare_values(
        _as_float64(actual),
        _as_float64(expected),
        default_rtol if rtol is None else rtol,
        default_atol if atol is None else atol,
        lambda message, difference: Mismatch(message, expected, actual, difference),
        where,
    )


def _compare_numbers(actual: Any, expected: complex, rtol: float | None, atol: float | None, where: str) -> None:
    # A 0-d numpy array is what a numpy scalar becomes on its way here; a student would call it a number.
    number = actual.item() if isinstance(actual, np.ndarray) and actual.ndim == 0 else actual
    if isinstance(number, bool) or not isinstance(number, int | float | complex):
        raise Mismatch(f"Expected {_kind(expected)}{where}, got {_kind(actual)}.", expected, actual)
    if isinstance(expected, int) and not isinstance(number, int):
        raise Mismatch(f"Expected an int{where}, got {_kind(actual)}.", expected, actual)
    exact = isinstance(expected, int)
    _compare_values(
        np.asarray(number),
        np.asarray(expected),
        0.0 if exact else TOLERANCES["float64"][0] if rtol is None else rtol,
        0.0 if exact else TOLERANCES["float64"][1] if atol is None else atol,
        lambda message, difference: Mismatch(message, expected, number, difference),
        where,
    )


def _compare_values(
    actual: Any,
    expected: Any,
    rtol: float,
    atol: float,
    mismatch: Callable[[str, float | None], Mismatch],
    where: str,
) -> None:
    if np.allclose(actual, expected, rtol=rtol, atol=atol, equal_nan=True):
        return
    bad_nan = np.isnan(actual) & ~np.isnan(expected)
    if bad_nan.any():
        raise mismatch(f"The answer{where} has nan{_at(bad_nan)}, where a number is expected.", None)
    bad_inf = np.isinf(actual) & ~np.isinf(expected)
    if bad_inf.any():
        raise mismatch(f"The answer{where} is infinite{_at(bad_inf)}, where a finite number is expected.", None)
    special = ~np.isfinite(expected) & ~((actual == expected) | (np.isnan(actual) & np.isnan(expected)))
    if special.any():
        wanted = expected[special].flat[0]
        raise mismatch(
            f"The answer{where} has {actual[special].flat[0]:.6g}{_at(special)}, where {wanted} is expected.", None
        )
    wrong = ~np.isclose(actual, expected, rtol=rtol, atol=atol, equal_nan=True)
    largest = float(np.abs(actual[wrong] - expected[wrong]).max())
    count = (
        f"{int(wrong.sum())} of {wrong.size} values are wrong{where}"
        if wrong.size > 1
        else f"The value{where} is wrong"
    )
    raise mismatch(f"{count}; the largest difference is {largest:.3g}.", largest)


def _at(mask: Any) -> str:
    if mask.ndim == 0:
        return ""
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    return f" at index {index if len(index) > 1 else index[0]}"


def _as_float64(x: Any) -> Any:
    if isinstance(x, Tensor):
        wide = torch.complex128 if x.is_complex() else torch.float64
        return x.detach().cpu().to(wide).numpy()
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def _axes(x: Any) -> str:
    return f"{x.ndim} {'axis' if x.ndim == 1 else 'axes'}"


def _kind(value: Any) -> str:
    if isinstance(value, StudentObject):
        return repr(value)
    if isinstance(value, Tensor):
        return "a torch tensor"
    if isinstance(value, np.ndarray):
        return "a numpy array" if value.ndim else "a numpy number"
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def assert_unchanged(student: Student) -> None:
    """Fails if the student's last call changed one of its arguments in place.

    >>> student.half_in_place(vector(3))
    tensor([1.5000], dtype=torch.float64)
    >>> assert_unchanged(student)
    Traceback (most recent call last):
        ...
    autograder.testing.comparison.Mismatch: half_in_place changed `x` in place. ...
    """
    call = student._session.transcript[-1]
    if call.reply.changed:
        raise Mismatch(
            f"{call.request.name} changed {call.reply.changed[0]} in place. "
            "The caller still needs it: work on a new tensor or array."
        )
    Assertions.passed += 1


@contextmanager
def explained(reading: Callable[[], str]) -> Iterator[None]:
    """Where the block finds a wrong answer, reads off it what the mistake is.

    Args:
        reading: makes one or two sentences that are true of this answer and name what is wrong; empty if it cannot.

    >>> answer = student.half(vector(3))
    >>> with explained(lambda: f"This is {answer.item() / 3:g} of the number."):
    ...     assert_close(answer, vector(1))
    Traceback (most recent call last):
        ...
    autograder.testing.comparison.Mismatch: The value is wrong; the largest difference is 0.5.
    """
    try:
        yield
    except Mismatch as found:
        try:
            found.says = reading()
        except Exception:  # an answer too odd to be read is no less wrong
            found.says = ""
        raise


def _names(argument: str, message: str) -> bool:
    """Whether a message has the word in it, perhaps in the plural; "expected" does not name ``x``."""
    return re.search(rf"(?<![^\W_]){re.escape(argument)}s?(?![^\W_])", message) is not None


@contextmanager
def raises(error: type[Exception], naming: str | tuple[str, ...] = (), because: str = "") -> Iterator[None]:
    """Passes if the student's code in the block raises ``error``, with the word ``naming`` in its message.

    Args:
        error: the exception type, or a base class of it.
        naming: the argument that the message has to name, or several of which it has to name one.
        because: what is wrong with the input, for a message such as "..., but nothing was raised: {because}".
    Raises:
        NotRefused: nothing was raised, or something else.

    >>> with raises(ValueError, naming="x"):
    ...     student.root(-4.0)
    >>> with raises(ValueError, naming="x"):
    ...     student.root(4.0)
    Traceback (most recent call last):
        ...
    autograder.testing.comparison.NotRefused: Expected ValueError that names `x`, but nothing was raised.
    """
    names = (naming,) if isinstance(naming, str) else naming
    why = f": {because}" if because else ""
    try:
        yield
    except StudentError as caught:
        raised = caught.raised
        if raised.type_name in ("NotImplementedError", "TimeLimitReached"):
            raise
        if error.__name__ not in (raised.type_name, *raised.bases):
            raise NotRefused(
                f"Expected {error.__name__}, but {raised.type_name} was raised ({raised.message}){why}."
            ) from None
        if names and not any(_names(name, raised.message) for name in names):
            right = f"{error.__name__} is right, but its message does not name `{names[0]}`"
            accident = f"Expected {error.__name__} that names `{names[0]}`, but this one came by accident"
            said = right if raised.on_purpose else f"{accident}, in {raised.place}"
            raise NotRefused(f"{said} ({raised.message!r}){why}.") from None
        Assertions.passed += 1
    else:
        named = f" that names {' or '.join(f'`{name}`' for name in names)}" if names else ""
        raise NotRefused(f"Expected {error.__name__}{named}, but nothing was raised{why}.")
