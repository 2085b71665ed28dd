"""A check's requests to a student's code in the same process: what they give, what is told, what is kept in bounds."""

import operator
import sys

import numpy as np
import pytest
import torch

from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.protocol import OPERATORS, Raised
from autograder.testing.student import Session, Student, StudentError

SOURCE = """
import torch

class Scale:
    def __init__(self, factor, *, bias=0.0):
        self.factor, self.bias = factor, bias
        self.inner = None
    def forward(self, x):
        return self.factor * x + self.bias
    def double(self, values):
        values *= 2
        return self
    __call__ = forward

class Number:
    __array_ufunc__ = None
    def __init__(self, value): self.value = value
    def __repr__(self): return f"Number({self.value})"
    def __getattr__(self, name): raise AttributeError(f"no {name}")
for _name in "add sub mul truediv floordiv mod pow matmul".split():
    setattr(Number, f"__{_name}__", lambda a, b, n=_name: f"{a.value} {n} {b}")
    setattr(Number, f"__r{_name}__", lambda a, b, n=_name: f"{type(b).__name__} {n} {a.value}")
for _name in "eq ne lt le gt ge".split():
    setattr(Number, f"__{_name}__", lambda a, b, n=_name: f"{a.value} {n} {b}")

class Bag:
    def __init__(self, items): self.items, self.log = list(items), []
    def __len__(self): return len(self.items)
    def __getitem__(self, i): return self.items[i]
    def __setitem__(self, i, item): self.items[i] = item
    def __contains__(self, item): return item in self.items
    def __iter__(self): return iter(self.items)
    def __bool__(self): return bool(self.items)
    def __neg__(self): return Bag(-i for i in self.items)
    def __abs__(self): return sum(map(abs, self.items))
    def __float__(self): return float(self.items[0])
    def __int__(self): return int(self.items[0])
    def __str__(self): return "a bag"
    def __enter__(self): self.log.append("in"); return self
    def __exit__(self, *error): self.log.append("out")

def softmax(x, dim, temperature=1.0): return torch.softmax(x / temperature, dim)
def stacked(*tensors, dim=0): return tensors[1].zero_()
def options(x, **more): return x
def fails(x):
    y = x / 0
    return y
def says(*words):
    import sys
    print(*words)
    print("oops", file=sys.stderr)
def closes(): import sys; print("kept"); sys.stdout.close()
def loops():
    while True:
        try:
            while True: pass
        except Exception: pass
def calls_often(f, times): return [f(i) for i in range(times)]
def swallows(f):
    for i in range(9):
        try: f(i)
        except BaseException: pass
    return 1
def sorts(values): values.sort(); return values
def leaves(): import sys; sys.exit("bye")
def needs_a_package(): import surely_not_installed
def names_nothing(): return undefined_thing
class Broken(Exception):
    def __str__(self): raise RuntimeError
def breaks(): raise Broken
def draws(generator): return torch.rand(2, generator=generator)
def rolls(rng): return rng.random(2)
def pairs(): return [Scale(2.0), {"a": Scale(3.0)}]
def same(thing): return thing
def batches(): yield from (1, 2)
"""


def session(**limits: float) -> Session:
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(compile(SOURCE, "<cell 1>", "exec"), namespace)
    return Session(InProcess(namespace, **limits))


@pytest.fixture
def student() -> Student:
    return Student(session())


def error_of(call) -> Raised:
    with pytest.raises(StudentError) as caught:
        call()
    return caught.value.raised


def changes(call_session: Session) -> tuple[str, ...]:
    return call_session.transcript[-1].reply.changed


def test_a_function_is_called_with_positional_and_named_arguments(student: Student) -> None:
    assert torch.equal(student.softmax(torch.ones(2), dim=0), torch.full((2,), 0.5))


def test_an_object_has_methods_attributes_and_calls(student: Student) -> None:
    scale = student.Scale(2.0, bias=1.0)
    assert (scale.forward(3), scale(3), scale.bias) == (7.0, 7.0, 1.0)
    scale.bias = 0.0
    assert scale.forward(3) == 6.0
    assert repr(scale) == "<the student's Scale>"


def test_an_object_inside_an_object_is_reached_though_it_can_be_called(student: Student) -> None:
    outer = student.Scale(2.0)
    outer.inner = student.Scale(5.0)
    assert outer.inner.factor == 5.0
    assert outer.inner(1.0) == 5.0


