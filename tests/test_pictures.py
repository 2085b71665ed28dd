"""Pictures of a failure: only where they say more than numbers, small, in words too, and legible without colour."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest
import torch

from autograder.examples.replay import Trial
from autograder.examples.store import Example
from autograder.feedback.drawing import BELOW, height, legend, svg
from autograder.feedback.pictures import picture_of
from autograder.results import CheckResult, Curve, Squares
from autograder.sandbox.protocol import Reply, Request
from autograder.testing import Mismatch, assert_close
from autograder.testing.student import Call

SPREAD = [torch.linspace(-4, 4, 9), torch.tensor([-1.0, 0, 1, 2.5]), torch.tensor([[-2.0, 0], [1, 3]])]
MOST_BYTES = 12_000


def trial(right: Callable[..., Any], own: Callable[..., Any], x: Any, **more: Any) -> Trial:
    """One call ``f(x, ...)`` of a student's function, as replaying leaves it."""
    reference, answer = Reply(right(x, **more)), Reply(own(x, **more))
    example = Example({"x": x, **more}, (reference,), {})
    if torch.is_tensor(answer.value) and torch.equal(answer.value, reference.value):
        return Trial(example, (), None)
    calls = (Call(Request("call", "f", (x,), more), answer),)
    try:
        assert_close(answer.value, reference.value)
    except Mismatch as failure:
        return Trial(example, calls, failure)
    return Trial(example, calls, None)


def trials(right: Callable[..., Any], own: Callable[..., Any], inputs: Sequence[Any] = SPREAD) -> list[Trial]:
    return [trial(right, own, x) for x in inputs]


def wrong(expected: Any, got: Any) -> Trial:
    """A failed comparison; what was called does not matter."""
    return Trial(Example({}, (), {}), (), Mismatch("wrong", expected, got))


def test_a_function_of_one_variable_is_a_curve_over_all_its_inputs():
    picture = picture_of(trials(torch.relu, torch.abs))
    assert isinstance(picture, Curve)
    assert picture.x == (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 2.5, 3.0, 4.0)
    assert picture.right == (0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.5, 3.0, 4.0)
    assert picture.yours[:4] == (4.0, 3.0, 2.0, 1.0) and picture.yours[4:] == picture.right[4:]
    assert picture.wrong == (0, 1, 2, 3)


def test_of_several_parameters_the_one_with_most_inputs_is_drawn():
    def leaky(x: torch.Tensor, slope: float) -> torch.Tensor:
        return torch.where(x > 0, x, slope * x)

    picture = picture_of(
        [trial(leaky, lambda x, slope: x, x, slope=s) for s in (0.5, 0.25) for x in SPREAD[s == 0.5 :]]
    )
    assert isinstance(picture, Curve)
    assert picture.says.startswith("`f(x, slope=0.25)` is wrong at 4 of 10 inputs")


def softmax(x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x, -1)


NO_PICTURE = {
    "nothing failed": trials(torch.relu, torch.relu),
    "entries depend on each other": trials(softmax, lambda x: softmax(x) / 2),
    "too few inputs": trials(torch.relu, torch.abs, [torch.tensor([-1.0, 1.0])] * 4),
    "no input came again": trials(torch.relu, torch.abs, [torch.linspace(-4, 4, 9)]),
    "too close to be seen": trials(torch.relu, lambda x: torch.relu(x) + 0.01),
    "another shape": trials(torch.relu, torch.sum),
    "a small matrix": [wrong(torch.zeros(2, 3), torch.ones(2, 3))],
    "numbers": [wrong(1.0, 2.0)],
    "texts": [wrong("A", "B")],
    "three axes": [wrong(torch.zeros(3, 7, 8), torch.eye(8)[:7].expand(3, 7, 8))],
    "all of a large matrix are off alike": [wrong(torch.zeros(6, 8), torch.ones(6, 8))],
    "an empty image": [wrong(torch.zeros(0, 1, 8, 8), torch.zeros(0, 1, 8, 8))],
    "an error": [Trial(Example({}, (), {}), (), ValueError("x"))],
}


@pytest.mark.parametrize("of_check", NO_PICTURE.values(), ids=NO_PICTURE.keys())
def test_where_numbers_say_as_much_there_is_no_picture(of_check):
    assert picture_of(of_check) is None


WORDS = {
    "a side": (torch.relu, torch.abs, "`f(x)` is wrong at 4 of 10 inputs: x = -4, -3, -2, -1."),
    "all": (torch.relu, lambda x: x + 10, "`f(x)` is wrong at all 10 inputs, from x = -4 to x = 4."),
    "all but few": (torch.abs, lambda x: x * x + x.abs(), "`f(x)` is wrong at 9 of 10 inputs: all but x = 0."),
    "a stretch": (torch.relu, lambda x: x.relu().clamp(max=-x + 1), "`f(x)` is wrong at 5 of 10 inputs: all from x = 1 to x = 4."),
    "one": (torch.abs, lambda x: x.abs() + (x == 3) * 5, "`f(x)` is wrong at 1 of 10 inputs: x = 3."),
}  # fmt: skip


