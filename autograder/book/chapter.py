"""A chapter: an assignment's text with stubs in place of solutions, and its demo cells with what they show."""

import ast
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.book.errors import BookError
from autograder.book.markup import count, directive
from autograder.book.showing import Demos, Shown
from autograder.course import AssignmentSettings
from autograder.notebooks.source import SourceCell
from autograder.policy.deadline import Deadline
from autograder.testing.assignment import Assignment

FIGURES = "figures"
DOWNLOADS = "downloads"
SHORT = 6  # lines of code


@dataclass(frozen=True)
class Chapter:
    """What a chapter is made of.

    Attributes:
        settings: of the course's file.
        assignment: its exercises.
        cells: of its source.
        stubs: the code of each exercise's cell as students get it.
        released: every file that students get, by its path in their folder.
        deadline: when it is due, if ever.
        demos: what each demo cell shows, by the id of its cell.
    """

    settings: AssignmentSettings
    assignment: Assignment
    cells: tuple[SourceCell, ...]
    stubs: Mapping[str, str]
    released: Mapping[str, bytes]
    deadline: Deadline | None
    demos: Demos = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.assignment.name

    @property
    def title(self) -> str:
        """The heading that its first cell begins with.

        Raises:
            BookError: it begins with something else.
        """
        first = self.cells[0]
        if first.role != "text" or not first.text.startswith("# "):
            raise BookError(f"{self.name}.md, cell 1: needed is the chapter's title, such as `# Convolution`")
        return first.text.partition("\n")[0].removeprefix("# ").strip()

    @property
    def prose(self) -> str:
        """All of its text."""
        return "\n\n".join(cell.text for cell in self.cells if cell.role in ("text", "question"))

    @property
    def minutes(self) -> int:
        """How long it takes, about; 0 where neither course nor source says."""
        return self.settings.minutes or sum(cell.minutes for cell in self.cells)

    @property
    def points(self) -> float:
        """Of exercises and questions."""
        return round(self.assignment.max_score + sum(cell.points for cell in self.cells), 6)


def chapter_page(chapter: Chapter) -> tuple[str, dict[str, bytes]]:
    """A chapter's page, and its figures by their paths beside it."""
    figures: dict[str, bytes] = {}
    blocks = [f"# {chapter.title}", _about(chapter), chapter.cells[0].text.partition("\n")[2].strip()]
    for cell in chapter.cells[1:]:
        blocks += _blocks(cell, chapter, figures)
    return "\n\n".join(block for block in blocks if block) + "\n", figures


def _about(chapter: Chapter) -> str:
    """What stands under the title: how much it is, when it is due, the folder to download."""
    counts = [count(len(chapter.assignment.exercises), "exercise"), count(chapter.points, "point")]
    counts += [f"about {count(chapter.minutes, 'minute')}"] if chapter.minutes else []
    folder = f"{{download}}`{chapter.name}.zip <../{DOWNLOADS}/{chapter.name}.zip>`"
    lines = [f"{', '.join(counts)}. Its notebook, in the folder to work in: {folder}."]
    # Sphinx puts the chapters' titles in.
    earlier = ", ".join(f"[]({name}.md)" for name in chapter.settings.builds_on)
    lines += [f"It builds on {earlier}."] if earlier else []
    lines += [chapter.deadline.markdown()] if chapter.deadline else []
    return "{.about}\n" + "  \n".join(lines)


def _blocks(cell: SourceCell, chapter: Chapter, figures: dict[str, bytes]) -> list[str]:
    match cell.role:
        case "text":
            return [cell.text]
        case "setup":
            return [_code(cell.text)]
        case "demo":
            shown = chapter.demos.get(f"demo-{cell.name}", ())
            code = _unguarded(cell.text)
            names = (f"{chapter.name}-{cell.name}-{number}" for number in range(1, len(shown) + 1))
            outputs = [_output(one, name, code, figures) for one, name in zip(shown, names, strict=True)]
            return [*_folded(code, shown), *outputs]
        case "exercise":
            exercise = chapter.assignment.exercise(cell.name)
            assert exercise is not None
            caption = f"Exercise `{cell.name}`, {count(exercise.points, 'point')}"
            return [_code(chapter.stubs[cell.name], "exercise", caption)]
        case "check":
            return [_code(f'check("{cell.name}")', "check")]
        case "question":
            return [cell.text, f"{{.remark}}\nA question to answer in the notebook, {count(cell.points, 'point')}."]


def _code(code: str, kind: str = "", caption: str = "") -> str:
    options = {"class": f"cell {kind}".strip()} | ({"caption": caption} if caption else {})
    return directive("code-block", "python", options, code)


def _folded(code: str, shown: tuple[Shown, ...]) -> list[str]:
    """A demo's code; that of a figure is folded away unless it is short, so that the chapter reads on."""
    if not any(one.png for one in shown) or len(code.splitlines()) <= SHORT:
        return [_code(code)]
    return ["<details><summary>Code of the figure</summary>", _code(code), "</details>"]


def _output(shown: Shown, name: str, code: str, figures: dict[str, bytes]) -> str:
    if not shown.png:
        return directive("code-block", "text", {"class": "output"}, shown.text.rstrip("\n"))
    path = f"{FIGURES}/{name}.png"
    figures[path] = shown.png
    options = {"class": "output", "alt": _described(code)} | ({"width": f"{shown.width}px"} if shown.width else {})
    return directive("image", path, options)


def _unguarded(code: str) -> str:
    """A demo's code without the line that keeps it from running when the notebook is graded."""
    return textwrap.dedent(code.partition("\n")[2])


def _described(code: str) -> str:
    """What a figure shows, for whom it is read aloud: the titles that its code sets."""
    titles: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            given = [word.value for word in node.keywords if word.arg == "title"]
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("set_title", "title", "suptitle"):
                given += node.args[:1]
            titles += [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return " ".join("; ".join(["Figure", *titles]).split()) if titles else "Figure made by the code above"
