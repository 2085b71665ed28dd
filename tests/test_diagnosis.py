"""Diagnosis: which known mistake a wrong answer looks like."""

import numpy as np
import pytest
import torch
from torch import tensor

from autograder.examples.replay import Trial
from autograder.examples.store import Example
from autograder.feedback.diagnosis import Earlier, Words, diagnose
from autograder.feedback.likeness import same_answer
from autograder.feedback.uses import earlier_of, names_used
from autograder.results import Diagnosis, ExerciseResult
from autograder.sandbox.protocol import Raised, Reply, Request
from autograder.sandbox.values import Handle
from autograder.testing.comparison import Mismatch
from autograder.testing.student import Call

SAYS = {"first": "The first mistake.", "second": "The second mistake."}
WORDS = Words(SAYS)
WRONG = AssertionError("wrong")


def replies(values: object) -> tuple[Reply, ...]:
    listed = values if isinstance(values, list) else [values]
    return tuple(value if isinstance(value, Reply) else Reply(value) for value in listed)


def trial(own: object, *, reference: object, fails: bool, **mistakes: object) -> Trial:
    """A trial whose calls gave ``own``; a list stands for several calls."""
    example = Example({}, replies(reference), {name: replies(answers) for name, answers in mistakes.items()})
    return Trial(example, tuple(Call(Request("call", "f"), reply) for reply in replies(own)), WRONG if fails else None)


def named(*trials: Trial) -> str | None:
    diagnosis = diagnose(trials, WORDS)
    return diagnosis.mistake if diagnosis and diagnosis.kind == "known" else None


def test_a_mistake_that_explains_every_failing_example_is_named_with_its_sentence() -> None:
    failing = [trial(value, reference=0.0, fails=True, first=value) for value in (1.0, 2.0)]
    assert diagnose(failing, WORDS) == Diagnosis("first", "The first mistake.")


@pytest.mark.parametrize("missed", [0, 1, 2])
def test_a_mistake_that_misses_one_failing_example_is_not_named(missed: int) -> None:
    failing = [trial(1.0, reference=0.0, fails=True, first=5.0 if i == missed else 1.0) for i in range(3)]
    assert named(*failing) is None


def test_an_answer_like_the_references_is_not_blamed_on_a_mistake() -> None:
    assert named(trial(1.0, reference=1.0, fails=True, first=1.0)) is None


def test_one_example_on_which_mistake_and_reference_agree_rules_the_mistake_out() -> None:
    explained = trial(2.0, reference=0.0, fails=True, first=2.0)
    shared = trial(1.0, reference=1.0, fails=True, first=1.0)
    assert named(explained) == "first"
    assert named(explained, shared) is None


@pytest.mark.parametrize("agreeing", ["first", "second"])
def test_of_two_that_match_the_one_that_agrees_on_more_passing_examples_is_named(agreeing: str) -> None:
    other = "second" if agreeing == "first" else "first"
    failing = trial(1.0, reference=0.0, fails=True, first=1.0, second=1.0)
    passing = trial(3.0, reference=3.0, fails=False, **{agreeing: 3.0, other: 4.0})
    assert named(failing, passing) == agreeing


def test_two_that_cannot_be_told_apart_are_both_said_and_the_first_is_named() -> None:
    diagnosis = diagnose([trial(1.0, reference=0.0, fails=True, second=1.0, first=1.0)], WORDS)
    assert diagnosis == Diagnosis("first", "The first mistake. Or it is this: The second mistake.")


def test_of_three_that_cannot_be_told_apart_two_are_said() -> None:
    failing = trial(1.0, reference=0.0, fails=True, first=1.0, second=1.0, third=1.0)
    diagnosis = diagnose([failing], Words(SAYS | {"third": "The third mistake."}))
    assert diagnosis is not None
    assert "third" not in diagnosis.says


def test_two_that_say_the_same_say_it_once() -> None:
    failing = trial(1.0, reference=0.0, fails=True, first=1.0, second=1.0)
    assert diagnose([failing], Words(dict.fromkeys(SAYS, "One mistake."))) == Diagnosis("first", "One mistake.")


def combined(first: int, second: int, neither: int = 0) -> list[Trial]:
    """Failing trials of which so many look like the one mistake, like the other, and like none."""
    return [
        *(trial(1.0, reference=0.0, fails=True, first=1.0, second=0.0) for _ in range(first)),
        *(trial(2.0, reference=0.0, fails=True, first=0.0, second=2.0) for _ in range(second)),
        *(trial(3.0, reference=0.0, fails=True, first=0.0, second=0.0) for _ in range(neither)),
    ]


