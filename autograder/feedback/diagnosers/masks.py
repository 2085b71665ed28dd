"""Diagnosers of what is drawn: masks that are not scaled, turned round, shared or float32, whatever the order of draws.

They compare what is drawn with what the reference drew as a whole, since another solution may draw in another order.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograder.feedback.diagnosers.evidence import Evidence, as_array
from autograder.feedback.diagnosers.gathering import leaves
from autograder.sandbox.messages import generators_in

# So many entries show shares; so many values of a factor show that it is one.
MANY = 200
# Shares further apart than so many standard deviations are not equal by chance.
DEVIATIONS = 5.0


@dataclass(frozen=True)
class _Drawn:
    """A mask beside the reference's for the same call."""

    got: np.ndarray
    right: np.ndarray


def not_scaled(evidence: Evidence) -> str | None:
    """What is kept is kept as it is, and should be larger."""
    masks = list(_masks(evidence))
    kept = [(set(np.unique(m.got[m.got != 0]).round(6)), np.unique(m.right[m.right != 0])) for m in masks]
    kept = [(own, right) for own, right in kept if own and len(right) == 1 and abs(right[0] - 1) > 1e-6]
    if len({round(float(right[0]), 6) for _, right in kept}) < 2 or not all(own == {1.0} for own, _ in kept):
        return None
    if any(not m.got.any() and m.right.any() and m.right.size > MANY for m in masks):
        return None
    return (
        "What is kept is not scaled: the mask has 0 and 1, and the kept entries have to make up for the dropped ones."
    )


def kept_for_dropped(evidence: Evidence) -> str | None:
    """The share that is dropped is the one that should be kept."""
    shares = [_shares(m) for m in _masks(evidence) if m.got.size >= MANY]
    shares = [s for s in shares if abs(s[1] - 0.5) > DEVIATIONS * s[2] and s[0] not in (0.0, 1.0)]
    if not shares or not all(
        abs(own - (1 - right)) < DEVIATIONS * slack and abs(own - right) > DEVIATIONS * slack
        for own, right, slack in shares
    ):
        return None
    own, right, _ = shares[0]
    return (
        f"Kept and dropped have changed places: in the first example {own:.0%} of the entries are dropped where it "
        f"should be about {right:.0%}. Is a draw compared the right way round, and with the right probability?"
    )


def nothing_is_dropped(evidence: Evidence) -> str | None:
    """No entry is ever dropped, or every one."""
    shares = [_shares(m) for m in _masks(evidence) if m.got.size >= MANY]
    shares = [s for s in shares if min(s[1], 1 - s[1]) > DEVIATIONS * s[2]]
    if not shares or len({own for own, _, _ in shares}) != 1 or shares[0][0] not in (0.0, 1.0):
        return None
    what = "no entry is dropped" if shares[0][0] == 0 else "every entry is dropped"
    rights = {f"{right:.0%}" for _, right, _ in shares}
    share = f"about {rights.pop()}" if len(rights) == 1 else "a share p"
    return f"Where it is wrong, {what}, and {share} of them should be."


def one_draw_for_many(evidence: Evidence) -> str | None:
    """A mask is the same all along an axis, and another one in other calls."""
    masks = [m for m in _masks(evidence) if m.got.ndim and m.got.size >= 20]
    found: set[int] | None = None
    for mask in masks:
        own, right = _constant_axes(mask.got), _constant_axes(mask.right)
        axes = {axis for axis in own - right if mask.got.shape[axis] > 3}
        found = axes if found is None else found & axes
    # What is kept everywhere, or nowhere, was not drawn at all.
    drawn = {bool(entry) for m in masks for entry in np.unique(m.got != 0)}
    if not found or sum(m.got.size for m in masks) < MANY or len(drawn) < 2:
        return None
    if all(len(np.unique(m.got)) == 1 for m in masks):
        return "Within an array all entries are kept, or all are dropped. Does each of them have a draw of its own?"
    axis = min(found)
    return f"Along axis {axis} all entries are kept, or all are dropped. Which shape do the draws have?"


def _constant_axes(x: np.ndarray) -> set[int]:
    return {axis for axis in range(x.ndim) if bool((x == np.take(x, [0], axis)).all())}


def _shares(mask: _Drawn) -> tuple[float, float, float]:
    """The share of zeros in the mask and in the reference's, and the standard deviation that chance gives."""
    own, right = float((mask.got == 0).mean()), float((mask.right == 0).mean())
    return own, right, math.sqrt(0.5 / mask.got.size)


def _masks(evidence: Evidence) -> Iterator[_Drawn]:
    """The masks of calls with a generator that give what was masked and the mask; and what was made of ones."""
    for transcript, reference in evidence.transcripts:
        for call, recorded in zip(transcript, reference, strict=False):
            if not generators_in(call.request) or call.reply.raised or recorded.raised:
                continue
            pairs = [(as_array(own), as_array(wanted)) for _, own, wanted in leaves(call.reply.value, recorded.value)]
            shaped = [(got, right) for got, right in pairs if got is not None and right is not None]
            if len(shaped) != 2 or len(pairs) != 2 or not all(got.shape == right.shape for got, right in shaped):
                continue
            (_, masked), (got, right) = shaped
            values = np.unique(right)
            is_mask = len(values) == 2 and values[0] == 0 and values[1] > 0
            if is_mask and right.size > 1 and not masked[np.broadcast_to(right == 0, masked.shape)].any():
                yield _Drawn(got, right)
