"""What kind of error a wrong solution makes, in words: of its commonest symptom first, and of what else goes wrong."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.examples.replay import Trial
from autograder.feedback.diagnosers import OF_CALLS, OF_EXAMPLES, OF_PARTS, OF_WHOLE, Diagnoser
from autograder.feedback.diagnosers.evidence import Evidence
from autograder.feedback.diagnosers.exceptions import each, raised_in
from autograder.feedback.diagnosers.gathering import FORMS, Finding, Symptom, merged
from autograder.feedback.naming import EACH, Part, all_of, join, name_of

# A name for the kind of error, and one to four sentences.
Word = tuple[str, str]

# With these symptoms calls or conditions may say more than the answer's form does.
WITH_CALLS: tuple[Symptom, ...] = ("numbers", "not_finite", "unseen")
WITH_EXAMPLES: tuple[Symptom, ...] = ("raises", "shape", "dtype", "not_finite", "hides", "numbers")
# What says something even beside a commoner symptom of which nothing is known.
TELLING: tuple[Symptom, ...] = ("raises", "answers", "other_exception", "timeout", "changes", "not_finite", "hides")
# What is said of single entries says when it happens, too.
OF_ENTRIES = {"only_special_entries", "only_some_entries", "only_some_entries_right"}
# A factor shows wherever it is not 1 and the answer is not 0: what arrays it goes along with comes of that.
OF_FACTORS = {"constant_factor"}
# Most characters of what is said, so that somebody reads it.
LONGEST = 420
MOST_PARTS = 2

BRIEFLY: Mapping[Symptom, str] = {
    "timeout": "it does not answer in time",
    "message": "the message of the exception does not name what is wrong",
    "accident": "the exception comes by accident",
    "nothing": "it returns None",
    "type": "the answer has the wrong type",
    "length": "there are too many or too few results or entries",
    "keys": "the keys are wrong",
    "shape": "the shape is wrong",
    "dtype": "the dtype is wrong",
    "not_finite": "the answer is nan or infinite",
    "hides": "numbers come where nan or infinity is expected",
    "numbers": "the values are wrong",
    "changes": "an argument is changed in place",
    "unseen": "a check fails for another reason",
    "forms": "the answer is wrong",
}


@dataclass(frozen=True)
class Generic:
    """What is said of the symptoms of a wrong solution.

    Attributes:
        kind: a name for the kind of error.
        says: one to four sentences.
        trials: the failing trials that the first of them is about.
    """

    kind: str
    says: str
    trials: tuple[Trial, ...]


def generic_word(found: Sequence[Finding], returns: Sequence[str] = ()) -> Generic | None:
    """What is said of the symptoms, the commonest first; None where nothing is sure."""
    together = merged(found)
    word = _of_symptom(together, returns) if together is not None else None
    if together is not None and word is not None:
        rest = [finding for finding in found if finding.symptom not in FORMS]
        if together.count < sum(finding.count for finding in rest):
            return None
        return _about(together, _said([together, *rest], word))
    return _about(found[0], _said(found, _of_symptom(found[0], returns))) if found else None


def _about(main: Finding, word: Word | None) -> Generic | None:
    return None if word is None else Generic(*word, main.trials)


def _said(found: Sequence[Finding], word: Word | None) -> Word | None:
    """What is said of the first symptom, and the others with how many examples have them."""
    main, *others = found
    if not others:
        return word
    total = sum(finding.count for finding in found)
    rest = "; ".join(map(_briefly, others))
    if main.symptom == "raises" and word is not None:
        return word[0], f"In {main.count} of the {total} examples that fail {_clause(main)}; {rest}."
    if word is not None:
        said = word[1].removeprefix(f"{each(main.count)}, ")
        return word[0], f"In {main.count} of the {total} examples that fail: {_small(said)} {_capital(rest)}."
    if any(other.symptom in TELLING for other in others):
        return "several_symptoms", f"Of the {total} examples that fail, {_briefly(main)}; {rest}."
    return None


def _briefly(finding: Finding) -> str:
    """A symptom as the end of a sentence, with how many examples have it."""
    return f"in {finding.count} {_clause(finding)}"


def _clause(finding: Finding) -> str:
    wrong = finding.whole.wrong
    wanted = sorted({a.expected.raised.type_name for a in wrong if a.expected.raised is not None})
    if finding.symptom == "raises":
        return raised_in(finding.whole)
    if finding.symptom == "answers":
        return f"it answers where {' or '.join(wanted)} is expected"
    if finding.symptom == "other_exception":
        own = sorted({a.got.raised.type_name for a in wrong if a.got.raised is not None})
        return f"it raises {' or '.join(own)} where {' or '.join(wanted)} is expected"
    return BRIEFLY[finding.symptom]


def _of_symptom(finding: Finding, returns: Sequence[str]) -> Word | None:
    if finding.symptom in WITH_CALLS and (word := _first(finding.whole, OF_CALLS)) is not None:
        return word
    if finding.symptom in ("numbers", "forms") and (word := _first(finding.whole, OF_WHOLE)) is not None:
        return word
    when = _first(finding.whole, OF_EXAMPLES) if finding.symptom in WITH_EXAMPLES else None
    what = _of_parts(finding, returns)
    if what is None or when is None or what[0] in OF_ENTRIES:
        return what or when
    if what[0] in OF_FACTORS and when[0] == "only_some_inputs":
        return what
    both = f"{what[1]} {when[1]}"
    return (what[0], both) if len(both) <= LONGEST else what


def _of_parts(finding: Finding, returns: Sequence[str]) -> Word | None:
    """What is said of each wrong part; that some are right, where there is nothing else to say."""
    diagnosers = OF_PARTS[finding.symptom]
    if not finding.whole.wrong and finding.symptom not in ("message", "accident", "timeout"):
        return None
    words = {part: _first(evidence, diagnosers) for part, evidence in finding.parts.items()}
    # What raises has given nothing that could be wrong.
    which = "" if finding.symptom == "raises" else _which(finding, returns)
    said = [word for word in words.values() if word is not None]
    if not said:
        return ("some_results_wrong", which) if which and _some_are_right(finding, returns) else None
    others = set(_names((part for parts in finding.wrong_parts for part in parts), returns))
    is_all = len(said) == len(words) and others <= set(_names(words, returns)) and not finding.mixed
    if is_all and len({word[1] for word in said}) == 1:
        return said[0][0], f"{which} {said[0][1]}".strip()
    by_count = sorted(words, key=lambda part: -len(finding.parts[part].wrong))
    alike: dict[Word, list[str]] = {}
    for part in by_count:
        if (word := words[part]) is not None:
            where = f", where {BRIEFLY[finding.symptom]}" if part in finding.mixed else ""
            alike.setdefault(word, []).append(f"{_subject(part, returns) or 'the answer'}{where}")
    told = list(alike)[:MOST_PARTS]
    each = [f"Of {all_of(dict.fromkeys(alike[word]))}: {_small(word[1])}" for word in told]
    while len(each) > 1 and len(" ".join((which, *each))) > LONGEST:
        each.pop()
    return told[0][0], " ".join((which, *each)).strip()


def _which(finding: Finding, returns: Sequence[str]) -> str:
    """Which parts are wrong, in how many examples where not in all, and which are right each time.

    Empty where the answer has no parts.
    """
    asked = {(part.kind, part.name) for parts in finding.wrong_parts for part in parts}
    # Beside what is asked later, an answer without parts needs a name.
    whole = "the answer" if len(asked) > 1 else ""
    counted = Counter(name for parts in finding.wrong_parts for name in _names(parts, returns, whole))
    own = [name for name in _names(finding.parts, returns, whole) if counted[name]]
    # A list that ends too early or too late changes what comes with it.
    after = [name for name in counted if name not in own] if finding.symptom == "length" and own else []
    by_count: dict[int, list[str]] = {}
    for name in dict.fromkeys((*own, *counted)):
        if name not in after:
            by_count.setdefault(counted[name], []).append(name)
    if not by_count:
        return ""
    right = [name for name in _names(finding.right_parts, returns) if name not in counted]
    said = [_how_often(by_count, finding)]
    if after:
        said.append(f"{all_of(after)} {'differ' if len(after) > 1 else 'differs'} too, perhaps for that reason alone")
    if right:
        said.append(f"{all_of(right)} {_are(right)} right each time")
    return f"{_capital('; '.join(said))}."


def _how_often(by_count: Mapping[int, Sequence[str]], finding: Finding) -> str:
    """Which parts are wrong in how many of the examples with the symptom."""
    total = len(finding.wrong_parts)
    (most, names), *rest = sorted(by_count.items(), reverse=True)
    if not rest and most == total:
        return f"{all_of(names)} {_are(names)} wrong"
    often = f"in all {total} examples" if most == total else f"in {most} of {total} examples"
    if len({(part.kind, part.name) for parts in finding.wrong_parts for part in parts}) > 1:
        # What is asked later is not compared.
        seen = [f"{all_of(names)} {often}", *(f"{all_of(names)} in {count}" for count, names in rest)]
        return f"what is wrong first is {join(seen)}"
    return join([f"{all_of(names)} {_are(names)} wrong {often}", *(f"{all_of(own)} in {n}" for n, own in rest)])


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"


def _some_are_right(finding: Finding, returns: Sequence[str]) -> bool:
    return bool(_names(finding.right_parts, returns))


def _names(parts: Iterable[Part], returns: Sequence[str], whole: str = "") -> list[str]:
    return list(dict.fromkeys(name for part in parts if (name := _subject(part, returns) or whole)))


def _subject(part: Part, returns: Sequence[str]) -> str:
    is_list = [step.key for step in part.path] == [EACH] and len(returns) != 1
    if part.kind == "call" and (not part.path or is_list):
        return ""
    return name_of(part, returns)


def _first(evidence: Evidence, diagnosers: Sequence[Diagnoser]) -> Word | None:
    for diagnoser in diagnosers:
        sentence = diagnoser(evidence)
        if sentence is not None:
            return diagnoser.__name__, sentence
    return None


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
