"""What a student wrote does not run where others open it: formgrader's page and the feedback page, in a real browser."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browser import jupyter, page
from conftest import BIN
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from nbgrader.api import Gradebook
from payloads import MARKDOWN, OUTPUTS, RUNS, hostile_cells, hostile_metadata
from test_nbgrader import nbgrader, submit

from autograder.course import Course, load_course
from autograder.notebooks.build import notebook_text, released_notebook, source_notebook
from autograder.sanitizing.safe import make_safe
from autograder.testing.assignment import load_assignment

STUDENTS = ("by-nbgrader", "by-autograder")
ODD_NAME = f"<img src=x onerror={RUNS.replace('window.', '')}>.ipynb"
RAN = "() => window.pwned === 1"
# These run only elsewhere: in another browser, with MathJax, in a window of their own, or past another parser.
ELSEWHERE = (
    *("slash for a space", "data link", "data frame", "object", "embed", "base", "forwarding", "code", "entities"),
    *("formula with a link", "formula with a link in entities", "formula with a script", "formula that ends early"),
    *("link title", "image text"),
)
CONTROL = [kind for kind in MARKDOWN if kind not in ELSEWHERE]
CONTROL_OUTPUTS = ("html", "markdown")
CLICKED = "all => all.forEach(one => one.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true})))"


def hostile(course: Course) -> str:
    """The released notebook among every payload, some in the very cells that are graded."""
    notebook = released_notebook(source_notebook(course, load_assignment(course, "basics")))
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name == "why":
            cell.source += "\n\n" + "\n\n".join(MARKDOWN[kind] for kind in ("broken image", "svg", "javascript link"))
        if name.startswith("check-"):
            cell.outputs = list(OUTPUTS.values())
    notebook.cells += hostile_cells()
    notebook.metadata |= nbformat.from_dict(hostile_metadata())
    for number, cell in enumerate(notebook.cells):
        cell.id = f"c{number}"
    return notebook_text(notebook)


@pytest.fixture(scope="module")
def graded(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A hostile notebook graded through both doors, one of them under a hostile file name, and returned."""
    root = tmp_path_factory.mktemp("hostile") / "course"
    shutil.copytree(built_fixture_course.root, root)
    course = load_course(root)
    assert nbgrader(course, "generate_assignment", "basics").returncode == 0
    text = hostile(course)
    submit(course, STUDENTS[0], "basics", text)
    done = nbgrader(course, "autograde", "basics")
    assert done.returncode == 0, done.stderr
    path = submit(course, STUDENTS[1], "basics", text)
    path.rename(path.with_name(ODD_NAME))
    subprocess.run([str(BIN / "autograder"), "grade", "basics"], cwd=root, capture_output=True, check=False)
    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
        for student in STUDENTS:
            gradebook.find_comment("why", "basics", "basics", student).manual_comment = MARKDOWN["broken image"]
        gradebook.db.commit()
    done = nbgrader(course, "generate_feedback", "basics", "--force")
    assert done.returncode == 0, done.stderr
    return course


def runs(opened: Any) -> bool:
    """Whether a payload runs: by itself, or when everything that a student wrote is clicked."""
    opened.wait_for_load_state("load")
    if opened.evaluate(RAN):
        return True
    opened.wait_for_timeout(500)
    links = opened.locator("a[href^='javascript' i], a[href^='data' i], button:not(.btn), .rendered_html a, section a")
    links.evaluate_all(CLICKED)
    opened.wait_for_timeout(300)
    opened.wait_for_load_state("load")  # a link may have led to another page
    return bool(opened.evaluate(RAN))


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with page() as made:
        yield made


def shows(opened: Any, body: str) -> bool:
    opened.goto("about:blank")
    opened.set_content(f"<!doctype html><meta charset='utf-8'><section>{body}</section>", wait_until="load")
    return runs(opened)


