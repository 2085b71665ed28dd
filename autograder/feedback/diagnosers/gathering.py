"""From trials to symptoms: what goes wrong in which failing examples, and in which parts of the answers."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from torch import Tensor

from autograder.examples.replay import Trial
from autograder.feedback.diagnosers.evidence import Answer, Evidence, Situation, as_array, is_number
from autograder.feedback.likeness import same_answer, same_value
from autograder.feedback.naming import EACH, ORDINALS, Part, Step
from autograder.sandbox.messages import generators_in
from autograder.sandbox.protocol import Reply, Request
from autograder.sandbox.values import Handle, same_data
from autograder.testing.comparison import Mismatch

# In this order: of an answer that has several, the first counts.
Symptom = Literal[
    "timeout",
    "raises",
    "answers",
    "other_exception",
    "message",
    "accident",
    "nothing",
    "type",
    "length",
    "keys",
    "shape",
    "dtype",
    "not_finite",
    "hides",
    "numbers",
    "changes",
    "unseen",
    "forms",
]
FORMS: tuple[Symptom, ...] = ("nothing", "type", "length", "keys", "shape", "dtype", "not_finite", "hides", "numbers")

Places = Mapping[tuple[str, int], str]
Leaf = tuple[tuple[Step, ...], Any, Any]
NAMED = re.compile(r"(?:does not name|that names) `([^`]+)`")


@dataclass(frozen=True)
class Finding:
    """One symptom.

    Attributes:
        trials: the failing trials that have it.
        whole: the evidence on the whole answers.
        parts: the evidence on each part that has the symptom; one empty part where the answer has none.
        wrong_parts: of each wrong answer the parts that are wrong, in this way or in another.
        right_parts: parts that are right in every wrong answer.
        mixed: parts that have the symptom and are wrong in another way, too: here, or in another answer.
    """

    symptom: Symptom
    trials: tuple[Trial, ...]
    whole: Evidence
    parts: Mapping[Part, Evidence]
    wrong_parts: tuple[tuple[Part, ...], ...] = ()
    right_parts: tuple[Part, ...] = ()
    mixed: frozenset[Part] = frozenset()

    @property
    def count(self) -> int:
        """How many failing trials have it."""
        return len(self.trials)


@dataclass(frozen=True)
class _Case:
    """A failing trial, the answers up to the first wrong one, and what is wrong with that."""

    trial: Trial
    wrong: Answer | None
    symptom: Symptom


def findings(trials: Sequence[Trial]) -> tuple[Finding, ...]:
    """The symptoms of a wrong solution, the commonest first."""
    places = _places(trials)
    alike = _draws_alike(trials)
    cases: list[_Case] = []
    right: list[Answer] = []
    passing: list[Situation] = []
    for trial in trials:
        answers = tuple(_answers(trial, places, alike))
        wrong = next((answer for answer in answers if not _is_right(answer)), None)
        right.extend(answer for answer in answers if answer is not wrong)
        if trial.failure is not None:
            cases.append(_Case(trial, wrong, _symptom(trial, wrong, alike)))
        elif wrong is None and _answers_fully(trial):
            passing.append(_situation(trial, answers[-1] if answers else None, right=True))
    counted = Counter(case.symptom for case in cases)
    # What is said of when it goes wrong has to hold for every example that fails, with whatever symptom.
    situations = (*(_situation(case.trial, case.wrong, right=False) for case in cases), *passing)
    made = [
        _finding(symptom, [case for case in cases if case.symptom == symptom], tuple(right), situations, alike)
        for symptom, _ in counted.most_common()
    ]
    return tuple(sorted(made, key=lambda finding: -finding.count))


def _finding(
    symptom: Symptom,
    cases: Sequence[_Case],
    right: tuple[Answer, ...],
    situations: tuple[Situation, ...],
    alike: bool | None,
) -> Finding:
    wrong = tuple(case.wrong for case in cases if case.wrong is not None)
    transcripts = tuple((case.trial.transcript, case.trial.example.reference) for case in cases)
    sure = alike is True or not any(answer.drawn for answer in wrong)
    whole = Evidence(wrong, right, situations, transcripts, sure)
    having = tuple(case.trial for case in cases)
    if symptom not in FORMS:
        return Finding(symptom, having, whole, {_part(wrong): whole}, tuple((_part(wrong),) for _ in wrong))
    by_part: dict[Part, list[Answer]] = {}
    right_of: dict[Part, list[Answer]] = {}
    bad: list[tuple[Part, ...]] = []
    good: list[set[Part]] = []
    mixed: set[Part] = set()
    for answer in wrong:
        forms: dict[Part, set[Symptom | None]] = {}
        for path, got, expected, form in _forms(answer):
            # Where the order of draws is free, other numbers are no worse.
            if form == "numbers" != symptom and answer.drawn and alike is not True:
                continue
            part = Part(answer.request.kind, _member(answer.request), path)
            forms.setdefault(part, set()).add(form)
            if form is None or form == symptom:
                (by_part if form else right_of).setdefault(part, []).append(_leaf(answer, got, expected))
        bad.append(tuple(part for part, own in forms.items() if own != {None}))
        good.append({part for part, own in forms.items() if own == {None}})
        mixed.update(part for part, own in forms.items() if own - {None, symptom})
    for answer in right:
        if answer.got.raised is None and answer.expected.raised is None:
            for path, got, expected in leaves(answer.got.value, answer.expected.value):
                part = Part(answer.request.kind, _member(answer.request), path)
                right_of.setdefault(part, []).append(_leaf(answer, got, expected))
    parts = {
        part: replace(whole, wrong=tuple(own), right=tuple(right_of.get(part, ()))) for part, own in by_part.items()
    }
    beside = {part.path[:1] for own in bad for part in own}
    right_parts = tuple(
        part
        for part in right_of
        if all(part in own for own in good) and (part.path[:1] not in beside or len(part.path) > 1)
    )
    return Finding(symptom, having, whole, parts, tuple(bad), right_parts, frozenset(mixed & parts.keys()))


def merged(found: Sequence[Finding]) -> Finding | None:
    """The symptoms in which answers differ from the expected ones, as one; None where there are not several."""
    own = [finding for finding in found if finding.symptom in FORMS]
    if len(own) < 2:
        return None
    parts: dict[Part, Evidence] = {}
    for finding in own:
        for part, evidence in finding.parts.items():
            before = parts[part].wrong if part in parts else ()
            parts[part] = replace(evidence, wrong=(*before, *evidence.wrong))
    whole = replace(own[0].whole, wrong=tuple(answer for finding in own for answer in finding.whole.wrong))
    # Right each time is what is right in all trials of every symptom.
    right = tuple(part for part in own[0].right_parts if all(part in finding.right_parts for finding in own))
    bad = tuple(answer for finding in own for answer in finding.wrong_parts)
    return Finding("forms", tuple(trial for finding in own for trial in finding.trials), whole, parts, bad, right)


def _part(wrong: Sequence[Answer]) -> Part:
    asked = {(answer.request.kind, _member(answer.request)) for answer in wrong}
    return Part(*asked.pop()) if len(asked) == 1 else Part("call", "")


def _forms(answer: Answer) -> Iterator[tuple[tuple[Step, ...], Any, Any, Symptom | None]]:
    """The parts of an answer, and in what each differs from the expected one.

    Where a check looked closer, what differs by less than the tolerance is wrong, too.
    """
    found = [(*leaf, form_of(*leaf[1:])) for leaf in leaves(answer.got.value, answer.expected.value)]
    closer = isinstance(answer, _Compared) and all(form is None for *_, form in found)
    for path, got, expected, form in found:
        yield path, got, expected, "numbers" if closer and not same_data(got, expected) else form


def _leaf(answer: Answer, got: Any, expected: Any) -> Answer:
    """A part of an answer; what was printed or changed meanwhile stays known of it."""
    return replace(answer, got=replace(answer.got, value=got), expected=replace(answer.expected, value=expected))


def _member(request: Request) -> str:
    return request.name if request.kind in ("attribute", "method", "operator") else ""


def leaves(got: Any, expected: Any, path: tuple[Step, ...] = ()) -> Iterator[Leaf]:
    """The two values' parts side by side, down to where they have none, or no longer the same ones.

    In a list of groups of one form the place in the list does not matter.
    """
    if isinstance(expected, tuple) and isinstance(got, tuple) and len(got) == len(expected) > 0:
        for i, (g, e) in enumerate(zip(got, expected, strict=True)):
            yield from leaves(g, e, (*path, Step(i, len(expected))))
    elif isinstance(expected, list) and isinstance(got, list) and len(got) == len(expected) and _has_parts(expected):
        for g, e in zip(got, expected, strict=True):
            yield from leaves(g, e, (*path, Step(EACH, 0)))
    elif isinstance(expected, dict) and isinstance(got, dict) and got.keys() == expected.keys() and expected:
        for key in expected:
            yield from leaves(got[key], expected[key], (*path, Step(str(key), len(expected))))
    else:
        yield path, got, expected


def _has_parts(value: list[Any]) -> bool:
    return bool(value) and not all(map(is_number, value))


def form_of(got: Any, expected: Any) -> Symptom | None:
    """In what a part of an answer differs from the expected one; None if it does not."""
    if same_value(got, expected):
        return None
    if got is None:
        return "nothing"
    if kind(got) != kind(expected):
        return "type"
    if isinstance(expected, list | tuple) and len(got) != len(expected):
        return "length"
    if isinstance(expected, dict):
        return "keys"
    if isinstance(expected, Tensor | np.ndarray):
        if got.shape != expected.shape:
            return "shape"
        if got.dtype != expected.dtype:
            return "dtype"
    if _is_spoilt(got, expected):
        return "not_finite"
    return "hides" if _is_spoilt(expected, got) else "numbers"


def _is_spoilt(one: Any, other: Any) -> bool:
    """Whether there is nan or infinity where the other has a number."""
    own, right = as_array(one), as_array(other)
    if own is None or right is None or own.shape != right.shape:
        return False
    return bool((~np.isfinite(own) & np.isfinite(right)).any())


def kind(value: Any) -> str:
    """What a value is, with its article."""
    if isinstance(value, Tensor):
        return "a torch tensor"
    if isinstance(value, np.ndarray):
        return "a numpy array" if value.ndim else "a numpy number"
    if isinstance(value, Handle) or (isinstance(value, str) and value.startswith("<") and value.endswith(">")):
        return "an object"
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _is_right(answer: Answer) -> bool:
    return same_answer(answer.got, answer.expected) and not isinstance(answer, _Compared)


def _symptom(trial: Trial, wrong: Answer | None, alike: bool | None) -> Symptom:
    if trial.timed_out:
        return "timeout"
    if wrong is None:
        return _said_badly(trial) or "unseen"
    got, expected = wrong.got, wrong.expected
    if expected.raised is not None:
        return "answers" if got.raised is None else "other_exception"
    if got.raised is not None:
        return "raises"
    forms = {form_of(g, e) for _, g, e in leaves(got.value, expected.value)}
    found = next((form for form in FORMS if form in forms), None)
    if found is None:
        changed = bool(got.changed) and not expected.changed
        return "changes" if changed else "numbers" if isinstance(wrong, _Compared) else "unseen"
    return "unseen" if found == "numbers" and wrong.drawn and alike is False else found


def _said_badly(trial: Trial) -> Symptom | None:
    """What is wrong with the right exception: it does not name the argument, or was not meant."""
    message = trial.failure.message if isinstance(trial.failure, Mismatch) else ""
    return "message" if "does not name" in message else "accident" if "came by accident" in message else None


def _draws_alike(trials: Sequence[Trial]) -> bool | None:
    """Whether passing answers to calls with a generator are the reference's; None where there are none.

    A right solution may draw in another order. Its answers then are no worse for not being the reference's.
    """
    seen = [
        same_answer(call.reply, recorded)
        for trial in trials
        if trial.failure is None
        for call, recorded in zip(trial.transcript, trial.example.reference, strict=False)
        if generators_in(call.request) and recorded.raised is None
    ]
    if not all(seen):
        return False
    exact = any(trial.failure is None and not trial.transcript and _answers_fully(trial) for trial in trials)
    return True if seen or exact else None


def _answers(trial: Trial, places: Places, alike: bool | None) -> Iterator[Answer]:
    """The calls with what was expected, up to the first wrong one: later ones may be asked with its answer."""
    message = trial.failure.message if isinstance(trial.failure, Mismatch) else ""
    named = NAMED.search(message)
    naming = named[1] if named else ""
    for call, recorded in zip(trial.transcript, trial.example.reference, strict=False):
        drawn = bool(generators_in(call.request))
        answer = Answer(call.request, _named(call.request, places), call.reply, recorded, drawn, naming)
        if drawn and alike is False and _differs_in_numbers_alone(answer):
            continue
        yield answer
        if not same_answer(call.reply, recorded):
            return
    compared = _compared(trial, places)
    if compared is not None:
        yield compared


def _differs_in_numbers_alone(answer: Answer) -> bool:
    if answer.got.raised is not None or answer.expected.raised is not None:
        return False
    forms = {form_of(g, e) for _, g, e in leaves(answer.got.value, answer.expected.value)}
    return forms <= {None, "numbers"}


@dataclass(frozen=True)
class _Compared(Answer):
    """An answer that a check compared with an expected value of its own, more closely than usual."""


def _compared(trial: Trial, places: Places) -> Answer | None:
    """The answer that the check itself compared, if it was a call's own and not computed from it."""
    failure = trial.failure
    if not isinstance(failure, Mismatch) or failure.expected is None:
        return None
    for call in reversed(trial.transcript):
        if call.reply.raised is None and same_data(failure.got, call.reply.value):
            inputs = _named(call.request, places)
            drawn = bool(generators_in(call.request))
            return _Compared(call.request, inputs, call.reply, Reply(failure.expected), drawn)
    return None


