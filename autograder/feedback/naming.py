"""What a sentence calls a part of an answer: the gradient `grad_x`, the key `w`, the attribute `best`."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
# Stands in a path for every entry of a list.
EACH = "*"
GRADIENT = "grad_"
AUTOGRAD = "autograd's gradients"
# Said of what holds of one example, and need not hold of the others.
IN_THE_FIRST = "in the first example that fails"


class Step(NamedTuple):
    """One step into an answer: an index, a key or `EACH`, and of how many."""

    key: Any
    of: int


class Part(NamedTuple):
    """What is asked of, and where in its answer something stands.

    Attributes:
        kind, name: of the request, such as ``call`` of ``conv2d`` or ``attribute`` ``best``.
        path: from the whole answer inwards; empty for the whole.
    """

    kind: str
    name: str
    path: tuple[Step, ...] = ()


def name_of(part: Part, returns: Sequence[str] = ()) -> str:
    """The part in words; empty where it is all that a function gives."""
    members = {
        "attribute": f"the attribute `{part.name}`",
        "method": f"what `{part.name}` returns",
        "gradient": AUTOGRAD if part.path else "autograd's gradient",
    }
    member = members.get(part.kind, "")
    outer = member
    for depth, step in enumerate(part.path):
        outer = _inside(outer, step, part.path[depth - 1] if depth else None, () if depth or member else returns)
    return outer


def _inside(outer: str, step: Step, before: Step | None, returns: Sequence[str]) -> str:
    of = f" of {outer}" if outer else ""
    if isinstance(step.key, str) and step.key != EACH:
        return f"the key `{step.key}`{of}"
    if step.key == EACH:
        if len(returns) == 1:
            return _named(returns[0])
        return outer or "the list"
    if before is not None and before.key == EACH:
        return f"the {_ordinal(step.key)} of each {'pair' if step.of == 2 else 'group'} in {outer}"
    if len(returns) == step.of > 1:
        return _named(returns[step.key])
    if outer:
        return f"the {_ordinal(step.key)}{'' if outer == AUTOGRAD else ' entry'} of {outer}"
    return f"the {_ordinal(step.key)} result"


def _named(name: str) -> str:
    return f"the {'gradient' if name.startswith(GRADIENT) else 'result'} `{name}`"


def all_of(names: Iterable[str]) -> str:
    """Names as one reads them: the gradients `grad_w` and `grad_b`, and the key `loss`."""
    grouped: dict[str, list[str]] = {}
    for name in _gathered(list(names)):
        head, mark, rest = name.partition(" `")
        plain = bool(mark) and rest.count("`") == 1 and rest.endswith("`")
        grouped.setdefault(head if plain else name, []).append(f"`{rest}" if plain else "")
    words = []
    for head, own in grouped.items():
        if own == [""]:
            words.append(head)
        else:
            words.append(f"{head}{'s' if len(own) > 1 else ''} {join(own)}")
    return join(words)


def _gathered(names: Sequence[str]) -> Sequence[str]:
    """The same with several of autograd's gradients as one, at the end."""
    places = [name.removeprefix("the ").removesuffix(f" of {AUTOGRAD}") for name in names if name.endswith(AUTOGRAD)]
    if len(places) < 2:
        return names
    return [*(name for name in names if not name.endswith(AUTOGRAD)), f"the {join(places)} of {AUTOGRAD}"]


def instead_of(pairs: Sequence[tuple[object, object]]) -> str:
    """The first pair of what came and what is expected; that it is the first, where there are others."""
    got, expected = pairs[0]
    return f"{got} instead of {expected}{'' if len(set(pairs)) == 1 else f' {IN_THE_FIRST}'}"


def join(words: Sequence[str]) -> str:
    """Words with commas, and "and" before the last."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _ordinal(index: int) -> str:
    return ORDINALS[index] if index < len(ORDINALS) else f"{index + 1}th"