@pytest.mark.parametrize("kind", CONTROL)
def test_the_test_sees_what_runs(opened: Any, kind: str):
    """The control: unsanitised, as nbconvert renders it, the payload runs."""
    assert shows(opened, markdown2html_mistune(MARKDOWN[kind]))


@pytest.mark.parametrize("kind", CONTROL_OUTPUTS)
def test_the_test_sees_what_runs_from_outputs(opened: Any, kind: str):
    assert shows(opened, exported(nbformat.v4.new_code_cell("1", outputs=[OUTPUTS[kind]])))


def exported(cell: Any) -> str:
    """A cell as nbconvert shows it, of which formgrader's page is made."""
    text, _ = HTMLExporter(template_name="classic").from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    return text.split("<body>")[1].split("</body>")[0]


def test_no_markdown_runs_as_nbconvert_renders_it(opened: Any):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in MARKDOWN.values()])
    make_safe(notebook)
    assert not shows(opened, "".join(markdown2html_mistune(cell.source) for cell in notebook.cells))


@pytest.mark.parametrize("student", STUDENTS)
def test_nothing_runs_on_the_feedback_page_even_without_its_policy(graded: Course, opened: Any, student: str):
    (path,) = (graded.private_dir / "feedback" / student / "basics").glob("*.html")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text(encoding="utf-8"))
    assert "Content-Security-Policy" not in text and "payload" not in text
    bare = path.with_name("bare.html")
    bare.write_text(text, encoding="utf-8")
    opened.goto(bare.as_uri())
    assert not runs(opened)


@pytest.mark.parametrize("student", STUDENTS)
def test_a_script_on_the_feedback_page_would_not_run_either(graded: Course, opened: Any, student: str):
    (path,) = (graded.private_dir / "feedback" / student / "basics").glob("basics.html")
    forced = path.with_name("forced.html")
    forced.write_text(path.read_text(encoding="utf-8").replace("</main>", f"<script>{RUNS}</script></main>"))
    opened.goto(forced.as_uri())
    assert not runs(opened)


def test_nothing_runs_in_the_formgrader(graded: Course, opened: Any, tmp_path: Path):
    """The control comes last: the same page, the autograded notebook replaced by what was handed in."""
    with Gradebook(f"sqlite:///{graded.private_dir / 'gradebook.db'}", graded.course_id) as gradebook:
        ids = {s: gradebook.find_submission("basics", s).notebooks[0].id for s in STUDENTS}
    with jupyter("server", graded.root, tmp_path / "jupyter") as address:
        for student in STUDENTS:
            opened.goto(f"{address}/formgrader/submissions/{ids[student]}/?index=0")
            opened.locator("input.score").first.wait_for()
            assert not runs(opened), student
        for place in ("gradebook/basics", "manage_submissions/basics", "manage_students"):
            opened.goto(f"{address}/formgrader/{place}")
            opened.locator("table tbody tr").first.wait_for()
            assert not runs(opened), place
        folder = graded.private_dir / "autograded" / STUDENTS[0] / "basics"
        (folder / "basics.ipynb").chmod(0o644)
        handed = graded.private_dir / "submitted" / STUDENTS[0] / "basics" / "basics.ipynb"
        notebook = nbformat.read(handed, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if "not-there" not in cell.source]
        (folder / "basics.ipynb").write_text(notebook_text(notebook), encoding="utf-8")
        opened.goto(f"{address}/formgrader/submissions/{ids[STUDENTS[0]]}/?index=0")
        assert runs(opened)


@pytest.mark.parametrize("student", STUDENTS)
def test_no_output_of_a_student_earns_points(graded: Course, student: str):
    with Gradebook(f"sqlite:///{graded.private_dir / 'gradebook.db'}", graded.course_id) as gradebook:
        (notebook,) = gradebook.find_submission("basics", student).notebooks
        assert [grade.auto_score for grade in notebook.grades if grade.cell.cell_type == "code"] == [0.0] * 7
