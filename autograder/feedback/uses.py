"""Which earlier exercises a solution's source refers to."""

import ast
from collections.abc import Collection, Iterable

from autograder.feedback.diagnosis import Earlier
from autograder.results import ExerciseResult


def names_used(source: str, exercise: str) -> frozenset[str]:
    """Global names that the definition of ``exercise`` in ``source`` reads, through its own helpers too.

    Args:
        source: Python source of the cell, or cells, of the exercise.
        exercise: the function or class that is graded.
    Returns:
        Names that are read, those of its helpers among them; none if it cannot be parsed.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    definitions = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    used: set[str] = set()
    left, seen = [exercise], {exercise}
    while left:
        node = definitions.get(left.pop())
        read = _names_read(node) if node is not None else set()
        helpers = (read & definitions.keys()) - seen
        seen |= helpers
        left += helpers
        used |= read
    return frozenset(used)


def _names_read(node: ast.AST) -> set[str]:
    """Names that a definition reads and does not bind itself."""
    names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    bound = {name.id for name in names if not isinstance(name.ctx, ast.Load)}
    bound |= {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}
    return {name.id for name in names if isinstance(name.ctx, ast.Load)} - bound


def earlier_of(exercise: str, source: str, before: Iterable[ExerciseResult]) -> Earlier:
    """What an exercise's diagnosis needs to know of those before it.

    Args:
        exercise: the exercise that is judged.
        source: the source that defines it.
        before: what came of earlier exercises of the assignment, in order.
    """
    judged = tuple(before)
    all_pass = all(result.status == "passed" for result in judged)
    return earlier_among(() if all_pass else names_used(source, exercise), judged)


def earlier_among(used: Collection[str], before: Iterable[ExerciseResult]) -> Earlier:
    """The same where the names are known that the exercise's source uses."""
    passed = {result.name: result.status == "passed" for result in before}
    failed = tuple(name for name in passed if not passed[name] and name in used)
    return Earlier(failed, frozenset(name for name in passed if passed[name]))
