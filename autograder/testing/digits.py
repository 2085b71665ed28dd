"""Where a formula that is right on paper loses its digits: what a contract's ``digits`` lists.

It does so in low precision and at certain sizes: large numbers that hardly differ, results close to 0. Answers are
compared there in float32, float16 and bfloat16 with the oracle's, which is given the rounded arguments in float64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

# Strategies of the arguments by name, or one strategy of such sets.
Drawn = Mapping[str, st.SearchStrategy[Any]] | st.SearchStrategy[dict[str, Any]]
# Factors and summands, which entries take in turn.
Sizes = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Digits:
    """At which arguments digits are easily lost, and how exact an answer has to be there.

    Attributes:
        says: what the check says.
        factors, offsets: the contract's scaled arguments are multiplied by each of the factors, and each of the offsets
            is added: to all entries, and at last to one entry after another, so that sizes are mixed.
        of_own_size: whether a small number has to be right to the usual share of its own size; else it counts as 0.1.
        arguments: as in a contract; None for those of the contract.

    >>> digits = Digits("A small number keeps its digits.", factors=(1.0, 1e-4), of_own_size=True)
    >>> contract = Contract({"x": tensors()}, torch.expm1, digits=digits)
    >>> "test_keeps_its_digits" in dict(contract.checks("half"))
    True
    """

    says: str
    factors: Sequence[float] = (1.0,)
    offsets: Sequence[float] = (0.0,)
    of_own_size: bool = False
    arguments: Drawn | None = None

    @property
    def sizes(self) -> list[Sizes]:
        """Each size alone, then all of them in turn."""
        every = tuple(product(self.factors, self.offsets))
        return [(one,) for one in every] + ([every] if len(every) > 1 else [])


def multiples(factors: Sequence[float]) -> list[Sizes]:
    """Sizes that only multiply, each alone."""
    return [((factor, 0.0),) for factor in factors]


def resized(x: Any, sizes: Sizes) -> Any:
    """The entries times a factor plus an offset; with several sizes one entry after another takes the next."""
    factor, offset = (np.resize(np.array(numbers), tuple(x.shape)) for numbers in zip(*sizes, strict=True))
    if isinstance(x, Tensor):
        return x * torch.from_numpy(factor) + torch.from_numpy(offset)
    return x * factor + offset


def own_size(dtype: str, rtol: float) -> float:
    """The absolute tolerance where numbers count with their own size, as long as the dtype keeps their digits."""
    return rtol * torch.finfo(getattr(torch, dtype)).tiny
