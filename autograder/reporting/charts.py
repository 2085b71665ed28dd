"""The charts of a report as small inline SVG; numbers stand beside what colours show."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from autograder.reporting.figures import Bin, ExerciseFigures

WIDTH, HEIGHT = 420, 160
BELOW, ABOVE, GAP = 34, 18, 4
ROW, LABEL, BAR = 24, 150, 16
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
    for i, one in enumerate(exercises):
        counts = (one.passed, one.partial, one.failed, one.missing)
        says.append(f"{one.exercise}: " + ", ".join(f"{n} {OUTCOMES[k][1]}" for k, n in enumerate(counts) if n))
        middle = ROW * i + ROW / 2 + 4
        parts.append(f'<text x="0" y="{_n(middle)}">{escape(_short(one.exercise))}</text>')
        parts += _stack(counts, ROW * i + (ROW - BAR) / 2)
    return _svg(ROW * len(exercises), f"Outcomes by exercise. {'; '.join(says)}.", parts)


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


def _short(name: str) -> str:
    return name if len(name) <= 23 else f"{name[:22]}…"


def _svg(tall: int, says: str, parts: Sequence[str]) -> Markup:
    words = escape(says)
    return Markup(
        f'<svg role="img" aria-label="{words}" xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{tall}" '
        f'viewBox="0 0 {WIDTH} {tall}">{"".join(parts)}</svg>'
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
