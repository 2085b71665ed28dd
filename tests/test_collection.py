"""`autograder collect` on downloads as Canvas, Moodle and Blackboard write them, and on what goes wrong with them."""

import csv
import io
import json
import os
import random
import re
import shutil
import stat
import struct
import subprocess
import zipfile
from collections.abc import Mapping
from contextlib import chdir
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from conftest import BIN, ROOT
from nbgrader.api import Gradebook
from typer.testing import CliRunner, Result

from autograder.cli import app
from autograder.collecting.collect import Collected
from autograder.collecting.collect import collect as collect_all
from autograder.collecting.downloads import DownloadError, cleaned, read_downloads
from autograder.collecting.handed import Manner
from autograder.collecting.names import claim_of
from autograder.collecting.times import parse_clock, zone_of
from autograder.course import Course, Limits, load_course
from autograder.errors import CourseError
from autograder.roster import read_roster, roster_file

EAST = timezone(timedelta(hours=8))
DUE = datetime(2026, 12, 18, 23, 59, tzinfo=EAST)
BEFORE, AFTER = (2026, 12, 18, 20, 0, 0), (2026, 12, 20, 9, 30, 0)
JANE = "id,name,email,section\njdoe,Jane Doe,jane.doe@example.edu,A\nwxm,王小明,wxm@example.edu,B\n"


def notebook(text: str = "", assignment: str | None = "basics") -> bytes:
    metadata = {"autograder": {"assignment": assignment}} if assignment else {}
    cell = {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
    return json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def packed(files: Mapping[str, bytes], time: tuple[int, ...] = BEFORE) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, time), content, zipfile.ZIP_DEFLATED)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The fixture course with a due date; collecting needs no build."""
    root = tmp_path / "course"
    shutil.copytree(ROOT / "tests" / "fixture_course", root, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", root)
    settings = (root / "course.toml").read_text(encoding="utf-8")
    (root / "course.toml").write_text(f"{settings.rstrip()}\ndue = {DUE.isoformat()}\n", encoding="utf-8")
    (root / "private").mkdir(exist_ok=True)
    return load_course(root)


def collect(course: Course, *paths: Path, trusted: bool = False) -> Collected:
    manner = Manner(DUE, zone_of(DUE), trusted)
    return collect_all(course, "basics", paths, manner, read_roster(roster_file(course)))


def collect_zip(course: Course, files: Mapping[str, bytes], time: tuple[int, ...] = BEFORE) -> Collected:
    path = course.root.parent / f"download-{len(list(course.root.parent.iterdir()))}.zip"
    path.write_bytes(packed(files, time))
    return collect(course, path)


def with_roster(course: Course, text: str = JANE) -> Course:
    roster_file(course).write_text(text, encoding="utf-8")
    return course


def submitted(course: Course) -> dict[str, bytes]:
    root = course.private_dir / "submitted"
    return {path.parent.parent.name: path.read_bytes() for path in sorted(root.glob("*/basics/basics.ipynb"))}


def stamp(course: Course, student: str) -> str | None:
    file = course.private_dir / "submitted" / student / "basics" / "timestamp.txt"
    return file.read_text(encoding="utf-8") if file.is_file() else None


def everything(course: Course) -> dict[str, tuple[bytes, int]]:
    files = [path for path in course.private_dir.rglob("*") if path.is_file()]
    return {str(p.relative_to(course.private_dir)): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


def autograder(course: Course, *arguments: str) -> Result:
    """The command in this process, since it takes seconds to import what grading needs."""
    runner = CliRunner(env={"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"})
    with chdir(course.root):
        return runner.invoke(app, list(arguments))


ABOUT = """Name: Jane Doe (jdoe)
Assignment: Basics
Date Submitted: Friday, December 18, 2026 11:10:05 PM CST
Current Grade: Not Graded Yet

Submission Field:
Date Submitted: Friday, December 1, 2000 1:00:00 AM CST

Comments:
There are no student comments for this assignment.

