"""Counts what a class handed in and got: from result records to the figures of a report."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import fmean, median, quantiles
from typing import Literal

from autograder.reporting.figures import (
    Bin,
    CheckFigures,
    Counts,
    ExerciseFigures,
    Missing,
    MistakeFigures,
    NoteFigures,
    Report,
    Scores,
    SectionFigures,
    SubmissionFigures,
)
from autograder.reporting.handed_in import HandedIn, Line, moment
from autograder.reporting.hints import discrimination, hints
from autograder.results import CheckResult, Diagnosis, ExerciseResult, Result
from autograder.roster import Student

BINS = 10
CHANGED_INPUT = "changes_an_input"
FOLLOWS = "earlier_exercise"
NO_SECTION = "(none)"


def report_of(handed_in: HandedIn) -> Report:
    """The figures of a class."""
    results = [line.result for line in handed_in.lines if line.result is not None]
    people = {listed.id: listed for listed in handed_in.roster or ()}
    submissions = tuple(_submission(line, people.get(line.student), handed_in.due) for line in handed_in.lines)
    missing = _missing(handed_in, people)
    exercises = tuple(_exercise(name, found, results) for name, found in _by_exercise(results).items())
    checks = tuple(_checks(results))
    return Report(
        assignment=handed_in.name,
        title=handed_in.title,
        due=handed_in.due,
        graded=handed_in.graded,
        counts=_counts(handed_in, submissions, missing),
        scores=_scores(results),
        exercises=exercises,
        checks=checks,
        mistakes=_mistakes(handed_in.lines),
        hints=hints(exercises, checks),
        sections=_sections(submissions, missing, handed_in.due is not None) if handed_in.roster is not None else (),
        submissions=submissions,
        missing=missing,
        notes=_notes(handed_in.lines),
        faults=handed_in.faults,
    )


def was_tried(result: ExerciseResult) -> bool:
    return result.status != "missing"


def ran(result: ExerciseResult) -> bool:
    """Whether its checks ran; one sentence for the whole exercise stands where they did not count."""
    return not result.message


def _counts(handed_in: HandedIn, submissions: Sequence[SubmissionFigures], missing: Sequence[Missing]) -> Counts:
    judged = sum(one.score is not None for one in submissions)
    absent = sum(one.why == "nothing handed in" for one in missing)
    return Counts(
        submitted=len(submissions) + len(handed_in.ungraded),
        judged=judged,
        unjudged=len(submissions) - judged,
        ungraded=len(handed_in.ungraded),
        late=None if handed_in.due is None else sum(one.late is True for one in submissions),
        missing=None if handed_in.roster is None else absent,
    )


def _scores(results: Sequence[Result]) -> Scores | None:
    if not results:
        return None
    points = [result.score for result in results]
    low, middle, high = quantiles(points, n=4, method="inclusive") if len(points) > 1 else points * 3
    places = Counter(min(int(_share(result) * BINS + 1e-9), BINS - 1) for result in results)
    return Scores(
        max_score=max(result.max_score for result in results),
        mean=_rounded(fmean(points)),
        median=_rounded(middle),
        lower_quartile=_rounded(low),
        upper_quartile=_rounded(high),
        full=sum(result.score == result.max_score for result in results),
        zero=sum(result.score == 0 for result in results),
        bins=tuple(Bin(i / BINS, (i + 1) / BINS, places[i]) for i in range(BINS)),
    )


def _share(result: Result) -> float:
    return result.score / result.max_score if result.max_score else 0.0


def _rounded(value: float) -> float:
    return round(value, 6)


def _by_exercise(results: Iterable[Result]) -> dict[str, list[ExerciseResult]]:
    found: dict[str, list[ExerciseResult]] = {}
    for result in results:
        for exercise in result.exercises:
            found.setdefault(exercise.name, []).append(exercise)
    return found


def _exercise(name: str, found: Sequence[ExerciseResult], results: Sequence[Result]) -> ExerciseFigures:
    passed = sum(one.status == "passed" for one in found)
    partial = sum(one.status != "passed" and one.points > 0 for one in found)
    missing = sum(not was_tried(one) for one in found)
    return ExerciseFigures(
        exercise=name,
        max_points=max(one.max_points for one in found),
        passed=passed,
        partial=partial,
        failed=len(found) - passed - partial - missing,
        missing=missing,
        pass_rate=_rounded(passed / len(found)),
        mean=_rounded(fmean(one.points for one in found)),
        discrimination=discrimination(
            [(r.score, e.status == "passed") for r in results for e in r.exercises if e.name == name]
        ),
    )


def _checks(results: Iterable[Result]) -> Iterable[CheckFigures]:
    found: dict[tuple[str, str], list[CheckResult]] = {}
    first: dict[tuple[str, str], CheckResult] = {}
    for result in results:
        for exercise in result.exercises:
            for check in exercise.checks:
                first.setdefault((exercise.name, check.name), check)
                if ran(exercise) and check.status != "not_analysed":
                    found.setdefault((exercise.name, check.name), []).append(check)
    order = list(dict.fromkeys(exercise for exercise, _ in first))
    for key in sorted(first, key=lambda key: order.index(key[0])):
        outcomes = Counter(check.status for check in found.get(key, ()))
        total = outcomes.total()
        yield CheckFigures(
            exercise=key[0],
            check=key[1],
            title=first[key].title,
            visible=first[key].visible,
            ran=total,
            passed=outcomes["passed"],
            failed=outcomes["failed"],
            error=outcomes["error"],
            timeout=outcomes["timeout"],
            pass_rate=_rounded(outcomes["passed"] / total) if total else None,
        )


def _mistakes(lines: Iterable[Line]) -> tuple[MistakeFigures, ...]:
    """Diagnoses, the most frequent first, and after them what follows from another exercise.

    Where one is worded in several ways, its most frequent wording stands for it.
    """
    tried: Counter[str] = Counter()
    seen: dict[tuple[str, str], list[tuple[str, Diagnosis]]] = {}
    for student, exercise in _exercises(lines):
        tried[exercise.name] += was_tried(exercise)
        if exercise.diagnosis is not None:
            seen.setdefault((exercise.name, exercise.diagnosis.mistake), []).append((student, exercise.diagnosis))
    figures = [
        MistakeFigures(
            exercise=exercise,
            mistake=mistake,
            kind=found[0][1].kind,
            says=Counter(diagnosis.says for _, diagnosis in found).most_common(1)[0][0],
            count=len(found),
            share=_rounded(len(found) / tried[exercise]) if tried[exercise] else 0.0,
            students=tuple(student for student, _ in found),
        )
        for (exercise, mistake), found in seen.items()
    ]
    return tuple(sorted(figures, key=lambda one: (one.mistake == FOLLOWS, -one.count, one.exercise, one.mistake)))


def _exercises(lines: Iterable[Line]) -> Iterable[tuple[str, ExerciseResult]]:
    for line in lines:
        for exercise in line.result.exercises if line.result else ():
            yield line.student, exercise


def _submission(line: Line, listed: Student | None, due: datetime | None) -> SubmissionFigures:
    result = line.result
    time = moment(line.submitted)
    checks = [check for exercise in result.exercises for check in exercise.checks] if result else []
    return SubmissionFigures(
        student=line.student,
        name=listed.name if listed else "",
        section=listed.section if listed else "",
        submitted=line.submitted,
        score=result.score if result else None,
        max_score=result.max_score if result else None,
        late=None if due is None or time is None else time > due,
        cpu=result.seconds.cpu if result else None,
        wall=result.seconds.wall if result else None,
        timeouts=sum(check.status == "timeout" for check in checks),
        notes=len(result.notes) if result else 0,
        reason=line.reason,
    )


def _missing(handed_in: HandedIn, people: Mapping[str, Student]) -> tuple[Missing, ...]:
    known = {line.student for line in handed_in.lines}
    late_comers = set(handed_in.ungraded)
    found = []
    for student in sorted((set(people) - known) | late_comers):
        listed = people.get(student, Student(student))
        why: Literal["nothing handed in", "not graded yet"] = (
            "not graded yet" if student in late_comers else "nothing handed in"
        )
        found.append(Missing(student, listed.name, listed.section, why))
    return tuple(found)


def _sections(
    submissions: Sequence[SubmissionFigures], missing: Sequence[Missing], has_due: bool
) -> tuple[SectionFigures, ...]:
    names = sorted({one.section for one in submissions} | {one.section for one in missing})
    figures = []
    for name in names:
        here = [one for one in submissions if one.section == name]
        absent = [one for one in missing if one.section == name]
        points = [one.score for one in here if one.score is not None]
        figures.append(
            SectionFigures(
                section=name or NO_SECTION,
                students=len(here) + len(absent),
                judged=len(points),
                unjudged=len(here) - len(points),
                late=sum(one.late is True for one in here) if has_due else None,
                missing=sum(one.why == "nothing handed in" for one in absent),
                mean=_rounded(fmean(points)) if points else None,
                median=_rounded(median(points)) if points else None,
            )
        )
    return tuple(figures)


def _notes(lines: Sequence[Line]) -> tuple[NoteFigures, ...]:
    """What forbids points, what changes its input, and what reading and running noticed; the same words once."""
    seen: dict[tuple[Literal["forbidden", "changed input", "note"], str], list[str]] = {}
    for student, exercise in _exercises(lines):
        if exercise.status == "forbidden":
            seen.setdefault(("forbidden", exercise.message), []).append(student)
        elif exercise.diagnosis is not None and exercise.diagnosis.mistake == CHANGED_INPUT:
            says = f"`{exercise.name}`: {exercise.diagnosis.says}"
            seen.setdefault(("changed input", says), []).append(student)
    for line in lines:
        for note in dict.fromkeys(line.result.notes if line.result else ()):
            seen.setdefault(("note", note), []).append(line.student)
    figures = [NoteFigures(kind, says, len(students), tuple(students)) for (kind, says), students in seen.items()]
    return tuple(sorted(figures, key=lambda one: (one.kind, -one.count, one.says)))
