"""Known wrong solutions of the assignment on tensors, each with what to tell its author."""

import numpy as np

from autograder.testing import mistake

from .reference import (
    broadcast_shapes,
    chi2,
    covariance,
    describe,
    impute_missing,
    min_max_scale,
    multi_hot,
    one_hot,
    pad_sequences,
    pairwise_distances,
    select_k_best,
    standardize,
)


@mistake("describe", kind="idea", says="The rank is the number of entries of the last axis. It is the number of axes.")
def takes_the_dimensionality_for_the_rank(x):
    _, shape, dtype, size = describe(x)
    return (shape[-1] if shape else 0), shape, dtype, size


@mistake(
    "describe",
    kind="idea",
    says="The dtype is an object of numpy's. Its name is asked for, a str such as 'float32'.",
)
def gives_the_dtype_itself(x):
    rank, shape, _, size = describe(x)
    return rank, shape, x.dtype, size


@mistake("describe", kind="idea", says="The last number counts the entries. How many bytes does each of them take?")
def counts_entries_for_bytes(x):
    rank, shape, dtype, _ = describe(x)
    return rank, shape, dtype, x.size


@mistake(
    "describe",
    kind="idea",
    says="Each entry is taken for 8 bytes. That depends on the dtype: a float32 has 4, a uint8 1.",
)
def takes_every_entry_for_eight_bytes(x):
    rank, shape, dtype, _ = describe(x)
    return rank, shape, dtype, 8 * x.size


@mistake(
    "describe",
    kind="case",
    says="A single number without axes takes 0 bytes, as if an empty product were 0. It has one entry.",
)
def takes_an_empty_product_for_zero(x):
    rank, shape, dtype, size = describe(x)
    return rank, shape, dtype, size if shape else 0


@mistake(
    "broadcast_shapes",
    kind="idea",
    stage="the sum",
    says="The shapes are aligned at the front. Axes are compared from the back: (178, 13) and (13,) fit.",
)
def aligns_at_the_front(*shapes):
    rank = max(map(len, shapes))
    return broadcast_shapes(*(shape + (1,) * (rank - len(shape)) for shape in shapes))


@mistake(
    "broadcast_shapes",
    kind="idea",
    stage="the sum",
    says="The answer is one of the shapes as it was given. Where one has a 1, the other one's length stands in the sum.",
)
def takes_the_longest_shape(*shapes):
    broadcast_shapes(*shapes)
    return max(shapes, key=len)


@mistake(
    "broadcast_shapes",
    kind="idea",
    stage="what does not fit",
    says="Shapes that do not fit get an answer, such as the larger length of the two. Only a length of 1 can be stretched.",
)
def takes_the_larger_length(*shapes):
    try:
        return broadcast_shapes(*shapes)
    except ValueError:
        rank = max(map(len, shapes))
        return tuple(map(max, zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True)))


@mistake(
    "broadcast_shapes",
    kind="case",
    says="Of 0 and 1 the result is 1, as if the larger one won. A length of 1 is stretched to the other one, and that is 0.",
)
def stretches_zero_to_one(*shapes):
    return tuple(length or 1 for length in broadcast_shapes(*shapes)) if len(shapes) > 1 else shapes[0]


@mistake("broadcast_shapes", kind="case", says="Only the first two shapes are looked at. There may be more, or one.")
def looks_at_two_shapes(*shapes):
    return broadcast_shapes(*shapes[:2])


@mistake("broadcast_shapes", kind="case", says="The answer is a list. Shapes are tuples.")
def gives_a_list(*shapes):
    return list(broadcast_shapes(*shapes))


@mistake(
    "broadcast_shapes",
    kind="refusal",
    says="What does not fit is refused, but the message does not say that the shapes are to blame.",
)
def refuses_without_a_word(*shapes):
    try:
        return broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError("operands do not fit together") from None


@mistake("pairwise_distances", kind="idea", says="The root is missing: these are squared distances.")
def forgets_the_root(x, y):
    return pairwise_distances(x, y) ** 2


@mistake(
    "pairwise_distances",
    kind="idea",
    says="The differences are added without being squared. Their sizes make another distance, along the streets of a town.",
)
def adds_the_differences(x, y):
    pairwise_distances(x[:0], y)
    return np.abs(x[:, None] * 1.0 - y).sum(-1)


@mistake(
    "pairwise_distances",
    kind="idea",
    says="The rows of the answer belong to y and its columns to x. It is the other way round.",
)
def swaps_rows_and_columns(x, y):
    return pairwise_distances(x, y).T


