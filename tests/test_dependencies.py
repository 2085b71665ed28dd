"""What of a file an exercise depends on: found by the names that its statements bind and mention."""

from pathlib import Path

import pytest

from autograder.examples.dependencies import reached

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


class TestRelu(Shared):
    def test_a(self):
        return np.array(1.0)


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


def text_of(path: Path, *words: str) -> str:
    return reached(path, words)[0]


def test_what_a_statement_mentions_is_reached_through_any_number_of_steps(file: Path):
    text = text_of(file, "TestRelu")
    for part in ("class TestRelu", "class Shared", "def shifted", "SLOPES = [1, 2]", "np is numpy"):
        assert part in text
    for part in ("TestTanh", "LOW", "RANGE", "exp is math.exp"):
        assert part not in text


def test_what_binds_no_name_is_always_reached(file: Path):
    assert "print('always')" in text_of(file) and "np is numpy" in text_of(file)


def test_of_an_import_only_the_name_that_is_used_counts(file: Path):
    assert "exp is math.exp" in text_of(file, "TestTanh")
    assert "log is math.log" not in text_of(file, "TestTanh")


def test_the_words_that_were_met_lead_on_into_the_next_file(file: Path):
    words = reached(file, ["TestTanh"])[1]
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
        ("return exp(1)", "return exp(2)"),
        ("class TestTanh:", "EXTRA = 3\n\n\nclass TestTanh:"),
    ],
)
def test_comments_layout_and_what_is_not_reached_make_no_difference(file: Path, old: str, new: str):
    assert not changed(file, old, new, "TestRelu")


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
    assert changed(file, old, new, "TestRelu")


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
    before = text_of(file, "TestTanh")
    file.write_text(SOURCE.replace("exp(1)", "exp(3)"), encoding="utf-8")
    assert text_of(file, "TestTanh") != before
