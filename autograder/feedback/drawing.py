"""Pictures as inline SVG that reads without colour, in light and dark themes; shapes tell what colours repeat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from autograder.feedback.writing import number
from autograder.results import Curve, Squares

WRONG, RIGHT = "#d9603b", "#2e9e5b"
WIDTH, HEIGHT = 420, 126
# Room for the numbers on the axes, and around the outermost points.
LEFT, BELOW, AROUND = 56, 20, 9
# Values beyond the right ones by more than this share of their range are drawn at the edge, as arrows.
BEYOND = 0.5
CELL = 9
# Up to so many squares in a row are drawn larger.
SMALL = 12
LEVEL_SIDES = (3, 5, 6, 8)


def svg(picture: Curve | Squares) -> Markup:
    """The picture with its text alternative, at most 12 kB."""
    return _curve(picture) if isinstance(picture, Curve) else _squares(picture)


def height(picture: Curve | Squares) -> int:
    """Of the drawing, in pixels."""
    if isinstance(picture, Curve):
        return HEIGHT
    return round(_magnified(picture) * (len(picture.rows) * CELL + 2))


def _magnified(squares: Squares) -> float:
    return 1.6 if max(len(squares.rows), *map(len, squares.rows)) <= SMALL else 1.0


def legend(picture: Curve | Squares) -> str:
    """What its signs mean."""
    if isinstance(picture, Curve):
        signs = ["line: right values", "○ yours, right", "✕ yours, wrong"]
        limits = _limits(picture.right)
        drawn = [picture.yours[place] for place in picture.wrong]
        if any(y is None for y in drawn):
            signs.append("✕ at the bottom: nan or inf")
        if any(y is not None and not limits[0] <= y <= limits[1] for y in drawn):
            signs.append("▲▼ yours, far outside")
        return " · ".join(signs)
    used = set("".join(picture.rows))
    large, small = ("True instead of False", "False instead of True") if picture.is_mask else ("too large", "too small")
    signs = ["dot: right"]
    signs += [f"■ {large}"] if used & set("1234") else []
    signs += [f"□ {small}"] if used & set("abcd") else []
    signs += ["✕ nan or inf"] if "x" in used else []
    signs += ["larger squares: larger differences"] if len(used - set(".x")) > 1 and not picture.is_mask else []
    signs += [f"each square stands for {picture.block} × {picture.block} entries"] if picture.block > 1 else []
    return " · ".join(signs)


def _svg(width: int, tall: int, says: str, parts: Sequence[str], magnified: float = 1.0) -> Markup:
    words = escape(says.replace("`", ""))
    size = f'width="{width * magnified:.0f}" height="{tall * magnified:.0f}" viewBox="0 0 {width} {tall}"'
    return Markup(
        f'<svg role="img" aria-label="{words}" xmlns="http://www.w3.org/2000/svg" {size} '
        'style="max-width:100%;height:auto;display:block" '
        'font-family="sans-serif" font-size="11" fill="none" stroke="none">'
        f"<title>{words}</title>{''.join(parts)}</svg>"
    )


@dataclass(frozen=True)
class _Scale:
    """Where a number stands on an axis of the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)


def _curve(curve: Curve) -> Markup:
    low, high = _limits(curve.right)
    across = _Scale(*_apart(curve.x[0], curve.x[-1]), LEFT + AROUND, WIDTH - AROUND)
    up = _Scale(*_range_shown(curve, low, high), HEIGHT - BELOW - AROUND, AROUND)
    line = " ".join(f"{across(x)},{up(y)}" for x, y in zip(curve.x, curve.right, strict=True))
    wrong = set(curve.wrong)
    right_points = [
        f"M{_n(across(x) - 3)} {_n(up(y))}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0"
        for i, (x, y) in enumerate(zip(curve.x, curve.yours, strict=True))
        if i not in wrong and y is not None
    ]
    wrong_points = [_wrong_point(across(curve.x[i]), curve.yours[i], (low, high), up) for i in curve.wrong]
    return _svg(
        WIDTH,
        HEIGHT,
        curve.says,
        [
            *_axes(curve, across, up),
            f'<polyline points="{line}" stroke="currentColor" stroke-width="1.5" stroke-opacity=".75"/>',
            f'<path d="{"".join(right_points)}" stroke="{RIGHT}" stroke-width="1.5"/>',
            f'<path d="{"".join(wrong_points)}" stroke="{WRONG}" stroke-width="2"/>',
        ],
    )


def _apart(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 1, high + 1)


def _limits(right: Sequence[float]) -> tuple[float, float]:
    """Between which values a point is drawn where it is."""
    low, high = _apart(min(right), max(right))
    return low - BEYOND * (high - low), high + BEYOND * (high - low)