@mistake(
    "pairwise_distances",
    kind="idea",
    says="The squares are averaged over the coordinates. A distance adds them up.",
)
def averages_the_squares(x, y):
    return pairwise_distances(x, y) / np.sqrt(x.dtype.type(x.shape[1]) if x.dtype.kind == "f" else x.shape[1])


@mistake(
    "pairwise_distances",
    kind="case",
    says="Points that are close together get a wrong distance, or nan, as from the square multiplied out. There large numbers are taken from each other.",
)
def multiplies_the_square_out(x, y):
    pairwise_distances(x[:0], y)
    x, y = x * 1.0, y * 1.0
    squares = (x**2).sum(1)[:, None] - 2 * x @ y.T + (y**2).sum(1)
    return np.sqrt(np.maximum(squares, 0))


@mistake(
    "pairwise_distances",
    kind="case",
    says="For pixels of dtype uint8 the distances are wrong, as if 3 - 5 were 254: the differences are computed in uint8.",
)
def computes_in_uint8(x, y):
    pairwise_distances(x[:0], y)
    return np.sqrt(((x[:, None] - y) * 1.0) ** 2 @ np.ones(x.shape[1], dtype=x.dtype if x.dtype.kind == "f" else float))


@mistake("one_hot", kind="idea", says="The classes are counted from 1: each 1 stands a place too far to the left.")
def counts_classes_from_one(y, num_classes):
    return np.roll(one_hot(y, num_classes), -1, axis=-1)


@mistake("one_hot", kind="idea", says="In the place of the class stands its number. A 1 is asked for.")
def writes_the_number_of_the_class(y, num_classes):
    return one_hot(y, num_classes) * np.arange(num_classes)


@mistake("one_hot", kind="idea", says="The axis of the classes stands in front. It is the last one.")
def puts_the_classes_in_front(y, num_classes):
    return np.moveaxis(one_hot(y, num_classes), -1, 0)


@mistake(
    "one_hot",
    kind="idea",
    says="The vectors are only as long as the largest class in y needs. They have num_classes places, whatever occurs.",
)
def counts_the_classes_in_y(y, num_classes):
    hot = one_hot(y, num_classes)
    return hot[..., : int(y.max()) + 1] if y.size else hot


@mistake(
    "one_hot",
    kind="case",
    says="A y with several axes is laid out as one long row. Its axes stay, and one more comes behind.",
)
def flattens_the_classes(y, num_classes):
    return one_hot(y.reshape(-1), num_classes)


@mistake("one_hot", kind="case", says="The result holds whole numbers. It has to be float64.")
def gives_whole_numbers(y, num_classes):
    return one_hot(y, num_classes).astype(np.int64)


@mistake(
    "one_hot",
    kind="refusal",
    says="A class of -1 is not refused: as an index it counts from the back, and sets the last place.",
)
def takes_minus_one_for_the_last_class(y, num_classes):
    return one_hot(np.where(y == -1, num_classes - 1, y) if y.dtype.kind in "iu" else y, num_classes)


@mistake("multi_hot", kind="idea", says="A class that occurs twice counts 2. Only whether it occurs is asked.")
def counts_how_often(sequences, num_classes):
    hot = multi_hot(sequences, num_classes)
    for row, one in zip(hot, sequences, strict=True):
        np.add.at(row, one[1:], 1)
    return hot


@mistake("multi_hot", kind="idea", says="A class that occurs twice is 0 again, as if each time turned it over.")
def turns_over_what_occurs_twice(sequences, num_classes):
    counts = [np.bincount(one, minlength=num_classes) for one in sequences]
    multi_hot(sequences, num_classes)
    return np.array(counts).reshape(len(sequences), num_classes) % 2 * 1.0


@mistake(
    "multi_hot",
    kind="idea",
    says="Every row has the classes of all sequences. Each row belongs to one of them.",
)
def mixes_all_sequences(sequences, num_classes):
    hot = multi_hot(sequences, num_classes)
    return np.zeros_like(hot) + hot.max(0, initial=0)


@mistake("multi_hot", kind="idea", says="Only the last class of each sequence is set. All that occur are.")
def keeps_the_last_class_alone(sequences, num_classes):
    return multi_hot([one[-1:] for one in sequences], num_classes)


