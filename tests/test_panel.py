"""The panel: what a reader sees, in HTML and in plain text, with nothing of a student's markup alive in it."""

import pytest

from autograder.feedback.panel import Notice, Panel, code_spans, first_failure, points_text
from autograder.results import CheckResult, Diagnosis, ExerciseResult

PASSED = CheckResult("test_a", "Rows sum to 1.", True, "cpu", "passed", 1.0)
FAILED = CheckResult(
    "test_b",
    "The values agree.",
    True,
    "cpu",
    "failed",
    1.0,
    "2 of 2 values are wrong.",
    "softmax(torch.tensor([1.]), 0)",
    "[1.]",
    "[0.5]",
    0.5,
)
PARTIAL = ExerciseResult("softmax", 1.0, 2.0, "partial", Diagnosis("m", "The sum ignores `dim`."), (PASSED, FAILED))


def test_the_text_says_what_is_right_what_it_looks_like_and_what_failed():
    assert Panel(PARTIAL).text().splitlines() == [
        "softmax: 1 of 2 points (partly right)",
        "  What it looks like: The sum ignores `dim`.",
        "  ✓ Rows sum to 1.",
        "  ✗ The values agree.",
        "      2 of 2 values are wrong.",
        "      softmax(torch.tensor([1.]), 0)",
        "      expected  [1.]",
        "      got       [0.5]",
    ]


def test_the_html_says_the_same():
    html = Panel(PARTIAL).html()
    for text in (
        "1 of 2 points",
        "<code>dim</code>",
        "✓",
        "✗",
        "softmax(torch.tensor([1.]), 0)",
        "largest difference  0.5",
    ):
        assert text in html


def test_a_students_markup_is_text():
    script = "<script>alert(1)</script>"
    result = ExerciseResult("f", 0.0, 1.0, "error", None, (), f"Its cell stopped with {script}")
    shown = Panel(result).html()
    assert "<script" not in shown and "&lt;script&gt;" in shown
    assert code_spans(f"`{script}`") == "<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>"


def test_all_visible_checks_passing_says_that_hidden_ones_remain():
    result = ExerciseResult("softmax", 2.0, 2.0, "passed", None, (PASSED,))
    assert "Hidden checks with harder inputs remain" in Panel(result, hidden_remain=True).text()
    assert "Hidden checks with harder inputs remain" in Panel(result, hidden_remain=True).html()
    assert "Hidden" not in Panel(result).text()


def test_the_failure_shown_is_the_one_with_the_shortest_code():
    longer = CheckResult("test_c", "Longer.", True, "cpu", "failed", 1.0, "", FAILED.counterexample + " # more")
    result = ExerciseResult("softmax", 0.0, 2.0, "failed", None, (longer, FAILED))
    assert first_failure(result) is FAILED


@pytest.mark.parametrize(("points", "text"), [(2.0, "2"), (1.5, "1.5"), (2 / 3, "0.67"), (0.0, "0")])
def test_points_have_no_needless_digits(points, text):
    assert points_text(points) == text


def test_a_notice_is_its_sentence_everywhere():
    assert Notice("No exercise.")._repr_mimebundle_() == {"text/plain": "No exercise."}
