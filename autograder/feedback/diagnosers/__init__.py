"""Generic diagnosers: what any wrong answer has to do with the right one. Pure functions, most specific first.

Each takes the evidence on one symptom and returns one or two sentences, or None. What it says holds for every failing
example with that symptom, contradicts no passing one, and never gives the answer.
"""

from collections.abc import Callable, Mapping
from itertools import chain

from autograder.feedback.diagnosers import (
    conditions,
    dependence,
    entries,
    exceptions,
    factors,
    form,
    masks,
    numbers,
    places,
    precision,
    properties,
    randomness,
    relations,
    sequences,
    shapes,
)
from autograder.feedback.diagnosers.evidence import Evidence
from autograder.feedback.diagnosers.gathering import Symptom

Diagnoser = Callable[[Evidence], str | None]

# Of the calls of an example: no expected value is needed.
OF_CALLS: tuple[Diagnoser, ...] = (
    randomness.not_repeatable,
    randomness.remembers,
    randomness.ignores_the_generator,
    masks.one_draw_for_many,
    masks.nothing_is_dropped,
    masks.kept_for_dropped,
    masks.not_scaled,
    randomness.ignores_the_seed,
)
# Of whole answers, whatever their parts.
OF_WHOLE: tuple[Diagnoser, ...] = (form.swapped_results, dependence.ignores_an_argument)
# Of one part of the answers, or of answers without parts.
OF_PARTS: Mapping[Symptom, tuple[Diagnoser, ...]] = {
    "timeout": (exceptions.takes_too_long,),
    "raises": (exceptions.wrong_device, exceptions.cut_from_the_graph, exceptions.raises_instead),
    "answers": (exceptions.refuses_too_little,),
    "other_exception": (exceptions.refuses_with_another,),
    "message": (exceptions.unnamed_argument,),
    "accident": (exceptions.refuses_by_accident,),
    "nothing": (form.prints, form.loses_graph, form.returns_none),
    "type": (form.loses_graph, form.wrong_type),
    "length": (form.wrong_number_of_results, form.one_number_long),
    "keys": (form.wrong_keys,),
    "shape": (
        shapes.permuted_axes,
        shapes.axes_of_size_one,
        shapes.same_values_reshaped,
        shapes.reduced_over_another_axis,
        shapes.broadcast_too_far,
        shapes.not_broadcast,
        shapes.shaped_like_an_input,
        shapes.wrong_shape,
    ),
    "dtype": (shapes.wrong_dtype,),
    "changes": (form.changes_an_input,),
    "numbers": (
        form.loses_graph,
        form.taken_for_true,
        form.wrong_word,
        sequences.stays_at_the_first_value,
        numbers.returns_an_input,
        numbers.never_moves,
        numbers.all_zero,
        precision.loses_small_numbers,
        precision.only_some_digits,
        numbers.always_one_value,
        numbers.reversed_sign,
        numbers.lost_sign,
        factors.constant_factor,
        factors.constant_offset,
        factors.mirrored,
        relations.off_by_an_entry,
        shapes.permuted_axes,
        places.moved_along_an_axis,
        places.other_order,
        places.sums_along_another_axis,
        sequences.right_up_to_a_step,
        sequences.right_from_the_second_step,
        places.only_special_entries,
        entries.some_signs,
        factors.some_multiplied,
        factors.some_shifted,
        entries.entries_of_an_input,
        entries.one_value,
        relations.moves_too_far,
        relations.off_by_a_multiple,
        dependence.ignores_an_entry,
        properties.breaks_a_bound,
        places.only_some_blocks,
        places.only_some_entries,
        entries.should_be_one_value,
        precision.only_roughly_right,
        places.only_some_entries_right,
        numbers.one_sided,
        properties.leaves_an_argument,
        dependence.not_proportional,
        dependence.only_the_slope,
    ),
    "not_finite": (numbers.not_finite,),
    "hides": (places.only_special_entries, numbers.hides_nan),
    "forms": (shapes.permuted_axes,),
    "unseen": (),
}
# Of the examples: which of them go wrong.
OF_EXAMPLES: tuple[Diagnoser, ...] = (
    conditions.only_where_left_out,
    conditions.only_some_dtypes,
    conditions.only_some_words,
    conditions.only_one_axis,
    conditions.only_some_numbers,
    conditions.only_some_relations,
    conditions.only_some_inputs,
    conditions.only_large_numbers,
)
DIAGNOSERS: tuple[Diagnoser, ...] = tuple(
    dict.fromkeys((*OF_CALLS, *OF_WHOLE, *chain.from_iterable(OF_PARTS.values()), *OF_EXAMPLES))
)