def _range_shown(curve: Curve, low: float, high: float) -> tuple[float, float]:
    shown = [*curve.right, *(min(max(y, low), high) for y in curve.yours if y is not None)]
    return _apart(min(shown), max(shown))


def _wrong_point(x: float, y: float | None, limits: tuple[float, float], up: _Scale) -> str:
    if y is None:
        return _cross(x, HEIGHT - BELOW - 2)
    if y > limits[1]:
        return f"M{_n(x - 4)} {_n(up(limits[1]) + 3)}l4 -7l4 7z"
    if y < limits[0]:
        return f"M{_n(x - 4)} {_n(up(limits[0]) - 3)}l4 7l4 -7z"
    return _cross(x, up(y))


def _cross(x: float, y: float) -> str:
    return f"M{_n(x - 3.5)} {_n(y - 3.5)}l7 7m0 -7l-7 7"


def _axes(curve: Curve, across: _Scale, up: _Scale) -> Iterator[str]:
    """The frame, zero lines, and the outermost numbers."""
    bottom = HEIGHT - BELOW
    yield f'<path d="M{LEFT} 2V{bottom}H{WIDTH - 2}" stroke="currentColor" stroke-opacity=".4"/>'
    zeros = f"M{LEFT} {_n(up(0))}H{WIDTH - 2}" if up.low < 0 < up.high else ""
    zeros += f"M{_n(across(0))} 2V{bottom}" if across.low < 0 < across.high else ""
    yield f'<path d="{zeros}" stroke="currentColor" stroke-opacity=".3" stroke-dasharray="3 3"/>' if zeros else ""
    yield '<g fill="currentColor" fill-opacity=".8">'
    places = sorted({curve.x[0], curve.x[-1]} | ({0.0} if across.low < 0 < across.high else set()))
    for x in places:
        anchor = "start" if x == places[0] else "end" if x == places[-1] else "middle"
        if x in (places[0], places[-1]) or min(across(x) - across(places[0]), across(places[-1]) - across(x)) > 60:
            label = f"{'x = ' if x == places[0] else ''}{number(x, 3)}"
            yield f'<text x="{_n(across(x))}" y="{HEIGHT - 6}" text-anchor="{anchor}">{label}</text>'
    for y in _heights(up):
        yield f'<text x="{LEFT - 4}" y="{_n(up(y) + 4)}" text-anchor="end">{number(y, 3)}</text>'
    yield "</g>"


def _heights(up: _Scale) -> list[float]:
    """The ends of the axis, and 0 between them where there is room."""
    has_room = up.low < 0 < up.high and min(up(up.low) - up(0), up(0) - up(up.high)) > 14
    return [up.low, 0.0, up.high] if has_room else [up.low, up.high]


def _squares(squares: Squares) -> Markup:
    rows, columns = len(squares.rows), max(map(len, squares.rows))
    width, tall = columns * CELL + 2, rows * CELL + 2
    half = CELL / 2
    dots = "".join(f"M{_n(1 + half)} {_n(1 + half + CELL * i)}h{columns * CELL - CELL + 1}" for i in range(rows))
    return _svg(
        width,
        tall,
        squares.says,
        [
            f'<path d="M.5 .5h{width - 1}v{tall - 1}h-{width - 1}z" stroke="currentColor" stroke-opacity=".4"/>',
            f'<path d="{dots}" stroke="currentColor" stroke-opacity=".5" stroke-dasharray="1 {CELL - 1}"/>',
            f'<path d="{"".join(_marks(squares.rows, "1234"))}" fill="{WRONG}"/>',
            f'<path d="{"".join(_marks(squares.rows, "abcd"))}" stroke="#4a90d9" stroke-width="1.2"/>',
            f'<path d="{"".join(_crosses(squares.rows))}" stroke="{WRONG}" stroke-width="1.5"/>',
        ],
        _magnified(squares),
    )


def _marks(rows: Sequence[str], levels: str) -> Iterator[str]:
    """A square for each entry of these levels, the larger the level."""
    for i, row in enumerate(rows):
        for j, level in enumerate(row):
            if level in levels:
                side = LEVEL_SIDES[levels.index(level)]
                gap = 1 + (CELL - side) / 2
                yield f"M{_n(CELL * j + gap)} {_n(CELL * i + gap)}h{side}v{side}h-{side}z"


def _crosses(rows: Sequence[str]) -> Iterator[str]:
    for i, row in enumerate(rows):
        for j, level in enumerate(row):
            if level == "x":
                yield f"M{CELL * j + 3} {CELL * i + 3}l5 5m0 -5l-5 5"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