@pytest.mark.parametrize(("first", "second", "mend"), [(3, 2, "first"), (2, 4, "second"), (2, 2, "first")])
def test_two_mistakes_that_share_out_the_failing_examples_are_both_said(first: int, second: int, mend: str) -> None:
    diagnosis = diagnose(combined(first, second), WORDS)
    explains = f"It explains {max(first, second)} of the {first + second} examples that fail"
    other = SAYS["second" if mend == "first" else "first"]
    assert diagnosis == Diagnosis(mend, f"{SAYS[mend]} {explains}; the others look like another mistake: {other}")


@pytest.mark.parametrize(("first", "second", "neither"), [(3, 2, 1), (5, 0, 1), (5, 1, 0)])
def test_what_two_mistakes_leave_unexplained_or_what_one_hardly_needs_is_not_blamed_on_them(
    first: int, second: int, neither: int
) -> None:
    assert named(*combined(first, second, neither)) is None


def test_another_mistake_is_never_said_to_remain_of_a_single_one() -> None:
    """One mistake may look like a listed one where that is at work, and like another elsewhere, and be neither."""
    trials = [
        *(trial(1.0, reference=0.0, fails=True, first=1.0, second=3.0) for _ in range(3)),
        *(trial(2.0, reference=0.0, fails=True, first=4.0, second=2.0) for _ in range(3)),
    ]
    assert named(*trials) is None


def test_the_same_mistake_rounded_otherwise_is_recognised() -> None:
    drift = 1 + 3e-6
    trials = [
        trial(tensor([x * drift], dtype=torch.float64), reference=tensor([x + 1], dtype=torch.float64), fails=True,
              first=tensor([x], dtype=torch.float64))
        for x in (0.5, 2.0, 7.0)
    ]  # fmt: skip
    assert named(*trials) == "first"


def test_a_mistake_of_a_few_digits_is_recognised_though_the_student_rounds_otherwise() -> None:
    """As of a constant that went through float32, which only a check that looks closely finds."""
    right = torch.tensor([0.5, 2.0, 7.0], dtype=torch.float64)
    rounded = right * (1 + 2e-8)
    assert named(trial(rounded * (1 + 1e-9), reference=right, fails=True, first=rounded)) == "first"


def test_an_answer_nearer_to_the_reference_than_to_a_mistake_is_not_blamed_on_it() -> None:
    right = tensor([1.0], dtype=torch.float64)
    near = trial(right + 4e-6, reference=right, fails=True, first=right + 9e-6)
    assert named(near) is None


def test_a_known_mistake_is_said_before_the_earlier_exercise_that_fails() -> None:
    failing = trial(1.0, reference=0.0, fails=True, first=1.0)
    diagnosis = diagnose([failing], WORDS, earlier=Earlier(failed=("softmax",)))
    uses = "It uses `softmax`, which does not pass yet: mend that first."
    assert diagnosis == Diagnosis("first", f"The first mistake. {uses}")


def test_without_a_known_mistake_the_earlier_exercise_that_fails_is_all_that_is_said() -> None:
    diagnosis = diagnose([trial(-1.0, reference=1.0, fails=True)], WORDS, earlier=Earlier(failed=("softmax", "relu")))
    uses = "It uses `softmax`, which does not pass yet: mend that first. A mistake of its own may remain."
    assert diagnosis == Diagnosis("earlier_exercise", uses, "generic")


def test_a_known_mistake_goes_before_a_generic_diagnosis() -> None:
    failing = trial(None, reference=0.0, fails=True, first=None)
    assert diagnose([failing], WORDS) == Diagnosis("first", "The first mistake.")
    generic = diagnose([failing], Words())
    assert generic is not None
    assert (generic.mistake, generic.kind) == ("returns_none", "generic")


def seen(message: str, says: str = "", **compared: object) -> Trial:
    """A trial in which a check finds something and may read off what."""
    mismatch = Mismatch(message, **compared)
    mismatch.says = says
    return Trial(Example({}, (), {}), (), mismatch)


READ = seen("2 values are wrong.", "Columns are summed.", expected=1.0, got=2.0)
TOLD = seen("In 9 % of 100 draws an entry was dropped, expected is about 50 %.")


def test_what_a_check_reads_off_is_said_before_what_is_so_in_general_and_after_a_known_mistake() -> None:
    general = trial(None, reference=tensor([1.0]), fails=True)
    assert diagnose([general, READ], WORDS) == Diagnosis("read_off", "Columns are summed.", "generic")
    assert diagnose([general], WORDS).mistake == "returns_none"
    known = trial(1.0, reference=0.0, fails=True, first=1.0)
    assert diagnose([known], WORDS) == Diagnosis("first", "The first mistake.")


