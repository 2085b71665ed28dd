"""The formgrader in a real browser: its buttons do what the commands do, and its points reach the gradebook."""

import os
from pathlib import Path

import pytest
from browser import jupyter, page
from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment


def shoot(opened, name: str) -> None:
    """Keeps a picture where the person who runs the tests asks for one."""
    if folder := os.environ.get("SCREENSHOTS"):
        opened.screenshot(path=str(Path(folder) / f"{name}.png"))


def press(opened, icon: str) -> None:
    """Presses the button with this picture and waits until its work is reported."""
    opened.locator(f"span.glyphicon-{icon}").first.click()
    opened.locator("#success-modal.in, #success-modal.show").wait_for(timeout=180_000)


def test_a_submission_goes_through_the_formgrader(fixture_course: Course, tmp_path):
    course = fixture_course
    assignment = load_assignment(course, "basics")
    made = {m.student: m for m in make_class(assignment, source_notebook(course, assignment))}
    folder = course.private_dir / "submitted" / "chen" / "basics"
    folder.mkdir(parents=True)
    (folder / "basics.ipynb").write_text(made["chen"].text, encoding="utf-8")
    with jupyter("server", course.root, tmp_path / "jupyter") as address, page() as opened:
        opened.goto(f"{address}/formgrader")
        opened.get_by_text("basics").first.wait_for()
        press(opened, "education")
        assert (course.build_dir / "release" / "basics" / "checks.py").is_file()
        opened.goto(f"{address}/formgrader")
        opened.get_by_text("basics").first.wait_for()
        shoot(opened, "formgrader-assignments")
        opened.goto(f"{address}/formgrader/manage_submissions/basics")
        press(opened, "flash")
        with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
            (notebook,) = gradebook.find_submission("basics", "chen").notebooks
            known, automatic = notebook.id, notebook.score
        assert automatic > 0
        opened.goto(f"{address}/formgrader/submissions/{known}/?index=0")
        written = opened.locator("input.score").last
        opened.locator("input.score").first.scroll_into_view_if_needed()
        shoot(opened, "formgrader-submission")
        written.fill("1.5")
        written.blur()
        opened.locator("textarea.comment").last.fill("One reason is missing.")
        opened.locator("textarea.comment").last.blur()
        opened.wait_for_load_state("networkidle")
        opened.goto(f"{address}/formgrader/manage_submissions/basics")
        press(opened, "comment")
        opened.goto(f"{address}/formgrader/gradebook/basics")
        opened.get_by_text(f"{automatic + 1.5:g}").first.wait_for()
        shoot(opened, "formgrader-gradebook")
    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
        (notebook,) = gradebook.find_submission("basics", "chen").notebooks
        assert notebook.score == pytest.approx(automatic + 1.5)
        assert "One reason is missing." in {comment.manual_comment for comment in notebook.comments}
    page_of_feedback = course.private_dir / "feedback" / "chen" / "basics" / "basics.html"
    assert "One reason is missing." in page_of_feedback.read_text(encoding="utf-8")
