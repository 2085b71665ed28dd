"""The references against PyTorch's own samples: values, gradients, dtypes, strides and special values.

An answer agrees if every entry is as near as students are asked for (`TOLERANCES`) to torch's answer in that dtype, or
to torch's answer in float64 for the same numbers. `torch_namesakes.py` lists what is compared, and every difference
that is meant. `build/torch_samples.txt` says how much was compared.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_namesakes import NAMESAKES, WITHOUT, Call, Difference, Namesake
from torch_samples import MOST_ENTRIES, Sample, has_dtype, refused_by_torch, samples_of

from autograder.course import load_course
from autograder.feedback.code import show
from autograder.testing.assignment import load_assignment
from autograder.testing.comparison import TOLERANCES

ROOT = Path(__file__).resolve().parent.parent
COURSE = load_course(ROOT)
REPORT = ROOT / "build" / "torch_samples.txt"
HALF = (torch.float16, torch.bfloat16)


@dataclass
class Tally:
    """What the samples of one reference showed.

    Attributes:
        counts: of samples: "agree", "differ" (as the table says), "no such call", "too large".
        seen: the differences that showed.
        faults: what neither agrees nor is listed, as code.
        errors: by half dtype, the summed distances of our answers and of torch's from torch's in float64.
    """

    counts: Counter[str] = field(default_factory=Counter)
    seen: set[Difference] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    errors: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """Ours (or the error that was raised), torch's, and torch's in float64, each as a list of tensors."""

    ours: list[Tensor] | Exception
    theirs: list[Tensor]
    wide: list[Tensor]


@cache
def reference_of(namesake: Namesake) -> Any:
    assignment, exercise = namesake.reference.split(".")
    return load_assignment(COURSE, assignment).reference[exercise]


@cache
def tally_of(namesake: Namesake) -> Tally:
    """Compares a reference with its namesake on every sample, in every dtype that torch has it in."""
    tally = Tally()
    for dtype in namesake.dtypes:
        if not has_dtype(namesake.source, namesake.name, dtype):
            continue
        for sample in samples_of(namesake.source, namesake.name, dtype, entrywise=namesake.entrywise):
            prepared = namesake.prepared(sample)
            if prepared is None or namesake.arguments(prepared) is None:
                tally.counts["no such call"] += 1
            elif sample.entries > MOST_ENTRIES:
                tally.counts["too large"] += 1
            else:
                compare(namesake, prepared, dtype, tally)
    return tally


def compare(namesake: Namesake, sample: Sample, dtype: torch.dtype, tally: Tally) -> None:
    """One sample: adds to the tally whether the two agree, differ as the table says, or differ otherwise."""
    differences = [difference for difference in namesake.differences if difference.when(sample)]
    refusing = [difference for difference in differences if difference.entries is None]
    cotangents = [random_like(x) for x in flat(namesake.theirs(sample.answer()))] if namesake.gradients else []
    answers = answers_of(namesake, sample, cotangents)
    if refusing and isinstance(answers.ours, ValueError):
        tally.counts["differ"] += 1
        tally.seen.add(refusing[0])
        return
    fault = "does not refuse" if refusing else fault_before_values(answers)
    if fault is None:
        three = zip(answers.ours, answers.theirs, answers.wide, strict=True)
        wrong = [wrong_entries(*each, namesake.sums) for each in three]
        shown = [d for d in differences if any((w & d.entries(sample)).any() for w in wrong)]
        unlisted = [w.clone() for w in wrong]
        for difference in shown:
            unlisted = [w & ~difference.entries(sample) for w in unlisted]
        fault = fault_of_values(answers, unlisted)
        tally.seen.update(shown)
    if fault is not None:
        tally.faults.append(f"{as_code(namesake, sample, cotangents)}\n    {fault}")
        return
    tally.counts["differ" if shown else "agree"] += 1
    if dtype in HALF:
        sums = tally.errors.setdefault(str(dtype).removeprefix("torch."), [0.0, 0.0])
        for place, answer in enumerate((answers.ours, answers.theirs)):
            sums[place] += sum(distance(a, w) for a, w in zip(answer, answers.wide, strict=True))


def answers_of(namesake: Namesake, sample: Sample, cotangents: list[Tensor]) -> Answers:
    """Asks torch, torch in float64, and the reference."""
    if namesake.gradients:
        theirs = gradients(namesake, sample, cotangents)
        wide = gradients(namesake, sample.mapped(Tensor.double), [g.double() for g in cotangents])
    else:
        theirs = flat(namesake.theirs(sample.answer()))
        wide = flat(namesake.theirs(sample.mapped(Tensor.double).answer()))
    arguments, options = call_of(namesake, sample, cotangents)
    try:
        ours: list[Tensor] | Exception = flat(namesake.ours(reference_of(namesake)(*arguments, **options)))
    except Exception as error:  # whatever a reference raises is what is looked at
        ours = error
    return Answers(ours, theirs, wide)


def call_of(namesake: Namesake, sample: Sample, cotangents: list[Tensor]) -> Call:
    """The arguments of the reference, with the upstream gradients before them if it is a backward."""
    call = namesake.arguments(sample)
    assert call is not None
    upstream = (cotangents[0] if len(cotangents) == 1 else tuple(cotangents),) if cotangents else ()
    return (*upstream, *call[0]), call[1]


def gradients(namesake: Namesake, sample: Sample, cotangents: list[Tensor]) -> list[Tensor]:
    """torch's gradients of its own function, by default for each floating argument of the reference, in order."""
    leaves = sample.mapped(lambda x: x.detach().requires_grad_())
    if namesake.wrt is None:
        inputs = [x for x in call_of(namesake, leaves, [])[0] if isinstance(x, Tensor) and x.is_floating_point()]
    else:
        inputs = namesake.wrt(leaves)
    return list(torch.autograd.grad(flat(namesake.theirs(leaves.answer())), inputs, cotangents))


