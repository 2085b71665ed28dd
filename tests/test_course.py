"""Reading ``course.toml``: what is right is read, what is wrong is told in one sentence."""

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.course import Course, CourseError, ExampleSettings, Limits, find_course, load_course

REPOSITORY = Path(__file__).parent.parent

GOOD = """\
schema = 1
title = "Deep Learning by Hand"
course_id = "deep-learning-by-hand"

[examples]
per_check = 7

[limits]
seconds_per_call = 2.5
seconds_per_cell = 30
output_bytes = 1000
callbacks = 50

[[assignments]]
name = "activations"
title = "Activation functions"
weight = 2
due = 2026-12-18T23:59:00+08:00

[[assignments]]
name = "optimisers"
title = "优化器"
"""


def write_course(root: Path, text: str | bytes = GOOD, names: tuple[str, ...] = ("activations", "optimisers")) -> Path:
    """A course's folder with ``text`` as its settings and a notebook source for each name."""
    (root / "course.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    for name in names:
        folder = root / "assignments" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.md").touch()
    return root.resolve()


def fault_of(root: Path) -> CourseError:
    with pytest.raises(CourseError) as caught:
        load_course(root)
    return caught.value


def assert_one_clear_sentence(error: CourseError) -> None:
    sentence = str(error)
    assert all(part and part in sentence for part in (str(error.file), error.key, error.found, error.allowed))
    assert "\n" not in sentence
    assert sentence.endswith(".")
    for jargon in ("Traceback", "Error", "msgspec", "Expected `", "$.", "regex", "NoneType", "datetime."):
        assert jargon not in sentence


NUMBER = "a finite number greater than 0"
SECONDS = "a finite number of seconds greater than 0"
COUNT = "a whole number greater than 0"
NAME = "a lower-case identifier (letters a-z, digits and _, a letter first)"
DUE = "a date and time with its time zone, unquoted, such as 2026-12-18T23:59:00+08:00"
TEXT = "a line of text that is not blank"
COURSE_ID = "a word of the letters a-z, digits, -, _ and . that begins with a letter or digit"
LIMITS = "seconds_per_call, seconds_per_cell, output_bytes"

# (what stands in GOOD, what stands there instead, key, found, allowed)
FAULTS = {
    "schema 2": ("schema = 1", "schema = 2", "schema", "2", "1"),
    "schema true": ("schema = 1", "schema = true", "schema", "true", "1"),
    "schema text": ("schema = 1", 'schema = "1"', "schema", "'1'", "1"),
    "schema missing": ("schema = 1\n", "", "schema", "missing", "1"),
    "title missing": ('title = "Deep Learning by Hand"\n', "", "title", "missing", TEXT),
    "title blank": ('"Deep Learning by Hand"', '" "', "title", "' '", TEXT),
    "title of two lines": (
        '"Deep Learning by Hand"',
        r'"Deep\nLearning"',
        "title",
        r"'Deep\nLearning'",
        TEXT,
    ),
    "title number": ('"Deep Learning by Hand"', "3", "title", "3", TEXT),
    "course id missing": ('course_id = "deep-learning-by-hand"\n', "", "course_id", "missing", COURSE_ID),
    "course id path": ('"deep-learning-by-hand"', '"../x"', "course_id", "'../x'", COURSE_ID),
    "no examples": ("per_check = 7", "per_check = 0", "examples.per_check", "0", COUNT),
    "half an example": ("per_check = 7", "per_check = 1.5", "examples.per_check", "1.5", COUNT),
    "no seconds": ("= 2.5", "= 0", "limits.seconds_per_call", "0", SECONDS),
    "seconds inf": ("= 2.5", "= inf", "limits.seconds_per_call", "inf", SECONDS),
    "seconds nan": ("= 2.5", "= nan", "limits.seconds_per_call", "nan", SECONDS),
    "seconds true": ("= 2.5", "= true", "limits.seconds_per_call", "true", SECONDS),
    "seconds text": ("= 2.5", '= "2.5"', "limits.seconds_per_call", "'2.5'", SECONDS),
    "seconds huge": ("= 2.5", "= 1" + "0" * 400, "limits.seconds_per_call", "1000", SECONDS),
    "cell negative": ("cell = 30", "cell = -30", "limits.seconds_per_cell", "-30", SECONDS),
    "no output": ("output_bytes = 1000", "output_bytes = 0", "limits.output_bytes", "0", COUNT),
    "callbacks negative": ("callbacks = 50", "callbacks = -1", "limits.callbacks", "-1", COUNT),
    "limits number": ("[limits]", "[x]", "x", "an unknown key", "schema, title"),
    "name missing": ('name = "activations"\n', "", "assignments[0].name", "missing", NAME),
    "name empty": ('"activations"', '""', "assignments[0].name", "''", NAME),
    "name upper case": ('"activations"', '"Activations"', "assignments[0].name", "'Activations'", NAME),
    "name hyphen": ('"activations"', '"act-1"', "assignments[0].name", "'act-1'", NAME),
    "name path": ('"activations"', '"../solutions"', "assignments[0].name", "'../solutions'", NAME),
    "name line end": ('"activations"', r'"activations\n"', "assignments[0].name", r"'activations\n'", NAME),
    "name not ascii": ('"activations"', '"激活"', "assignments[0].name", "'激活'", NAME),
    "name number": ('"activations"', "3", "assignments[0].name", "3", NAME),
    "name table": ('"activations"', "{ a = 1 }", "assignments[0].name", "a table", NAME),
    "name duplicate": (
        '"optimisers"',
        '"activations"',
        "assignments[1].name",
        "'activations', like assignments[0].name",
        "a name that no other assignment has",
    ),
    "assignment title missing": ('title = "优化器"\n', "", "assignments[1].title", "missing", TEXT),
    "weight nan": ("weight = 2", "weight = nan", "assignments[0].weight", "nan", NUMBER),
    "weight inf": ("weight = 2", "weight = inf", "assignments[0].weight", "inf", NUMBER),
    "weight too large": ("weight = 2", "weight = 1e400", "assignments[0].weight", "inf", NUMBER),
    "weight negative": ("weight = 2", "weight = -1.0", "assignments[0].weight", "-1.0", NUMBER),
    "weight zero": ("weight = 2", "weight = 0", "assignments[0].weight", "0", NUMBER),
    "weight false": ("weight = 2", "weight = false", "assignments[0].weight", "false", NUMBER),
    "weight text": ("weight = 2", 'weight = "2"', "assignments[0].weight", "'2'", NUMBER),
    "weight array": ("weight = 2", "weight = [2, 3]", "assignments[0].weight", "an array of 2", NUMBER),
    "due without zone": ("00+08:00", "00", "assignments[0].due", "2026-12-18T23:59:00", DUE),
    "due without time": ("T23:59:00+08:00", "", "assignments[0].due", "2026-12-18", DUE),
    "due only time": ("2026-12-18T23:59:00+08:00", "23:59:00", "assignments[0].due", "23:59:00", DUE),
    "due quoted": ("2026-12-18T23:59:00+08:00", '"2026-13-45"', "assignments[0].due", "'2026-13-45'", DUE),
    "due number": ("2026-12-18T23:59:00+08:00", "20261218", "assignments[0].due", "20261218", DUE),
    "due no such day": ("12-18T23:59:00+08:00", "13-45", "line 18", "'due = 2026-13-45'", "valid TOML"),
    "not TOML": ("weight = 2", "weight 2", "line 17", "'weight 2'", "valid TOML"),
    "end of file": ('"优化器"\n', '"优化器', "line 22", "'title = \"优化器'", "valid TOML"),
    "key twice": ("weight = 2", "weight = 2\nweight = 3", "line 18", "'weight = 3'", "valid TOML"),
}

# (what stands in GOOD, what stands there instead, key, suggestion)
UNKNOWN_KEYS = {
    "at the top": ('title = "Deep', 'titel = "Deep', "titel", " (did you mean title?)"),
    "in a table": ("callbacks", "call_backs", "limits.call_backs", " (did you mean callbacks?)"),
    "in an assignment": ("weight", "wieght", "assignments[0].wieght", " (did you mean weight?)"),
    "like nothing": ("weight", "zzz", "assignments[0].zzz", "name, title, weight, due, part, minutes or builds_on."),
    "with odd letters": ("weight", '"we\\n`ight"', r'assignments[0]."we\n`ight"', " (did you mean weight?)"),
}


@pytest.mark.parametrize(("stood", "stands", "key", "found", "allowed"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_one_sentence_with_file_key_found_and_allowed(
    tmp_path: Path, stood: str, stands: str, key: str, found: str, allowed: str
) -> None:
    assert stood in GOOD
    root = write_course(tmp_path, GOOD.replace(stood, stands, 1))
    error = fault_of(root)
    assert_one_clear_sentence(error)
    assert (error.file, error.key) == (root / "course.toml", key)
    assert error.found.startswith(found)
    assert error.allowed.startswith(allowed)


@pytest.mark.parametrize(("stood", "stands", "key", "ending"), UNKNOWN_KEYS.values(), ids=UNKNOWN_KEYS.keys())
def test_an_unknown_key_is_named_with_its_nearest_neighbour(
    tmp_path: Path, stood: str, stands: str, key: str, ending: str
) -> None:
    error = fault_of(write_course(tmp_path, GOOD.replace(stood, stands, 1)))
    assert_one_clear_sentence(error)
    assert (error.key, error.found) == (key, "an unknown key")
    assert (error.allowed + ".").endswith(ending if ending.endswith(".") else ending + ".")


HEAD = 'schema = 1\ntitle = "T"\ncourse_id = "c"\n'


@pytest.mark.parametrize(
    ("text", "key", "found", "allowed"),
    [
        ("", "schema", "missing", "1"),
        (HEAD, "assignments", "missing", "one [[assignments]] table"),
        (HEAD + "assignments = []", "assignments", "an array of 0", "one [[assignments]] table"),
        (HEAD + "assignments = 3", "assignments", "3", "one [[assignments]] table"),
        (
            HEAD + "assignments = [3]",
            "assignments[0]",
            "3",
            "a table with the keys name, title, weight, due, part, minutes and builds_on",
        ),
        (HEAD + "limits = 3", "limits", "3", "a table with the keys seconds_per_call"),
        (HEAD + "examples = []", "examples", "an array of 0", "a table with the keys per_check"),
        (b'schema = 1\ntitle = "\xff"', "byte 21", "0xff, which is not UTF-8", "UTF-8 text"),
    ],
)
def test_a_file_of_another_shape_is_one_sentence_too(
    tmp_path: Path, text: str | bytes, key: str, found: str, allowed: str
) -> None:
    error = fault_of(write_course(tmp_path, text))
    assert_one_clear_sentence(error)
    assert (error.key, error.found) == (key, found)
    assert error.allowed.startswith(allowed)


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    error = fault_of(write_course(tmp_path, GOOD.replace('"activations"', f'"{"A" * 5000}"')))
    assert_one_clear_sentence(error)
    assert len(error.found) < 80


def test_an_assignment_without_its_folder_is_named(tmp_path: Path) -> None:
    error = fault_of(write_course(tmp_path, names=("activations",)))
    assert_one_clear_sentence(error)
    assert error.key == "assignments[1].name"
    assert error.found == "'optimisers', but assignments/optimisers does not exist"


def test_an_assignment_without_its_notebook_source_is_named(tmp_path: Path) -> None:
    root = write_course(tmp_path)
    (root / "assignments/optimisers/optimisers.md").unlink()
    error = fault_of(root)
    assert_one_clear_sentence(error)
    assert error.found == "'optimisers', but assignments/optimisers/optimisers.md does not exist"


@pytest.mark.parametrize("read", [load_course, find_course])
def test_a_folder_without_a_course_is_named(tmp_path: Path, read) -> None:
    with pytest.raises(CourseError) as caught:
        read(tmp_path)
    assert_one_clear_sentence(caught.value)
    assert (caught.value.file, caught.value.key) == (tmp_path.resolve(), "course.toml")
    assert caught.value.found.startswith("missing")


def test_a_settings_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "course.toml").mkdir()
    assert_one_clear_sentence(fault_of(tmp_path))


def test_a_good_course_is_read_as_written(tmp_path: Path) -> None:
    root = write_course(tmp_path)
    course = load_course(root)
    activations, optimisers = course.assignments
    assert (course.root, course.title, course.course_id) == (
        root,
        "Deep Learning by Hand",
        "deep-learning-by-hand",
    )
    assert course.examples == ExampleSettings(per_check=7)
    assert course.limits == Limits(seconds_per_call=2.5, seconds_per_cell=30.0, output_bytes=1000, callbacks=50)
    assert (activations.name, activations.title, activations.weight) == (
        "activations",
        "Activation functions",
        2.0,
    )
    assert (optimisers.name, optimisers.title, optimisers.weight, optimisers.due) == (
        "optimisers",
        "优化器",
        1.0,
        None,
    )


ORDERED = """\
schema = 1
title = "T"
course_id = "c"

[[parts]]
name = "first"
title = "First things"

[[parts]]
name = "empty"
title = "Planned"

[[parts]]
name = "last"
title = "Last things"

[[assignments]]
name = "a"
title = "A"
part = "first"
minutes = 90

[[assignments]]
name = "b"
title = "B"
part = "last"
builds_on = ["a"]

[[assignments]]
name = "c"
title = "C"
part = "last"
builds_on = ["a", "b"]
"""
PART = "first, empty or last"
MINUTES = "a whole number of minutes greater than 0"
NAMES = "an array of names of assignments that stand earlier"

# (what stands in ORDERED, what stands there instead, key, found, allowed)
DISORDER = {
    "parts number": ("[[parts]]", "[parts]", "line 9", "'[[parts]]'", "valid TOML"),
    "part name missing": ('name = "first"\n', "", "parts[0].name", "missing", NAME),
    "part name blank": ('name = "first"', 'name = ""', "parts[0].name", "''", NAME),
    "part title missing": ('title = "First things"\n', "", "parts[0].title", "missing", TEXT),
    "part title blank": ('"First things"', '" "', "parts[0].title", "' '", TEXT),
    "part unknown key": ('title = "First', 'titel = "First', "parts[0].titel", "an unknown key", "name or title (did"),
    "part duplicate": (
        '"empty"',
        '"first"',
        "parts[1].name",
        "'first', like parts[0].name",
        "a name that no other part has",
    ),
    "no part": ('part = "first"\n', "", "assignments[0].part", "missing", PART),
    "unknown part": (
        'part = "first"',
        'part = "frist"',
        "assignments[0].part",
        "'frist'",
        f"{PART} (did you mean first?)",
    ),
    "part number": ('part = "first"', "part = 1", "assignments[0].part", "1", "the name of one of the [[parts]]"),
    "part not a name": (
        'part = "first"',
        'part = "1"',
        "assignments[0].part",
        "'1'",
        "the name of one of the [[parts]]",
    ),
    "parts mixed up": (
        'title = "C"\npart = "last"',
        'title = "C"\npart = "first"',
        "assignments[2].part",
        "'first', after an assignment of last",
        "last, for assignments follow their parts",
    ),
    "no minutes": ("minutes = 90", "minutes = 0", "assignments[0].minutes", "0", MINUTES),
    "half a minute": ("minutes = 90", "minutes = 0.5", "assignments[0].minutes", "0.5", MINUTES),
    "minutes text": ("minutes = 90", 'minutes = "90"', "assignments[0].minutes", "'90'", MINUTES),
    "minutes true": ("minutes = 90", "minutes = true", "assignments[0].minutes", "true", MINUTES),
    "builds on text": ('builds_on = ["a"]', 'builds_on = "a"', "assignments[1].builds_on", "'a'", NAMES),
    "builds on number": ('builds_on = ["a"]', "builds_on = [1]", "assignments[1].builds_on[0]", "1", NAME),
    "builds on itself": (
        'builds_on = ["a"]',
        'builds_on = ["b"]',
        "assignments[1].builds_on[0]",
        "'b', which does not stand earlier",
        "a",
    ),
    "builds on later": (
        'builds_on = ["a"]',
        'builds_on = ["a", "c"]',
        "assignments[1].builds_on[1]",
        "'c', which does not stand earlier",
        "a",
    ),
    "builds on unknown": (
        '["a", "b"]',
        '["a", "bb"]',
        "assignments[2].builds_on[1]",
        "'bb'",
        "a or b (did you mean b?)",
    ),
    "builds on twice": (
        '["a", "b"]',
        '["a", "a"]',
        "assignments[2].builds_on[1]",
        "'a', for the second time",
        "each assignment once",
    ),
    "the first builds on something": (
        "minutes = 90",
        'builds_on = ["b"]',
        "assignments[0].builds_on[0]",
        "'b'",
        "an empty array, for no assignment stands earlier",
    ),
}


@pytest.mark.parametrize(("stood", "stands", "key", "found", "allowed"), DISORDER.values(), ids=DISORDER.keys())
def test_each_fault_of_the_order_is_one_sentence_too(
    tmp_path: Path, stood: str, stands: str, key: str, found: str, allowed: str
) -> None:
    assert stood in ORDERED
    error = fault_of(write_course(tmp_path, ORDERED.replace(stood, stands, 1), ("a", "b", "c")))
    assert_one_clear_sentence(error)
    assert (error.key, error.found) == (key, found)
    assert error.allowed.startswith(allowed)


def test_a_part_in_a_course_without_parts_is_named(tmp_path: Path) -> None:
    error = fault_of(write_course(tmp_path, GOOD.replace("weight = 2", 'part = "first"')))
    assert_one_clear_sentence(error)
    assert (error.key, error.found) == ("assignments[0].part", "'first', though the course has no [[parts]]")


@pytest.mark.parametrize("parts", ["3", "[3]"])
def test_parts_of_another_shape_are_named(tmp_path: Path, parts: str) -> None:
    text = GOOD.replace("[examples]", f"parts = {parts}\n[examples]")
    assert_one_clear_sentence(fault_of(write_course(tmp_path, text)))


def test_assignments_stand_in_parts(tmp_path: Path) -> None:
    course = load_course(write_course(tmp_path, ORDERED, ("a", "b", "c")))
    first, second, third = course.assignments
    assert [part.title for part in course.parts] == ["First things", "Planned", "Last things"]
    assert (first.part, first.minutes, first.builds_on) == ("first", 90, ())
    assert (third.part, third.minutes, third.builds_on) == ("last", None, ("a", "b"))
    assert course.by_part() == ((course.parts[0], (first,)), (course.parts[2], (second, third)))


def test_a_course_without_parts_is_one_group(tmp_path: Path) -> None:
    course = load_course(write_course(tmp_path))
    assert course.parts == ()
    assert course.by_part() == ((None, course.assignments),)


def test_a_due_date_keeps_its_time_zone(tmp_path: Path) -> None:
    due = load_course(write_course(tmp_path)).assignments[0].due
    assert due is not None
    assert due.isoformat() == "2026-12-18T23:59:00+08:00"
    assert due.utcoffset() == timedelta(hours=8)


def test_tables_that_are_left_out_have_defaults(tmp_path: Path) -> None:
    text = HEAD + '[[assignments]]\nname = "activations"\ntitle = "A"'
    course = load_course(write_course(tmp_path, text))
    assert (course.examples, course.limits) == (ExampleSettings(), Limits())
    assert course.examples.per_check == 12
    assert course.limits.seconds_per_call == 10.0


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n")])
def test_a_file_saved_on_windows_is_read(tmp_path: Path, text: str | bytes) -> None:
    assert load_course(write_course(tmp_path, text)).title == "Deep Learning by Hand"


def test_this_courses_own_settings_are_read_and_are_the_defaults(tmp_path: Path) -> None:
    names = tuple(folder.name for folder in (REPOSITORY / "assignments").iterdir() if folder.is_dir())
    course = load_course(write_course(tmp_path, (REPOSITORY / "course.toml").read_bytes(), names))
    assert course.assignment("activations").due is not None
    assert (course.examples, course.limits) == (ExampleSettings(), Limits())


def test_a_course_is_found_from_any_folder_or_file_below_it(tmp_path: Path) -> None:
    root = write_course(tmp_path)
    for start in (root, root / "assignments", root / "assignments/activations/activations.md"):
        assert find_course(start) == load_course(root)


def test_a_course_is_found_from_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_course(tmp_path)
    monkeypatch.chdir(root / "assignments")
    assert find_course(Path()).root == root


def test_the_folders_stand_below_the_root(tmp_path: Path) -> None:
    course = load_course(write_course(tmp_path))
    folders = (course.assignments_dir, course.solutions_dir, course.private_dir, course.build_dir)
    assert folders == tuple(course.root / name for name in ("assignments", "solutions", "private", "build"))


def test_an_assignment_is_found_by_its_name(tmp_path: Path) -> None:
    course = load_course(write_course(tmp_path))
    assert course.assignment("optimisers") is course.assignments[1]


@pytest.mark.parametrize(
    ("wrong", "allowed"),
    [
        ("optimizers", "activations or optimisers (did you mean optimisers?)"),
        ("zzz", "activations or optimisers"),
        ("", "activations or optimisers"),
    ],
)
def test_an_unknown_assignment_is_answered_with_the_nearest_name(tmp_path: Path, wrong: str, allowed: str) -> None:
    course = load_course(write_course(tmp_path))
    with pytest.raises(CourseError) as caught:
        course.assignment(wrong)
    assert_one_clear_sentence(caught.value)
    assert caught.value.found == f"never {wrong!r}"
    assert caught.value.allowed == allowed


@pytest.mark.parametrize("part", ["", "examples", "limits", "part", "assignment"])
def test_the_records_are_frozen(tmp_path: Path, part: str) -> None:
    course: Course = load_course(write_course(tmp_path, ORDERED, ("a", "b", "c")))
    records = {"examples": course.examples, "limits": course.limits}
    records |= {"part": course.parts[0], "assignment": course.assignments[0]}
    record = records.get(part, course)
    with pytest.raises(AttributeError, match="immutable"):
        setattr(record, record.__struct_fields__[0], "changed")


def test_an_error_keeps_its_data_between_processes() -> None:
    error = CourseError(Path("course.toml"), "schema", "2", "1")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.key) == (str(error), "schema")
