"""Which picture a failed check calls for, if numbers say too little: a curve, or squares where an image differs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from autograder.examples.replay import Trial
from autograder.feedback.answers import as_array, differences
from autograder.feedback.code import show
from autograder.feedback.writing import number
from autograder.results import Curve, Squares
from autograder.sandbox.protocol import Request
from autograder.sandbox.values import same_data
from autograder.testing.comparison import Mismatch

MOST_POINTS = 60
FEWEST_POINTS = 6
# Where equal inputs came again so often, and always had equal right answers, entries do not depend on each other.
FEWEST_REPEATS = 3
# As a share of the range of the right values.
VISIBLE = 0.04
MOST_SQUARES = 24
IMAGE_SIDE = 6
MASK_ENTRIES = 12
LEVELS = 4
# So many inputs are named one by one.
FEW = 4


def picture_of(trials: Sequence[Trial]) -> Curve | Squares | None:
    """The picture of a check's failure; None where numbers say as much.

    Args:
        trials: all trials of a check that failed.
    """
    failed = next((trial for trial in trials if trial.failure is not None), None)
    if failed is None or not isinstance(failed.failure, Mismatch):
        return None
    return _squares(failed.failure) or _curve(trials, failed)


@dataclass(frozen=True)
class _Points:
    """Entries of inputs with the right and the student's values, and the call that they were given to."""

    call: str
    x: Any
    right: Any
    yours: Any
    wrong: Any


def _curve(trials: Sequence[Trial], failed: Trial) -> Curve | None:
    asked = _only_call(failed)
    if asked is None:
        return None
    groups: dict[str, list[_Points]] = {}
    for trial in trials:
        points = _points(trial, failed, asked)
        if points is not None:
            groups.setdefault(points.call, []).append(points)
    curves = [_together(group) for group in groups.values()]
    repeats = [_repeats(curve) for curve in curves]
    if None in repeats or sum(filter(None, repeats)) < FEWEST_REPEATS:
        return None
    fullest = max(curves, key=lambda curve: (curve.wrong.any(), len(np.unique(curve.x))))
    return _drawn(fullest) if fullest.wrong.any() and len(np.unique(fullest.x)) >= FEWEST_POINTS else None