def _situation(trial: Trial, answer: Answer | None, *, right: bool) -> Situation:
    """What was drawn, and what the call was given."""
    values = _drawn(trial)
    if answer is None and len(trial.example.values) > len(_groups(trial)) > 0:
        # A contract changes what it draws, and the call is not known.
        values = {name: value for name, value in values.items() if not isinstance(value, Tensor | np.ndarray)}
    given = answer.inputs if answer is not None else {}
    telling = not all(map(is_zero, trial.example.reference))
    values |= {name.strip("`"): value for name, value in given.items() if name.startswith("`")}
    return Situation(values, right, frozenset(trial.example.values), _dtype(trial), telling)


def is_zero(reply: Reply) -> bool:
    """Whether an answer has numbers, and all of them are 0."""
    arrays = [as_array(value) for _, value, _ in leaves(reply.value, reply.value)]
    return bool(arrays) and all(array is not None and not array.any() for array in arrays)


def _groups(trial: Trial) -> list[dict[str, Any]]:
    """The sets of arguments by name that are drawn as one value."""
    return [value for value in trial.example.values.values() if isinstance(value, dict) and all_names(value)]


def all_names(keys: Iterable[Any]) -> bool:
    """Whether all are words that may name an argument."""
    return all(isinstance(key, str) and key.isidentifier() for key in keys)


