"""No table of a command cuts a name: two that differ in their last letters can be told apart in a narrow terminal."""

import ast
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ROOT
from made_results import judged
from rich.console import Console
from rich.progress import Progress

from autograder.cli import author, collect, instructor, late, retention
from autograder.cli.steps import columns
from autograder.cli.terminal import print_table
from autograder.collecting.attempts import Placed
from autograder.collecting.collect import Collected
from autograder.collecting.times import Stamp
from autograder.collecting.unmatched import Row
from autograder.course import load_course
from autograder.demo.run import Grade, Shown
from autograder.gradebook.penalties import Settled
from autograder.judging.doctor import Finding
from autograder.policy.lateness import Lateness
from autograder.proving.outcome import Verified, summarize
from autograder.reporting.charts import outcomes
from autograder.reporting.figures import ExerciseFigures
from autograder.results import ExerciseResult
from autograder.retention.holdings import Holdings

NAMES = ("scaled_dot_product_attention_backward_of_keys", "scaled_dot_product_attention_backward_of_values")
COURSE = load_course(ROOT / "tests" / "fixture_course")
NOW = datetime(2026, 12, 18, 12, tzinfo=UTC)


def judge() -> None:
    result = judged("ada", *(ExerciseResult(name, 1.0, 2.0, "partial", None, ()) for name in NAMES)).result
    assert result is not None
    instructor._show_result(result)


def doctor() -> None:
    instructor._show_findings([Finding("software", name, True, name, name) for name in NAMES])


def demo() -> None:
    grades = tuple(Grade(name, name, 1.0, True, "") for name in NAMES)
    found = tuple((name, "The sign is lost.", 3) for name in NAMES)
    instructor._show_class(Shown("basics", "Basics", 2.0, grades, (), found, Path("f"), Path("r")))


def verify() -> None:
    author._report_verification(summarize(Verified(name, 12, 100, 33, 33, 33, 31, 12, (), 14.0) for name in NAMES))


def late_ones() -> None:
    lateness = Lateness(NAMES[0], NOW, NOW, timedelta(hours=1), 0, 10)
    late._show([Settled(name, name, lateness, None, 0.1, 1.0, 2.0) for name in NAMES])


def collected() -> None:
    waiting = tuple(Row("", name, name, f"{name}.ipynb", "") for name in NAMES)
    placed = tuple(Placed(name, "new", Stamp(NOW, "exact"), 1, name, "a.ipynb") for name in NAMES)
    collect._report(COURSE, Collected("basics", placed, waiting, (), ()))


def held() -> None:
    retention._list(COURSE, Holdings("ada", frozenset(), tuple(COURSE.root / name for name in NAMES), (), (), None))


TABLES: tuple[Callable[[], None], ...] = (judge, doctor, demo, verify, late_ones, collected, held)


def joined(printed: str) -> list[str]:
    """The columns of the tables that were printed, each with the parts of its cells put together."""
    tables: list[list[str]] = []
    for line in printed.splitlines():
        if line.startswith("┏"):
            tables.append([""] * (line.count("┳") + 1))
        elif line.startswith("│"):
            parts = line.strip("│").split("│")
            tables[-1] = [text + part.strip() for text, part in zip(tables[-1], parts, strict=True)]
    return [column for table in tables for column in table]


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("table", TABLES)
def test_every_table_shows_names_to_their_last_letter(
    table: Callable[[], None], width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", str(width))
    table()
    printed = capsys.readouterr().out
    shown = joined(printed)
    assert shown and any(all(name in column for name in NAMES) for column in shown)
    assert "…" not in printed
    for column in shown:
        assert column.count(NAMES[0][:-4]) == sum(column.count(name) for name in NAMES)


def test_a_cell_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]):
    print_table(("x[i]", "b"), [("y[bold]", ":smile:")], title="[red]")
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("x[i]", "y[bold]", ":smile:", "[red]"))


def test_no_command_makes_a_table_of_its_own():
    makers = [
        path.name
        for path in (ROOT / "autograder").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "rich.table" and "Table" in {n.name for n in node.names}
    ]
    assert makers == ["terminal.py"]


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("name", NAMES)
def test_beside_a_bar_stands_the_whole_name(name: str, width: int):
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    progress = Progress(*columns(), console=console)
    progress.add_task(name, total=12)
    console.print(progress.get_renderable())
    assert name in "".join(line.split(" ")[0].rstrip() for line in console.file.getvalue().splitlines())


def test_in_a_chart_stands_the_whole_name():
    chart = outcomes([ExerciseFigures(name, 2.0, 1, 0, 0, 0, 1.0, 2.0, None) for name in NAMES])
    texts = [part.split("</text>")[0] for part in chart.split('<text x="0" y="')[1:]]
    assert "".join(text.split(">")[1] for text in texts) == "".join(NAMES)
    places = [int(text.split('"')[0]) for text in texts]
    assert places == sorted(set(places)) and f'height="{places[-1] + 8}"' in chart
