"""Kept proofs: what their file may hold, what code means whatever it looks like, which checks could go together."""

import hashlib

import msgspec
import pytest

from autograder.proving.idle import idle_checks
from autograder.proving.meaning import hash_of, meaning_of
from autograder.proving.mutants import mutants_of
from autograder.proving.mutations import VERSION
from autograder.proving.strength import FILE, Strength, read_strength, write_strength
from autograder.testing.declarations import Check
from autograder.testing.kinds import DeclarationError

PROOF = Strength(
    mutants=5,
    caught=2,
    named=1,
    equivalents=1,
    seeds=20,
    examples=5,
    false_alarms=0,
    depends_on="0123456789ab",
    package="ba9876543210",
    survivors=("f: return 'a' -> return \"\"", "f: x = r'\\d²' -> x = ''"),
    stated_false_alarm=1e-9,
)
LIVE = msgspec.structs.replace(
    PROOF, mutants=4, survivors=(), caught_live_only=("f: \"é\x7f\" -> ''",), stated_false_alarm=0.0
)


def test_what_is_written_is_read(tmp_path):
    kept = {"softmax": LIVE, "größe": PROOF, "Dropout": PROOF}
    write_strength(tmp_path / FILE, kept)
    assert read_strength(tmp_path / FILE) == kept
    assert [*tmp_path.iterdir()] == [tmp_path / FILE]


def test_a_table_an_exercise_is_sorted_and_has_a_line_an_entry(tmp_path):
    write_strength(tmp_path / FILE, {"b": LIVE, "a": PROOF})
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert text.index("[a]") < text.index("[b]")
    assert "mutants = 5\ncaught = 2\nnamed = 1\nequivalents = 1\nseeds = 20\nexamples = 5\nfalse_alarms = 0\n" in text
    assert "survivors = [\n    " in text and text.count("survivors") == 1 and text.count("stated_false_alarm") == 1


def test_without_a_file_nothing_is_proven(tmp_path):
    assert read_strength(tmp_path / FILE) == {}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[a]", "[a", "Expected"),
        ("seeds = 20", "seeds = 0", "Expected `int` >= 1"),
        ("named = 1\n", "", "`named`"),
        ("examples = 5", "examples = 5\nexample = 5", "`example`"),
        ('"0123456789ab"', '"by hand"', "regex"),
        ("caught = 2", "caught = 3", "a has 5 mutants, but caught ones, equivalents and those listed are 6: run"),
    ],
)
def test_a_file_that_says_something_else_is_one_sentence(tmp_path, old, new, fault):
    path = tmp_path / FILE
    write_strength(path, {"a": PROOF})
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DeclarationError) as error:
        read_strength(path)
    assert str(path) in str(error.value) and fault in str(error.value)


SAME = [
    ("x = 1", "# One.\nx = (1)\n"),
    ("def f(x):\n    return x", 'def f(x):\n    """Gives x."""\n    return x'),
    ("class A:\n    x = 1", 'class A:\n    "A class."\n\n    x = 1'),
    ('x = f"{y!r:>{n}}"', "x = f'{y!r:>{n}}'"),
    ("F is torch.nn\nf is .reference.f\nx = F", "F is torch.nn\nf is .reference.f\nx  =  F"),
]
OTHER = [
    ("x = 1", "x = 1.0"),
    ("x = 'a'", "x = 'b'"),
    ("f(x, y=1)", "f(x, z=1)"),
    ("def f():\n    'a'\n    return g('a')", "def f():\n    'a'\n    return g('b')"),
    ("F is torch.nn", "F is torch.nn.functional"),
    ("async def f(): pass", "def f(): pass"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_does_not_change_a_run_has_no_meaning(one, other):
    assert meaning_of(one) == meaning_of(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_changes_a_run_has_another_meaning(one, other):
    assert meaning_of(one) != meaning_of(other)


def test_a_hash_tells_where_one_part_ends():
    assert hash_of(["ab", "c"]) != hash_of(["a", "bc"])


def test_the_hash_is_the_same_with_every_python():
    source = 'from torch import nn\n\n\ndef f(x: int = 2, *y, **z) -> str:\n    return f"{x:>{y}} {z!r}" + "é\\n"\n'
    assert hash_of([meaning_of(source)]) == "b869f434ecae"


# One function with every kind of change in it; what is made of it decides whether kept proofs still hold.
SAMPLE = """
import torch


def f(x, dim: int, keepdim: bool = True, p: float = 0.5):
    if not 0 <= p < 1 or dim is None:
        raise ValueError(f"p is {p}")
    total, n = 0, 3
    for i in range(n):
        total += x[1 : n - 1 : 2].sum(dim, keepdim=keepdim) ** 2 // 3 % 5
        if total.amax() in (1, 2):
            break
    with torch.no_grad():
        y = torch.where(x > 0, x.exp(), -x) if keepdim else [a for a in x if a]
    while n and "word" != y:
        n = n - 1 & 2 | 1
    return y / total, n
"""
DIGESTS = {1: "9caea0d4bb72"}


def test_other_mutants_have_another_version():
    made = "\n".join(mutant.id for mutant in mutants_of("f", SAMPLE))
    digest = hashlib.sha256(made.encode()).hexdigest()[:12]
    assert DIGESTS[VERSION] == digest, "other mutants are made: raise VERSION in mutations.py, and add its digest here"


class Written:
    """A class of checks."""


def check(name: str, kind: str = "case", *, stage: str = "", visible: bool = True, owner: type = Written) -> Check:
    return Check("f", name, "", 1.0, kind, stage, visible, owner, lambda: None, ())


A, B, C = check("a"), check("b"), check("c", visible=False)
# Made elsewhere, as by a contract.
MADE, AGREES = check("m", owner=object), check("g", "idea", owner=object)
IDEA, OTHER_IDEA, HIDDEN_IDEA = check("i", "idea"), check("j", "idea", stage="s"), check("h", "idea", visible=False)


@pytest.mark.parametrize(
    ("checks", "killers", "idle"),
    [
        ((A, B), [{"a", "b"}], ("a",)),
        ((A, B), [{"a", "b"}, {"a"}], ("b",)),
        ((A, B), [{"a"}, {"b"}], ()),
        ((A, B), [], ("a", "b")),
        ((A, C), [{"a", "c"}, {"c"}, {"c"}], ("a",)),
        ((A, C), [{"a", "c"}], ("c",)),
        ((A, B, C), [{"a", "b"}, {"b", "c"}, {"a", "c"}], ("c",)),
        ((A, IDEA), [{"a", "i"}], ()),
        ((IDEA, OTHER_IDEA), [{"i", "j"}], ()),
        ((IDEA, HIDDEN_IDEA), [{"i", "h"}, {"h"}], ()),
        ((IDEA, HIDDEN_IDEA), [{"i", "h"}, {"i"}], ("h",)),
        ((IDEA, A), [], ("a",)),
        ((A, MADE), [{"a", "m"}], ("a",)),
        ((A, MADE), [{"a"}], ()),
        ((IDEA, AGREES), [{"i", "g"}], ()),
        ((IDEA, HIDDEN_IDEA, AGREES), [{"i", "g", "h"}], ("h",)),
    ],
)
def test_checks_that_could_go_together(checks, killers, idle):
    assert idle_checks(checks, killers) == idle
    left = {one.name for one in checks} - set(idle)
    assert all(names & left for names in killers)
