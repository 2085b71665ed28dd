"""Diagnosers of which part of an exercise is wrong, where the rest of it is right."""

from autograder.feedback.diagnosers.evidence import Answer, Evidence


def one_member(evidence: Evidence) -> str | None:
    """One attribute or method of an object is wrong, and others are right."""
    wrong = {_member(answer) for answer in evidence.wrong}
    right = {_member(answer) for answer in evidence.right} - {""}
    if len(wrong) != 1 or "" in wrong or wrong & right or not right:
        return None
    others = " and ".join(sorted(right)[:2])
    return f"What goes wrong each time is {wrong.pop()}; {others} {'are' if len(right) > 1 else 'is'} right."


def _member(answer: Answer) -> str:
    if answer.request.kind == "attribute":
        return f"`.{answer.request.name}`"
    return f"`.{answer.request.name}()`" if answer.request.kind == "method" else ""
