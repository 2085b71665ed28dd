"""The roster, private/students.csv: read into records, and every fault said in one sentence."""

from pathlib import Path

import pytest
from conftest import ROOT
from msgspec.structs import replace
from nbgrader.api import Gradebook

from autograder.collecting.matching import match
from autograder.collecting.names import Claim
from autograder.course import load_course
from autograder.errors import CourseError
from autograder.gradebook.students import split_name, update_students
from autograder.own_commands import find_own_commands
from autograder.roster import Student, read_roster

ROSTER = (
    Student("jdoe", "Jane Doe", "jane.doe@example.edu", "A"),
    Student("zoe", "Zoë Müller-Łoś", "zoe@example.edu"),
    Student("gar7", "García López, María", "mgarcia@example.edu"),
    Student("wxm", "王小明", "wxm@example.edu"),
    Student("s1", "Kim Lee", "kim@one.example"),
    Student("s2", "Kim Lee", "kim@two.example"),
    Student("20261234", "", "pat@example.edu"),
)


def write(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "students.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_columns_may_stand_in_any_order_behind_a_byte_order_mark(tmp_path):
    file = write(tmp_path, '\ufeffEmail,section,id,name\r\njane@example.edu,A,jdoe,"Doe, Jane"\r\n\r\n,,wxm,王小明\r\n')
    assert read_roster(file) == (
        Student("jdoe", "Doe, Jane", "jane@example.edu", "A"),
        Student("wxm", "王小明", "", ""),
    )


@pytest.mark.parametrize("text", ["id\njdoe\n", "id,name\njdoe\n", "id,name,email,section\njdoe,,,\n"])
def test_everything_but_the_id_may_be_empty_or_absent(tmp_path, text):
    assert read_roster(write(tmp_path, text)) == (Student("jdoe"),)


def test_without_a_file_there_is_no_roster(tmp_path):
    assert read_roster(tmp_path / "students.csv") == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "line 1 is empty; allowed is a header with the columns id, name, email and section."),
        ("name,email\nJane,j@x\n", "line 1 is without a column id; allowed is a header"),
        (
            "id,nmae\njdoe,Jane\n",
            "line 1 is the column 'nmae'; allowed is id, name, email or section (did you mean name?)",
        ),
        ("id,id\na,b\n", "line 1 is the column 'id' twice; allowed is each column once."),
        ("id,name\njdoe,Jane\n,Wang\n", "line 3, id is ''; allowed is a word of at most 128 letters"),
        ("id,name\n../up,Jane\n", "line 2, id is '../up'; allowed is a word"),
        ("id,name\n.hidden,Jane\n", "line 2, id is '.hidden'; allowed is a word"),
        (f"id\n{'a' * 129}\n", "line 2, id is 'aaa"),
        ("id\njdoe\nwxm\nJDoe\n", "line 4, id is 'JDoe', like line 2; allowed is an id that no other line has."),
        ("id,name\njdoe,Doe, Jane\n", "line 2 is 3 values; allowed is 2 values, one for each column."),
        ('id,name\njdoe,"Jane\n', "is not CSV (unexpected end of data); allowed is comma-separated values."),
        (b"id,name\njdoe,J\xf6rg\n", "byte 15 is 0xf6, which is not UTF-8; allowed is UTF-8 text."),
    ],
)
def test_a_fault_names_file_line_what_was_found_and_what_is_allowed(tmp_path, content, says):
    file = write(tmp_path, content)
    with pytest.raises(CourseError) as raised:
        read_roster(file)
    assert str(raised.value).startswith(f"In {file}, ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def claim(*, ids: tuple[str, ...] = (), names: tuple[str, ...] = (), system: str = "moodle", user: str = "") -> Claim:
    return Claim(system, "somebody", "file.ipynb", "", ids, names, user)


@pytest.mark.parametrize(
    ("found", "student"),
    [
        (claim(ids=("JDOE",), system="blackboard"), "jdoe"),
        (claim(ids=("Jane.Doe@example.edu",)), "jdoe"),
        (claim(ids=("mgarcia",)), "gar7"),
        (claim(names=("Doe Jane",)), "jdoe"),
        (claim(names=("JANE DOE",)), "jdoe"),
        (claim(names=("doejane",), system="canvas"), "jdoe"),
        (claim(names=("garcíalópezmaría",), system="canvas"), "gar7"),
        (claim(names=("María García López",)), "gar7"),
        (claim(names=("Zoe Muller-Los",)), "zoe"),
        (claim(names=("Zoe\u0308 Mu\u0308ller Łoś",)), "zoe"),
        (claim(names=("小明 王",)), "wxm"),
        (claim(names=("whoever",), system="canvas", user="20261234"), "20261234"),
    ],
)
def test_a_student_is_found_by_id_email_and_name_in_any_order_and_case(found, student):
    matched = match(found, ROSTER)
    assert matched.student is not None and matched.student.id == student


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (claim(names=("Kim Lee",)), "Kim Lee may be s1, s2"),
        (claim(ids=("kim",)), "kim may be s1, s2"),
        (claim(names=("Jane Marie Doe",)), "nobody on the roster is called so"),
        (claim(names=("Jane",)), "nobody on the roster is called so"),
        (claim(user="20261234"), "nobody on the roster is called so"),
        (claim(), "nobody on the roster is called so"),
    ],
)
def test_who_is_not_certain_is_not_guessed(found, why):
    matched = match(found, ROSTER)
    assert (matched.student, matched.why) == (None, why)


def test_a_canvas_number_is_an_id_only_where_the_name_agrees():
    roster = (Student("12345", "Jane Doe"), Student("777", "Wei Chen"))
    agrees = match(claim(system="canvas", names=("doejane",), user="12345"), roster)
    assert agrees.student == roster[0] and agrees.sure
    assert match(claim(system="canvas", names=("smithbob",), user="12345"), roster).student is None


def test_in_a_path_a_folder_further_out_counts_before_the_students_own(tmp_path):
    inner_is_another = Claim("plain", "jane doe", "a.ipynb", "", ids=("Jane Doe", "zoe"), names=("Jane Doe", "zoe"))
    assert match(inner_is_another, ROSTER).student == ROSTER[0]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Jane Doe", ("Jane", "Doe")),
        ("Doe, Jane", ("Jane", "Doe")),
        ("María José García", ("María José", "García")),
        ("王小明", ("", "王小明")),
        ('Doe, Jane, "JJ"', ("Jane JJ", "Doe")),
        ("", ("", "")),
    ],
)
def test_a_name_is_split_as_nbgrader_keeps_it(name, parts):
    assert split_name(name) == parts


def test_the_gradebook_gets_names_and_everybody_on_the_roster(tmp_path):
    course = replace(load_course(ROOT / "tests" / "fixture_course"), root=tmp_path)
    course.private_dir.mkdir()
    find_own_commands()
    url = f"sqlite:///{course.private_dir / 'gradebook.db'}"
    with Gradebook(url, course.course_id) as gradebook:
        gradebook.add_student("jdoe", first_name="J", email="old@example.edu")
        gradebook.add_student("20261234", first_name="Pat")
        gradebook.add_student("guest")
    assert update_students(course, ROSTER) == len(ROSTER)
    assert update_students(course, ROSTER) == 0
    with Gradebook(url, course.course_id) as gradebook:
        students = {s.id: (s.first_name, s.last_name, s.email) for s in gradebook.students}
    assert students["jdoe"] == ("Jane", "Doe", "jane.doe@example.edu")
    assert students["20261234"][0] == "Pat"
    assert students.keys() == {student.id for student in ROSTER} | {"guest"}
