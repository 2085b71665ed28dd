"""The panel: what a reader sees, in HTML and in plain text, with nothing of a student's markup alive in it."""

import pytest
from bs4 import BeautifulSoup
from msgspec import structs

import autograder
from autograder.feedback.layout import LINE_HEIGHT, MOST_LINES, first_failure, layout_of
from autograder.feedback.panel import RECORD_TYPE, Notice, Panel
from autograder.feedback.rendering import code_spans
from autograder.results import CheckResult, Curve, Diagnosis, ExerciseResult

PASSED = CheckResult("test_a", "Rows sum to 1.", True, "cpu", "passed", 1.0)
FAILED = CheckResult(
    "test_b",
    "The values agree.",
    True,
    "cpu",
    "failed",
    1.0,
    "1 of 2 values are wrong.",
    "softmax(torch.tensor([1., 2.]), 0)",
    "[1  2  ]",
    "[1 *0.5]",
    1.5,
    ((3, 7),),
)
OTHER = CheckResult(
    "test_c",
    "It is not changed.",
    True,
    "cpu",
    "failed",
    1.0,
    "It changed.",
    "softmax(torch.tensor([[1., 2.], [3., 4.]]), 0)",
)
UNKNOWN = CheckResult("device", "It works on a GPU.", True, "cpu", "not_analysed", 1.0)
SAYS = Diagnosis("m", "The sum ignores `dim`.")
PARTIAL = ExerciseResult("softmax", 1.0, 2.0, "partial", SAYS, (PASSED, OTHER, UNKNOWN, FAILED))
CURVE = Curve((0.0, 1.0, 2.0), (0.0, 1.0, 2.0), (0.0, 1.0, 3.0), (2,), "`f(x)` is wrong at 1 of 3 inputs: x = 2.")


