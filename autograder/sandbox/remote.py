"""The judge's side of the wall: a zygote, and for each submission a child that is forked again after every accident."""

import json
import mmap
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from autograder.sandbox.channel import Channel, Closed, TooLate, shared_memory
from autograder.sandbox.inspection import NOTHING_FOUND, Findings, Inquiry, findings_of
from autograder.sandbox.layers import LayerSettings
from autograder.sandbox.messages import generators_in, with_own_generators
from autograder.sandbox.patience import Patience
from autograder.sandbox.protocol import TIMED_OUT, Raised, Reply, Request
from autograder.sandbox.script import Played, Script
from autograder.sandbox.values import Callback
from autograder.sandbox.wire import ARRAY_LEAST, NotCarried, Pack, Room, WireError, decode, encode, text_of

FRAME_CAP = 256 << 20
MAPPING = 64 << 20
START_SECONDS = 120.0
# Time for a child to lock itself down, and to answer what runs no student code.
GRACE_SECONDS = 20.0
# What reading an answer raises that is not as it should be.
MALFORMED = (WireError, KeyError, TypeError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True)
class Wall:
    """How a child is kept.

    Attributes:
        layers: what the locked-down process may use and reach.
        seconds_per_call, seconds_per_cell: limits, kept by the judge; see `Patience` for which seconds count.
        seconds_per_submission: limit of all calls and cells together.
        accidents: how often the submission's process may end or be stopped.
        output: characters that a call or cell may print.
        callbacks: how often one call may call back.
        device: where the student's code gets its tensors.
    """

    layers: LayerSettings
    seconds_per_call: float = 10.0
    seconds_per_cell: float = 60.0
    seconds_per_submission: float = 300.0
    accidents: int = 50
    output: int = 20_000
    callbacks: int = 10_000
    device: str = "cpu"


@dataclass(frozen=True)
class Spent:
    """What a child used: seconds of CPU, and memory at its highest in bytes."""

    cpu: float
    memory: int


class SandboxError(Exception):
    """The sandbox itself does not work; says why. Never the student's fault."""