@mistake("multi_hot", kind="case", says="The result holds whole numbers. It has to be float64.")
def gives_hot_whole_numbers(sequences, num_classes):
    return multi_hot(sequences, num_classes).astype(np.int64)


@mistake("multi_hot", kind="case", says="An empty sequence stops the program. It has no class, so its row is zeros.")
def stops_at_an_empty_sequence(sequences, num_classes):
    hot = multi_hot(sequences, num_classes)
    return np.stack([one_hot(one, num_classes).max(0) for one in sequences]) if sequences else hot


@mistake(
    "pad_sequences",
    kind="idea",
    says="The mask is False where a step is real and holds a 0. It depends on the lengths, never on the values.",
)
def reads_the_mask_off_the_values(sequences, length=None, *, padding_value=0, padding_side="right"):
    padded, mask = pad_sequences(sequences, length, padding_value=padding_value, padding_side=padding_side)
    real = padded != padding_value
    return padded, real.reshape(*mask.shape, -1).any(-1) if mask.size else mask


@mistake("pad_sequences", kind="idea", says="The mask is turned round: it is True where a step is filled up.")
def turns_the_mask_round(sequences, length=None, *, padding_value=0, padding_side="right"):
    padded, mask = pad_sequences(sequences, length, padding_value=padding_value, padding_side=padding_side)
    return padded, ~mask


@mistake(
    "pad_sequences",
    kind="idea",
    stage="the left side",
    says="On the left side the zeros stand in front, but what is too long loses its last steps. There it loses its first ones.",
)
def cuts_the_last_steps_on_either_side(sequences, length=None, *, padding_value=0, padding_side="right"):
    cut = [one if length is None else one[: max(length, 1)] for one in sequences]
    return pad_sequences(cut, length, padding_value=padding_value, padding_side=padding_side)


@mistake(
    "pad_sequences",
    kind="idea",
    stage="cutting",
    says="What is too long loses its first steps on the right side, too. There the last ones are cut off.",
)
def cuts_the_first_steps_on_either_side(sequences, length=None, *, padding_value=0, padding_side="right"):
    cut = [one if length is None else one[max(len(one) - max(length, 1), 0) :] for one in sequences]
    return pad_sequences(cut, length, padding_value=padding_value, padding_side=padding_side)


@mistake(
    "pad_sequences",
    kind="idea",
    stage="the left side",
    says="Everything happens on the right, whatever padding_side says.",
)
def ignores_the_side(sequences, length=None, *, padding_value=0, padding_side="right"):
    pad_sequences(sequences, length, padding_value=padding_value, padding_side=padding_side)
    return pad_sequences(sequences, length, padding_value=padding_value)


@mistake("pad_sequences", kind="idea", stage="cutting", says="All are as long as the longest, whatever length says.")
def ignores_the_length(sequences, length=None, *, padding_value=0, padding_side="right"):
    pad_sequences(sequences, length, padding_value=padding_value, padding_side=padding_side)
    return pad_sequences(sequences, padding_value=padding_value, padding_side=padding_side)


@mistake("pad_sequences", kind="case", says="What is filled up is 0, whatever padding_value says.")
def fills_up_with_zeros(sequences, length=None, *, padding_value=0, padding_side="right"):
    return pad_sequences(sequences, length, padding_side=padding_side)


@mistake(
    "pad_sequences",
    kind="case",
    says="Whole numbers become floats, the dtype of np.zeros. The result has the dtype of the sequences.",
)
def makes_floats_of_whole_numbers(sequences, length=None, *, padding_value=0, padding_side="right"):
    padded, mask = pad_sequences(sequences, length, padding_value=padding_value, padding_side=padding_side)
    return padded.astype(np.float64), mask


@mistake(
    "pad_sequences",
    kind="case",
    says="On the left side a sequence without steps stops the program: one[-0:] is all of it, and so is an index of -0.",
)
def counts_from_the_back(sequences, length=None, *, padding_value=0, padding_side="right"):
    padded, mask = pad_sequences(sequences, length, padding_value=padding_value, padding_side=padding_side)
    if padding_side == "left":
        for n, one in enumerate(sequences):
            padded[n, -len(one) :] = one[-padded.shape[1] :]
            mask[n, -len(one) :] = True
    return padded, mask


@mistake(
    "impute_missing",
    kind="idea",
    says="What is missing counts as a 0 in the mean. The sum has to be divided by how many are there.",
)
def divides_by_all_rows(x, train):
    filled, missing = impute_missing(x, train)
    rows = np.maximum(len(train), 1)
    return np.where(missing, (np.nan_to_num(train).sum(0) / rows).astype(x.dtype), filled), missing