def random_like(x: Tensor) -> Tensor:
    """Upstream gradients: the same for a shape at every run."""
    stream = torch.Generator().manual_seed(x.numel())
    return torch.randn(x.shape, generator=stream, dtype=torch.float64).to(x.dtype)


def flat(value: Any) -> list[Tensor]:
    """The tensors of an answer, one after the other; numbers as tensors, None left out."""
    if isinstance(value, list | tuple):
        return [x for item in value for x in flat(item)]
    return [] if value is None else [value if isinstance(value, Tensor) else torch.as_tensor(value)]


def fault_before_values(answers: Answers) -> str | None:
    """An error, or another number, shape or dtype of results."""
    if isinstance(answers.ours, Exception):
        return f"raises {type(answers.ours).__name__}: {answers.ours}"
    mine, its = ([(tuple(x.shape), x.dtype) for x in answer] for answer in (answers.ours, answers.theirs))
    return None if mine == its else f"gives {mine}, torch {its}"


def wrong_entries(ours: Tensor, theirs: Tensor, wide: Tensor, sums: bool) -> Tensor:
    """Which entries are near neither to torch's answer nor to its answer in float64, rounded to our dtype."""
    rtol, atol = TOLERANCES.get(str(ours.dtype).removeprefix("torch."), (0.0, 0.0))
    if sums and ours.dtype != torch.float64 and ours.numel():
        atol = max(atol, rtol * wide.abs().max().item())
    near = [torch.isclose(ours.double(), x.double(), rtol, atol, equal_nan=True) for x in (theirs, wide.to(ours.dtype))]
    return ~(near[0] | near[1])


def fault_of_values(answers: Answers, wrong: list[Tensor]) -> str | None:
    """The first entries that are wrong, of all three."""
    for place, at in enumerate(wrong):
        if at.any():
            ours, theirs, wide = (
                answer[place][at][:3].tolist() for answer in (answers.ours, answers.theirs, answers.wide)
            )
            return f"{int(at.sum())} of {at.numel()} entries of result {place} are {ours}, torch's {theirs}, in float64 {wide}"
    return None


def distance(answer: Tensor, wide: Tensor) -> float:
    """The sum of the distances from the answer in float64, where both are finite."""
    off = (answer.double() - wide.double()).abs()
    return off[off.isfinite()].sum().item()


