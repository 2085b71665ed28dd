"""Runs each usual operation once, so that nothing is imported or allocated while a student's code is timed."""

from functools import partial
from typing import Any

import numpy as np
import torch

from autograder.sandbox.devices import device_finding
from autograder.sandbox.forbidden.operations import Forbidden
from autograder.sandbox.forbidden.watching import watching
from autograder.sandbox.loops import LoopSearch


def warm() -> None:
    """Does what a process that judges would otherwise do again and again, or while a limit counts.

    It costs 1.5 s, most of it for torch's compiler, which torch imports with the first optimiser and which a student's
    own kernel seldom needs: there it is imported when it is needed, and does not count.
    """
    layer = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(8, 2))
    lstm = torch.nn.LSTM(2, 3, batch_first=True)
    for optimizer in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW):
        stepper = optimizer([*layer.parameters(), *lstm.parameters()], lr=0.1)
        out, _ = lstm(layer(torch.ones(3, 1, 4, 4)).reshape(1, 3, 2))
        out.logsumexp(-1).sum().backward()
        stepper.step()
    np.linalg.svd(np.random.default_rng(0).normal(size=(3, 2)))
    torch.Generator().manual_seed(0).get_state()
    function: Any = lambda x: x + torch.zeros_like(x)  # noqa: E731
    for analyse in (partial(device_finding, function), LoopSearch(function, {}).finding):
        analyse((torch.ones(2, 3),), {})
    with watching(Forbidden(("softmax",))):
        torch.ones(2).exp()
