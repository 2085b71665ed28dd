"""A place where a student's code runs, as the judge sees it: in this process, or behind the wall."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from autograder.sandbox.inspection import Findings, Inquiry
from autograder.sandbox.protocol import Answering
from autograder.sandbox.script import Played, Script


class Runner(Answering, Protocol):
    """A place where a student's code runs."""

    def begin(self) -> None:
        """Starts an example: global random state is the same at the start of each."""

    def defines(self, name: str) -> bool:
        """Whether the student's code has a function or class of that name."""

    def play(self, script: Script) -> Played | None:
        """Plays a script's sequences, up to a call that takes too long; None where they have to be asked one by one."""

    def inspect(self, inquiry: Inquiry) -> Findings:
        """Runs examples again and watches which operations the student's code calls; never raises."""

    def standing_in(self, functions: Mapping[str, Callable[..., Any]]) -> AbstractContextManager[None]:
        """In the block the student's code finds these functions under their names; they run on this side."""
