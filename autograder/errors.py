"""Tell a fault in a course's settings: file, key, what was found and what is allowed, in one sentence."""

import difflib
import json
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec import inspect as schema


class CourseError(Exception):
    """Something in a course's settings that a person has to put right.

    Attributes:
        file: where to look.
        key: what to look for there, such as ``assignments[0].weight`` or ``line 3``.
        found: what stands there.
        allowed: what may stand there.
    """

    def __init__(self, file: Path, key: str, found: str, allowed: str) -> None:
        # All four go to Exception, so that the error survives pickling between processes.
        super().__init__(file, key, found, allowed)
        self.file = file
        self.key = key
        self.found = found
        self.allowed = allowed

    def __str__(self) -> str:
        return f"In {self.file}, {self.key} is {self.found}; allowed is {self.allowed}."


def fault(file: Path, content: dict[str, Any], record: type[Struct], message: str) -> CourseError:
    """What msgspec says about ``content`` when it does not make a ``record``, in our words.

    What is allowed is the description that the field's ``Meta`` carries.
    """
    place = re.search(r" - at `\$([\w.\[\]]*)`\Z", message)
    keys: list[str | int] = [
        int(index) if index else name for name, index in re.findall(r"(\w+)|\[(\d+)\]", place[1] if place else "")
    ]
    value = _value_at(content, keys)
    expected = _type_at(record, keys)
    if missing := re.match(r"Object missing required field `(\w+)`", message):
        keys.append(missing[1])
        return CourseError(file, _key_text(keys), "missing", _allowed(_type_at(record, keys)))
    if message.startswith("Object contains unknown field"):
        known = _field_names(expected)
        unknown = next(key for key in value if key not in known)
        return CourseError(file, _key_text([*keys, unknown]), "an unknown key", one_of(known, unknown))
    return CourseError(file, _key_text(keys), shown(value), _allowed(expected))


def shown(value: object) -> str:
    """A value as a person would find it in the file, on one line and not long."""
    match value:
        case bool():
            return str(value).lower()
        case date() | time():
            return value.isoformat()
        case Mapping():
            return "a table"
        case list():
            return f"an array of {len(value)}"
        case _:
            return _short.repr(value)


_short = reprlib.Repr()
_short.maxstring = 60


def one_of(known: Sequence[str], wrong: str = "") -> str:
    """The known words, and which of them ``wrong`` may have meant."""
    nearest = difflib.get_close_matches(wrong, known, n=1)
    return _listed(known, "or") + (f" (did you mean {nearest[0]}?)" if nearest else "")


def _value_at(content: Any, keys: Sequence[str | int]) -> Any:
    for key in keys:
        content = content[key]
    return content


def _type_at(record: type[Struct], keys: Sequence[str | int]) -> schema.Type:
    here = schema.type_info(record)
    for key in keys:
        bare = here.type if isinstance(here, schema.Metadata) else here
        if isinstance(bare, schema.VarTupleType):
            here = bare.item_type
        elif isinstance(bare, schema.StructType):
            here = next(field.type for field in bare.fields if field.encode_name == key)
    return here


def _allowed(expected: schema.Type) -> str:
    if isinstance(expected, schema.Metadata):
        return str((expected.extra_json_schema or {})["description"])
    return f"a table with the keys {_listed(_field_names(expected), 'and')}"


def _field_names(expected: schema.Type) -> list[str]:
    return [field.encode_name for field in expected.fields] if isinstance(expected, schema.StructType) else []


def _key_text(keys: Iterable[str | int]) -> str:
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += "." * bool(text) + (key if re.fullmatch(r"[\w-]+", key) else json.dumps(key))
    return text or "the file"


def _listed(words: Sequence[str], joint: str) -> str:
    *before, last = words
    return f"{', '.join(before)} {joint} {last}" if before else last
