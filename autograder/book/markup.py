"""Pieces of MyST Markdown."""

import re
from collections.abc import Sequence

from autograder.points import points_text

HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
CHINESE = re.compile(r"[\u3400-\u9fff]+")
FENCED = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)


def directive(name: str, argument: str, options: dict[str, str], body: str = "") -> str:
    """A directive whose fence is longer than any in its body; with an option at least, no line of the body is one."""
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    head = [f"{fence}{{{name}}} {argument}".rstrip(), *(f":{key}: {value}" for key, value in options.items())]
    return "\n".join([*head, "", *([body] if body else []), fence])


def slug(heading: str) -> str:
    """The name that a heading gets as an anchor, as GitHub gives it: the handbook's links are written for both."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def without_code(text: str) -> str:
    """Markdown without its fenced code, whose comments look like headings."""
    return FENCED.sub("", text)


def count(number: float, what: str) -> str:
    """A number, which may be of points, with its noun."""
    return f"{points_text(number)} {what}{'' if number == 1 else 's'}"


def table(kind: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of a kind that the style sheet knows; what stands in its cells is Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return f"{{.{kind}}}\n" + "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
