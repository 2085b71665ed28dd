"""Drops a notebook's outputs without building what they hold: a file of 200 MB may be 50 kB of work."""

import re
from mmap import mmap

# Inside a JSON text's strings every quote is escaped, so this can only be a key.
KEY = re.compile(rb'"outputs"\s*:\s*\[')
# A string that nothing ends reaches to the end: looked for from each of its quotes again, it would cost their square.
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class TooLarge(Exception):
    """What is left without outputs is more than allowed."""


def without_outputs(raw: bytes | mmap, limit: int) -> bytes:
    """A notebook's JSON with every list of outputs empty.

    Raises:
        TooLarge: more than ``limit`` bytes are left.
    """
    kept: list[bytes] = []
    size = place = 0
    while place < len(raw):
        key = KEY.search(raw, place)
        until = key.end() if key else len(raw)
        size += until - place
        if size > limit:
            raise TooLarge
        kept.append(raw[place:until])
        if key is None:
            break
        place = _end_of_list(raw, until)
    return b"".join(kept)


def _end_of_list(raw: bytes | mmap, start: int) -> int:
    """Where the bracket stands that closes the list whose first entry begins at ``start``."""
    depth = 1
    for token in TOKEN.finditer(raw, start):
        match raw[token.start()]:
            case 0x5B | 0x7B:
                depth += 1
            case 0x5D | 0x7D:
                depth -= 1
                if depth == 0:
                    return token.start()
    return len(raw)
