"""PyTorch's own samples: the one place that reads `torch.testing._internal`, which any release of torch may change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

# With these torch no longer lets its global flags be set, in this whole process.
with patch.object(torch.backends, "disable_global_flags"):
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db
    from torch.testing._internal.common_optimizers import optim_db
    from torch.testing._internal.opinfo import core

# Samples with more entries are left out; torch has some of a million, to fill its vector units.
MOST_ENTRIES = 20_000


@dataclass(frozen=True)
class Sample:
    """A call of one of torch's functions.

    Attributes:
        function: torch's; takes ``arguments`` and ``options``.
        arguments: in order, tensors of one floating dtype among them.
        options: by name. Of a layer its parameters are here, of an optimizer the parameter and its gradient.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def mapped(self, change: Callable[[Tensor], Tensor]) -> "Sample":
        """The same call with every floating tensor changed; one that stands there twice stays one."""
        seen: dict[int, Tensor] = {}

        def of(value: Any) -> Any:
            if isinstance(value, Tensor) and value.is_floating_point():
                return seen.setdefault(id(value), change(value))
            if isinstance(value, list | tuple):
                return type(value)(of(item) for item in value)
            if isinstance(value, dict):
                return {key: of(item) for key, item in value.items()}
            return value

        return replace(self, arguments=of(self.arguments), options=of(self.options))

    def answer(self) -> Any:
        """What torch says."""
        return self.function(*self.arguments, **self.options)

    @property
    def entries(self) -> int:
        """The number of entries of the largest tensor."""
        return max((x.numel() for x in _tensors((self.arguments, self.options))), default=0)


def samples_of(source: str, name: str, dtype: torch.dtype, *, entrywise: bool = False) -> Iterator[Sample]:
    """torch's samples of a function, the same at every run, each with its tensors as given and not contiguous.

    Args:
        source: "operator", "module" or "optimizer".
        name: as the database has it: "nn.functional.elu", "nn.LSTMCell", "SGD".
        dtype: of the tensors.
        entrywise: adds the tensors with small, large and special values and odd strides that torch has for functions
            that work entry by entry.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = {
            "operator": partial(_of_operator, entrywise=entrywise),
            "module": _of_module,
            "optimizer": _of_optimizer,
        }
        for sample in made[source](name, dtype):
            yield sample
            if sample.entries <= MOST_ENTRIES:
                yield sample.mapped(_not_contiguous)


def refused_by_torch(name: str) -> Iterator[Sample]:
    """torch's samples of what an operator refuses; those whose tensors are not of one floating dtype are left out."""
    entry = _entry("operator", name)
    for one in entry.error_inputs("cpu") if entry.error_inputs_func is not None else ():
        sample = Sample(entry.op, (one.sample_input.input, *one.sample_input.args), dict(one.sample_input.kwargs))
        dtypes = {x.dtype for x in _tensors((sample.arguments, sample.options))}
        if len(dtypes) == 1 and dtypes.pop().is_floating_point:
            yield sample


def has_dtype(source: str, name: str, dtype: torch.dtype) -> bool:
    """Whether torch has the function in that dtype on the CPU."""
    entry = _entry(source, name)
    return (
        entry.supports_dtype(dtype, "cpu") if source == "operator" else source == "optimizer" or dtype in entry.dtypes
    )


def _of_operator(name: str, dtype: torch.dtype, *, entrywise: bool) -> Iterator[Sample]:
    entry = _entry("operator", name)
    own = [Sample(entry.op, (s.input, *s.args), dict(s.kwargs)) for s in entry.sample_inputs("cpu", dtype)]
    yield from own
    if entrywise:
        options = list({repr((s.arguments[1:], s.options)): s for s in own}.values())
        for x in _special_values(dtype):
            yield from (replace(s, arguments=(x, *s.arguments[1:])) for s in options)


def _special_values(dtype: torch.dtype) -> list[Tensor]:
    kinds = ("small_value", "large_value", "extremal_value", "noncontiguous", "arbitrarily_strided")
    makers = (getattr(core, f"generate_elementwise_unary_{kind}_tensors") for kind in kinds)
    of = _entry("operator", "sigmoid")  # which is defined everywhere
    return [s.input for s in chain(*(make(of, device="cpu", dtype=dtype, requires_grad=False) for make in makers))]


def _of_module(name: str, dtype: torch.dtype) -> Iterator[Sample]:
    entry = _entry("module", name)
    inputs = entry.module_inputs_func(entry, device="cpu", dtype=dtype, requires_grad=False, training=True)
    for one in inputs:
        module = entry.module_cls(*one.constructor_input.args, **one.constructor_input.kwargs).to(dtype)
        weights = {name: weight.detach() for name, weight in module.named_parameters()}
        forward = one.forward_input
        yield Sample(partial(run_layer, module, forward.kwargs), forward.args, weights)


def run_layer(module: torch.nn.Module, given: dict[str, Any], *arguments: Any, **weights: Tensor) -> Any:
    """A layer's answer with other weights than its own; ``given`` are the options of its forward pass."""
    return torch.func.functional_call(module, weights, arguments, given)


def _of_optimizer(name: str, dtype: torch.dtype) -> Iterator[Sample]:
    entry = _entry("optimizer", name)
    for one in entry.optim_inputs_func("cpu"):
        for shape in ((3, 4), (5,), ()):
            tensors = {"param": torch.randn(shape, dtype=dtype), "grad": torch.randn(shape, dtype=dtype)}
            yield Sample(partial(_step, entry.optim_cls), (), {**tensors, **one.kwargs})


def _step(optimizer: type[torch.optim.Optimizer], *, param: Tensor, grad: Tensor, **options: Any) -> Tensor:
    own = param.detach().clone().requires_grad_()
    own.grad = grad
    optimizer([own], **options).step()
    return own.detach()


@cache
def _entry(source: str, name: str) -> Any:
    entries = {
        "operator": {entry.full_name: entry for entry in op_db},
        "module": {entry.name: entry for entry in module_db},
        "optimizer": {entry.optim_cls.__name__: entry for entry in optim_db},
    }
    return entries[source][name]


def _not_contiguous(x: Tensor) -> Tensor:
    """Every second entry of a wider tensor with nan in between; an empty tensor or one without axes as it is."""
    if x.ndim == 0 or x.numel() == 0:
        return x.clone()
    wide = x.new_full((*x.shape[:-1], 2 * x.shape[-1]), torch.nan)
    wide[..., ::2] = x
    return wide[..., ::2]


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        yield from chain(*map(_tensors, value))
    elif isinstance(value, dict):
        yield from chain(*map(_tensors, value.values()))
