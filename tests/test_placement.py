"""Another device than the CPU, without one: torch's fake tensors stand in for a GPU's."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from autograder.sandbox.placement import Misplaced, Placement


def test_every_tensor_of_a_request_is_put_on_the_device() -> None:
    x = torch.ones(2, 3)
    placed = Placement("meta").put(((x, [x], 2), {"state": {"m": x}, "dim": 1}))
    assert [tensor.device.type for tensor in (placed[0][0], placed[0][1][0], placed[1]["state"]["m"])] == ["meta"] * 3
    assert (placed[0][2], placed[1]["dim"]) == (2, 1)


def test_an_answer_on_the_cpu_is_refused_if_the_input_was_on_the_device() -> None:
    with FakeTensorMode():
        answer, x = torch.zeros(2), torch.ones(2, device="cuda")
        Placement("cuda").require((x, 1), (x,))
        with pytest.raises(Misplaced, match="the answer is on cpu, though the input is on cuda"):
            Placement("cuda").require((answer, None), (x,))


def test_an_answer_to_a_request_without_tensors_may_be_anywhere() -> None:
    Placement("cuda").require(torch.zeros(2), ((5, 3), {"p": 0.5}))


def test_a_generator_moves_on_as_its_twin_does() -> None:
    placement, own = Placement("cpu"), torch.Generator().manual_seed(3)
    used = torch.Generator().manual_seed(3)
    torch.rand(5, generator=used)
    placement.advance(own, used)
    assert torch.equal(own.get_state(), used.get_state())
