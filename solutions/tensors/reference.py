"""Reference solutions of the assignment on tensors.

Arrays are numpy's. Floating ones are float64 or float32 and results keep that; whole numbers count as float64.
"""

import numpy as np

from autograder.guards import require_ndim, require_one_of, require_shape, require_whole


def describe(x: np.ndarray) -> tuple[int, tuple[int, ...], str, int]:
    """What one asks first of an array: how many axes, how long, of which numbers, how large.

    Args:
        x: an array of any shape and dtype.
    Returns:
        rank: how many axes it has, an int.
        shape: how long each axis is, a tuple of ints.
        dtype: the name of its dtype, a str such as "float32".
        size: how many bytes its entries take, an int: their number times the bytes of one.
    Source: Harris et al. (2020), "Array programming with NumPy", Nature 585, figure 1.
    """
    return x.ndim, x.shape, str(x.dtype), x.size * x.itemsize


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what comes out when arrays of these shapes are added.

    Args:
        shapes: one or more tuples of ints that are at least 0.
    Returns:
        shape: a tuple of ints, as long as the longest of them.
    Raises:
        ValueError: two of the shapes do not fit together. The message has the word "shapes" in it.
    Derivation: right-aligned, with 1 where a shape has no axis; in each place the lengths other than 1 have to agree,
        and are the result's; where all are 1, it is 1.
    Source: Harris et al. (2020), "Array programming with NumPy", Nature 585, figure 1.
    """
    rank = max(len(shape) for shape in shapes)
    result = []
    for lengths in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        longer = {length for length in lengths if length != 1}
        if len(longer) > 1:
            raise ValueError(f"the shapes {' and '.join(map(str, shapes))} do not fit together")
        result.append(longer.pop() if longer else 1)
    return tuple(result)


def pairwise_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The distance of every row of ``x`` from every row of ``y``.

    Args:
        x: points (N, D).
        y: points (M, D).
    Returns:
        distances: (N, M); entry (n, m) belongs to row n of ``x`` and row m of ``y``.
    Raises:
        ValueError: ``x`` or ``y`` does not have two axes, or they have different numbers of columns.
    Derivation: sqrt(sum over d of (x_nd - y_md)²). With axes of length 1 put in, (N, 1, D) against (1, M, D), all
        differences come out at once. The form |x|² - 2 x·y + |y|² loses its digits where the points are close.
    Source: Goodfellow et al. (2016), "Deep Learning", section 2.5 (norms).
    """
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), y=y)
    difference = x[:, None] * 1.0 - y
    return np.sqrt((difference**2).sum(-1))


def one_hot(y: np.ndarray, num_classes: int) -> np.ndarray:
    """Each class as a vector of zeros with a 1 in its place.

    Args:
        y: classes 0 ... K - 1, an array of whole numbers of any shape.
        num_classes: K.
    Returns:
        hot: float64; the shape of ``y`` with an axis of length K behind it.
    Raises:
        ValueError: ``num_classes`` is less than 1, or ``y`` does not hold whole numbers, or one that is no class.
    Derivation: entry k is 1 where y is k: the classes as a column against the row 0 ... K - 1.
    Source: Bishop (2006), "Pattern Recognition and Machine Learning", section 2.2 (the 1-of-K scheme).
    """
    require_whole(1, num_classes=num_classes)
    if y.dtype.kind not in "iu":
        raise ValueError(f"y has dtype {y.dtype}, it has to hold whole numbers")
    if y.size and not 0 <= y.min() <= y.max() < num_classes:
        raise ValueError(f"y has numbers from {y.min()} to {y.max()}, classes are 0 to {num_classes - 1}")
    return (y[..., None] == np.arange(num_classes)).astype(np.float64)


