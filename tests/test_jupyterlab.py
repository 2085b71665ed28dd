"""`check()` in JupyterLab, in a real browser, in the folder that is released."""

import json
import shutil

from browser import jupyter, page
from test_formgrader import shoot

from autograder.course import Course
from autograder.grading.classroom import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment


def test_check_renders_its_panel_in_jupyterlab(course: Course, tmp_path):
    folder = tmp_path / "activations"
    shutil.copytree(course.assignments_dir / "activations", folder)
    assignment = load_assignment(course, "activations")
    made = {m.student: m.text for m in make_class(assignment, source_notebook(course, assignment))}
    notebook = json.loads(made["chen"])
    ids = [cell["metadata"].get("nbgrader", {}).get("grade_id", "") for cell in notebook["cells"]]
    first = next(i for i, grade_id in enumerate(ids) if grade_id.startswith("check-"))
    # JupyterLab draws only the cells in sight, and stops at the first error: up to the first check is enough.
    notebook["cells"] = notebook["cells"][: first + 1]
    (folder / "activations.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with jupyter("lab", folder, tmp_path / "jupyter") as address, page() as opened:
        opened.goto(f"{address}/lab/tree/activations.ipynb?reset")
        opened.locator(".jp-Notebook .jp-Cell").first.wait_for()
        opened.get_by_text("Run", exact=True).first.click()
        opened.get_by_text("Run All Cells", exact=True).click()
        panel = opened.locator(".jp-OutputArea-output.jp-RenderedHTML").last
        panel.scroll_into_view_if_needed()
        shoot(opened, "jupyterlab-panel")
        assert ids[first].removeprefix("check-") in panel.inner_text()