def test_a_message_that_compares_nothing_is_said_where_nothing_else_is_known() -> None:
    compared = seen("2 values are wrong.", expected=1.0, got=2.0)
    assert diagnose([compared, TOLD], WORDS) == Diagnosis("by_message", TOLD.failure.message, "generic")
    assert diagnose([compared], WORDS) is None


def test_a_diagnosis_says_which_failed_checks_it_is_about_unless_it_is_about_all() -> None:
    assert diagnose([READ, TOLD], WORDS, checks=["test_read", "test_told"]).checks == ("test_read",)
    assert diagnose([READ, TOLD], WORDS, checks=["test_read", "test_read"]).checks == ()


def test_a_wrong_backward_whose_forward_passes_is_told_so_if_nothing_else_is_known() -> None:
    failing = trial(1.0, reference=0.5, fails=True)
    diagnosis = diagnose([failing], Words(), name="relu_backward", earlier=Earlier(passed=frozenset({"relu"})))
    assert diagnosis == Diagnosis(
        "backward_only", "`relu` passes: what is wrong is in `relu_backward` alone.", "generic"
    )


USES = {
    "a call": ("def f(x):\n    return softmax(x)", {"softmax"}),
    "through a helper": ("def g(x):\n    return softmax(x)\ndef f(x):\n    return g(x)", {"softmax"}),
    "helper that is not used": ("def g(x):\n    return softmax(x)\ndef f(x):\n    return x", set()),
    "helpers that call each other": ("def g(x):\n    return f(x)\ndef f(x):\n    return g(softmax(x))", {"softmax"}),
    "an own variable of that name": ("def f(x):\n    softmax = x\n    return softmax", set()),
    "an argument of that name": ("def f(softmax):\n    return softmax", set()),
    "a word in a string": ("def f(x):\n    return 'softmax'", set()),
    "a method of that name": ("def f(x):\n    return x.softmax(0)", set()),
    "a class": ("class f:\n    def step(self, x):\n        return softmax(x)", {"softmax"}),
    "no definition": ("y = softmax(1)", set()),
    "no Python": ("def f(:", set()),
}


@pytest.mark.parametrize(("source", "names"), USES.values(), ids=USES.keys())
def test_the_earlier_exercises_that_a_solution_uses_are_read_from_its_source(source: str, names: set[str]) -> None:
    assert names_used(source, "f") & {"softmax", "relu"} == names


def test_only_used_exercises_that_fail_are_to_be_mended_first() -> None:
    statuses = {"relu": "failed", "softmax": "failed", "tanh": "passed"}
    before = [ExerciseResult(name, 0.0, 1.0, status, None, ()) for name, status in statuses.items()]
    earlier = earlier_of("f", "def f(x):\n    return tanh(softmax(x))", before)
    assert earlier == Earlier(("softmax",), frozenset({"tanh"}))


def test_a_passing_example_on_which_the_mistake_is_wrong_and_the_student_right_rules_it_out() -> None:
    failing = trial(1.0, reference=0.0, fails=True, first=1.0, second=1.0)
    assert named(failing) == "first"
    assert named(failing, trial(3.0, reference=3.0, fails=False, first=4.0, second=3.0)) == "second"


def test_a_refusal_that_a_mistake_lacks_does_not_rule_it_out_if_it_is_about_values() -> None:
    refused = Reply(raised=Raised("ValueError", ("Exception",), "p"))
    failing = trial(1.0, reference=0.0, fails=True, first=1.0)
    assert named(failing, trial(refused, reference=refused, fails=False, first=2.0)) == "first"


def test_a_refusal_that_a_mistake_lacks_rules_it_out_if_it_is_about_refusing() -> None:
    """A student who refuses some bad input is not the one who refuses none."""
    refused = Reply(raised=Raised("ValueError", ("Exception",), "p"))
    failing = trial(1.0, reference=refused, fails=True, first=1.0)
    assert named(failing) == "first"
    assert named(failing, trial(refused, reference=refused, fails=False, first=2.0)) is None


@pytest.mark.parametrize(
    "trials",
    [
        (),
        (trial(1.0, reference=1.0, fails=False, first=1.0),),
        (trial(1.0, reference=0.0, fails=True),),
        (trial([], reference=[], fails=True, first=[]),),
    ],
    ids=["no trials", "nothing failed", "a live example", "no calls"],
)
def test_without_evidence_nothing_is_named(trials: tuple[Trial, ...]) -> None:
    assert named(*trials) is None


