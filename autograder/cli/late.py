"""The instructor's command on lateness: late."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from autograder.cli.options import Names, chosen
from autograder.cli.terminal import one_sentence
from autograder.course import find_course
from autograder.policy.deadline import counted

if TYPE_CHECKING:
    from autograder.gradebook.penalties import Settled


def late(names: Names = None) -> None:
    """Counts lateness anew, writes every late penalty into the gradebook, and lists the late submissions.

    Run it after manual grading and after a change of extensions: nbgrader computes a penalty only when it autogrades.

    Example: `autograder late activations`
    """
    with one_sentence():
        course = find_course(Path.cwd())
        chosen_names = chosen(course, names)

        from autograder.gradebook.penalties import settle_all  # with nbgrader, once a wrong name is refused

        settled = settle_all(course, chosen_names)
    late = [one for one in settled if one.lateness is not None and one.lateness.late]
    table = Table("assignment", "student", "due", "late", "free days", "lost", "penalty", "score")
    for one in late:
        table.add_row(*_row(one))
    if late:
        Console().print(table)
    changed = sum(one.before != one.penalty for one in settled)
    print(f"{counted(len(settled), 'submission')}, {len(late)} late; {counted(changed, 'score')} changed.")


def _row(one: "Settled") -> tuple[str, ...]:
    from autograder.feedback.panel import points_text

    assert one.lateness is not None
    hours = one.lateness.late.total_seconds() / 3600
    return (
        one.assignment,
        one.student,
        f"{one.lateness.due:%Y-%m-%d %H:%M %Z}",
        f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days",
        str(one.lateness.free_days),
        f"{one.lateness.percent:g} %",
        points_text(one.penalty or 0.0),
        points_text(one.score),
    )
