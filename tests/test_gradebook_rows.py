"""The gradebook's rows: the very same as nbgrader's own API writes, in SQLite and PostgreSQL; whole ones only."""

import multiprocessing
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveAutoGrades
from nbgrader.utils import compute_checksum
from postgresql import new_database, postgresql_server
from sqlalchemy import Engine, MetaData, create_engine, event, select

from autograder.gradebook import batches, transactions
from autograder.gradebook.database import DatabaseError
from autograder.gradebook.rows import Entry
from autograder.gradebook.transactions import opened
from autograder.gradebook.writer import entry_of
from autograder.own_commands import find_own_commands
from autograder.policy.lateness import penalty

# nbgrader adds a submission while its rows are not complete, and SQLAlchemy remarks on it.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type:sqlalchemy.exc.SAWarning")

NAME, COURSE = "basics", "fixture"
CHECKED, WRITTEN, DONE = ("double", "halve", "norm"), "why", "essay"
DUE = datetime(2026, 12, 18, 15, 59)
STUDENTS = tuple(f"student-{number:02}" for number in range(8))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_gradebook(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes a gradebook in which the assignment is released, and gives its URL."""

    def made(name: str) -> str:
        url = f"sqlite:///{tmp_path / name}.db"
        if request.param == "postgresql":
            url = new_database(request.getfixturevalue("server"), f"{tmp_path.name}-{name}")
            url = url.replace("postgresql:", "postgresql+psycopg:")
        release(url)
        return url

    return made


def release(url: str) -> None:
    """Two notebooks, one of which is judged; and another assignment whose cells have the same names."""
    find_own_commands()
    with Gradebook(url) as gradebook:  # nbgrader's preprocessors leave the course out
        gradebook.check_course(COURSE)
        for assignment, notebooks in ((NAME, (NAME, "annex")), ("other", (NAME,))):
            gradebook.add_assignment(assignment, course_id=COURSE)
            for notebook in notebooks:
                gradebook.add_notebook(notebook, assignment)
                for number, cell in enumerate(CHECKED):
                    points = {"max_score": number + 1.1, "cell_type": "code"}
                    gradebook.add_grade_cell(f"check-{cell}", notebook, assignment, **points)
                gradebook.add_grade_cell(WRITTEN, notebook, assignment, max_score=2, cell_type="markdown")
                for cell in (*CHECKED, WRITTEN):
                    gradebook.add_solution_cell(cell, notebook, assignment)
                gradebook.add_task_cell(DONE, notebook, assignment, max_score=1, cell_type="markdown")
        gradebook.add_student(STUDENTS[0], first_name="Ada", email="ada@example.org")
        gradebook.add_submission("other", STUDENTS[0])


@dataclass(frozen=True)
class Handed:
    """A submission as it was judged: its notebook, or why there is none."""

    student: str
    notebook: Any
    reason: str
    submitted: datetime | None
    extension: timedelta | None
    percent: float


def made_class(seed: int) -> list[Handed]:
    """Right, wrong, untouched and unjudged submissions; late ones, some with an extension."""
    chance = random.Random(seed)
    return [
        Handed(
            student,
            autograded(chance),
            f"It could not be read ({seed})." if chance.random() < 0.25 else "",
            chance.choice([None, DUE - timedelta(hours=chance.randrange(99)), DUE + timedelta(seconds=seed)]),
            chance.choice([None, None, timedelta(days=1, seconds=seed)]),
            chance.choice([0.0, 10.0, 33.3, 100.0]),
        )
        for student in chance.sample(STUDENTS, 6)
    ]


def autograded(chance: random.Random) -> Any:
    cells = []
    for number, name in enumerate(CHECKED):
        cells.append(new_code_cell(chance.choice(["raise NotImplementedError()", "return 1"])))
        cells[-1].metadata["nbgrader"] = about(name, solution=True)
        cells.append(new_code_cell(f'check("{name}")', outputs=[chance.choice(outputs(number + 1.1))]))
        cells[-1].metadata["nbgrader"] = about(f"check-{name}", grade=True, locked=True, points=number + 1.1)
    cells.append(new_markdown_cell(chance.choice(["YOUR ANSWER HERE", "Because."])))
    cells[-1].metadata["nbgrader"] = about(WRITTEN, grade=True, solution=True, points=2)
    cells.append(new_markdown_cell("Do this."))
    cells[-1].metadata["nbgrader"] = about(DONE, task=True, points=1)
    for cell in cells:
        if cell.source in ("raise NotImplementedError()", "YOUR ANSWER HERE"):
            cell.metadata["nbgrader"]["checksum"] = compute_checksum(cell)
    return new_notebook(cells=cells)


def about(name: str, **more: Any) -> dict[str, Any]:
    kind = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"schema_version": 3, "grade_id": name, **kind, **more}


def outputs(points: float) -> list[Any]:
    got = [repr(points), "0.0", repr(points / 3)]
    return [new_output("execute_result", {"text/plain": text}) for text in got] + [
        new_output("error", ename="ValueError", evalue="", traceback=[])
    ]


def through_nbgrader(url: str, class_: Sequence[Handed]) -> None:
    """One submission after the other through nbgrader's own API and its own `SaveAutoGrades`."""
    for one in class_:
        with Gradebook(url, COURSE) as gradebook:
            gradebook.find_assignment(NAME).duedate = DUE
            gradebook.update_or_create_student(one.student)
            stamp = {"timestamp": one.submitted} if one.submitted else {}
            gradebook.update_or_create_submission(NAME, one.student, **stamp).extension = one.extension
            gradebook.db.commit()
        if not one.reason:
            known = {"notebook": NAME, "assignment": NAME, "student": one.student, "db_url": url}
            SaveAutoGrades().preprocess(one.notebook, {"nbgrader": known})
        with Gradebook(url, COURSE) as gradebook:
            for notebook in gradebook.find_submission(NAME, one.student).notebooks:
                lost = penalty(notebook.score, one.percent)
                notebook.late_submission_penalty = None if one.reason else lost
                for grade in notebook.grades if one.reason else ():
                    grade.auto_score, grade.needs_manual_grade = None, True
                for comment in notebook.comments if one.reason else ():
                    comment.auto_comment = one.reason if comment.name == CHECKED[0] else None
            gradebook.db.commit()


def through_core(url: str, class_: Sequence[Handed]) -> None:
    """All of them in one transaction."""
    with opened(url) as engine:
        batches.write(engine, NAME, [entry(one) for one in class_], DUE)


def entry(one: Handed) -> Entry:
    judged = Entry(one.student, unjudged=one.reason) if one.reason else entry_of(one.student, one.notebook)
    return replace(judged, submitted=one.submitted, extension=one.extension, percent=one.percent)


def grade_by_hand(url: str, seed: int) -> None:
    """What persons do in the formgrader: points, extra credit, comments, flags."""
    chance = random.Random(seed)
    with Gradebook(url, COURSE) as gradebook:
        for student in STUDENTS:
            for submission in [one for one in gradebook.student_submissions(student) if one.name == NAME]:
                for notebook in sorted(submission.notebooks, key=lambda notebook: str(notebook.name)):
                    notebook.flagged = chance.random() < 0.3
                    for grade in sorted(notebook.grades, key=lambda grade: str(grade.name)):
                        if chance.random() < 0.3:
                            grade.manual_score, grade.needs_manual_grade = chance.choice([0.0, 0.5, 1.0]), False
                        grade.extra_credit = chance.choice([None, None, 0.25])
                    for comment in sorted(notebook.comments, key=lambda comment: str(comment.name)):
                        comment.manual_comment = chance.choice([None, "Well done."])
        gradebook.db.commit()


def contents(url: str) -> dict[str, list[str]]:
    """Every row of every table with all its columns; instead of random ids the rows that they stand for."""
    engine, metadata = create_engine(url), MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        rows = {name: connection.execute(select(table)).mappings().all() for name, table in metadata.tables.items()}
    engine.dispose()
    by_id = {name: {row["id"]: row for row in found if "id" in row} for name, found in rows.items()}

    def shown(name: str, row: Mapping[str, Any]) -> str:
        parts = []
        for column in metadata.tables[name].columns:
            value: Any = row[column.name]
            if column.foreign_keys and value is not None:
                (key,) = column.foreign_keys
                value = shown(key.column.table.name, by_id[key.column.table.name][value])
            if column.foreign_keys or column.name != "id" or name in ("course", "student"):
                parts.append(f"{column.name}={value!s}")
        return f"{name}({', '.join(parts)})"

    return {name: sorted(shown(name, row) for row in found) for name, found in rows.items()}


@pytest.mark.parametrize("seed", range(2))
def test_a_batch_equals_nbgraders_own_rows_in_every_table_and_column(new_gradebook, seed: int):
    ours, theirs = new_gradebook("ours"), new_gradebook("theirs")
    assert contents(ours) == contents(theirs)
    for round_ in range(3):
        class_ = made_class(10 * seed + round_)
        through_core(ours, class_)
        through_nbgrader(theirs, class_)
        found, wanted = contents(ours), contents(theirs)
        assert [row for name, rows in found.items() for row in rows if row not in wanted[name]] == []
        assert found == wanted
        assert any("No response." in row for row in found["comment"])
        assert any("manual_comment=Well done." in row for row in found["comment"]) == (round_ > 0)
        for url in (ours, theirs):
            grade_by_hand(url, round_)
        assert contents(ours) == contents(theirs) != found
    before = contents(ours)
    through_core(ours, [])
    assert contents(ours) == before


def test_terms_alone_change_neither_scores_nor_what_a_person_wrote(new_gradebook):
    url, class_ = new_gradebook("ours"), made_class(1)
    through_core(url, class_)
    grade_by_hand(url, 1)
    before = contents(url)
    with opened(url) as engine:
        batches.write(engine, NAME, [Entry(one.student, extension=timedelta(days=9)) for one in class_], DUE)
    after = contents(url)
    assert {name for name in before if before[name] != after[name]} == {
        "submitted_assignment", "submitted_notebook", "grade", "comment",  # these point to the first
    }  # fmt: skip
    extended = [row.split("extension=")[1] for row in after["submitted_assignment"] if f"name={NAME}" in row]
    assert len(extended) == len(class_) and len({*extended}) == 1


def whole(engine: Engine) -> list[str]:
    """Students who have a submission; every one must be whole, with its scores."""
    students = batches.submitters(engine, NAME)
    standing = batches.read(engine, NAME, students)
    for student in students:
        mine = [row for (one, _), row in standing.submitted.items() if one == standing.submissions[student]["id"]]
        grades = [row for row in standing.grades.values() if row["notebook_id"] in {one["id"] for one in mine}]
        assert len(mine) == 2 and len(grades) == 2 * (len(CHECKED) + 2)
        assert standing.score(student) is None  # of the notebook that was not judged there is none
        assert sum(row["auto_score"] is not None for row in grades) >= len(CHECKED)
        assert all(one["late_submission_penalty"] is not None for one in mine if one["notebook_id"] in judged(standing))
    return students


def judged(standing: Any) -> set[str]:
    return {id_ for id_, name in standing.notebooks.items() if name == NAME}


def with_double(outcome: int) -> list[Handed]:
    """A class of which everybody is judged, and has the same outcome of `double`: all points, or none."""
    class_ = [replace(one, reason="") for one in made_class(1)]
    for one in class_:
        one.notebook.cells[1].outputs = [outputs(1.1)[outcome]]
    return class_


def killed_at(url: str, class_: Sequence[Handed], statement: int) -> bool:
    """Writes in a process that is killed before one of its statements; False if it came to its end before."""

    def write() -> None:
        with opened(url) as engine:
            count = 0

            @event.listens_for(engine, "before_cursor_execute")
            def kill(*statement_: Any) -> None:
                nonlocal count
                count += 1
                if count == statement:
                    os.kill(os.getpid(), signal.SIGKILL)

            batches.write(engine, NAME, [entry(one) for one in class_[:3]], DUE)
            batches.write(engine, NAME, [entry(one) for one in class_[3:]], DUE)

    process = multiprocessing.get_context("fork").Process(target=write)
    process.start()
    process.join()
    return process.exitcode == -signal.SIGKILL


def test_a_run_that_is_killed_anywhere_leaves_whole_submissions_and_the_next_one_completes(new_gradebook):
    class_ = [replace(one, percent=10.0) for one in with_double(0)]
    undisturbed, url = new_gradebook("undisturbed"), new_gradebook("killed")
    through_core(undisturbed, class_)
    statement, counts = 1, set()
    while killed_at(url, class_, statement):
        with opened(url) as engine:
            counts.add(len(whole(engine)))
        statement += 1
    assert statement > 20 and counts == {0, 3}
    assert contents(url) == contents(undisturbed)


def test_two_writers_at_once_lose_nothing(new_gradebook):
    class_ = made_class(1)
    undisturbed, url = new_gradebook("undisturbed"), new_gradebook("both")
    through_core(undisturbed, class_)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for one in class_:
                through_core(url, [one])
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures and contents(url) == contents(undisturbed)


def test_points_that_a_person_gives_meanwhile_count(server: str, monkeypatch: pytest.MonkeyPatch):
    """What was read before is out of date, so the transaction begins anew. SQLite lets nobody write meanwhile."""
    url = new_database(server, "meanwhile").replace("postgresql:", "postgresql+psycopg:")
    release(url)
    class_ = with_double(0)
    through_core(url, class_)
    computed, student = batches.changes, class_[0].student

    def slow(*arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(batches, "changes", computed)
        with Gradebook(url, COURSE) as gradebook:
            grade = gradebook.find_grade("check-double", NAME, NAME, student)
            grade.manual_score, grade.needs_manual_grade = 1.0, False
            gradebook.db.commit()
        return computed(*arguments, **more)

    monkeypatch.setattr(batches, "changes", slow)
    through_core(url, with_double(1))
    with Gradebook(url, COURSE) as gradebook:
        grade = gradebook.find_grade("check-double", NAME, NAME, student)
        assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (0.0, 1.0, True)


def test_a_busy_sqlite_is_waited_for_and_then_named_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path / 'busy.db'}"
    release(url)
    other = sqlite3.connect(tmp_path / "busy.db", isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    timer = threading.Timer(0.5, lambda: other.execute("commit"))
    timer.start()
    through_core(url, made_class(1))
    timer.join()
    before = contents(url)
    monkeypatch.setattr(transactions, "WAIT_SECONDS", 0.2)
    other.execute("begin immediate")
    with pytest.raises(
        DatabaseError, match=r"busy\.db: another program has kept the gradebook locked for 0\.2 seconds"
    ):
        through_core(url, made_class(2))
    with pytest.raises(DatabaseError, match="locked"), opened(url, COURSE):
        pass
    other.execute("commit")
    assert contents(url) == before


def test_an_assignment_that_is_not_there_is_named(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with opened(url, COURSE) as engine, pytest.raises(DatabaseError, match="`nbgrader generate_assignment none` first"):
        batches.read(engine, "none", ())