def multi_hot(sequences: list[np.ndarray], num_classes: int) -> np.ndarray:
    """Each list of classes as one vector: 1 for every class that occurs in it.

    Args:
        sequences: a list of arrays (T,) of whole numbers 0 ... K - 1; they may differ in length, and be empty.
        num_classes: K.
    Returns:
        hot: float64, (N, K) for N sequences.
    Raises:
        ValueError: ``num_classes`` is less than 1, or ``sequences`` has a number that is no class.
    Derivation: a row of zeros, in which the places that the sequence names are set to 1, however often they are named.
    Source: Manning et al. (2008), "Introduction to Information Retrieval", section 1.1 (the incidence matrix).
    """
    require_whole(1, num_classes=num_classes)
    if any(one.size and not 0 <= one.min() <= one.max() < num_classes for one in sequences):
        raise ValueError(f"sequences have a number that is no class: classes are 0 to {num_classes - 1}")
    hot = np.zeros((len(sequences), num_classes))
    for row, classes in zip(hot, sequences, strict=True):
        row[classes] = 1
    return hot


def pad_sequences(
    sequences: list[np.ndarray],
    length: int | None = None,
    *,
    padding_value: float = 0,
    padding_side: str = "right",
) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of different lengths as one array, and which of its steps are real.

    Args:
        sequences: a list of arrays (T, ...) of one dtype, at least one; they differ in T alone, which may be 0.
        length: how many steps each gets; None for as many as the longest has.
        padding_value: what stands in the steps that are filled up.
        padding_side: "right" fills up behind the last step and cuts off the last ones, "left" does both in front.
    Returns:
        padded: (N, length, ...), in the dtype of the sequences.
        mask: bool, (N, length); True where a step is real.
    Raises:
        ValueError: ``sequences`` is empty, ``length`` is less than 1, or ``padding_side`` is another word.
    Derivation: an array full of the padding value, into which each sequence is written: from the front, or up to the
        back.
    Source: Goodfellow et al. (2016), "Deep Learning", chapter 10 (minibatches of sequences of different lengths).
    """
    if not sequences:
        raise ValueError("sequences is empty, it has to hold at least one array")
    if length is not None and (not isinstance(length, int) or length < 1):
        raise ValueError(f"length is {length!r}, it has to be None or a whole number of at least 1")
    require_one_of(("right", "left"), padding_side=padding_side)
    if length is None:
        length = max(len(one) for one in sequences)
    padded = np.full((len(sequences), length, *sequences[0].shape[1:]), padding_value, dtype=sequences[0].dtype)
    mask = np.zeros((len(sequences), length), dtype=bool)
    for n, one in enumerate(sequences):
        steps = min(len(one), length)
        at = slice(steps) if padding_side == "right" else slice(length - steps, length)
        padded[n, at] = one[:steps] if padding_side == "right" else one[len(one) - steps :]
        mask[n, at] = True
    return padded, mask


def impute_missing(x: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fills in what is missing with the mean of its column in the training set.

    Args:
        x: floats (N, D); nan where a value is missing.
        train: floats (M, D); nan where a value is missing.
    Returns:
        filled: shaped like ``x``, without nan.
        missing: bool, shaped like ``x``; True where a value was missing.
    Raises:
        ValueError: ``x`` does not have two axes, or ``train`` another number of columns.
    Derivation: the mean over the rows of train in which the column is there; 0 where it is there in none.
    Source: Little & Rubin (2002), "Statistical Analysis with Missing Data", section 4.2.1.
    """
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    there = ~np.isnan(train)
    mean = np.where(there, train, 0).sum(0) / np.maximum(there.sum(0), 1).astype(train.dtype)
    missing = np.isnan(x)
    return np.where(missing, mean, x), missing


