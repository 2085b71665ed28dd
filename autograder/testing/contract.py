"""What holds for every exercise, written once: a contract makes checks from an exercise's arguments and its oracle.

``@exercise("softmax", points=2, contract=Contract(...))`` adds to the class: agreement with the oracle, float32, half
precision, digits where they are easily lost, layouts, empty and single axes, arguments that stay as they are, refusals.
A class that has a test of one of these names keeps its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice, product
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from autograder.sandbox.values import copy_value
from autograder.testing.comparison import TOLERANCES, Mismatch, assert_close, assert_unchanged, raises
from autograder.testing.digits import Digits, Drawn, Sizes, multiples, own_size, resized
from autograder.testing.kinds import DeclarationError, Test, case, idea, refusal
from autograder.testing.oracles import gradient_of
from autograder.testing.refusals import Arguments, Refusal, another_shape
from autograder.testing.strategies import cotangent_like, tensors
from autograder.testing.student import StudentError

HALF = ("float16", "bfloat16")
LAYOUTS = ("transposed", "every second", "expanded")
# So many examples are drawn where each of them is tried in many ways.
FEW = 6


@dataclass(frozen=True)
class Contract:
    """An exercise's arguments and what is asked of every answer.

    Attributes:
        arguments: strategies of the arguments by name, in the order of the signature, or one strategy of such a dict.
            Tensors are drawn in float64.
        oracle: the right answer for these arguments in order; independent of the reference. With ``of_answer`` it is
            given the student's answer first, so that it can take a mask that was drawn from there.
        agrees: what the check against the oracle says; None where the class has its own checks of the idea.
        magnitudes: by which the numbers are multiplied in float32, to compare values where they are small or large.
        half_magnitudes: the same in float16 and bfloat16; None if they are those of float32. Empty if half precision is
            not asked for, as of arrays.
        scaled: the arguments that are multiplied; None for all but those called ``grad_...``. Only floating tensors and
            arrays in them change: a Python float stays what it is, and so do whole numbers.
        slack: how often the dtype's tolerance is allowed, where sums of many products are rounded.
        half_slack: the same in float16 and bfloat16.
        digits: where a formula that is right on paper loses its digits.
        variants: sets of arguments with other options, often made with `pairwise`; layouts are tried with each that is
            right.
        batch: the axis of each argument that may be empty or single; empty where there is none.
        differentiable: whether autograd has to pass from the answer to every floating argument.
        nan: arguments of which an entry may be nan; the oracle says what becomes of it.
        keywords: arguments that are passed by name.
        refuses: bad input.
        of_answer: whether the oracle is given the student's answer first.
        names: the arguments in order; needed where ``arguments`` is one strategy and `backward` is made from it.
        forward: of a backward, for whose result ``grad_out`` is made and put before the drawn arguments.

    >>> contract = Contract({"x": tensors()}, lambda x: x / 2, batch={"x": 0})
    >>> [name for name, _ in contract.checks("half")]
    ['test_agrees', 'test_float32', 'test_half_precision', 'test_not_contiguous', 'test_empty_and_single',
     'test_arguments_stay']
    >>> contract.compare(student, "half", {"x": vector(3, -1)})
    >>> # Layouts with every pair of options: each choice becomes the strategies of one set of arguments.
    >>> def sums(dim, keepdim):
    ...     return {"x": tensors(min_ndim=2), "dim": st.just(dim), "keepdim": st.just(keepdim)}
    >>> choices = pairwise(dim=(0, -1), keepdim=(False, True))
    >>> contract = Contract(sums(-1, False), torch.sum, variants=[sums(**choice) for choice in choices])
    >>> len(contract.variants)
    4
    """

    arguments: Drawn
    oracle: Callable[..., Any]
    agrees: str | None = "The answer agrees with torch's."
    magnitudes: Sequence[float] = (1.0,)
    half_magnitudes: Sequence[float] | None = None
    scaled: tuple[str, ...] | None = None
    slack: float = 1.0
    half_slack: float = 2.0
    digits: Digits | None = None
    variants: Sequence[Drawn] = ()
    batch: Mapping[str, int] | None = None
    differentiable: bool = False
    nan: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    refuses: tuple[Refusal, ...] = ()
    of_answer: bool = False
    names: tuple[str, ...] = ()
    forward: Callable[..., Any] | None = None

    @property
    def drawn(self) -> st.SearchStrategy[dict[str, Any]]:
        """Sets of arguments."""
        return _sets(self.arguments)

    def backward(self, *wrt: str, **changes: Any) -> "Contract":
        """The contract of the hand-written backward, which takes ``grad_out`` first.

        Args:
            wrt: the arguments whose gradients are asked for, in order; one of them is no tuple.
            changes: whatever else differs.
        """
        names = tuple(self.arguments) if isinstance(self.arguments, Mapping) else self.names
        oracle, places = self.oracle, [names.index(name) for name in wrt]

        def gradients(grad_out: Any, *rest: Any) -> Any:
            return gradient_of(oracle, places, grad_out, rest)

        new = replace(
            self,
            oracle=gradients,
            forward=oracle,
            agrees="The gradient agrees with torch's for a random upstream gradient.",
            refuses=(another_shape("grad_out"), *self.refuses),
        )
        return replace(new, **changes)

    def checks(self, function: str) -> Iterator[tuple[str, Test]]:
        """The checks by their names, for the exercise ``function``."""
        if self.agrees is not None:
            yield "test_agrees", _agrees(self, function)
        yield "test_float32", _float32(self, function)
        if self.half_magnitudes is None or self.half_magnitudes:
            yield "test_half_precision", _half_precision(self, function)
        if self.digits is not None:
            yield "test_keeps_its_digits", _keeps_its_digits(self, self.digits, function)
        yield "test_not_contiguous", _not_contiguous(self, function)
        if self.batch:
            yield "test_empty_and_single", _empty_and_single(self, function)
        if self.differentiable:
            yield "test_autograd_passes", _differentiable(self, function)
        if self.nan:
            yield "test_nan_stays_visible", _nan_stays(self, function)
        yield "test_arguments_stay", _arguments_stay(self, function)
        if self.refuses:
            yield "test_bad_input_is_refused", _refused(self, function)

    def add_to(self, owner: type, function: str) -> None:
        """Gives a check class the checks that it does not have itself.

        Raises:
            DeclarationError: it names an argument that there is not.
        """
        self._require_known_names(function)
        for name, test in self.checks(function):
            if not hasattr(owner, name):
                setattr(owner, name, test)

    def _require_known_names(self, function: str) -> None:
        names = tuple(self.arguments) if isinstance(self.arguments, Mapping) else self.names
        if not names:
            return
        known = ("grad_out", *names) if self.forward is not None else names
        named = [*(self.batch or ()), *(self.scaled or ()), *self.nan, *self.keywords, *(r.name for r in self.refuses)]
        unknown = next((name for name in named if name not in known), None)
        if unknown is not None:
            raise DeclarationError(
                f"the contract of {function} names {unknown!r}, allowed are its arguments {', '.join(known)}"
            )

    def call(self, student: Any, function: str, arguments: Arguments) -> Any:
        """The student's answer."""
        positional, named = self.split(arguments)
        return getattr(student, function)(*positional, **named)

    def split(self, arguments: Arguments) -> tuple[list[Any], dict[str, Any]]:
        """The arguments that are passed by position, and those that are passed by name."""
        positional = [value for name, value in arguments.items() if name not in self.keywords]
        return positional, {name: value for name, value in arguments.items() if name in self.keywords}

    def compare(
        self, student: Any, function: str, arguments: Arguments, dtype: str = "float64", *, of_own_size: bool = False
    ) -> None:
        """Calls the student's function in a dtype and compares with the oracle's answer, which is made in float64.

        With ``of_own_size`` a small number has to be right to the usual share of its own size.
        """
        # Copied before the call: whoever draws, student or oracle, in this call or the next, begins at the same place.
        own = {name: _cast(value, dtype) for name, value in _copied(arguments).items()}
        wide = {name: _cast(value, "float64") for name, value in _copied(own).items()}
        answer = self.call(student, function, own)
        right = self.oracle(answer, *wide.values()) if self.of_answer else self.oracle(*wide.values())
        slack = self.half_slack if dtype in HALF else self.slack
        rtol, atol = (slack * tolerance for tolerance in TOLERANCES[dtype])
        assert_close(answer, _cast(right, dtype), rtol=rtol, atol=own_size(dtype, rtol) if of_own_size else atol)

    def is_right(self, student: Any, function: str, arguments: Arguments) -> bool:
        """Whether the student's function gives the oracle's answer."""
        try:
            self.compare(student, function, arguments)
        except (Mismatch, StudentError):
            return False
        return True

    def completed(self, arguments: Arguments) -> dict[str, Any]:
        """The arguments of the call: with an upstream gradient before them, if the exercise is a backward."""
        if self.forward is None:
            return dict(arguments)
        return {"grad_out": _cotangents(self.forward(*_copied(arguments).values())), **arguments}

    def resized(self, arguments: Arguments, sizes: Sizes) -> dict[str, Any]:
        """The arguments with the entries of the scaled ones times a factor plus an offset, in turn."""
        return {
            name: _mapped(value, lambda x: resized(x, sizes)) if self._is_scaled(name) else value
            for name, value in arguments.items()
        }

    def laid_out(self, arguments: Arguments, layout: str) -> dict[str, Any]:
        """The arguments of the call, which lie otherwise in memory."""
        given = self.completed(arguments)
        return {name: _mapped(value, lambda x: _laid_out(x, layout), _is_number) for name, value in given.items()}

    def with_nan(self, name: str, value: Any, place: int) -> Any:
        """The value of an argument, with an entry that is nan if it is one that may have some."""
        return _mapped(value, lambda x: _with_nan(x, place)) if name in self.nan else value

    def _is_scaled(self, name: str) -> bool:
        return not name.startswith("grad_") if self.scaled is None else name in self.scaled


