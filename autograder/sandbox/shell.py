"""What a notebook's namespace has beside the student's names: harmless stand-ins for the shell and its display."""

from typing import Any

EXECUTED = ("time", "prun")


class Shell:
    """Stands for IPython's shell: commands do nothing and give no output; ``%time`` runs what follows it."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def system(self, command: str) -> None:
        """A shell line."""

    def getoutput(self, command: str, **options: Any) -> list[str]:
        """A shell line whose output is kept."""
        return []

    def run_line_magic(self, name: str, line: str = "", **options: Any) -> None:
        """A line magic."""
        if name in EXECUTED and line.strip():
            exec(line, self._namespace)

    def run_cell_magic(self, name: str, line: str = "", cell: str = "") -> None:
        """A cell magic."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


def fresh_namespace() -> dict[str, Any]:
    """The globals of a notebook in which nothing has run."""
    namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown, **options: None}
    shell = Shell(namespace)
    namespace["get_ipython"] = lambda: shell
    return namespace