Files:
\tOriginal filename: basics.ipynb
\tFilename: Basics_jdoe_attempt_2026-12-18-23-10-05_basics.ipynb
"""


@pytest.mark.parametrize(
    ("place", "system", "person", "file"),
    [
        ("doejane_12345_67890_basics.ipynb", "canvas", "doejane_12345", "basics.ipynb"),
        ("doejane_LATE_12345_67890_my work-1.ipynb", "canvas", "doejane_12345", "my work-1.ipynb"),
        ("garcíalópezmaría_12345_67890_basics-2.ipynb", "canvas", "garcíalópezmaría_12345", "basics-2.ipynb"),
        ("王小明_12345_67890_basics.ipynb", "canvas", "王小明_12345", "basics.ipynb"),
        ("anon_x1Y2z_67890_basics.ipynb", "canvas", "anon_x1Y2z", "basics.ipynb"),
        ("LATE_anon_x1Y2z_67890_basics.ipynb", "canvas", "anon_x1Y2z", "basics.ipynb"),
        ("doejane_12345_67890_work.zip/src/final.ipynb", "canvas", "doejane_12345", "final.ipynb"),
        ("Jane Doe_1234567_assignsubmission_file_/basics.ipynb", "moodle", "Jane Doe_1234567", "basics.ipynb"),
        ("Jane Doe_1234567_assignsubmission_file/sub/b.ipynb", "moodle", "Jane Doe_1234567", "b.ipynb"),
        ("Jane Doe_1234567_assignsubmission_file_basics.ipynb", "moodle", "Jane Doe_1234567", "basics.ipynb"),
        ("course-basics-99/王 小明_7_assignsubmission_file_/作业.ipynb", "moodle", "王 小明_7", "作业.ipynb"),
        ("Participant_12_assignsubmission_file_/basics.ipynb", "moodle", "Participant_12", "basics.ipynb"),
        ("Basics_jdoe_attempt_2026-12-18-23-10-05_basics.ipynb", "blackboard", "Basics_jdoe", "basics.ipynb"),
        ("Homework 1_j_doe_attempt_2026-12-18-23-10-05_b.ipynb", "blackboard", "Homework 1_j_doe", "b.ipynb"),
        ("jdoe/basics.ipynb", "plain", "jdoe", "basics.ipynb"),
        ("jdoe.ipynb", "plain", "jdoe", "jdoe.ipynb"),
        ("jdoe/basics/Basics.ipynb", "plain", "jdoe", "Basics.ipynb"),
        ("basics_jdoe.ipynb", "plain", "jdoe", "basics_jdoe.ipynb"),
        ("jdoe-basics (1).ipynb", "plain", "jdoe", "jdoe-basics (1).ipynb"),
    ],
)
def test_a_name_says_who_handed_in_what(place, system, person, file):
    claim = claim_of(PurePosixPath(place), "basics")
    assert (claim.system, claim.person, claim.file) == (system, person, file)


@pytest.mark.parametrize(
    "place",
    [
        "doejane_12345_67890_Basics_wxm_attempt_2026-12-18-23-10-05_b.ipynb",
        "doejane_12345_67890_Wang_1_assignsubmission_file_b.ipynb",
        "Jane Doe_12_assignsubmission_file_/wxm_12345_67890_b.ipynb",
        "Jane Doe_12_assignsubmission_file_wxm_12345_67890_b.ipynb",
        "Basics_jdoe_attempt_2026-12-18-23-10-05_wxm_12345_67890_b.ipynb",
        "jdoe.zip/wxm/basics.ipynb",
        "jdoe.zip/../wxm/basics.ipynb",
    ],
)
def test_what_a_student_calls_a_file_hands_it_in_for_nobody_else(course, place):
    collected = collect_zip(with_roster(course), {place: notebook()})
    assert [placed.student for placed in collected.placed] == ["jdoe"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Friday, December 18, 2026 11:10:05 PM CST", "2026-12-18T15:10:05+00:00"),
        ("Friday, December 18, 2026 11:10:05\u202fPM EST", "2026-12-19T04:10:05+00:00"),
        ("December 18, 2026 at 9:05 AM UTC", "2026-12-18T09:05:00+00:00"),
        ("Friday, December 18, 2026 23:10:05 GMT+01:00", "2026-12-18T22:10:05+00:00"),
        ("Friday, December 18, 2026 12:00:00 AM", "2026-12-17T16:00:00+00:00"),
    ],
)
def test_blackboards_date_is_read_in_its_zone_or_the_courses(text, at):
    found = parse_clock(text, EAST)
    assert found is not None and found.isoformat() == at


@pytest.mark.parametrize("text", ["vendredi 18 décembre 2026", "Friday, December 32, 2026 11:10:05 PM CST", ""])
def test_a_date_in_another_form_is_not_guessed(text):
    assert parse_clock(text, EAST) is None


CANVAS = {
    "doejane_LATE_12345_67890_basics.ipynb": notebook("jane"),
    "xiaomingwang_12346_67891_my homework.ipynb": notebook("wang"),
}
MOODLE = {
    "Jane Doe_1234567_assignsubmission_file_/basics.ipynb": notebook("jane"),
    "王小明_1234568_assignsubmission_file_/作业.ipynb": notebook("wang"),
    "Jane Doe_1234567_assignsubmission_onlinetext_/onlinetext.html": b"<p>hello</p>",
}
MOODLE_FLAT = {place.replace("file_/", "file_"): content for place, content in MOODLE.items()}
BLACKBOARD = {
    "Basics_jdoe_attempt_2026-12-18-23-10-05_basics.ipynb": notebook("jane"),
    "Basics_jdoe_attempt_2026-12-18-23-10-05.txt": ABOUT.encode(),
    "Basics_wxm_attempt_2026-12-19-08-00-00_basics.ipynb": notebook("wang"),
}
PLAIN = {"class/jdoe/basics.ipynb": notebook("jane"), "class/wxm.ipynb": notebook("wang")}
ROSTER = JANE.replace("王小明", "Xiaoming Wang")


@pytest.mark.parametrize("kind", ["zip", "folder", "folder of zips"])
@pytest.mark.parametrize(
    ("files", "roster"),
    [(CANVAS, ROSTER), (MOODLE, JANE), (MOODLE_FLAT, JANE), (BLACKBOARD, JANE), (PLAIN, JANE)],
    ids=["canvas", "moodle", "moodle flat", "blackboard", "plain"],
)
def test_each_system_is_collected_to_where_nbgrader_looks(course, tmp_path, files, roster, kind):
    with_roster(course, roster)
    download = tmp_path / "download"
    if kind == "zip":
        download.write_bytes(packed(files))
    elif kind == "folder of zips":
        download.mkdir()
        (download / "submissions.zip").write_bytes(packed(files))
    else:
        for place, content in files.items():
            (download / place).parent.mkdir(parents=True, exist_ok=True)
            (download / place).write_bytes(content)
    collected = collect(course, download)
    assert submitted(course) == {"jdoe": notebook("jane"), "wxm": notebook("wang")}
    assert (collected.waiting, collected.refused, collected.missing) == ((), (), ())


def test_a_second_run_changes_nothing(course):
    with_roster(course)
    files = {**CANVAS, **BLACKBOARD, "Nobody Known_5_assignsubmission_file_/basics.ipynb": notebook("who")}
    collect_zip(course, files)
    before = everything(course)
    again = collect_zip(course, files)
    assert everything(course) == before
    assert {placed.status for placed in again.placed} == {"unchanged"}


TIMES = [
    # what Canvas calls late has the zip's time at most; what it does not call late was in time, whenever it was packed
    ("doejane_LATE_12345_67890_basics.ipynb", AFTER, "2026-12-20 01:30:00", "at the latest"),
    ("doejane_LATE_12345_67890_basics.ipynb", BEFORE, None, "late, time unknown"),
    ("doejane_12345_67890_basics.ipynb", AFTER, "2026-12-18 15:59:00", "on time"),
    ("doejane_12345_67890_basics.ipynb", BEFORE, "2026-12-18 12:00:00", "at the latest"),
    # Moodle says nothing, so that a zip of after the due date proves nothing
    ("Jane Doe_12_assignsubmission_file_/basics.ipynb", BEFORE, "2026-12-18 12:00:00", "at the latest"),
    ("Jane Doe_12_assignsubmission_file_/basics.ipynb", AFTER, None, "unknown"),
    ("Jane Doe_12_assignsubmission_file_/basics.ipynb", (1980, 1, 1, 0, 0, 0), None, "unknown"),
    ("Basics_jdoe_attempt_2026-12-19-08-00-00_basics.ipynb", BEFORE, "2026-12-19 00:00:00", "exact"),
]


@pytest.mark.parametrize(("place", "packed_at", "written", "kind"), TIMES)
def test_the_time_that_is_written_is_never_later_than_is_known(course, place, packed_at, written, kind):
    (placed,) = collect_zip(with_roster(course), {place: notebook()}, packed_at).placed
    assert placed.stamp.kind == kind
    assert stamp(course, "jdoe") == (written and f"{written}.000000 UTC")


def test_blackboards_own_text_gives_the_time_and_the_name(course):
    with_roster(course, "id,name\n20261,Jane Doe\n")
    collect_zip(course, {place: content for place, content in BLACKBOARD.items() if "jdoe" in place})
    assert submitted(course).keys() == {"20261"}
    assert stamp(course, "20261") == "2026-12-18 15:10:05.000000 UTC"


def test_file_times_count_where_the_instructor_says_so(course, tmp_path):
    file = tmp_path / "download" / "jdoe" / "basics.ipynb"
    file.parent.mkdir(parents=True)
    file.write_bytes(notebook())
    late = int(datetime(2026, 12, 20, tzinfo=UTC).timestamp())
    os.utime(file, (late, late))
    collect(course, tmp_path / "download")
    assert stamp(course, "jdoe") is None
    shutil.rmtree(course.private_dir)
    collect(course, tmp_path / "download", trusted=True)
    assert stamp(course, "jdoe") == "2026-12-20 00:00:00.000000 UTC"


WORKSHEET = """\ufeffIdentifier,"Full name","ID number","Email address",Status,"Last modified (submission)"
"Participant 12","Jane Doe",,jane.doe@example.edu,"Submitted for grading","Saturday, 19 December 2026, 1:05 AM"
"Participant 77",Nobody,wxm,,"Submitted for grading","Friday, December 18, 2026, 9:00 PM"
"Participant 78","Pat Smith",,pat@example.edu,"No submission",-
"""
FROM_MOODLE = {
    "Jane Doe_12_assignsubmission_file_/basics.ipynb": notebook("jane"),
    "Participant_77_assignsubmission_file_/basics.ipynb": notebook("wang"),
}


def with_worksheet(course: Course, path: Path, text: str = WORKSHEET) -> Result:
    sheet = course.root.parent / "Grades-basics.csv"
    sheet.write_text(text, encoding="utf-8")
    return autograder(course, "collect", "basics", str(path), str(sheet))


@pytest.mark.parametrize("first_without", [False, True], ids=["at once", "given later"])
def test_moodles_worksheet_gives_times_and_says_whose_a_number_is(course, tmp_path, first_without):
    with_roster(course)
    (tmp_path / "d.zip").write_bytes(packed(FROM_MOODLE, AFTER))
    if first_without:
        collect(course, tmp_path / "d.zip")
        assert (submitted(course).keys(), stamp(course, "jdoe")) == ({"jdoe"}, None)
    done = with_worksheet(course, tmp_path / "d.zip")
    assert done.exit_code == 0, done.output
    assert submitted(course) == {"jdoe": notebook("jane"), "wxm": notebook("wang")}
    assert stamp(course, "jdoe") == "2026-12-18 17:05:00.000000 UTC"
    assert stamp(course, "wxm") == "2026-12-18 13:00:00.000000 UTC"
    before = everything(course)
    with_worksheet(course, tmp_path / "d.zip")
    assert everything(course) == before


def test_a_worksheet_in_another_language_is_named(course, tmp_path):
    (tmp_path / "d.zip").write_bytes(packed(FROM_MOODLE))
    done = with_worksheet(course, tmp_path / "d.zip", "Bezeichner,Status\nTeilnehmer/in 12,-\n")
    assert done.exit_code == 2
    assert "line 1 is without a column Identifier; allowed is Moodle's grading worksheet" in done.stderr


def test_a_zip_that_says_universal_time_is_not_read_in_the_courses_zone(course, tmp_path):
    at = datetime(2026, 12, 18, 3, 4, 5, tzinfo=UTC)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo("jdoe/basics.ipynb", BEFORE)
        member.extra = struct.pack("<HHBi", 0x5455, 5, 1, int(at.timestamp()))
        archive.writestr(member, notebook())
    (tmp_path / "d.zip").write_bytes(buffer.getvalue())
    collect(course, tmp_path / "d.zip")
    assert stamp(course, "jdoe") == "2026-12-18 03:04:05.000000 UTC"


ATTEMPTS = [
    {
        "doejane_12345_67890_basics.ipynb": notebook("1"),
        "doejane_12345_67999_basics-2.ipynb": notebook("last"),
        "doejane_12345_67900_basics-1.ipynb": notebook("2"),
    },
    {
        "Basics_jdoe_attempt_2026-12-18-09-00-00_basics.ipynb": notebook("last"),
        "Basics_jdoe_attempt_2026-12-17-23-00-00_zzz.ipynb": notebook("1"),
        "Basics_jdoe_attempt_2026-12-18-08-59-59_final.ipynb": notebook("2"),
    },
]


@pytest.mark.parametrize("files", ATTEMPTS, ids=["canvas", "blackboard"])
def test_the_last_attempt_counts_and_the_earlier_stay(course, files):
    (placed,) = collect_zip(with_roster(course), files).placed
    assert (submitted(course)["jdoe"], placed.attempts) == (notebook("last"), 3)
    kept = course.private_dir / "attempts" / "basics" / "jdoe"
    assert {path.read_bytes() for path in kept.glob("*.ipynb")} == set(files.values())


@pytest.mark.parametrize("files", ATTEMPTS, ids=["canvas", "blackboard"])
def test_attempts_may_come_one_by_one_in_any_order(course, files):
    with_roster(course)
    for place in sorted(files, reverse=True):
        collect_zip(course, {place: files[place]})
    assert submitted(course)["jdoe"] == notebook("last")


def test_a_later_download_replaces_an_earlier_one_and_not_the_other_way_round(course):
    with_roster(course)
    place = "Jane Doe_12_assignsubmission_file_/basics.ipynb"
    collect_zip(course, {place: notebook("second")}, (2026, 12, 17, 9, 0, 0))
    (older,) = collect_zip(course, {place: notebook("first")}, (2026, 12, 16, 9, 0, 0)).placed
    assert (older.status, submitted(course)["jdoe"]) == ("kept", notebook("second"))
    (newer,) = collect_zip(course, {place: notebook("third")}, (2026, 12, 18, 9, 0, 0)).placed
    assert (newer.status, submitted(course)["jdoe"], newer.attempts) == ("replaced", notebook("third"), 3)


@pytest.mark.parametrize(("time", "counts"), [("2026-12-18 13:00:00 UTC", "there"), ("2026-12-17 12:00:00 UTC", "zip")])
def test_a_submission_that_came_another_way_is_kept_if_it_is_newer(course, time, counts):
    there = course.private_dir / "submitted" / "jdoe" / "basics" / "basics.ipynb"
    there.parent.mkdir(parents=True)
    there.write_bytes(notebook("there"))
    (there.parent / "timestamp.txt").write_text(time)
    files = {"doejane_12345_67890_basics.ipynb": notebook("zip")}
    collect_zip(with_roster(course), files)
    collect_zip(course, files)
    assert there.read_bytes() == notebook(counts)
    kept = course.private_dir / "attempts" / "basics" / "jdoe"
    assert {path.read_bytes() for path in kept.glob("*.ipynb")} == {notebook("there"), notebook("zip")}


def test_the_same_file_handed_in_again_is_not_later(course):
    with_roster(course)
    files = {f"Basics_jdoe_attempt_2026-12-{day}-08-00-00_basics.ipynb": notebook("same") for day in (17, 21)}
    collect_zip(course, files)
    assert stamp(course, "jdoe") == "2026-12-17 00:00:00.000000 UTC"


def test_a_time_that_the_instructor_wrote_stays(course):
    with_roster(course)
    collect_zip(course, {"doejane_LATE_12345_67890_basics.ipynb": notebook()}, AFTER)
    file = course.private_dir / "submitted" / "jdoe" / "basics" / "timestamp.txt"
    file.write_text("2026-12-19 00:10:00 UTC")
    collect_zip(course, {"doejane_LATE_12345_67890_basics.ipynb": notebook()}, AFTER)
    assert file.read_text() == "2026-12-19 00:10:00 UTC"


FILES_OF_ONE = [
    ({"scratch.ipynb": notebook("x", None), "final work.ipynb": notebook("right")}, notebook("right")),
    ({"backprop.ipynb": notebook("x", "backprop"), "a.ipynb": notebook("right")}, notebook("right")),
    ({"basics.ipynb": notebook("x", "backprop"), "zzz.ipynb": notebook("right")}, notebook("right")),
    ({"Basics.IPYNB": b"{ not JSON", "scratch.ipynb": notebook("x", None)}, b"{ not JSON"),
    ({"basics.ipynb.txt": notebook("right")}, notebook("right")),
    ({"basics.ipynb.json": b"\xef\xbb\xbf" + notebook("right")}, b"\xef\xbb\xbf" + notebook("right")),
    ({"basics (1).ipynb": notebook("right", None), "other.py": b"x = 1"}, notebook("right", None)),
    ({"solution.py": b"x = 1\n", "checks.py": b"", "examples.npz": b""}, b"x = 1\n"),
    ({"backprop.ipynb": notebook("x", "backprop")}, notebook("x", "backprop")),
    ({"work/deep/deeper/basics.ipynb": notebook("right")}, notebook("right")),
    ({"basics.ipynb": b""}, b""),
    ({"__MACOSX/._basics.ipynb": b"\0", ".ipynb_checkpoints/basics-checkpoint.ipynb": b"x", "b.py": b"1"}, b"1"),
]


@pytest.mark.parametrize(("files", "taken"), FILES_OF_ONE)
@pytest.mark.parametrize("zipped", [False, True], ids=["files", "a zip of their own"])
def test_of_several_files_the_one_that_is_the_assignment_is_taken(course, files, taken, zipped):
    with_roster(course)
    if zipped:
        download = {"doejane_12345_67890_work.zip": packed(files)}
    else:
        download = {f"Jane Doe_12_assignsubmission_file_/{file}": content for file, content in files.items()}
    collect_zip(course, download)
    assert submitted(course) == {"jdoe": taken}


def test_without_a_roster_file_names_give_the_ids(course):
    collect_zip(course, CANVAS)
    collect_zip(course, MOODLE)
    collect_zip(course, {k: v for k, v in BLACKBOARD.items() if "wxm" in k})
    collect_zip(course, {"Participant_77_assignsubmission_file_/basics.ipynb": notebook()})
    collect_zip(course, {"Zoë D'Arc.ipynb": notebook(), "j.r@example.edu/basics.ipynb": notebook("r")})
    ids = {"doejane", "xiaomingwang", "jane_doe", "王小明", "wxm", "participant_77", "Zoë_D_Arc", "j.r@example.edu"}
    assert submitted(course).keys() == ids


def test_without_a_roster_two_people_of_one_name_stay_two(course):
    first = {f"Kim Lee_{number}_assignsubmission_file_/basics.ipynb": notebook(str(number)) for number in (11, 12)}
    collect_zip(course, first)
    assert submitted(course) == {"kim_lee_11": notebook("11"), "kim_lee_12": notebook("12")}
    collect_zip(course, {"leekim_5_100_basics.ipynb": notebook("5")})
    collect_zip(course, {"leekim_6_101_basics.ipynb": notebook("6")})
    assert submitted(course)["leekim"] == notebook("5")
    assert submitted(course)["leekim_6"] == notebook("6")


def test_who_is_not_certain_is_listed_and_kept_and_placed_once_the_instructor_says_who_it_is(course):
    with_roster(course)
    files = {
        "Participant_77_assignsubmission_file_/basics.ipynb": notebook("jane"),
        "Basics_=cmd_attempt_2026-12-17-09-00-00_basics.ipynb": notebook("wang"),
        "Basics_=cmd_attempt_2026-12-17-09-00-00.txt": b"Name:  (=cmd)\n",
    }
    waiting = collect_zip(course, files).waiting
    assert [row.person for row in waiting] == ["Basics_=cmd", "Participant_77"]
    assert submitted(course) == {}
    kept = {path.read_bytes() for path in (course.private_dir / "unmatched" / "basics").rglob("*.ipynb")}
    assert kept == {notebook("jane"), notebook("wang")}
    _fill_in(course, {"Participant_77": "jdoe", "Basics_=cmd": "wxm"})
    assert collect(course).waiting == ()
    assert submitted(course) == {"jdoe": notebook("jane"), "wxm": notebook("wang")}
    assert stamp(course, "wxm") == "2026-12-17 01:00:00.000000 UTC"
    assert not (course.private_dir / "unmatched" / "basics").exists()
    before = everything(course)
    assert collect_zip(course, files).waiting == ()
    assert everything(course) == before


def _fill_in(course: Course, students: Mapping[str, str]) -> None:
    file = course.private_dir / "unmatched" / "basics.csv"
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows: list[dict[str, Any]] = list(csv.DictReader(opened))
    for row in rows:
        row["student"] = students.get(row["person"], "")
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_cell_of_the_list_is_no_formula(course):
    with_roster(course)
    collect_zip(course, {"=1+1_12_assignsubmission_file_/basics.ipynb": notebook()})
    text = (course.private_dir / "unmatched" / "basics.csv").read_text(encoding="utf-8-sig")
    assert ",'=1+1_12," in text
    _fill_in(course, {"'=1+1_12": "jdoe"})
    collect(course)
    assert submitted(course).keys() == {"jdoe"}


def test_a_student_in_the_list_who_is_not_on_the_roster_is_named(course):
    with_roster(course)
    collect_zip(course, {"Participant_77_assignsubmission_file_/basics.ipynb": notebook()})
    _fill_in(course, {"Participant_77": "jdo"})
    with pytest.raises(CourseError, match=r"line 2, student is 'jdo'; allowed is an id on the roster: .*mean jdoe"):
        collect(course)
    assert submitted(course) == {}


def test_a_roster_that_was_mended_places_what_waits(course):
    with_roster(course)
    collect_zip(course, {"Pat Smith_12_assignsubmission_file_/basics.ipynb": notebook()})
    with_roster(course, JANE + "pat,Pat Smith,,\n")
    collected = collect(course)
    assert (collected.waiting, submitted(course).keys()) == ((), {"pat"})
    assert not (course.private_dir / "unmatched").exists() or not list((course.private_dir / "unmatched").iterdir())


def test_two_people_who_would_be_one_student_by_name_are_both_listed(course):
    with_roster(course)
    files = {f"Jane Doe_{number}_assignsubmission_file_/basics.ipynb": notebook(str(number)) for number in (11, 12)}
    collected = collect_zip(course, files)
    assert {row.person for row in collected.waiting} == {"Jane Doe_11", "Jane Doe_12"}
    assert collected.waiting[0].why == "jdoe is also Jane Doe_12"
    collect_zip(course, {"doejane_5_100_basics.ipynb": notebook("5")})
    later = collect_zip(course, {"doejane_6_101_basics.ipynb": notebook("6")})
    assert submitted(course) == {"jdoe": notebook("5")}
    assert "doejane_6" in {row.person for row in later.waiting}


def test_a_path_that_names_nobody_is_listed(course):
    (row,) = collect_zip(course, {"basics.ipynb": notebook()}).waiting
    assert (row.person, row.why) == ("basics", "the path names no student")


def test_students_without_a_submission_and_people_without_a_notebook_are_named(course):
    with_roster(course)
    collected = collect_zip(course, {"doejane_12345_67890_report.pdf": b"%PDF"})
    assert collected.missing == ("jdoe", "wxm")
    assert [(r.place, r.why) for r in collected.refused] == [
        ("doejane_12345_67890_report.pdf", "it is no notebook and no Python file")
    ]


HOSTILE = [
    "../../../escaped/basics.ipynb",
    "/etc/escaped/basics.ipynb",
    "..\\..\\escaped\\basics.ipynb",
    "C:\\escaped\\basics.ipynb",
    "....//....//escaped/basics.ipynb",
    "esca\x1b[2Jped/bas\nics.ipynb",
    "../escaped_12345_67890_../../../basics.ipynb",
    "Basics_.._attempt_2026-12-18-23-10-05_basics.ipynb",
    "Basics_../../escaped_attempt_2026-12-18-23-10-05_basics.ipynb",
    f"{'x' * 300}/basics.ipynb",
    f"{'王' * 200}_12_assignsubmission_file_/{'作' * 200}.ipynb",
    ".hidden/basics.ipynb",
    "-rf/basics.ipynb",
    "con/basics.ipynb",
    "\u202eadaj/basics.ipynb",
]


@pytest.mark.parametrize("place", HOSTILE)
@pytest.mark.parametrize("roster", ["", JANE], ids=["without a roster", "with a roster"])
def test_no_name_leads_out_of_the_private_folder(course, tmp_path, place, roster):
    if roster:
        with_roster(course, roster)
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(course.private_dir)}
    collect_zip(course, {place: notebook("hostile")})
    after = {path for path in tmp_path.rglob("*") if not path.is_relative_to(course.private_dir)}
    assert {path.name for path in after - before} <= {path.name for path in tmp_path.glob("download-*.zip")}
    kept = [path for path in course.private_dir.rglob("*.ipynb") if path.read_bytes() == notebook("hostile")]
    assert kept and not any(path.is_symlink() for path in course.private_dir.rglob("*"))
    areas = {path.relative_to(course.private_dir).parts[0] for path in kept}
    assert areas <= {"submitted", "attempts", "unmatched"}


def test_a_link_in_a_zip_or_folder_is_not_followed(course, tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(notebook("secret"))
    link = zipfile.ZipInfo("jdoe/basics.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as archive:
        archive.writestr(link, str(secret))
    (tmp_path / "folder" / "wxm").mkdir(parents=True)
    (tmp_path / "folder" / "wxm" / "basics.ipynb").symlink_to(secret)
    (tmp_path / "folder" / "away").symlink_to(tmp_path)
    collected = collect(course, tmp_path / "links.zip", tmp_path / "folder")
    assert [refused.why for refused in collected.refused] == ["it is a link", "a link or no plain file"]
    assert submitted(course) == {}


def limits(size: int) -> Limits:
    return Limits(notebook_bytes=size)


def test_a_zip_bomb_costs_only_itself(tmp_path):
    bomb = b" " * 2_500_000
    files = {"a_1_10_work.zip": packed({f"{n}.ipynb": bomb for n in range(20)}), "b_2_11_basics.ipynb": b"{}"}
    (tmp_path / "d.zip").write_bytes(packed({"c_3_12_basics.ipynb": bomb, **files}))
    (tmp_path / "spool").mkdir()
    found = read_downloads([tmp_path / "d.zip"], tmp_path / "spool", limits(100_000), EAST)
    assert [str(d.place) for d in found.downloads] == ["b_2_11_basics.ipynb"]
    assert found.refused[0].why.startswith("it is larger than 2 MB")
    assert sum(path.stat().st_size for path in (tmp_path / "spool").iterdir()) == 2


def test_one_students_zip_of_many_files_leaves_room_for_the_others(tmp_path):
    many = {f"{n}.ipynb": b"x" * 50_000 for n in range(40)}
    files = {"a_1_10_work.zip": packed(many), "b_2_11_basics.ipynb": b"{}"}
    (tmp_path / "d.zip").write_bytes(packed(files))
    (tmp_path / "spool").mkdir()
    found = read_downloads([tmp_path / "d.zip"], tmp_path / "spool", limits(50_000), EAST)
    assert "b_2_11_basics.ipynb" in {str(d.place) for d in found.downloads}
    assert (len(found.downloads), len(found.refused)) == (21, 20)


def test_thousands_of_entries_in_one_students_zip_are_refused_and_in_the_classs_read(course):
    with_roster(course)
    many = packed({f"{n}.ipynb": b"{}" for n in range(1001)})
    noise = {f"Jane Doe_12_assignsubmission_file_/data/{n}.csv": b"" for n in range(3000)}
    files = {"xiaoming王_1_10_work.zip": many, "Jane Doe_12_assignsubmission_file_/b.ipynb": notebook(), **noise}
    collected = collect_zip(course, files)
    assert submitted(course).keys() == {"jdoe"}
    assert [r.why for r in collected.refused] == ["1001 files are in it; at most 1000 are read"]


def test_a_zip_in_a_zip_in_a_zip_is_not_opened(course):
    files = {"doejane_1_10_a.zip": packed({"b.zip": packed({"basics.ipynb": notebook()})})}
    collected = collect_zip(with_roster(course), files)
    assert (submitted(course), len(collected.refused)) == ({}, 1)


@pytest.mark.parametrize("damage", ["truncated", "crc", "encrypted", "no zip inside", "method"])
def test_damage_in_a_zip_is_told_and_costs_nobody_else(course, damage):
    with_roster(course)
    good = {"wangxiaoming_2_11_basics.ipynb": notebook("good")}
    inner = bytearray(packed({"basics.ipynb": notebook("x" * 500)}))
    if damage == "truncated":
        inner = inner[: len(inner) // 2]
    elif damage == "no zip inside":
        inner = bytearray(b"PK but not really")
    elif damage == "crc":
        inner[60] ^= 0xFF
    else:
        flag, at = (1, 6) if damage == "encrypted" else (99, 8)
        inner[at] = flag
        inner[inner.index(b"PK\x01\x02") + at + 2] = flag
    roster = JANE.replace("王小明", "Xiaoming Wang")
    collected = collect_zip(with_roster(course, roster), {"doejane_1_10_work.zip": bytes(inner), **good})
    assert submitted(course) == {"wxm": notebook("good")}
    assert len(collected.refused) == 1 and "doejane_1_10_work.zip" in collected.refused[0].place


def test_no_damage_to_a_download_ends_in_a_traceback_or_outside(course, tmp_path):
    with_roster(course)
    whole = packed({**CANVAS, **MOODLE, **BLACKBOARD, "doejane_9_99_w.zip": packed({"../x.ipynb": notebook()})})
    stream = random.Random(6)
    download = tmp_path / "d.zip"
    read = 0
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(stream.choice([1, 3, 20])):
            damaged[stream.randrange(len(damaged))] = stream.randrange(256)
        download.write_bytes(damaged[: len(damaged) - stream.choice([0, 0, 0, stream.randrange(200)])])
        try:
            collect(course, download)
            read += 1
        except DownloadError as error:
            assert str(error).endswith("is no zip; allowed is a folder, a zip or a notebook from an LMS.")
    assert read > 50
    assert {path.name for path in tmp_path.iterdir()} == {"course", "d.zip"}


def test_a_gradebook_that_cannot_be_read_loses_nothing_that_was_collected(course, tmp_path):
    with_roster(course)
    (course.private_dir / "gradebook.db").write_bytes(b"no database" * 100)
    (tmp_path / "d.zip").write_bytes(packed(PLAIN))
    done = autograder(course, "collect", "basics", str(tmp_path / "d.zip"))
    assert done.exit_code == 1 and submitted(course).keys() == {"jdoe", "wxm"}
    assert "Everything is collected, but the gradebook did not take the roster: " in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "unicode path"])
def test_chinese_names_are_read_in_the_encodings_that_zips_have(course, tmp_path, encoding):
    with_roster(course)
    name = "王小明_12_assignsubmission_file_/作业.ipynb"
    raw = name.encode("gb18030" if encoding != "utf-8" else "utf-8")
    member = zipfile.ZipInfo("x" * len(raw), BEFORE)
    if encoding == "unicode path":
        value = struct.pack("<BI", 1, 0) + name.encode()
        member.extra = struct.pack("<HH", 0x7075, len(value)) + value
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, notebook())
    (tmp_path / "d.zip").write_bytes(buffer.getvalue().replace(b"x" * len(raw), raw))
    collect(course, tmp_path / "d.zip")
    assert submitted(course).keys() == {"wxm"}


def test_an_accent_in_a_dos_name_is_an_accent(course, tmp_path):
    with_roster(course, "id,name\nmu,Jörg Müller\n")
    name = "Jörg Müller_12_assignsubmission_file_/b.ipynb".encode("cp437")
    content = packed({"y" * len(name): notebook()}).replace(b"y" * len(name), name)
    (tmp_path / "d.zip").write_bytes(content)
    collect(course, tmp_path / "d.zip")
    assert submitted(course).keys() == {"mu"}


@pytest.mark.parametrize("name", ["", "..", "/", "C:", "a/../..", "\\"])
def test_cleaning_leaves_no_step_up(name):
    place = cleaned(name)
    assert place is None or (".." not in place.parts and not place.is_absolute())


def test_three_hundred_students_of_three_systems_are_all_there(course):
    lines, files = [], {}
    for number in range(300):
        first, last, student = f"First{number:03}", f"Last{number:03}", f"s{number:03}"
        lines.append(f"{student},{first} {last},{student}@example.edu,{'ABC'[number % 3]}")
        content = notebook(student)
        if number % 3 == 0:
            late = "_LATE" if number % 5 == 0 else ""
            files[
                f"{last}{first}{late}_{10000 + number}_{70000 + number}_basics.ipynb".lower().replace("late", "LATE")
            ] = content
        elif number % 3 == 1:
            files[f"{first} {last}_{900 + number}_assignsubmission_file_/basics ({number}).ipynb"] = content
        else:
            files[f"Basics_{student}_attempt_2026-12-18-10-{number % 60:02}-00_basics.ipynb"] = content
    files["Some Body_5_assignsubmission_file_/basics.ipynb"] = notebook("who")
    collected = collect_zip(with_roster(course, "id,name,email,section\n" + "\n".join(lines)), files)
    assert submitted(course) == {f"s{number:03}": notebook(f"s{number:03}") for number in range(300)}
    assert (len(collected.placed), collected.missing) == (300, ())
    assert [row.person for row in collected.waiting] == ["Some Body_5"]


def test_the_command_says_what_was_collected_and_fills_the_gradebook(course, tmp_path):
    with_roster(course, JANE + "pat,Pat Smith,pat@example.edu,A\n")
    files = {
        "doejane_LATE_12345_67890_basics.ipynb": notebook("jane", "backprop"),
        "Participant_77_assignsubmission_file_/basics.ipynb": notebook(),
        "王小明_78_assignsubmission_file_/basics.ipynb": notebook("wang"),
    }
    (tmp_path / "d.zip").write_bytes(packed(files, AFTER))
    done = autograder(course, "collect", "basics", str(tmp_path / "d.zip"))
    assert done.exit_code == 1, done.stderr
    assert done.stdout.startswith("basics: 2 students: 2 new, 0 replaced")
    assert "late; this is the latest it can have been; the notebook says that it is backprop" in " ".join(
        done.stdout.split()
    )
    assert "Participant_77" in done.stdout and "private/unmatched/basics.csv" in done.stdout
    assert "Without a submission: 1 on the roster: pat" in done.stdout
    with Gradebook(f"sqlite:///{course.private_dir / 'gradebook.db'}", course.course_id) as gradebook:
        names = {s.id: (s.first_name, s.last_name) for s in gradebook.students}
    assert names == {"jdoe": ("Jane", "Doe"), "wxm": (None, "王小明"), "pat": ("Pat", "Smith")}


def test_the_record_says_the_same(course, tmp_path):
    (tmp_path / "d.zip").write_bytes(packed(BLACKBOARD))
    done = autograder(course, "collect", "basics", str(tmp_path / "d.zip"), "--json")
    record = json.loads(done.stdout)
    assert (done.exit_code, record["schema"], record["assignment"]) == (0, 1, "basics")
    assert [(p["student"], p["status"], p["stamp"]["kind"]) for p in record["placed"]] == [
        ("jdoe", "new", "exact"),
        ("wxm", "new", "exact"),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("basics", "nowhere.zip"), "nowhere.zip does not exist; allowed is a folder or a zip from an LMS."),
        (("basics", "course.toml"), "course.toml is no zip; allowed is a folder, a zip or a notebook from an LMS."),
        (("basic",), "never 'basic'; allowed is basics (did you mean basics?)."),
        (("basics", "--zone", "Mars/North"), "--zone is 'Mars/North'; allowed is a time zone such as Asia/Shanghai"),
    ],
)
def test_wrong_use_ends_in_one_sentence(course, arguments, says):
    done = autograder(course, "collect", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    (sentence,) = (line for line in done.stderr.splitlines() if not re.match(r"\d\d:\d\d:\d\d  ", line))
    assert says in sentence


def test_nbgraders_own_zip_collect_reads_the_same_names(course):
    with_roster(course)
    archive = course.private_dir / "downloaded" / "basics" / "archive"
    archive.mkdir(parents=True)
    files = {**ATTEMPTS[1], "王小明_78_assignsubmission_file_/作业.ipynb": notebook("wang")}
    files["Some Body_5_assignsubmission_file_/basics.ipynb"] = notebook("who")
    (archive / "submissions.zip").write_bytes(packed(files))
    environment = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_COURSE"}
    command = [str(BIN / "nbgrader"), "zip_collect", "basics"]
    done = subprocess.run(command, cwd=course.root, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert submitted(course) == {"jdoe": notebook("last"), "wxm": notebook("wang")}
    assert stamp(course, "jdoe") == "2026-12-18 01:00:00"
    assert "Some Body_5 is not collected: nobody on the roster is called so." in done.stderr
