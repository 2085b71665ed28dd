"""What an author begins with and looks at: a new assignment that runs, and the preview of a notebook."""

import re
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, ROOT
from test_cli import autograder

from autograder.authoring.course_row import row_of, with_row
from autograder.authoring.errors import AuthoringError
from autograder.authoring.new import begin_assignment
from autograder.authoring.preview import preview_of
from autograder.course import Course, CourseError, load_course
from autograder.notebooks.build import build_assignment
from autograder.proving.verify import verify_assignment

ROW = row_of("new", 'It\'s "new"', None, ())
KEYS = 'name = "new"\ntitle = "It\'s \\"new\\""\n'
HEAD = 'schema = 1 # the first\ntitle = "T"\n'
ONE, TWO = '[[assignments]]\nname = "one" # 1\n', '[[assignments]]\nname = "two"\n'
NEW = f"[[assignments]]\n{KEYS}"


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        (HEAD, 0, f"{HEAD}\n{NEW}"),
        (f"{HEAD}\n{ONE}", 1, f"{HEAD}\n{ONE}\n{NEW}"),
        (f"{HEAD}\n{ONE}".rstrip("\n"), 1, f"{HEAD}\n{ONE}\n{NEW}"),
        (f"{HEAD}\n{ONE}\n{TWO}", 1, f"{HEAD}\n{ONE}\n{NEW}\n{TWO}"),
        (f"{HEAD}\n{ONE}{TWO}", 1, f"{HEAD}\n{ONE}\n{NEW}\n{TWO}"),
        (f"{HEAD}\n{ONE}\n{TWO}", 0, f"{HEAD}\n{NEW}\n{ONE}\n{TWO}"),
        (f"{HEAD}\n# First.\n{ONE}", 0, f"{HEAD}\n{NEW}\n# First.\n{ONE}"),
        (f"{ONE}# due = never\n\n# Two.\n{TWO}", 1, f"{ONE}# due = never\n\n{NEW}\n# Two.\n{TWO}"),
        (f"{ONE}# Two.\n{TWO}", 1, f"{ONE}\n{NEW}\n# Two.\n{TWO}"),
        (f"{ONE}\n[late]\npercent = 1\n", 1, f"{ONE}\n{NEW}\n[late]\npercent = 1\n"),
        (f"{HEAD}\n{ONE}".replace("\n", "\r\n"), 1, f"{HEAD}\n{ONE}\n{NEW}".replace("\n", "\r\n")),
    ],
)
def test_a_row_is_put_in_and_all_else_stays_as_it_was(text, place, expected):
    assert with_row(text, ROW, place) == expected


PARTS = """\
schema = 1
title = "Parts"
course_id = "parts"

[[parts]]
name = "first"
title = "First"

[[parts]]
name = "second"
title = "Second"
"""


def begun(folder: Path, text: str) -> Path:
    """A course that is only its file."""
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_course_that_is_only_begun_gets_its_first_assignments_in_the_order_of_its_parts(tmp_path):
    begun(tmp_path, PARTS)
    begin_assignment(tmp_path, "b", ["f"], part="second")
    begin_assignment(tmp_path, "a", ["f"], part="first", title="The first")
    begin_assignment(tmp_path, "c", ["f"], part="second", builds_on=("a", "b"))
    assignments = load_course(tmp_path).assignments
    assert [(one.name, one.title, one.part) for one in assignments] == [
        ("a", "The first", "first"),
        ("b", "B", "second"),
        ("c", "C", "second"),
    ]
    assert assignments[-1].builds_on == ("a", "b")


@pytest.mark.parametrize(
    ("name", "exercises", "options", "says"),
    [
        ("basics", ["f"], {}, "The assignment 'basics' stands in"),
        ("Units", ["f"], {}, "The assignment's name is 'Units', allowed is a lower-case identifier"),
        ("a-b", ["f"], {}, "The assignment's name is 'a-b'"),
        ("", ["f"], {}, "The assignment's name is ''"),
        ("units", [], {}, "No exercise is named"),
        ("units", ["two words"], {}, "The exercise 'two words' is no name of a function"),
        ("units", ["lambda"], {}, "The exercise 'lambda' is no name of a function"),
        ("units", ["torch"], {}, "The exercise 'torch' has a name that the notebook needs itself"),
        ("units", ["f_g", "F_g"], {}, "The exercises 'f_g' and 'F_g' need names that differ more"),
        ("units", ["f"], {"part": "first"}, "The course has no part 'first', and the course has no parts."),
        ("units", ["f"], {"builds_on": ("basic",)}, "did you mean basics?"),
    ],
)
def test_what_cannot_be_begun_is_one_sentence_and_leaves_no_trace(
    fixture_course: Course, name, exercises, options, says
):
    before = {path: path.read_bytes() for path in fixture_course.root.rglob("*") if path.is_file()}
    with pytest.raises((AuthoringError, CourseError)) as error:
        begin_assignment(fixture_course.root, name, exercises, **options)
    assert says in str(error.value) and "\n" not in str(error.value)
    assert before == {path: path.read_bytes() for path in fixture_course.root.rglob("*") if path.is_file()}


