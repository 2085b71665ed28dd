"""The charts of a report as small inline SVG; numbers stand beside what colours show."""

import re
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from autograder.reporting.figures import Bin, ExerciseFigures

WIDTH, HEIGHT = 420, 160
BELOW, ABOVE, GAP = 34, 18, 4
ROW, LABEL, BAR, LINE = 24, 150, 16, 14
# The name of an exercise goes on in the next line where it is longer, after an underscore if it can.
NAME = re.compile(r".{1,22}(?:(?<=_)|$)|.{1,22}")
# How each outcome of an exercise is drawn: its class in the page's style, and the word for it.
OUTCOMES = (("full", "full points"), ("some", "some"), ("none", "none"), ("untried", "not tried"))


def histogram(bins: Sequence[Bin]) -> Markup:
    """How many submissions have which share of the points."""
    tallest = max(*(one.count for one in bins), 1)
    wide = WIDTH / len(bins)
    room = HEIGHT - BELOW - ABOVE
    parts = [f'<path class="axis" d="M0 {HEIGHT - BELOW}H{WIDTH}"/>']
    for i, one in enumerate(bins):
        tall = room * one.count / tallest
        top, middle = HEIGHT - BELOW - tall, wide * (i + 0.5)
        if one.count:
            parts.append(
                f'<rect class="full" x="{_n(wide * i + GAP / 2)}" y="{_n(top)}" width="{_n(wide - GAP)}" '
                f'height="{_n(tall)}"/><text x="{_n(middle)}" y="{_n(top - 5)}" text-anchor="middle">{one.count}</text>'
            )
        parts.append(
            f'<text class="quiet" x="{_n(middle)}" y="{HEIGHT - BELOW + 15}" text-anchor="middle">'
            f"{one.low * 100:.0f}–{one.high * 100:.0f}</text>"
        )
    parts.append(
        f'<text class="quiet" x="{WIDTH / 2:.0f}" y="{HEIGHT - 3}" text-anchor="middle">percent of the points</text>'
    )
    says = "; ".join(f"{one.low:.0%} to {one.high:.0%}: {one.count}" for one in bins if one.count)
    return _svg(HEIGHT, f"Submissions by percent of the points. {says}.", parts)


def outcomes(exercises: Sequence[ExerciseFigures]) -> Markup:
    """For each exercise the shares of full points, some, none, and not tried."""
    parts: list[str] = []
    says = []
    top = 0
    for one in exercises:
        counts = (one.passed, one.partial, one.failed, one.missing)
        says.append(f"{one.exercise}: " + ", ".join(f"{n} {OUTCOMES[k][1]}" for k, n in enumerate(counts) if n))
        lines, first = NAME.findall(one.exercise), top + ROW // 2 + 4
        parts += [f'<text x="0" y="{first + LINE * i}">{escape(line)}</text>' for i, line in enumerate(lines)]
        parts += _stack(counts, top + (ROW - BAR) / 2)
        top += ROW + LINE * (len(lines) - 1)
    return _svg(top, f"Outcomes by exercise. {'; '.join(says)}.", parts)


def _stack(counts: Sequence[int], top: float) -> Iterator[str]:
    total, left = sum(counts), float(LABEL)
    for (kind, _), count in zip(OUTCOMES, counts, strict=True):
        wide = (WIDTH - LABEL) * count / total if total else 0.0
        if count:
            yield f'<rect class="{kind}" x="{_n(left)}" y="{_n(top)}" width="{_n(wide)}" height="{BAR}"/>'
            if wide > 8 + 7 * len(str(count)):
                place = f'x="{_n(left + wide / 2)}" y="{_n(top + BAR - 4)}"'
                yield f'<text class="on-{kind}" {place} text-anchor="middle">{count}</text>'
        left += wide


def _svg(tall: int, says: str, parts: Sequence[str]) -> Markup:
    words = escape(says)
    return Markup(
        f'<svg role="img" aria-label="{words}" xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{tall}" '
        f'viewBox="0 0 {WIDTH} {tall}">{"".join(parts)}</svg>'
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