def _drawn(trial: Trial) -> dict[str, Any]:
    """The drawn values by name, those of a set of arguments too."""
    alone = {name: value for name, value in trial.example.values.items() if not isinstance(value, dict)}
    return alone | {name: value for group in _groups(trial) for name, value in group.items()}


def _dtype(trial: Trial) -> str:
    """The dtype of the first floating tensor or array of the right answers."""
    for reply in trial.example.reference:
        for _, value, _ in leaves(reply.value, reply.value):
            name = str(getattr(value, "dtype", "")).removeprefix("torch.")
            if "float" in name:
                return name
    return ""


def _answers_fully(trial: Trial) -> bool:
    """Whether there were answers that say something: none empty, none refused."""
    own, recorded = trial.replies, trial.example.reference
    values = [value for reply in recorded for _, value, _ in leaves(reply.value, reply.value)]
    return (
        bool(recorded)
        and len(own) == len(recorded)
        and all(reply.raised is None for reply in recorded)
        and not any(_is_empty(value) for value in values)
    )


def _is_empty(value: Any) -> bool:
    array = as_array(value)
    return value in ([], {}, ()) if isinstance(value, list | dict | tuple) else array is not None and not array.size


def _places(trials: Sequence[Trial]) -> Places:
    """What the check authors call each positional argument: the drawn value that it most often is."""
    votes: dict[tuple[str, int], Counter[str]] = {}
    for trial in trials:
        for call in trial.transcript:
            for place, name in _places_in(trial, call.request):
                votes.setdefault((call.request.name, place), Counter())[name] += 1
    names: dict[tuple[str, int], str] = {}
    for (function, place), counted in sorted(votes.items()):
        name = counted.most_common(1)[0][0]
        if (function, name) not in {(f, n) for (f, _), n in names.items()}:
            names[function, place] = name
    return names


