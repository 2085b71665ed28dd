"""What of a panel is open from the start: at most twenty lines, the rest is folded."""

import re
from dataclasses import dataclass
from typing import get_args

from autograder.feedback.drawing import height
from autograder.results import CheckKind, CheckResult, Curve, ExerciseResult, Squares

MOST_LINES = 20
# Characters in a line of a panel that is as wide as it gets, and a line's height in pixels.
LINE = 100
LINE_HEIGHT = 18
DTYPE = re.compile(r", dtype=[\w.]+")
NO_CODE = 10_000
KINDS = get_args(CheckKind)
IDEA_FIRST = "No points yet: the check shown first is about the idea of the exercise, and points begin there."
# What some checks are about, and what a message says if that is what went wrong.
SPECIAL = (
    (re.compile(r"\bdtypes?\b|float16|float32|float64|\bprecision\b", re.IGNORECASE), re.compile(r"\bdtype\b")),
    (re.compile(r"\bin place\b|\b(?:not|never) changed?\b|\bunchanged\b", re.IGNORECASE), re.compile(r"\bin place\b")),
    (re.compile(r"\bcontiguous\b|\bin memory\b", re.IGNORECASE), re.compile(r"\bcontiguous\b")),
)


@dataclass(frozen=True)
class Layout:
    """An exercise's checks in the order of reading, and which parts of them are open.

    Attributes:
        passed, others, not_analysed: the checks beside the shown one, by how they ended.
        shown: the failed check that is explained; None where none failed.
        picture: the shown check's picture, or else another's curve, which says for itself what it is of.
        open_parts: of ``code``, ``answers``, ``picture``, ``others``, ``passed`` and ``not_analysed`` those that are
            not folded.
        lines: how many lines are to be seen before anything is unfolded.
        of_points: how the points came about, where the checks do not tell; else empty.
        only_visible: whether hidden checks were made that are not among these.
    """

    passed: tuple[CheckResult, ...]
    shown: CheckResult | None
    picture: Curve | Squares | None
    others: tuple[CheckResult, ...]
    not_analysed: tuple[CheckResult, ...]
    open_parts: frozenset[str]
    lines: int
    of_points: str = ""
    only_visible: bool = False

    @property
    def passing(self) -> str:
        """How many checks pass, in words."""
        count = len(self.passed)
        total = count + len(self.others) + (self.shown is not None)
        check = "visible check" if self.only_visible else "check"
        if total == 0:
            return f"No {check} was made."
        if count == total:
            return f"The {check} passes." if total == 1 else f"All {total} {check}s pass."
        if count:
            return f"{count} of {total} {check}s {'passes' if count == 1 else 'pass'}."
        return f"The only {check} does not pass yet." if total == 1 else f"None of the {total} {check}s passes yet."

    @property
    def unknown(self) -> str:
        """How many checks were not analysed, in words."""
        count = len(self.not_analysed)
        return f"{count} check{'s were' if count > 1 else ' was'} not made here, which costs nothing."

    @property
    def failing(self) -> str:
        """How many checks fail beside the shown one, in words."""
        return "1 more check fails." if len(self.others) == 1 else f"{len(self.others)} more checks fail."


def layout_of(result: ExerciseResult) -> Layout:
    """Opens what fits, the parts that explain most first."""
    shown = first_failure(result)
    passed = tuple(check for check in result.checks if check.status == "passed")
    not_analysed = tuple(check for check in result.checks if check.status == "not_analysed")
    others = tuple(c for c in result.checks if c.status not in ("passed", "not_analysed") and c is not shown)
    about = result.diagnosis.checks if result.diagnosis is not None else ()
    picture = _picture(shown, tuple(check for check in others if not about or check.name in about))
    says = result.diagnosis.says if result.diagnosis else ""
    # The heading, what passes, diagnosis, property, what was seen, what else fails, what was not analysed.
    points = of_points(result)
    lines = 2 + sum(map(_lines, (says, points, *((shown.title, shown.message) if shown else ()))))
    lines += bool(others) + bool(not_analysed)
    sizes = _sizes(shown, picture) if shown is not None else {}
    # A folded part still has a line that tells what it is; those of the lists are counted already.
    lines += len(sizes)
    sizes = {part: size - 1 for part, size in sizes.items()}
    sizes |= {"others": _all_lines(others) - 1, "passed": _all_lines(passed), "not_analysed": _all_lines(not_analysed)}
    open_parts = set()
    for part, size in sizes.items():
        if lines + size <= MOST_LINES:
            open_parts.add(part)
            lines += max(size, 0)
    only_visible = result.hidden is not None
    return Layout(passed, shown, picture, others, not_analysed, frozenset(open_parts), lines, points, only_visible)


def of_points(result: ExerciseResult) -> str:
    """How the points came about, where the checks do not tell."""
    if result.stood_in:
        names = " and ".join(f"`{name}`" for name in result.stood_in)
        return f"It was judged again with a right {names} in place of yours: half of what that mends is given back."
    wrong = [check for check in result.checks if check.status not in ("passed", "not_analysed")]
    return IDEA_FIRST if not result.points and any(check.kind == "idea" for check in wrong) else ""


def first_failure(result: ExerciseResult) -> CheckResult | None:
    """The failed check that a reader should look at first.

    One that the diagnosis is about, so that all of a panel is about one mistake. Of these an idea before a case, and a
    case before a refusal; of these one whose words fit what was seen, and of these the one with the shortest
    counterexample.
    """
    failed = [check for check in result.checks if check.status not in ("passed", "not_analysed")]
    about = result.diagnosis.checks if result.diagnosis is not None else ()
    return min([check for check in failed if check.name in about] or failed, key=_order, default=None)


def _order(check: CheckResult) -> tuple[bool, int, bool, int]:
    not_made = check.status == "timeout" and check.counterexample is None
    return not_made, KINDS.index(check.kind), not _words_fit(check), _length(check.counterexample)


def _words_fit(check: CheckResult) -> bool:
    """Whether what the check is about is what was seen: a wrong value is not shown under words on dtypes."""
    about = f"{check.name.replace('_', ' ')} {check.title}"
    return all(seen.search(check.message) for words, seen in SPECIAL if words.search(about))


def _length(code: str | None) -> int:
    """Of code; dtypes do not count, or float32, which needs no word, would come before float64."""
    if code is None:
        return NO_CODE + 1
    return NO_CODE if code.startswith("#") else len(DTYPE.sub("", code))


def _picture(shown: CheckResult | None, others: tuple[CheckResult, ...]) -> Curve | Squares | None:
    if shown is None or shown.picture is not None:
        return None if shown is None else shown.picture
    return next((check.picture for check in others if isinstance(check.picture, Curve)), None)


def _sizes(check: CheckResult, picture: Curve | Squares | None) -> dict[str, int]:
    """The lines of the parts that explain a failure, the one that explains most first; none that there is not."""
    answers = [text for text in (check.expected, check.got) if text is not None]
    sizes = {
        "code": len((check.counterexample or "").splitlines()),
        "answers": sum(len(text.splitlines()) for text in answers),
        # Under a picture stand its sentence and what its signs mean.
        "picture": 0 if picture is None else -(-height(picture) // LINE_HEIGHT) + _lines(picture.says) + 1,
    }
    order = ("code", "picture", "answers") if isinstance(picture, Squares) else tuple(sizes)
    return {part: sizes[part] for part in order if sizes[part]}


def _lines(text: str) -> int:
    return -(-len(text) // LINE)


def _all_lines(checks: tuple[CheckResult, ...]) -> int:
    return sum(_lines(check.title) for check in checks)
