"""What an exercise may not call, and whether an operation is one of these."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np
import torch

Library = Literal["torch", "numpy"]
Family = Literal["torch.nn", "autograd", "torch", "scipy", "sklearn"]
Lift = Literal["torch.nn", "autograd"]

FAMILIES: dict[Library, tuple[Family, ...]] = {
    "torch": ("torch.nn", "autograd"),
    "numpy": ("torch", "scipy", "sklearn"),
}
# Lifting the key lifts these.
LIFTED: dict[Lift, tuple[Family, ...]] = {"autograd": ("autograd",), "torch.nn": ("torch.nn", "autograd")}
SAYS: dict[Family, str] = {
    "torch.nn": "`torch.nn`, `torch.optim`",
    "autograd": (
        "autograd (`requires_grad`, `.backward()`, `torch.autograd`, `torch.func`), torch's own "
        "`..._backward`, `torch.compile`, `torch.jit`"
    ),
    "torch": "`torch`",
    "scipy": "`scipy`",
    "sklearn": "`sklearn`",
}
# For each exercise the last names of the operations that its own reference calls.
Free = Mapping[str, frozenset[str]]
# Where a ready-made operation may come from.
LIBRARIES = frozenset({"torch", "numpy", "scipy", "sklearn", "math", "cmath"})
AUTOGRAD_METHODS = frozenset({"backward", "requires_grad_"})
AUTOGRAD = re.compile(
    r"torch\.(autograd(?!\.(no_grad|inference_mode|set_grad_enabled|profiler)\b)"
    r"|func\b(?!\.(vmap|functional_call|stack_module_state)\b)|compile\b|jit\b|_dynamo\b"
    r"|_functorch|Tensor\.(backward|requires_grad_)\b|ops\.\w+\.\w*_backward)"
)
# Counting classes as columns is no layer.
NN = re.compile(r"torch\.(nn|optim|_C\._nn)\b(?!\.functional\.one_hot\b)")
# What backends add to the name of an operation: `aten.native_dropout`, `aten._softmax_backward_data`,
# `aten.special_expit`, `aten._slow_conv2d_forward`.
ADDED = re.compile(
    r"^(native|cudnn|miopen|mkldnn|mkl|safe|fused|thnn|special|masked|sparse|slow|nnpackspatial|quantized)(?=.)"
    r"|(?<=.)(loss|[123]d|data|forward|pointwise|depthwise|dilated|overrideable|mode|tbc)$"
)
# What other libraries call a convolution.
CONVOLVE = re.compile(r"(fft|oa)?(convolve|correlate)(?=\d?d?$)")

# What operations compute whose names do not say so.
COMPUTES = {
    "addmmactivation": ("relu", "gelu"),
    "cudnnrnn": ("rnn", "lstm", "gru"),
    "logexpit": ("logsigmoid", "expit"),
    "miopenrnn": ("rnn", "lstm", "gru"),
    "mkldnnrnnlayer": ("lstm",),
    "relentr": ("kldiv",),
}


class RulesError(ValueError):
    """Rules name a library, or something to lift, that is not there."""


@dataclass(frozen=True)
class Rules:
    """What holds for every exercise of a ``checks.py``, where it stands as ``RULES``.

    Attributes:
        library: what the exercises compute with. With torch nobody may call ``torch.nn``, ``torch.optim`` and
            autograd; with numpy nobody may call torch, scipy and scikit-learn.
        lifts: what is allowed all the same; ``torch.nn`` allows ``torch.optim`` and autograd too.
        vectorised: whether no loop may run over an axis of an argument.
        loops_over: the axes over which one may all the same, as the docstrings' shapes call them: ``("T",)``.
    Raises:
        RulesError: the library is unknown, there is nothing of that name to lift, or ``loops_over`` is no tuple of
            names or stands without ``vectorised``.

    >>> Rules(library="torch", vectorised=True).families
    ('torch.nn', 'autograd')
    >>> Rules(library="torch", lifts=("autograd",)).families
    ('torch.nn',)
    """

    library: Library
    lifts: tuple[Lift, ...] = ()
    vectorised: bool = False
    loops_over: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.library not in FAMILIES:
            raise RulesError(f"library is {self.library!r}, allowed are {', '.join(map(repr, FAMILIES))}")
        liftable = [lift for lift in LIFTED if lift in FAMILIES[self.library]]
        unknown = (
            [repr(lift) for lift in self.lifts if lift not in liftable]
            if isinstance(self.lifts, tuple)
            else ["no tuple"]
        )
        if unknown:
            allowed = ", ".join(map(repr, liftable)) or "nothing"
            raise RulesError(f"lifts has {unknown[0]}, allowed with {self.library} is a tuple of {allowed}")
        named = isinstance(self.loops_over, tuple) and all(isinstance(axis, str) for axis in self.loops_over)
        if not named or (self.loops_over and not self.vectorised):
            needs = 'allowed is a tuple of names of axes, as ("T",), together with vectorised=True'
            raise RulesError(f"loops_over is {self.loops_over!r}, {needs}")

    @property
    def families(self) -> tuple[Family, ...]:
        lifted = {family for lift in self.lifts for family in LIFTED[lift]}
        return tuple(family for family in FAMILIES[self.library] if family not in lifted)


@dataclass(frozen=True)
class Forbidden:
    """What one exercise may not call.

    Attributes:
        names: ready-made operations, such as ``softmax``, wherever they come from and whatever they are called there.
        families: whole libraries, or parts of one.
        free: for each other exercise the last names of what its reference calls; nothing else is free inside of it.
            None where there are no references: then another exercise has its own rules.
    """

    names: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()
    free: Free | None = field(default=None, compare=False)

    def __bool__(self) -> bool:
        return bool(self.names or self.families)

    @property
    def says(self) -> str:
        """The sentence for the student; empty where nothing is forbidden."""
        # What torch's own gradients are called is no name that a student knows.
        known = [f"`{name}`" for name in self.names if not name.endswith("_backward")]
        parts = [f"a ready-made {_listed(known, 'or')} under any name"] if known else []
        parts += [SAYS[family] for family in self.families]
        return f"May not be called here: {'; '.join(parts)}." if parts else ""

    def operation(self, path: str) -> str | None:
        """``path``, such as ``torch.nn.functional.softmax``, as a person writes it if it is forbidden."""
        parts = path.split(".")
        root, rest = parts[0], parts[1:]
        if root not in LIBRARIES:
            return None
        by_family = (
            root in self.families
            or ("torch.nn" in self.families and (NN.match(path) or _only_in_nn(parts)))
            or ("autograd" in self.families and AUTOGRAD.match(path))
        )
        if by_family or any(self._names(part) for part in rest):
            return path.removeprefix("torch.") if path.startswith("torch.Tensor.") else path
        return None

    def method(self, name: str) -> str | None:
        """``x.name`` as a person writes it if it is a forbidden method of tensors or arrays."""
        if "autograd" in self.families and name in AUTOGRAD_METHODS:
            return f"Tensor.{name}"
        if not self._names(name):
            return None
        return (
            f"Tensor.{name}"
            if hasattr(torch.Tensor, name)
            else f"ndarray.{name}"
            if hasattr(np.ndarray, name)
            else None
        )

    def _names(self, part: str) -> bool:
        # Of any number of axes: who may not call `conv2d` may not call `conv1d` either.
        return any(_keys(part) & _keys(name) for name in self.names)


class Everything(Forbidden):
    """Forbids every operation of a library: for finding out which ones are called."""

    def __bool__(self) -> bool:
        return True

    def operation(self, path: str) -> str | None:
        return path if path.partition(".")[0] in LIBRARIES else None

    def method(self, name: str) -> str | None:
        return f"Tensor.{name}"


def last_name(operation: str) -> str:
    """What an operation is called wherever it comes from, such as ``softmax``."""
    return _key(operation.rpartition(".")[2])


NOTHING = Forbidden()


@dataclass(frozen=True)
class Use:
    """A forbidden operation in a student's code.

    Attributes:
        operation: as a person writes it, such as ``torch.nn.functional.softmax`` or ``Tensor.softmax``.
        line: where it stands in its cell, from 1; 0 if it was seen running and not read.
        text: that line.
    """

    operation: str
    line: int = 0
    text: str = ""

    def __str__(self) -> str:
        return f"`{self.operation}`" + (f" (line {self.line}: {self.text})" if self.line else "")


def accusation(exercise: str, uses: tuple[Use, ...]) -> str:
    """What to tell the student whose ``exercise`` has ``uses``, of which there is at least one."""
    # What was read says more than what was seen running, so a name is said once, the read one first.
    first = {use.operation: use for use in reversed(sorted(uses, key=lambda use: use.line == 0))}
    shown = list(reversed(list(first.values())))[:3]
    return f"`{exercise}` uses {_listed([str(use) for use in shown], 'and')}, which may not be called in this exercise."


def _listed(items: list[str], word: str) -> str:
    return f" {word} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _key(name: str) -> str:
    """What a function, its in-place form, its class and its backend's form have in common."""
    return name.replace("_", "").lower()


@cache
def _keys(part: str) -> frozenset[str]:
    """The key of a name, and what is left of it as one after another of what backends add is taken off."""
    keys = [CONVOLVE.sub("convolution", _key(part))]
    while (less := ADDED.sub("", keys[-1])) != keys[-1]:
        keys.append(less)
    return frozenset(keys).union(COMPUTES.get(keys[0], ()))


def _only_in_nn(parts: list[str]) -> bool:
    """Whether an operation of ``torch.ops`` has a Python name in ``torch.nn.functional`` only."""
    if parts[:2] != ["torch", "ops"] or len(parts) < 4:
        return False
    name = parts[3].strip("_")
    return hasattr(torch.nn.functional, name) and not hasattr(torch, name) and not hasattr(torch.Tensor, name)