def _places_in(trial: Trial, request: Request) -> Iterator[tuple[int, str]]:
    in_order = _in_order(trial, request)
    if in_order:
        yield from enumerate(in_order)
        return
    left = _drawn(trial)
    for place, value in enumerate(request.args):
        same = (n for n, own in left.items() if type(own) is type(value) and same_data(own, value))
        if (name := next(same, None)) is not None:
            del left[name]
            yield place, name


def _in_order(trial: Trial, request: Request) -> list[str]:
    """The names of the positional arguments, where a set of arguments was drawn in the order of the signature."""
    for group in _groups(trial):
        names = [name for name in group if name not in request.kwargs]
        if request.kind == "call" and len(request.args) == len(names) + 1 and request.name.endswith("_backward"):
            return ["grad_out", *names]
        if request.kind == "call" and len(request.args) == len(names):
            return names
    return []


def _named(request: Request, places: Places) -> dict[str, Any]:
    """A call's arguments by how a sentence names them.

    By convention the upstream gradient stands first in the backward functions, where it is rarely drawn.
    """
    named: dict[str, Any] = {}
    for place, value in enumerate(request.args):
        if isinstance(value, Handle):
            continue
        name = places.get((request.name, place), "")
        if not name and place == 0 and request.name.endswith("_backward"):
            name = "grad_out"
        where = ORDINALS[place] if place < len(ORDINALS) else "last"
        named[f"`{name}`" if name else f"the {where} argument"] = value
    return named | {f"`{name}`": value for name, value in request.kwargs.items()}