@mistake(
    "impute_missing",
    kind="idea",
    says="The mean is that of x itself. It has to come from the training set.",
)
def takes_the_mean_of_x(x, train):
    impute_missing(x, train)
    return impute_missing(x, x)


@mistake("impute_missing", kind="idea", says="One mean of the whole table is filled in. Each column has its own.")
def takes_one_mean_for_all(x, train):
    filled, missing = impute_missing(x, train)
    there = train[~np.isnan(train)]
    return np.where(missing, there.mean() if there.size else train.dtype.type(0), filled), missing


@mistake("impute_missing", kind="idea", says="What is missing becomes 0. It should become the mean of its column.")
def fills_in_zero(x, train):
    return np.nan_to_num(x), impute_missing(x, train)[1]


@mistake(
    "impute_missing", kind="idea", says="The indicator is True where a value is there. It tells where one is missing."
)
def turns_the_indicator_round(x, train):
    filled, missing = impute_missing(x, train)
    return filled, ~missing


@mistake(
    "impute_missing",
    kind="case",
    says="A column that train has no value of stays nan, as from 0 / 0. What is missing there becomes 0.",
)
def leaves_empty_columns(x, train):
    filled, missing = impute_missing(x, train)
    return np.where(missing & np.isnan(train).all(0), x.dtype.type(np.nan), filled), missing


@mistake("impute_missing", kind="case", says="The table that was passed in is filled. It is still needed as it was.")
def fills_the_table_itself(x, train):
    filled, missing = impute_missing(x, train)
    x[missing] = filled[missing]
    return x, missing


@mistake(
    "impute_missing",
    kind="case",
    says="float32 becomes float64, as from a division by whole numbers of dtype int64.",
)
def becomes_float64(x, train):
    filled, missing = impute_missing(x, train)
    return filled.astype(np.float64), missing


@mistake("standardize", kind="idea", says="Mean and standard deviation are those of x. They have to come from train.")
def uses_the_statistics_of_x(x, train):
    standardize(x, train)
    return standardize(x, x) if len(x) else x * 1.0


@mistake("standardize", kind="idea", says="The sum of squares is divided by M - 1. Here all M count.")
def divides_by_one_less(x, train):
    m = len(train)
    return (
        standardize(x, train) * x.dtype.type(np.sqrt((m - 1) / m))
        if m > 1 and x.dtype.kind == "f"
        else standardize(x, train)
    )


@mistake("standardize", kind="idea", says="It divides by the variance. The standard deviation is its root.")
def divides_by_the_variance(x, train):
    z = standardize(x, train)
    spread = train.std(0)
    return z / np.where(spread == 0, 1, spread)


@mistake(
    "standardize",
    kind="idea",
    says="One mean and one standard deviation serve the whole table. Each column has its own.",
)
def takes_all_columns_together(x, train):
    standardize(x, train)
    spread = train.std()
    return (x - train.mean()) / (spread if spread else 1)


@mistake("standardize", kind="idea", says="The mean is not taken away.")
def forgets_the_mean(x, train):
    return standardize(x, train) - standardize(np.zeros_like(x[:1]), train)


@mistake(
    "standardize",
    kind="case",
    says="A column that is one number all over gives nan or infinity, as from a division by 0.",
)
def divides_by_zero(x, train):
    standardize(x, train)
    with np.errstate(all="ignore"):
        return (x - train.mean(0)) / np.where(train.max(0) == train.min(0), 0 * train.std(0), train.std(0))


@mistake(
    "standardize",
    kind="case",
    says="A column of three times 0.1 comes out huge: its computed standard deviation is 1e-17, not 0. Whether a column is one number all over, its entries say.",
)
def asks_the_standard_deviation(x, train):
    standardize(x, train)
    spread = train.std(0)
    return (x - train.mean(0)) / np.where(spread == 0, 1, spread)


@mistake(
    "standardize",
    kind="case",
    says="Far from 0 the digits are lost, as from the mean of the squares less the square of the mean.",
)
def subtracts_two_large_squares(x, train):
    standardize(x, train)
    constant = train.max(0) == train.min(0)
    t = train * 1.0
    variance = np.maximum((t**2).mean(0) - t.mean(0) ** 2, 0)
    return (x - t.mean(0)) / np.where(constant | (variance == 0), 1, np.sqrt(variance))


