"""nbgrader's configuration: everything comes from course.toml."""

from pathlib import Path

from autograder.nbgrader import configure

configure(get_config(), Path(__file__).parent)  # noqa: F821 (nbgrader provides get_config)
