"""The one writer that puts judged submissions where nbgrader keeps them: gradebook rows and autograded notebooks."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import nbformat
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task

from autograder.atomic import in_place_of
from autograder.classroom.grade import Judged, as_line
from autograder.classroom.submitted import submitted_folder
from autograder.course import Course
from autograder.feedback.outputs import write_outputs
from autograder.feedback.visibility import hidden_are_named, result_for_student
from autograder.gradebook.batches import batches, read, write
from autograder.gradebook.database import DatabaseError, reachable
from autograder.gradebook.late import due_date, in_utc, terms_of
from autograder.gradebook.rows import Entry, Standing
from autograder.gradebook.transactions import opened
from autograder.gradebook.unjudged import NOTICED, put_mark, put_notes, unjudged_notebook
from autograder.notebooks.build import notebook_text
from autograder.notebooks.handed_in import misplaced
from autograder.notebooks.released import released_of
from autograder.policy.extensions import read_extensions
from autograder.reading.reader import Reader, order_of, own_zygote
from autograder.reading.records import Page
from autograder.results import Result

# In an autograded notebook's metadata: the hash of all that it and its rows in the gradebook come from.
WRITTEN = "written"


@dataclass(frozen=True)
class Changed:
    """A student's automatic score before and after; None where there is none."""

    student: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Written:
    """A submission as the gradebook holds it, and the automatic score that stood there before; None if none did."""

    judged: Judged
    before: float | None


