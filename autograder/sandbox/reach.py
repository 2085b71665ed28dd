"""What a student's function can reach, by its compiled code: enough to leave out an analysis that can find nothing."""

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType

from torch import Tensor

LOOP = dis.opmap.get("JUMP_BACKWARD", dis.opmap.get("JUMP_ABSOLUTE", -1))
# Calls that repeat a function without a loop in the student's own code.
REPEATING = frozenset({"map", "reduce", "vectorize", "apply_along_axis", "accumulate", "starmap", "filter"})
# Calls that make a tensor of their own, move one, or hide what is called.
PLACING = frozenset(
    [
        "tensor",
        "as_tensor",
        "asarray",
        "from_numpy",
        "frombuffer",
        "scalar_tensor",
        "zeros",
        "ones",
        "full",
        "empty",
        "arange",
        "range",
        "linspace",
        "logspace",
        "eye",
        "rand",
        "randn",
        "randint",
        "randperm",
        "normal",
        "poisson",
        "complex",
        "polar",
        "tril_indices",
        "triu_indices",
        "bartlett_window",
        "blackman_window",
        "hamming_window",
        "hann_window",
        "kaiser_window",
        "empty_strided",
        "sparse_coo_tensor",
        "cpu",
        "cuda",
        "to",
        "type",
        "numpy",
        "tolist",
        "item",
        "array",
        "device",
        "set_default_device",
        "getattr",
        "eval",
        "exec",
        "vars",
        "globals",
        "locals",
        "import_module",
        "__import__",
    ]
)


class Reach:
    """The names that a function and the student's functions it calls mention, and whether any of them loops."""

    def __init__(self, function: FunctionType) -> None:
        self.names: set[str] = set()
        self.has_loop = False
        self.holds_tensor = False
        self._seen: set[int] = set()
        self._follow(function)

    @property
    def may_misplace(self) -> bool:
        """Whether a tensor could end up on another device than the input's."""
        return self.holds_tensor or not self.names.isdisjoint(PLACING)

    @property
    def may_repeat(self) -> bool:
        """Whether operations could be repeated for each sample."""
        return self.has_loop or not self.names.isdisjoint(REPEATING)

    def _follow(self, function: FunctionType) -> None:
        self._seen.add(id(function))
        held = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        for cell in function.__closure__ or ():
            try:
                held.append(cell.cell_contents)
            except ValueError:
                continue
        for code in _codes(function.__code__):
            self.has_loop = self.has_loop or LOOP in code.co_code[::2]
            self.names.update(code.co_names)
            known = function.__globals__
            held += [known[name] for name in code.co_names if name in known]
        for value in held:
            self._take(value)

    def _take(self, value: object) -> None:
        self.holds_tensor = self.holds_tensor or (isinstance(value, Tensor) and value.ndim > 0)
        if isinstance(value, FunctionType):
            # One that calls itself repeats without a loop.
            self.has_loop = self.has_loop or id(value) in self._seen
            if id(value) not in self._seen:
                self._follow(value)
        elif isinstance(value, type | list | tuple | dict):
            self.holds_tensor = self.has_loop = True  # not looked into: analysed instead
        elif callable(value):
            self.names.add(getattr(value, "__name__", "getattr"))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
