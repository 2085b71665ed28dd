"""What is said of every listed mistake, as if it were not listed, stands in a table that a person has read."""

from said_of_mistakes import FIXTURE, FOLDER, differing, golden, said_of_mistakes

from autograder.course import Course


def test_what_is_said_of_each_mistake_was_read(course: Course, assignment_name: str) -> None:
    again = f"read this, and if it is true run `make diagnoses NAME={assignment_name}`"
    assert differing(said_of_mistakes(course, assignment_name), golden(assignment_name)) == [], again


def test_what_is_said_of_each_mistake_of_the_fixture_course_was_read(built_fixture_course: Course) -> None:
    again = f"read this, and if it is true run `make diagnoses NAME={FIXTURE}`"
    assert differing(said_of_mistakes(built_fixture_course, FIXTURE), golden(FIXTURE)) == [], again


def test_no_table_is_left_of_an_assignment_that_is_gone(course: Course) -> None:
    names = {assignment.name for assignment in course.assignments} | {FIXTURE}
    assert {file.stem for file in FOLDER.iterdir()} == names


def test_a_difference_names_the_mistake() -> None:
    kept, said = {"f": {"a": "x: Old.", "b": ""}}, {"f": {"a": "x: New.", "b": ""}, "g": {"c": ""}}
    assert differing(said, kept) == [
        "f.a: 'x: Old.' stands there, 'x: New.' is said",
        "g.c: None stands there, '' is said",
    ]
