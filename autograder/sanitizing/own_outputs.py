"""What a student's own outputs keep: small texts and images, as claims of the student's that nothing is read from."""

from dataclasses import dataclass, field
from typing import Any

from nbconvert.filters import strip_ansi
from nbformat.v4 import new_output

from autograder.sanitizing.images import FORMATS, verified

MARK = "Your output as you saw it; the grader made none of it:"
DROPPED = "[an output of another kind, or too large, is not shown]"
CUT = "[the rest of this output is not shown]"
# Characters of one cell's texts, and in a notebook of all; bytes of all images in base64.
CELL_TEXT = 4_000
ALL_TEXT = 40_000
ALL_IMAGES = 1_000_000


@dataclass
class Room:
    """What a notebook's outputs may still take."""

    text: int = ALL_TEXT
    images: int = ALL_IMAGES


@dataclass
class _Kept:
    """The outputs of one cell as they are put together."""

    room: Room
    text: int = CELL_TEXT
    dropped: bool = False
    outputs: list[Any] = field(default_factory=list)

    def add(self, output: Any) -> None:
        kind = output.get("output_type")
        if kind == "stream":
            self._add_text(_joined(output.get("text")))
        elif kind == "error":
            self._add_text(f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}")
        else:
            data = output.get("data")
            self._add_data(data if isinstance(data, dict) else {})

    def _add_data(self, data: dict[str, Any]) -> None:
        for kind in FORMATS:
            image = verified(kind, _joined(data.get(kind)))
            if image is not None and len(image) <= self.room.images:
                self.room.images -= len(image)
                self.outputs.append(new_output("display_data", {kind: image}))
                return
        # The text beside a picture only says that it is one.
        if "text/plain" in data and not any(kind.startswith("image/") for kind in data):
            self._add_text(_joined(data["text/plain"]))
        else:
            self.dropped = True

    def _add_text(self, text: str) -> None:
        text = "".join(c for c in strip_ansi(text) if c.isprintable() or c in "\n\t")
        if text in (MARK, DROPPED) or not text.strip():
            self.dropped |= text == DROPPED
            return
        allowed = max(min(self.text, self.room.text), 0)
        cut = len(text) > allowed
        if cut:
            text = f"{text[:allowed].removesuffix(CUT)}\n{CUT}" if allowed else ""
        self.text -= len(text)
        self.room.text -= len(text)
        self.dropped |= not text
        self.outputs += [_text(text)] if text else []


def own_outputs(outputs: Any, room: Room) -> list[Any]:
    """A student's outputs as they may be shown. No ``execute_result`` is among them, nor anything on stderr."""
    kept = _Kept(room)
    for output in outputs:
        if isinstance(output, dict):
            kept.add(output)
    last = [_text(DROPPED)] if kept.dropped else []
    return [_text(MARK), *kept.outputs, *last] if kept.outputs or last else []


def _text(text: str) -> Any:
    return new_output("display_data", {"text/plain": text})


def _joined(text: Any) -> str:
    """Text that a notebook may hold as a list of lines."""
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""