def entrywise(
    function: Callable[..., Any], x: st.SearchStrategy[Tensor] | None = None, **options: st.SearchStrategy[Any]
) -> Contract:
    """The contract of a function that works entry by entry on its first argument, ``x``.

    Args:
        function: the oracle.
        x: its tensors; of [-20, 20] by default.
        options: strategies of the arguments behind ``x``.

    >>> contract = entrywise(lambda x, slope: slope * x, slope=floats(-2, 2))
    >>> list(contract.arguments), contract.nan
    (['x', 'slope'], ('x',))
    """
    drawn = tensors(low=-20, high=20) if x is None else x
    return Contract({"x": drawn, **options}, function, magnitudes=(1.0, 1e-3, 500.0), batch={"x": 0}, nan=("x",))


def _agrees(contract: Contract, function: str) -> Test:
    @idea
    @given(arguments=contract.drawn)
    def test(self: object, student: Any, arguments: dict[str, Any]) -> None:
        contract.compare(student, function, contract.completed(arguments))

    return _named(test, "test_agrees", contract.agrees or "")


def _float32(contract: Contract, function: str) -> Test:
    sizes = multiples(contract.magnitudes)
    test = _rounded(contract, function, contract.arguments, ("float32",), sizes)
    return _named(test, "test_float32", "float32 in, float32 out, and right to its precision" + _sizes(contract))


