"""Diagnosers of what an answer depends on: an argument that makes no difference, or that enters in another way."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from torch import Tensor

from autograder.feedback.diagnosers.evidence import Answer, Evidence, as_array, is_number, single_difference
from autograder.feedback.likeness import same_answer
from autograder.sandbox.protocol import Reply

# So many different values of an argument, and so many different answers, show that it is not used.
ENOUGH = 4
MOST_ANSWERS = 40
# Beyond so many, entries are not compared.
MOST_ENTRIES = 4000
# Smaller numbers look alike, whatever they come from.
NOTHING = 1e-3
UPSTREAM = "`grad_out`"


def ignores_an_argument(evidence: Evidence) -> str | None:
    """Answers stay the same when one argument alone changes, though the right ones do not.

    That is said only if some call was asked with enough different values of it that have as many right answers, and if
    no other number, and no form of the call, is the same wherever that is seen.
    """
    answers = [a for a in (*evidence.wrong, *evidence.right) if a.request.kind in ("call", "method") and not a.drawn]
    answers = [a for a in answers if a.got.raised is None and a.expected.raised is None][:MOST_ANSWERS]
    ignored: dict[str, list[tuple[Answer, Answer]]] = defaultdict(list)
    used: set[str] = set()
    for a, b in combinations(answers, 2):
        name = _argument_at(a, single_difference(a.request, b.request))
        if name is None:
            continue
        if not same_answer(a.got, b.got):
            used.add(name)
        elif not same_answer(a.expected, b.expected) and _says_something(a, b):
            ignored[name].append((a, b))
    names = sorted(name for name, pairs in ignored.items() if name not in used and _is_shown(pairs, answers))
    if len(names) != 1:
        return None
    name = names[0][0].upper() + names[0][1:]
    return (
        f"{name} made no difference where it was tried: calls that differ in it alone gave the same answer. "
        "Where does it enter, and does it in every case?"
    )


def _is_shown(pairs: Sequence[tuple[Answer, Answer]], answers: Sequence[Answer]) -> bool:
    """Whether pairs of calls that agree show that the argument in which they differ is ignored."""
    agreeing: dict[int, list[Answer]] = defaultdict(list)
    for a, b in pairs:
        agreeing[id(a)].append(b)
    most = max(agreeing.values(), key=len)
    if len(_different([answer.expected for answer in most])) < ENOUGH - 1:
        return False
    seen = [answer for pair in pairs for answer in pair]
    return _settings(seen) >= _settings(answers) or len(_settings(seen)) >= ENOUGH


def _different(replies: Sequence[Reply]) -> list[Reply]:
    found: list[Reply] = []
    for reply in replies:
        if not any(same_answer(reply, other) for other in found):
            found.append(reply)
    return found


def _settings(answers: Sequence[Answer]) -> set[str]:
    """How the calls are formed, and the plain values that they give."""
    return {
        repr((len(a.request.args), sorted(a.request.kwargs), [v for v in a.inputs.values() if _is_plain(v)]))
        for a in answers
    }


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float | str)


def _argument_at(a: Answer, place: str | int | None) -> str | None:
    """How a sentence names the argument at a place of a call."""
    if place is None:
        return None
    if isinstance(place, str):
        return f"`{place}`"
    own = [name for name, value in a.inputs.items() if value is a.request.args[place]]
    return own[0] if own else None


def _says_something(a: Answer, b: Answer) -> bool:
    """Whether an answer is something where the right ones differ: 0 can come of anything, such as an argument of 0."""
    got, one, other = (as_array(reply.value) for reply in (a.got, a.expected, b.expected))
    if got is None or one is None or other is None or not got.shape == one.shape == other.shape:
        return got is None
    return bool((np.abs(got[np.abs(one - other) > NOTHING]) > NOTHING).any())


class _Entry(NamedTuple):
    """An entry of an answer beside the right one, and what was passed in at its place."""

    got: float
    expected: float
    given: tuple[float, ...]
    atol: float


def ignores_an_entry(evidence: Evidence) -> str | None:
    """Entries stay the same when those of one argument change, or one number, though the right ones do not."""
    names, entries = _entries(evidence)
    found = []
    for place, name in enumerate(names):
        groups = [_one_each(group, place) for group in _alike_but_for(entries, place)]
        telling = [g for g in groups if any(_apart(a.expected, b.expected, a) for a, b in combinations(g, 2))]
        if any(_apart(a.got, b.got, a) for group in groups for a, b in combinations(group, 2)):
            continue
        values = {entry.given[place] for group in telling for entry in group}
        answers = {round(group[0].got, 6) for group in telling} - {0.0}
        if min(len(values), len(answers)) >= ENOUGH:
            found.append(name)
    if len(found) != 1:
        return None
    return (
        f"{found[0]} made no difference where it was tried: entries that differ in it alone came out the same. "
        "Where does it enter?"
    )


def not_proportional(evidence: Evidence) -> str | None:
    """The right gradient is proportional to the one from above; the wrong one is not."""
    groups = _by_upstream(evidence)
    broken = [group for group in groups if not _is_proportional(group, right=False)]
    if len(broken) < ENOUGH or not all(_is_proportional(group, right=True) for group in groups):
        return None
    return (
        f"The right answer is proportional to {UPSTREAM}: where that is twice as large, so is the answer. "
        f"Yours is not. What happens to {UPSTREAM}?"
    )


def only_the_slope(evidence: Evidence) -> str | None:
    """The gradient is proportional to the one from above, as it should be, and is wrong all the same."""
    groups = [group for group in _by_upstream(evidence) if any(_apart(e.got, e.expected, e) for e in group)]
    # Where nothing is expected, what is added shows nowhere.
    telling = [group for group in groups if any(entry.expected for entry in group)]
    if len(telling) < ENOUGH or not all(
        _is_proportional(group, right=right) for group in groups for right in (True, False)
    ):
        return None
    if not any(entry.got for group in groups for entry in group):
        return None
    return f"{UPSTREAM} enters as it should: the answer is proportional to it. What it is multiplied by is wrong."


def _by_upstream(evidence: Evidence) -> list[list[_Entry]]:
    """Entries alike in all but the upstream gradient, whose value comes first of what was given."""
    names, entries = _entries(evidence)
    if UPSTREAM not in names or len(names) < 2:
        return []
    place = names.index(UPSTREAM)
    groups = [_one_each(group, place) for group in _alike_but_for(entries, place)]
    return [
        [entry._replace(given=(entry.given[place],)) for entry in group if entry.given[place]]
        for group in groups
        if len(group) > 1
    ]


def _is_proportional(group: Sequence[_Entry], *, right: bool) -> bool:
    """Whether entries are to each other as the upstream gradients are."""
    values = [(entry.expected if right else entry.got, entry.given[0], entry) for entry in group]
    return all(
        abs(a * y - b * x) <= 4 * one.atol * (abs(x) + abs(y)) * max(1.0, abs(a), abs(b))
        for (a, x, one), (b, y, _) in combinations(values, 2)
    )


def _entries(evidence: Evidence) -> tuple[tuple[str, ...], list[_Entry]]:
    """Every entry of the answers of a function of entries, and the names of what each was made from; none for others.

    A function of entries has no other arrays than those with an entry for each of the answer, and where all of these
    and all numbers are equal, so is the answer.
    """
    if not evidence.pairs:
        return (), []
    names = tuple(evidence.pairs[0].inputs)
    entries: list[_Entry] = []
    for pair in (*evidence.pairs, *evidence.right_pairs):
        given = _given(pair.inputs, pair.got.shape)
        # Half precision rounds too coarsely to tell what is equal.
        if given is None or pair.dtype not in ("float32", "float64"):
            continue
        if set(given) - set(names):
            return (), []
        columns = [np.broadcast_to(given.get(name, np.nan), pair.got.shape).ravel() for name in names]
        for got, expected, *own in zip(pair.got.ravel(), pair.expected.ravel(), *columns, strict=True):
            entries.append(_Entry(got, expected, tuple(own), max(pair.atol, pair.rtol)))
        if len(entries) > MOST_ENTRIES:
            return (), []
    finite = [e for e in entries if np.isfinite([e.got, e.expected]).all()]
    return (names, finite) if _is_of_entries(finite) else ((), [])


def _given(inputs: Mapping[str, object], shape: tuple[int, ...]) -> dict[str, np.ndarray] | None:
    """The numbers that go into each entry; None if something else does."""
    found = {}
    for name, value in inputs.items():
        # Of a word only matters whether it is another one.
        number = float(hash(value) % 2**31) if isinstance(value, str | bool | None) else value
        array = as_array(number) if isinstance(number, Tensor | np.ndarray) or is_number(number) else None
        if array is None or array.shape not in ((), shape):
            return None
        found[name] = array
    return found


def _is_of_entries(entries: Sequence[_Entry]) -> bool:
    first: dict[tuple[float, ...], _Entry] = {}
    return not any(
        _apart(entry.got, (known := first.setdefault(_key(entry.given), entry)).got, known) for entry in entries
    )


def _key(given: tuple[float, ...]) -> tuple[float, ...]:
    """What was given, such that it can be compared: an argument that was left out is nan."""
    return tuple(np.inf if np.isnan(value) else value for value in given)


def _alike_but_for(entries: Sequence[_Entry], place: int) -> Iterator[list[_Entry]]:
    groups: dict[tuple[float, ...], list[_Entry]] = defaultdict(list)
    for entry in entries:
        if not np.isnan(entry.given[place]):
            groups[_key((*entry.given[:place], *entry.given[place + 1 :]))].append(entry)
    yield from groups.values()


def _one_each(group: Sequence[_Entry], place: int) -> list[_Entry]:
    """One entry for each value of an argument, and not too many."""
    return list({entry.given[place]: entry for entry in group}.values())[:ENOUGH]


def _apart(a: float, b: float, entry: _Entry) -> bool:
    return abs(a - b) > 4 * entry.atol * max(1.0, abs(a), abs(b))
