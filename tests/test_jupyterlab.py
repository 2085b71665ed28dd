"""`check()` in JupyterLab, in a real browser, on the released notebook."""

import json
import shutil

from browser import jupyter, page
from test_formgrader import shoot

from autograder.course import Course


def test_check_renders_its_panel_in_jupyterlab(course: Course, tmp_path):
    folder = tmp_path / "activations"
    shutil.copytree(course.assignments_dir / "activations", folder)
    path = folder / "activations.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    name = next(
        c["metadata"]["nbgrader"]["grade_id"].removeprefix("check-")
        for c in notebook["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check-")
    )
    with jupyter("lab", folder, tmp_path / "jupyter") as address, page() as opened:
        opened.goto(f"{address}/lab/tree/activations.ipynb?reset")
        opened.locator(".jp-Notebook .jp-Cell").first.wait_for()
        opened.get_by_text("Run", exact=True).first.click()
        opened.get_by_text("Run All Cells", exact=True).click()
        panel = opened.locator(".jp-OutputArea-output.jp-RenderedHTMLCommon", has_text=name).first
        panel.scroll_into_view_if_needed()
        assert "points" in panel.inner_text()
        shoot(opened, "jupyterlab-panel")