def _half_precision(contract: Contract, function: str) -> Test:
    sizes = multiples(contract.magnitudes if contract.half_magnitudes is None else contract.half_magnitudes)
    test = _rounded(contract, function, contract.arguments, HALF, sizes)
    return _named(test, "test_half_precision", "float16 and bfloat16 stay what they are, right to their precision.")


def _keeps_its_digits(contract: Contract, digits: Digits, function: str) -> Test:
    arguments = contract.arguments if digits.arguments is None else digits.arguments
    test = _rounded(contract, function, arguments, ("float32", *HALF), digits.sizes, of_own_size=digits.of_own_size)
    return _named(test, "test_keeps_its_digits", digits.says)


def _rounded(
    contract: Contract,
    function: str,
    arguments: Drawn,
    dtypes: Sequence[str],
    every: Sequence[Sizes],
    *,
    of_own_size: bool = False,
) -> Test:
    """Compares in every dtype and at every size: in which of them a formula loses its digits depends on the formula."""

    @case
    @settings(max_examples=FEW)
    @given(arguments=_sets(arguments))
    def test(self: object, student: Any, arguments: dict[str, Any]) -> None:
        for dtype, sizes in product(dtypes, every):
            given = contract.completed(contract.resized(arguments, sizes))
            contract.compare(student, function, given, dtype, of_own_size=of_own_size)

    return test


