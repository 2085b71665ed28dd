"""Makes the handbook's pictures anew, of a demo of its own: ``make pictures``. It needs Chromium and some minutes."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from autograder.authoring.preview import as_page, run_cells
from autograder.course import Course, load_course

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "tests"))
from browser import CHROMIUM, jupyter, page  # noqa: E402

NAME = "activations"
# Of the made-up class one who has mistakes, with a curve to show.
STUDENT = "chen"
# Two wrong answers, of which one is a known mistake and one is drawn as a curve.
SOFTMAX = """\
def softmax(x, dim, temperature=1.0):
    require_axis(x, dim=dim)
    require_positive(temperature=temperature)
    weights = torch.exp((x - x.max()) / temperature)
    return weights / weights.sum()"""
ELU = """\
def elu(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * torch.exp(x) - 1)"""
# Otherwise JupyterLab draws only the cells in sight, and asks whether it may fetch news.
SETTINGS = {
    "notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none"}',
    "apputils-extension/notification.jupyterlab-settings": '{"fetchNews": "false"}',
}


def main() -> None:
    """Makes every picture."""
    if not CHROMIUM.is_file():
        raise SystemExit("Chromium is not installed: run `make system`.")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        command = [str(Path(sys.executable).with_name("autograder")), "demo", NAME, "--out", str(folder / "course")]
        subprocess.run(command, cwd=DOCS.parent, check=True)
        course = load_course(folder / "course")
        for name, picture in _pictures(course, folder):
            picture(DOCS / f"{name}.png")
            print(f"docs/{name}.png")


def _pictures(course: Course, folder: Path) -> Iterator[tuple[str, Callable[[Path], None]]]:
    yield "panel", lambda path: _panel(course, folder, path)
    yield "jupyterlab", lambda path: _jupyterlab(course, folder, path)
    yield "feedback", lambda path: _feedback(course, path)
    yield "report", lambda path: _report(course, path)
    yield "formgrader", lambda path: _formgrader(folder, path)


def _notebook(course: Course, *answers: tuple[str, str]) -> Any:
    """The first cell of the notebook, and some answers with their checks."""
    released = nbformat.read(course.assignments_dir / NAME / f"{NAME}.ipynb", as_version=4)
    cells = [next(cell for cell in released.cells if cell.id == "setup")]
    for exercise, code in answers:
        cells += [new_code_cell(code, id=exercise), new_code_cell(f'check("{exercise}")', id=f"check-{exercise}")]
    return new_notebook(cells=cells, metadata=released.metadata)


def _panel(course: Course, folder: Path, path: Path) -> None:
    notebook = _notebook(course, ("softmax", SOFTMAX), ("elu", ELU))
    if faults := run_cells(NAME, notebook, course.assignments_dir / NAME):
        raise SystemExit("\n".join(faults))
    shown = new_notebook(cells=notebook.cells[1:], metadata=notebook.metadata)
    file = folder / "panel.html"
    file.write_text(as_page(NAME, shown), encoding="utf-8")
    with page() as opened:
        opened.set_viewport_size({"width": 900, "height": 400})
        opened.goto(file.as_uri())
        opened.locator("main").screenshot(path=str(path))


def _jupyterlab(course: Course, folder: Path, path: Path) -> None:
    own, home = folder / NAME, folder / "lab"
    shutil.copytree(course.build_dir / "source" / NAME, own)
    nbformat.write(_notebook(course, ("softmax", SOFTMAX)), own / f"{NAME}.ipynb")
    for at, text in SETTINGS.items():
        file = home / "config" / "lab" / "user-settings" / "@jupyterlab" / at
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    with jupyter("lab", own, home) as address, page() as opened:
        opened.goto(f"{address}/lab/tree/{NAME}.ipynb?reset")
        opened.locator(".jp-Notebook .jp-Cell").first.wait_for()
        opened.get_by_text("| Idle").wait_for()
        opened.get_by_text("Run", exact=True).first.click()
        opened.get_by_text("Run All Cells", exact=True).click()
        panel = opened.locator(".jp-RenderedHTML").filter(has_text="✗").last
        panel.wait_for()
        panel.scroll_into_view_if_needed()
        opened.screenshot(path=str(path))


def _feedback(course: Course, path: Path) -> None:
    feedback = course.private_dir / "feedback" / STUDENT / NAME / f"{NAME}.html"
    with page() as opened:
        opened.set_viewport_size({"width": 1000, "height": 900})
        opened.goto(feedback.as_uri())
        curve = opened.locator("svg").first
        curve.evaluate("curve => curve.scrollIntoView({block: 'center'})")
        opened.screenshot(path=str(path))


def _report(course: Course, path: Path) -> None:
    with page() as opened:
        opened.set_viewport_size({"width": 1280, "height": 1250})
        opened.goto((course.private_dir / "reports" / f"{NAME}.html").as_uri())
        opened.screenshot(path=str(path))


def _formgrader(folder: Path, path: Path) -> None:
    """The test of the formgrader goes through a submission, and keeps pictures where it is asked to."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/test_formgrader.py"]
    subprocess.run(command, cwd=DOCS.parent, env={**os.environ, "SCREENSHOTS": str(folder)}, check=True)
    shutil.copy(folder / "formgrader-submission.png", path)


if __name__ == "__main__":
    main()
