"""Diagnosers of what kind of answer it is: nothing, another type, length or key, a changed input, a lost graph."""

from typing import Any

from autograder.feedback.diagnosers.evidence import Evidence, as_array
from autograder.feedback.diagnosers.gathering import kind
from autograder.feedback.likeness import same_value
from autograder.feedback.naming import ORDINALS, instead_of, join


def prints(evidence: Evidence) -> str | None:
    """Printed instead of returned."""
    if not all(answer.got.printed for answer in evidence.wrong):
        return None
    return "It prints its answer and returns None. Other code cannot use what is printed: return it."


def returns_none(evidence: Evidence) -> str | None:
    """Returns None."""
    wanted = kind(evidence.wrong[0].expected.value)
    return f"None comes back where {wanted} is expected. On which path is it not computed, or not returned?"


def loses_graph(evidence: Evidence) -> str | None:
    """Right values that no longer know how they were computed."""
    if not all(
        answer.request.kind == "attribute"
        and answer.request.name in ("requires_grad", "grad_fn")
        and answer.got.value in (None, False)
        and answer.expected.value not in (None, False)
        for answer in evidence.wrong
    ):
        return None
    return CUT


CUT = (
    "The answer has lost its graph, so no gradient can flow back through it. Look for what leaves torch or "
    "cuts the graph: `.item()`, `.data`, `.detach()`, numpy, a new tensor made from numbers."
)


def wrong_type(evidence: Evidence) -> str | None:
    """A value of another type."""
    kinds = {(kind(a.got.value), kind(a.expected.value)) for a in evidence.wrong}
    if len(kinds) != 1:
        return None
    got, expected = kinds.pop()
    return f"It returns {got} where {expected} is expected."


def wrong_number_of_results(evidence: Evidence) -> str | None:
    """Too many or too few results."""
    lengths = {(len(a.got.value), len(a.expected.value)) for a in evidence.wrong}
    if len(lengths) != 1 or not all(isinstance(a.expected.value, tuple) for a in evidence.wrong):
        return None
    got, expected = lengths.pop()
    return f"It returns {got} {'result' if got == 1 else 'results'}, and {expected} are expected."


def wrong_keys(evidence: Evidence) -> str | None:
    """Keys of a dict that are missing, or too many, or called otherwise."""
    keys = {(frozenset(a.got.value), frozenset(a.expected.value)) for a in evidence.wrong}
    found = {(expected - got, got - expected) for got, expected in keys}
    if len(found) != 1:
        return None
    missing, extra = ([f"`{key}`" for key in sorted(map(str, part))] for part in found.pop())
    if len(missing) == len(extra) == 1:
        return f"The dict has the key {extra[0]} where {missing[0]} is expected."
    lacks = [f"lacks {join(missing)}"] if missing else []
    more = [f"has {join(extra)}, for which nobody asked"] if extra else []
    return f"The dict {join([*lacks, *more])}."


def changes_an_input(evidence: Evidence) -> str | None:
    """An argument is changed in place."""
    if not all(answer.got.changed and not answer.expected.changed for answer in evidence.wrong):
        return None
    names = sorted({name for answer in evidence.wrong for name in answer.got.changed})
    return (
        f"It changes {join(names)} in place, and the caller still needs it. "
        "Look for assignments into it, and for operations with a trailing underscore or `out=`."
    )


def swapped_results(evidence: Evidence) -> str | None:
    """Several results in another order."""
    swaps = {_swap(answer.got.value, answer.expected.value) for answer in evidence.wrong}
    swap = swaps.pop() if len(swaps) == 1 else None
    if swap is None:
        return None
    i, j = swap
    return f"The {ORDINALS[i]} and the {ORDINALS[j]} result have changed places."


def _swap(got: Any, expected: Any) -> tuple[int, int] | None:
    if not isinstance(got, tuple | list) or type(got) is not type(expected) or len(got) != len(expected):
        return None
    wrong = [i for i in range(len(got)) if not same_value(got[i], expected[i])]
    if len(wrong) != 2 or wrong[1] >= len(ORDINALS):
        return None
    i, j = wrong
    crossed = same_value(got[i], expected[j]) and same_value(got[j], expected[i])
    return (i, j) if crossed else None


def taken_for_true(evidence: Evidence) -> str | None:
    """True for False, or False for True, and never the other way round."""
    values = [(answer.got.value, answer.expected.value) for answer in evidence.wrong]
    if not values or not all(isinstance(v, bool) for pair in values for v in pair):
        return None
    got = {g for g, _ in values}
    if len(got) != 1:
        return None
    told = next(iter(got))
    if any(answer.request.kind != "call" for answer in evidence.wrong):
        # What an object is asked later is not compared.
        return f"The first wrong answer is {told} where {not told} is expected{', each time' * (len(values) > 1)}."
    often = len({e for answer in evidence.right for e in [answer.expected.value] if isinstance(e, bool)}) > 1
    never = "; the other way round it is never wrong" if often else ""
    return f"It says {told} where {not told} is expected{never}."


def wrong_word(evidence: Evidence) -> str | None:
    """One and the same word or other plain value each time."""
    values = [answer.got.value for answer in evidence.wrong]
    if len(values) < 2 or not all(isinstance(value, str) for value in values):
        return None
    if len(set(values)) > 1 or len({answer.expected.value for answer in evidence.wrong}) < 2:
        return None
    return f"Wherever it is wrong, the answer is {values[0]!r}. Which case gives it?"


def one_number_long(evidence: Evidence) -> str | None:
    """A list with too many or too few numbers, and right as far as it goes."""
    lists = [(as_array(a.got.value), as_array(a.expected.value)) for a in evidence.wrong]
    both = [
        (got if got is not None else _none(a.got.value), expected if expected is not None else _none(a.expected.value))
        for (got, expected), a in zip(lists, evidence.wrong, strict=True)
    ]
    sizes = [(got.size, expected.size) for got, expected in both if got is not None and expected is not None]
    if len(sizes) < len(evidence.wrong):
        return None
    off = {got - expected for got, expected in sizes}
    direction = {got > expected for got, expected in sizes}
    if len(direction) != 1:
        return None
    begins = all(
        same_value(a.got.value[: min(s)], a.expected.value[: min(s)])
        for a, s in zip(evidence.wrong, sizes, strict=True)
    )
    got, expected = sizes[0]
    by = f"by {abs(next(iter(off)))} each time" if len(off) == 1 and len(sizes) > 1 else instead_of(sizes)
    right = " Its first entries are right: look at where it begins and ends." if begins and min(sizes[0]) else ""
    return f"The list has too {'many' if got > expected else 'few'} entries, {by}.{right}"


def _none(value: Any) -> Any:
    return as_array([0.0])[:0] if value == [] else None  # type: ignore[index]