def _not_contiguous(contract: Contract, function: str) -> Test:
    turns = st.integers(0, len(LAYOUTS) - 1) if contract.variants else st.just(0)

    @case
    @settings(max_examples=FEW)
    @given(sets=st.tuples(contract.drawn, *map(_sets, contract.variants)), turn=turns)
    def test(self: object, student: Any, sets: tuple[dict[str, Any], ...], turn: int) -> None:
        first, *others = sets
        for layout in LAYOUTS:
            contract.compare(student, function, contract.laid_out(first, layout))
        # One layout for each set of options, in turn; all of them where there are few sets.
        for number, arguments in enumerate(islice(cycle(others), max(len(others), len(LAYOUTS))), turn):
            laid_out = contract.laid_out(arguments, LAYOUTS[number % len(LAYOUTS)])
            # What is wrong however it lies in memory is another check's matter.
            if contract.is_right(student, function, laid_out) or not contract.is_right(
                student, function, contract.completed(arguments)
            ):
                continue
            contract.compare(student, function, laid_out)

    options = ", whatever the options are" if contract.variants else ""
    return _named(test, "test_not_contiguous", f"How its arguments lie in memory makes no difference{options}.")


def _empty_and_single(contract: Contract, function: str) -> Test:
    batch = contract.batch or {}

    @case
    @given(arguments=contract.drawn, length=st.sampled_from([0, 1]))
    def test(self: object, student: Any, arguments: dict[str, Any], length: int) -> None:
        short = {name: _shortened(value, batch.get(name), length) for name, value in arguments.items()}
        contract.compare(student, function, contract.completed(short))

    return _named(test, "test_empty_and_single", "Axes of length 0 and 1 give a result of the right shape and values.")


def _differentiable(contract: Contract, function: str) -> Test:
    @case
    @given(arguments=contract.drawn)
    def test(self: object, student: Any, arguments: dict[str, Any]) -> None:
        positional, named = contract.split(arguments)
        wrt = tuple(place for place, value in enumerate(positional) if _is_floating(value))
        grad_out = cotangent_like(contract.oracle(*_copied(arguments).values()))
        right = gradient_of(contract.oracle, wrt, grad_out, list(arguments.values()))
        got = getattr(student, function).gradient(grad_out, wrt, *positional, **named)
        assert_close(got, right if isinstance(right, tuple) else (right,))

    return _named(test, "test_autograd_passes", "Autograd finds the gradient through the answer.")


def _nan_stays(contract: Contract, function: str) -> Test:
    @case
    @given(arguments=contract.drawn, place=st.integers(0, 9))
    def test(self: object, student: Any, arguments: dict[str, Any], place: int) -> None:
        spoilt = {name: contract.with_nan(name, value, place) for name, value in arguments.items()}
        contract.compare(student, function, contract.completed(spoilt))

    return _named(
        test,
        "test_nan_stays_visible",
        "An entry that is nan shows in the answer, and where it has no part nothing changes.",
    )


def _arguments_stay(contract: Contract, function: str) -> Test:
    @case
    @given(arguments=contract.drawn)
    def test(self: object, student: Any, arguments: dict[str, Any]) -> None:
        contract.call(student, function, contract.completed(arguments))
        assert_unchanged(student)

    return _named(test, "test_arguments_stay", "No argument is changed in place.")


def _refused(contract: Contract, function: str) -> Test:
    @refusal
    @given(arguments=contract.drawn)
    def test(self: object, student: Any, arguments: dict[str, Any]) -> None:
        given = contract.completed(arguments)
        for bad in contract.refuses:
            beside = [f"{k} has shape {tuple(v.shape)}" for k, v in given.items() if k != bad.name and _is_array(v)]
            for value in bad.spoil(given):
                if value is not None:
                    found = f"{bad.name} is {_described(value)}"
                    with raises(ValueError, naming=bad.naming, because=", ".join([found, *beside])):
                        contract.call(student, function, {**given, bad.name: value})

    names = list(dict.fromkeys(f"`{one.name}`" for one in contract.refuses))
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return _named(test, "test_bad_input_is_refused", f"A bad {listed} raises ValueError that names it.")


