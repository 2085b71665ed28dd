"""Diagnosers of when it goes wrong: what all failing examples share, and no passing one has."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from autograder.feedback.diagnosers.evidence import Evidence, Situation, as_array, is_number
from autograder.feedback.naming import join

# So many different values of an argument on either side show that it decides; fewer may agree by chance.
ENOUGH = 4
# So many examples of one check have to stand on either side: two checks differ in much.
MIXED = 2
# So many calls that give an argument have to be right if it is its default that is wrong.
MANY = 20
LIMITS = (0.0, 1.0, 0.5)
# Arrays have fewer axes.
MOST_AXES = 6
# Below this numbers are not called large.
LARGE = 10
HALVES = {"float16", "bfloat16"}

Holds = Callable[[Any], bool | None]


class Condition(NamedTuple):
    """What may decide.

    Attributes:
        argument: of which.
        text: in words.
        holds: whether it does; None where it has no meaning.
        varied: whether it has to leave enough different values right: of a number.
    """

    argument: str
    text: str
    holds: Holds
    varied: bool = False


def only_where_left_out(evidence: Evidence) -> str | None:
    """Wrong only where some arguments are left to their defaults; many calls that give them are right."""
    wrong, right = _sides(evidence.situations)
    unnamed = [value for a in evidence.wrong for name, value in a.inputs.items() if not name.startswith("`")]
    if not evidence.wrong or len(right) < MANY or any(map(_is_plain, unnamed)):
        return None
    given = set.intersection(*(set(s.values) for s in right))
    left_out = sorted(name for name in given if not any(name in s.values for s in wrong))
    if not left_out or not all(_varies([s.values[name] for s in right]) for name in left_out):
        return None
    count = f"the {len(wrong)}" if len(wrong) > 1 else "the one"
    seen = f"It is right in all {len(right)} examples with {_code(left_out)}, and wrong in {count} without"
    # Of arguments that only some calls give, it may be the default of any, too.
    others = {name.strip("`") for a in evidence.right for name in a.inputs if name.startswith("`")} - set(left_out)
    beside = sorted(name for name in others if not any(name in s.values for s in wrong))
    if beside:
        return (
            f"{seen}, which {'leave' if len(wrong) > 1 else 'leaves'} out {_code(beside)}, too. Is each default right?"
        )
    return f"{seen}. {'Is its default' if len(left_out) == 1 else 'Are their defaults'} right?"


def _varies(values: Sequence[Any]) -> bool:
    """Whether an argument is a plain one, and has enough different values to show that all are right."""
    return all(map(_is_plain, values)) and len(set(values)) >= (2 if _is_word(values[0]) else ENOUGH)


def _code(names: Sequence[str]) -> str:
    return join([f"`{name}`" for name in names])


def only_some_numbers(evidence: Evidence) -> str | None:
    """Right exactly where one argument, a number, is on one side of a limit that matters."""
    return _only_where(evidence, _numbers)


def only_one_axis(evidence: Evidence) -> str | None:
    """Wrong only for the first or the last axis, or for all others."""
    return _only_where(evidence, _axes)


def only_some_words(evidence: Evidence) -> str | None:
    """Wrong exactly where one argument is one word, or True, or None."""
    return _only_where(evidence, _words)


def only_some_inputs(evidence: Evidence) -> str | None:
    """Wrong exactly for arrays without a property: one row, square, positive; or with one, such as a number of axes."""
    return _only_where(evidence, _arrays)


def only_some_relations(evidence: Evidence) -> str | None:
    """Wrong exactly where two numbers or lengths are in one order, or differ."""
    return _only_where(evidence, _relations)


def only_some_dtypes(evidence: Evidence) -> str | None:
    """Wrong in half precision alone, or in all but float64; another split would be chance."""
    wrong, right = _sides(evidence.situations)
    bad, good = {s.dtype for s in wrong}, {s.dtype for s in right}
    if "" in bad or not good - {""} or good & bad or min(len(wrong), len(right)) < ENOUGH:
        return None
    if not ((bad <= HALVES and good & {"float32", "float64"}) or good - {""} == {"float64"}):
        return None
    return (
        f"In the examples tried it is right in {join(sorted(good - {''}))} and wrong in {join(sorted(bad))}. "
        "Which step depends on the dtype?"
    )


def only_large_numbers(evidence: Evidence) -> str | None:
    """Right while the entries of one argument are small: a step that overflows or cancels."""
    wrong, right = _sides(evidence.situations)
    if not _is_mixed(wrong, right):
        return None
    found = []
    for name in _names(wrong):
        bad, good = (
            [_largest(s.values[name]) for s in side if _is_array(s.values.get(name))] for side in (wrong, right)
        )
        if len(bad) < len(wrong) or len(set(bad)) < ENOUGH or len(set(good)) < ENOUGH:
            continue
        least, most = np.min(bad), np.max(good)
        if least >= LARGE and least > 1.5 * most:
            found.append((name, most, least))
    if len(found) != 1:
        return None
    name, most, least = found[0]
    return (
        f"In the examples tried it is right where the largest entry of `{name}` is at most {most:.4g} in size, and "
        f"wrong where that is {least:.4g} or more. Does a step overflow there, or lose digits?"
    )


def _largest(x: Any) -> float:
    """The size of the largest entry; nan, which is neither large nor small, where one is nan."""
    array = as_array(x)
    return float(np.abs(array).max(initial=0)) if array is not None else 0.0


# Conditions on arguments of these names, for these wrong examples.
Made = Callable[[Sequence[str], Sequence[Situation]], Iterator[Condition]]


def _only_where(
    evidence: Evidence, made: Callable[[Sequence[str], Sequence[Situation]], Iterator[Condition]]
) -> str | None:
    """The sentence on the one argument that tells wrong examples from right ones; None if several do, or none.

    Either side has enough examples with different values, and at least one check has some on both: else it may be
    another difference between two checks.
    """
    wrong, right = _sides(evidence.situations)
    if min(len(wrong), len(right)) < ENOUGH or not _is_mixed(wrong, right):
        return None
    telling = [c for c in _every_condition(_names(wrong), wrong) if _tells(c, wrong, right)]
    if len({condition.argument for condition in telling}) != 1:
        return None
    own = {condition.text for condition in made(_names(wrong), wrong)}
    found = next((condition for condition in telling if condition.text in own), None)
    return found.text if found is not None else None


def _every_condition(names: Sequence[str], wrong: Sequence[Situation]) -> Iterator[Condition]:
    for made in (_words, _axes, _numbers, _relations, _arrays):
        yield from made(names, wrong)


def _tells(condition: Condition, wrong: Sequence[Situation], right: Sequence[Situation]) -> bool:
    bad, good = ([condition.holds(s.values) for s in side] for side in (wrong, right))
    known = [value for value in good if value is not None]
    telling = [value for value, s in zip(good, right, strict=True) if value is not None and s.telling]
    if None in bad or not all(bad) or len(telling) < ENOUGH or any(known):
        return False
    return not condition.varied or len({s.values.get(condition.argument) for s in right}) >= ENOUGH


def _is_mixed(wrong: Sequence[Situation], right: Sequence[Situation]) -> bool:
    checks = {s.drawn for s in wrong} & {s.drawn for s in right}
    return any(
        sum(s.drawn == check for s in wrong) >= MIXED and sum(s.drawn == check for s in right) >= MIXED
        for check in checks
    )


def _sides(situations: Sequence[Situation]) -> tuple[list[Situation], list[Situation]]:
    return [s for s in situations if not s.right], [s for s in situations if s.right]


def _names(wrong: Sequence[Situation]) -> list[str]:
    """What every wrong example has, in order."""
    return [name for name in (wrong[0].values if wrong else ()) if all(name in s.values for s in wrong)]


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _numbers(names: Sequence[str], wrong: Sequence[Situation]) -> Iterator[Condition]:
    for name in names:
        if not all(is_number(s.values[name]) for s in wrong):
            continue
        values = {s.values[name] for s in wrong}
        for limit in LIMITS:
            for words, holds in (
                (f"exactly {limit:g}", lambda v, limit=limit: v == limit),
                (f"less than {limit:g}", lambda v, limit=limit: v < limit),
                (f"larger than {limit:g}", lambda v, limit=limit: v > limit),
                (f"other than {limit:g}", lambda v, limit=limit: v != limit),
            ):
                if words.startswith("exactly") or len(values) >= ENOUGH:
                    of = _of(name, is_number, holds)
                    text = _only(f"`{name}` is {words}.")
                    yield Condition(name, text, of, varied=not words.startswith("other"))
        if all(isinstance(s.values[name], int) for s in wrong):
            yield Condition(name, _only(f"`{name}` is odd."), _of(name, _is_int, lambda v: v % 2 == 1))
            yield Condition(name, _only(f"`{name}` is even."), _of(name, _is_int, lambda v: v % 2 == 0))


def _only(where: str) -> str:
    return f"In the examples tried it is wrong only where {where} What is different there?"


def _of(name: str, fits: Callable[[Any], bool], holds: Callable[[Any], bool]) -> Holds:
    def of(values: Mapping[str, Any]) -> bool | None:
        value = values.get(name)
        return holds(value) if name in values and fits(value) else None

    return of


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _axes(names: Sequence[str], wrong: Sequence[Situation]) -> Iterator[Condition]:
    for name in names:
        if name in ("dim", "axis"):
            for words, place, is_it in (
                ("the last axis", -1, True),
                ("the first axis", 0, True),
                ("not the last axis", -1, False),
                ("not the first axis", 0, False),
            ):
                yield Condition(name, _only(f"`{name}` is {words}."), _axis(name, place, is_it))
            yield Condition(name, _only(f"`{name}` counts from the end."), _of(name, _is_int, lambda v: v < 0))
            yield Condition(name, _only(f"`{name}` counts from the front."), _of(name, _is_int, lambda v: v >= 0))


def _axis(name: str, place: int, is_it: bool) -> Holds:
    def holds(values: Mapping[str, Any]) -> bool | None:
        dim, x = values.get(name), values.get("x")
        if not _is_int(dim) or not isinstance(x, Tensor | np.ndarray) or x.ndim < 2:
            return None
        return bool(int(dim or 0) % x.ndim == place % x.ndim) == is_it

    return holds


def _words(names: Sequence[str], wrong: Sequence[Situation]) -> Iterator[Condition]:
    for name in names:
        if all(_is_word(s.values[name]) for s in wrong):
            values = {s.values[name] for s in wrong}
            value = next(iter(values))
            if len(values) == 1:
                yield Condition(name, _only(f"`{name}` is {value!r}."), _of(name, _is_word, _equal_to(value)))


def _is_word(value: Any) -> bool:
    return isinstance(value, bool | str) or value is None


def _equal_to(wanted: Any) -> Callable[[Any], bool]:
    return lambda value: bool(value == wanted)


def _arrays(names: Sequence[str], wrong: Sequence[Situation]) -> Iterator[Condition]:
    for name in names:
        if not all(isinstance(s.values[name], Tensor | np.ndarray) for s in wrong):
            continue
        for text, holds in SHAPES:
            yield Condition(name, _only(f"`{name}` {text}."), _not(name, holds))
        for axes in range(MOST_AXES):
            counted = "no axes" if axes == 0 else "1 axis" if axes == 1 else f"{axes} axes"
            yield Condition(name, _only(f"`{name}` has {counted}."), _of(name, _is_array, _has_axes(axes)))
        for axes in range(MOST_AXES):
            more = f"`{name}` has more than {axes} {'axis' if axes == 1 else 'axes'}."
            yield Condition(name, _only(more), _of(name, _is_array, _has_more_axes(axes)))
            another = f"`{name}` has another number of axes than {axes}."
            yield Condition(name, _only(another), _not(name, _has_axes(axes)))
        for text, holds in PROPERTIES:
            yield Condition(name, _only(f"`{name}` {text}."), _not(name, holds))
        yield Condition(name, _only(f"`{name}` has an entry that is exactly 0."), _of(name, _is_array, _has_zero))
        yield Condition(name, _only(f"`{name}` is empty."), _of(name, _is_array, _is_empty))


def _is_array(value: Any) -> bool:
    return isinstance(value, Tensor | np.ndarray)


def _has_axes(axes: int) -> Callable[[Any], bool]:
    return lambda x: bool(x.ndim == axes)


def _has_more_axes(axes: int) -> Callable[[Any], bool]:
    return lambda x: bool(x.ndim > axes)


def _has_zero(x: Any) -> bool:
    array = as_array(x)
    return False if array is None else bool((array == 0).any())


def _is_empty(x: Any) -> bool:
    return bool(math.prod(x.shape) == 0)


def _not(name: str, holds: Holds) -> Holds:
    def turned(values: Mapping[str, Any]) -> bool | None:
        value = values.get(name)
        found = holds(value) if isinstance(value, Tensor | np.ndarray) else None
        return None if found is None else not found

    return turned


def _relations(names: Sequence[str], wrong: Sequence[Situation]) -> Iterator[Condition]:
    numbers = [name for name in names if all(_is_int(s.values[name]) for s in wrong)]
    for a, b in combinations(numbers, 2):
        for words, holds in (
            ("is larger than", lambda x, y: x > y),
            ("is smaller than", lambda x, y: x < y),
            ("differs from", lambda x, y: x != y),
        ):
            yield Condition(f"{a} {b}", _only(f"`{a}` {words} `{b}`."), _both(a, b, holds))


def _both(a: str, b: str, holds: Callable[[int, int], bool]) -> Holds:
    def of(values: Mapping[str, Any]) -> bool | None:
        x, y = values.get(a), values.get(b)
        return holds(x, y) if _is_int(x) and _is_int(y) else None  # type: ignore[arg-type]

    return of


def _one_row(x: Any) -> bool | None:
    return bool(x.shape[0] == 1) if x.ndim == 2 else None


def _first_of_one(x: Any) -> bool | None:
    return bool(x.shape[0] == 1) if x.ndim else None


def _one_line(x: Any) -> bool | None:
    return bool(max(x.shape) == math.prod(x.shape)) if x.ndim and min(x.shape) else None


def _square(x: Any) -> bool | None:
    return bool(x.shape[0] == x.shape[1]) if x.ndim == 2 else None


def _last_two_alike(x: Any) -> bool | None:
    return bool(x.shape[-1] == x.shape[-2]) if x.ndim > 1 else None


def _zero(x: Any) -> bool | None:
    array = as_array(x)
    return None if array is None or not array.size else not array.any()


def _contiguous(x: Any) -> bool | None:
    return x.is_contiguous() if isinstance(x, Tensor) else bool(x.flags.c_contiguous)


def _positive(x: Any) -> bool | None:
    array = as_array(x)
    return None if array is None or not array.size else bool((array > 0).all())


def _no_ties(x: Any) -> bool | None:
    array = as_array(x)
    return None if array is None or array.size < 2 else len(np.unique(array)) == array.size


# What is said of arrays without a property, which are those that come out wrong; the likelier to decide come first.
SHAPES: tuple[tuple[str, Holds], ...] = (
    ("has an entry other than 0", _zero),
    ("has another number of rows than one", _one_row),
    ("has a first axis that is not of length 1", _first_of_one),
    ("has two axes longer than 1", _one_line),
    ("is not square", _square),
    ("has last two axes of different lengths", _last_two_alike),
)
PROPERTIES: tuple[tuple[str, Holds], ...] = (
    ("has an entry that is 0 or negative", _positive),
    ("has two equal entries", _no_ties),
    ("is not contiguous in memory", _contiguous),
)
