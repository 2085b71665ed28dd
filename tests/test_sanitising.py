"""What is left of a hostile or odd notebook, without a browser: see `test_stored_xss` for what runs in one."""

import base64
import copy
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from payloads import MARKDOWN, OUTPUTS, RUNS, hostile_cells, hostile_metadata
from PIL import Image

from autograder.sanitizing.images import IMAGE_BYTES, verified
from autograder.sanitizing.markdown import rendered, safe_markdown
from autograder.sanitizing.own_outputs import ALL_IMAGES, CELL_TEXT, CUT, DROPPED, MARK
from autograder.sanitizing.safe import make_safe

HARMLESS = {
    "formulas": "From $z = x \\cdot y$ and $$\\begin{aligned} a &= b \\\\ c &< d \\end{aligned}$$",
    "less than": "If a < b and b > c, then `a < c`.",
    "Chinese": "# 反向传播\n\n**粗体** $\\alpha_1$，“引号”。",
    "lists": "- one\n- two\n\n  1. three\n\n> quoted",
    "code": "```python\ndef f(x):\n\n    return x < 1\n```",
    "a table": "| a | b |\n|:--|--:|\n| $x$ | 2 |",
    "links": "[a](https://example.invalid/x?y=1&z) <https://example.invalid> [up](#top)",
    "a price": "It costs \\$5 and \\$6.",
}


class Seen(HTMLParser):
    """What a page has in it that could run or fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "iframe", "object", "embed", "svg", "math", "base", "meta", "form", "input"):
            self.bad.append(tag)
        for name, value in attrs:
            address = (value or "").strip().lower()
            fetched = name == "src" and not address.startswith(("data:image/png", "data:image/jpeg"))
            if name.startswith("on") or fetched or (name == "href" and not re.match(r"https?:|mailto:|#", address)):
                self.bad.append(f"{tag} {name}={value}")


def dangers(page: str) -> list[str]:
    seen = Seen()
    seen.feed(page)
    return seen.bad


def picture(form: str = "PNG", size: tuple[int, int] = (8, 8), noise: bool = False) -> str:
    file = io.BytesIO()
    image = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGB", size)
    image.save(file, form)
    return base64.b64encode(file.getvalue()).decode()


def safe(*cells: Any, **metadata: Any) -> Any:
    notebook = new_notebook(cells=list(cells), metadata=metadata)
    make_safe(notebook)
    return notebook


@pytest.mark.parametrize("source", MARKDOWN.values(), ids=list(MARKDOWN))
def test_nothing_runs_from_markdown_as_nbconvert_renders_it(source: str):
    assert dangers(markdown2html_mistune(safe_markdown(source, {}, frozenset()))) == []


@pytest.mark.parametrize("source", MARKDOWN.values(), ids=list(MARKDOWN))
def test_nothing_runs_from_markdown_as_the_feedback_page_renders_it(source: str):
    assert dangers(rendered(source)) == []


def test_the_test_for_dangers_sees_most_of_them_in_what_is_not_sanitised():
    seen = [name for name, source in MARKDOWN.items() if dangers(markdown2html_mistune(source))]
    assert len(seen) >= 25


@pytest.mark.parametrize("source", HARMLESS.values(), ids=list(HARMLESS))
def test_plain_markdown_stays_as_it_was_written(source: str):
    assert safe_markdown(source, {}, frozenset()) == source


@pytest.mark.parametrize("source", HARMLESS.values(), ids=list(HARMLESS))
def test_plain_markdown_beside_html_looks_the_same(source: str):
    made = safe_markdown(f"{source}\n\n<u>x</u> <script></script>", {}, frozenset())
    wanted = Text.of(markdown2html_mistune(f"{source}\n\n<u>x</u>")).replace("¶", "")
    assert "".join(Text.of(markdown2html_mistune(made)).split()) == "".join(wanted.split())


class Text(HTMLParser):
    """What a page says."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    @classmethod
    def of(cls, page: str) -> str:
        parser = cls()
        parser.feed(page)
        return "".join(parser.parts)


def test_formatting_by_html_stays():
    made = safe_markdown("<b>bold</b> x<sub>1</sub>\n\n<details><summary>more</summary>text</details>", {}, frozenset())
    shown = markdown2html_mistune(made)
    assert all(part in shown for part in ("<b>bold</b>", "<sub>1</sub>", "<summary>more</summary>"))


@pytest.mark.parametrize("source", ["\n\n[x](javascript:1)", "\r\r[x](javascript:1)", "\v\n\f\n# x", "a\u2028\n\n`b"])
def test_no_text_leaves_the_block_of_html_it_was_made_into(source: str):
    made = safe_markdown(f"<u>x</u><pre>{source}</pre>", {}, frozenset())
    assert markdown2html_mistune(made).strip() == made


def test_a_heading_does_not_take_the_name_of_the_box_for_a_score():
    graded = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "points": 1, "grade_id": "why"}
    notebook = safe(new_markdown_cell("# why-comment"), new_code_cell("check('why')", metadata={"nbgrader": graded}))
    assert 'id="why-comment"' not in markdown2html_mistune(notebook.cells[0].source)