def _drawn(points: _Points) -> Curve | None:
    each = _each_input_once(points)
    shown = _spread(each[points.wrong[each]], MOST_POINTS // 2)
    shown = np.concatenate([shown, _spread(each[~points.wrong[each]], MOST_POINTS - len(shown))])
    shown = shown[np.argsort(points.x[shown])]
    if not _is_visible(points.right[shown], points.yours[shown]):
        return None
    yours = [value if np.isfinite(value) else None for value in points.yours[shown].tolist()]
    return Curve(
        tuple(_rounded(points.x[shown].tolist())),
        tuple(_rounded(points.right[shown].tolist())),
        tuple(_rounded(yours)),
        tuple(np.flatnonzero(points.wrong[shown]).tolist()),
        _curve_in_words(points.call, points.x[each], np.flatnonzero(points.wrong[each])),
    )


def _only_call(trial: Trial) -> Request | None:
    """The call of a function of one array and perhaps numbers, if the trial made no other."""
    request = trial.transcript[0].request if len(trial.transcript) == 1 else None
    if request is None or request.kind != "call" or not request.args or not _is_real_array(request.args[0]):
        return None
    others = [*request.args[1:], *request.kwargs.values()]
    return request if all(isinstance(value, bool | int | float | str | None) for value in others) else None


def _is_real_array(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.dtype.is_floating_point
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _points(trial: Trial, failed: Trial, asked: Request) -> _Points | None:
    """What a trial tells of a curve; None if it does not call the function once."""
    if len(trial.example.reference) != 1 or len(trial.replies) != 1:
        return None
    request = _only_call(trial) if trial.transcript else _foreseen(asked, failed.example.values, trial.example.values)
    replies = trial.example.reference[0], trial.replies[0]
    if request is None or request.name != asked.name or any(reply.raised is not None for reply in replies):
        return None
    values = [as_array(value) for value in (request.args[0], *(reply.value for reply in replies))]
    if any(array is None or array.dtype.kind not in "f" or array.shape != values[0].shape for array in values):
        return None
    x, right, yours = values
    wrong = differences(replies[0].value, right, yours) if trial.failure is not None else np.zeros(x.shape, bool)
    usable = np.isfinite(x) & np.isfinite(right)
    return _Points(_call_of_x(request), x[usable], right[usable], yours[usable], wrong[usable])


def _foreseen(asked: Request, drawn: Mapping[str, Any], others: Mapping[str, Any]) -> Request | None:
    """What a trial asks that draws ``others``; answers that are right to the last bit leave no calls behind."""

    def exchanged(value: Any) -> Any:
        names = [name for name, own in drawn.items() if same_data(own, value)]
        return value if not names else others[names[0]] if len(names) == 1 else None

    args = [exchanged(arg) for arg in asked.args]
    kwargs = {name: exchanged(value) for name, value in asked.kwargs.items()}
    is_known = not any(value is None for value in (*args, *kwargs.values())) and _is_real_array(args[0])
    return Request(asked.kind, asked.name, tuple(args), kwargs) if is_known else None


def _together(group: Sequence[_Points]) -> _Points:
    entries = (np.concatenate([getattr(points, name) for points in group]) for name in ("x", "right", "yours", "wrong"))
    return _Points(group[0].call, *entries)


def _repeats(points: _Points) -> int | None:
    """How many inputs came again; None if one had another right answer then, as where entries depend on each other."""
    order = np.argsort(points.x, kind="stable")
    x, right = points.x[order], points.right[order]
    same = x[1:] == x[:-1]
    agree = np.isclose(right[1:], right[:-1], rtol=1e-4, atol=1e-6)
    return int(same.sum()) if agree[same].all() else None


def _is_visible(right: Any, yours: Any) -> bool:
    """Whether the two can be told apart in a drawing."""
    with np.errstate(all="ignore"):
        return not bool((np.abs(yours - right) <= VISIBLE * np.ptp(right)).all())


def _each_input_once(points: _Points) -> Any:
    """Places of the entries by rising input; of equal inputs one whose value is wrong, if there is one."""
    order = np.lexsort((~points.wrong, points.x))
    return order[np.concatenate([[True], np.diff(points.x[order]) > 0])]


def _spread(places: Any, most: int) -> Any:
    """At most so many of them, from all over."""
    if len(places) <= most:
        return places
    return places[np.linspace(0, len(places) - 1, most).round().astype(int)]


def _rounded(values: list[Any]) -> Iterator[Any]:
    return (None if value is None else float(f"{value:.4g}") for value in values)


def _call_of_x(asked: Request) -> str:
    named = [f"{name}={show(value)}" for name, value in asked.kwargs.items()]
    return f"`{asked.name}({', '.join(['x', *map(show, asked.args[1:]), *named])})`"


def _curve_in_words(call: str, x: Any, wrong: Any) -> str:
    count, total = len(wrong), len(x)
    at = [number(float(x[place]), 4) for place in wrong]
    start = f"{call} is wrong at {count} of {total} inputs"
    if count == total:
        return f"{call} is wrong at all {total} inputs, from x = {at[0]} to x = {at[-1]}."
    if count <= FEW:
        return f"{start}: x = {', '.join(at)}."
    if wrong[-1] - wrong[0] + 1 == count:
        return f"{start}: all from x = {at[0]} to x = {at[-1]}."
    if total - count <= FEW:
        right = [number(float(x[place]), 4) for place in sorted({*range(total)} - {*wrong.tolist()})]
        return f"{start}: all but x = {', '.join(right)}."
    return f"{start}: x = {', '.join(at[:FEW])} and others."


def _squares(mismatch: Mismatch) -> Squares | None:
    right, own = as_array(mismatch.expected), as_array(mismatch.got)
    if right is None or own is None or right.shape != own.shape or right.dtype.kind == "c" or own.dtype.kind == "c":
        return None
    is_mask = right.dtype.kind == own.dtype.kind == "b"
    is_image = right.ndim in (2, 4) and max(right.shape[-2:]) >= IMAGE_SIDE
    is_grid = right.ndim == 2 and right.dtype.kind in "biu" and right.size >= MASK_ENTRIES
    if not (is_image or is_grid) or min(right.shape) == 0 or min(right.shape[-2:]) < 2:
        return None
    wrong = differences(mismatch.expected, right, own)
    # Answers of another dtype alone have no entry to show.
    if not wrong.any() or (wrong.all() and not is_mask and not _differs_in_size(right, own)):
        return None
    place = _worst_image(wrong)
    levels = _levels(right, own, wrong)[place]
    block = -(-max(levels.shape) // MOST_SQUARES)
    rows = tuple("".join(row) for row in _pooled(levels, block))
    return Squares(rows, block, is_mask, _squares_in_words(wrong, place))


def _differs_in_size(right: Any, own: Any) -> bool:
    """Whether some entries are much further off than others: squares of one size show nothing."""
    with np.errstate(all="ignore"):
        distance = np.abs(own.astype(np.float64) - right.astype(np.float64))
    return bool(distance.max() > 2 * distance.min()) if np.isfinite(distance).all() else True


def _worst_image(wrong: Any) -> tuple[int, ...]:
    if wrong.ndim == 2:
        return ()
    counts = wrong.sum(axis=(-2, -1))
    return tuple(int(i) for i in np.unravel_index(counts.argmax(), counts.shape))


def _levels(right: Any, own: Any, wrong: Any) -> Any:
    """A signed level for each entry: 0 where it is right, up to `LEVELS` in size; nan where it is no number."""
    with np.errstate(all="ignore"):
        distance = own.astype(np.float64) - right.astype(np.float64)
        largest = np.abs(distance[wrong & np.isfinite(distance)]).max(initial=0.0) or 1.0
        sizes = np.ceil(np.abs(distance) / largest * LEVELS).clip(1, LEVELS) * np.sign(distance)
    return np.where(wrong, np.where(np.isfinite(own) & np.isfinite(distance), sizes, np.nan), 0.0)


def _pooled(levels: Any, block: int) -> Iterator[Iterator[str]]:
    for top in range(0, levels.shape[0], block):
        parts = (levels[top : top + block, left : left + block] for left in range(0, levels.shape[1], block))
        yield (_character(part.ravel()[np.nan_to_num(np.abs(part), nan=np.inf).argmax()]) for part in parts)


def _character(level: float) -> str:
    if np.isnan(level):
        return "x"
    if level == 0:
        return "."
    return str(int(level)) if level > 0 else "abcd"[int(-level) - 1]


def _squares_in_words(wrong: Any, place: tuple[int, ...]) -> str:
    image = wrong[place]
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    where = f"in image {place[0]}, channel {place[1]}, " if place else ""
    return (
        f"{int(wrong.sum())} of {wrong.size} entries differ: {where}"
        f"{_span('row', rows.tolist())}, {_span('column', columns.tolist())}."
    )


def _span(name: str, places: list[int]) -> str:
    if len(places) == 1:
        return f"{name} {places[0]}"
    return f"{name}s {places[0]} to {places[-1]}" if len(places) > 2 else f"{name}s {places[0]} and {places[1]}"