def test_objects_come_out_of_containers(student: Student) -> None:
    first, second = student.pairs()
    assert (first.factor, second["a"].factor) == (2.0, 3.0)


def test_an_object_that_comes_out_twice_is_one_object(student: Student) -> None:
    scale = student.Scale(2.0)
    assert hash(student.same(scale)) == hash(scale)
    assert hash(student.Scale(2.0)) != hash(scale)


COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")


@pytest.mark.parametrize("name", [*BINARY, *COMPARISONS])
def test_an_operator_reaches_the_students_object_on_the_left(student: Student, name: str) -> None:
    assert getattr(operator, name)(student.Number(3), 2) == f"3 {name} 2"


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("left", [2, 2.5, torch.ones(2), np.ones(2)], ids=lambda left: type(left).__name__)
def test_an_operator_reaches_the_students_object_on_the_right(student: Student, name: str, left: object) -> None:
    assert getattr(operator, name)(left, student.Number(3)) == f"{type(left).__name__} {name} 3"


def test_a_container_is_measured_indexed_and_searched(student: Student) -> None:
    bag = student.Bag([3, -4])
    bag[0] = 5
    assert (len(bag), bag[0], -4 in bag, 9 in bag) == (2, 5, True, False)
    assert (abs(bag), (-bag)[0], float(bag), int(bag), str(bag)) == (9, -5, 5.0, 5, "a bag")
    assert bag
    assert not student.Bag([])


@pytest.mark.parametrize(
    ("make", "items"),
    [(lambda s: s.Bag([1, 2, 3]), [1, 2, 3]), (lambda s: s.batches(), [1, 2]), (lambda s: s.Bag([]), [])],
)
def test_an_object_is_iterated_to_its_end(student: Student, make, items: list[int]) -> None:
    assert list(make(student)) == items


def test_an_object_is_entered_and_left(student: Student) -> None:
    bag = student.Bag([])
    with bag as entered:
        assert entered.log == ["in"]
    assert bag.log == ["in", "out"]


def test_every_operator_has_a_way_from_a_check() -> None:
    asked = session()
    student = Student(asked)
    bag, number = student.Bag([1]), student.Number(3)
    for use in (operator.neg, abs, len, bool, float, int, str, list):
        use(bag)
    student.Scale(1)(2)
    for name in (*BINARY, *COMPARISONS):
        getattr(operator, name)(number, 1)
    with bag:
        bag[0] = 1 in bag, bag[0]
    # `repr` stays on this side: it names the object.
    assert {call.request.name for call in asked.transcript if call.request.kind == "operator"} == set(OPERATORS) - {
        "repr"
    }


TAKES = "your softmax takes (x, dim, temperature=1.0)"
COMPLAINTS = {
    "unknown": (lambda s: s.softmax(1, axis=0), f"softmax was called with `axis=…`, but {TAKES}: no argument has that name"),
    "missing": (lambda s: s.softmax(1), f"softmax was called without `dim`, but {TAKES}: that argument needs a default"),
    "too many": (lambda s: s.softmax(1, 2, 3, 4), f"softmax was called with 4 positional arguments, but {TAKES}"),
    "twice": (lambda s: s.softmax(1, 0, x=1), f"the call does not fit: {TAKES}"),
    "missing beside **": (lambda s: s.options(dim=1), "options was called without `x`, but your options takes (x, **more): that argument needs a default"),
    "class": (lambda s: s.Scale(), "Scale was called without `factor`, but your Scale takes (factor, *, bias=0.0): that argument needs a default"),
    "method": (lambda s: s.Scale(1).forward(), "forward was called without `x`, but your forward takes (x): that argument needs a default"),
    "object": (lambda s: s.Scale(1)(1, dim=0), "Scale was called with `dim=…`, but your Scale takes (x): no argument has that name"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "message"), COMPLAINTS.values(), ids=COMPLAINTS.keys())
def test_a_call_that_does_not_fit_names_the_argument(student: Student, call, message: str) -> None:
    raised = error_of(lambda: call(student))
    assert (raised.type_name, raised.message) == ("TypeError", message)


ERRORS = {
    "division": (lambda s: s.fails(1), "ZeroDivisionError", "division by zero", "fails", "y = x / 0"),
    "exit": (lambda s: s.leaves(), "SystemExit", "bye", "leaves", ""),
    "package": (lambda s: s.needs_a_package(), "ModuleNotFoundError", "the package `surely_not_installed` is not installed here", "needs_a_package", ""),
    "undefined": (lambda s: s.names_nothing(), "NameError", "name 'undefined_thing' is not defined", "names_nothing", ""),
    "unreadable": (lambda s: s.breaks(), "Broken", "its message cannot be read", "breaks", ""),
}  # fmt: skip