def test_a_whole_hostile_notebook_has_nothing_to_run():
    notebook = safe(*hostile_cells(), **hostile_metadata())
    body = "".join(markdown2html_mistune(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
    kinds = {kind for cell in notebook.cells for out in cell.get("outputs", []) for kind in out.get("data", {})}
    assert dangers(body) == []
    assert kinds <= {"text/plain", "image/png", "image/jpeg"}
    assert {cell.cell_type for cell in notebook.cells} == {"code", "markdown"}
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert {key for cell in notebook.cells for key in cell.metadata} == set()


def test_nbconvert_can_show_what_is_left():
    notebook = safe(*hostile_cells())
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    assert [found for found in dangers(page) if RUNS in found] == []


def test_twice_is_as_good_as_once():
    notebook = safe(*hostile_cells(), *(new_markdown_cell(source) for source in HARMLESS.values()))
    long = [new_output("stream", name="stdout", text="x" * 3_000) for _ in range(3)]
    notebook.cells.append(new_code_cell("1", outputs=[*long, new_output("display_data", {"image/png": picture()})]))
    make_safe(notebook)
    again = copy.deepcopy(notebook)
    make_safe(again)
    assert json.dumps(again) == json.dumps(notebook)


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=list(OUTPUTS))
def test_of_outputs_only_texts_and_images_are_kept(output: Any):
    (cell,) = safe(new_code_cell("1", outputs=[output])).cells
    assert [(o.output_type, list(o.data)) for o in cell.outputs if list(o.data) != ["text/plain"]] == []
    assert cell.outputs[0].data["text/plain"] == MARK


@pytest.mark.parametrize(("kind", "form"), [("image/png", "PNG"), ("image/jpeg", "JPEG")])
def test_a_small_plot_is_kept_under_a_word_that_it_is_the_students(kind: str, form: str):
    output = new_output("display_data", {kind: picture(form), "text/plain": "<Figure>"})
    (cell,) = safe(new_code_cell("1", outputs=[output])).cells
    assert [o.data for o in cell.outputs] == [{"text/plain": MARK}, {kind: picture(form)}]


@pytest.mark.parametrize(
    "encoded",
    [
        picture("GIF"),
        picture("JPEG"),
        picture(size=(300, 300), noise=True),
        picture()[:60],
        "",
        None,
        ["a"],
        "ä",
        "=====",
    ],
    ids=["gif", "jpeg", "too large", "cut", "empty", "none", "a list", "no base64", "padding"],
)
def test_what_is_no_small_png_is_no_image(encoded: Any):
    assert verified("image/png", encoded) is None


def test_an_image_of_few_bytes_and_many_pixels_is_dropped():
    bomb = picture(size=(5_000, 5_000))
    assert len(bomb) < 2 * IMAGE_BYTES and verified("image/png", bomb) is None


def test_all_images_of_a_notebook_share_one_bound():
    image = picture(size=(170, 170), noise=True)
    cells = [new_code_cell("1", outputs=[new_output("display_data", {"image/png": image})]) for _ in range(30)]
    kept = [o for cell in safe(*cells).cells for o in cell.outputs if "image/png" in o.data]
    assert 0 < len(kept) == ALL_IMAGES // len(image) < 30


def test_a_long_text_is_cut_with_a_word():
    output = new_output("stream", name="stdout", text="x" * 100_000)
    (cell,) = safe(new_code_cell("1", outputs=[output])).cells
    assert cell.outputs[1].data["text/plain"] == f"{'x' * CELL_TEXT}\n{CUT}"


def test_what_is_dropped_leaves_a_word():
    (cell,) = safe(new_code_cell("1", outputs=[OUTPUTS["html"]])).cells
    assert [o.data["text/plain"] for o in cell.outputs] == [MARK, DROPPED]


@pytest.mark.parametrize("output", [new_output("execute_result", {"text/plain": "9.0"}), OUTPUTS["traceback"]])
def test_no_output_of_the_student_stands_in_a_graded_cell(output: Any):
    graded = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "points": 1, "grade_id": "check-f"}
    (cell,) = safe(new_code_cell("check('f')", metadata={"nbgrader": graded}, outputs=[output])).cells
    assert cell.outputs == []


def test_an_attached_png_is_shown_and_an_attached_svg_is_not():
    files = {"a.png": {"image/png": picture()}, "b.svg": {"image/svg+xml": "PHN2Zy8+"}}
    plain, odd = safe(
        new_markdown_cell("![a](attachment:a.png)", attachments=files),
        new_markdown_cell("![a](attachment:a.png) ![b](attachment:b.svg)", attachments=files),
    ).cells
    assert (plain.source, list(plain.attachments)) == ("![a](attachment:a.png)", ["a.png"])
    assert (picture() in odd.source, "svg" in odd.source) == (True, False)


@pytest.mark.parametrize(
    "source", ["> " * 5_000, "[" * 50_000, "\\\\[" * 30_000, "<b>" * 50_000, "\\begin{a}" * 20_000]
)
def test_markdown_that_would_stop_the_parser_is_shown_as_text(source: str):
    assert rendered(source).startswith("<pre>")
    assert dangers(markdown2html_mistune(safe_markdown(source, {}, frozenset()))) == []
