"""What checks of functions that draw are written with: shares over many draws, and draws that hang together.

A share found in n draws strays from its probability p so far that n KL(found, p) is above t with a probability of at
most 2 exp(-t) (Chernoff, 1952); t is such that this is `CHANCE`. Checks of many draws try `EXAMPLES` examples.
"""

from collections.abc import Callable
from math import log
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing.comparison import Mismatch
from autograder.testing.declarations import statistical
from autograder.testing.kinds import Test, case, idea
from autograder.testing.strategies import seeded

CHANCE = 1e-12
EXAMPLES = 2
# What a check that draws is given: a seed.
SEEDS = st.integers(0, 1_000_000)
# What it is given where a generator goes in: one of such a seed.
GENERATORS = SEEDS.map(seeded)
# What a check of many draws searches: two examples. Stated whole: these checks are not made while content is loaded,
# where the search's own settings hold.
few_examples = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    print_blob=False,
)
# For draws that hang together: so many calls, in each of which an entry is changed with probability 1/2.
CALLS = 48
# The shape of these entries.
PLACES = (4, 9)
ENTRIES = 36


def shares(count: int) -> Callable[[Test], Test]:
    """Marks a check that looks at so many shares in each example.

    >>> @shares(1)
    ... @few_examples
    ... @given(seed=SEEDS)
    ... def test_share(self, student, seed):
    ...     "Of 1,000 entries about half are kept."
    ...     assert_share(student.keep_half(torch.ones(1000), seeded(seed)) != 0, 0.5, "an entry was kept")
    >>> test_share(None, student)
    """
    return statistical(false_alarm=EXAMPLES * count * CHANCE, because=f"Chernoff (1952), {count} shares an example")


def fair_draws(count: int) -> Callable[[Test], Test]:
    """Marks a check that fails where so many fair draws are all alike.

    >>> @fair_draws(1000)
    ... def test_not_all_alike(self, student):
    ...     "Some entries are kept, and some are not."
    ...     assert_right(student.keep_half(torch.ones(1000), seeded(1)).unique().numel() == 2, "All entries are alike.")
    """
    return statistical(false_alarm=EXAMPLES * 2 * 0.5**count, because=f"{count} fair draws, all alike")


# Marks a check of draws that hang together. By chance two entries always agree or always differ, one never changes, a
# count in a row or column never does.
own_draws = statistical(
    false_alarm=EXAMPLES * (ENTRIES * (ENTRIES - 1) + 2 * ENTRIES + 2 * (1 + sum(PLACES))) * 0.5**CALLS,
    because=f"{CALLS} fair draws of each of {ENTRIES} entries",
)


def assert_right(truth: bool, otherwise: str) -> None:
    """Fails with a sentence unless something is true.

    >>> assert_right(student.half(vector(3)) < 3, "Half of 3 is not below 3.")
    """
    if not truth:
        raise Mismatch(otherwise)


def assert_share(found: Tensor, probability: float, what: str) -> None:
    """Fails if the share of yes among draws strays from its probability further than chance explains.

    Args:
        found: yes or no of each draw.
        probability: of yes, strictly between 0 and 1.
        what: the yes in words, such as "an entry was dropped".

    >>> kept = student.keep_half(torch.ones(1000), seeded(1))
    >>> assert_share(kept != 0, 0.5, "an entry was kept")
    """
    share, draws = found.double().mean().item(), found.numel()
    pairs = ((share, probability), (1 - share, 1 - probability))
    surprise = draws * sum(one * log(one / other) if one > 0 else 0.0 for one, other in pairs)
    if not surprise <= log(2 / CHANCE):
        raise Mismatch(f"In {share:.2%} of {draws:,} draws {what}, expected is about {probability:.2%}.")


