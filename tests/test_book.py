"""The book of the fixture course: complete, without solutions, and whole when it is opened from a file."""

import io
import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from browser import ARGUMENTS, CHROMIUM
from conftest import ROOT

from autograder.book import showing
from autograder.book.errors import BookError
from autograder.book.folders import zipped
from autograder.book.handbook import handbook
from autograder.book.leaks import Secrets, leak
from autograder.book.rendering import render
from autograder.book.site import build_book
from autograder.book.terms import terms_of, terms_page
from autograder.course import Course, load_course
from autograder.examples.store import ExamplesError
from autograder.notebooks.build import build_assignment

MORE = """
```{code-cell}
:demo:

import matplotlib.pyplot as plt

losses = [3.0, 2.0, 1.5]
fig, ax = plt.subplots(figsize=(4, 2))
ax.plot(losses)
ax.set_title("The loss falls")
ax.set_xlabel("epoch")
ax.set_ylabel("loss")
plt.show()
```

## Normalisation

The **batch normalisation** 批量归一化 layer standardises $x \\in \\mathbb{R}^{N \\times D}$ over a batch:

$$\\hat{x} = \\frac{x - \\mu}{\\sigma}.$$

## Words

| English | 中文 | meaning |
|---|---|---|
| batch normalisation | 批量归一化 | mean 0, deviation 1 over a batch |
| dropout | 随机失活 | entries are dropped at random |
"""
README = """\
# The fixture

Students read [their page](docs/student.md#the-panel), look at the [map](assignments/README.md), and open
[the notebook](assignments/basics/basics.ipynb).

![a panel](docs/panel.png)
"""
MAP = "# The fixture\n\n[Basics](basics/basics.ipynb) and [that again](basics/basics.md).\n"
STUDENT = "# Working on an assignment\n\nSee the [start](../README.md).\n\n## The panel\n\nWhat it says.\n"
LINK = re.compile(r'(?:href|src)="([^"]+)"')


