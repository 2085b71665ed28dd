"""How a number is written, and how an entry is marked that differs. Overviews need it, and neither numpy nor torch."""

import math
from typing import Any

SIGN = "*"


def number(value: Any, digits: int) -> str:
    """A number with so many significant digits, without trailing zeros; whole ones below a million in full."""
    if isinstance(value, complex):
        return f"{number(value.real, digits)}{'-' if value.imag < 0 else '+'}{number(abs(value.imag), digits)}j"
    if not isinstance(value, float) or not math.isfinite(value):
        return str(value)
    size = abs(value)
    if not size:
        return "0"
    if not 1e-4 <= size < 1e6:
        return f"{value:.{digits}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
