"""The class report in a real browser: it sorts by mouse and keyboard, fetches nothing, and fits a phone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import ARGUMENTS, CHROMIUM
from conftest import ROOT
from made_results import exercise, in_parts, judged, make_up
from playwright.sync_api import Browser, Page, Request, sync_playwright

from autograder.classroom.grade import write_lines
from autograder.course import load_course
from autograder.reporting.page import write_course_report, write_report
from autograder.results import Diagnosis

ODD = "<img src=x onerror=\"document.title='taken'\">"

pytestmark = pytest.mark.skipif(not CHROMIUM.is_file(), reason="Chromium is not installed here")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report") / "course"
    shutil.copytree(ROOT / "tests" / "fixture_course", root)
    course = load_course(root)
    make_up(course, 40)
    return write_report(course, "basics")[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(report.as_uri())
    yield opened
    opened.close()


def column(page: Page, table: str, place: int) -> list[str]:
    return page.locator(f"#{table} tbody td:nth-child({place})").all_inner_texts()


def heading(page: Page, table: str, place: int) -> str | None:
    return page.locator(f"#{table} thead th:nth-child({place})").get_attribute("aria-sort")


def test_a_click_sorts_numbers_rising_and_another_one_falling(page: Page):
    before = column(page, "submissions", 2)
    button = page.locator("#submissions thead th:nth-child(2) button")
    button.click()
    assert column(page, "submissions", 2) == sorted(before, key=float) != before
    assert heading(page, "submissions", 2) == "ascending"
    button.click()
    assert column(page, "submissions", 2) == sorted(before, key=float, reverse=True)
    assert heading(page, "submissions", 2) == "descending"


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_sorts_as_the_mouse_does(page: Page, key: str):
    before = column(page, "exercises", 3)
    page.locator("#exercises .scroll").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press(key)
    assert heading(page, "exercises", 3) == "ascending"
    assert column(page, "exercises", 3) == sorted(before, key=float)


def test_one_column_at_a_time_is_the_sorted_one(page: Page):
    for place in (1, 4):
        page.locator(f"#checks thead th:nth-child({place}) button").click()
    assert [heading(page, "checks", place) for place in (1, 4)] == [None, "ascending"]


def test_opening_it_fetches_nothing_but_itself(browser: Browser, report: Path):
    opened = browser.new_page()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    opened.on("request", note)
    opened.goto(report.as_uri(), wait_until="networkidle")
    opened.close()
    assert asked == [report.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, report: Path, scheme: str):
    opened = browser.new_page(viewport={"width": 375, "height": 700}, color_scheme=scheme)
    opened.goto(report.as_uri())
    width = opened.evaluate("document.documentElement.scrollWidth")
    opened.close()
    assert width == 375


def test_what_a_student_wrote_does_not_run(browser: Browser, tmp_path: Path):
    root = tmp_path / "course"
    shutil.copytree(ROOT / "tests" / "fixture_course", root)
    course = load_course(root)
    wrong = exercise("mean", "failed", diagnosis=Diagnosis(ODD, ODD))
    write_lines(course, "basics", [judged(ODD, wrong, notes=(ODD,))])
    opened = browser.new_page()
    opened.goto(write_report(course, "basics")[0].as_uri())
    opened.locator("#submissions thead th:nth-child(1) button").click()
    assert (opened.title(), opened.locator("img").count()) == ("Basics: class report", 0)
    assert ODD in opened.locator("#submissions tbody").inner_text()
    opened.close()


def test_rows_of_a_part_are_sorted_below_its_heading(browser: Browser, tmp_path: Path):
    shutil.copytree(ROOT / "tests" / "fixture_course", tmp_path / "course")
    path, _ = write_course_report(in_parts(load_course(tmp_path / "course")))
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    rows = page.locator("#assignments tbody tr")
    first = ["First <things>", "basics", "more", "Last things", "end"]
    assert [text.split("\t")[0] for text in rows.all_inner_texts()] == first
    title = page.locator("#assignments thead button").nth(1)
    title.click()
    title.click()
    turned = ["First <things>", "more", "basics", "Last things", "end"]
    assert [text.split("\t")[0] for text in rows.all_inner_texts()] == turned
    page.close()
