"""Hypothesis strategies that shrink towards what a person can read: small shapes, small integers.

Everything drawn is of the closed set of `autograder.sandbox.values`, so that it can be recorded.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, product
from typing import Any, TypeVar

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from autograder.sandbox.values import Callback

ArrayLike = TypeVar("ArrayLike", Tensor, np.ndarray, float)

GRID = 3000
# A strategy is made once for equal arguments: Hypothesis looks through all that it offers when it is first drawn from.
one_for_all = lru_cache(maxsize=1024)


@one_for_all
def shapes(
    min_ndim: int = 0, max_ndim: int = 3, min_side: int = 1, max_side: int = 5
) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes whose sides all differ, so that a wrong axis cannot hide.

    >>> find(shapes(min_ndim=2), lambda shape: min(shape) > 1)
    (2, 3)
    """
    sides = st.integers(min_side, max_side)
    return st.lists(sides, min_size=min_ndim, max_size=max_ndim, unique=True).map(tuple)


@one_for_all
def entries(low: float = -4.0, high: float = 4.0) -> st.SearchStrategy[float]:
    """Numbers of [low, high], half of them whole, so that exact zeros and ties are common; small whole ones first.

    >>> find(entries(-1, 1), lambda entry: entry < 0)
    -1.0
    """
    whole = sorted(range(int(np.ceil(low)), int(np.floor(high)) + 1), key=lambda n: (abs(n), n < 0))
    if len(whole) > GRID:
        return st.integers(int(np.ceil(low)), int(np.floor(high))).map(float)
    fine = [n / 100 for n in range(int(np.ceil(low * 100)), int(np.floor(high * 100)) + 1) if n % 100]
    fine = fine[:: 1 + len(fine) // GRID]
    return st.sampled_from([float(n) for n in whole] * max(1, len(fine) // max(1, len(whole))) + fine)


@one_for_all
def arrays(
    *,
    min_ndim: int = 0,
    max_ndim: int = 3,
    min_side: int = 1,
    max_side: int = 5,
    low: float = -4.0,
    high: float = 4.0,
    shape: tuple[int, ...] | None = None,
) -> st.SearchStrategy[np.ndarray]:
    """float64 numpy arrays with distinct sides and entries of [low, high].

    >>> find(arrays(min_ndim=2), lambda x: x.size > 1)
    array([[0., 0.]])
    """
    where = st.just(shape) if shape is not None else shapes(min_ndim, max_ndim, min_side, max_side)
    elements = entries(low, high)
    return where.flatmap(lambda s: hnp.arrays(np.float64, s, elements=elements, fill=st.nothing()))


@one_for_all
def tensors(
    *,
    min_ndim: int = 0,
    max_ndim: int = 3,
    min_side: int = 1,
    max_side: int = 5,
    low: float = -4.0,
    high: float = 4.0,
    shape: tuple[int, ...] | None = None,
    dtype: torch.dtype = torch.float64,
) -> st.SearchStrategy[Tensor]:
    """Contiguous tensors with distinct sides and entries of [low, high].

    Args:
        min_ndim, max_ndim: number of axes.
        min_side, max_side: length of an axis; all axes of one tensor differ.
        low, high: range of the entries.
        shape: fixes the shape instead.
        dtype: any floating dtype.

    >>> find(tensors(min_ndim=2), lambda x: x.amin() < 0)
    tensor([[ 0., -1.]], dtype=torch.float64)
    """
    drawn = arrays(
        min_ndim=min_ndim,
        max_ndim=max_ndim,
        min_side=min_side,
        max_side=max_side,
        low=low,
        high=high,
        shape=shape,
    )
    return drawn.map(lambda a: torch.from_numpy(a).to(dtype))


def same_shape(
    *names: str,
    shape: st.SearchStrategy[tuple[int, ...]] | None = None,
    low: float = -4.0,
    high: float = 4.0,
    **options: st.SearchStrategy[Any],
) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of a contract of which several are tensors of one shape, drawn apart.

    Args:
        names: of the tensors, in the order of the signature.
        shape: of all of them; `shapes()` by default.
        low, high: range of the entries.
        options: strategies of the arguments behind them.

    >>> drawn = find(same_shape("x", "y", shape=shapes(2, 2), scale=floats(1, 2)), lambda drawn: drawn["y"].any())
    >>> list(drawn), drawn["x"].shape == drawn["y"].shape
    (['x', 'y', 'scale'], True)
    """

    def of_shape(drawn: tuple[int, ...]) -> st.SearchStrategy[dict[str, Any]]:
        parts = [tensors(shape=drawn, low=low, high=high)] * len(names) + [*options.values()]
        return st.tuples(*parts).map(lambda values: dict(zip((*names, *options), values, strict=True)))

    return (shapes() if shape is None else shape).flatmap(of_shape)


@one_for_all
def noncontiguous_tensors(
    *,
    min_side: int = 2,
    max_side: int = 4,
    low: float = -4.0,
    high: float = 4.0,
    dtype: torch.dtype = torch.float64,
) -> st.SearchStrategy[Tensor]:
    """Two-axis tensors that are not contiguous: transposed, or every second column of a wider one.

    >>> find(noncontiguous_tensors(), lambda x: True).is_contiguous()
    False
    """
    wide = tensors(min_ndim=2, max_ndim=2, min_side=min_side, max_side=max_side, low=low, high=high, dtype=dtype)
    transposed = wide.map(lambda x: x.T)
    every_second = wide.map(lambda x: torch.stack([x, -x], dim=-1).flatten(-2)[:, ::2])
    return transposed | every_second


@one_for_all
def dims(ndim: int) -> st.SearchStrategy[int]:
    """An axis, counted from the front or the back, of any tensor with at least ``ndim`` axes.

    >>> [find(dims(2), lambda dim, wanted=wanted: dim == wanted) for wanted in (0, 1, -1, -2)]
    [0, 1, -1, -2]
    """
    return st.sampled_from([*range(ndim), *range(-1, -ndim - 1, -1)])


@one_for_all
def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Hundredths of [low, high]: whole numbers first, then halves and quarters, as often as all the others.

    >>> find(floats(0.25, 4), lambda number: number > 1)
    2.0
    """
    grid = [n / 100 for n in range(int(np.ceil(low * 100)), int(np.floor(high * 100)) + 1)]
    readable = sorted((v for v in grid if v * 4 % 1 == 0), key=lambda v: (v % 1 != 0, v * 2 % 1 != 0, abs(v), v < 0))
    return st.sampled_from(readable * max(1, len(grid) // max(1, len(readable))) + grid)


def probabilities() -> st.SearchStrategy[float]:
    """Numbers strictly between 0 and 1, never 0.5, which hides p against 1 − p.

    >>> find(probabilities(), lambda p: True)
    0.05
    """
    return st.integers(1, 19).filter(lambda n: n != 10).map(lambda n: n / 20)


def pairwise(**options: Sequence[Any]) -> list[dict[str, Any]]:
    """Choices of one word for each option: any two words of two options meet in one of them.

    >>> len(pairwise(padding=(0, "same"), stride=(1, 2), groups=(1, 3)))
    4
    """
    names = list(options)
    every = list(product(*(range(len(words)) for words in options.values())))

    def pairs(choice: tuple[int, ...]) -> set[Any]:
        return set(combinations(enumerate(choice), 2))

    left, chosen = set().union(*map(pairs, every)), []
    while left:
        chosen.append(max(every, key=lambda choice: len(left & pairs(choice))))
        left -= pairs(chosen[-1])
    return [{name: options[name][word] for name, word in zip(names, choice, strict=True)} for choice in chosen]


def callbacks(sources: Sequence[str]) -> st.SearchStrategy[Callback]:
    """Functions to pass in, as source: ``callbacks(["lambda v: v @ v"])``.

    >>> find(callbacks(["lambda v: v @ v"]), lambda function: True)(vector(3, 4))
    tensor(25., dtype=torch.float64)
    """
    return st.sampled_from(sources).map(Callback)


def numbers(seed: int, *shape: int, low: float = -1.5, high: float = 1.5, digits: int = 1) -> Tensor:
    """Irregular numbers of [low, high] with so many digits behind the point: the same for a seed, everywhere.

    Drawn from numpy's frozen legacy stream. A check that draws the seed has large arguments and searches little.

    >>> numbers(7, 2, 3)
    tensor([[-1.3000,  0.8000, -0.2000],
            [ 0.7000,  1.4000,  0.1000]], dtype=torch.float64)
    """
    return torch.tensor(np.round(np.random.RandomState(seed).uniform(low, high, shape), digits))


def cotangent_like(x: ArrayLike) -> ArrayLike:
    """An upstream gradient shaped like ``x``, a tensor, an array or a number: irregular, never zero.

    Magnitudes lie in [0.25, 2], signs are random; an all-ones one would hide what only depends on differences.
    Drawn from numpy's frozen legacy stream, so that recorded answers serve every version of torch and numpy.

    >>> cotangent_like(vector(1, 2, 3))
    tensor([-1.4700,  1.5900,  0.9400], dtype=torch.float64)
    """
    if isinstance(x, Tensor):
        return torch.tensor(_cotangent(tuple(x.shape)), dtype=x.dtype)
    if isinstance(x, np.ndarray):
        return _cotangent(x.shape).astype(x.dtype)
    return float(_cotangent(()))


@lru_cache(maxsize=1024)
def _cotangent(shape: tuple[int, ...]) -> np.ndarray:
    stream = np.random.RandomState(20_000 + math.prod(shape) + 31 * len(shape))
    magnitude = np.round(stream.uniform(0.25, 2.0, shape), 2)
    return np.asarray(magnitude * stream.choice([-1.0, 1.0], shape))


def seeded(seed: int = 0) -> torch.Generator:
    """A fresh CPU generator with that seed.

    >>> torch.equal(torch.rand(2, generator=seeded(3)), torch.rand(2, generator=seeded(3)))
    True
    >>> find(SEEDS, lambda seed: True), find(GENERATORS, lambda generator: True).initial_seed()
    (0, 0)
    """
    return torch.Generator().manual_seed(seed)