class Zygote:
    """A warm process that is forked for each submission; used by one judge."""

    def __init__(self, modules: Sequence[str] = ()) -> None:
        ours, theirs = socket.socketpair()
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if key in os.environ}
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment |= {"MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "autograder.sandbox.zygote", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._control = ours
        self._control.settimeout(START_SECONDS)
        self._lines = ours.makefile("rb")
        self._answer()
        self.preload(modules)

    def preload(self, modules: Sequence[str]) -> None:
        """Imports modules that setup cells need, once for all children; one that is not installed is passed over."""
        if modules:
            self._ask({"do": "preload", "modules": list(modules)})

    def fork(self, settings: dict[str, Any]) -> tuple[int, Channel]:
        """A new child, and the connection to it."""
        ours, theirs = socket.socketpair()
        shared = shared_memory(MAPPING)
        try:
            message = json.dumps({"do": "fork", "settings": settings}).encode()
            socket.send_fds(self._control, [message], [theirs.fileno(), shared])
            pid = self._answer()["pid"]
            return pid, Channel(ours, mmap.mmap(shared, MAPPING), FRAME_CAP)
        except OSError:
            ours.close()
            raise SandboxError("the zygote does not answer") from None
        finally:
            theirs.close()
            os.close(shared)

    def errand(self, module: str, file: int, layers: LayerSettings) -> tuple[int, Channel]:
        """A child that does a module's ``work`` on an open file, and the connection over which it gets its order.

        Args:
            module: has ``work`` and, to run once before the first fork, ``warm``.
            file: the file's descriptor; the child can open nothing itself.
            layers: what the child may use and reach.
        """
        ours, theirs = socket.socketpair()
        try:
            message = json.dumps({"do": "errand", "module": module, "layers": asdict(layers)}).encode()
            socket.send_fds(self._control, [message], [theirs.fileno(), file])
            return self._answer()["pid"], Channel(ours, None, FRAME_CAP)
        except OSError:
            ours.close()
            raise SandboxError("the zygote does not answer") from None
        finally:
            theirs.close()

    def end(self, pid: int) -> tuple[int, Spent]:
        """Kills a child of this zygote; its wait status, and what it used."""
        with suppress(ProcessLookupError):
            # The zygote has not waited for it yet, so the number is still this child's.
            os.kill(pid, signal.SIGKILL)
        answer = self._ask({"do": "reap", "pid": pid})
        return answer["status"], Spent(answer["cpu"], answer["memory"] * 1024)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            self._control.sendall(json.dumps(message).encode())
        except OSError:
            raise SandboxError("the zygote is gone") from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except OSError:
            line = b""
        if not line:
            raise SandboxError("the zygote ended or does not answer; run `autograder doctor`")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Accident(Exception):
    """A child died, was stopped, or broke the format; says what the student's code did."""

    def __init__(self, raised: Raised) -> None:
        super().__init__(str(raised))
        self.raised = raised


class Walled:
    """Runs one submission's cells and answers requests behind the wall; a `Runner`.

    After a time-out, a crash or a broken frame the child is forked again, and the cells that went well run again.
    """

    def __init__(self, zygote: Zygote, wall: Wall) -> None:
        self._zygote = zygote
        self._wall = wall
        self._ran: list[tuple[str, str]] = []
        self._channel: Channel | None = None
        self._pid = 0
        self._accidents = 0
        self._standing: dict[str, Callable[..., Any]] = {}
        self._room = Room()
        self._seconds_left = wall.seconds_per_submission
        self.isolation: tuple[str, ...] = ()
        self.cpu = 0.0
        self.memory = 0

    def run_cell(self, name: str, code: str) -> Raised | None:
        """Runs a cell in the child; what it raised, or None."""
        try:
            message, _ = self._exchange({"do": "run", "name": name, "code": code}, Pack(), self._wall.seconds_per_cell)
            raised = _decode_raised(message.get("raised"))
        except Accident as accident:
            return accident.raised
        except MALFORMED as error:
            return self._malformed(error).raised
        self._ran.append((name, code))
        return raised

    def begin(self) -> None:
        self._room = Room()
        self._try({"do": "begin"})

    def defines(self, name: str) -> bool:
        answer = self._try({"do": "defines", "name": name})
        return answer.get("defines") is True

    def run(self, request: Request) -> Reply:
        return self.run_all([request])[0]

    def run_all(self, requests: Sequence[Request]) -> list[Reply]:
        """Many requests in one frame. After an accident in one the others are asked again one by one."""
        pack, functions = Pack(), _Functions(self._wall.callbacks, self._standing.values())
        try:
            trees = [_encode_request(request, pack, functions) for request in requests]
            message, data = self._exchange(
                {"do": "ask", "requests": trees}, pack, self._wall.seconds_per_call, functions
            )
        except NotCarried as error:
            raise TypeError(str(error)) from None
        except Accident as accident:
            if len(requests) == 1:
                return [Reply(raised=accident.raised)]
            return [self.run(request) for request in requests]
        try:
            replies = message["replies"]
            return [self._decode(tree, data, request) for tree, request in zip(replies, requests, strict=True)]
        except MALFORMED as error:
            return [Reply(raised=self._malformed(error).raised)] * len(requests)

    def play(self, script: Script) -> Played | None:
        """Plays a script in one frame, unless the code has had an accident before, or is to call functions here."""
        if self._accidents or self._standing:
            return None
        asked, pack = script.message
        self._room = Room()
        try:
            message, data = self._exchange(asked, pack, self._wall.seconds_per_call)
        except Accident:
            return None
        try:
            return [
                None
                if script.is_known(i, replies, data)
                else self._replies(replies, data, [with_own_generators(request) for request in script.sequences[i]])
                for i, replies in enumerate(_as_many(message["played"], len(script.sequences)))
            ]
        except MALFORMED as error:
            self._malformed(error)
            return None

    def inspect(self, inquiry: Inquiry) -> Findings:
        """Nothing is found where the student's code has had an accident before, or has one now."""
        if self._accidents:
            return NOTHING_FOUND
        asked, pack = inquiry.message
        try:
            message, _ = self._exchange(asked, pack, self._wall.seconds_per_call)
        except Accident:
            return NOTHING_FOUND
        try:
            return findings_of(message)
        except MALFORMED as error:
            self._malformed(error)
            return NOTHING_FOUND

    @contextmanager
    def standing_in(self, functions: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
        self._standing = dict(functions)
        self._try({"do": "stand_in", "names": list(functions)})
        try:
            yield
        finally:
            self._standing = {}
            self._try({"do": "stand_in", "names": []})

    def _replies(self, trees: Any, data: memoryview, sequence: Sequence[Request]) -> list[Reply]:
        # The generators of a script stay as they are: it is played again for the next student.
        requests = [Request(request.kind, request.name) for request in sequence]
        return [self._decode(tree, data, request) for tree, request in zip(trees, requests, strict=True)]

    def _decode(self, tree: Any, data: memoryview, request: Request) -> Reply:
        return _decode_reply(tree, data, request, self._room, self._wall.output)

    def close(self) -> None:
        """Ends the child."""
        self._end()

    def _try(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            answer, _ = self._exchange(message, Pack(), GRACE_SECONDS)
        except Accident:
            return {}
        return answer

    def _exchange(
        self, message: dict[str, Any] | bytes, pack: Pack, seconds: float, functions: "_Functions | None" = None
    ) -> tuple[dict[str, Any], memoryview]:
        """Sends a message and answers the child's calls back until its reply is there.

        Raises:
            Accident: the child died, took too long, or sent what is no frame.
        """
        if self._seconds_left <= 0:
            raise Accident(_too_late(f"the submission's {self._wall.seconds_per_submission:g} seconds are used up"))
        if self._accidents >= self._wall.accidents:
            raise Accident(_too_late(f"your code has ended its process or was stopped {self._accidents} times"))
        channel = self._channel or self._fork()
        patience = Patience(self._pid, min(seconds, self._seconds_left))
        try:
            channel.send(message, pack, lambda: patience.left)
            while True:
                answer, data = channel.receive(lambda: patience.left)
                if not isinstance(answer, dict):
                    raise WireError("malformed message")
                if "call" not in answer or functions is None:
                    return answer, data
                functions.answer(channel, answer, data, patience)
        except TooLate:
            self._accidents += 1
            self._end()
            raise Accident(_too_late(f"no answer after {patience.seconds:g} seconds")) from None
        except WireError as error:
            raise self._accident(str(error)) from None
        except Closed:
            raise self._accident("") from None
        finally:
            self._seconds_left -= patience.taken

    def _malformed(self, error: Exception) -> Accident:
        what = str(error) if isinstance(error, WireError) else type(error).__name__
        return self._accident(f"sent a malformed answer ({what})")

    def _accident(self, what: str) -> Accident:
        """Ends the child; what happened as an exception of the student's code."""
        self._accidents += 1
        status = self._end()
        if what:
            return Accident(Raised("WireError", (), f"your code broke the connection to the grader: {what}"))
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGXCPU:
                return Accident(_too_late("the submission's CPU time is used up"))
            return Accident(Raised("Crash", (), f"your code ended its process ({signal.strsignal(number)})"))
        return Accident(Raised("Exit", (), "your code ended its process"))

    def _fork(self) -> Channel:
        """A new child in which the cells that went well have run again."""
        settings = {
            "layers": asdict(self._wall.layers),
            "output": self._wall.output,
            "callbacks": self._wall.callbacks,
            "mapping": MAPPING,
            "device": self._wall.device,
        }
        self._pid, channel = self._zygote.fork(settings)
        self._channel = channel
        try:
            starting = Patience(self._pid, GRACE_SECONDS)
            hello, _ = channel.receive(lambda: starting.left)
        except (Closed, TooLate, WireError):
            self._end()
            raise SandboxError("a child does not start; run `autograder doctor`") from None
        self.isolation = tuple(hello["isolation"])
        for name, code in self._ran:
            self._exchange({"do": "run", "name": name, "code": code}, Pack(), self._wall.seconds_per_cell)
        if self._standing:
            self._exchange({"do": "stand_in", "names": list(self._standing)}, Pack(), GRACE_SECONDS)
        return channel

    def _end(self) -> int:
        """Kills the child and closes the connection; its wait status."""
        if self._channel is None:
            return 0
        self._channel.close()
        self._channel = None
        status, spent = self._zygote.end(self._pid)
        self.cpu += spent.cpu
        self.memory = max(self.memory, spent.memory)
        return status


def _too_late(message: str) -> Raised:
    return Raised(TIMED_OUT, (), message)


def _as_many(items: Any, count: int) -> list[Any]:
    if not isinstance(items, list) or len(items) != count:
        raise WireError("malformed answer")
    return items


class _Functions:
    """The functions of the judge that one frame of requests passes, and what is left of the calls it may make."""

    def __init__(self, calls: int, known: Iterable[Callable[..., Any]] = ()) -> None:
        self._calls_left = calls
        self._known = list(known)

    def number(self, function: Callable[..., Any]) -> int:
        self._known.append(function)
        return len(self._known) - 1

    def answer(self, channel: Channel, message: dict[str, Any], data: memoryview, patience: Patience) -> None:
        """Calls the function that the child asks for, and sends its value."""
        reply, pack = self._answer(message, data)
        channel.send(reply, pack, lambda: patience.left)

    def _answer(self, message: dict[str, Any], data: memoryview) -> tuple[dict[str, Any], Pack]:
        self._calls_left -= 1
        if self._calls_left < 0:
            return {"refused": True}, Pack()
        number = message["call"]
        if type(number) is not int or not 0 <= number < len(self._known):
            raise WireError("a call of a function that was not passed")
        args, kwargs = decode(message.get("args"), data), decode(message.get("kwargs"), data)
        if not isinstance(args, tuple) or not isinstance(kwargs, dict) or not all(isinstance(k, str) for k in kwargs):
            raise WireError("a call without arguments")
        pack = Pack()
        try:
            value = encode(self._known[number](*args, **kwargs), pack)
        except Exception as error:
            # A function that a check passes may refuse what the student's code gives it.
            return {"raised": f"{type(error).__name__}: {error}"[:300]}, Pack()
        return {"value": value}, pack


def _encode_request(request: Request, pack: Pack, functions: _Functions) -> dict[str, Any]:
    def argument(value: Any) -> Any:
        if callable(value) and not isinstance(value, Callback):
            return {"function": functions.number(value)}
        return encode(value, pack)

    return {
        "kind": request.kind,
        "name": request.name,
        "args": [argument(arg) for arg in request.args],
        "kwargs": {name: argument(value) for name, value in request.kwargs.items()},
    }


def _decode_reply(tree: Any, data: memoryview, request: Request, room: Room, output: int) -> Reply:
    room.take(ARRAY_LEAST)
    printed, changed = text_of(tree["printed"], output), tuple(text_of(name, 100) for name in tree["changed"][:20])
    raised = _decode_raised(tree.get("raised"))
    for own, used in zip(generators_in(request), tree.get("generators", ()), strict=False):
        _advance(own, decode(used, data, room=room))
    value = None if raised is not None else decode(tree["value"], data, room=room)
    return Reply(value, raised, printed, changed)


def _advance(own: Any, used: Any) -> None:
    """Gives a check's generator the state in which the student's code left its copy."""
    if isinstance(own, torch.Generator) and isinstance(used, torch.Generator):
        own.set_state(used.get_state())
    elif (
        isinstance(own, np.random.Generator)
        and isinstance(used, np.random.Generator)
        and type(own.bit_generator) is type(used.bit_generator)
    ):
        own.bit_generator.state = used.bit_generator.state


def _decode_raised(tree: Any) -> Raised | None:
    if tree is None:
        return None
    type_name, bases, message, place = tree
    if not isinstance(bases, list):
        raise WireError("malformed exception")
    named = tuple(text_of(base, 100) for base in bases[:20])
    return Raised(text_of(type_name, 100), named, text_of(message, 300), text_of(place, 300))
