"""Checks of functions that draw: right draws pass whatever the seed, and each way to hang together is caught."""

import math

import pytest
import torch

from autograder.sandbox.inprocess import InProcess
from autograder.testing import CALLS, PLACES, Mismatch, OwnDraws, assert_on_their_own, assert_share, seeded, shares
from autograder.testing.student import Session, Student, StudentError

SEEDS = range(300)


def fair(seed, shape=PLACES):
    return torch.stack([torch.rand(shape, generator=seeded(1000 * seed + call)) < 0.5 for call in range(CALLS)])


def test_draws_of_their_own_pass():
    for seed in SEEDS:
        assert_on_their_own(fair(seed))
        assert_on_their_own(fair(seed, (36,)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: x[:1].expand_as(x),  # the same in every call
        lambda x: x[:, :1].expand_as(x),  # one row for all
        lambda x: x[:, :, :1].expand_as(x),  # one column for all
        lambda x: torch.cat([x[:, :2], ~x[:, :2]], 1),  # one half against the other
        lambda x: torch.cat([x[:, :2], x[:, :2].flip(2)], 1),  # one half mirrored
        lambda x: x.int().flatten(1).argsort(1).argsort(1).reshape(x.shape) < 18,  # half of the entries, always
        lambda x: x.int().argsort(1).argsort(1) < 2,  # half of each column
        lambda x: torch.where(torch.arange(9) == 4, False, x),  # one column never
    ],
)
def test_draws_that_hang_together_are_caught(spoil):
    with pytest.raises(Mismatch, match=f"In {CALLS} calls"):
        assert_on_their_own(spoil(fair(1)))


@pytest.mark.parametrize("probability", [0.5, 0.3, 0.004])
def test_a_share_passes_within_chance(probability):
    for seed in SEEDS:
        assert_share(torch.rand(20_000, generator=seeded(seed)) < probability, probability, "it was so")


@pytest.mark.parametrize(("found", "probability"), [(0.4, 0.37), (0.0, 0.004), (0.01, 0.004), (0.3, 0.7), (1.0, 0.99)])
def test_another_share_is_caught(found, probability):
    yes = torch.arange(20_000) < found * 20_000
    with pytest.raises(Mismatch, match="expected is about"):
        assert_share(yes, probability, "it was so")


def test_the_bound_is_that_of_chernoff():
    """The smallest surprising count of yes among 60 has a binomial tail below the stated probability."""
    draws, probability = 60, 0.5

    def passes(count):
        try:
            assert_share(torch.arange(draws) < count, probability, "it was so")
        except Mismatch:
            return False
        return True

    refused = [count for count in range(draws + 1) if not passes(count)]
    tail = sum(math.comb(draws, count) for count in refused) / 2**draws
    stated = shares(1)(lambda: None).__statistical__.false_alarm
    assert 0 < tail <= stated


def test_what_hangs_together_is_named():
    drawn = fair(1)
    drawn[:, 2, 3] = ~drawn[:, 0, 1]
    with pytest.raises(Mismatch, match="number 1, is always decided otherwise than number 21"):
        assert_on_their_own(drawn)


class Mask(OwnDraws):
    def draw(self, student, generator, shape):
        return student.mask(shape, generator)


def judged(mask):
    """Which checks of drawing a function fails."""
    failed = set()
    for name in (name for name in dir(Mask) if name.startswith("test_")):
        body = getattr(Mask, name).hypothesis.inner_test
        try:
            body(self=Mask(), student=Student(Session(InProcess({"mask": mask}))), seed=5)
        except (Mismatch, StudentError):
            failed.add(name.removeprefix("test_"))
    return failed


def test_a_right_function_passes_them_all():
    assert judged(lambda shape, generator: (torch.rand(shape, generator=generator) < 0.5).float()) == set()


@pytest.mark.parametrize(
    ("mask", "failed"),
    [
        (lambda shape, generator: (torch.rand(shape) < 0.5).float(), {"equal_generators_equal_results"}),
        (
            lambda shape, generator: (torch.rand(shape, generator=seeded(7)) < 0.5).float(),
            {"each_call_draws_anew", "draws_of_its_own", "one_entry"},
        ),
        (
            lambda shape, generator: (torch.rand(shape, generator=seeded(generator.initial_seed())) < 0.5).float(),
            {"each_call_draws_anew"},
        ),
        (
            lambda shape, generator: (
                torch.randperm(torch.Size(shape).numel(), generator=generator).reshape(shape) % 2
            ).float(),
            {"draws_of_its_own", "one_entry"},
        ),
    ],
    ids=["global", "fixed seed", "begins again", "fixed number"],
)
def test_wrong_sources_of_chance_are_caught(mask, failed):
    assert judged(mask) == failed