def as_code(namesake: Namesake, sample: Sample, cotangents: list[Tensor]) -> str:
    """The call of the reference; the middle of a long one is left out."""
    arguments, options = call_of(namesake, sample, cotangents)
    given = [show(value) for value in arguments] + [f"{name}={show(value)}" for name, value in options.items()]
    code = f"{namesake.reference.split('.')[1]}({', '.join(given)})"
    return code if len(code) < 3000 else f"{code[:1500]} … {code[-1500:]}"


@pytest.mark.parametrize("namesake", NAMESAKES, ids=lambda one: f"{one.reference}-{one.name}")
def test_agrees_with_torch_or_the_table_says_why_not(namesake):
    tally = tally_of(namesake)
    listed = "\n".join(tally.faults[:3])
    assert not tally.faults, f"{len(tally.faults)} samples neither agree nor are listed:\n{listed}"
    assert tally.counts["agree"] > 0
    assert set(namesake.differences) == tally.seen, "a difference that is listed never shows"


@pytest.mark.parametrize("namesake", [one for one in NAMESAKES if one.nearer], ids=lambda one: one.reference)
def test_the_table_says_which_is_nearer_to_float64(namesake):
    for dtype, (ours, theirs) in tally_of(namesake).errors.items():
        assert ("reference" if ours < theirs else "torch") == namesake.nearer, f"{dtype}: off by {ours} and {theirs}"


def test_what_torch_refuses_is_refused():
    """By ValueError, where torch has samples of it; `conv_output_size` sees no tensors, so it cannot refuse theirs."""
    tried, taken = 0, []
    for namesake in NAMESAKES:
        if namesake.source != "operator" or namesake.gradients or namesake.reference == "convolution.conv_output_size":
            continue
        for sample in refused_by_torch(namesake.name):
            prepared = namesake.prepared(sample)
            call = None if prepared is None else namesake.arguments(prepared)
            if call is not None:
                tried += 1
                try:
                    reference_of(namesake)(*call[0], **call[1])
                    taken.append(as_code(namesake, prepared, []))
                except ValueError:
                    pass
    assert taken == []
    assert tried >= 20


def test_a_reference_that_differs_is_shown_as_code(monkeypatch):
    """A gate that closes at nan, where torch's is open."""
    namesake = next(one for one in NAMESAKES if one.reference == "activations.relu_backward")
    closes = {namesake: lambda grad_out, x: torch.where(x > 0, grad_out, 0)}
    monkeypatch.setattr("test_against_torch_samples.reference_of", closes.__getitem__)
    tally = tally_of.__wrapped__(namesake)
    code, _, fault = tally.faults[0].partition("\n")
    assert re.fullmatch(r"    3 of 9 entries of result 0 are \[0.0, 0.0, 0.0\], torch's .*", fault)
    assert (eval(code, {"relu_backward": closes[namesake], "torch": torch}) == 0).sum() >= 3


def test_every_exercise_has_a_namesake_or_says_why_it_has_none():
    compared = {namesake.reference for namesake in NAMESAKES}
    exercises = {
        f"{assignment.name}.{exercise.name}"
        for assignment in COURSE.assignments
        for exercise in load_assignment(COURSE, assignment.name).exercises
    }
    assert compared.isdisjoint(WITHOUT)
    assert compared | set(WITHOUT) == exercises


def test_says_how_much_was_compared():
    """Writes a line for each reference, and the sums, for whoever wants to know."""
    kinds = ("agree", "differ", "no such call", "too large")
    tallies = {namesake: tally_of(namesake) for namesake in NAMESAKES}
    lines = [
        f"{namesake.reference:45} {namesake.name:32}" + "".join(f"{tally.counts[kind]:14}" for kind in kinds)
        for namesake, tally in tallies.items()
    ]
    total = sum((tally.counts for tally in tallies.values()), Counter())
    head = f"{'reference':45} {'torch':32}" + "".join(f"{kind:>14}" for kind in kinds)
    operators = len({(namesake.source, namesake.name) for namesake in NAMESAKES})
    foot = f"{operators} of torch's functions, {len({one.reference for one in NAMESAKES})} references, " + ", ".join(
        f"{total[kind]} {kind}" for kind in kinds
    )
    text = "\n".join([head, *lines, foot, ""])
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text, encoding="utf-8")
    print(text)
    assert total["agree"] > total["differ"]
