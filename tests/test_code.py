"""Values and calls as code: what a student pastes gives the same values again."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.feedback.calls import code_of
from autograder.feedback.code import brief, show
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.values import Callback, Handle, copy_value, same_bits
from autograder.testing import Student, noncontiguous_tensors, tensors
from autograder.testing.student import Session, StudentError

NAN, INF = float("nan"), float("inf")


def run(code: str) -> object:
    return eval(code, {"torch": torch, "np": np})


FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
WIDE = torch.arange(12.0).reshape(3, 4)
TENSORS = {
    "0-d": torch.tensor(2.5),
    "0-d int": torch.tensor(3),
    "special": torch.tensor([NAN, INF, -INF, -0.0, 1e-30, 1e30]),
    "bool": torch.tensor([True, False]),
    "uint8": torch.tensor([1, 255], dtype=torch.uint8),
    "complex": torch.tensor([1 + 2j, 3 - 0.5j]),
    "complex nan": torch.tensor([complex(NAN, -INF)], dtype=torch.complex128),
    "full": torch.full((2, 3), 0.1),
    "full int": torch.full((5,), 7),
    "full bool": torch.full((5,), True),
    **{
        f"empty {dtype}": torch.empty((0, 3), dtype=dtype)
        for dtype in (*FLOATS, torch.int64, torch.bool, torch.complex64)
    },
    **{f"{dtype}": torch.tensor([0.1, 1 / 3, -2.0], dtype=dtype) for dtype in FLOATS},
}
STRIDED = {
    "transposed": WIDE.T,
    "permuted": torch.arange(24.0).reshape(2, 3, 4).permute(1, 2, 0),
    "every second column": WIDE[:, ::2],
    "expanded": torch.ones(3, 1).expand(3, 4),
    "a later row": WIDE[1:].T,
}
ARRAYS = {
    "special": np.array([NAN, INF, -INF, 0.1]),
    "float32": np.array([0.1, 2.0], np.float32),
    "int": np.array([[1, 2]]),
    "int32": np.array([1, 2], np.int32),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j, complex(NAN, 0)]),
    "full": np.full((2, 3), 0.5),
    "full float32": np.full((5,), 0.1, np.float32),
    "Fortran order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    **{f"empty {dtype}": np.empty((2, 0), dtype) for dtype in ("float64", "float32", "int64", "bool", "complex128")},
    **{f"0-d {dtype}": np.array(1, dtype) for dtype in ("float64", "float32", "int64", "bool", "complex128")},
}


@pytest.mark.parametrize(
    "value", [*TENSORS.values(), *ARRAYS.values()], ids=[*TENSORS, *(f"array {name}" for name in ARRAYS)]
)
def test_the_code_of_an_array_gives_the_same_array(value) -> None:
    again = run(show(value))
    assert isinstance(again, torch.Tensor) == isinstance(value, torch.Tensor)
    if value.dtype in (torch.complex64, torch.complex128):
        again, value = torch.view_as_real(again), torch.view_as_real(value)
    assert same_bits(value, again)


@pytest.mark.parametrize("x", STRIDED.values(), ids=STRIDED.keys())
def test_the_code_of_a_strided_tensor_is_not_contiguous_either(x: torch.Tensor) -> None:
    again = run(show(copy_value(x, lambda item: item)))
    assert same_bits(x, again)
    assert not again.is_contiguous()


def test_the_code_of_an_array_keeps_fortran_order() -> None:
    assert run(show(ARRAYS["Fortran order"])).flags.f_contiguous


@settings(max_examples=60, deadline=None)
@given(x=tensors() | noncontiguous_tensors() | tensors(dtype=torch.float32) | tensors(dtype=torch.bfloat16))
def test_any_drawn_tensor_comes_back_from_its_code(x: torch.Tensor) -> None:
    again = run(show(x))
    assert same_bits(x, again)
    assert again.is_contiguous() == x.is_contiguous()


@settings(max_examples=60, deadline=None)
@given(a=hnp.arrays(st.sampled_from(["float64", "float32", "int64", "uint8", "bool", "complex128"]), hnp.array_shapes(min_dims=0, min_side=0, max_side=3)))  # fmt: skip
def test_any_array_comes_back_from_its_code(a: np.ndarray) -> None:
    assert same_bits(a, run(show(a)))


@settings(max_examples=60, deadline=None)
@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.complex_numbers(allow_nan=False), lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(), inner, max_size=2)))  # fmt: skip
def test_any_nested_value_comes_back_from_its_code(value: object) -> None:
    again = run(show(value))
    assert again == value
    assert type(again) is type(value)


def test_nan_comes_back_as_nan() -> None:
    assert run(show((NAN, complex(NAN, 1.0)))) != (NAN, complex(NAN, 1.0))
    assert np.isnan(run(show((NAN, complex(NAN, 1.0))))).all()


GOLDEN = {
    "vector": (torch.tensor([1.0, 0.1]), "torch.tensor([1., 0.1])"),
    "float64": (torch.tensor([[1.5]], dtype=torch.float64), "torch.tensor([[1.5]], dtype=torch.float64)"),
    "inf": (torch.tensor(INF), 'torch.tensor(float("inf"))'),
    "transposed": (torch.tensor([[1, 2], [3, 4]]).T, "torch.tensor([[1, 2], [3, 4]]).T"),
    "full": (torch.zeros(2, 3), "torch.full((2, 3), 0.)"),
    "empty ints": (torch.zeros(0, dtype=torch.int64), "torch.zeros((0,), dtype=torch.int64)"),
    "array": (np.array([1, 2], np.int32), "np.array([1, 2], dtype=np.int32)"),
    "numpy number": (np.array(2.0), "np.float64(2.)"),
    "numpy truth": (np.array([True]), "np.array([True])"),
    "tuple of one": ((1,), "(1,)"),
    "dict": ({"a": [torch.float32, None]}, "{'a': [torch.float32, None]}"),
    "callback": (Callback("lambda v: v @ v"), "lambda v: v @ v"),
    "generator": (torch.Generator().manual_seed(4), "torch.Generator().manual_seed(4)"),
    "numpy generator": (copy_value(np.random.default_rng(4), repr), "np.random.default_rng(4)"),
    "an object without a name": (Handle(1, "Layer"), "<Layer>"),
}


@pytest.mark.parametrize(("value", "code"), GOLDEN.values(), ids=GOLDEN.keys())
def test_a_value_is_shown_as_short_as_it_reads_well(value: object, code: str) -> None:
    assert show(value) == code


SOURCE = """
class SGD:
    def __init__(self, lr): self.lr = lr
    def step(self, x): return x
    def twin(self): return self
    def __pow__(self, n): return self.lr ** n
    def __rpow__(self, n): return n ** self.lr
    def __neg__(self): return SGD(-self.lr)
    def __getitem__(self, i): return self.lr
    def __setitem__(self, i, lr): self.lr = lr
    def __len__(self): return 1
    def __call__(self, x): return x
    def __enter__(self): return self
    def __exit__(self, *error): pass
