"""The feedback page: what stands on it, that it needs nothing else, and how it looks in a browser."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from browser import page
from conftest import BIN
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.api import Gradebook
from test_nbgrader import nbgrader, submit
from test_sanitising import Text, dangers, picture

from autograder.course import Course, load_course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.points import points_of, points_text
from autograder.sanitizing.formulas import mathml
from autograder.sanitizing.own_outputs import MARK
from autograder.testing.assignment import load_assignment

CHINESE = "丢弃后除以 $1-p$，所以期望不变。"
COMMENT = "Nearly: what does $E[x]$ do? <script>window.pwned=1</script>"


def with_own_work(text: str) -> str:
    """A made submission with a plot, a text and some more Markdown of its own."""
    notebook = nbformat.reads(text, as_version=4)
    outputs = [
        new_output("stream", name="stdout", text="loss 0.25 < 0.5\n"),
        new_output("display_data", {"image/png": picture(size=(300, 120)), "text/plain": "<Figure>"}),
    ]
    notebook.cells.insert(3, new_code_cell("plt.plot([1, 2])\n", outputs=outputs, id="own-plot"))
    notebook.cells.insert(4, new_markdown_cell(CHINESE, id="own-words"))
    return nbformat.writes(notebook)


@pytest.fixture(scope="module")
def returned(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Four submissions, one broken and one late, graded with `nbgrader autograde`, one of them by a person too."""
    root = tmp_path_factory.mktemp("returned") / "course"
    shutil.copytree(built_fixture_course.root, root)
    course = load_course(root)
    assignment = load_assignment(course, "basics")
    made = {m.student: m.text for m in make_class(assignment, source_notebook(course, assignment))}
    assert nbgrader(course, "generate_assignment", "basics").returncode == 0
    for student in ("ada", "chen", "ivan", "mei"):
        submit(course, student, "basics", with_own_work(made[student]) if student == "chen" else made[student])
    assert nbgrader(course, "autograde", "basics").returncode == 0
    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
        gradebook.find_grade("why", "basics", "basics", "chen").manual_score = 1.5
        gradebook.find_comment("why", "basics", "basics", "chen").manual_comment = COMMENT
        gradebook.find_submission_notebook("basics", "basics", "ivan").late_submission_penalty = 0.5
        gradebook.db.commit()
    assert nbgrader(course, "generate_feedback", "basics").returncode == 0
    return course


def made_page(course: Course, student: str) -> Path:
    return course.private_dir / "feedback" / student / "basics" / "basics.html"