@pytest.mark.parametrize(("call", "type_name", "message", "function", "line"), ERRORS.values(), ids=ERRORS.keys())
def test_an_exception_becomes_data_with_the_students_own_line(
    student: Student, call, type_name, message, function, line
) -> None:
    raised = error_of(lambda: call(student))
    first = (
        SOURCE.splitlines().index(next(row for row in SOURCE.splitlines() if row.startswith(f"def {function}("))) + 1
    )
    assert (raised.type_name, raised.message) == (type_name, message)
    assert raised.place == f"line {first + 1 if line else first}"
    assert raised.bases[-2:] == ("BaseException", "object")


def test_the_text_of_the_line_is_told_where_python_knows_it() -> None:
    def divides(x):
        return x // 0  # the line

    raised = error_of(lambda: Student(Session(InProcess({"divides": divides}))).divides(1))
    assert raised.place.endswith(": return x // 0  # the line")


def test_a_function_that_is_not_there_is_named(student: Student) -> None:
    raised = error_of(lambda: student.sofmax(1))
    assert (raised.type_name, raised.message) == ("NameError", "name 'sofmax' is not defined")


def test_what_is_printed_is_kept_and_goes_nowhere_else(capfd: pytest.CaptureFixture[str]) -> None:
    asked = session(output_characters=7)
    Student(asked).says("hello", "world")
    assert asked.transcript[-1].reply.printed == "hello w"
    assert capfd.readouterr() == ("", "")


def test_closing_the_output_costs_nothing() -> None:
    asked = session()
    Student(asked).closes()
    assert asked.transcript[-1].reply.printed == "kept\n"
    assert not sys.stdout.closed


CHANGED = {
    "by place": (lambda s: s.Scale(1).double(torch.ones(2)), ("`values`",)),
    "by name": (lambda s: s.Scale(1).double(values=np.ones(2)), ("`values`",)),
    "one of many": (lambda s: s.stacked(torch.ones(1), torch.ones(2)), ("`tensors`",)),
    "a list": (lambda s: s.sorts([3, 1, 2]), ("`values`",)),
    "a sorted list": (lambda s: s.sorts([1, 2]), ()),
    "nothing": (lambda s: s.softmax(torch.ones(2), 0), ()),
    "a generator": (lambda s: s.draws(torch.Generator()), ()),
}  # fmt: skip


@pytest.mark.parametrize(("call", "changed"), CHANGED.values(), ids=CHANGED.keys())
def test_an_input_changed_in_place_is_named_by_its_parameter(call, changed: tuple[str, ...]) -> None:
    asked = session()
    call(Student(asked))
    assert changes(asked) == changed


def test_the_checks_own_tensor_is_never_changed(student: Student) -> None:
    x = torch.ones(2)
    student.Scale(1).double(x)
    assert torch.equal(x, torch.ones(2))


@pytest.mark.parametrize(("name", "make", "draw"), [("draws", lambda: torch.Generator().manual_seed(3), lambda g: torch.rand(2, generator=g)), ("rolls", lambda: np.random.default_rng(3), lambda g: g.random(2))])  # fmt: skip
def test_a_generator_moves_on_as_if_it_had_been_passed_itself(student: Student, name: str, make, draw) -> None:
    own, other = make(), make()
    assert getattr(student, name)(own).tolist() == draw(other).tolist()
    assert draw(own).tolist() == draw(other).tolist()


def test_a_time_limit_costs_only_that_call() -> None:
    limited = Student(session(seconds_per_call=0.1))
    raised = error_of(limited.loops)
    assert (raised.type_name, raised.message) == ("TimeLimitReached", "no answer after 0.1 seconds")
    assert limited.softmax(torch.ones(1), 0) == 1


@pytest.mark.parametrize("call", [lambda s: s.calls_often(lambda i: i, 6), lambda s: s.swallows(lambda i: i)])
def test_too_many_callbacks_are_an_error(call) -> None:
    limited = Student(session(callbacks=5))
    raised = error_of(lambda: call(limited))
    assert (raised.type_name, raised.message) == ("TooManyCallbacks", "more than 5 calls of the function passed in")
    assert limited.calls_often(lambda i: i * i, 5) == [0, 1, 4, 9, 16]
