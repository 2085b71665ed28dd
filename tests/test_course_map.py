"""The map of the course, `assignments/README.md`: made from `course.toml` and the sources, and from nothing else."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import ROOT

from autograder.course import load_course
from autograder.notebooks.build import build_map
from autograder.notebooks.course_map import course_map
from autograder.notebooks.source import SourceError
from autograder.notebooks.teaching import Term, teaching_of

SETTINGS = """\
schema = 1
title = "A *small* course"
course_id = "small"

[[parts]]
name = "first"
title = "First things"

[[parts]]
name = "planned"
title = "Planned things"

[[parts]]
name = "last"
title = "Last things"

[[assignments]]
name = "one"
title = "One | more"
part = "first"

[[assignments]]
name = "two"
title = "Two"
part = "last"
minutes = 90
builds_on = ["one"]
"""
SOURCE = """\
# A title

It teaches **much**,
on two lines.

This is no longer part of it.

```{code-cell}
:setup:

import torch
```

```{code-cell}
:exercise: f
:minutes: 5
```

```{code-cell}
:exercise: g
:minutes: 7
```

## Words

| English | 中文 | meaning |
|---|---|---|
| weight | 权重 | what it multiplies by |
| a\\|b | 或 | one of two |

The end.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "course.toml").write_text(SETTINGS, encoding="utf-8")
    for name in ("one", "two"):
        (tmp_path / "assignments" / name).mkdir(parents=True)
        (tmp_path / "assignments" / name / f"{name}.md").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_the_map_of_this_course_is_up_to_date():
    assert build_map(load_course(ROOT), write=False) == (), "assignments/README.md is stale: run `autograder build`"


def test_the_map_needs_nothing_but_settings_and_sources(tmp_path: Path):
    shutil.copy(ROOT / "course.toml", tmp_path)
    for source in (ROOT / "assignments").glob("*/*.md"):
        (tmp_path / "assignments" / source.parent.name).mkdir(parents=True)
        shutil.copy(source, tmp_path / "assignments" / source.parent.name)
    assert course_map(load_course(tmp_path)) == (ROOT / "assignments" / "README.md").read_text(encoding="utf-8")


def test_every_assignment_of_this_course_has_terms_and_their_chinese():
    course = load_course(ROOT)
    for assignment in course.assignments:
        terms = teaching_of(course, assignment).terms
        assert len(terms) >= 10
        assert [one for one in terms if not re.search(r"[\u4e00-\u9fff]", one.translation)] == []


def test_a_source_says_what_its_notebook_teaches(root: Path):
    course = load_course(root)
    one, two = (teaching_of(course, assignment) for assignment in course.assignments)
    assert (one.about, one.exercises, one.minutes) == ("It teaches **much**, on two lines.", ("f", "g"), 12)
    assert one.terms == (Term("weight", "权重"), Term(r"a\|b", "或"))
    assert two.minutes == 90


def test_the_map_shows_parts_minutes_and_what_a_notebook_builds_on(root: Path):
    lines = course_map(load_course(root)).splitlines()
    assert r"# A \*small\* course" in lines
    assert r"| First things | [One \| more](one/one.ipynb) | 2 | 12 |  |" in lines
    assert r"| Last things | [Two](two/two.ipynb) | 2 | 90 | One \| more |" in lines
    assert "| all | 2 | 4 | 102 | |" in lines
    assert [line for line in lines if line.startswith("#")] == [
        r"# A \*small\* course",
        "## First things",
        r"### One \| more",
        "## Last things",
        "### Two",
    ]
    assert "**You write** `f`, `g`." in lines
    assert r"**Terms** weight 权重; a\|b 或." in lines


def test_the_map_is_written_once(root: Path):
    course = load_course(root)
    path = root / "assignments" / "README.md"
    assert [built.why for built in build_map(course, write=False)] == ["missing"]
    assert not path.exists()
    assert [built.path for built in build_map(course)] == [path]
    assert build_map(course) == ()
    (root / "course.toml").write_text(SETTINGS.replace("90", "91"), encoding="utf-8")
    assert [built.path for built in build_map(load_course(root))] == [path]


def test_a_course_without_parts_has_no_map(root: Path):
    text = re.sub(r"(?m)^part = .*\n", "", SETTINGS)
    text = re.sub(r"(?s)\[\[parts\]\].*?(?=\[\[assignments)", "", text)
    (root / "course.toml").write_text(text, encoding="utf-8")
    (root / "assignments" / "one" / "one.md").write_text("no source\n", encoding="utf-8")
    assert build_map(load_course(root)) == ()
    assert not (root / "assignments" / "README.md").exists()


@pytest.mark.parametrize(
    ("stood", "stands", "says"),
    [
        ("# A title\n", "", "begins with 'It teaches **much**,'"),
        (
            "# A title\n\nIt teaches **much**,\non two lines.\n\nThis is no longer part of it.",
            "# A title",
            "ends there",
        ),
        ("It teaches", "## Rules\n\nIt teaches", "ends there"),
        ("| weight | 权重 |", "| weight |  |", "a row of the table of words is '| weight |  |"),
        ("| weight | 权重 | what it multiplies by |", "| weight |", "a row of the table of words is '| weight |'"),
    ],
)
def test_a_source_that_does_not_say_it_is_refused_in_one_sentence(root: Path, stood: str, stands: str, says: str):
    source = root / "assignments" / "two" / "two.md"
    assert stood in SOURCE
    source.write_text(SOURCE.replace(stood, stands, 1), encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        build_map(load_course(root))
    assert str(source) in str(caught.value) and says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_notebook_without_words_has_no_terms(root: Path):
    source = root / "assignments" / "one" / "one.md"
    source.write_text(SOURCE.partition("## Words")[0], encoding="utf-8")
    course = load_course(root)
    assert teaching_of(course, course.assignments[0]).terms == ()
    assert course_map(course).count("**Terms**") == 1
