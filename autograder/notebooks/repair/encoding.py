"""Bytes as text, whatever an editor or an upload did to them."""

import codecs

# Longer marks first: that of UTF-32 begins like that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_of(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file that should be UTF-8, and what was noticed in reading it."""
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace"), (f"the file was {encoding.upper()} text, not UTF-8",)
    unmarked = _unmarked_utf16(raw)
    if unmarked:
        return raw.decode(unmarked, errors="replace"), ("the file was UTF-16 text, not UTF-8",)
    notes = []
    if b"\0" in raw:
        notes.append(f"{raw.count(0)} NUL bytes were left out")
        raw = raw.replace(b"\0", b"")
    try:
        return raw.decode("utf-8-sig"), tuple(notes)
    except UnicodeDecodeError as error:
        notes.append(f"the file was not all UTF-8 text: what could not be read, first at byte {error.start}, is now �")
        return raw.decode("utf-8-sig", errors="replace"), tuple(notes)


def _unmarked_utf16(raw: bytes) -> str | None:
    """UTF-16 without its mark: what a notebook or program begins with is ASCII, so every other byte is zero."""
    start = raw[:64]
    if len(start) < 4:
        return None
    if not any(start[1::2]) and all(start[::2]):
        return "utf-16-le"
    if not any(start[::2]) and all(start[1::2]):
        return "utf-16-be"
    return None
