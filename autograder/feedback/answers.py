"""Two answers as text: in columns, with as few digits as tell them apart, and a sign before each entry that differs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from autograder.feedback.code import brief
from autograder.feedback.likeness import tolerance
from autograder.feedback.writing import SIGN, number

MOST_ROWS = 4
MOST_COLUMNS = 24
# Characters in a line of entries, and in a text that is no array.
WIDTH = 64
CHARACTERS = 400
FEWEST_DIGITS, MOST_DIGITS = 3, 17
# A check may allow more than the usual tolerance: what is so much smaller than the largest difference is not marked.
NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class Answers:
    """Two answers for a reader.

    Attributes:
        expected, got: laid out alike, so that an entry stands in the same column in both.
        differing: where in ``got`` the entries stand that differ, as positions of characters; `SIGN` goes with them.
    """

    expected: str
    got: str
    differing: tuple[tuple[int, int], ...] = ()


def compare_answers(expected: Any, got: Any) -> Answers:
    """Lays out two values of the closed set, in at most five lines each."""
    right, own = as_array(expected), as_array(got)
    if right is None or own is None or right.shape != own.shape or not right.size:
        return Answers(*_cut(*(_alone(value) for value in (expected, got))))
    wrong = differences(expected, right, own)
    answers, kinds = _side_by_side(right, own, wrong), (_kind(expected), _kind(got))
    if kinds[0] == kinds[1]:
        return answers
    return Answers(f"{answers.expected}  {kinds[0]}", f"{answers.got}  {kinds[1]}", answers.differing)


def differences(expected: Any, right: Any, own: Any) -> Any:
    """Which entries of ``own`` differ from ``right``, the array of ``expected``, by more than its tolerance."""
    rtol, atol = tolerance(expected)
    with np.errstate(all="ignore"):
        wrong = ~np.isclose(own, right, rtol=rtol, atol=atol, equal_nan=True)
        if not wrong.any():
            return ~((own == right) | (np.isnan(own) & np.isnan(right)))
        distance = np.abs(np.asarray(own, np.complex128) - np.asarray(right, np.complex128))
        largest = distance[wrong & np.isfinite(distance)].max(initial=0.0)
    return wrong & ~(distance <= NEGLIGIBLE * largest)


def as_array(value: Any) -> Any:
    """Numbers as an array, of float64 where they are of a dtype that numpy lacks; None for anything else."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return value.double().numpy() if value.dtype.is_floating_point else value.numpy()
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind in "biufc" else None
    if isinstance(value, list | tuple) and 0 < len(value) <= MOST_COLUMNS:
        kinds = {type(item) for item in value}
        return np.array(value) if kinds in ({bool}, {int}, {float}) and _fits(value) else None
    return np.array(value) if isinstance(value, bool | int | float | complex) and _fits([value]) else None


def _fits(numbers: Sequence[complex]) -> bool:
    return not any(isinstance(number, int) and abs(number) >= 2**63 for number in numbers)


def _kind(value: Any) -> str:
    name = str(value.dtype).removeprefix("torch.") if isinstance(value, Tensor | np.ndarray) else type(value).__name__
    library = "torch " if isinstance(value, Tensor) else "numpy " if isinstance(value, np.ndarray) else ""
    return f"({library}{name})"


def _alone(value: Any) -> str:
    array = as_array(value)
    if array is None or not array.size:
        return brief(value, 10 * CHARACTERS)
    return _side_by_side(array, array, np.zeros(array.shape, bool)).expected