def test_a_course_with_parts_asks_for_one_of_them(tmp_path):
    begin_assignment(begun(tmp_path, PARTS), "a", ["f"], part="first")
    with pytest.raises(AuthoringError, match=r"^The course has parts: give --part, allowed is first or second\.$"):
        begin_assignment(tmp_path, "b", ["f"])
    with pytest.raises(AuthoringError, match=r"no part 'secnd', allowed is first or second \(did you mean second\?\)"):
        begin_assignment(tmp_path, "b", ["f"], part="secnd")


def test_a_folder_that_is_there_is_left_alone(fixture_course: Course):
    (fixture_course.solutions_dir / "units").mkdir()
    with pytest.raises(AuthoringError, match="exists already"):
        begin_assignment(fixture_course.root, "units", ["f"])


def test_outside_of_a_course_nothing_is_begun(tmp_path):
    done = autograder("new", "units", "f", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "course.toml" in done.stderr


def test_what_is_begun_is_well_laid_out_and_verified_but_for_its_proofs(fixture_course: Course):
    done = autograder("new", "units", "Squash", "Squash_backward", "other", cwd=fixture_course.root)
    assert done.returncode == 0, done.stderr
    assert "autograder build units" in done.stdout
    course = load_course(fixture_course.root)
    for folder in (course.assignments_dir / "units", course.solutions_dir / "units"):
        for file in folder.glob("*.py"):
            assert file.read_text(encoding="utf-8") == formatted(file)
    build_assignment(course, "units", jobs=1)
    verified = verify_assignment(course, "units")
    missing = {f"{name}: its proof is missing in solutions/units/strength.toml" for name in ("Squash", "other")}
    assert {breach.partition(":")[0] for breach in verified.breaches} == {"Squash", "Squash_backward", "other"}
    assert missing <= {breach.rpartition(": run")[0] for breach in verified.breaches}
    assert len(verified.breaches) == verified.exercises == 3
    assert verified.mistakes_caught == verified.mistakes_caught_visible == verified.mistakes_named == verified.mistakes


def formatted(file: Path) -> str:
    """A file as ruff lays it out."""
    command = [str(BIN / "ruff"), "format", "--config", str(ROOT / "pyproject.toml"), "-"]
    text = file.read_text(encoding="utf-8")
    return subprocess.run(command, input=text, text=True, capture_output=True, check=True).stdout


def test_a_preview_shows_stubs_or_solutions_and_their_figures(fixture_course: Course):
    stubs = preview_of(fixture_course, "basics")
    assert stubs.faults == ()
    page = stubs.page.read_text(encoding="utf-8")
    assert "NotImplementedError" in page and "not written yet" in page
    solved = preview_of(fixture_course, "basics", solved=True)
    assert solved.faults == () and solved.page != stubs.page
    assert "not written yet" not in solved.page.read_text(encoding="utf-8")


def test_a_preview_names_the_cells_that_stop_and_goes_on(fixture_course: Course):
    source = fixture_course.assignments_dir / "basics" / "basics.md"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace(":demo:\n\n", ":demo:\n\n1 / 0\n", 1), encoding="utf-8")
    done = autograder("preview", "basics", "--no-open", cwd=fixture_course.root)
    assert done.returncode == 1
    fault, page = done.stdout.splitlines()
    assert re.fullmatch(r"basics, cell demo-\d+: stops with ZeroDivisionError: division by zero", fault)
    assert page == f"The preview: {fixture_course.root / 'build' / 'preview' / 'basics.html'}"
    assert re.search(r"basics: run the notebook 0 of \d+", done.stderr)


def test_a_preview_is_of_an_assignment_that_there_is(fixture_course: Course):
    done = autograder("preview", "basic", "--no-open", cwd=fixture_course.root)
    assert done.returncode == 2 and "did you mean basics?" in done.stderr
