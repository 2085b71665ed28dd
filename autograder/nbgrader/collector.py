"""Lets ``nbgrader zip_collect`` understand the names that Canvas, Moodle and Blackboard write."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.plugins import FileNameCollectorPlugin
from traitlets import Unicode

from autograder.collecting.assigning import Known, assign
from autograder.collecting.attempts import attempt_of, last
from autograder.collecting.downloads import read_downloads
from autograder.collecting.handed import Manner, handed_in
from autograder.collecting.times import zone_of
from autograder.course import load_course
from autograder.roster import read_roster, roster_file


class LmsCollector(FileNameCollectorPlugin):
    """Finds each student's last attempt among the extracted files; the others are skipped.

    nbgrader asks about one file at a time and takes the last attempt only where each has a time, so everything is
    looked at once, when it asks first.
    """

    course_root = Unicode(help="folder of course.toml").tag(config=True)

    _answers: dict[str, dict[str, str]] | None = None

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        if self._answers is None:
            self._answers = self._look_at_all()
        return self._answers.get(str(Path(submitted_file).resolve()))

    def _look_at_all(self) -> dict[str, dict[str, str]]:
        app: Any = self.parent
        course = load_course(Path(self.course_root))
        name = app.coursedir.assignment_id
        due = course.assignment(name).due
        manner = Manner(due, zone_of(due))
        extracted = Path(app._format_collect_path(app.extracted_directory)).resolve()
        with TemporaryDirectory(dir=course.private_dir, prefix=".collect-") as spool:
            found = read_downloads([extracted], Path(spool), course.limits, manner.zone)
            handed = [one for one in handed_in(found.downloads, name, manner) if one.download.origin]
            students, unmatched = assign(handed, Known(read_roster(roster_file(course))))
        for person in unmatched:
            self.log.warning("%s is not collected: %s. `autograder collect` keeps it.", person.person, person.why)
        answers = {}
        for student, files in students.items():
            attempt, stamp = last([attempt_of(one) for one in files])
            chosen = next(one for one in files if attempt_of(one) == attempt)
            answer = {"student_id": student, "file_id": name}
            answers[str(chosen.download.origin)] = answer | ({"timestamp": stamp.text} if stamp.at else {})
        return answers
