"""Mutants: which changes are made, how they read, and that an id outlives unrelated edits."""

import textwrap
import time

import pytest

from autograder.proving.equivalents import read_equivalents, wrong_entries
from autograder.proving.mutants import mutants_of, solution_of, unchanged
from autograder.proving.processes import Lost, Workers
from autograder.testing.kinds import DeclarationError


def ids(body: str, head: str = "def f(x):") -> set[str]:
    """The changes of a function's only line, as text."""
    source = f"import torch\n\n\n{head}\n{textwrap.indent(body, '    ')}\n"
    return {mutant.id.removeprefix("f: ") for mutant in mutants_of("f", source)}


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("return x + eps", "return x - eps"),
        ("return x + eps", "return x"),
        ("return -x", "return x"),
        ("return x * 2", "return x * 3"),
        ("return x * 2", "return x * (-2)"),
        ("return x * 0.5", "return x * 1.0"),
        ("return x < 3", "return x <= 3"),
        ("return x < 3", "return x >= 3"),
        ("return a and b", "return a or b"),
        ("return a and b", "return b"),
        ("return not a", "return a"),
        ("return x if a else y", "return x if True else y"),
        ("return range(n)", "return range(n + 1)"),
        ("return x[1:n]", "return x[1:n - 1]"),
        ("return x[1:n]", "return x[2:n]"),
        ("return x.sum(dim, keepdim=True)", "return x.sum(dim, keepdim=False)"),
        ("return x.sum(dim, keepdim=True)", "return x.sum(dim)"),
        ("return x.sum(dim, keepdim=True)", "return x.sum(keepdim=True)"),
        ("return x.sum(dim, keepdim=True)", "return x.sum(-1, keepdim=True)"),
        ("return x.sum(dim, keepdim=True)", "return x.mean(dim, keepdim=True)"),
        ("return x.abs()", "return x"),
        ("return torch.where(c, x, y)", "return torch.where(c, y, x)"),
        ("return torch.where(c, x, y)", "return x"),
        ("return torch.zeros(3, device=x.device)", "return torch.zeros(3)"),
        ("return x, y", "return (y, x)"),
        ("x += 1", "x -= 1"),
        ("x += 1", "pass"),
        ('raise ValueError(f"dim is {dim}")', 'raise RuntimeError(f"dim is {dim}")'),
        ('raise ValueError(f"dim is {dim}")', "raise ValueError()"),
        ('raise ValueError(f"dim is {dim}")', "pass"),
        ('return "none"', 'return ""'),
        ("return (x - y) * 2", "return (x + y) * 2"),
        ("return x * (x * y).sum()", "return x * (x + y).sum()"),
        ("return x * y.sum()", "return x / y.sum()"),
    ],
)
def test_each_kind_of_change_is_made(line, changed):
    assert f"{line} -> {changed}" in ids(line)


def test_defaults_are_changed_and_a_bool_argument_is_negated():
    found = ids("return g(x, keepdim)", head="def f(x, p: float = 0.5, keepdim: bool = False):")
    head = "def f(x, p: float = {}, keepdim: bool = {}):"
    assert f"{head.format(0.5, False)} -> {head.format(1.5, False)}" in found
    assert f"{head.format(0.5, False)} -> {head.format(0.5, True)}" in found
    assert "return g(x, keepdim) -> return g(x, not keepdim)" in found


def test_what_only_documents_stays():
    body = '"""Adds 1."""\ny: list[int] = x\nreturn y'
    assert ids(body, head="def f(x: 'int' = None) -> 'int':") == set()


def test_parentheses_keep_what_belongs_together():
    assert "return a * b * c -> return (a + b) * c" in ids("return a * b * c")
    assert "return 2 ** x.y -> return 2 * x.y" in ids("return 2 ** x.y")


def test_an_id_stays_when_other_lines_are_edited():
    before = 'def f(x):\n    """Doc."""\n    y = x + 1\n    return y * 2\n'
    after = '"""Module."""\nimport math\n\n\ndef f(x):\n    """Longer\n\n    doc."""\n    y = x + 1\n    z = y\n    return y * 2\n'
    assert {mutant.id for mutant in mutants_of("f", before)} < {mutant.id for mutant in mutants_of("f", after)}


