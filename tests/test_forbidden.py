"""Forbidden operations: what is declared, read in the source, seen when run, and said in the notebook."""

import ast
import linecache
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch

from autograder.course import Course, load_course
from autograder.notebooks.build import source_notebook
from autograder.sandbox.forbidden.live import uses_in_namespace
from autograder.sandbox.forbidden.names import MOST_PARTS, Scope, bind_all, text_of
from autograder.sandbox.forbidden.operations import Forbidden, Rules, RulesError, Use, accusation
from autograder.sandbox.forbidden.reading import called_by_references, read_uses
from autograder.sandbox.forbidden.watching import watching
from autograder.testing import exercise
from autograder.testing.assignment import Assignment, Exercise, load_assignment, load_released
from autograder.testing.kinds import DeclarationError

ROOT = Path(__file__).resolve().parent.parent
COURSES = {"basics": ROOT / "tests" / "fixture_course"}
SOFTMAX = Forbidden(("softmax", "log_softmax"), Rules("torch").families)
NUMPY = Forbidden(("cov",), Rules("numpy").families)
X = torch.tensor([0.5, -1.0, 2.0])


def read(cell: str, forbidden: Forbidden = SOFTMAX, *, setup: str = "import torch", name: str = "f") -> list[str]:
    return [use.operation for use in read_uses((setup, cell), name, forbidden)]


