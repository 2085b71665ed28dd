"""Diagnosers of where the wrong numbers stand: moved, in another order, or only at some entries."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from autograder.feedback.diagnosers.evidence import Evidence, Pair, as_array, is_number
from autograder.feedback.naming import ORDINALS, join

# Entries larger than this, in size, are called large, and smaller than that small.
LARGE = 20.0
SMALL = 1e-2
# So many entries, and so many different values of the argument on either side, show where it is right or wrong.
ENOUGH = 4
# Beyond this an axis is not searched for ties.
LONGEST = 300
# Into so many blocks rows are taken apart; the most first, since they tell most.
BLOCKS = {4: "four", 3: "three", 2: "two"}
# The same where half of all entries would do, as with a sign.
MANY = 16


class Kind(NamedTuple):
    """A kind of entries: in words, which they are, and the numbers that decide it, if they may be any."""

    text: str
    mask: np.ndarray
    values: np.ndarray | None = None


Source = Callable[[Pair], Iterator[Kind]]


def moved_along_an_axis(evidence: Evidence) -> str | None:
    """Turned round, rolled or shifted by one along an axis."""
    pairs = evidence.pairs
    if evidence.distinct < 3 or not pairs or not any(max(pair.got.shape, default=0) > 2 for pair in pairs):
        return None
    shared = set.intersection(*(set(_moves(pair)) for pair in pairs))
    if not shared:
        return None
    axis, how = min(shared)
    if how == "reversed":
        return f"The values are right, but stand in reverse order along axis {axis}."
    seen = f"The values stand one place too {how} along axis {axis}."
    return f"{seen} Which index starts at 0, and which at 1?"


def _moves(pair: Pair) -> Iterator[tuple[int, str]]:
    for axis in range(pair.got.ndim):
        size = pair.got.shape[axis]
        if pair.is_close(np.flip(pair.expected, axis)):
            yield axis, "reversed"
        if size < 2:
            continue
        for step, how in ((1, "late"), (-1, "early")):
            kept = slice(1, None) if step == 1 else slice(None, -1)
            got = np.moveaxis(pair.got, axis, 0)[kept]
            moved = np.moveaxis(np.roll(pair.expected, step, axis), axis, 0)[kept]
            if np.allclose(got, moved, rtol=pair.rtol, atol=pair.atol, equal_nan=True) and moved.any():
                yield axis, how


def other_order(evidence: Evidence) -> str | None:
    """The right values in other places."""
    pairs = evidence.pairs
    if evidence.distinct < 3 or not any(pair.got.size > 2 for pair in pairs):
        return None
    if not all(_is_close(pair, np.sort(pair.got.ravel()), np.sort(pair.expected.ravel())) for pair in pairs):
        return None
    return (
        "All the right values are there, but some stand in each other's place. Look at how they are indexed or ordered."
    )


def sums_along_another_axis(evidence: Evidence) -> str | None:
    """Sums that should be the same along one axis are so along another."""
    pairs = [pair for pair in evidence.pairs if pair.got.ndim > 1 and min(pair.got.shape) > 1]
    if not pairs:
        return None
    found = [_sum_axes(pair) for pair in pairs]
    shared = set.intersection(*(set(axes) for axes in found))
    if not shared or len(pairs) < len(evidence.pairs):
        return None
    ours, right, total = min(shared)
    return (
        f"Sums of the right answer along axis {right} are all {total:.4g}; yours are so along axis {ours}. "
        "Over which axis is it computed?"
    )


def _sum_axes(pair: Pair) -> list[tuple[int, int, float]]:
    """Axes of the answer and of the expected one along which all sums are one number, if they are not the same axes."""
    if not (np.isfinite(pair.got).all() and np.isfinite(pair.expected).all()):
        return []

    def axes(x: np.ndarray) -> dict[int, float]:
        sums = {axis: x.sum(axis) for axis in range(x.ndim)}
        slack = max(1e-6, 10 * pair.atol) * max(1.0, float(np.abs(x).max()))
        return {axis: float(s.flat[0]) for axis, s in sums.items() if np.ptp(s) <= slack}

    ours, right = axes(pair.got), axes(pair.expected)
    if ours.keys() & right.keys():
        return []
    return [
        (a, b, round(right[b], 4))
        for a in ours
        for b in right
        if abs(ours[a] - right[b]) <= 1e-4 * max(1, abs(right[b]))
    ]


def only_special_entries(evidence: Evidence) -> str | None:
    """Only entries are wrong at which an argument is masked, padding, exactly 0, not finite, or a tie."""
    return _wrong_ones(evidence, _special)


def only_some_blocks(evidence: Evidence) -> str | None:
    """Of equal blocks of rows, such as the gates of a recurrent cell, some are wrong and the others right each time."""
    wrong = [pair.wrong for pair in evidence.pairs if pair.wrong.ndim and pair.wrong.shape[0]]
    lengths = {len(rows) for rows in wrong}
    if len(wrong) < max(ENOUGH, len(evidence.pairs)) or len(lengths) < 2:
        return None
    for count, word in BLOCKS.items():
        if any(length % count for length in lengths):
            continue
        hit = np.any([rows.reshape(count, -1).any(1) for rows in wrong], axis=0)
        if not hit.all():
            bad, good = ([ORDINALS[place] for place in np.flatnonzero(side)] for side in (hit, ~hit))
            return (
                f"Of {word} equal blocks of rows the {join(good)} {'are' if len(good) > 1 else 'is'} right each time; "
                f"all wrong entries stand in the {join(bad)}."
            )
    return None


def only_some_entries(evidence: Evidence) -> str | None:
    """Only entries are wrong at which an argument is small, large, beyond another, or of one sign; or at a border."""
    enough = _count(evidence.pairs, right=False) >= MANY
    # What is below 0 is below a positive argument, too.
    signs = (_signs,) if enough else ()
    if not evidence.sure:
        return None
    before = _wrong_ones(evidence, _sizes, *signs)
    return before or _wrong_ones(evidence, _beyond_arguments, all_of_them=True) or _wrong_ones(evidence, _borders)


def _wrong_ones(evidence: Evidence, *sources: Source, all_of_them: bool = False) -> str | None:
    """The sentence on the kind of entries that all wrong ones are.

    Many a number lies below all wrong entries: of one that is named all entries beyond it are wrong, too.
    """
    if min(_count(evidence.pairs, right=side) for side in (True, False)) < ENOUGH:
        return None
    shared = _shared_kinds(evidence.pairs, lambda pair: pair.wrong, *sources)
    found = [kind for kind in shared if not all_of_them or not _share_right(kind, evidence.pairs, sources)]
    if not found:
        return None
    return f"All wrong entries seen here stand {found[0]}; elsewhere in the same answers the entries are right."


def only_some_entries_right(evidence: Evidence) -> str | None:
    """Only entries are right at which an argument is 0, large, or has one sign."""
    right, wrong = (_count(evidence.pairs, right=side) for side in (True, False))
    if min(right, wrong) < ENOUGH or not evidence.sure:
        return None
    sources = (_zeros, _sizes, _strict_signs) if right >= MANY else (_zeros, _sizes)
    shared = _shared_kinds(evidence.pairs, lambda pair: ~pair.wrong, *sources)
    # Where most are wrong all the same, it is by chance that some are right.
    kinds = [kind for kind in shared if _share_right(kind, evidence.pairs, sources) >= 0.5]
    if not kinds:
        return None
    seen = f"Where an answer is wrong, its right entries seen here all stand {kinds[0]}."
    return f"{seen} What is different about the others?"


def _share_right(kind: str, pairs: Sequence[Pair], sources: Sequence[Source]) -> float:
    """How many of the entries of a kind are right."""
    wrong = [
        pair.wrong[found.mask] for pair in pairs for source in sources for found in source(pair) if found.text == kind
    ]
    return 1 - float(np.concatenate(wrong).mean())


def _shared_kinds(pairs: Sequence[Pair], chosen: Callable[[Pair], np.ndarray], *sources: Source) -> list[str]:
    """The kinds that hold at every chosen entry of every pair, and not at every entry there is; rare ones first.

    Where any numbers may decide, there have to be enough different ones on either side.
    """
    shared: list[str] | None = None
    everywhere: set[str] = set()
    sides: dict[str, tuple[set[float], set[float]]] = {}
    for pair in pairs:
        kinds = {kind.text: kind for source in sources for kind in source(pair)}
        entries = chosen(pair)
        fits = [text for text, kind in kinds.items() if not (entries & ~kind.mask).any()]
        shared = fits if shared is None else [text for text in shared if text in fits]
        if not shared:
            return []
        everywhere |= {text for text in shared if not kinds[text].mask.all()}
        for text in shared:
            values = kinds[text].values
            if values is not None:
                inside, outside = sides.setdefault(text, (set(), set()))
                inside.update(values[entries].tolist())
                outside.update(values[~entries].tolist())
    few = {text for text, (inside, outside) in sides.items() if min(len(inside), len(outside)) < ENOUGH}
    return [text for text in shared or () if text in everywhere and text not in few]


def _count(pairs: Sequence[Pair], *, right: bool) -> int:
    return sum(int((pair.wrong != right).sum()) for pair in pairs)


def _special(pair: Pair) -> Iterator[Kind]:
    """Masked entries, padding rows, zeros, nan and infinity, ties."""
    for name, value in pair.inputs.items():
        if _is_mask(value) and value.shape == pair.got.shape:
            mask = np.asarray(value, bool)
            yield Kind(f"where {name} is False", ~mask)
            yield Kind(f"where {name} is True", mask)
    for name, x in _numbers(pair):
        if x.ndim > 1:
            empty = ~x.any(-1, keepdims=True)
            yield Kind(f"in rows of {name} that are all 0, such as padding", np.broadcast_to(empty, x.shape))
    yield from _zeros(pair)
    for name, x in _numbers(pair):
        yield Kind(f"where {name} is nan", np.isnan(x))
        yield Kind(f"where {name} is nan or infinite", ~np.isfinite(x))
    for name, x in _numbers(pair):
        if max(x.shape, default=0) <= LONGEST:
            yield Kind(f"where {name} ties with another entry", _ties(x))


def _zeros(pair: Pair) -> Iterator[Kind]:
    for name, x in _numbers(pair):
        yield Kind(f"where {name} is exactly 0", x == 0)


def _sizes(pair: Pair) -> Iterator[Kind]:
    for name, x in _numbers(pair):
        yield Kind(f"where {name} is larger than {LARGE:g} in size", np.abs(x) > LARGE, x)
        yield Kind(f"where {name} is smaller than {SMALL:g} in size", np.abs(x) < SMALL, x)


def _beyond_arguments(pair: Pair) -> Iterator[Kind]:
    limits = [(name, float(value)) for name, value in pair.inputs.items() if is_number(value)]
    for name, x in _numbers(pair):
        for limit, value in limits:
            if value != 0:
                yield Kind(f"where {name} is larger than {limit}", x > value, x)
                yield Kind(f"where {name} is smaller than {limit}", x < value, x)


def _borders(pair: Pair) -> Iterator[Kind]:
    for axis in (axis for axis, size in enumerate(pair.got.shape) if size > 1):
        for place, which in ((0, "first"), (-1, "last")):
            mask = np.zeros(pair.got.shape, bool)
            np.moveaxis(mask, axis, 0)[place] = True
            yield Kind(f"at the {which} place along axis {axis}", mask)
    if pair.got.ndim > 1 and pair.got.shape[-1] == pair.got.shape[-2]:
        diagonal = np.broadcast_to(np.eye(pair.got.shape[-1], dtype=bool), pair.got.shape)
        yield Kind("on the diagonal", diagonal)


def _strict_signs(pair: Pair) -> Iterator[Kind]:
    for name, x in _numbers(pair):
        yield Kind(f"where {name} is negative", x < 0, x)
        yield Kind(f"where {name} is positive", x > 0, x)


def _signs(pair: Pair) -> Iterator[Kind]:
    yield from _strict_signs(pair)
    for name, x in _numbers(pair):
        yield Kind(f"where {name} is 0 or negative", x <= 0, x)
        yield Kind(f"where {name} is 0 or positive", x >= 0, x)


def _numbers(pair: Pair) -> list[tuple[str, np.ndarray]]:
    """The arguments with a number for each entry of the answer."""
    arrays = [(n, as_array(v)) for n, v in pair.inputs.items() if _is_entrywise(v) and not _is_mask(v)]
    return [(name, x) for name, x in arrays if x is not None and x.shape == pair.got.shape]


def _is_entrywise(value: Any) -> bool:
    return isinstance(value, Tensor | np.ndarray | float)


def _is_mask(value: Any) -> bool:
    return "bool" in str(getattr(value, "dtype", ""))


def _ties(x: np.ndarray) -> np.ndarray:
    """Entries that another entry along some axis equals."""
    tied = np.zeros(x.shape, bool)
    for axis in range(x.ndim):
        lines = np.moveaxis(x, axis, -1)
        equal = (lines[..., :, None] == lines[..., None, :]).sum(-1) > 1
        tied |= np.moveaxis(equal, -1, axis)
    return tied


def _is_close(pair: Pair, got: Sequence[float] | np.ndarray, expected: Sequence[float] | np.ndarray) -> bool:
    return bool(np.allclose(got, expected, rtol=pair.rtol, atol=pair.atol, equal_nan=True))
