"""The figures of the last run that was kept: a loss is seen when it happens."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

# Kept with the code, and written anew by ``bench/run.py --keep`` alone.
PATH = Path(__file__).resolve().parent / "kept.json"
# So much worse a figure may be: two runs on one machine differ by less.
ALLOWED = 0.15
# What has to stay small; everything else has to stay large.
SMALL = ("overhead", "growth")

Figures = Mapping[str, float | None]


def read() -> Figures:
    """By name; empty where none were kept."""
    return json.loads(PATH.read_text(encoding="utf-8")) if PATH.is_file() else {}


def write(figures: Figures) -> None:
    PATH.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def losses(kept: Figures, new: Figures) -> Iterator[str]:
    """A sentence for each figure that is much worse than the one that was kept; what was not measured is none."""
    for name, before in kept.items():
        now = new.get(name)
        if before is None or now is None:
            continue
        is_worse = now > before * (1 + ALLOWED) if name.startswith(SMALL) else now < before * (1 - ALLOWED)
        if is_worse:
            yield f"{name} is {now:.2f}, and {before:.2f} was kept: more than {ALLOWED:.0%} worse"
