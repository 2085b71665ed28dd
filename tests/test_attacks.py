"""Attacks on the grader, from inside a submission: each fails, costs no one else anything, and none stops the judge."""

import dataclasses
import json
import random
import re
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from socket import socketpair

import msgspec
import nbformat
import numpy as np
import pytest
import torch
from attacks import ATTACKS, MALFORMED, SEARCH, WRONG, Attack
from conftest import ROOT, judge_file
from file_attacks import FILE_ATTACKS, FileAttack

from autograder.course import Course
from autograder.judging.judge import Court, open_court
from autograder.judging.kernel import WalledKernel
from autograder.notebooks.build import source_notebook
from autograder.notebooks.released import released_of
from autograder.notebooks.submission import UnreadableSubmission
from autograder.reading.reader import Reader, order_of
from autograder.reading.records import Rule
from autograder.results import Result, to_json
from autograder.sandbox.channel import HEADER, MAGIC, Channel, Closed, TooLate
from autograder.sandbox.layers import LAYERS, probe_layers
from autograder.sandbox.values import Handle
from autograder.sandbox.wire import Pack, WireError, decode, encode
from autograder.testing.assignment import load_assignment

pytestmark = pytest.mark.skipif(
    not all(probe.on for probe in probe_layers().values()), reason="a layer of the wall is off here"
)

# What the answers are worth that every attack leaves right, and what those of its neighbour, who attacks nothing.
HONEST = 2
NEIGHBOUR = 3
# All that most attacks find beside themselves: judging more would take longer and show no more.
CELLS = {"setup", "grade_letter", "check-grade_letter", "standardize", "check-standardize"}
RESULT_BYTES = 200_000
JUDGE_MEMORY = 3 << 30
# What the grader itself may take for a file of some megabytes, whatever it is made of.
GRADER_GROWTH = 300 << 20


@pytest.fixture(scope="module")
def court(built_fixture_course: Course) -> Iterator[Court]:
    opened = open_court(built_fixture_course, "basics")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def source(built_fixture_course: Course):
    return source_notebook(built_fixture_course, load_assignment(built_fixture_course, "basics"))


@pytest.fixture(scope="module")
def table() -> Iterator[list[tuple[str, str, str]]]:
    """Rows (attack, expected, observed), written to build/attacks.md when the attacks have been tried."""
    rows: list[tuple[str, str, str]] = []
    yield rows
    lines = ["| attack | expected | observed |", "|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', '¦').replace(chr(10), ' ') for cell in row)} |" for row in rows]
    path = ROOT / "build" / "attacks.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["# Attacks on the grader, tried by tests/test_attacks.py", "", *lines, ""]), "utf-8")


def limited(court: Court, seconds: float, submission: float) -> Court:
    """The same court with other limits."""
    limits = msgspec.structs.replace(
        court.course.limits,
        seconds_per_call=seconds,
        seconds_per_cell=seconds,
        seconds_per_submission=submission,
        memory_mib=1024,
    )
    zygote = court.zygote
    assert zygote is not None
    return dataclasses.replace(court, kernel=lambda: WalledKernel(zygote, limits))


def notebook(source, added: str = "", grade_letter: str = "") -> str:
    """Two right answers, with a cell of the student's own after the setup cell, or with another grade_letter."""
    copied = nbformat.from_dict(json.loads(nbformat.writes(source)))
    cells = []
    for cell in copied.cells:
        if cell.cell_type != "code" or cell.id not in CELLS:
            continue
        cells.append(cell)
        if cell.id == "grade_letter" and grade_letter:
            cell.source = grade_letter
        if cell.id == "setup" and added:
            cells.append(nbformat.v4.new_code_cell(added))
    copied.cells = cells
    return nbformat.writes(copied)


