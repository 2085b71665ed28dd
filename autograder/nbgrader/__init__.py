"""What makes stock nbgrader use the course: `configure` is all that ``nbgrader_config.py`` calls."""

from autograder.nbgrader.configuration import configure

__all__ = ["configure"]
