"""What makes stock nbgrader use the course: `configure` is all that ``nbgrader_config.py`` calls."""

from pathlib import Path
from typing import Any

__all__ = ["configure"]


def configure(c: Any, root: Path) -> None:
    """Sets nbgrader's configuration ``c`` for the course in ``root``."""
    # Imported when it is called: what only sanitises does without nbgrader and the grader.
    from autograder.nbgrader.configuration import configure

    configure(c, root)