@pytest.mark.parametrize(("right", "own", "says"), WORDS.values(), ids=WORDS.keys())
def test_a_curve_says_in_words_where_it_is_wrong(right, own, says):
    picture = picture_of(trials(right, own))
    assert picture is not None and picture.says == says


def test_nan_and_what_is_far_off_are_drawn_at_the_edge():
    picture = picture_of(trials(torch.relu, lambda x: torch.where(x < -2, x / 0 * 0, torch.exp(9 * x))))
    assert isinstance(picture, Curve)
    assert picture.yours[0] is None and picture.yours[-1] is not None and picture.yours[-1] > 1e9
    assert "nan or inf" in legend(picture) and "far outside" in legend(picture)
    across_and_down = re.findall(r"M([\d.]+) ([\d.]+)l", svg(picture))
    assert len(across_and_down) == 6
    assert all(0 < float(down) < height(picture) - BELOW for _, down in across_and_down)


MASK = torch.ones(4, 4).tril().bool()


def test_a_mask_is_squares_where_it_differs():
    own = MASK.clone()
    own[0, 0], own[1, 3] = False, True
    assert picture_of([wrong(MASK, own)]) == Squares(
        ("d...", "...4", "....", "...."), 1, True, "2 of 16 entries differ: rows 0 and 1, columns 0 and 3."
    )


def test_of_a_batch_of_images_the_worst_is_shown_and_larger_differences_larger():
    expected = torch.zeros(2, 3, 6, 7)
    got = expected.clone()
    got[1, 2, 1, 2:5] = torch.tensor([1.0, -4.0, float("nan")])
    got[0, 0, 0, 0] = 1.0
    picture = picture_of([wrong(expected, got)])
    assert isinstance(picture, Squares)
    assert picture.rows == (".......", "..1dx..", ".......", ".......", ".......", ".......")
    assert picture.says == "4 of 252 entries differ: in image 1, channel 2, row 1, columns 2 to 4."


def test_in_a_large_image_a_square_stands_for_a_block_and_shows_its_worst_entry():
    expected = np.zeros((100, 50))
    got = expected.copy()
    got[99, 49] = 3.0
    picture = picture_of([wrong(expected, got)])
    assert isinstance(picture, Squares)
    assert (picture.block, len(picture.rows), picture.rows[-1]) == (5, 20, ".........4")
    assert "each square stands for 5 × 5 entries" in legend(picture)


def noise(*shape: int) -> Trial:
    generator = torch.Generator().manual_seed(0)
    return wrong(torch.zeros(shape), torch.randn(shape, generator=generator))


def every_way(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x.frac().abs() > 0.5, torch.sin(x) * 1e9, torch.where(x < 0, x / 0 * 0, x + 10))


LARGEST = {
    "curve": trials(torch.relu, every_way, [torch.linspace(-1000, 1000, 700), *SPREAD, *SPREAD]),
    "small image": [noise(6, 6)],
    "image": [noise(24, 24)],
    "batch": [noise(2, 2, 240, 240)],
    "mask": [wrong(torch.zeros(24, 24).bool(), torch.ones(24, 24).bool())],
}


@pytest.mark.parametrize("of_check", LARGEST.values(), ids=LARGEST.keys())
def test_a_picture_is_small_well_formed_and_has_a_text_alternative(of_check):
    picture = picture_of(of_check)
    assert picture is not None
    drawn = svg(picture)
    assert len(drawn.encode()) <= MOST_BYTES
    root = ElementTree.fromstring(drawn)
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None and title.text == root.get("aria-label") == picture.says.replace("`", "")
    assert root.get("role") == "img" and float(root.get("height") or 0) == height(picture)
    assert "nan" not in drawn.split("</title>")[1]


def test_what_is_wrong_has_another_shape_than_what_is_right():
    drawn = svg(picture_of(trials(torch.relu, torch.abs)) or pytest.fail("no picture"))
    line, circles, crosses = re.findall(r"<polyline|<path d=\"M[\d. ]+a3|<path d=\"M[\d. ]+l7", drawn)
    assert (line[:9], circles[-2:], crosses[-2:]) == ("<polyline", "a3", "l7")


@pytest.mark.parametrize("of_check", LARGEST.values(), ids=LARGEST.keys())
def test_a_picture_travels_as_json_and_is_small_there_too(of_check):
    result = CheckResult("test_a", "It holds.", True, "cpu", "failed", 1.0, picture=picture_of(of_check))
    encoded = msgspec.json.encode(result)
    assert msgspec.json.decode(encoded, type=CheckResult) == result
    assert len(encoded) < 3000


def test_the_name_of_a_function_is_text_in_its_picture():
    curve = Curve((0.0, 1.0), (0.0, 1.0), (1.0, None), (0, 1), "<script>&")
    assert "<script" not in svg(curve)
    assert ElementTree.fromstring(svg(curve)).get("aria-label") == "<script>&"


def test_answers_of_another_dtype_alone_have_no_picture():
    image = torch.linspace(0, 1, 64).reshape(8, 8).double()
    assert picture_of([wrong(image, image.float())]) is None