class MaxPool(SGD): pass
class Lambda(SGD): pass
class Scale(SGD): pass
def scale(x): return x
def pair(): return [SGD(1), {"b": MaxPool(2)}]
def batches(): yield from (1, 2)
def apply(f, x, *, more=0): return f(x)
"""
CALLS = {
    "a call": (lambda s: s.apply(Callback("lambda v: v + 1"), 2, more=(1,)), "apply(lambda v: v + 1, 2, more=(1,))"),
    "objects": (lambda s: (s.SGD(0.1), s.SGD(0.2), s.MaxPool(1)), "sgd = SGD(0.1)\nsgd2 = SGD(0.2)\nmax_pool = MaxPool(1)"),
    "a method": (lambda s: s.SGD(1).step(x=2), "sgd = SGD(1)\nsgd.step(x=2)"),
    "itself": (lambda s: s.SGD(1).twin().lr, "sgd = SGD(1)\nsgd.twin()\nsgd.lr"),
    "a keyword": (lambda s: s.Lambda(1).lr, "lambda_object = Lambda(1)\nlambda_object.lr"),
    "a called name": (lambda s: s.scale(s.Scale(1)), "scale_object = Scale(1)\nscale(scale_object)"),
    "assignment": (lambda s: setattr(s.SGD(1), "lr", 2), "sgd = SGD(1)\nsgd.lr = 2"),
    "power": (lambda s: s.SGD(2) ** 3, "sgd = SGD(2)\nsgd ** 3"),
    "negative power": (lambda s: (-2) ** s.SGD(2), "sgd = SGD(2)\n(-2) ** sgd"),
    "minus": (lambda s: -s.SGD(2), "sgd = SGD(2)\nsgd2 = -sgd"),
    "indexing": (lambda s: s.SGD(2)[0, 1], "sgd = SGD(2)\nsgd[(0, 1)]"),
    "setting an item": (lambda s: s.SGD(2).__setitem__(0, 1.5), "sgd = SGD(2)\nsgd[0] = 1.5"),
    "length": (lambda s: len(s.SGD(2)), "sgd = SGD(2)\nlen(sgd)"),
    "calling an object": (lambda s: s.SGD(2)(1), "sgd = SGD(2)\nsgd(1)"),
    "inside containers": (lambda s: s.pair()[1]["b"].lr, "values = pair()\nvalues[1]['b'].lr"),
    "a loop": (lambda s: list(s.batches()), "generator = batches()\niter(generator)\nnext(generator)\nnext(generator)"),
}  # fmt: skip


def transcript_of(use) -> list:
    namespace: dict[str, object] = {}
    exec(SOURCE, namespace)
    session = Session(InProcess(namespace))
    use(Student(session))
    return session.transcript


@pytest.mark.parametrize(("use", "code"), CALLS.values(), ids=CALLS.keys())
def test_a_transcript_is_shown_as_code(use, code: str) -> None:
    assert code_of(transcript_of(use)) == code


@pytest.mark.parametrize("use", [use for use, _ in CALLS.values()], ids=CALLS.keys())
def test_the_code_of_a_transcript_runs_after_the_students_own(use) -> None:
    namespace: dict[str, object] = {"torch": torch, "np": np}
    exec(SOURCE, namespace)
    transcript = transcript_of(use)
    *before, last = code_of(transcript).splitlines()
    exec("\n".join(before), namespace)
    if transcript[-1].reply.raised is None and " = " not in last and not isinstance(transcript[-1].reply.value, Handle):
        assert eval(last, namespace) == transcript[-1].reply.value
    else:
        exec(last, namespace)


def test_a_with_block_is_shown_by_its_two_calls() -> None:
    def use(student: Student) -> None:
        with student.SGD(1) as entered:
            assert entered.lr == 1

    assert code_of(transcript_of(use)) == "sgd = SGD(1)\nsgd.__enter__()\nsgd.lr\nsgd.__exit__(None, None, None)"


def test_a_length_that_an_object_lacks_is_shown_where_it_is_the_failure() -> None:
    def use(student: Student) -> None:
        with pytest.raises(StudentError):
            len(student.batches())

    assert code_of(transcript_of(use)) == "generator = batches()\nlen(generator)"


BRIEF = {
    "rounded": (torch.tensor([1 / 3]), "[0.333333]"),
    "bfloat16": (torch.tensor([0.5], dtype=torch.bfloat16), "[0.5]"),
    "array": (np.array([1.0, 2.5]), "[1. , 2.5]"),
    "number": (0.1 + 0.2, "0.3"),
    "tuple": ((1.0, "a"), "(1, 'a')"),
    "none": (None, "None"),
}


@pytest.mark.parametrize(("value", "text"), BRIEF.values(), ids=BRIEF.keys())
def test_a_value_in_a_message_is_brief(value: object, text: str) -> None:
    assert brief(value) == text


def test_a_long_value_in_a_message_is_cut() -> None:
    assert brief("a" * 1000, 20) == "'" + "a" * 18 + "…"


def test_functions_and_methods_are_called_by_their_names() -> None:
    class Watched:
        def model(self) -> None: ...

    assert show({"model": Watched().model, "loss": run}) == "{'model': model, 'loss': run}"
