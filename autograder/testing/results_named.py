"""The names of a reference's results, as its docstring gives them under ``Returns:``."""

import inspect
import re

# A line that begins a section: a word with a colon and nothing after it, or one of those that go on in the line.
SECTION = re.compile(r"(?:[A-Z]\w*:\s*$|(?:Source|Raises|Args|Attributes|Derivation|Note)s?:)")
ONE = re.compile(r"`{0,2}([A-Za-z_]\w*)`{0,2}:(?:\s|$)")
SEVERAL = re.compile(r"`{0,2}\(([A-Za-z_]\w*(?:, *[A-Za-z_]\w*)+,?)\)`{0,2}:(?:\s|$)")


def result_names(docstring: str | None) -> tuple[str, ...]:
    """The names of the results in order; none where the docstring gives none.

    Under ``Returns:`` each result has a line ``name: text``, which may go on in lines that are indented further; or
    the first line names all in brackets.

    >>> result_names("Task.\\n\\nReturns:\\n    grad_x: like ``x``,\\n        on its device.\\n    mask: 0 or 1.\\n")
    ('grad_x', 'mask')
    >>> result_names("Task.\\n\\nReturns:\\n    ``(out, mask)``: shaped like ``x``.\\n")
    ('out', 'mask')
    >>> result_names("Task.\\n\\nReturns:\\n    A tensor shaped like ``x``.\\n")
    ()
    """
    lines = _returned(inspect.cleandoc(docstring or "").splitlines())
    if not lines:
        return ()
    if several := SEVERAL.match(lines[0]):
        return tuple(name.strip() for name in several[1].split(",") if name.strip())
    if not ONE.match(lines[0]):
        return ()
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    named = (ONE.match(line[margin:]) for line in lines if not line[margin : margin + 1].isspace())
    return tuple(found[1] for found in named if found)


def _returned(lines: list[str]) -> list[str]:
    """The lines of the section, without what they are indented by."""
    start = next((i for i, line in enumerate(lines) if line.strip() == "Returns:"), None)
    if start is None:
        return []
    indent = len(lines[start]) - len(lines[start].lstrip())
    section: list[str] = []
    for line in lines[start + 1 :]:
        if not line.strip():
            if section:
                break
            continue
        if len(line) - len(line.lstrip()) <= indent and SECTION.match(line.strip()):
            break
        section.append(line)
    inner = min((len(line) - len(line.lstrip()) for line in section), default=0)
    return [line[inner:] for line in section]