def test_equal_lines_are_numbered():
    found = ids("x += 1\nx += 1\nreturn x")
    assert {"x += 1 -> x -= 1", "x += 1 -> x -= 1 (2)"} < found


def test_a_diff_shows_the_line_as_it_is_written():
    mutant = mutants_of("f", 'MARK = "²"\n\n\ndef f(x):\n    return x  <  3  # ²\n', "reference.py")[0]
    assert mutant.diff == (
        "--- reference.py\n+++ reference.py\n@@ -4,2 +4,2 @@\n"
        " def f(x):\n-    return x  <  3  # ²\n+    return x <= 3  # ²\n"
    )


def test_a_mutant_runs_among_the_names_of_the_reference():
    source = "def f(n):\n    return 1 if n == 0 else n * f(n - 1)\n"
    (mutant,) = (m for m in mutants_of("f", source) if m.id.endswith("(n + f(n - 1))"))
    names = {"f": lambda n: 100}
    assert solution_of(mutant, names)(3) == 7
    assert names["f"](3) == 100


def test_a_definition_runs_unchanged_with_what_its_module_asks_of_the_compiler():
    source = 'from __future__ import annotations\n\n\ndef f(x: Later) -> Later:\n    """Doc."""\n    return x + 1\n'
    assert solution_of(unchanged("f", source), {})(1) == 2
    assert all(solution_of(mutant, {})(1) != 2 for mutant in mutants_of("f", source))


def test_an_exercise_that_the_reference_only_imports_is_named():
    with pytest.raises(DeclarationError, match=r"reference\.py: no definition of 'f' at the top level"):
        mutants_of("f", "from elsewhere import f\n")


def work(task: str) -> str:
    if task == "hangs":
        time.sleep(600)
    if task == "ends":
        raise SystemExit
    if task == "fails":
        raise LookupError("no such example")
    return task.upper()


def test_a_task_that_hangs_or_ends_its_process_costs_only_itself():
    with Workers(work, jobs=2, seconds=3) as workers:
        answers = dict(workers.run(["a", "hangs", "b", "ends", "c"]))
        assert dict(workers.run(["d"])) == {"d": "D"}
    assert answers == {
        "a": "A",
        "b": "B",
        "c": "C",
        "hangs": Lost("no answer after 3 seconds"),
        "ends": Lost("its process ended"),
    }


def test_a_fault_of_the_work_itself_is_raised_and_counts_as_no_answer():
    with Workers(work, jobs=1, seconds=60) as workers, pytest.raises(LookupError, match="no such example"):
        list(workers.run(["fails"]))


def test_no_file_of_equivalents_means_none(tmp_path):
    assert read_equivalents(tmp_path / "equivalents.toml") == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[equivalent]]\nmutant = 'f: a -> b'\n", "`reason`"),
        ("[[equivalent]]\nmutant = 'f: a -> b'\nreason = ' '\n", "reason"),
        ("[[equivalent]\n", "Expected"),
        (
            "[[equivalent]]\nmutant = 'f'\nreason = 'r'\n[[equivalent]]\nmutant = 'f'\nreason = 'r'\n",
            "'f' stands there twice",
        ),
    ],
)
def test_a_faulty_file_of_equivalents_is_named(tmp_path, text, fault):
    path = tmp_path / "equivalents.toml"
    path.write_text(text)
    with pytest.raises(DeclarationError) as error:
        read_equivalents(path)
    assert str(path) in str(error.value) and fault in str(error.value)


def test_an_entry_that_is_caught_or_no_mutant_is_a_sentence():
    sentences = list(
        wrong_entries({"f: a -> b": "r", "f: a -> c": "r", "gone": "r"}, {"f: a -> b", "f: a -> c"}, {"f: a -> c"})
    )
    assert sentences == [
        "equivalents.toml names 'f: a -> c', which is caught: it is not equivalent",
        "equivalents.toml names 'gone', which is no mutant any more",
    ]


def test_guards_that_are_given_are_not_changed():
    source = "def f(x, n):\n    require_positive(n=n)\n    if x < 0:\n        raise ValueError('x')\n    return x + n\n"
    before, after = ({mutant.id for mutant in mutants_of("f", source, guards_given=given)} for given in (False, True))
    assert after < before
    assert after and all("return x + n" in name for name in after)