def test_every_call_of_an_example_has_to_match() -> None:
    assert named(trial([1.0, 2.0], reference=[0.0, 0.0], fails=True, first=[1.0, 2.0])) == "first"
    assert named(trial([1.0, 2.0], reference=[0.0, 0.0], fails=True, first=[1.0, 3.0])) is None


@pytest.mark.parametrize("answers", [[1.0], [1.0, 2.0, 3.0]])
def test_another_number_of_calls_is_another_mistake(answers: list[float]) -> None:
    assert named(trial([1.0, 2.0], reference=[0.0, 0.0], fails=True, first=answers)) is None


def test_a_mistake_that_stops_where_the_reference_goes_on_is_named() -> None:
    stopped = Reply(raised=Raised("ValueError", (), "stop"))
    assert named(trial([1.0, stopped], reference=[1.0, 2.0, 3.0], fails=True, first=[1.0, stopped])) == "first"


def raised(name: str, message: str = "") -> Reply:
    return Reply(raised=Raised(name, (name,), message, "line 3"))


X = tensor([1.0, 2.0])
SAME = {
    "tensor within tolerance": (Reply(X), Reply(X + 1e-6), True),
    "tensor beyond": (Reply(X), Reply(X + 1e-4), False),
    "nan": (Reply(tensor([float("nan")])), Reply(tensor([float("nan")])), True),
    "dtype": (Reply(X), Reply(X.double()), False),
    "shape": (Reply(X), Reply(X[None]), False),
    "integers": (Reply(tensor([1])), Reply(tensor([2])), False),
    "tensor and array": (Reply(X), Reply(X.numpy()), False),
    "arrays": (Reply(np.array([1.0])), Reply(np.array([1.0 + 1e-12])), True),
    "arrays beyond": (Reply(np.array([1.0])), Reply(np.array([1.1])), False),
    "array dtype": (Reply(np.array([1])), Reply(np.array([1.0])), False),
    "float within tolerance": (Reply(0.1 + 0.2), Reply(0.3), True),
    "float and int": (Reply(1.0), Reply(1), False),
    "int and bool": (Reply(1), Reply(True), False),
    "list and tuple": (Reply([1]), Reply((1,)), False),
    "nested": (Reply({"a": [X, (1, None)]}), Reply({"a": [X + 1e-6, (1, None)]}), True),
    "nested beyond": (Reply({"a": [X]}), Reply({"a": [-X]}), False),
    "keys": (Reply({"a": 1}), Reply({"b": 1}), False),
    "object": (Reply([Handle(3, "Layer")]), Reply(["<Layer>"]), True),
    "another object": (Reply(Handle(3, "Layer")), Reply("<Tape>"), False),
    "generator": (Reply(torch.Generator()), Reply(None), True),
    "None and a number": (Reply(None), Reply(0.0), False),
    "exception of one type": (raised("ValueError", "a"), raised("ValueError", "b"), True),
    "exception of another type": (raised("ValueError"), raised("TypeError"), False),
    "exception and value": (raised("ValueError"), Reply(None), False),
    "value and exception": (Reply(None), raised("ValueError"), False),
    "changed input": (Reply(X, changed=("`x`",)), Reply(X), False),
    "unchanged input": (Reply(X), Reply(X, changed=("`x`",)), False),
    "both changed": (Reply(X, changed=("`x`",)), Reply(X, changed=("`y`",)), True),
    "printed": (Reply(1, printed="a"), Reply(1, printed="b"), True),
}


@pytest.mark.parametrize(("own", "recorded", "same"), SAME.values(), ids=SAME.keys())
def test_an_answer_is_the_recorded_one_by_type_value_and_what_it_changed(
    own: Reply, recorded: Reply, same: bool
) -> None:
    assert same_answer(own, recorded) is same


def test_a_change_in_place_alone_names_a_mistake() -> None:
    in_place = Reply(X, changed=("`x`",))
    assert named(trial(in_place, reference=X, fails=True, first=in_place, second=X)) == "first"


def test_an_example_on_which_mistake_and_reference_raise_alike_speaks_against_no_mistake() -> None:
    refused = Reply(raised=Raised("ValueError", ("Exception",), "another argument"))
    raising = trial(refused, reference=refused, fails=True, first=refused)
    explained = trial(1.0, reference=0.0, fails=True, first=1.0)
    assert named(explained, raising) == "first"
    assert named(raising) is None