def open_lines(html: str) -> list[str]:
    """What is to be read before anything is unfolded; a picture is as many lines as it is high."""
    page = BeautifulSoup(html, "html.parser")
    for folded in page.select("details:not([open]) > :not(summary)"):
        folded.decompose()
    for drawing in page("svg"):
        drawing.replace_with("|\n" * -(-int(drawing["height"]) // LINE_HEIGHT))
    for block in page(["p", "pre", "summary"]):
        block.append("\n")
    return [line for line in page.text.splitlines() if line.strip()]


def copies(check: CheckResult, count: int) -> tuple[CheckResult, ...]:
    return tuple(structs.replace(check, name=f"test_{i}") for i in range(count))


def test_the_text_says_what_is_right_what_it_looks_like_and_what_failed():
    assert Panel(PARTIAL).text().splitlines() == [
        "softmax: 1 of 2 points (partly right)",
        "  1 of 3 checks passes.",
        "    ✓ Rows sum to 1.",
        "  What it looks like: The sum ignores `dim`.",
        "      softmax(torch.tensor([1., 2.]), 0)",
        "      1 of 2 values are wrong. * marks what differs.",
        "      expected  [1  2  ]",
        "      got       [1 *0.5]",
        "  ✗ What has to hold: The values agree.",
        "  1 more check fails.",
        "    ✗ It is not changed.",
        "  1 check was not made here, which costs nothing.",
        "    – It works on a GPU.",
    ]


def test_mathjax_passes_over_what_a_student_wrote():
    page = BeautifulSoup(Panel(PARTIAL).html(), "html.parser")
    (outermost,) = page.find_all(True, recursive=False)
    assert {"tex2jax_ignore", "mathjax_ignore"} <= set(outermost["class"])


def test_the_html_says_the_same_in_the_same_order():
    html = Panel(PARTIAL).html()
    texts = [
        "1 of 2 points",
        "1 of 3 checks passes.",
        "Rows sum to 1.",
        "<code>dim</code>",
        "softmax(torch.tensor([1., 2.]), 0)",
        "1 of 2 values are wrong.",
        "expected  [1  2  ]",
        "*0.5</mark>]",
        "The values agree.",
        "It is not changed.",
        "It works on a GPU.",
    ]
    places = [html.index(text) for text in texts]
    assert places == sorted(places)


def test_what_is_folded_can_be_unfolded_to_its_own_counterexample():
    html = Panel(PARTIAL).html()
    folded = html[html.index("<details") :]
    assert (
        folded.index("It is not changed.")
        < folded.index("softmax(torch.tensor([[1., 2.], [3., 4.]]), 0)")
        < folded.index("It changed.")
    )
    assert html.count("<details") == html.count("</details>") == 2


MANY_LINES = "\n".join(f"step({i})" for i in range(15))
ROWS = "\n".join(["[[1 2 3]", *[" [1 2 3]"] * 2, " [1 2 3]]"])
LONG = structs.replace(FAILED, counterexample=MANY_LINES, expected=ROWS, got=ROWS, differing=(), picture=CURVE)
CASES = {
    "one failure": (FAILED,),
    "much of everything": (*copies(PASSED, 9), LONG, *copies(OTHER, 9), *copies(UNKNOWN, 2)),
    "a picture": (*copies(PASSED, 3), structs.replace(FAILED, picture=CURVE), OTHER),
    "long code": (structs.replace(FAILED, counterexample=MANY_LINES), OTHER, PASSED),
    "all pass": copies(PASSED, 40),
    "nothing passes": copies(OTHER, 30),
    "nothing is known": copies(UNKNOWN, 30),
    "long sentences": tuple(structs.replace(check, title="Word " * 40) for check in (FAILED, OTHER, PASSED, UNKNOWN)),
}


@pytest.mark.parametrize("checks", CASES.values(), ids=CASES.keys())
def test_at_most_twenty_lines_are_open(checks):
    result = ExerciseResult("f", 0.0, 1.0, "partial", SAYS, checks)
    assert 2 <= len(open_lines(Panel(result).html())) <= layout_of(result).lines <= MOST_LINES


@pytest.mark.parametrize("checks", CASES.values(), ids=CASES.keys())
def test_nothing_is_left_out_of_text_or_html(checks):
    result = ExerciseResult("f", 0.0, 1.0, "partial", SAYS, checks)
    for shown in (Panel(result).text(), Panel(result).html()):
        for title in {check.title for check in checks}:
            assert shown.count(title.strip()) == sum(check.title == title for check in checks)


def test_a_picture_is_a_sentence_in_the_text_and_drawn_in_the_html():
    result = ExerciseResult("f", 0.0, 1.0, "failed", None, (structs.replace(FAILED, picture=CURVE),))
    assert "      `f(x)` is wrong at 1 of 3 inputs: x = 2." in Panel(result).text().splitlines()
    html = Panel(result).html()
    assert html.count('<svg role="img"') == 1 and "<code>f(x)</code> is wrong at 1 of 3 inputs: x = 2." in html


def test_a_curve_of_another_check_is_shown_where_the_first_has_none():
    result = ExerciseResult("f", 0.0, 1.0, "failed", None, (FAILED, structs.replace(OTHER, picture=CURVE)))
    assert layout_of(result).shown is FAILED
    assert CURVE.says in Panel(result).text()


def test_checks_that_could_not_be_made_are_no_failures():
    result = ExerciseResult("f", 1.0, 1.0, "passed", None, (PASSED, UNKNOWN))
    assert first_failure(result) is None
    assert Panel(result).text().splitlines()[1] == "  The check passes."
    assert "✗" not in Panel(result).text() + Panel(result).html()


def test_a_forbidden_call_shows_its_message_and_no_check():
    result = ExerciseResult("f", 0.0, 1.0, "forbidden", None, (OTHER,), "`f` may not call `torch.f`.")
    assert Panel(result).text() == "f: 0 of 1 points (uses what the exercise forbids)\n  `f` may not call `torch.f`."
    assert "<code>torch.f</code>" in Panel(result).html() and "It is not changed." not in Panel(result).html()


PASSING = {
    "The check passes.": (PASSED,),
    "All 2 checks pass.": (PASSED, PASSED),
    "2 of 3 checks pass.": (PASSED, FAILED, PASSED),
    "The only check does not pass yet.": (FAILED,),
    "None of the 2 checks passes yet.": (FAILED, OTHER),
    "No check was made.": (UNKNOWN,),
}


@pytest.mark.parametrize(("says", "checks"), PASSING.items(), ids=PASSING.keys())
def test_how_much_is_right_is_said_first(says, checks):
    assert Panel(ExerciseResult("f", 0.0, 1.0, "partial", None, checks)).text().splitlines()[1] == f"  {says}"


def test_the_outputs_tell_which_package_made_them():
    data, metadata = Panel(PARTIAL)._repr_mimebundle_()
    assert data.keys() == {"text/plain", "text/html"}
    assert metadata == {"autograder": {"version": autograder.__version__}}
    assert Panel(PARTIAL, with_record=True)._repr_mimebundle_()[0][RECORD_TYPE]["name"] == "softmax"


def test_a_students_answer_is_text_also_where_it_is_marked():
    got = "'<b>', *'<i>'"
    result = ExerciseResult("f", 0.0, 1.0, "failed", None, (structs.replace(FAILED, got=got, differing=((7, 13),)),))
    shown = Panel(result).html()
    assert "<b>" not in shown and "<i>" not in shown and "*&#39;&lt;i&gt;&#39;</mark>" in shown


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
    longer = structs.replace(FAILED, counterexample=f"{FAILED.counterexample} # more")
    result = ExerciseResult("softmax", 0.0, 2.0, "failed", None, (longer, FAILED))
    assert first_failure(result) is FAILED


def failed(title: str, code: str | None, kind: str = "idea", message: str = FAILED.message, **more: str) -> CheckResult:
    return CheckResult(
        **{**structs.asdict(FAILED), **more, "title": title, "counterexample": code, "kind": kind, "message": message}
    )


LONG_CODE = "f(torch.tensor([[1., 2.], [3., 4.]]))"
IDEA, CASE = failed("Rows sum to 1.", LONG_CODE), failed("An empty axis stays empty.", "f(0)", "case")
DTYPE = failed("The result has the dtype of `x`, also in half precision.", "f(1)")
# the one to look at first, and the others
HEADLINES = {
    "an idea before a case": (IDEA, CASE),
    "a case before a refusal": (CASE, failed("Negative p raises ValueError.", "f()", "refusal")),
    "no wrong value under a dtype": (IDEA, DTYPE),
    "a wrong dtype under a dtype": (
        failed(DTYPE.title, "f(1)", message="Expected dtype torch.float32, got torch.float64."),
        IDEA,
    ),
    "no wrong value under no change": (IDEA, failed("`x` is not changed in place.", "f(1)")),
    "precision where it is the idea": (DTYPE, CASE),
    "no code": (failed("Rows sum to 1.", "# f(x), where x is large"), failed("Columns too.", None)),
    "not waited for": (
        failed("Negative p raises ValueError.", "f()", "refusal", status="timeout"),
        failed("Rows sum to 1.", None, status="timeout"),
    ),
}


@pytest.mark.parametrize("checks", HEADLINES.values(), ids=HEADLINES.keys())
def test_the_headline_is_the_check_whose_words_fit(checks):
    for order in (checks, checks[::-1]):
        assert first_failure(ExerciseResult("f", 0.0, 2.0, "failed", None, order)) is checks[0]


def test_the_check_that_the_diagnosis_is_about_is_shown_first():
    about = structs.replace(CASE, name="test_empty")
    says = Diagnosis("m", "An empty axis is summed.", "generic", ("test_empty",))
    assert first_failure(ExerciseResult("f", 0.0, 2.0, "failed", says, (IDEA, about))) is about
    assert first_failure(ExerciseResult("f", 0.0, 2.0, "failed", None, (IDEA, about))) is IDEA


def test_dtypes_do_not_make_code_longer():
    float64 = structs.replace(FAILED, counterexample="f(torch.tensor(1., dtype=torch.float64))")
    float32 = structs.replace(FAILED, counterexample="f(torch.tensor(1.5))")
    assert first_failure(ExerciseResult("f", 0.0, 2.0, "failed", None, (float32, float64))) is float64


def test_a_notice_is_its_sentence_everywhere():
    assert Notice("No exercise.")._repr_mimebundle_() == {"text/plain": "No exercise."}
