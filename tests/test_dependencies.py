"""What of a file an exercise depends on: found by the names that its statements bind and mention."""

from pathlib import Path

import pytest

from autograder.examples.dependencies import DECLARATION, reached, reached_modules
from autograder.examples.parts import APART, ROOTS

SOURCE = '''"""A module."""

from math import exp, log
import numpy as np

SLOPES = [1, 2]
LOW: float = -4.0
RANGE = (LOW, 4)


def shifted(x):
    return x + SLOPES[0]


class Shared:
    def of(self, x):
        return shifted(x)


@exercise("relu", points=2, contract=RANGE)
class TestRelu(Shared):
    """Checks of relu."""

    def test_a(self):
        """It is one."""
        return np.array(1.0)

    def test_c(self):
        return LOW


class TestTanh:
    def test_b(self):
        return exp(1)


if np.ones:
    print("always")
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "checks.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


A = ("TestRelu", "test_a")


def text_of(path: Path, *words: str) -> str:
    return reached(path, words)[0]


def test_what_a_statement_mentions_is_reached_through_any_number_of_steps(file: Path):
    text = text_of(file, *A)
    for part in ("class TestRelu", "class Shared", "def shifted", "SLOPES = [1, 2]", "np is numpy", "np.array(1.0)"):
        assert part in text
    for part in ("TestTanh", "LOW", "RANGE", "exp is math.exp"):
        assert part not in text


def test_what_binds_no_name_is_always_reached(file: Path):
    assert "print('always')" in text_of(file) and "np is numpy" in text_of(file)


def test_of_an_import_only_the_name_that_is_used_counts(file: Path):
    assert "exp is math.exp" in text_of(file, "TestTanh", "test_b")
    assert "log is math.log" not in text_of(file, "TestTanh", "test_b")


def test_of_a_class_only_the_tests_that_are_asked_for_count(file: Path):
    assert "def test_a" not in text_of(file, "TestRelu", "test_c") and "LOW: float" in text_of(
        file, "TestRelu", "test_c"
    )
    assert "return exp(1)" not in text_of(file, "TestRelu", "test_b")  # that is of another class


def test_how_a_class_is_declared_counts_where_it_is_asked_for(file: Path):
    assert "RANGE" not in text_of(file, *A)
    declared = text_of(file, *A, DECLARATION)
    assert "exercise('relu', contract=RANGE)" in declared and "RANGE = (LOW, 4)" in declared


def test_the_words_that_were_met_lead_on_into_the_next_file(file: Path):
    words = reached(file, ["TestTanh", "test_b"])[1]
    assert {"TestTanh", "exp"} <= words and "shifted" not in words


def changed(file: Path, old: str, new: str, *words: str) -> bool:
    before = text_of(file, *words)
    text = file.read_text(encoding="utf-8")
    assert old in text
    other = file.with_name("other.py")
    other.write_text(text.replace(old, new), encoding="utf-8")
    return text_of(other, *words) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SLOPES = [1, 2]", "SLOPES = [1, 2]  # a comment"),
        ("SLOPES = [1, 2]", "SLOPES = [\n    1,\n    2,\n]"),
        ("def shifted(x):\n", "def shifted(x):\n\n    # a comment\n"),
        ("from math import exp, log", "from math import exp, log, sqrt"),
        ("LOW: float = -4.0", "LOW: float = -5.0"),
        ("It is one.", "It is 1."),
        ("Checks of relu.", "What relu has to be."),
        ("points=2", "points=3"),
        ("contract=RANGE", "contract=SLOPES"),
        ("        return LOW", "        return -LOW"),
        ("return exp(1)", "return exp(2)"),
        ("class TestTanh:", "EXTRA = 3\n\n\nclass TestTanh:"),
    ],
)
def test_comments_layout_and_what_is_not_reached_make_no_difference(file: Path, old: str, new: str):
    assert not changed(file, old, new, *A)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SLOPES = [1, 2]", "SLOPES = [1, 3]"),
        ("return x + SLOPES[0]", "return x - SLOPES[0]"),
        ("np.array(1.0)", "np.array(2.0)"),
        ("import numpy as np", "import cupy as np"),
        ('print("always")', 'print("never")'),
    ],
)
def test_what_is_reached_makes_a_difference(file: Path, old: str, new: str):
    assert changed(file, old, new, *A)


def test_a_mistakes_sentence_makes_no_difference(tmp_path: Path):
    path = tmp_path / "mistakes.py"
    path.write_text('@mistake("f", kind="idea", says="One.")\ndef g(x):\n    return x\n', encoding="utf-8")
    text = text_of(path, "g")
    path.write_text(path.read_text(encoding="utf-8").replace("One.", "Two."), encoding="utf-8")
    assert text_of(path, "g") == text
    path.write_text(path.read_text(encoding="utf-8").replace("idea", "case"), encoding="utf-8")
    assert text_of(path, "g") != text


@pytest.mark.parametrize(
    ("binding", "name"),
    [
        ("A = B = 1", "A"),
        ("A = B = 1", "B"),
        ("(A, [B, *C]) = 1, [2, 3]", "C"),
        ("A: int = 1", "A"),
        ("T['a'] = 1", "T"),
        ("def A(): ...", "A"),
        ("class A: ...", "A"),
        ("from . import A", "A"),
        ("from .b import a as A", "A"),
        ("import A.b", "A"),
    ],
)
def test_each_way_to_bind_a_name_is_known(tmp_path: Path, binding: str, name: str):
    path = tmp_path / "one.py"
    path.write_text(f"{binding}\n", encoding="utf-8")
    assert text_of(path, name) != "" and text_of(path, "other") == ""


def test_a_file_that_was_written_again_is_read_again(file: Path):
    before = text_of(file, "TestTanh", "test_b")
    file.write_text(SOURCE.replace("exp(1)", "exp(3)"), encoding="utf-8")
    assert text_of(file, "TestTanh", "test_b") != before


# What recorded values can depend on: a change of meaning in what is used of these makes all recordings stale. Whoever
# adds a module has to say here that it can change an example or an answer, or in `APART` that it cannot.
RECORDED_WITH = {
    "autograder.examples.answers",
    "autograder.examples.choosing",
    "autograder.examples.codec",
    "autograder.examples.replay",
    "autograder.examples.search",
    "autograder.examples.store",
    "autograder.guards",
    "autograder.sandbox.gradients",
    "autograder.sandbox.inprocess",
    "autograder.sandbox.messages",
    "autograder.sandbox.nested",
    "autograder.sandbox.places",
    "autograder.sandbox.protocol",
    "autograder.sandbox.runner",
    "autograder.sandbox.script",
    "autograder.sandbox.values",
    "autograder.sandbox.wire",
    "autograder.testing",
    "autograder.testing.assignment",
    "autograder.testing.chance",
    "autograder.testing.comparison",
    "autograder.testing.contract",
    "autograder.testing.declarations",
    "autograder.testing.digits",
    "autograder.testing.kinds",
    "autograder.testing.oracles",
    "autograder.testing.refusals",
    "autograder.testing.strategies",
    "autograder.testing.student",
}


def test_the_modules_that_recorded_values_depend_on_are_those():
    assert set(reached_modules(ROOTS, APART)) == RECORDED_WITH


@pytest.mark.parametrize(
    ("module", "used", "unused"),
    [
        ("autograder.examples.replay", "def run_once", "Runs one check on one example"),
        ("autograder.examples.store", "class RecordedCheck", "def write"),
        ("autograder.testing.assignment", "def load_solutions", "def load_released"),
        ("autograder.testing.contract", "def _float32", "What holds for every exercise"),
        ("autograder.examples.choosing", "DRAWS, DRAWS_AGAIN", "An assignment cannot be built"),
    ],
)
def test_of_a_module_only_what_is_used_counts(module: str, used: str, unused: str):
    text = reached_modules(ROOTS, APART)[module]
    assert used in text and unused not in text


def test_modules_are_followed_by_the_names_that_are_imported():
    found = reached_modules({"autograder.testing.oracles": ["vector"]})
    assert "def vector" in found["autograder.testing.oracles"]
    assert "def gradient_of" not in found["autograder.testing.oracles"]