def defined(cell: str, setup: str = "import torch") -> dict[str, Any]:
    """A namespace in which the cell ran, as a kernel leaves it."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, source in enumerate((setup, cell)):
        filename = f"<test_forbidden {number} {hash(source)}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        exec(compile(source, filename, "exec"), namespace)
    return namespace


def seen(cell: str, forbidden: Forbidden = SOFTMAX, x: object = X, judged: tuple[str, ...] = ()) -> tuple[str, ...]:
    function = defined(cell)["f"]
    with watching(forbidden, "f", frozenset(judged)) as watch:
        function(x)
    return watch.seen


CALLS = {
    "torch.softmax(x, 0)": "torch.softmax",
    "x.softmax(0)": "Tensor.softmax",
    "torch.Tensor.softmax(x, 0)": "Tensor.softmax",
    "torch.nn.functional.softmax(x, 0)": "torch.nn.functional.softmax",
    "torch.nn.Softmax(0)(x)": "torch.nn.Softmax",
    "torch.special.softmax(x, 0)": "torch.special.softmax",
    "torch.special.log_softmax(x, 0).exp()": "torch.special.log_softmax",
    "torch.ops.aten.softmax(x, 0)": "torch.ops.aten.softmax",
    "torch.ops.aten.softmax.int(x, 0)": "torch.ops.aten.softmax.int",
    "torch.ops.aten._softmax(x, 0, False)": "torch.ops.aten._softmax",
    "torch.ops.aten._log_softmax.default(x, 0, False)": "torch.ops.aten._log_softmax.default",
    "torch._C._nn.gelu(x)": "torch._C._nn.gelu",
    "torch.ops.aten.silu(x)": "torch.ops.aten.silu",
    "torch.autograd.grad": "torch.autograd.grad",
    "torch.func.vjp(torch.exp, x)": "torch.func.vjp",
    "torch.ops.aten.sigmoid_backward(x, x)": "torch.ops.aten.sigmoid_backward",
    "x.clone().requires_grad_()": "Tensor.requires_grad_",
    "x.sum().backward()": "Tensor.backward",
    "torch.zeros(2, requires_grad=True)": "requires_grad=True",
    "torch.optim.SGD": "torch.optim.SGD",
    'getattr(torch, "soft" "max")(x, 0)': "torch.softmax",
    'getattr(torch, "soft" + "max")(x, 0)': "torch.softmax",
    'getattr(x, "softmax")(0)': "Tensor.softmax",
    'getattr(torch.nn, "functional").softmax(x, 0)': "torch.nn.functional.softmax",
    'vars(torch)["softmax"](x, 0)': "torch.softmax",
    'torch.__dict__["softmax"](x, 0)': "torch.softmax",
    '__import__("torch").softmax(x, 0)': "torch.softmax",
    "(lambda v: v.softmax(0))(x)": "Tensor.softmax",
    "[v.softmax(0) for v in (x,)]": "Tensor.softmax",
    "list(map(torch.softmax, [x], [0]))": "torch.softmax",
}


@pytest.mark.parametrize(("call", "operation"), CALLS.items())
def test_a_call_is_read_however_it_is_written(call: str, operation: str) -> None:
    assert operation in read(f"def f(x):\n    return {call}")


@pytest.mark.parametrize(
    ("setup", "body", "operation"),
    [
        ("import torch.nn.functional as F", "F.softmax(x, 0)", "torch.nn.functional.softmax"),
        ("from torch import softmax as s", "s(x, 0)", "torch.softmax"),
        ("from torch import nn", "nn.Softmax(0)(x)", "torch.nn.Softmax"),
        ("from torch.nn.functional import *", "softmax(x, 0)", "torch.nn.functional.softmax"),
        ("import torch as t\ng = t.softmax", "g(x, 0)", "torch.softmax"),
        ("import torch\ng, h = torch.softmax, torch.exp", "g(x, 0)", "torch.softmax"),
        ("import torch\ng = lambda x: torch.softmax(x, 0)", "g(x)", "torch.softmax"),
        ("import torch\nT = {'a': torch.softmax}", "T['a'](x, 0)", "torch.softmax"),
        ("import torch\nNAME = 'softmax'", "getattr(torch, NAME)(x, 0)", "torch.softmax"),
        ("import torch\naten = torch.ops.aten", "aten._softmax(x, 0, False)", "torch.ops.aten._softmax"),
        ("import sys", "sys.modules['torch'].softmax(x, 0)", "torch.softmax"),
        ("import importlib", "importlib.import_module('torch').softmax(x, 0)", "torch.softmax"),
        ("from operator import methodcaller", "methodcaller('softmax', 0)(x)", "Tensor.softmax"),
        ("import torch\ndef g(x):\n    return torch.softmax(x, 0)", "g(x)", "torch.softmax"),
        ("import torch\ndef h(x):\n    return x.softmax(0)\ndef g(x):\n    return h(x)", "g(x)", "Tensor.softmax"),
        ("import torch\nclass G:\n    def g(self, x):\n        return x.softmax(0)", "G().g(x)", "Tensor.softmax"),
        ("try:\n    from torch import softmax as s\nexcept ImportError:\n    s = None", "s(x, 0)", "torch.softmax"),
        ("from scipy.special import softmax as s", "s(x)", "scipy.special.softmax"),
    ],
)
def test_names_are_followed_to_what_they_stand_for(setup: str, body: str, operation: str) -> None:
    assert operation in read(f"def f(x):\n    return {body}", setup=setup)


@pytest.mark.parametrize(
    "cell",
    [
        "def f(x, s=torch.softmax):\n    return s(x, 0)",
        "def f(x):\n    from torch import softmax\n    return softmax(x, 0)",
        "def f(x):\n    def g(v):\n        return torch.softmax(v, 0)\n    return g(x)",
        "def f(x):\n    s = torch.softmax\n    return s(x, 0)",
        "def f(x):\n    if (s := torch.softmax):\n        return s(x, 0)",
        "def f(x):\n    for s in (torch.exp, torch.softmax):\n        y = s(x)\n    return y",
        "@torch.softmax\ndef f(x):\n    return x",
        "class f:\n    def __call__(self, x):\n        return torch.softmax(x, 0)",
        "class f:\n    act = torch.softmax",
        "f = torch.softmax",
        "f = lambda x: torch.softmax(x, 0)",
        "def f(x):\n    return x\nf = torch.softmax",
    ],
)
def test_every_part_of_a_definition_is_read(cell: str) -> None:
    assert set(read(cell)) == {"torch.softmax"}


FREE = {
    "softmax elsewhere in the notebook": "def f(x):\n    return x.exp()\nexpected = torch.softmax(torch.ones(3), 0)",
    "a function that is not called": "def g(x):\n    return torch.softmax(x, 0)\ndef f(x):\n    return x",
    "an own function of that name": "def softmax(x):\n    return x.exp()\ndef f(x):\n    return softmax(x)",
    "an own function after an import": "from torch import softmax\ndef softmax(x):\n    return x\nf = softmax",
    "an own method": "class G:\n    def softmax(self):\n        return 1\ndef f(x):\n    return G().softmax()",
    "an own attribute": "class f:\n    def __init__(self, x):\n        self.softmax = x\n    def g(self):\n        return self.softmax",
    "an own backward": "class V:\n    def backward(self):\n        return 1\ndef f(x):\n    return V().backward()",
    "elementary operations": "def f(x):\n    e = (x - x.amax(0, keepdim=True)).exp()\n    return e / e.sum(0, keepdim=True)",
    "no gradient": "def f(x):\n    with torch.no_grad():\n        return torch.zeros(3, requires_grad=False) + x",
    "annotations": "def f(x: torch.nn.Parameter) -> torch.nn.Parameter:\n    y: torch.nn.Parameter = x\n    return y",
    "a docstring": 'def f(x):\n    """Like torch.softmax, without `x.softmax(0)`."""\n    return x',
    "torch.functional and vmap": "def f(x):\n    return torch.func.vmap(torch.exp)(torch.functional.atleast_1d(x))",
    "a name of another library": "import json\ndef f(x):\n    return json.softmax",
    "an argument of that name": "def f(x, softmax=None):\n    return x if softmax is None else softmax",
    "a syntax error": "def f(x):\n    return torch.softmax(x, 0",
}


@pytest.mark.parametrize("cell", FREE.values(), ids=FREE.keys())
def test_what_a_student_may_write_is_not_accused(cell: str) -> None:
    assert read(cell) == []


def test_an_earlier_exercise_keeps_its_own_rules() -> None:
    cell = "def g(x):\n    return torch.softmax(x, 0)\ndef f(x):\n    return g(x)"
    assert read_uses(("import torch", cell), "f", SOFTMAX, frozenset({"f", "g"})) == ()
    assert seen(cell, judged=("f", "g")) == ()
    assert seen(cell) == ("torch.softmax",)


FREE_IN_G = {"g": frozenset({"exp"})}
DOORS = {
    "another exercise": "def g(x):\n    return torch.softmax(x, 0)\ndef f(x):\n    return g(x)",
    "a helper of another exercise": "def h(x):\n    return torch.softmax(x, 0)\ndef g(x):\n    return h(x)\ndef f(x):\n    return g(x)",
    "a redefinition": "def g(x):\n    return torch.exp(x)\ng = lambda x: torch.softmax(x, 0)\ndef f(x):\n    return g(x)",
}


@pytest.mark.parametrize("cell", DOORS.values(), ids=DOORS.keys())
def test_another_exercise_is_no_door_to_what_is_forbidden(cell: str) -> None:
    assert read_uses(("import torch", cell), "f", replace(SOFTMAX, free=FREE_IN_G), frozenset({"f", "g"})) != ()


def test_what_the_other_reference_calls_is_free_inside_of_it() -> None:
    cell = "def g(x):\n    return torch.softmax(x, 0)\ndef f(x):\n    return g(x)"
    free = replace(SOFTMAX, free={"g": frozenset({"softmax"})})
    assert read_uses(("import torch", cell), "f", free, frozenset({"f", "g"})) == ()
    with watching(free, "f", frozenset({"f", "g"})) as watch:
        defined(cell)["f"](X)
    assert watch.seen == ()
    with watching(replace(SOFTMAX, free=FREE_IN_G), "f", frozenset({"f", "g"})) as watch:
        defined(cell)["f"](X)
    assert watch.seen == ("torch.softmax",)


def test_what_references_call_is_read_from_their_source() -> None:
    source = "import torch\ndef g(x):\n    return x.exp() / torch.sum(x)\ndef f(x):\n    return g(x) + torch.abs(x)"
    assert called_by_references(source, ("f", "g")) == {"g": frozenset({"exp", "sum"}), "f": frozenset({"abs"})}


CONV2D = Forbidden(("conv2d",), Rules("torch").families)
NEIGHBOURS = [
    "torch.conv1d(x, x)", "torch.conv3d(x, x)", "torch.nn.grad.conv2d_input", "torch.ops.aten.convolution_backward(x)",
    "torch.func.vjp(f, x)", "torch.compile(f)(x)", "torch.jit.script(f)(x)", "torch.func.jacrev(f)(x)",
]  # fmt: skip


@pytest.mark.parametrize("call", NEIGHBOURS)
def test_a_family_is_forbidden_and_not_a_name(call: str) -> None:
    assert read(f"def f(x):\n    return {call}", CONV2D) != []


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("torch._addmm_activation", "relu"), ("torch._addmm_activation", "gelu"), ("torch.mkldnn_rnn_layer", "lstm"),
        ("torch.ops.aten._cudnn_rnn", "gru"), ("torch.quantized_lstm_cell", "lstm_cell"),
        ("scipy.special.log_expit", "sigmoid"), ("scipy.special.rel_entr", "kl_div"),
    ],
)  # fmt: skip
def test_what_computes_it_under_another_name_is_forbidden_too(operation: str, name: str) -> None:
    names = {"sigmoid": ("sigmoid", "expit", "logsigmoid")}.get(name, (name,))
    assert Forbidden(names).operation(operation) is not None
    assert Forbidden(("softmax",)).operation(operation) is None


def test_one_hot_stays_free_where_it_does_not_solve_the_exercise() -> None:
    cell = "def f(x):\n    return torch.nn.functional.one_hot(x)"
    assert read(cell) == []
    assert read(cell, Forbidden(("one_hot",), Rules("torch").families)) != []


def test_a_use_says_where_it_stands() -> None:
    uses = read_uses(("import torch.nn.functional as F\n\ndef f(x):\n    return F.softmax(x, 0)",), "f", SOFTMAX)
    assert uses == (Use("torch.nn.functional.softmax", 4, "return F.softmax(x, 0)"),)


def test_names_that_stand_for_themselves_come_to_an_end() -> None:
    turns = "\n".join(f"    x = x.a{n}\n    y = x + y" for n in range(60))
    assert read(f"def g(x):\n    return f(x)\ndef f(x, y=0):\n{turns}\n    return g(x)") == []


def test_the_last_cell_that_defines_a_name_counts() -> None:
    wrong, right = "def f(x):\n    return torch.softmax(x, 0)", "def f(x):\n    return x"
    assert read_uses(("import torch", wrong, right), "f", SOFTMAX) == ()


@pytest.mark.parametrize(
    ("cell", "operation"),
    [
        ("def f(x):\n    import torch as t\n    return t.exp(x)", "torch"),
        ("import scipy.stats\ndef f(x):\n    return scipy.stats.zscore(x)", "scipy.stats.zscore"),
        ("from sklearn.preprocessing import scale\ndef f(x):\n    return scale(x)", "sklearn.preprocessing.scale"),
        ("import numpy as np\ndef f(x):\n    return np.cov(x)", "numpy.cov"),
    ],
)
def test_a_numpy_exercise_calls_no_other_library(cell: str, operation: str) -> None:
    assert operation in read(cell, NUMPY)


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (("expit",), "torch.special.expit"),
        (("expit",), "scipy.special.expit"),
        (("tanh",), "math.tanh"),
        (("cross_entropy",), "torch.nn.CrossEntropyLoss"),
        (("kl_div",), "torch.nn.KLDivLoss"),
        (("batch_norm",), "torch.nn.BatchNorm2d"),
        (("batch_norm",), "torch.native_batch_norm"),
        (("conv2d",), "torch.nn.Conv2d"),
        (("dropout",), "torch.dropout_"),
        (("softmax_backward",), "torch.ops.aten._softmax_backward_data.default"),
    ],
)
def test_aliases_follow_from_the_name(names: tuple[str, ...], path: str) -> None:
    assert Forbidden(names).operation(path) == path


@pytest.mark.parametrize("path", ["torch.exp", "torch.nn.functional.softmax", "mine.conv2d"])
def test_other_names_are_no_aliases(path: str) -> None:
    assert Forbidden(("conv2d",)).operation(path) is None


@pytest.mark.parametrize(
    ("lifts", "forbidden", "allowed"),
    [
        ((), ["torch.nn.Linear", "torch.optim.SGD", "torch.autograd.grad"], ["torch.exp"]),
        (("autograd",), ["torch.nn.Linear", "torch.optim.SGD"], ["torch.autograd.grad"]),
        (("torch.nn",), [], ["torch.nn.Linear", "torch.optim.SGD", "torch.autograd.grad"]),
    ],
)
def test_lifting_allows_a_part(lifts: Any, forbidden: list[str], allowed: list[str]) -> None:
    rules = Forbidden((), Rules("torch", lifts).families)
    assert [rules.operation(path) is not None for path in forbidden + allowed] == [True] * len(forbidden) + [
        False
    ] * len(allowed)


@pytest.mark.parametrize(
    ("library", "lifts", "says"),
    [("jax", (), "'jax'"), ("torch", ("torch",), "'torch'"), ("numpy", ("autograd",), "nothing")],
)
def test_rules_that_cannot_be_are_refused(library: Any, lifts: Any, says: str) -> None:
    with pytest.raises(RulesError, match=says):
        Rules(library, lifts)


@pytest.mark.parametrize(
    "rules",
    [{"loops_over": ("T",)}, {"vectorised": True, "loops_over": "T"}, {"vectorised": True, "loops_over": (1,)}],
)
def test_axes_to_loop_over_that_cannot_be_are_refused(rules: Any) -> None:
    with pytest.raises(RulesError, match="a tuple of names of axes"):
        Rules("torch", **rules)


@pytest.mark.parametrize("declared", [{"forbid": "softmax"}, {"forbid": ("torch.softmax",)}, {"rules": "torch"}])
def test_declarations_that_cannot_be_are_refused(declared: Any) -> None:
    with pytest.raises(DeclarationError, match="allowed is"):
        exercise("f", points=1, **declared)


def test_rules_of_another_type_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text("RULES = 'torch'\n")
    with pytest.raises(DeclarationError, match=r"checks\.py: RULES is 'torch', allowed is Rules"):
        load_released(tmp_path)


def test_unknown_rules_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text("from autograder.testing import Rules\nRULES = Rules('jax')\n")
    with pytest.raises(DeclarationError, match=r"checks\.py: library is 'jax', allowed are 'torch', 'numpy'"):
        load_released(tmp_path)


SEEN = {
    "torch.softmax(x, 0)": "torch.softmax",
    "x.softmax(0)": "Tensor.softmax",
    "torch.nn.functional.softmax(x, 0)": "torch.nn.functional.softmax",
    "torch.nn.Softmax(0)(x)": "torch.nn.functional.softmax",
    "torch.special.softmax(x, 0)": "torch.special.softmax",
    "torch.ops.aten.softmax(x, 0)": "torch.ops.aten.softmax",
    "torch.ops.aten._softmax.default(x, 0, False)": "torch.ops.aten._softmax.default",
    "getattr(torch, ''.join(['soft', 'max']))(x, 0)": "torch.softmax",
    "eval('torch.softmax(x, 0)')": "torch.softmax",
    "torch.nn.Linear(3, 2)(x)": "torch.nn.functional.linear",
    "torch.nn.functional.silu(x)": "torch.nn.functional.silu",
    "torch.func.grad(lambda v: v.sum())(x)": "torch.autograd.grad",
    "torch.vmap(lambda v: torch.softmax(v, 0))(torch.stack([x, x]))": "torch.softmax",
    "(x.clone().requires_grad_() * 2).sum().backward()": "Tensor.backward",
    "torch.zeros(2, requires_grad=True)": "requires_grad=True",
    "setattr(x.clone(), 'requires_grad', True)": "Tensor.requires_grad = True",
    "torch.ops.aten.sigmoid_backward(x, x)": "torch.ops.aten.sigmoid_backward",
}


@pytest.mark.parametrize(("call", "operation"), SEEN.items())
def test_a_call_is_seen_when_it_runs(call: str, operation: str) -> None:
    assert operation in seen(f"def f(x):\n    {call}")


def test_a_call_past_the_python_functions_is_seen() -> None:
    cell = "def f(x):\n    with torch._C.DisableTorchFunction():\n        torch.softmax(x, 0)"
    assert seen(cell) == ("torch.ops.aten._softmax.default",)


@pytest.mark.parametrize(
    ("call", "forbidden"),
    [
        ("x.exp() / x.exp().sum()", SOFTMAX),
        ("x.mean() + x.std() + x.var() + torch.logsumexp(x, 0)", SOFTMAX),
        ("torch.stack([x, x]).T @ torch.ones(2) + x[0] - x.clone().fill_(1)", SOFTMAX),
        ("torch.cosine_similarity(x, x, 0)", SOFTMAX),
        ("repr(x), x.tolist(), float(x[0]), x.requires_grad", SOFTMAX),
        ("torch.nn.functional.silu(x)", Forbidden(("sigmoid",))),
        ("torch.nn.functional.cross_entropy(x, torch.tensor(0))", Forbidden(("softmax", "log_softmax"))),
    ],
)
def test_what_torch_calls_by_itself_is_not_accused(call: str, forbidden: Forbidden) -> None:
    assert seen(f"def f(x):\n    {call}", forbidden) == ()


def test_an_argument_that_requires_a_gradient_is_no_fault() -> None:
    assert seen("def f(x):\n    return x.exp()", x=X.clone().requires_grad_()) == ()


def test_a_callback_of_the_check_is_not_watched() -> None:
    with watching(SOFTMAX) as watch:
        with watch.paused():
            X.softmax(0)
        assert watch.seen == ()
        X.softmax(0)
    assert watch.seen == ("Tensor.softmax",)


def test_a_numpy_exercise_that_computes_with_torch_is_seen() -> None:
    assert "torch.as_tensor" in seen("def f(x):\n    return torch.as_tensor(x).exp()", NUMPY, np.ones(3))


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        ("scipy.special.softmax(x)", "scipy.special._logsumexp.softmax"),
        ("sklearn.preprocessing.scale(x)", "sklearn._config.config_context"),
        ("np.cov(x)", "numpy.lib._function_base_impl.cov"),
    ],
)
def test_python_functions_of_other_libraries_are_seen(call: str, operation: str) -> None:
    imports = "import numpy as np\nimport scipy.special\nimport sklearn.preprocessing\n"
    assert operation in seen(f"{imports}def f(x):\n    return {call}", NUMPY, np.ones(3))


def test_watching_leaves_a_profiler_that_was_there() -> None:
    before = sys.getprofile()
    with watching(NUMPY):
        pass
    assert sys.getprofile() is before


@pytest.mark.parametrize("call", ["x.exp() / x.exp().sum()", "x.softmax(0)", "torch.stack([x, x]) @ x"])
def test_watching_changes_no_result(call: str) -> None:
    function = defined(f"def f(x):\n    return {call}")["f"]
    with watching(SOFTMAX):
        watched = function(X)
    assert torch.equal(watched, function(X))


@pytest.mark.parametrize(
    ("setup", "body", "operation"),
    [
        ("import torch.nn.functional as F", "F.softmax(x, 0)", "torch.nn.functional.softmax"),
        ("from torch import softmax as s", "s(x, 0)", "torch.softmax"),
        ("import torch\nact = torch.nn.Softmax(0)", "act(x)", "torch.nn.modules.activation.Softmax"),
        ("import torch\na = torch.ops.aten.softmax", "a(x, 0)", "torch.ops.aten.softmax"),
        ("import torch\ndef g(x):\n    return x.softmax(0)\nh = g", "h(x)", "Tensor.softmax"),
        ("class G:\n    def g(self, x):\n        return x.softmax(0)", "G().g(x)", "Tensor.softmax"),
    ],
)
def test_a_live_namespace_is_read_too(setup: str, body: str, operation: str) -> None:
    assert [
        use.operation for use in uses_in_namespace(defined(f"def f(x):\n    return {body}", setup), "f", SOFTMAX)
    ] == [operation]


def test_a_live_namespace_without_source_gives_nothing() -> None:
    class Odd:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self) -> None:
            return None

    assert uses_in_namespace(MappingProxyType({"f": Odd(), "g": 1}), "f", SOFTMAX) == ()


def test_the_sentence_names_operation_and_line() -> None:
    uses = (
        Use("torch.softmax"),
        Use("Tensor.softmax", 3, "y = x.softmax(0)"),
        Use("torch.softmax", 2, "torch.softmax(x)"),
    )
    assert accusation("f", uses) == (
        "`f` uses `Tensor.softmax` (line 3: y = x.softmax(0)) and `torch.softmax` (line 2: torch.softmax(x)), "
        "which may not be called in this exercise."
    )


@pytest.mark.parametrize(
    ("forbidden", "says"),
    [
        (Forbidden(), ""),
        (Forbidden(("softmax", "log_softmax")), "a ready-made `softmax` or `log_softmax` under any name."),
        (Forbidden(("f",), Rules("numpy").families), "a ready-made `f` under any name; `torch`; `scipy`; `sklearn`."),
    ],
)
def test_the_rules_read_as_a_sentence(forbidden: Forbidden, says: str) -> None:
    assert forbidden.says == (f"May not be called here: {says}" if says else "")


@cache
def assignment_of(name: str) -> tuple[Course, Assignment]:
    course = load_course(COURSES[name])
    return course, load_assignment(course, name)


@pytest.mark.parametrize("name", COURSES)
def test_the_notebook_says_what_every_exercise_may_not_call(name: str) -> None:
    course, assignment = assignment_of(name)
    cells = {cell.id: cell.source for cell in source_notebook(course, assignment).cells}
    for exercise_ in assignment.exercises:
        stated = [line for line in cells[exercise_.name].splitlines() if line.startswith("# ")]
        assert exercise_.forbidden.says in " ".join(line[2:] for line in stated)


def test_the_rules_of_one_exercise_replace_those_of_the_module() -> None:
    _, assignment = assignment_of("basics")
    families = {exercise_.name: exercise_.forbidden.families for exercise_ in assignment.exercises}
    assert families["dropout"] == ("torch.nn", "autograd")
    assert families["standardize"] == ("torch", "scipy", "sklearn")


def solutions() -> list[Any]:
    """Every reference and alternative of both courses."""
    found = []
    for name in COURSES:
        _, assignment = assignment_of(name)
        for exercise_ in assignment.exercises:
            found.append(pytest.param(name, exercise_.name, None, id=f"{exercise_.name}-reference"))
            for number, alternative in enumerate(exercise_.alternatives):
                found.append(pytest.param(name, exercise_.name, number, id=f"{exercise_.name}-{alternative.name}"))
    return found


def loaded(name: str, exercise_name: str, number: int | None) -> tuple[Assignment, Exercise, Any]:
    _, assignment = assignment_of(name)
    exercise_ = assignment.exercise(exercise_name)
    assert exercise_ is not None
    return assignment, exercise_, None if number is None else exercise_.alternatives[number]


@pytest.mark.parametrize(("name", "exercise_name", "number"), solutions())
def test_no_right_solution_is_accused_when_read(name: str, exercise_name: str, number: int | None) -> None:
    assignment, exercise_, alternative = loaded(name, exercise_name, number)
    folder = COURSES[name] / "solutions" / name
    cells = [
        (folder / file).read_text() for file in ("reference.py", "alternatives.py")[: 1 + (alternative is not None)]
    ]
    graded = exercise_name if alternative is None else alternative.name
    judged = frozenset(item.name for item in assignment.exercises)
    assert read_uses(cells, graded, exercise_.forbidden, judged) == ()


# What was nested deeper than Python's own steps into each other was once not read at all.
DEEP = {
    "ten thousand functions that call each other": "\n".join(
        ["import torch\ndef f(x): return g0(x)\ndef g10000(x): return torch.softmax(x, 0)"]
        + [f"def g{n}(x): return g{n + 1}(x)" for n in range(10_000)]
    ),
    "behind 500 attributes": f"import torch\ndef f(x): return x{'.a' * 500}.b(torch.softmax(x, 0))",
    "behind 900 sums": f"import torch\ndef f(x): return {'1 + ' * 900}torch.softmax(x, 0)",
    "behind a text that doubles": "\n".join(
        ["import torch\nt0 = 's'\ndef f(x): return getattr(torch, t60, torch.softmax)(x, 0)"]
        + [f"t{n + 1} = t{n} + t{n}" for n in range(60)]
    ),
}


@pytest.mark.parametrize("code", DEEP.values(), ids=DEEP.keys())
def test_what_is_nested_deeply_is_read_too(code):
    assert [use.operation for use in read_uses((code,), "f", SOFTMAX)] == ["torch.softmax"]


@pytest.mark.parametrize(
    "lines",
    [
        ["t0 = 's'", *(f"t{n + 1} = t{n} + t{n}" for n in range(60))],
        ["t0 = ''", *(f"t{n + 1} = t{n} + t{n}" for n in range(60))],
        [f"t0 = {'s' * 3_000_000!r}", *(f"t{n + 1} = t{n} + t{n}" for n in range(60))],
        ["t60 = t60 + t60"],
    ],
    ids=["doubling", "doubling nothing", "of gigabytes", "of itself"],
)
def test_a_text_is_put_together_of_so_many_parts_only(lines, monkeypatch):
    looked_up, find = [], Scope.find
    monkeypatch.setattr(Scope, "find", lambda scope, name: looked_up.append(name) or find(scope, name))
    tree, scope = ast.parse("\n".join(lines)), Scope([])
    bind_all(tree.body, scope, certain=True)
    assert text_of(ast.parse("t60", mode="eval").body, scope) is None
    assert len(looked_up) <= MOST_PARTS
