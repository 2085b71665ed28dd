"""Prints text where not every letter can be shown, as in a pipe on Windows."""

import sys


def say(text: str) -> None:
    """Prints; a letter that the output has no code for is printed by its name, as ``\\N{CHECK MARK}``."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "namereplace").decode(encoding), flush=True)