@mistake("min_max_scale", kind="idea", says="Smallest and largest are those of x. They have to come from train.")
def uses_the_range_of_x(x, train):
    min_max_scale(x, train)
    return min_max_scale(x, x) if len(x) else x * 1.0


@mistake(
    "min_max_scale",
    kind="idea",
    says="It divides by the largest value. The range is what is between the smallest and the largest.",
)
def divides_by_the_largest(x, train):
    scaled = min_max_scale(x, train)
    low, high = train.min(0) * 1.0, train.max(0) * 1.0
    return scaled * np.where(high == low, 1, high - low) / np.where((high == low) | (high == 0), 1, high)


@mistake(
    "min_max_scale", kind="idea", says="New values beyond those of train are cut off at 0 and 1. They stay outside."
)
def cuts_off(x, train):
    scaled = min_max_scale(x, train)
    varied = train.max(0) > train.min(0)
    return np.where(varied, np.clip(scaled, 0, 1), scaled)


@mistake("min_max_scale", kind="idea", says="One range serves the whole table. Each column has its own.")
def takes_one_range_for_all(x, train):
    min_max_scale(x, train)
    low, high = train.min() * 1.0, train.max() * 1.0
    return (x - low) / (high - low if high > low else 1)


@mistake(
    "min_max_scale",
    kind="case",
    says="A column that is one number all over gives nan or infinity, as from a division by 0.",
)
def divides_by_an_empty_range(x, train):
    min_max_scale(x, train)
    low, high = train.min(0) * 1.0, train.max(0) * 1.0
    with np.errstate(all="ignore"):
        return (x - low) / (high - low)


@mistake(
    "min_max_scale",
    kind="case",
    says="Of uint8 values below the smallest of train something large comes out, as if 5 - 10 were 251: it is computed in uint8.",
)
def scales_in_uint8(x, train):
    min_max_scale(x, train)
    low, high = train.min(0), train.max(0)
    return (x - low) / np.where(high == low, 1, high - low)


@mistake("covariance", kind="idea", says="The means are not taken away first.")
def forgets_to_centre(x, *, ddof=1):
    covariance(x, ddof=ddof)
    return x.T * 1.0 @ x / (len(x) - ddof)


@mistake(
    "covariance",
    kind="idea",
    says="The rows are taken for the features. Samples stand in the rows, features in the columns.",
)
def takes_rows_for_features(x, *, ddof=1):
    covariance(x, ddof=ddof)
    centred = x - x.mean(1, keepdims=True)
    return centred @ centred.T / max(x.shape[1] - ddof, 1)


@mistake(
    "covariance", kind="idea", says="These are correlations: each covariance is divided by two standard deviations."
)
def gives_correlations(x, *, ddof=1):
    cov = covariance(x, ddof=ddof)
    spread = np.sqrt(np.diag(cov))
    spread = np.where(spread == 0, 1, spread)
    return cov / spread / spread[:, None]


@mistake("covariance", kind="idea", says="Without ddof given the sum is divided by N. The default of ddof is 1.")
def has_another_default(x, *, ddof=0):
    return covariance(x, ddof=ddof)


@mistake("covariance", kind="case", says="The sum is divided by N - 1, whatever ddof says.")
def ignores_ddof(x, *, ddof=1):
    cov = covariance(x, ddof=ddof)
    return cov * (len(x) - ddof) / max(len(x) - 1, 1)


@mistake(
    "covariance",
    kind="case",
    says="Far from 0 the digits are lost, as from the mean product less the product of the means.",
)
def subtracts_two_large_products(x, *, ddof=1):
    covariance(x, ddof=ddof)
    x = x * 1.0
    return (x.T @ x - len(x) * np.outer(x.mean(0), x.mean(0)).astype(x.dtype)) / (len(x) - ddof)


@mistake("chi2", kind="idea", says="It is divided by what is observed. What is expected stands under the line.")
def divides_by_the_observed(x, y):
    chi2(x, y)
    scores = np.zeros(x.shape[1], dtype=(x * 1.0).dtype)
    for label in np.unique(y):
        observed, expected = x[y == label].sum(0), (y == label).mean() * x.sum(0)
        scores += ((observed - expected) ** 2 / np.where(observed == 0, 1, observed)).astype(scores.dtype)
    return scores


