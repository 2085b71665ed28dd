"""A dispatch mode for which torch imports nothing more: the others pull in its compiler, a second of importing."""

from torch.utils._python_dispatch import TorchDispatchMode


class PlainDispatchMode(TorchDispatchMode):
    """A `TorchDispatchMode` whose ``__torch_dispatch__`` runs as it is written."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Otherwise torch wraps the method in something that imports `torch._dynamo` at its first call.
        return False