class GradebookWriter(AbstractContextManager["GradebookWriter"]):
    """Writes submissions of one assignment, many in one transaction; open it in one process only.

    Raises:
        DatabaseError: the database cannot be used, or does not know the assignment or one of its cells.
    """

    def __init__(self, course: Course, name: str) -> None:
        self._course = course
        self._name = name
        self._extensions = read_extensions(course)
        self._named = hidden_are_named(course, name, self._extensions, datetime.now(UTC))
        self._released = released_of(course, name)
        with ExitStack() as stack:
            self._engine = stack.enter_context(opened(reachable(course), course.course_id))
            self._refuse_other_cells(read(self._engine, name, ()))
            self._open = stack.pop_all()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _refuse_other_cells(self, standing: Standing) -> None:
        """A cell that is newer than the gradebook would have no row for its score."""
        known = {cell.name for cell in standing.cells if standing.notebooks[cell.notebook] == self._name}
        for cell in self._released.notebook.cells:
            if (is_grade(cell) or is_solution(cell)) and cell.metadata["nbgrader"]["grade_id"] not in known:
                raise DatabaseError(
                    f"{self._name}: the gradebook does not know the cell {cell.metadata['nbgrader']['grade_id']}, "
                    f"which students have: run `nbgrader generate_assignment {self._name} --force` first."
                )

    def compare(self, judged: Iterable[Judged]) -> Iterator[Written]:
        """Reads what stands, and writes nothing."""
        for batch in batches(judged):
            standing = read(self._engine, self._name, [one.student for one in batch])
            yield from (Written(one, standing.score(one.student)) for one in batch)

    def write(self, judged: Iterable[Judged]) -> Iterator[Written]:
        """Writes what the gradebook does not hold yet, and due date and late penalty of every submission.

        Of a batch the rows come first, in one transaction, then the notebooks: wherever a run ends, the rows of a
        notebook that says what it was written from are there, and the next run writes the others.
        """
        for batch in batches(judged):
            yield from self._write(batch)

    def _write(self, batch: Sequence[Judged]) -> list[Written]:
        standing = read(self._engine, self._name, [one.student for one in batch])
        written, entries = [], []
        with ExitStack() as staged:

            def stage(path: Path, text: str) -> None:
                staged.enter_context(in_place_of(path)).write_text(text, encoding="utf-8")

            for done in batch:
                one, entry, before = done, Entry(done.student), standing.score(done.student)
                if not self._holds(one, before):
                    one, notebook, entry = self._made(one)
                    path = self._place(one.student)
                    stage(path, notebook)
                    stage(path.parent / "timestamp.txt", one.submitted or "")
                entries.append(self._on_terms(one, entry))
                written.append(Written(one, before))
            # Whatever was staged takes its place after this, or, where this raises, not at all.
            write(self._engine, self._name, entries, due_date(self._course, self._name))
        return written

    def _holds(self, judged: Judged, standing: float | None) -> bool:
        """Whether an earlier run has written this very result, and nothing has changed it since."""
        score = None if judged.result is None else judged.result.score
        if standing != score or (judged.again and judged.result is not None):
            return False
        try:
            notebook = json.loads(self._place(judged.student).read_text(encoding="utf-8"))
            return bool(notebook["metadata"]["autograder"][WRITTEN] == self._mark(judged))
        except (OSError, ValueError, LookupError, TypeError):
            return False

    def _mark(self, judged: Judged) -> str:
        if judged.result is not None:
            # One that was judged now may have whole numbers where one that was kept has floats.
            kept = msgspec.json.decode(msgspec.json.encode(judged.result), type=Result)
            judged = replace(judged, result=kept)
        return hashlib.sha256(b"%d %s" % (self._named, as_line(judged))).hexdigest()

    def _made(self, judged: Judged) -> tuple[Judged, str, Entry]:
        """What came of a submission: the notebook that nbgrader is to keep, and its entry in the gradebook.

        Whatever is wrong with one file must not stop a class.
        """
        if judged.result is not None:
            try:
                notebook = self._autograded(judged, judged.result)
                return judged, notebook_text(notebook), entry_of(judged.student, notebook)
            except Exception as error:
                reason = (
                    f"{judged.path} was judged, but not written into the gradebook ({type(error).__name__}: {error})."
                )
                judged = replace(judged, result=None, reason=reason)
        notebook = unjudged_notebook(self._released, self._name, _reason(judged))
        notebook.metadata["autograder"][WRITTEN] = self._mark(judged)
        return judged, notebook_text(notebook), Entry(judged.student, unjudged=_reason(judged))

    def _on_terms(self, judged: Judged, entry: Entry) -> Entry:
        """An entry with time stamp, extension and late penalty, which may change while the result does not."""
        terms = terms_of(self._course, self._name, judged.student, self._extensions)
        percent = None if judged.result is None else terms.percent
        return replace(entry, submitted=in_utc(judged.submitted or ""), extension=terms.extension, percent=percent)

    def _place(self, student: str) -> Path:
        return self._course.private_dir / "autograded" / student / self._name / f"{self._name}.ipynb"

    def _autograded(self, judged: Judged, result: Result) -> Any:
        """The submitted notebook put right from the released one, with the judge's outputs and notes."""
        page = judged.page or self._read(judged)
        notebook = nbformat.from_dict(json.loads(page.notebook))
        put_mark(notebook, self._name)
        write_outputs(notebook, result_for_student(result, self._named))
        put_notes(notebook, NOTICED, page.notes)
        notebook.metadata["autograder"] |= {"notes": list(result.notes), WRITTEN: self._mark(judged)}
        return notebook

    def _read(self, judged: Judged) -> Page:
        """Reads a submission that was judged in an earlier run."""
        folder = submitted_folder(self._course, self._name, judged.student)
        return self._reader.read(judged.path, misplaced(judged.path, folder, self._name)).page

    @cached_property
    def _reader(self) -> Reader:
        zygote = own_zygote()
        if zygote is not None:
            self._open.callback(zygote.close)
        return Reader(zygote, order_of(self._course.limits, self._name, self._released))


def entry_of(student: str, notebook: Any) -> Entry:
    """What nbgrader's `SaveAutoGrades` would take from an autograded notebook."""
    scores, comments = {}, {}
    for cell in notebook.cells:
        if is_grade(cell):
            scores[cell.metadata["nbgrader"]["grade_id"]], _ = determine_grade(cell)
        if is_solution(cell) or is_task(cell):
            untouched = not is_task(cell) and cell.metadata["nbgrader"].get("checksum") == compute_checksum(cell)
            comments[cell.metadata["nbgrader"]["grade_id"]] = "No response." if untouched else None
    return Entry(student, scores=scores, comments=comments)


def _reason(judged: Judged) -> str:
    """Why there is no result, for the student: the path is the instructor's, the file's name is known to both."""
    return judged.reason.replace(f"{judged.path.parent}/", "")
