"""Writes the reference pages of the handbook from the code: ``commands.md``, ``settings.md`` and ``testing.md``.

``make docs`` runs it; a test fails where a page that is committed is not what it writes.
"""

import os
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Meta, Struct
from testing_page import testing_page

from autograder import course

DOCS = Path(__file__).parent
INTRODUCTION = (
    "`course.toml` in the course's folder says what the course is. It is public: nothing in it is secret. A fault "
    "in it ends every command with one sentence that names the key, what was found and what is allowed."
)
MADE = "<!-- Made from the code by `make docs`; edit the code instead. -->"


def pages() -> dict[str, str]:
    """Each page's file name and text."""
    return {
        "commands.md": commands_page(),
        "settings.md": settings_page(),
        "testing.md": f"{MADE}\n\n{testing_page()}",
    }


def commands_page() -> str:
    """Every command with its arguments and options, as ``--help`` gives them."""
    command = [str(Path(sys.executable).parent / "typer"), "autograder.cli", "utils", "docs", "--name", "autograder"]
    environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "120"}
    text = subprocess.run(command, env=environment, text=True, capture_output=True, check=True).stdout
    # How typer writes a Python type is no word for an instructor.
    text = re.sub(r"(?<=\.\.\.) <list\[str\]>", "", text).replace("[[NAME]...]...", "[NAME]...")
    return f"{MADE}\n\n{text.replace('# `autograder`', '# Commands', 1).strip()}\n"


def settings_page() -> str:
    """Every key of ``course.toml`` with what is allowed, its default and its meaning."""
    lines = [MADE, "", "# Settings: course.toml", "", INTRODUCTION, ""]
    top, tables = [], []
    for field in msgspec.structs.fields(course.CourseFile):
        inner, is_array = _table(field.type)
        if inner is None:
            top.append(field)
        else:
            tables.append((f"[[{field.name}]]" if is_array else f"[{field.name}]", inner))
    lines += [*_rows(course.CourseFile, top), ""]
    for heading, inner in tables:
        summary = (inner.__doc__ or "").split("\n\n")[0]
        lines += [f"## {heading}", "", " ".join(summary.split()), "", *_rows(inner, msgspec.structs.fields(inner)), ""]
    return "\n".join(lines).rstrip().replace("``", "`") + "\n"


def _table(kind: Any) -> tuple[type[Struct] | None, bool]:
    """The record that a key holds, and whether it holds several."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind, False
    if typing.get_origin(kind) is tuple and isinstance(typing.get_args(kind)[0], type):
        inner = typing.get_args(kind)[0]
        return (inner, True) if issubclass(inner, Struct) else (None, False)
    return None, False


def _rows(record: type[Struct], fields: Any) -> Iterator[str]:
    meanings = _attributes(record)
    yield "| key | allowed | default | meaning |"
    yield "|---|---|---|---|"
    for field in fields:
        default = "required" if field.required else _default(field)
        meaning = meanings.get(field.encode_name)
        if meaning is None:
            raise SystemExit(f"{record.__name__}.{field.encode_name} has no line under Attributes in its docstring")
        yield f"| `{field.encode_name}` | {_allowed(field.type)} | {default} | {meaning} |"


def _attributes(record: type[Struct]) -> dict[str, str]:
    """What the docstring says of each key."""
    _, _, listed = cleandoc(record.__doc__ or "").partition("Attributes:\n")
    entries = re.split(r"\n    (?=\w+: )", "\n" + listed)
    named = (entry.partition(":") for entry in entries if entry.strip())
    return {name.strip(): " ".join(text.split()).replace("|", "\\|") for name, _, text in named}


def _allowed(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Annotated:
        for meta in typing.get_args(kind)[1:]:
            if isinstance(meta, Meta) and meta.description:
                return meta.description
    return str(kind)


def _default(field: Any) -> str:
    return _toml(field.default if field.default is not msgspec.NODEFAULT else field.default_factory())


def _toml(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in value) + "]`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value:_}`" if isinstance(value, int) else f"`{value}`"


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")
