"""What a notebook's namespace has beside the student's names: harmless stand-ins for the shell and its display."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

EXECUTED = ("time", "prun")


class Nothing:
    """Stands for any part of IPython: it can be called, looked into and gone through, and holds nothing."""

    def __call__(self, *args: Any, **options: Any) -> None:
        return None

    def __getattr__(self, name: str) -> "Nothing":
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class Shell(Nothing):
    """Stands for IPython's shell: commands do nothing and give no output; ``%time`` runs what follows it."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace

    def getoutput(self, command: str, **options: Any) -> list[str]:
        """A shell line whose output is kept."""
        return []

    def run_line_magic(self, name: str, line: str = "", **options: Any) -> Any:
        """A line magic; its value, if what it runs has one."""
        if name not in EXECUTED or not line.strip():
            return None
        try:
            code = compile(line.strip(), f"<%{name}>", "eval")
        except SyntaxError:
            exec(line, self.user_ns)
            return None
        return eval(code, self.user_ns)


def fresh_main() -> ModuleType:
    """The module ``__main__`` of a notebook in which nothing has run."""
    main = ModuleType("__main__")
    namespace = vars(main)
    shell = Shell(namespace)
    last = dict.fromkeys(("_", "__", "___"), "")
    namespace |= {"display": lambda *shown, **options: None, "get_ipython": lambda: shell}
    namespace |= {"In": [""], "Out": {}, **last}
    return main


@contextmanager
def as_main(main: ModuleType) -> Iterator[None]:
    """In the block a notebook's module is ``__main__``: dataclasses, pickle and doctest look names up there."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        yield
    finally:
        sys.modules["__main__"] = before


def become_main(main: ModuleType) -> None:
    """Makes this process, which is the student's alone, the notebook's: IPython itself gives the stand-in, too."""
    sys.modules["__main__"] = main
    ipython = sys.modules.get("IPython")
    if ipython is not None:
        ipython.get_ipython = ipython.core.getipython.get_ipython = main.get_ipython  # type: ignore[attr-defined]
