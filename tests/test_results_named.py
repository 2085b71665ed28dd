"""The names of results, read from a docstring."""

import pytest

from autograder.testing.results_named import result_names

HEAD = "Gradient of ``conv``.\n\n    Args:\n        x: input.\n"

NAMED = {
    "one": (HEAD + "    Returns:\n        grad_x: shaped like ``x``.\n    ", ("grad_x",)),
    "several, one goes on in a second line": (
        HEAD
        + "    Returns:\n        grad_x: shaped like ``x``,\n            in its dtype: float.\n        grad_weight: (C, K).\n    ",
        ("grad_x", "grad_weight"),
    ),
    "sections after it": (
        HEAD
        + "    Returns:\n        out: scaled.\n        mask: 0 or 1.\n    Raises:\n        ValueError: p.\n    Source: Hinton (2012).\n    ",
        ("out", "mask"),
    ),
    "a section after an empty line": (
        "Task.\n\n    Returns:\n        out: scaled.\n\n    Derivation:\n        y: exp.\n    ",
        ("out",),
    ),
    "in brackets": (
        HEAD + "    Returns:\n        ``(out, h, c)``: states of all steps,\n        and the last: two.\n    ",
        ("out", "h", "c"),
    ),
    "in code marks": (HEAD + "    Returns:\n        ``h_new``: (N, H).\n        `c`: (N, H).\n    ", ("h_new", "c")),
    "no indent": ("Task.\n\nReturns:\n    loss: mean.\nSource: me.\n", ("loss",)),
}
UNNAMED = {
    "no docstring": None,
    "empty": "",
    "no section": "Task.\n\n    Args:\n        x: input.\n    ",
    "prose": HEAD + "    Returns:\n        A tensor of the same shape and dtype.\n    ",
    "prose with a colon": HEAD + "    Returns:\n        Two tensors: the first is shaped like ``x``.\n    ",
    "nothing in the section": HEAD + "    Returns:\n    Raises:\n        ValueError: p.\n    ",
}


@pytest.mark.parametrize(("docstring", "names"), NAMED.values(), ids=NAMED.keys())
def test_the_lines_under_returns_give_the_names_in_order(docstring: str, names: tuple[str, ...]) -> None:
    assert result_names(docstring) == names


@pytest.mark.parametrize("docstring", UNNAMED.values(), ids=UNNAMED.keys())
def test_where_none_are_given_there_are_none(docstring: str | None) -> None:
    assert result_names(docstring) == ()