@pytest.fixture(scope="module")
def written(built_fixture_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The fixture course with a figure, a table of words and a handbook."""
    root = tmp_path_factory.mktemp("book") / "course"
    shutil.copytree(built_fixture_course.root, root)
    with (root / "assignments" / "basics" / "basics.md").open("a", encoding="utf-8") as source:
        source.write(MORE)
    settings = (root / "course.toml").read_text(encoding="utf-8")
    part = '[[parts]]\nname = "first"\ntitle = "First steps"\n\n[[assignments]]\npart = "first"'
    (root / "course.toml").write_text(settings.replace("[[assignments]]", part), encoding="utf-8")
    (root / "README.md").write_text(README, encoding="utf-8")
    (root / "assignments" / "README.md").write_text(MAP, encoding="utf-8")
    (root / "docs").mkdir()
    (root / "docs" / "student.md").write_text(STUDENT, encoding="utf-8")
    shutil.copy(ROOT / "docs" / "panel.png", root / "docs")
    course = load_course(root)
    build_assignment(course, "basics", jobs=1)
    return course


@pytest.fixture(scope="module")
def site(written: Course) -> Path:
    return build_book(written, written.build_dir / "book", jobs=1).parent


@pytest.fixture(scope="module")
def chapter(site: Path) -> str:
    return said(site / "chapters" / "basics.html")


def said(page: Path) -> str:
    """What a page says, without its tags."""
    return unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))


def everything(path: str, content: bytes) -> Iterator[str]:
    """All text that a file of the site holds, packed or marked up as it may be."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from everything(name, archive.read(name))
    elif path.endswith(".ipynb"):
        yield from ("".join(cell["source"]) + str(cell.get("outputs", "")) for cell in json.loads(content)["cells"])
    elif path.endswith(".inv"):
        yield zlib.decompress(content.split(b"\n", 4)[4]).decode()
    else:
        yield content.decode("utf-8", errors="replace")
        yield unescape(re.sub(r"<[^>]*>", "", content.decode("utf-8", errors="replace")))


def test_no_line_of_a_solution_or_a_hidden_check_stands_in_any_file(site: Path, written: Course):
    given = written.assignments_dir / "basics"
    public = "".join(text for file in given.iterdir() for text in everything(file.name, file.read_bytes()))
    public = "".join(public.split())
    files = [(path, path.read_bytes()) for path in site.rglob("*") if path.is_file()]
    book = {path: "".join("".join(everything(path.name, content)).split()) for path, content in files}
    solutions = written.solutions_dir / "basics"
    lines = {line.strip() for file in solutions.glob("*.py") for line in file.read_text("utf-8").splitlines()}
    secret = {"".join(line.split()) for line in lines if len(line) > 18} - {""}
    secret = {line for line in secret if line not in public}
    assert {"parent.grad+=slope*node.grad", "deftest_two_objects(self,student):"} <= secret
    assert "grad[i]=(f(x+h*e)-f(x-h*e))/(2*h)" in secret
    assert [(path, line) for path, text in book.items() for line in secret if line in text] == []


def test_no_name_and_no_sentence_of_a_hidden_check_stands_in_any_file(site: Path, written: Course):
    hidden = (written.solutions_dir / "basics" / "hidden.py").read_text(encoding="utf-8")
    names, sentences = re.findall(r"def (test_\w+)", hidden), re.findall(r'"""(.+)"""', hidden)[1:]
    assert len(names) > 8 and len(sentences) > 8
    given = written.assignments_dir / "basics"
    public = "".join(text for file in given.iterdir() for text in everything(file.name, file.read_bytes()))
    words = [word for word in (*names, *sentences) if word not in public]
    assert {"test_two_objects", "Two objects do not know of each other."} <= set(words)
    for path in (path for path in site.rglob("*") if path.is_file()):
        text = "".join(everything(path.name, path.read_bytes()))
        assert [word for word in words if word in text] == [], path


def test_a_chapter_has_stubs_outputs_questions_and_what_is_asked(chapter: str):
    assert "raise NotImplementedError()" in chapter and "# YOUR CODE HERE" in chapter
    assert "require_whole(1, patience=patience)" in chapter
    assert "z = 8.0  dz/dx = 4.0  dz/dy = 2.0" in chapter
    assert 'check("EarlyStopping")' in chapter
    assert "if not grading()" not in chapter
    assert "A question to answer in the notebook, 2 points." in chapter
    assert "Exercise numerical_gradient" in chapter
    assert "7 exercises" in chapter and "about 57 minutes" in chapter


def test_the_front_page_and_the_contents_beside_it_have_the_parts_of_the_course(site: Path):
    page = (site / "index.html").read_text(encoding="utf-8")
    assert '<span class="caption-text">First steps</span>' in page and "<h2>First steps" in page
    assert "<h2>Handbook" in page and "About this course" in page and "Working on an assignment" in page


def test_pages_that_the_handbook_links_to_belong_to_it_and_notebooks_are_chapters(site: Path):
    assert 'href="chapters/basics.html"' in (site / "README.html").read_text(encoding="utf-8")
    page = (site / "assignments" / "README.html").read_text(encoding="utf-8")
    assert page.count('<a class="reference internal" href="../chapters/basics.html">') >= 3


def test_a_figure_stands_under_its_code_and_says_what_it_shows(site: Path):
    page = (site / "chapters" / "basics.html").read_text(encoding="utf-8")
    figure = re.search(r'<img alt="([^"]*)" class="output[^"]*" src="([^"]*)"', page)
    assert figure is not None
    assert figure[1] == "Figure; The loss falls"
    assert (site / "chapters" / figure[2]).read_bytes().startswith(b"\x89PNG")


def test_hints_open_and_formulas_are_mathml(site: Path):
    page = (site / "chapters" / "basics.html").read_text(encoding="utf-8")
    hint = page.partition("<summary>Hint 2: the formula</summary>")[2].partition("</details>")[0]
    assert "<mfrac>" in hint and "\\dfrac" not in hint
    assert "MathJax" not in page


def test_every_link_leads_to_a_file_and_a_place_that_exist(site: Path):
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    assert {"index.html", "terms.html", "README.html", "student.html", "basics.html"} <= {page.name for page in pages}
    for page, text in pages.items():
        for link in map(unescape, LINK.findall(text)):
            place = urlsplit(link)
            if place.scheme in ("http", "https"):
                continue
            target = (page.parent / unquote(place.path)).resolve() if place.path else page
            assert target.is_file(), f"{page.name}: {link}"
            if place.fragment and target in pages:
                assert f'id="{unquote(place.fragment)}"' in pages[target], f"{page.name}: {link}"


def test_the_folder_to_download_is_what_nbgrader_releases_from(site: Path, written: Course):
    (packed,) = site.rglob("basics.zip")
    with zipfile.ZipFile(packed) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    source = written.build_dir / "source" / "basics"
    assert held.keys() == {f"basics/{file.relative_to(source)}" for file in source.rglob("*") if file.is_file()}
    given = written.assignments_dir / "basics"
    assert {name: (given.parent / name).read_bytes() for name in held} == held


def test_terms_stand_with_their_chinese_and_lead_to_the_section_that_explains_them(site: Path):
    page = (site / "terms.html").read_text(encoding="utf-8")
    assert 'href="chapters/basics.html#normalisation"' in page
    assert "随机失活" in page and "2 terms" in page


def test_a_term_is_looked_for_by_its_chinese_word_and_may_stand_in_a_heading():
    rows = "| English | 中文 | meaning |\n|---|---|---|\n| L1, L2 regularisation | L1、L2 正则化 | a price |\n"
    text = f"# A\n\n## The price of a weight: L1\n\nText.\n\n## L2 正则化\n\n## Words\n\n{rows}"
    (term,) = terms_of("a", text)
    assert (term.section, term.anchor) == ("L2 正则化", "l2-正则化")


def test_a_term_of_two_chapters_has_one_row_with_both():
    text = (
        "# A\n\n## Heat\n\nA **temperature** 温度.\n\n| English | 中文 | meaning |\n|---|---|---|\n| {} | 温度 | {} |\n"
    )
    terms = (*terms_of("a", text.format("temperature", "one")), *terms_of("b", text.format("temperature", "two")))
    page = terms_page(terms, {"a": "First", "b": "Second"})
    assert (
        "| temperature | 温度 | one | [First: Heat](chapters/a.md#heat)<br>[Second: Heat](chapters/b.md#heat) |" in page
    )


def test_a_second_build_runs_nothing_and_writes_no_page_anew(
    site: Path, written: Course, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(showing, "_run", lambda *_: pytest.fail("a chapter ran again"))
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*.html") if path.name != "search.html"}
    build_book(written, site.parent, jobs=1)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def demo_that(written: Course, tmp_path: Path, code: str) -> Course:
    root = tmp_path / "course"
    shutil.copytree(written.root, root)
    with (root / "assignments" / "basics" / "basics.md").open("a", encoding="utf-8") as source:
        source.write(f"\n```{{code-cell}}\n:demo:\n\n{code}\n```\n")
    course = load_course(root)
    build_assignment(course, "basics", jobs=1)
    return course


def test_a_demo_that_prints_a_solution_is_refused(written: Course, tmp_path: Path):
    course = demo_that(written, tmp_path, "import inspect\nprint(inspect.getsource(numerical_gradient))")
    with pytest.raises(BookError, match=r"basics\.html: holds .* which stands in solutions/"):
        build_book(course, tmp_path / "out", jobs=1)


def test_a_demo_that_stops_is_named_without_a_traceback(written: Course, tmp_path: Path):
    course = demo_that(written, tmp_path, "grade_letter(-1)")
    with pytest.raises(BookError) as stopped:
        build_book(course, tmp_path / "out", jobs=1)
    assert str(stopped.value).startswith(
        "basics: the chapter's cells stop with ValueError: score has to be in [0, 100]"
    )
    assert "\n" not in str(stopped.value)


def test_an_assignment_that_is_not_built_is_named(written: Course, tmp_path: Path):
    root = tmp_path / "course"
    shutil.copytree(written.root, root)
    (root / "assignments" / "basics" / "examples.npz").unlink()
    with pytest.raises(ExamplesError, match=r"examples\.npz"):
        build_book(load_course(root), tmp_path / "out", jobs=1)


def test_a_fault_in_a_page_is_an_error_each_time(tmp_path: Path):
    pages = {"index.md": b"# Title\n\nSee [there](nowhere.md).\n"}
    for _ in range(2):
        with pytest.raises(BookError, match=r"(?s)index\.md:3: WARNING.*nowhere"):
            render(pages, tmp_path, "Title", 1)


def test_a_page_that_is_gone_leaves_nothing_behind(tmp_path: Path):
    tree = b"# Title\n\n```{toctree}\n%s\n```\n"
    render({"index.md": tree % b"old", "old.md": b"# Old\n"}, tmp_path, "Title", 1)
    render({"index.md": tree % b"new", "new.md": b"# New\n"}, tmp_path, "Title", 1)
    assert {page.name for page in (tmp_path / "html").glob("*.html")} == {"index.html", "new.html", "search.html"}


SECRETS = Secrets(frozenset({"total+=weight*value[index]"}), frozenset({"test_far_away"}))
LINE = "    total += weight * value[index]\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b'<span class="n">total</span> <span>+=</span> weight <b>*</b> value[<i>index</i>]'),
        ("page.html", b"<p>It is called test_far_away.</p>"),
        ("work.ipynb", json.dumps({"cells": [{"source": ["total += weight *", " value[index]"]}]}).encode()),
        ("folder.zip", zipped("folder", {"inner.npz": zipped("inner", {"note.json": json.dumps([LINE]).encode()})})),
        ("objects.inv", b"#\n#\n#\n#\n" + zlib.compress(b"test_far_away std:label 1 x.html -\n")),
        ("index.js", b'Search.setIndex({"terms":{"test_far_away":0}})'),
    ],
)
def test_a_secret_is_found_however_it_is_wrapped(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    assert leak(SECRETS, tmp_path) is not None


def test_what_is_no_secret_is_not_found(tmp_path: Path):
    (tmp_path / "page.html").write_text("<p>total += weight</p><p>test_far</p>", encoding="utf-8")
    assert leak(SECRETS, tmp_path) is None


def test_a_handbook_that_links_to_a_solution_is_refused(tmp_path: Path):
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "a.py").touch()
    (tmp_path / "README.md").write_text("[look](solutions/a.py)", encoding="utf-8")
    with pytest.raises(BookError, match=r"README\.md: links to solutions/a\.py"):
        handbook(tmp_path.resolve())


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if not CHROMIUM.is_file():
        pytest.skip("Chromium is not installed here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


PAGES = ("index.html", "chapters/basics.html", "terms.html", "docs/student.html", "search.html?q=loss")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_pages_fit_and_nothing_is_fetched_from_a_network(browser, site: Path, width: int, scheme: str):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    for name in PAGES:
        page.goto(f"{site.as_uri()}/{name}", wait_until="networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark == (scheme == "dark")
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert errors == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("批量归一化", "Basics"),
        ("归一", "Basics"),
        ("随机失活", "Terms 术语"),
        ("standardising", "Basics"),
        ("panel", "Working on"),
    ],
)
def test_the_search_works_from_a_file_and_finds_parts_of_chinese_words(browser, site: Path, query: str, found: str):
    page = browser.new_page()
    page.goto(f"{site.as_uri()}/search.html?q={quote(query)}")
    page.locator("#search-results li").first.wait_for()
    assert found in page.locator("#search-results").inner_text()
    page.close()


def test_a_hint_opens_by_a_click(browser, site: Path):
    page = browser.new_page()
    page.goto(f"{site.as_uri()}/chapters/basics.html")
    hint = page.locator("details", has_text="Hint 2: the formula")
    assert not hint.locator("math").first.is_visible()
    hint.locator("summary").click()
    assert hint.locator("math").first.is_visible()
    page.close()