def _cut(expected: str, got: str) -> tuple[str, str]:
    """Both texts; of long ones the stretch where they begin to differ."""
    if len(expected) <= CHARACTERS and len(got) <= CHARACTERS:
        return expected, got
    same = next((i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), 0)
    start = max(0, same - CHARACTERS // 4) if same >= CHARACTERS // 2 else 0

    def shortened(text: str) -> str:
        part = text[start : start + CHARACTERS - 2]
        return f"{'…' if start else ''}{part}{'…' if len(text) > start + len(part) else ''}"

    return shortened(expected), shortened(got)


def _side_by_side(right: Any, own: Any, wrong: Any) -> Answers:
    """Arrays of one shape; of large ones the first rows and columns that differ."""
    columns = right.shape[-1] if right.ndim else 1
    grids = tuple(array.reshape(-1, columns) for array in (right, own, wrong))
    rows = _chosen_rows(grids[2])
    first = 0
    cells, width = _cells(grids, rows, 0)
    if width < columns:
        first = max(0, int(grids[2][rows].any(axis=0).argmax()) - 1)
        cells, width = _cells(grids, rows, first)
    labels, ends = _frame(right.shape, rows, slice(first, first + width) if width < columns else None)
    expected, _ = _joined(labels, [row[0] for row in cells], ends)
    got, differing = _joined(labels, [row[1] for row in cells], ends)
    return Answers(expected, f"{got}{_left_out(grids[2], rows)}", differing)


def _chosen_rows(wrong: Any) -> list[int]:
    if len(wrong) <= MOST_ROWS:
        return list(range(len(wrong)))
    order = np.argsort(~wrong.any(axis=1), kind="stable")
    return sorted(order[: MOST_ROWS - 1].tolist())


def _left_out(wrong: Any, rows: list[int]) -> str:
    if len(rows) == len(wrong):
        return ""
    differ = int(wrong.any(axis=1).sum() - wrong[rows].any(axis=1).sum())
    return f"\n({len(wrong) - len(rows)} more rows, {differ or 'none'} with a difference)"


def _cells(grids: tuple[Any, ...], rows: list[int], first: int) -> tuple[list[tuple[list[str], list[str]]], int]:
    """For each row the padded entries of both answers, from column ``first`` on, and how many fit in a line."""
    right, own, wrong = (grid[rows, first : first + MOST_COLUMNS] for grid in grids)
    digits = _digits(right[wrong].tolist(), own[wrong].tolist())
    sign = SIGN if grids[2].size > 1 else ""
    columns: list[list[str]] = []
    room = WIDTH
    for column in range(right.shape[1]):
        texts = [number(value, digits) for value in right[:, column].tolist()]
        # An entry within tolerance counts as right, and reads so.
        texts += [
            sign + number(value, digits) if differs else text
            for value, differs, text in zip(own[:, column].tolist(), wrong[:, column].tolist(), texts, strict=True)
        ]
        padded = _padded(texts)
        room -= len(padded[0]) + 1
        if room < 0 and columns:
            break
        columns.append(padded)
    lines = [[column[i] for column in columns] for i in range(2 * len(rows))]
    return list(zip(lines[: len(rows)], lines[len(rows) :], strict=True)), len(columns)


def _digits(right: list[Any], own: list[Any]) -> int:
    """As few significant digits as tell each pair apart."""
    pairs = [(a, b) for a, b in zip(right, own, strict=True) if a != b]
    enough = (d for d in range(FEWEST_DIGITS, MOST_DIGITS) if all(number(a, d) != number(b, d) for a, b in pairs))
    return next(enough, MOST_DIGITS)


def _padded(texts: list[str]) -> list[str]:
    """A column's entries of one width, decimal points below each other."""
    if any("e" in text.lower() or "j" in text for text in texts):
        width = max(map(len, texts))
        return [text.rjust(width) for text in texts]
    parts = [text.partition(".") for text in texts]
    before, after = max(len(head) for head, _, _ in parts), max(len(dot + tail) for _, dot, tail in parts)
    return [head.rjust(before) + (dot + tail).ljust(after) for head, dot, tail in parts]


def _frame(shape: tuple[int, ...], rows: list[int], part: slice | None) -> tuple[list[str], list[str]]:
    """What stands before and after each row: brackets where all is shown, else the index where the row is found."""
    total = math.prod(shape[:-1])
    if len(shape) > 2 or part is not None or len(rows) < total:
        leading = [list(map(int, np.unravel_index(row, shape[:-1]))) if len(shape) > 1 else [] for row in rows]
        stretch = [] if part is None else [f"{part.start}:{part.stop}"]
        labels = [f"[{', '.join([*map(str, index), *stretch])}]  " for index in leading]
        width = max(map(len, labels))
        return [label.ljust(width) for label in labels], [""] * len(rows)
    if len(shape) < 2:
        return ["[" if shape else ""], ["]" if shape else ""]
    last = len(rows) - 1
    return [" [" if i else "[[" for i in range(len(rows))], ["]" if i < last else "]]" for i in range(len(rows))]


def _joined(labels: list[str], rows: list[list[str]], ends: list[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    text, spans = "", []
    for label, cells, end in zip(labels, rows, ends, strict=True):
        text += f"{chr(10) if text else ''}{label}"
        for i, cell in enumerate(cells):
            text += " " if i else ""
            if cell.lstrip().startswith(SIGN):
                start = len(text) + len(cell) - len(cell.lstrip())
                spans.append((start, start + len(cell.strip())))
            text += cell
        text = text + end if end else text.rstrip()
    return text, tuple(spans)