def assert_on_their_own(answers: Tensor, what: str = "an entry") -> None:
    """Fails if things that are yes or no with probability 1/2 hang together, or if as many are yes in every call.

    Args:
        answers: yes or no; the first axis counts the calls.
        what: one of them, in words.

    >>> @own_draws
    ... @few_examples
    ... @given(seed=SEEDS)
    ... def test_each_has_a_draw_of_its_own(self, student, seed):
    ...     "No two entries hang together."
    ...     calls = [student.keep_half(torch.ones(PLACES), seeded(seed + call)) for call in range(CALLS)]
    ...     assert_on_their_own(torch.stack(calls) != 0)
    >>> test_each_has_a_draw_of_its_own(None, student)
    """
    calls = f"In {len(answers)} calls"
    flat = answers.reshape(len(answers), -1)
    agree = (flat[:, :, None] == flat[:, None, :]).double().mean(0)
    assert_right(not (flat == flat[0]).all(0).any(), f"{calls} {what} is always decided alike.")
    pairs = ((agree == 0) | (agree == 1)).triu(1).nonzero().tolist()
    if pairs:
        how = "as" if agree[tuple(pairs[0])] == 1 else "otherwise than"
        raise Mismatch(f"{calls} {what}, number {pairs[0][0]}, is always decided {how} number {pairs[0][1]}.")
    for axes in (tuple(range(1, answers.ndim)), *((axis,) for axis in range(1, answers.ndim))):
        counts = answers.double().sum(axes)
        assert_right(
            not (counts == counts[0]).all(0).any(), f"{calls} as many are chosen each time: no chance is left."
        )


class Draws:
    """What every function has to keep that draws from a generator.

    Attributes:
        places: a shape on which it draws `ENTRIES` numbers or more.

    >>> @exercise("keep_half")
    ... class TestKeepHalf(Draws):
    ...     def draw(self, student, generator, shape):
    ...         return student.keep_half(torch.ones(shape), generator)
    >>> TestKeepHalf().test_equal_generators_equal_results(student)
    """

    places: tuple[int, ...] = PLACES

    def draw(self, student: Any, generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
        """What the student's function gives for entries, or samples, of a shape, each changed with probability 1/2."""
        raise NotImplementedError

    @case
    @few_examples
    @given(seed=SEEDS)
    def test_equal_generators_equal_results(self, student: Any, seed: int) -> None:
        """Two generators with the same seed give the same result: nothing else is drawn from."""
        first, second = (self.draw(student, seeded(seed), self.places) for _ in range(2))
        assert_right(torch.equal(first, second), "Two generators with the same seed gave different results.")

    @idea
    @fair_draws(3 * ENTRIES)
    @few_examples
    @given(seed=SEEDS)
    def test_each_call_draws_anew(self, student: Any, seed: int) -> None:
        """Calls with one generator give different results: it moves on with each draw."""
        generator = seeded(seed)
        first, *others = (self.draw(student, generator, self.places) for _ in range(4))
        assert_right(not all(torch.equal(first, one) for one in others), "Four calls with one generator are alike.")


class OwnDraws(Draws):
    """What every function has to keep that decides about each entry or sample by a draw of its own.

    >>> @exercise("keep_half")
    ... class TestKeepHalf(OwnDraws):
    ...     def draw(self, student, generator, shape):
    ...         return student.keep_half(torch.ones(shape), generator)
    >>> TestKeepHalf().calls(student, seed=1, shape=PLACES).shape
    torch.Size([48, 4, 9])
    >>> TestKeepHalf().test_draws_of_its_own(student)
    """

    def decided(self, drawn: Tensor) -> Tensor:
        """Which of the entries were changed; the first axis counts the calls."""
        return drawn != 0

    def calls(self, student: Any, seed: int, shape: tuple[int, ...]) -> Tensor:
        """What many calls decide."""
        return self.decided(torch.stack([self.draw(student, seeded(seed + call), shape) for call in range(CALLS)]))

    @idea
    @own_draws
    @few_examples
    @given(seed=SEEDS)
    def test_draws_of_its_own(self, student: Any, seed: int) -> None:
        """Each entry or sample has a draw of its own: no two hang together, and any number may be chosen."""
        assert_on_their_own(self.calls(student, seed, self.places))

    @case
    @fair_draws(CALLS)
    @few_examples
    @given(seed=SEEDS)
    def test_one_entry(self, student: Any, seed: int) -> None:
        """With only one entry or sample it is left to chance too."""
        often = self.calls(student, seed, (1,)).double().mean().item()
        assert_right(0 < often < 1, f"In {CALLS} calls with one entry or sample it is always decided alike.")