def standardize(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Each column with the mean taken away and divided by the standard deviation, both of the training set.

    Args:
        x: (N, D).
        train: (M, D), M at least 1.
    Returns:
        z: shaped like ``x``.
    Raises:
        ValueError: ``x`` does not have two axes, or ``train`` has another number of columns, or no row.
    Derivation: (x - mean) / std with std² = sum of (train - mean)² / M; a column that is one number all over has std 0
        and is divided by 1. Whether it is, its entries say: their computed std may be 1e-17.
    Source: LeCun et al. (1998), "Efficient BackProp", section 4.3.
    """
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    if not len(train):
        raise ValueError("train has no row, it has to have at least 1")
    constant = train.max(0) == train.min(0)
    return (x - train.mean(0)) / np.where(constant, 1, train.std(0))


def min_max_scale(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Each column moved and stretched so that in the training set it runs from 0 to 1.

    Args:
        x: (N, D).
        train: (M, D), M at least 1.
    Returns:
        scaled: shaped like ``x``.
    Raises:
        ValueError: ``x`` does not have two axes, or ``train`` has another number of columns, or no row.
    Derivation: (x - min) / (max - min); where max and min are one number, divided by 1.
    Source: Han et al. (2011), "Data Mining: Concepts and Techniques", section 3.5.2.
    """
    require_ndim(2, x=x)
    require_shape((None, x.shape[1]), train=train)
    if not len(train):
        raise ValueError("train has no row, it has to have at least 1")
    low, high = train.min(0) * 1.0, train.max(0)
    return (x - low) / np.where(high == low, 1, high - low)


def covariance(x: np.ndarray, *, ddof: int = 1) -> np.ndarray:
    """How the columns vary together.

    Args:
        x: (N, D), N more than ``ddof``.
        ddof: what is taken from N before it divides: 1 for samples of something larger, 0 for all there is.
    Returns:
        cov: (D, D); entry (i, j) belongs to the columns i and j.
    Raises:
        ValueError: ``x`` does not have two axes, ``ddof`` is no whole number of at least 0, or ``x`` has no more than
            ``ddof`` rows.
    Derivation: with the mean of each column taken away, the sum over the rows of the product of two columns is an entry
        of xᵀ x; divided by N - ddof.
    Source: Goodfellow et al. (2016), "Deep Learning", section 3.8.
    """
    require_ndim(2, x=x)
    require_whole(0, ddof=ddof)
    if len(x) <= ddof:
        raise ValueError(f"x has {len(x)} rows, with ddof {ddof} it has to have more than {ddof}")
    centred = x - x.mean(0)
    return centred.T @ centred / (len(x) - ddof)


def chi2(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far each feature's total in each class is from what it would be if classes did not matter.

    Args:
        x: counts or other amounts (N, D), none negative; N at least 1.
        y: the class of each row, whole numbers (N,).
    Returns:
        scores: (D,); 0 for a feature that is 0 everywhere.
    Raises:
        ValueError: ``x`` does not have two axes, or has a negative entry, or ``y`` is not of shape (N,).
    Derivation: observed O_kj is the sum of feature j over the rows of class k, expected E_kj the share of rows in class
        k times the sum of feature j over all rows; the score is the sum over k of (O - E)² / E.
    Source: Pearson (1900), "On the criterion that a given system of deviations ...", Philosophical Magazine 50; Manning
        et al. (2008), "Introduction to Information Retrieval", section 13.5.2.
    """
    require_ndim(2, x=x)
    require_shape((len(x),), y=y)
    if (x < 0).any():
        raise ValueError("x has a negative entry, amounts are at least 0")
    amounts = x * 1.0
    member = (np.unique(y)[:, None] == y).astype(amounts.dtype)
    observed = member @ amounts
    expected = member.mean(1, keepdims=True) * amounts.sum(0)
    return ((observed - expected) ** 2 / np.where(expected == 0, 1, expected)).sum(0)


def select_k_best(x: np.ndarray, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The columns with the highest scores, in the order in which they stand in the table.

    Args:
        x: (N, D), of any dtype.
        scores: floats, one for each column (D,); nan counts as the lowest.
        k: how many columns to keep.
    Returns:
        selected: (N, k), in the dtype of ``x``.
        columns: which they are, int64, (k,), from left to right.
    Raises:
        ValueError: ``x`` does not have two axes, ``scores`` is not of shape (D,), or ``k`` is less than 1 or more than
            D.
    Derivation: sorted from high to low by a stable sort, so that among equals the first column stands first; of that
        order the first k, sorted again.
    Source: Guyon & Elisseeff (2003), "An introduction to variable and feature selection", section 2.1.
    """
    require_ndim(2, x=x)
    require_shape((x.shape[1],), scores=scores)
    require_whole(1, k=k)
    if k > x.shape[1]:
        raise ValueError(f"k is {k}, x has {x.shape[1]} columns")
    columns = np.sort(np.argsort(-scores, kind="stable")[:k])
    return x[:, columns], columns
