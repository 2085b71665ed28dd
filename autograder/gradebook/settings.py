"""nbgrader's settings as its own commands would read them, from every configuration file that counts."""

from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from nbgrader.apps import NbGrader
from nbgrader.exchange.default import Exchange

from autograder.course import Course
from autograder.policy.extensions import read_extensions


@dataclass(frozen=True)
class Settings:
    """Where nbgrader keeps what this program asks it for.

    Attributes:
        db_url: the gradebook. It may hold a password.
        exchange: the course's folder in the exchange; it need not exist.
    """

    db_url: str
    exchange: Path

    @property
    def has_gradebook(self) -> bool:
        """Whether there is a gradebook; SQLite would make one when it is asked."""
        scheme, _, path = self.db_url.partition(":///")
        return scheme != "sqlite" or Path(path).is_file()


def nbgrader_settings(course: Course) -> Settings:
    """Reads nbgrader's configuration, as for a command in the course's folder.

    Raises:
        CourseError: what the configuration is made from has a fault.
    """
    read_extensions(course)  # `configure` would end the program instead
    app = NbGrader()
    with chdir(course.root):
        app.load_config_file()
    default = f"sqlite:///{course.private_dir / 'gradebook.db'}"
    db_url = str(app.config.get("CourseDirectory", {}).get("db_url", default))
    return Settings(db_url, Path(Exchange(config=app.config).root) / course.course_id)