def words(course: Course, student: str) -> str:
    text = re.sub(r"<style>.*?</style>", "", made_page(course, student).read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(Text.of(text).split())


def test_the_summary_has_each_exercise_and_question_with_its_points(returned: Course):
    summary = made_page(returned, "chen").read_text(encoding="utf-8").split("</header>")[0]
    with Gradebook(f"sqlite:///{returned.private_dir / 'gradebook.db'}", returned.course_id) as gradebook:
        (notebook,) = gradebook.find_submission("basics", "chen").notebooks
        for grade in notebook.grades:
            row = re.search(rf'<tr>(?:(?!</tr>).)*href="#{grade.name}".*?</tr>', summary, re.DOTALL)
            assert row is not None
            assert points_of(grade.score, grade.max_score) in row[0]
        assert f"<strong>{points_text(notebook.score, notebook.max_score)}</strong>" in summary


def test_what_to_do_next_is_said_of_what_has_not_all_points(returned: Course):
    assert "What it looks like:" in words(returned, "chen").split("Run the cells from the top")[0]
    assert "not written yet" in words(returned, "ivan")


def test_a_question_that_waits_for_a_person_is_not_shown_as_nothing(returned: Course):
    assert "2 points still wait for a person to grade them" in words(returned, "ada")
    assert "still wait" not in words(returned, "chen")


def test_a_persons_comment_is_shown_and_not_run(returned: Course):
    text = made_page(returned, "chen").read_text(encoding="utf-8")
    assert text.count("Nearly: what does") == 2
    assert "pwned" not in text


def test_a_late_penalty_is_said(returned: Course):
    assert "0.5 points were taken off because it came late" in words(returned, "ivan")
    assert "because it came late" not in words(returned, "ada")


def test_what_could_not_be_graded_says_why(returned: Course):
    assert "Not graded automatically. basics.ipynb is not a notebook" in words(returned, "mei")


def test_check_cells_carry_their_exercises_name(returned: Course):
    text = words(returned, "chen")
    assert "Checks of dropout" in text and "Test cell" not in text


def test_own_plots_and_texts_are_kept_as_the_students_own(returned: Course):
    text = made_page(returned, "chen").read_text(encoding="utf-8")
    own = text[text.index(f'<div class="own"><p class="quiet">{MARK}') :].split("</div>")[0]
    assert picture(size=(300, 120)) in own and "loss 0.25 &lt; 0.5" in own


def test_formulas_are_mathml_and_chinese_stays(returned: Course):
    text = made_page(returned, "chen").read_text(encoding="utf-8")
    assert "<math" in text and "$1-p$" not in text and "丢弃后除以" in text


@pytest.mark.parametrize("student", ["ada", "chen", "ivan", "mei"])
def test_the_page_is_small_and_names_nothing_to_fetch(returned: Course, student: str):
    text = made_page(returned, student).read_text(encoding="utf-8")
    assert len(re.sub(r"base64,[A-Za-z0-9+/=]+", "", text).encode()) < 300_000
    assert re.findall(r"""(?:src|url\(|@import|<link|<script)[^>]*https?:""", text) == []
    unknown = [found for found in dangers(text) if found not in ("meta", "style", "svg", "math")]
    assert unknown == []


def test_autograder_grade_leads_to_the_same_page(returned: Course, tmp_path: Path):
    root = tmp_path / "course"
    shutil.copytree(returned.root, root)
    course = load_course(root)
    before = made_page(course, "chen").read_text(encoding="utf-8")
    shutil.rmtree(course.private_dir / "autograded")
    command = [str(BIN / "autograder"), "grade", "basics"]
    subprocess.run(command, cwd=root, capture_output=True, check=False)
    assert nbgrader(course, "generate_feedback", "basics", "--force").returncode == 0
    assert made_page(course, "chen").read_text(encoding="utf-8") == before


def test_the_sign_of_a_number_stands_close_to_it():
    assert '<mo form="prefix">−</mo><mn>2</mn>' in mathml("$x = (-2, 0)$")
    assert "prefix" not in mathml("$x - 2$")


@pytest.mark.parametrize(
    "tex", [r"$\frac{$", r"$\def\a{\a\a}\a$", f"${'{' * 900}$", f"${'x' * 3_000}$", r"$\begin{nothing}x\end{nothing}$"]
)
def test_a_formula_that_cannot_be_set_costs_nobody_the_page(tex: str):
    assert dangers(mathml(tex)) in ([], ["math"])


@pytest.mark.parametrize("width", [375, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_asks_no_network_for_anything(returned: Course, width: int, scheme: str):
    with page() as opened:
        asked: list[str] = []
        opened.on("request", lambda request: asked.append(request.url))
        opened.context.set_offline(True)
        opened.emulate_media(color_scheme=scheme)
        opened.set_viewport_size({"width": width, "height": 800})
        address = made_page(returned, "chen").as_uri()
        opened.goto(address, wait_until="networkidle")
        assert [url for url in asked if not url.startswith("data:")] == [address]
        assert opened.evaluate("document.documentElement.scrollWidth") == width
        assert opened.locator(".own img").first.evaluate("image => image.naturalWidth") == 300
        shoot(opened, f"feedback-{scheme}-{width}")


def test_formulas_have_a_size_in_the_browser(returned: Course):
    with page() as opened:
        opened.goto(made_page(returned, "chen").as_uri())
        sizes = opened.locator("math").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
        assert sizes and min(sizes) > 3


def shoot(opened, name: str) -> None:
    """Keeps a picture where the person who runs the tests asks for one."""
    if folder := os.environ.get("SCREENSHOTS"):
        opened.screenshot(path=str(Path(folder) / f"{name}.png"))
