"""How points, and shares of them, are written for a person: the same way at every place."""

# Sums of points are rounded to so many digits: what is less apart is the same.
DIGITS = 6


class Points(float):
    """Points that show themselves as they are written everywhere, and are otherwise exact.

    Attributes:
        full: all that could be had, where that is known.
    """

    full: float | None

    def __new__(cls, points: float, full: float | None = None) -> "Points":
        made = super().__new__(cls, points)
        made.full = full
        return made

    def __repr__(self) -> str:
        return points_text(self, self.full)

    __str__ = __repr__


def points_text(points: float, full: float | None = None) -> str:
    """Points with two decimals at most and no needless zeros: 2, 1.5, 0.67.

    They are rounded to the nearest, but only nothing is written as 0, and only all of ``full`` as that: 1.996 of 2 are
    1.99, and 0.004 are 0.01.
    """
    # Adding 0 takes the sign from a zero.
    shown = round(float(points), 2) + 0.0
    if full is not None and round(full - points, DIGITS) > 0:
        shown = min(shown, round(full, 2) - 0.01)
    if round(points, DIGITS) > 0:
        shown = max(shown, 0.01)
    return f"{shown:.2f}".rstrip("0").rstrip(".")


def points_of(points: float, full: float) -> str:
    """What somebody got, and could get: ``1.99 of 2``."""
    return f"{points_text(points, full)} of {points_text(full)}"


def percent_of(part: float, whole: float) -> int:
    """A share in whole per cent: 0 only where it is nothing, and 100 only where it is all."""
    if not whole:
        return 0
    nearest = round(100 * part / whole)
    if round(whole - part, DIGITS) > 0:
        nearest = min(nearest, 99)
    return max(nearest, 1) if round(part, DIGITS) > 0 else nearest
