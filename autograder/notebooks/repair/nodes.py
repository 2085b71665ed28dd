"""Notebooks whose keys are attributes too, as those of `nbformat`, which is slow to import."""

from typing import Any


class Node(dict[str, Any]):
    """A JSON object."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def nodes(value: Any) -> Any:
    """JSON with every object a `Node`."""
    if isinstance(value, dict):
        return Node({key: nodes(inner) for key, inner in value.items()})
    return [nodes(inner) for inner in value] if isinstance(value, list) else value
