"""Demo cells in a student's kernel: one that needs an exercise that is not written yet says so in one line.

IPython is given a transformer of cells. It puts what a demo cell does into a block that swallows a stub's
NotImplementedError, so that the cell ends well and "run all" goes on. Every other error stays what it is.
"""

import ast
import dis
import linecache
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType, TracebackType
from typing import Any

STUB = "raise NotImplementedError"
BLOCK = f"__import__({__name__!r}, fromlist=['Demo']).Demo"

# What demo cells would have made that did not run to their end: the exercise that each waits for, as it was then.
_waiting: dict[str, tuple[str, object]] = {}


def install(shell: Any) -> None:
    """Lets a shell's demo cells wait for their exercises; once is enough."""
    if not any(type(one).__name__ == DemoCells.__name__ for one in shell.ast_transformers):
        shell.ast_transformers.append(DemoCells())


class DemoCells(ast.NodeTransformer):
    """Puts the statements of a cell that begins with ``if not grading():`` into a `Demo`."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        match node.body:
            case [ast.If(ast.UnaryOp(ast.Not(), ast.Call(ast.Name("grading"), [], [])), body) as demo, *_]:
                made = ast.parse(f"{BLOCK}({_makes(body)!r}, {_reads(body)!r}, globals())", mode="eval").body
                block = ast.With([ast.withitem(made)], list(body))
                demo.body = [ast.fix_missing_locations(ast.copy_location(block, body[0]))]
        return node


def _makes(body: list[ast.stmt]) -> tuple[str, ...]:
    """The global names that statements bind."""
    return tuple(dict.fromkeys(name for does, name in _accesses(_compiled(body)) if does == "STORE"))


def _reads(body: list[ast.stmt]) -> tuple[str, ...]:
    """The global names that statements read before they bind them."""
    first: dict[str, str] = {}
    for does, name in _accesses(_compiled(body)):
        first.setdefault(name, does)
    return tuple(name for name, does in first.items() if does == "LOAD")


def _compiled(body: list[ast.stmt]) -> CodeType:
    code: CodeType = compile(ast.Module(body, []), "<demo>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code


def _accesses(code: CodeType) -> Iterator[tuple[str, str]]:
    """Each LOAD and STORE of a global name; what functions do, which run later, comes last."""
    for step in dis.get_instructions(code):
        does, _, what = step.opname.partition("_")
        if does in ("LOAD", "STORE") and what in ("NAME", "GLOBAL"):
            yield does, step.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _accesses(inner)


class Demo:
    """What a demo cell does; where that needs an exercise that is not written yet, a sentence is printed instead.

    Args:
        makes, reads: the names that the cell binds, and those that it reads before.
        namespace: the notebook's globals.
    """

    def __init__(self, makes: tuple[str, ...], reads: tuple[str, ...], namespace: dict[str, Any]) -> None:
        self._makes, self._reads = makes, reads
        self._namespace = namespace
        self._figures: set[int] = set()

    def __enter__(self) -> None:
        self._figures = _open_figures()

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is None:
            for name in self._makes:
                _waiting.pop(name, None)
            return False
        exercise = self._needed(error, trace)
        if exercise is None:
            return False
        _waiting.update(dict.fromkeys(self._makes, (exercise, self._namespace.get(exercise))))
        # What was drawn so far would be shown half done.
        for number in _open_figures() - self._figures:
            sys.modules["matplotlib.pyplot"].close(number)
        print(f"This cell needs `{exercise}`, which is not written yet.")
        return True

    def _needed(self, error: BaseException, trace: TracebackType | None) -> str | None:
        """The exercise that is not written yet, if that is why the cell stopped."""
        stub = self._stub(trace) if isinstance(error, NotImplementedError) else None
        if stub is not None or not isinstance(error, Exception):
            return stub
        for name in self._reads:
            exercise, then = _waiting.get(name, ("", None))
            # Once the exercise is written the error is another: the cell above was not run again.
            if exercise and self._namespace.get(exercise) is then and not self._is_whole(name):
                return exercise
        return None

    def _is_whole(self, name: str) -> bool:
        """Whether a cell that stopped had made this all the same: a function, class or module is never half made."""
        value = self._namespace.get(name)
        return isinstance(value, type | ModuleType | FunctionType)

    def _stub(self, trace: TracebackType | None) -> str | None:
        """The student's function or class whose stub ended the cell; None if the error came from elsewhere."""
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is None or trace.tb_frame.f_globals is not self._namespace:
            return None
        code = trace.tb_frame.f_code
        line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
        name = code.co_qualname.partition(".")[0]
        return name if line.startswith(STUB) and name in self._namespace else None


def _open_figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set() if pyplot is None else set(pyplot.get_fignums())
