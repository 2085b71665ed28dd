"""What the files of the project and of a course import."""

import ast
from pathlib import Path


def imports(path: Path) -> set[str]:
    """The parts of autograder that a file imports, and the other packages by their top name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top, *rest = name.split(".")
            found.add(f"autograder.{rest[0]}" if top == "autograder" and rest else top)
    return found
