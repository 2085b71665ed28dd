"""Proves an assignment: stubs fail, references pass, every mistake dies, every alternative passes."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UnsetType

from autograder.course import Course
from autograder.feedback.diagnosis import Words, words_of
from autograder.judging.exercise import Trials, judge_exercise, replayed, searched
from autograder.judging.inquiries import inquiries
from autograder.judging.recordings import load_recordings
from autograder.notebooks.build import source_notebook
from autograder.points import points_text
from autograder.proving.basis import package_hash
from autograder.proving.content import Content
from autograder.proving.deep import Depth, Proved, prove, stated_false_alarms
from autograder.proving.outcome import Verified
from autograder.proving.shares import MistakeShare, complaint, share_of
from autograder.proving.strength import read_strength, warnings
from autograder.proving.worked import passes_worked_values, worked_checks
from autograder.results import ExerciseResult
from autograder.sandbox.forbidden.live import uses_in_namespace
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.inspection import Inquiry
from autograder.sandbox.warming import warm
from autograder.testing.assignment import Assignment, Exercise, load_assignment
from autograder.testing.declarations import Check, Mistake

SECONDS_PER_CALL = 5.0
FALSE_ALARM_AT_MOST = 1e-9
ROUNDING = 1e-6


def verify_assignment(
    course: Course,
    name: str,
    *,
    search: bool = False,
    notebook: bool = True,
    depth: Depth | None = None,
    begin: Callable[[str, int], None] = lambda what, steps: None,
    advance: Callable[[str], None] = lambda step: None,
) -> Verified:
    """Proves one assignment.

    Args:
        course, name: the assignment, built before.
        search: judges by live Hypothesis search too, and compares it with replay.
        notebook: runs the source notebook top to bottom.
        depth: proves what has no proof yet, too.
        begin, advance: told of the number of steps, and of each.
    """
    warm()
    assignment = load_assignment(course, name)
    recordings = load_recordings(course, name)
    proof = _Shallow(assignment, replayed(*recordings), inquiries(assignment, recordings[0]), search)
    begin(name, len(assignment.exercises) + notebook)
    for exercise in assignment.exercises:
        proof.of(exercise, words_of(exercise.name, recordings[0]))
        advance(exercise.name)
    seconds = None
    if notebook:
        seconds, breach = run_source_notebook(course, assignment)
        proof.breaches.extend(breach)
        advance("the source notebook")
    counts = proof.counts
    verified = Verified(
        name,
        len(assignment.exercises),
        sum(len(exercise.checks) for exercise in assignment.exercises),
        counts["mistakes"],
        counts["caught"],
        counts["caught_visible"],
        counts["named"],
        counts["alternatives"],
        tuple(proof.breaches),
        seconds,
        tuple(proof.shares),
        false_alarms=tuple(alarm for exercise in assignment.exercises for alarm in stated_false_alarms(exercise)),
    )
    if depth is not None:
        verified = _deepened(verified, depth, prove(course, name, depth, begin, advance))
    return with_kept_proofs(verified, Content.of(course, name), only=None if depth is None else depth.only)


def _deepened(verified: Verified, depth: Depth, proved: Proved) -> Verified:
    """The record with what `prove` found."""
    return msgspec.structs.replace(
        verified,
        breaches=verified.breaches + proved.breaches,
        notes=proved.notes,
        proved=proved.exercises,
        survivors=proved.survivors,
        seeds=depth.seeds,
        examples_per_seed=depth.examples,
        search_runs=proved.runs,
        report=proved.report,
    )


def with_kept_proofs(verified: Verified, content: Content, *, only: str | None) -> Verified:
    """The record with what is kept of earlier proofs, and what is amiss with them.

    Args:
        verified: without them.
        content: what the proofs are about.
        only: the one exercise that is looked at; None for all of them.
    """
    kept = read_strength(content.file)
    # What was proved now and not kept has its own breach.
    tried = () if isinstance(verified.proved, UnsetType) else verified.proved
    breaches = [
        f"{exercise}: {complaint}"
        for exercise, complaint in content.complaints(kept)
        if only in (None, exercise) and (exercise not in tried or exercise in kept)
    ]
    others = sum(proof.package != package_hash() for proof in kept.values())
    notes = [
        f"{others} of {len(kept)} exercises were proved with another version of the checks' package: "
        f"`autograder verify --deep --all {verified.name}` proves them again"
    ] * bool(others)
    verified = msgspec.structs.replace(
        verified,
        breaches=(*verified.breaches, *breaches),
        warnings=tuple(warnings(kept)),
        notes=(*verified.notes, *notes),
    )
    if not kept:
        return verified
    return msgspec.structs.replace(
        verified,
        mutants=sum(proof.mutants for proof in kept.values()),
        mutants_caught=sum(proof.caught for proof in kept.values()),
        mutants_equivalent=sum(proof.equivalents for proof in kept.values()),
        mutants_named=sum(proof.named for proof in kept.values()),
    )


class _Shallow:
    """Counts and breaches, exercise by exercise."""

    def __init__(self, assignment: Assignment, trials: Trials, asked: Mapping[str, Inquiry], search: bool) -> None:
        self._assignment = assignment
        self._trials = trials
        self._asked = asked
        self._search = searched(trials, seed=1) if search else None
        self.counts = dict.fromkeys(("mistakes", "caught", "caught_visible", "named", "alternatives"), 0)
        self.breaches: list[str] = []
        self.shares: list[MistakeShare] = []

    def of(self, exercise: Exercise, words: Words) -> None:
        if len(exercise.mistakes) < 3:
            self._breach(exercise, f"has {len(exercise.mistakes)} mistakes, at least 3 are needed")
        if not exercise.alternatives:
            self._breach(exercise, "has no alternative, at least 1 is needed")
        for alarm in stated_false_alarms(exercise):
            if not alarm.probability <= FALSE_ALARM_AT_MOST * (1 + ROUNDING):
                self._breach(
                    exercise,
                    f"{alarm.check} fails a right solution with probability {alarm.probability:.1g}, "
                    f"{FALSE_ALARM_AT_MOST:.0e} is allowed",
                )
        if not any(check.kind == "idea" for check in exercise.visible):
            self._breach(exercise, "has no visible check of its idea, at least 1 is needed")
        stub = self._judge(exercise, _stub(exercise.name), exercise.checks, words)
        if stub.points > 0:
            self._breach(exercise, f"the stub gets {stub.points} points")
        self._passes(exercise, "the reference", self._assignment.reference[exercise.name], words)
        for alternative in exercise.alternatives:
            self.counts["alternatives"] += 1
            self._passes(exercise, f"the alternative {alternative.name}", alternative.solution, words)
        for mistake in exercise.mistakes:
            result = self._judge(exercise, mistake.solution, exercise.checks, words)
            seen = self._judge(exercise, mistake.solution, exercise.visible, words)
            caught = result.points < exercise.points
            self.counts["mistakes"] += 1
            self.counts["caught"] += caught
            self.counts["caught_visible"] += seen.points < exercise.points
            self.counts["named"] += result.diagnosis is not None and result.diagnosis.mistake == mistake.name
            share = share_of(exercise, mistake, result.points)
            self.shares.append(share)
            fault = complaint(exercise, share) if caught else f"the mistake {mistake.name} gets full points"
            if fault is not None:
                self._breach(exercise, fault)
            self._is_shown(exercise, mistake)
            self._agrees(exercise, mistake.name, mistake.solution, words, caught)

    def _passes(self, exercise: Exercise, what: str, solution: Any, words: Words) -> None:
        result = self._judge(exercise, solution, exercise.checks, words)
        if result.points != exercise.points:
            failed = next(check for check in result.checks if check.status not in ("passed", "not_analysed"))
            self._breach(exercise, f"{what} fails {failed.name}: {failed.message} {failed.counterexample or ''}")
        self._agrees(exercise, what, solution, words, result.points < exercise.points)

    def _is_shown(self, exercise: Exercise, mistake: Mistake) -> None:
        """The worked values have to tell the idea from a mistake about it."""
        worked = worked_checks(exercise, mistake)
        runner = InProcess(self._with(exercise, mistake.solution), seconds_per_call=SECONDS_PER_CALL)
        if worked and passes_worked_values(worked, runner):
            names = ", ".join(check.name for check in worked)
            self._breach(exercise, f"the mistake {mistake.name} passes every worked value ({names})")

    def _agrees(self, exercise: Exercise, what: str, solution: Any, words: Words, lost: bool) -> None:
        """Replay and live search have to agree on whether points are lost."""
        if self._search is None:
            return
        runner = InProcess(self._with(exercise, solution), seconds_per_call=SECONDS_PER_CALL)
        asked = self._asked[exercise.name]
        live = judge_exercise(exercise, exercise.checks, runner, self._search, words, inquiry=asked)
        if (live.points < exercise.points) != lost:
            self._breach(exercise, f"{what}: live search and replay disagree ({live.points} points live)")

    def _judge(self, exercise: Exercise, solution: Any, checks: tuple[Check, ...], words: Words) -> ExerciseResult:
        namespace, asked = self._with(exercise, solution), self._asked[exercise.name]
        return judge_exercise(
            exercise,
            checks,
            InProcess(namespace, seconds_per_call=SECONDS_PER_CALL),
            self._trials,
            words,
            uses=uses_in_namespace(namespace, exercise.name, asked.forbidden, frozenset(asked.judged)),
            inquiry=asked,
        )

    def _with(self, exercise: Exercise, solution: Any) -> Mapping[str, Any]:
        return {**self._assignment.reference, exercise.name: solution}

    def _breach(self, exercise: Exercise, sentence: str) -> None:
        self.breaches.append(f"{exercise.name}: {sentence}")


def _stub(name: str) -> Callable[..., Any]:
    def stub(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    stub.__name__ = name
    return stub


def run_source_notebook(course: Course, assignment: Assignment) -> tuple[float, list[str]]:
    """Runs the notebook with its solutions in a real kernel; seconds it took, and a breach for each failed cell."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    folder = course.assignments_dir / assignment.name
    notebook = source_notebook(course, assignment)
    start = time.perf_counter()
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        # It would warn of its connection, which is to this process on this machine.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return time.perf_counter() - start, [f"the source notebook stops: {error.ename}: {error.evalue}"]
    return round(time.perf_counter() - start, 1), list(_wrong_points(notebook, assignment))


def _wrong_points(notebook: Any, assignment: Assignment) -> Iterable[str]:
    points = {f"check-{exercise.name}": exercise.points for exercise in assignment.exercises}
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        if any(output.get("name") == "stderr" for output in outputs):
            yield f"cell {cell.id} of the source notebook writes to stderr"
        if cell.id in points:
            values = [output.data["text/plain"] for output in outputs if output.output_type == "execute_result"]
            if values != [points_text(points[cell.id])]:
                yield f"cell {cell.id} of the source notebook gives {values}, not {points[cell.id]}"
