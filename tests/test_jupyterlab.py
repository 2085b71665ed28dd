"""`check()` in JupyterLab, in a real browser, in the folder that is released."""

import shutil
from pathlib import Path

import nbformat
from browser import jupyter, page

from autograder.course import Course

ALWAYS_A = "def grade_letter(score):\n    if not 0 <= score <= 100:\n        raise ValueError('score')\n    return 'A'"
# Otherwise JupyterLab draws only the cells in sight.
TRACKER = Path("config/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings")


def test_check_renders_its_panel_in_jupyterlab(built_fixture_course: Course, tmp_path: Path):
    folder = tmp_path / "basics"
    shutil.copytree(built_fixture_course.assignments_dir / "basics", folder)
    notebook = nbformat.read(folder / "basics.ipynb", as_version=4)
    next(cell for cell in notebook.cells if cell.id == "grade_letter").source = ALWAYS_A
    # A picture of functions that are not written yet would stop what runs after it.
    notebook.cells = [cell for cell in notebook.cells if "if not grading" not in cell.source]
    nbformat.write(notebook, folder / "basics.ipynb")
    home = tmp_path / "jupyter"
    (home / TRACKER).parent.mkdir(parents=True)
    (home / TRACKER).write_text('{"windowingMode": "none"}', encoding="utf-8")
    with jupyter("lab", folder, home) as address, page() as opened:
        opened.goto(f"{address}/lab/tree/basics.ipynb?reset")
        opened.locator(".jp-Notebook .jp-Cell").first.wait_for()
        # What is run before the kernel is there is lost.
        opened.get_by_text("| Idle").wait_for()
        opened.get_by_text("Run", exact=True).first.click()
        opened.get_by_text("Run All Cells", exact=True).click()
        # Until there is a verdict the panel says what it waits for.
        panel = opened.locator(".jp-RenderedHTML", has_text="grade_letter").filter(has_text="✗").last
        panel.wait_for()
        shown = panel.inner_text()
        assert ("grade_letter" in shown and "not right yet" in shown) or "partly right" in shown
        assert "✓" in shown and "✗" in shown
