"""Recorded examples: values as bytes, the file that holds them, and the key that says whether it is stale."""

import json
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.course import Course, ExampleSettings, load_course
from autograder.examples.codec import decode_answer, encode_answer
from autograder.examples.parts import FIXED_SEED, Part, course_seed
from autograder.examples.record import kept_recording, record, stale_checks
from autograder.examples.search import search
from autograder.examples.store import (
    Examples,
    ExamplesError,
    Manifest,
    RecordedCheck,
    Recording,
    Sayings,
    file_hash,
    read,
    read_for,
    write,
)
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.protocol import Raised, Reply, Request
from autograder.sandbox.values import Callback, Handle, same_data
from autograder.sandbox.wire import Pack, decode, encode
from autograder.testing import noncontiguous_tensors, tensors
from autograder.testing.assignment import load_assignment
from autograder.testing.student import Call

ROOT = Path(__file__).parent.parent
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary()
ARRAYS = hnp.arrays(st.sampled_from(["float64", "float32", "float16", "int64", "uint8", "bool", "complex64"]), hnp.array_shapes(min_dims=0, min_side=0, max_side=3))  # fmt: skip
TENSORS = tensors() | noncontiguous_tensors() | tensors(dtype=torch.bfloat16) | ARRAYS.map(torch.from_numpy)
DTYPES = st.sampled_from([torch.float32, torch.bfloat16, torch.bool])
CALLBACKS = st.just(Callback("lambda v: v @ v"))
VALUES = st.recursive(
    PLAIN | ARRAYS | TENSORS | DTYPES | CALLBACKS,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def through_json(value: object) -> object:
    pack = Pack()
    tree = msgspec.json.decode(msgspec.json.encode(encode(value, pack)))
    return decode(tree, memoryview(bytes(pack.data)), trusted=True)


@settings(max_examples=150, deadline=None)
@given(value=VALUES)
def test_every_value_comes_back_from_its_bytes(value: object) -> None:
    again = through_json(value)
    assert type(again) is type(value)
    assert same_data(value, again)


@settings(max_examples=40, deadline=None)
@given(x=TENSORS.filter(torch.numel))
def test_a_tensor_comes_back_with_its_strides(x: torch.Tensor) -> None:
    assert through_json(x).stride() == x.stride()


@pytest.mark.parametrize(
    "value", [torch.float64, Callback("lambda v: v"), np.asfortranarray(np.ones((2, 3))), -0.0, b"\0\xff"], ids=repr
)
def test_what_same_data_does_not_tell_apart_comes_back_too(value: object) -> None:
    again = through_json(value)
    assert repr(again) == repr(value)
    assert not isinstance(value, np.ndarray) or again.strides == value.strides


def test_equal_arrays_are_stored_once() -> None:
    pack = Pack()
    encode([torch.ones(4), np.ones(4, np.float32), torch.ones(4)], pack)
    assert len(pack.data) == 16


@pytest.mark.parametrize("value", [object(), {1}, range(3)], ids=lambda value: type(value).__name__)
def test_a_value_outside_the_closed_set_cannot_be_recorded(value: object) -> None:
    with pytest.raises(TypeError, match=rf"a {type(value).__name__} cannot cross"):
        encode(value, Pack())


ANSWERS = {
    "value": (Reply(torch.ones(2)), Reply(torch.ones(2))),
    "changed input": (Reply(1, changed=("`x`",), printed="noise"), Reply(1, changed=("`x`",))),
    "exception": (
        Reply(raised=Raised("ValueError", ("ValueError",), "why", "line 3")),
        Reply(raised=Raised("ValueError", (), "")),
    ),
    "objects": (Reply([Handle(4, "Layer"), (Handle(5, "Tape"),)]), Reply(["<Layer>", ("<Tape>",)])),
    "generator": (Reply((1, torch.Generator())), Reply((1, None))),
}


@pytest.mark.parametrize(("reply", "kept"), ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_keeps_what_tells_solutions_apart(reply: Reply, kept: Reply) -> None:
    pack = Pack()
    again = decode_answer(encode_answer(Call(Request("call", "f"), reply), pack), memoryview(bytes(pack.data)))
    assert same_data([kept.value], [again.value])
    assert (again.raised, again.changed) == (kept.raised, kept.changed)


def recording(checks: str = "0" * 64) -> Recording:
    pack = Pack()
    example = {"x": encode(torch.arange(5.0), pack), "dim": 0}
    request = {"kind": "call", "name": "softmax", "args": [example["x"], 0], "kwargs": {}}
    reference, wrong = [[encode(torch.ones(5), pack)]], [[encode(torch.zeros(5), pack)]]
    check = RecordedCheck(
        "key", [example, example], [[request], None], [reference, reference], {"zeros": [None, wrong]}, bytes(pack.data)
    )
    said = {"softmax": Sayings({"zeros": "All zero."}, ("y",))}
    return Recording(Manifest("basics", checks), said, {"softmax": {"test_ones": check}})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "examples.npz", recording())
    return tmp_path / "examples.npz"


def refusal(path: Path) -> str:
    with pytest.raises(ExamplesError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_recording_is_read_as_it_was_written(file: Path) -> None:
    assert read(file) == recording()


def test_equal_recordings_give_equal_bytes(tmp_path: Path, file: Path) -> None:
    write(tmp_path / "again.npz", recording())
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()


def test_the_file_needs_no_pickle(file: Path) -> None:
    with np.load(file, allow_pickle=False) as arrays:
        assert {arrays[name].dtype for name in arrays} == {np.dtype(np.uint8)}
        assert json.loads(arrays["manifest"].tobytes())["assignment"] == "basics"


def test_an_example_has_the_answers_of_reference_and_mistakes() -> None:
    recorded = Examples(recording()).of("softmax", "test_ones")
    first, second = recorded.examples
    assert recorded.script is None  # what is asked on the second example could not be recorded
    assert first.values["x"].tolist() == [0, 1, 2, 3, 4]
    assert (first.mistakes["zeros"], second.mistakes["zeros"][0].value.tolist()) == (first.reference, [0.0] * 5)
    assert Examples(recording()).says("softmax") == {"zeros": "All zero."}
    assert Examples(recording()).returns("softmax") == ("y",)


@pytest.mark.parametrize(("exercise", "check"), [("softmax", "test_twos"), ("relu", "test_ones")])
def test_a_check_without_examples_has_none(exercise: str, check: str) -> None:
    assert Examples(recording()).of(exercise, check) is None


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_truncated_file_is_refused(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    assert refusal(file) == f"{file} is damaged: run `autograder build`, or get the assignment's files again."


def test_a_flipped_byte_is_refused_or_makes_no_difference(file: Path) -> None:
    intact, refused = file.read_bytes(), 0
    for place in range(0, len(intact), 7):
        file.write_bytes(intact[:place] + bytes([intact[place] ^ 0xFF]) + intact[place + 1 :])
        try:
            assert read(file) == recording()
        except ExamplesError as error:
            assert "is damaged" in str(error)
            refused += 1
    assert refused > len(intact) / 7 / 2


@pytest.mark.parametrize("content", [b"not a zip", b"\x93NUMPY", None])
def test_another_kind_of_file_is_refused(file: Path, content: bytes | None) -> None:
    if content is None:
        np.savez(file, manifest=np.array([object()], dtype=object), sha256=np.zeros(1))
    else:
        file.write_bytes(content)
    assert "is damaged" in refusal(file)


def test_data_of_another_recording_is_refused(file: Path) -> None:
    with np.load(file) as arrays:
        parts = dict(arrays)
    np.savez(file, **{**parts, "check.softmax.test_ones": parts["check.softmax.test_ones"] + 1})
    assert "is damaged" in refusal(file)


@pytest.mark.parametrize("name", ["check.softmax.test_twos", "check.relu.test_ones"])
def test_data_of_another_check_is_refused(file: Path, name: str) -> None:
    with np.load(file) as arrays:
        parts = dict(arrays)
    np.savez(file, **{**parts, name: parts.pop("check.softmax.test_ones")})
    assert "is damaged" in refusal(file)


@pytest.mark.parametrize("number", [3, 5])
def test_an_unknown_format_is_refused(file: Path, number: int) -> None:
    manifest = msgspec.json.encode({"assignment": "basics", "checks": "", "exercises": {}, "format": number})
    np.savez(file, manifest=np.frombuffer(manifest, np.uint8), sha256=np.zeros(32, np.uint8))
    assert refusal(file) == f"{file} was written by another version of autograder: this one reads format 4."


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "examples.npz"
    assert refusal(path) == f"{path} is missing: run `autograder build`, or get the assignment's files again."


def test_examples_of_other_checks_are_refused(tmp_path: Path, file: Path) -> None:
    checks = tmp_path / "checks.py"
    checks.write_text("a = 1\n")
    with pytest.raises(ExamplesError) as caught:
        read_for(file, checks)
    assert str(caught.value).startswith(f"{file} does not belong to {checks}, which was changed after it: run")


@pytest.mark.parametrize("text", [b"a = 1\nb = 2\n", b"a = 1\r\nb = 2\r\n"])
def test_examples_belong_to_their_checks_however_lines_end(tmp_path: Path, text: bytes) -> None:
    checks = tmp_path / "checks.py"
    checks.write_bytes(b"a = 1\nb = 2\n")
    write(tmp_path / "examples.npz", recording(file_hash(checks)))
    checks.write_bytes(text)
    assert read_for(tmp_path / "examples.npz", checks).assignment == "basics"


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()

    def interrupted(source: object, target: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(file, recording("1" * 64))
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A copy of the fixture course's sources."""
    monkeypatch.setenv("CI", "true")
    shutil.copytree(
        ROOT / "tests" / "fixture_course", tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__")
    )
    return load_course(tmp_path / "course")


def keys(course: Course) -> tuple[dict[str, str], dict[str, str]]:
    """The keys of each released and each private check, by exercise and name."""
    assignment = load_assignment(course, "basics")
    visible, hidden = (
        {f"{e.name}.{check.name}": part.key(e, check) for e in assignment.exercises for check in part.checks_of(e)}
        for part in (Part(course, "basics", True), Part(course, "basics", False))
    )
    return visible, hidden


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The checks that are new or have another key."""
    return {name for name, key in after.items() if key != before.get(name)}


def exercises(checks: set[str]) -> set[str]:
    return {name.split(".")[0] for name in checks}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


CHECKS, HIDDEN = "assignments/basics/checks.py", "solutions/basics/hidden.py"
REFERENCE, MISTAKES = "solutions/basics/reference.py", "solutions/basics/mistakes.py"
NONE: set[str] = set()
OF_CONTRACT = {
    "standardize.test_agrees", "standardize.test_float32", "standardize.test_not_contiguous",
    "standardize.test_empty_and_single", "standardize.test_arguments_stay", "standardize.test_bad_input_is_refused",
}  # fmt: skip
USE_NUMBERS = {
    "Variable.test_values", "Variable.test_gradient_of_a_product", "Variable.test_numbers_on_both_sides",
    "Variable.test_used_twice",
}  # fmt: skip
BETWEEN, FRACTIONS = {"grade_letter.test_between_the_limits"}, {"grade_letter.test_fractions"}
GRADES = BETWEEN | {"grade_letter.test_whole_tens", "grade_letter.test_outside"}
RECORDING = {"no_grad.test_off_inside_on_again_after", "no_grad.test_any_depth", "no_grad.test_nested"}
EVERY = {"EarlyStopping", "Variable", "no_grad", "numerical_gradient", "dropout", "grade_letter", "standardize"}
# (file, what stands there, what stands there instead, checks whose released and whose private examples are stale)
CHANGES = {
    "a check": (CHECKS, '"FFFFFFDCBA"[tens]', '"FFFFFFDCBB"[tens]', BETWEEN, BETWEEN),
    "what a check draws": (CHECKS, "more=floats(1, 9)", "more=floats(1, 8)", BETWEEN, BETWEEN),
    "what checks use": (CHECKS, "NUMBERS = floats(-4, 4)", "NUMBERS = floats(-3, 4)", USE_NUMBERS, USE_NUMBERS),
    "the contract": (CHECKS, "(1.0, 1e-3, 1000.0)", "(1.0, 1e-3, 100.0)", OF_CONTRACT, OF_CONTRACT),
    "what a check says": (CHECKS, "Every column has mean 0", "Each column has mean 0", NONE, NONE),
    "points": (CHECKS, '"standardize", points=2', '"standardize", points=3', NONE, NONE),
    "rules of all": (CHECKS, 'RULES = Rules(library="numpy")', 'RULES = Rules(library="torch")', NONE, NONE),
    "rules of one": (CHECKS, 'points=3, rules=Rules(library="torch")', "points=3", NONE, NONE),
    "another import": (CHECKS, "from math import exp, log, sqrt", "from math import exp, log, pi, sqrt", NONE, NONE),
    "a hidden check": (HIDDEN, "score=59.5", "score=59.25", NONE, FRACTIONS),
    "a hidden helper": (HIDDEN, 'if operator == "+"', 'if "+" == operator', NONE, {"Variable.test_any_program"}),
    "the reference": (REFERENCE, 'return "F"', "return 'G'", GRADES, GRADES | FRACTIONS),
    "what the reference uses": (
        REFERENCE, 'return STATE["recording"]', "return 1", RECORDING, RECORDING | {"no_grad.test_after_an_error"}
    ),
    "a mistake": (MISTAKES, '"EDCBAA"', '"ZDCBAA"', GRADES, GRADES | FRACTIONS),
    "a mistake's sentence": (MISTAKES, "Read the table once more.", "Read it again.", NONE, NONE),
    "an alternative": ("solutions/basics/alternatives.py", '"FDCBA"', '"XDCBA"', NONE, NONE),
    "the text": ("assignments/basics/basics.md", "## Grades", "## Marks", NONE, NONE),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "visible", "hidden"), CHANGES.values(), ids=CHANGES.keys())
def test_the_key_of_a_check_changes_with_what_its_examples_depend_on(
    course: Course, file: str, old: str, new: str, visible: set[str], hidden: set[str]
) -> None:
    before = keys(course)
    edit(course.root / file, old, new)
    after = keys(course)
    assert [one.keys() for one in before] == [one.keys() for one in after]
    assert (changed(before[0], after[0]), changed(before[1], after[1])) == (visible, hidden)


def remove_whole_tens(course: Course) -> None:
    text = (course.root / CHECKS).read_text(encoding="utf-8")
    start, end = text.index("    @case\n    @given(tens="), text.index("    @refusal\n    @given(score=")
    (course.root / CHECKS).write_text(text[:start] + text[end:], encoding="utf-8")


def test_a_check_that_is_removed_or_added_leaves_the_keys_of_the_others(course: Course) -> None:
    before = keys(course)
    remove_whole_tens(course)
    without = keys(course)
    for old, new in zip(before, without, strict=True):
        assert (old.keys() - new.keys(), changed(old, new)) == ({"grade_letter.test_whole_tens"}, NONE)
        assert changed(new, old) == {"grade_letter.test_whole_tens"}


@pytest.mark.parametrize("file", [CHECKS, HIDDEN, REFERENCE, MISTAKES])
def test_comments_blank_lines_and_line_endings_change_no_key(course: Course, file: str) -> None:
    before = keys(course)
    path = course.root / file
    text = path.read_text(encoding="utf-8").replace("\n\n\n", "\n\n\n# A comment.\n\n\n")
    path.write_bytes(f"{text}\n# changed\n".replace("\n", "\r\n").encode())
    assert keys(course) == before


def test_another_number_of_examples_changes_every_key(course: Course) -> None:
    before, after = keys(course), keys(msgspec.structs.replace(course, examples=ExampleSettings(per_check=3)))
    assert [exercises(changed(*pair)) for pair in zip(before, after, strict=True)] == [EVERY, EVERY]
    assert [len(changed(*pair)) for pair in zip(before, after, strict=True)] == [len(one) for one in before]


def test_the_seed_changes_every_private_key_and_no_released_one(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(course)
    monkeypatch.delenv("CI")
    after = keys(course)
    assert [exercises(changed(*pair)) for pair in zip(before, after, strict=True)] == [NONE, EVERY]


def members(recording: Recording, folder: Path) -> dict[str, bytes]:
    """The members of the file that a recording makes, apart from those that stand for all of it."""
    write(folder / "written.npz", recording)
    with ZipFile(folder / "written.npz") as file:
        return {name: file.read(name) for name in file.namelist() if name not in ("manifest.npy", "sha256.npy")}


def test_a_change_to_one_check_searches_it_alone_and_leaves_the_bytes_of_the_others(
    fixture_course: Course, tmp_path: Path
) -> None:
    parts = [Part(fixture_course, "basics", visible) for visible in (True, False)]
    before = [read(part.path) for part in parts]
    edit(fixture_course.root / CHECKS, "more=floats(1, 9)", "more=floats(1, 8)")
    assignment = load_assignment(fixture_course, "basics")
    stale = [stale_checks(part, assignment, kept) for part, kept in zip(parts, before, strict=True)]
    assert stale == [{"grade_letter": ("test_between_the_limits",)}] * 2
    done: list[str] = []
    after = record(fixture_course, "basics", advance=done.append)
    assert done == ["grade_letter"]
    for old, new in zip(before, after, strict=True):
        assert changed(members(old, tmp_path), members(new, tmp_path)) == {f"check.{name}.npy" for name in BETWEEN}


def test_a_removed_check_is_searched_no_more_and_its_recording_goes(fixture_course: Course) -> None:
    remove_whole_tens(fixture_course)
    done: list[str] = []
    for new in record(fixture_course, "basics", advance=done.append):
        assert "test_whole_tens" not in new.checks["grade_letter"]
    assert done == []


def test_what_is_recorded_check_by_check_is_what_is_recorded_at_once(fixture_course: Course) -> None:
    edit(fixture_course.root / MISTAKES, '"EDCBAA"', '"ZDCBAA"')
    by_exercise = record(fixture_course, "basics")
    for visible in (True, False):
        Part(fixture_course, "basics", visible).path.unlink()
    assert record(fixture_course, "basics") == by_exercise


def test_only_the_exercises_that_are_asked_for_are_recorded(fixture_course: Course) -> None:
    edit(fixture_course.root / MISTAKES, '"EDCBAA"', '"ZDCBAA"')
    edit(fixture_course.root / CHECKS, "NUMBERS = floats(-4, 4)", "NUMBERS = floats(-3, 4)")
    done: list[str] = []
    halves = record(fixture_course, "basics", only=["grade_letter"], advance=done.append)
    assert done == ["grade_letter"]
    # Something in it was made from other checks: nobody may take it for theirs.
    assert [half.manifest.checks for half in halves] == [""] * 2
    parts = [Part(fixture_course, "basics", visible) for visible in (True, False)]
    for part, half in zip(parts, halves, strict=True):
        write(part.path, half)
    with pytest.raises(ExamplesError, match="is built in part only: run `autograder build`"):
        read_for(parts[0].path, parts[0].checks)
    rest = record(fixture_course, "basics", only=["Variable"])
    assert [half.manifest.checks for half in rest] == [file_hash(part.checks) for part in parts]


def test_a_missing_exercise_is_recorded_and_a_missing_file_is_no_error(fixture_course: Course) -> None:
    part = Part(fixture_course, "basics", True)
    part.path.unlink()
    assert kept_recording(part).checks == {}
    halves = record(fixture_course, "basics", only=["dropout"])
    assert {name for name, checks in halves.released.checks.items() if checks} == {"dropout"}


def test_private_examples_hold_visible_checks_again_with_few_of_the_released_ones(built_fixture_course: Course) -> None:
    released, private = (Examples(read(Part(built_fixture_course, "basics", v).path)) for v in (True, False))
    with_new_ones = set()
    for exercise in load_assignment(built_fixture_course, "basics").exercises:
        for check in exercise.checks:
            here, there = private.of(exercise.name, check.name), released.of(exercise.name, check.name)
            assert here is not None and (there is not None) == check.visible
            known = [e for e in here.examples if there and any(same_data(e.values, f.values) for f in there.examples)]
            assert not check.visible or known, (exercise.name, check.name)
            if check.kind == "idea" and check.visible and len(known) < len(here.examples):
                with_new_ones.add(exercise.name)
    assert with_new_ones == EVERY


def test_what_else_is_loaded_does_not_change_a_search(
    built_fixture_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = load_assignment(built_fixture_course, "basics")
    runner = InProcess(assignment.reference)
    checks = [check for exercise in assignment.exercises for check in exercise.checks]

    def drawn() -> list[dict[str, object]]:
        return [draw.values for check in checks for draw in search(check, runner, seed=3)]

    before = drawn()
    constants = tmp_path / "constants_of_another_course.py"
    constants.write_text(f"NUMBERS = {[*range(100, 800, 7)]}")
    other = ModuleType(constants.stem)
    other.__file__ = str(constants)
    monkeypatch.setitem(sys.modules, constants.stem, other)
    assert same_data(drawn(), before)


def test_under_ci_the_seed_is_fixed_and_nothing_is_written(course: Course) -> None:
    assert course_seed(course) == FIXED_SEED
    assert not course.private_dir.exists()


def test_without_ci_the_seed_is_made_once_and_kept(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI")
    seed = course_seed(course)
    assert len(seed) == 32
    assert (course_seed(course), (course.private_dir / "seed").read_text()) == (seed, f"{seed}\n")
