"""The commands; thin: each reads its arguments, calls the part that does the work, and shows what came back."""

import sys

import typer

from autograder.cli import author, cluster, collect, instructor, late, report, retention, student
from autograder.own_commands import find_own_commands
from autograder.slow_imports import SLOW

# Here, so that it holds in the processes that a command starts, too. None stands for what cannot be imported.
sys.modules.setdefault(SLOW, None)  # type: ignore[arg-type]

COMMANDS = (
    author.new,
    author.preview,
    author.build,
    student.start,
    student.check,
    student.progress,
    student.watch,
    instructor.judge,
    author.verify,
    author.book,
    collect.collect,
    instructor.grade,
    report.report,
    late.late,
    retention.student,
    instructor.doctor,
    instructor.demo,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Builds, checks and grades a course of notebooks. Exit codes: 0 done, 1 something could not be judged "
    "or a breach, 2 wrong use, 3 unreadable input.",
)
app.callback()(find_own_commands)
for command in COMMANDS:
    app.command()(command)
app.add_typer(cluster.cluster, name="cluster")
