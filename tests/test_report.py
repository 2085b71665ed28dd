"""`autograder report`: what it counts, what it refuses, and that nothing a student wrote gets out of its place."""

import csv
import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest
from conftest import ROOT
from made_results import check, exercise, in_parts, judged, make_up, unjudged, unwritten
from typer.testing import CliRunner, Result

from autograder.classroom.grade import write_lines
from autograder.cli import app
from autograder.course import Course, load_course
from autograder.reporting.counting import report_of
from autograder.reporting.figures import Report
from autograder.reporting.handed_in import ReportError, moment, read_handed_in
from autograder.reporting.hints import discrimination
from autograder.reporting.page import write_course_report, write_report
from autograder.reporting.tables import defused
from autograder.results import Diagnosis

WRONG = Diagnosis("forgets_to_scale", "The values are not scaled by `n`.")
ODD = "<script>alert(1)</script>"


def report(course: Course, *class_) -> Report:
    write_lines(course, "basics", class_)
    return report_of(read_handed_in(course, "basics"))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The fixture course; a report needs nothing that is built."""
    root = tmp_path / "course"
    shutil.copytree(ROOT / "tests" / "fixture_course", root)
    (root / "private").mkdir()
    return load_course(root)


def run(course: Course, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.chdir(course.root)
    return CliRunner().invoke(app, ["report", *arguments])


def with_due(course: Course, due: str) -> Course:
    file = course.root / "course.toml"
    file.write_text(f"{file.read_text(encoding='utf-8').rstrip()}\ndue = {due}\n", encoding="utf-8")
    return load_course(course.root)


def hand_in(course: Course, *students: str) -> None:
    for student in students:
        (course.private_dir / "submitted" / student / "basics").mkdir(parents=True)


def rows(course: Course, table: str) -> list[dict[str, str]]:
    path = course.private_dir / "reports" / "basics" / f"{table}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_scores_are_counted_in_tenths_of_the_maximum(course: Course):
    done = report(
        course,
        judged("ada", exercise("mean", "passed", "passed")),
        judged("boris", exercise("mean", "passed", "failed")),
        judged("chen", exercise("mean", "failed", "failed")),
        unjudged("mei", "mei.ipynb is not a notebook"),
    )
    assert [one.count for one in done.scores.bins] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (done.scores.mean, done.scores.median, done.scores.full, done.scores.zero) == (1.0, 1.0, 1, 1)
    assert (done.counts.submitted, done.counts.judged, done.counts.unjudged) == (4, 3, 1)


def test_a_class_of_which_nothing_could_be_judged_has_a_report(course: Course):
    write_lines(course, "basics", [unjudged("mei", "mei.ipynb is empty.")])
    path, done = write_report(course, "basics")
    assert done.scores is None and done.counts.unjudged == 1
    assert "mei.ipynb is empty." in path.read_text(encoding="utf-8")


def test_pass_rates_tell_visible_checks_from_hidden_ones(course: Course):
    done = report(
        course,
        judged("ada", exercise("mean", "passed", "passed")),
        judged("boris", exercise("mean", "passed", "failed")),
        judged("chen", exercise("mean", "passed", "timeout")),
        judged("dmitri", exercise("mean", "passed", "error")),
    )
    visible, hidden = done.checks
    assert (visible.visible, visible.pass_rate) == (True, 1.0)
    assert (hidden.visible, hidden.pass_rate) == (False, 0.25)
    assert (hidden.failed, hidden.timeout, hidden.error) == (1, 1, 1)


def test_an_exercise_that_is_not_tried_counts_against_it_and_against_none_of_its_checks(course: Course):
    done = report(course, judged("ada", exercise("mean", "passed", "passed")), judged("ivan", unwritten("mean")))
    (counted,) = done.exercises
    assert (counted.passed, counted.missing, counted.pass_rate) == (1, 1, 0.5)
    assert [(check.ran, check.pass_rate) for check in done.checks] == [(1, 1.0), (1, 1.0)]


def test_mistakes_are_counted_among_those_who_tried(course: Course):
    wrong = exercise("mean", "failed", "failed", diagnosis=WRONG)
    done = report(
        course,
        judged("ada", exercise("mean", "passed", "passed")),
        judged("boris", wrong),
        judged("chen", wrong),
        judged("ivan", unwritten("mean")),
    )
    (mistake,) = done.mistakes
    assert (mistake.count, mistake.share, mistake.students) == (2, pytest.approx(2 / 3, abs=1e-6), ("boris", "chen"))


def test_what_follows_from_another_exercise_comes_after_the_mistakes(course: Course):
    follows = Diagnosis("earlier_exercise", "It uses `mean`, which does not pass yet.", "generic")
    class_ = [judged(f"s{n}", exercise("scale", "failed", diagnosis=follows)) for n in range(3)]
    done = report(course, judged("ada", exercise("mean", "failed", diagnosis=WRONG)), *class_)
    assert [(one.mistake, one.count) for one in done.mistakes] == [("forgets_to_scale", 1), ("earlier_exercise", 3)]


@pytest.mark.parametrize(
    ("submitted", "late"),
    [
        ("2026-12-18 15:59:00 UTC", False),
        ("2026-12-18 15:59:00.000001 UTC", True),
        ("2026-12-19 00:30:00+08:00", True),
        ("2026-12-18 23:58:59+08:00", False),
        ("yesterday", None),
        (None, None),
    ],
)
def test_late_is_what_comes_after_the_due_date(course: Course, submitted: str | None, late: bool | None):
    course = with_due(course, "2026-12-18T23:59:00+08:00")
    done = report(course, judged("ada", exercise("mean", "passed"), submitted=submitted))
    assert done.submissions[0].late is late
    assert done.counts.late == (1 if late else 0)


def test_without_a_due_date_and_a_roster_nobody_is_said_to_be_late_or_missing(course: Course):
    done = report(course, judged("ada", exercise("mean", "passed"), submitted="2026-12-18 15:59:00 UTC"))
    assert (done.counts.late, done.counts.missing, done.missing, done.sections) == (None, None, (), ())


def test_the_roster_gives_sections_and_says_who_is_missing(course: Course):
    roster = "\ufeffname,section,id,email\nAda L,A,ada,\nBoris,B,boris,\nChen,A,chen,\nDmitri,B,dmitri,\n,,,\n"
    (course.private_dir / "students.csv").write_text(roster, encoding="utf-8")
    hand_in(course, "ada", "boris", "chen")
    done = report(course, judged("ada", exercise("mean", "passed")), judged("boris", exercise("mean", "failed")))
    assert [(one.student, one.why) for one in done.missing] == [
        ("chen", "not graded yet"),
        ("dmitri", "nothing handed in"),
    ]
    assert (done.counts.submitted, done.counts.ungraded, done.counts.missing) == (3, 1, 1)
    assert [(one.section, one.students, one.judged, one.missing, one.mean) for one in done.sections] == [
        ("A", 2, 1, 0, 2.0),
        ("B", 2, 1, 1, 0.0),
    ]
    assert done.submissions[0].name == "Ada L"


def test_forbidden_operations_and_changed_inputs_are_among_the_notes(course: Course):
    changed = Diagnosis("changes_an_input", "It changes x in place.", "generic")
    done = report(
        course,
        judged("ada", exercise("mean", "failed", diagnosis=changed), notes=("one note", "one note")),
        judged("boris", exercise("mean", "passed"), notes=("one note",)),
    )
    assert [(one.kind, one.says, one.students) for one in done.notes] == [
        ("changed input", "`mean`: It changes x in place.", ("ada",)),
        ("note", "one note", ("ada", "boris")),
    ]


@pytest.mark.parametrize(
    ("failing", "size", "rules"),
    [(7, 10, {"fails often", "nobody fails"}), (6, 10, {"nobody fails"}), (9, 9, set())],
)
def test_a_check_that_most_fail_is_worth_a_look(course: Course, failing: int, size: int, rules: set[str]):
    class_ = [
        judged(f"s{n}", exercise("mean", "passed", "failed" if n < failing else "passed", "passed"))
        for n in range(size)
    ]
    found = {hint.rule: hint for hint in report(course, *class_).hints}
    assert found.keys() == rules
    assert all(
        found[rule].checks == {"fails often": ("test_1",), "nobody fails": ("test_0", "test_2")}[rule] for rule in rules
    )


def test_a_rule_that_everybody_keeps_is_not_worth_a_look(course: Course):
    kept = exercise("mean", "passed", "passed")
    kept = msgspec.structs.replace(kept, checks=(*kept.checks, check("device")))
    (hint,) = report(course, *(judged(f"s{n}", kept) for n in range(10))).hints
    assert hint.checks == ("test_0", "test_1")


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([(float(n), n >= 6) for n in range(12)], 1.0),
        ([(float(n), n < 6) for n in range(12)], -1.0),
        ([(float(n), n % 2 == 0) for n in range(12)], 0.0),
        ([(float(n), True) for n in range(11)], None),
        ([(5.0, n % 2 == 0) for n in range(12)], None),
        # Six share the lowest score and one of them passes, whichever name comes first.
        ([(0.0, n == 5) for n in range(6)] + [(9.0, True)] * 6, pytest.approx(5 / 6, abs=1e-6)),
    ],
)
def test_discrimination_compares_the_upper_third_with_the_lower(outcomes, expected):
    assert discrimination(outcomes) == expected


def test_the_command_writes_a_page_with_a_csv_for_each_table(course: Course, monkeypatch):
    make_up(course, 30)
    done = run(course, monkeypatch, "basics")
    assert (done.exit_code, done.stdout) == (0, "Report: private/reports/basics.html\n"), done.stderr
    page = (course.private_dir / "reports" / "basics.html").read_text(encoding="utf-8")
    linked = re.findall(r'href="(basics/[^"]+\.csv)"', page)
    written = (course.private_dir / "reports" / "basics").iterdir()
    assert {f"basics/{path.name}" for path in written} == set(linked) and len(linked) > 5
    assert len(rows(course, "submissions")) == 30
    assert not re.search(r"(src|url)\s*[=(]|https?://(?!www\.w3\.org/2000/svg)", page)


def test_json_is_the_published_record(course: Course, monkeypatch):
    make_up(course, 12)
    done = run(course, monkeypatch, "basics", "--json")
    record = json.loads(done.stdout)
    assert (done.exit_code, record["schema"], record["counts"]["judged"]) == (0, 1, 12)
    assert {"scores", "exercises", "checks", "mistakes", "hints", "submissions", "missing", "notes"} <= record.keys()


def test_without_a_name_the_course_gets_an_overview(course: Course, monkeypatch):
    make_up(course, 12)
    done = run(course, monkeypatch)
    assert (done.exit_code, done.stdout) == (0, "Report: private/reports/all-assignments.html\n"), done.stderr
    page = (course.private_dir / "reports" / "all-assignments.html").read_text(encoding="utf-8")
    assert 'href="basics.html"' in page and (course.private_dir / "reports" / "basics.html").is_file()


@pytest.fixture
def course_in_parts(course: Course) -> Course:
    return in_parts(course)


def overview_rows(course: Course, table: str) -> list[dict[str, str]]:
    path = course.private_dir / "reports" / "all-assignments" / f"{table}.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))


def test_the_overview_shows_parts_in_its_tables(course_in_parts: Course):
    write_course_report(course_in_parts)
    assignments = [(row["part"], row["assignment"]) for row in overview_rows(course_in_parts, "assignments")]
    assert assignments == [("First <things>", "basics"), ("First <things>", "more"), ("Last things", "end")]
    ada, boris, chen = overview_rows(course_in_parts, "students")
    assert list(ada) == [
        *("student", "name", "section", "basics", "more", "part: First <things>", "end", "part: Last things"),
    ]
    # Basics weighs three times as much as more.
    assert list(ada.values())[3:] == ["0.5", "1.0", "0.625", "1.0", "1.0"]
    assert list(boris.values())[3:] == ["", "0.5", "0.125", "", ""]
    assert list(chen.values())[3:] == ["", "", "", "", ""]


def test_parts_are_headings_on_the_page(course_in_parts: Course):
    page = write_course_report(course_in_parts)[0].read_text(encoding="utf-8")
    assert re.findall(r'<th scope="rowgroup" colspan="(\d+)">([^<]+)</th>', page) == [
        ("10", "First &lt;things&gt;"),
        ("10", "Last things"),
    ]
    assert re.findall(r'<th scope="colgroup" colspan="(\d)">([^<]*)</th>', page) == [
        ("3", ""),
        ("3", "First &lt;things&gt;"),
        ("2", "Last things"),
    ]


def test_a_part_that_is_not_graded_yet_has_no_heading(course_in_parts: Course):
    (course_in_parts.private_dir / "results" / "end.jsonl").unlink()
    path, whole = write_course_report(course_in_parts)
    assert "Last things" not in path.read_text(encoding="utf-8")
    assert whole.ungraded == ("end",)
    assert [one.parts for one in whole.students] == [(0.625,), (0.125,), (None,)]


def test_a_course_without_parts_has_no_headings(course: Course):
    make_up(course, 3)
    path, whole = write_course_report(course)
    page = path.read_text(encoding="utf-8")
    assert "rowgroup" not in page and "colgroup" not in page
    assert "part" not in overview_rows(course, "assignments")[0]
    assert {one.parts for one in whole.students} == {()}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["basics"], 1, "There are no results of basics yet: run `autograder grade basics` first.\n"),
        ([], 1, "No assignment of Fixture course is graded yet: run `autograder grade NAME` first.\n"),
        (["basic"], 2, "did you mean basics?"),
    ],
)
def test_without_results_it_says_what_to_run(course: Course, monkeypatch, arguments: list[str], code: int, says: str):
    done = run(course, monkeypatch, *arguments)
    assert done.exit_code == code
    assert says in done.stderr and done.stderr.count("\n") == 1


def test_a_roster_without_ids_is_one_sentence(course: Course, monkeypatch):
    make_up(course, 2)
    (course.private_dir / "students.csv").write_text("name,section\nAda,A\n", encoding="utf-8")
    done = run(course, monkeypatch, "basics")
    assert done.exit_code == 2
    assert "students.csv, line 1 is without a column id; allowed is a header with the columns id" in done.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"student": "zoe", "result": {"assignment": "basics"}}', "missing required field"),
        (b'{"student": "zoe", "resu', "truncated"),
        (b"\xff\xfe\x00", "Line 3 of basics.jsonl cannot be read"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_costs_no_other(course: Course, line: bytes, says: str):
    make_up(course, 2)
    path = course.private_dir / "results" / "basics.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")
    done = report_of(read_handed_in(course, "basics"))
    assert done.counts.judged == 2
    assert len(done.faults) == 1 and says in done.faults[0] and done.faults[0].startswith("Line 3 ")


def test_a_line_of_a_newer_program_is_named(course: Course):
    make_up(course, 1)
    path = course.private_dir / "results" / "basics.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"schema":1', b'"schema":2'))
    with pytest.raises(ReportError, match="schema 2 is newer than this program's 1"):
        read_handed_in(course, "basics")


def test_keys_that_another_version_wrote_are_passed_over(course: Course):
    make_up(course, 2)
    path = course.private_dir / "results" / "basics.jsonl"
    path.write_bytes(path.read_bytes().replace(b'{"student"', b'{"late_days":3,"student"'))
    assert report_of(read_handed_in(course, "basics")).counts.judged == 2


def test_what_students_write_is_text_on_the_page(course: Course):
    (course.private_dir / "students.csv").write_text(f"id,name,section\nada,{ODD},{ODD}\n", encoding="utf-8")
    wrong = exercise(f"mean{ODD}", "failed", diagnosis=Diagnosis(ODD, ODD))
    write_lines(course, "basics", [judged(ODD, wrong, notes=(ODD,)), unjudged("mei", ODD)])
    path, _ = write_report(course, "basics")
    page = path.read_text(encoding="utf-8")
    assert ODD not in page and page.count("<script") == 1
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 7
    assert ODD not in write_course_report(course)[0].read_text(encoding="utf-8")


def test_control_characters_in_a_note_stop_no_page(course: Course):
    write_lines(course, "basics", [judged("ada", exercise("mean", "passed"), notes=("a \x00 \x1b note",))])
    assert write_report(course, "basics")[0].is_file()


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"])
def test_no_csv_cell_is_a_formula(course: Course, start: str):
    write_lines(course, "basics", [unjudged("mei", start)])
    write_report(course, "basics")
    assert rows(course, "not_judged")[0]["reason"] == f"'{start}"
    assert defused("plain") == "plain"


def test_a_feedback_page_that_was_made_is_linked(course: Course):
    write_lines(
        course, "basics", [judged("ada", exercise("mean", "passed")), judged("b o", exercise("mean", "failed"))]
    )
    made = course.private_dir / "feedback" / "b o" / "basics" / "basics.html"
    made.parent.mkdir(parents=True)
    made.touch()
    path, _ = write_report(course, "basics")
    linked = re.findall(r'href="(\.\./feedback/[^"]+)"', path.read_text(encoding="utf-8"))
    assert set(linked) == {"../feedback/b%20o/basics/basics.html"}


def test_a_report_stays_in_private(course: Course):
    make_up(course, 3)
    before = {path for path in course.root.rglob("*") if course.private_dir not in path.parents}
    write_course_report(course)
    after = {path for path in course.root.rglob("*") if course.private_dir not in path.parents}
    assert after == before


def test_a_second_report_leaves_no_table_of_the_first(course: Course):
    make_up(course, 3)
    write_report(course, "basics")
    stale = course.private_dir / "reports" / "basics" / "stale.csv"
    stale.write_text("old", encoding="utf-8")
    write_report(course, "basics")
    assert not stale.exists()


def test_the_page_of_a_thousand_students_is_under_a_megabyte(course: Course):
    make_up(course, 1000)
    path, done = write_report(course, "basics")
    assert done.counts.judged == 1000
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("stamp", ["", "now", "2026-13-45 00:00:00 UTC", None])
def test_a_time_that_cannot_be_told_is_none(stamp: str | None):
    assert moment(stamp) is None
