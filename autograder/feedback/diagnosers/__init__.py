"""Generic diagnosers: what any wrong answer has to do with the right one. Pure functions, most specific first.

Each takes the evidence and returns one or two sentences, or None. What it says holds for every failing example that
it can be tried on, and never gives the answer.
"""

from collections.abc import Callable

from autograder.feedback.diagnosers import conditions, entries, form, numbers, parts, places, repeatability
from autograder.feedback.diagnosers.evidence import Evidence

Diagnoser = Callable[[Evidence], str | None]

DIAGNOSERS: tuple[Diagnoser, ...] = (
    form.prints,
    form.returns_none,
    form.loses_graph,
    form.wrong_device,
    form.raises_instead,
    form.refuses_too_little,
    conditions.changes_an_input,
    repeatability.not_repeatable,
    repeatability.remembers,
    repeatability.ignores_the_generator,
    form.wrong_type,
    form.wrong_number_of_results,
    places.swapped_results,
    form.permuted_axes,
    form.axes_of_size_one,
    form.same_values_reshaped,
    form.reduced_over_another_axis,
    form.broadcast_too_far,
    form.wrong_shape,
    form.wrong_dtype,
    conditions.ignores_an_argument,
    numbers.returns_an_input,
    numbers.all_zero,
    numbers.reversed_sign,
    numbers.lost_sign,
    numbers.constant_factor,
    numbers.constant_offset,
    numbers.mirrored,
    numbers.entrywise_factor,
    places.moved_along_an_axis,
    places.other_order,
    places.sums_along_another_axis,
    conditions.only_default_argument,
    conditions.only_given_argument,
    conditions.only_one_axis,
    numbers.not_finite,
    places.only_special_entries,
    entries.some_signs,
    entries.some_multiplied,
    entries.some_shifted,
    entries.entries_of_an_input,
    entries.one_value,
    places.only_some_entries,
    numbers.only_roughly_right,
    conditions.only_some_inputs,
    conditions.only_some_numbers,
    places.only_some_entries_right,
    parts.one_member,
    form.raises_sometimes,
    numbers.one_sided,
)


# Those that need no expected value beside the wrong one.
WITHOUT_EXPECTED: tuple[Diagnoser, ...] = (
    repeatability.not_repeatable,
    repeatability.remembers,
    repeatability.ignores_the_generator,
    form.unnamed_argument,
)


def first_word(evidence: Evidence) -> tuple[str, str] | None:
    """Name and sentence of the first diagnoser that has something to say; None where none has.

    Where one of several results is wrong each time, it is looked at alone.
    """
    if not evidence.wrong:
        return _first(evidence, WITHOUT_EXPECTED)
    parts = places.wrong_parts(evidence)
    one = parts is not None and len(parts[0]) == 1
    found = _first(evidence.of_part(parts[0][0]) if parts is not None and one else evidence)
    whole = places.some_results_wrong(evidence)
    if found is None:
        return (places.some_results_wrong.__name__, whole) if whole else None
    return (found[0], f"{whole} {found[1]}") if one else found


def _first(evidence: Evidence, diagnosers: tuple[Diagnoser, ...] = DIAGNOSERS) -> tuple[str, str] | None:
    for diagnoser in diagnosers:
        sentence = diagnoser(evidence)
        if sentence is not None:
            return diagnoser.__name__, sentence
    return None