def _sets(arguments: Drawn) -> st.SearchStrategy[dict[str, Any]]:
    """Sets of arguments, in the order in which their strategies stand; Hypothesis itself puts the keys in any order."""
    if not isinstance(arguments, Mapping):
        return arguments
    names = tuple(arguments)
    return st.tuples(*arguments.values()).map(lambda values: dict(zip(names, values, strict=True)))


def _named(test: Test, name: str, title: str) -> Test:
    test.__name__ = name
    test.__qualname__ = name
    test.__doc__ = title if title.endswith(".") else f"{title}."
    return test


def _sizes(contract: Contract) -> str:
    return ", for small and large numbers too" if len(contract.magnitudes) > 1 else ""


def _mapped(value: Any, change: Callable[[Any], Any], which: Callable[[Any], bool] | None = None) -> Any:
    """The value with every array in it changed that is floating, or what ``which`` says."""
    if isinstance(value, list | tuple):
        return type(value)(_mapped(item, change, which) for item in value)
    if isinstance(value, dict):
        return {key: _mapped(item, change, which) for key, item in value.items()}
    return change(value) if (which or _is_floating)(value) else value


def _cast(value: Any, dtype: str) -> Any:
    return _mapped(value, lambda x: x.to(getattr(torch, dtype)) if isinstance(x, Tensor) else x.astype(dtype))


def _copied(arguments: Arguments) -> dict[str, Any]:
    """Generators are copied, so that student and oracle draw the same."""
    return {name: copy_value(value, lambda item: item) for name, value in arguments.items()}


def _is_array(value: Any) -> bool:
    return isinstance(value, Tensor | np.ndarray)


def _is_floating(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.dtype.is_floating_point
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _is_number(value: Any) -> bool:
    return _is_array(value) and value.dtype not in (torch.bool, np.bool_)


def _laid_out(x: Any, layout: str) -> Any:
    """The same entries, otherwise in memory; an expanded one has its first entry along the first axis repeated."""
    if x.ndim == 0 or not np.prod(x.shape):
        return x
    if layout == "every second":
        if isinstance(x, Tensor):
            return torch.stack([x, x + 1], dim=-1).flatten(-2)[..., ::2]
        return np.stack([x, x + 1], axis=-1).reshape(*x.shape[:-1], -1)[..., ::2]
    if layout == "expanded":
        return x[:1].expand(x.shape) if isinstance(x, Tensor) else np.broadcast_to(x[:1], x.shape).copy(order="F")
    if isinstance(x, Tensor):
        return x.permute(*reversed(range(x.ndim))).contiguous().permute(*reversed(range(x.ndim)))
    return np.asfortranarray(x)


def _with_nan(x: Any, place: int) -> Any:
    """A copy with one entry that is nan, counted through all entries and round again."""
    flat = x.flatten().clone() if isinstance(x, Tensor) else x.flatten()
    if len(flat):
        flat[place % len(flat)] = float("nan")
    return flat.reshape(x.shape)


def _shortened(value: Any, axis: int | None, length: int) -> Any:
    """The first entries along an axis; the value itself where there is none."""

    def cut(x: Any) -> Any:
        if x.ndim == 0:
            return x
        index = tuple(slice(length) if place == (axis or 0) % x.ndim else slice(None) for place in range(x.ndim))
        return x[index].clone() if isinstance(x, Tensor) else x[index].copy()

    return value if axis is None else _mapped(value, cut, _is_array)


def _cotangents(out: Any) -> Any:
    """An upstream gradient for each result; those of equal shapes differ."""
    if not isinstance(out, tuple):
        return cotangent_like(out)
    return tuple(cotangent_like(one) * (1 - 0.25 * number) for number, one in enumerate(out))


def _described(value: Any) -> str:
    return f"of shape {tuple(value.shape)}" if _is_array(value) else repr(value)
