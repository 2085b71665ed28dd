"""Which calls of a transcript a reader needs: the one that failed, and what its answer depends on."""

from collections.abc import Iterator, Sequence
from typing import Any

from autograder.sandbox.nested import leaves
from autograder.sandbox.values import Handle
from autograder.testing.comparison import Mismatch, NotRefused
from autograder.testing.student import TRACED, Call, StudentError

# Operators that may change an object, or what it does next.
CHANGING = ("setitem", "enter", "exit", "call", "iter", "next")


def calls_that_show(transcript: Sequence[Call], failure: Exception | None) -> tuple[Call, ...]:
    """The calls that failed, and before them those whose results they use, in order.

    A call uses the objects and arrays that it is given, with whatever was done to these objects before, and a generator
    as earlier calls left it. One that is given nothing answers by what all calls before it did.
    """
    kept = _Kept(transcript)
    for call in _failed(transcript, failure):
        kept.take(call)
    return kept.in_order


def _failed(transcript: Sequence[Call], failure: Exception | None) -> list[Call]:
    """The calls that gave what an assertion compared; where that is not known, all since one passed."""
    # A block is left after what failed in it.
    transcript = [call for call in transcript if not _is_operator(call, "exit")] or transcript
    if not transcript:
        return []
    last = transcript[-1]
    if isinstance(failure, StudentError):
        return [next((call for call in reversed(transcript) if call.reply.raised is failure.raised), last)]
    if failure is None or isinstance(failure, NotRefused):
        return [last]
    recent = [call for call in transcript if call.asserted == last.asserted]
    if not isinstance(failure, Mismatch):
        return recent
    if failure.expected is None and failure.got is None:
        return [last]
    got = _giving(failure.got, transcript if isinstance(failure.got, TRACED) else recent)
    if got is None:
        return recent
    expected = _giving(failure.expected, transcript) if isinstance(failure.expected, TRACED) else None
    return [got] if expected is None else [expected, got]


def _giving(value: object, calls: Sequence[Call]) -> Call | None:
    """The last call in whose result this very object stands."""
    for call in reversed(calls):
        if call.reply.value is value or any(leaf is value for leaf in leaves(call.reply.value)):
            return call
    return None


class _Kept:
    """Calls of a transcript that are to be shown; with each come those that it uses."""

    def __init__(self, transcript: Sequence[Call]) -> None:
        self._transcript = transcript
        self._places = {id(call): place for place, call in enumerate(transcript)}
        self._involved = [_objects([call.request.args, call.request.kwargs, call.reply.value]) for call in transcript]
        self._taken: set[int] = set()

    @property
    def in_order(self) -> tuple[Call, ...]:
        return tuple(self._transcript[place] for place in sorted(self._taken))

    def take(self, call: Call) -> None:
        """Keeps a call, what made the objects and arrays that it is given, and what was done to these objects."""
        place = self._places[id(call)]
        if place in self._taken:
            return
        self._taken.add(place)
        for used in call.origins.values():
            self.take(used)
        for effect in self._effects_on(place):
            self._take_alone(effect)
        self._take_alone(place)

    def _take_alone(self, place: int) -> None:
        """Keeps a call with what it is given; what was done to these objects is kept for another call already."""
        self._taken.add(place)
        for used in self._transcript[place].origins.values():
            self.take(used)
        for number in _given(self._transcript[place]):
            made = next((i for i in range(place) if number in _objects(self._transcript[i].reply.value)), None)
            if made is not None and made not in self._taken:
                self._take_alone(made)

    def _effects_on(self, place: int) -> Iterator[int]:
        """Earlier calls that may have changed what this one answers, in the objects it is given or for all."""
        request = self._transcript[place].request
        asks_for_all = not request.args and not request.kwargs
        related = self._related(_given(self._transcript[place]), place)
        for i, one in enumerate(self._transcript[:place]):
            if one.reply.raised is not None or not _is_effect(one):
                continue
            is_for_all = one.request.kind == "call" and one.reply.value is None
            if asks_for_all or is_for_all or _is_operator(one, "enter", "exit") or self._involved[i] & related:
                yield i

    def _related(self, objects: set[int], place: int) -> set[int]:
        """The objects that may hold one of these or be held by one: they took part in a call with it, and so on."""
        related, grown = objects, bool(objects)
        while grown:
            more = related.union(*(group for group in self._involved[:place] if group & related))
            related, grown = more, len(more) > len(related)
        return related


def _is_effect(call: Call) -> bool:
    """Whether a call may change anything that later calls see."""
    if call.request.kind == "call":
        return call.reply.value is None or bool(_given(call))
    return call.request.kind in ("method", "assign") or _is_operator(call, *CHANGING)


def _is_operator(call: Call, *names: str) -> bool:
    return call.request.kind == "operator" and call.request.name in names


def _given(call: Call) -> set[int]:
    return _objects([call.request.args, call.request.kwargs])


def _objects(value: Any) -> set[int]:
    return {leaf.number for leaf in leaves(value) if isinstance(leaf, Handle)}
