"""Diagnosers of exceptions: raised where an answer is expected, or not raised where input has to be refused."""

from collections import Counter
from typing import Any

from autograder.feedback.diagnosers.evidence import Answer, Evidence, is_number, shape_of
from autograder.feedback.diagnosers.form import CUT
from autograder.feedback.naming import join

DEVICE_ERRORS = ("Misplaced", "FakeTensorDeviceMismatchError")
DEVICE_WORDS = ("same device", "not on the expected device")
GRAPH_WORDS = ("does not require grad", "does not have a grad_fn")
WORD_CHARACTERS = 30
# So many other arguments are told beside the one that has to be refused.
BESIDE = 2


def wrong_device(evidence: Evidence) -> str | None:
    """Tensors on two devices."""
    raised = [answer.got.raised for answer in evidence.wrong if answer.got.raised is not None]
    if not all(r.type_name in DEVICE_ERRORS or any(words in r.message for words in DEVICE_WORDS) for r in raised):
        return None
    place = _at(raised[0].place)
    return f"A tensor stands on another device than the input{place}. Where is a new tensor made, and on which device?"


def cut_from_the_graph(evidence: Evidence) -> str | None:
    """The answer cannot be differentiated."""
    raised = [answer.got.raised for answer in evidence.wrong if answer.got.raised is not None]
    return CUT if all(any(words in r.message for words in GRAPH_WORDS) for r in raised) else None


def raises_instead(evidence: Evidence) -> str | None:
    """An exception where an answer is expected."""
    return f"{each(len(evidence.wrong))}, {raised_in(evidence)}."


def each(count: int) -> str:
    """How many examples that fail there are: others that nobody tried may fail in another way."""
    return f"In all {count} examples that fail" if count > 1 else "In the one example that fails"


def raised_in(evidence: Evidence) -> str:
    """What is raised instead of an answer, as part of a sentence."""
    raised = [answer.got.raised for answer in evidence.wrong if answer.got.raised is not None]
    counted = Counter((r.type_name, r.place) for r in raised)
    (name, place), count = counted.most_common(1)[0]
    if len(counted) == 1:
        return f"it raises {name} instead of answering{_at(place)}"
    often = f"most often ({count} of {len(raised)})"
    if len({name for name, _ in counted}) == 1:
        return f"it raises {name} instead of answering" + (f", {often} at {place}" if place else "")
    return f"it raises instead of answering, {often} {name}{_at(place)}"


def refuses_too_little(evidence: Evidence) -> str | None:
    """An answer where an exception is expected."""
    wanted = _wanted(evidence)
    if len(wanted) != 1:
        return None
    return f"It answers where {wanted[0]} is expected: {_told_of(evidence)}."


def _told_of(evidence: Evidence) -> str:
    """What was given in the first two examples that differ."""
    told = list(dict.fromkeys(_told(answer) for answer in evidence.wrong))
    return "; or ".join(told[:2]) + (", and the like" if len(told) > 2 else "")


def _told(answer: Answer) -> str:
    """What was given, the bad argument first: shapes of arrays, and numbers.

    A shape may be bad or not: entries may be what has to be refused.
    """
    bad = f"`{answer.naming}`"
    described = {name: text for name, value in answer.inputs.items() if (text := _described(value))}
    shape = shape_of(answer.inputs.get(bad))
    if bad in described and shape is None:
        return f"where {bad} {described[bad]}"
    others = [
        name for name in described if name != bad and (shape is None or shape_of(answer.inputs[name]) is not None)
    ]
    rest = [f"{name} {described[name]}" for name in others[: BESIDE if answer.naming else BESIDE + 1]]
    where = f"where {join(rest)}" if rest else ""
    if not answer.naming:
        return where or "on the input of this check"
    what = f"for a bad {bad}{'' if shape is None else f' of shape {shape}'}"
    return f"{what}, {where}" if where else what


def _described(value: Any) -> str:
    shape = shape_of(value)
    if shape is not None:
        return f"has shape {shape}"
    if is_number(value):
        return f"is {value:g}" if isinstance(value, float) else f"is {value}"
    if isinstance(value, bool) or value is None:
        return f"is {value}"
    if isinstance(value, str):
        return f"is {value[:WORD_CHARACTERS]!r}"
    if isinstance(value, tuple | list) and len(value) <= 4 and all(map(is_number, value)):
        return f"is {value}"
    return ""


def refuses_with_another(evidence: Evidence) -> str | None:
    """Another exception than the one that is asked for."""
    wanted, other = _wanted(evidence), sorted({a.got.raised.type_name for a in evidence.wrong if a.got.raised})
    if len(wanted) != 1:
        return None
    told = each(len(evidence.wrong))
    by_accident = all(a.got.raised is not None and not a.got.raised.on_purpose for a in evidence.wrong)
    if by_accident:
        places = list(dict.fromkeys(_at(a.got.raised.place) for a in evidence.wrong if a.got.raised is not None))
        place = places[0] if len(places) == 1 or not places[0] else f", in the first of them{places[0][1:]}"
        return (
            f"{told}, bad input is not refused, and ends in {' or '.join(other)} further on{place}. "
            f"The exercise asks for {wanted[0]} before that: {_told_of(evidence)}."
        )
    return f"{told}, bad input ends in {' or '.join(other)}, and the exercise asks for {wanted[0]}."


def _wanted(evidence: Evidence) -> list[str]:
    return sorted({a.expected.raised.type_name for a in evidence.wrong if a.expected.raised is not None})


def unnamed_argument(evidence: Evidence) -> str | None:
    """The right exception, and its message does not name the argument."""
    return (
        f"{each(len(evidence.transcripts))}, bad input is refused with the right exception, and not with the right "
        "message: does it name the bad argument?"
    )


def refuses_by_accident(evidence: Evidence) -> str | None:
    """The right exception comes from somewhere else."""
    return (
        f"{each(len(evidence.transcripts))}, bad input ends in an exception of the right type, but by accident: "
        "nothing in the code refuses it, and its message does not name the argument."
    )


def takes_too_long(evidence: Evidence) -> str | None:
    """No answer in time."""
    return "It does not answer in time. Does a loop end, and does it do more rounds than it needs?"


def _at(place: str) -> str:
    return f", at {place}" if place else ""
