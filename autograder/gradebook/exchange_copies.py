"""One student's submissions and feedback in nbgrader's exchange."""

from collections.abc import Iterator
from pathlib import Path

from nbgrader.utils import notebook_hash

from autograder.course import Course

SECRET = "submission_secret.txt"


def exchange_copies(course: Course, exchange: Path, student: str) -> Iterator[Path]:
    """What the exchange holds of a student. Feedback has a hash for its name, which needs the submission's secret."""
    inbound = sorted(path for path in (exchange / "inbound").glob("*") if path.name.startswith(f"{student}+"))
    yield from inbound
    own = [course.private_dir / kind / student for kind in ("submitted", "feedback")]
    secrets = {file.read_text(encoding="utf-8") for folder in (*inbound, *own) for file in folder.rglob(SECRET)}
    for secret in sorted(filter(None, secrets)):
        for assignment in course.assignments:
            page = exchange / "feedback" / f"{notebook_hash(secret=secret, notebook_id=assignment.name)}.html"
            if page.is_file():
                yield page
