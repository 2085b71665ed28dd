"""How the new version of a file is called that stands beside a student's own."""

import re
from pathlib import PurePath

NEWER = re.compile(r".+\.new\d*(\.\w+)?")


def beside(name: str, number: int = 1) -> str:
    """As ``activations.new.ipynb``, with a number from the second on."""
    path = PurePath(name)
    return f"{path.stem}.new{'' if number == 1 else number}{path.suffix}"


def is_newer(name: str) -> bool:
    """Whether a file is called like one that `beside` names."""
    return NEWER.fullmatch(name) is not None