@mistake("chi2", kind="idea", says="The same is expected in every class. A class with more rows gets a larger share.")
def expects_the_same_in_every_class(x, y):
    chi2(x, y)
    x = x * 1.0
    labels = np.unique(y)
    observed = (labels[:, None] == y).astype(x.dtype) @ x
    expected = observed.mean(0)
    return ((observed - expected) ** 2 / np.where(expected == 0, 1, expected)).sum(0)


@mistake("chi2", kind="idea", says="The differences are not squared: taken with their signs they always add up to 0.")
def forgets_the_square(x, y):
    chi2(x, y)
    x = x * 1.0
    member = (np.unique(y)[:, None] == y).astype(x.dtype)
    expected = member.mean(1, keepdims=True) * x.sum(0)
    return ((member @ x - expected) / np.where(expected == 0, 1, expected)).sum(0)


@mistake("chi2", kind="idea", says="The squares are not divided by what is expected.")
def forgets_to_divide(x, y):
    chi2(x, y)
    x = x * 1.0
    member = (np.unique(y)[:, None] == y).astype(x.dtype)
    return ((member @ x - member.mean(1, keepdims=True) * x.sum(0)) ** 2).sum(0)


@mistake(
    "chi2",
    kind="idea",
    says="Rows in which the feature occurs are counted. What counts is how much of it there is in them.",
)
def counts_rows_instead_of_amounts(x, y):
    chi2(x, y)
    return chi2((x > 0).astype((x * 1.0).dtype), y)


@mistake(
    "chi2",
    kind="case",
    says="A feature that is 0 everywhere gives nan, as from 0 / 0. Its score is 0.",
)
def divides_nothing_by_nothing(x, y):
    scores = chi2(x, y)
    return np.where(x.sum(0) == 0, scores.dtype.type(np.nan), scores)


@mistake(
    "chi2",
    kind="case",
    says="The classes are taken for 0, 1, 2, ... up to their number. They are any whole numbers, such as 3 and 7.",
)
def counts_labels_from_zero(x, y):
    chi2(x, y)
    x = x * 1.0
    member = (np.arange(len(np.unique(y)))[:, None] == y).astype(x.dtype)
    expected = member.mean(1, keepdims=True) * x.sum(0)
    return ((member @ x - expected) ** 2 / np.where(expected == 0, 1, expected)).sum(0)


@mistake(
    "chi2",
    kind="case",
    says="Sums of uint8 counts are wrong beyond 255: they are computed in uint8, which begins again at 0.",
)
def sums_in_uint8(x, y):
    chi2(x, y)
    member = (np.unique(y)[:, None] == y).astype(x.dtype)
    share = member.astype((x * 1.0).dtype).mean(1, keepdims=True)
    observed, expected = member @ x, share * x.sum(0)
    return ((observed - expected) ** 2 / np.where(expected == 0, 1, expected)).sum(0).astype((x * 1.0).dtype)


@mistake("select_k_best", kind="idea", says="The columns with the lowest scores are kept.")
def keeps_the_worst(x, scores, k):
    return select_k_best(x, -scores, k)


@mistake(
    "select_k_best",
    kind="idea",
    says="The columns come in the order of their scores. They keep the order in which they stand in the table.",
)
def orders_by_score(x, scores, k):
    select_k_best(x, scores, k)
    columns = np.argsort(-scores, kind="stable")[:k]
    return x[:, columns], columns


@mistake("select_k_best", kind="idea", says="The first k columns are kept, whatever their scores are.")
def keeps_the_first_columns(x, scores, k):
    select_k_best(x, scores, k)
    return x[:, :k], np.arange(k)


@mistake("select_k_best", kind="idea", says="Rows are chosen instead of columns.")
def chooses_rows(x, scores, k):
    columns = select_k_best(x, scores, k)[1]
    return x[columns[columns < len(x)]], columns


@mistake(
    "select_k_best",
    kind="case",
    says="Among equal scores the last column wins, as where the order is turned round after sorting. The first one should.",
)
def lets_the_last_of_equals_win(x, scores, k):
    select_k_best(x, scores, k)
    worst = np.where(np.isnan(scores), -np.inf, scores)
    columns = np.sort(np.argsort(worst, kind="stable")[len(scores) - k :])
    return x[:, columns], columns


@mistake(
    "select_k_best",
    kind="case",
    says="A score of nan counts as the highest. argsort puts nan last, and last is best where it is sorted from low to high.",
)
def takes_nan_for_the_best(x, scores, k):
    return select_k_best(x, np.where(np.isnan(scores), np.inf, scores), k)