@pytest.fixture(scope="module")
def neighbour(source, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("neighbour") / "basics.ipynb"
    path.write_text(notebook(source), "utf-8")
    return path


def handed_in(attack: Attack, court: Court, source, folder: Path) -> Path:
    course = court.course
    solutions = course.solutions_dir / "basics"
    names = {
        "COURSE": str(course.root),
        "REFERENCE": str(solutions / "reference.py"),
        "HIDDEN": str(solutions / "hidden.py"),
        "SOON": time.time() + 0.3,
    }
    code = attack.code
    for name, value in names.items():
        code = re.sub(rf"\b{name}\b", repr(value), code)
    if attack.where == "file":
        path = folder / "basics.py"
        path.write_text((solutions / "reference.py").read_text("utf-8") + "\n\n" + code, "utf-8")
    else:
        path = folder / "basics.ipynb"
        in_cell = attack.where == "cell"
        path.write_text(notebook(source, code if in_cell else "", WRONG if in_cell else code), "utf-8")
    return path


def told(result: Result) -> str:
    """All that a result says of what the submission did."""
    checks = [check for exercise in result.exercises for check in exercise.checks]
    texts = [text for check in checks for text in (check.message, check.got, check.counterexample)]
    return "\n".join([*result.notes, *(exercise.message for exercise in result.exercises), *filter(None, texts)])


def points(result: Result) -> dict[str, float]:
    return {exercise.name: exercise.points for exercise in result.exercises}


def observed(result: Result, attack_name: str) -> str:
    """The first thing a result says about an attack."""
    exercise = next(e for e in result.exercises if e.name == "grade_letter")
    said = [
        *(note for note in result.notes if " stopped with " in note),
        *(c.message for c in exercise.checks if c.message),
    ]
    return f"{result.score:g} of {result.max_score:g}; {said[0][:120] if said else ''}"


# What nobody limits goes on for ever, and this test with it; how long a busy machine takes says nothing.
@pytest.mark.parametrize("attack", ATTACKS, ids=[f"{a.where}-{a.name}".replace(" ", "_") for a in ATTACKS])
def test_an_attack_fails_and_hurts_no_one(attack: Attack, court, source, neighbour, table, tmp_path):
    right = court.assignment.max_score - 1 if attack.where == "file" else HONEST
    expected = f"{'' if attack.keeps else 'at most '}{right:g} points" + (f", “{attack.says}”" * bool(attack.says))
    row = [attack.where + ": " + attack.name, expected, "the judge stopped"]
    before = memory_at_most()
    try:
        attacked = limited(court, attack.seconds, attack.submission)
        result = judge_file(attacked, handed_in(attack, court, source, tmp_path))
        row[2] = observed(result, attack.name)
    finally:
        table.append((row[0], row[1], row[2]))
    text = told(result)
    assert points(result)["grade_letter"] < 1
    rest = result.score - points(result)["grade_letter"]
    assert rest == right if attack.keeps else rest <= right, text
    assert "Exception: REACHED" not in text
    assert attack.says in text
    assert attack.says != "LEAKED" or str(court.course.root) not in text
    assert len(to_json(result)) < RESULT_BYTES
    assert memory_at_most() - before < JUDGE_MEMORY
    assert not Path("/tmp/written-by-an-attack").exists()
    assert not (court.course.root / "written").exists()
    beside = judge_file(court, neighbour)
    assert (beside.score, beside.isolation) == (NEIGHBOUR, tuple(layer.name for layer in LAYERS))


# Processor time for reading, where a file is made to use up all that there is.
SECONDS_TO_READ = 4.0


def reading_within(court: Court, memory: int) -> Court:
    """The same court with other limits of reading."""
    limits = msgspec.structs.replace(court.course.limits, seconds_to_read=SECONDS_TO_READ, memory_mib=memory)
    rules = tuple(Rule.of(name, inquiry.forbidden) for name, inquiry in court.inquiries.items())
    order = order_of(limits, "basics", released_of(court.course, "basics"), rules)
    return dataclasses.replace(court, reader=Reader(court.zygote, order))


@pytest.mark.parametrize("attack", FILE_ATTACKS, ids=[attack.name.replace(" ", "_") for attack in FILE_ATTACKS])
def test_a_file_is_judged_or_told_and_hurts_no_one(attack: FileAttack, court, source, neighbour, table, tmp_path):
    expected = f"{attack.points:g} points" if attack.says is None else f"not judged, “{attack.says}”"
    path, row, before = tmp_path / "basics.ipynb", [f"file: {attack.name}", expected], memory_at_most()
    path.write_bytes(attack.build(json.loads(notebook(source))))
    built = memory_at_most()
    try:
        result = judge_file(reading_within(court, attack.memory), path)
    except UnreadableSubmission as error:
        table.append((*row, str(error).replace(str(path), "")))
        assert attack.says is not None and attack.says in str(error)
        assert len(str(error)) < 500
    else:
        table.append((*row, f"{result.score:g} points; {' · '.join(result.notes)[:120]}"))
        assert attack.says is None
        assert result.score == attack.points, told(result)
        assert attack.notes in "\n".join(result.notes)
        assert len(result.notes) <= court.course.limits.notes
        assert len(to_json(result)) < RESULT_BYTES
    assert memory_at_most() - max(before, built) < GRADER_GROWTH
    assert judge_file(court, neighbour).score == NEIGHBOUR


def memory_at_most() -> int:
    """The highest memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_nothing_that_can_be_reached_in_the_child_holds_a_secret(court, source, neighbour, table, tmp_path):
    course = court.course
    reference = (course.solutions_dir / "basics" / "reference.py").read_text("utf-8")
    titles = [check.title for e in court.assignment.exercises for check in e.checks if not check.visible]
    # The notebook itself holds its right answers here, so of the reference what no cell shows: its first sentence.
    secrets = [str(course.root), "solutions/basics", reference.splitlines()[0], "TestNumericalGradient", *titles]
    halves = [(secret[: len(secret) // 2], secret[len(secret) // 2 :]) for secret in secrets]
    attack = Attack("search all memory for secrets", "cell", SEARCH.format(halves=halves))
    path = tmp_path / "basics.ipynb"
    path.write_text(notebook(source, attack.code, WRONG), "utf-8")
    result = judge_file(limited(court, 60.0, 120.0), path)
    table.append((f"cell: {attack.name}", "0 secrets", observed(result, "")))
    assert "LEAKED 0 secrets: []; True" in told(result)
    assert judge_file(court, neighbour).score == NEIGHBOUR


def test_demo_cells_do_not_run(court, source, tmp_path):
    copied = nbformat.from_dict(json.loads(nbformat.writes(source)))
    for cell in copied.cells:
        if cell.cell_type == "code" and "if not grading():" in cell.source:
            cell.source = "if not grading():\n    raise Exception('REACHED')"
    path = tmp_path / "basics.ipynb"
    nbformat.write(copied, path)
    result = judge_file(court, path)
    assert result.score == court.assignment.max_score
    assert "REACHED" not in told(result)


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_value_is_refused(name, table):
    tree, says = MALFORMED[name]
    before = memory_at_most()
    with pytest.raises(WireError, match=re.escape(says)) as refused:
        decode(tree, memoryview(bytes(8)))
    table.append((f"decode: {name}", f"“{says}”", str(refused.value)))
    assert memory_at_most() - before < 50 << 20


@pytest.mark.parametrize("place", ["id", "source", "key"])
def test_half_a_surrogate_pair_in_a_notebook_costs_no_more_than_its_cell(place, court, source, tmp_path):
    copied = json.loads(notebook(source))
    cell = next(cell for cell in copied["cells"] if cell["id"] == "grade_letter")
    match place:
        case "id":
            cell["metadata"]["nbgrader"]["grade_id"] = "\ud800"
            cell["source"] = "1 / 0"
        case "source":
            cell["source"] = "def grade_letter(score):\n    return '\ud800'"
        case "key":
            cell["metadata"]["\ud800"] = "\ud800"
            cell["source"] = WRONG
    path = tmp_path / "basics.ipynb"
    path.write_text(json.dumps(copied), "utf-8")
    result = judge_file(court, path)
    assert len(to_json(result)) < RESULT_BYTES
    assert result.score == HONEST


CARRIED = [
    None,
    True,
    -7,
    "text",
    1.5,
    2j,
    b"bytes",
    torch.float32,
    torch.arange(6.0).reshape(2, 3).T,
    torch.ones(3, dtype=torch.bfloat16),
    np.asfortranarray(np.ones((2, 3), np.int16)),
    [1, (2, {"a": 3.0})],
    torch.Generator().manual_seed(5),
    np.random.default_rng(3),
    Handle(3, "Variable"),
]
ODD = [
    None,
    True,
    -1,
    0,
    1,
    1 << 40,
    1 << 70,
    "",
    "x",
    "nan",
    [],
    {},
    [0],
    [1 << 33],
    [1 << 20] * 4,
    {"float": "1"},
    1.5,
]


def mutated(tree, stream: random.Random):
    """A JSON tree with one of its parts replaced, removed or doubled."""
    if stream.random() < 0.25 or not isinstance(tree, list | dict) or not tree:
        return stream.choice(ODD)
    if isinstance(tree, dict):
        key = stream.choice(list(tree))
        kind = stream.choice(["tensor", "array", "tuple", "dict", "generator", "rng", "bytes", "float", key, key, key])
        return {kind: mutated(tree[key], stream)} if stream.random() < 0.9 else {**tree, "more": 1}
    place = stream.randrange(len(tree))
    changed = mutated(tree[place], stream)
    return [*tree[:place], *([changed] * stream.choice([0, 1, 1, 1, 1, 2])), *tree[place + 1 :]]


def test_a_mutated_value_is_decoded_or_refused():
    stream, before, refused = random.Random(0), memory_at_most(), 0
    for _ in range(4000):
        pack = Pack()
        tree = mutated(encode(stream.choice(CARRIED), pack), stream)
        if stream.random() < 0.5:
            tree = mutated(tree, stream)
        try:
            decode(tree, memoryview(bytes(pack.data)))
        except WireError:
            refused += 1
    assert refused > 1000
    assert memory_at_most() - before < 100 << 20


def test_a_mutated_frame_is_received_or_refused():
    stream, before, refused = random.Random(1), memory_at_most(), 0
    for _ in range(600):
        pack = Pack()
        text = json.dumps({"replies": [encode(stream.choice(CARRIED), pack)]}).encode()
        frame = bytearray(HEADER.pack(MAGIC, 0, len(text), len(pack.data), 0) + text + pack.data)
        for _ in range(stream.randint(1, 3)):
            place = stream.randrange(min(len(frame), stream.choice([HEADER.size, 1 << 20])))
            match stream.randrange(4):
                case 0:
                    frame[place] = stream.randrange(256)
                case 1:
                    frame[place + 1 :] = b""
                case 2:
                    frame[place:place] = stream.randbytes(stream.randrange(1, 9))
                case 3:
                    frame[place : place + 4] = stream.randbytes(4)
        ours, theirs = socketpair()
        channel = Channel(ours, None, 1 << 24)
        theirs.sendall(frame)
        theirs.close()
        try:
            message, data = channel.receive(lambda: 1.0)
            decode(message, data)
        except (WireError, Closed, TooLate):
            refused += 1
        finally:
            channel.close()
    assert refused > 300
    assert memory_at_most() - before < 200 << 20


def test_after_so_many_accidents_nothing_more_of_a_submission_is_run(court, source, tmp_path):
    names = " = ".join(exercise.name for exercise in court.assignment.exercises)
    crashing = f"import os\ndef crash(*args, **kwargs): os.kill(os.getpid(), 9)\n{names} = crash"
    attack = Attack("a crash in every call", "file", crashing, "was stopped 5 times", keeps=False)
    limits = msgspec.structs.replace(court.course.limits, accidents=5)
    children: list[int] = []

    class Counted:
        def fork(self, settings):
            pid, channel = court.zygote.fork(settings)
            children.append(pid)
            return pid, channel

        def end(self, pid):
            return court.zygote.end(pid)

    attacked = dataclasses.replace(court, kernel=lambda: WalledKernel(Counted(), limits))
    result = judge_file(attacked, handed_in(attack, court, source, tmp_path))
    assert result.score == 0 and len(children) == 5
    assert attack.says in told(result)


def test_sending_to_who_does_not_read_ends():
    ours, theirs = socketpair()
    channel = Channel(ours, None, 1 << 24)
    left = iter([0.05] * 3)
    with pytest.raises(TooLate):
        channel.send("x" * (1 << 22), Pack(), lambda: next(left, 0.0))
    channel.close()
    theirs.close()
