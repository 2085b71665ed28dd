"""The process that runs one submission's code: locks itself down, then answers until the connection closes."""

import mmap
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, BinaryIO

import msgspec

from autograder.sandbox.cells import run_cell
from autograder.sandbox.channel import Channel, Closed
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.inspection import inquiry_of
from autograder.sandbox.layers import LayerSettings, apply_layers
from autograder.sandbox.limits import TooManyCallbacks
from autograder.sandbox.messages import decode_request, encode_raised, encode_reply, generators_in
from autograder.sandbox.shell import become_main, fresh_main
from autograder.sandbox.wire import Pack, decode, encode

FRAME_CAP = 1 << 31
# What an errand does: an order and an open file in, an answer out.
Work = Callable[[bytes, BinaryIO], bytes]


class Settings:
    """What the judge tells a child before the student's code runs."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.layers = LayerSettings(**content["layers"])
        self.output: int = content["output"]
        self.callbacks: int = content["callbacks"]
        self.mapping: int = content["mapping"]
        self.device: str = content["device"]


def become_child(connection: socket.socket, shared: int, settings: Settings) -> None:
    """In the forked process: cuts every other tie, applies the layers, serves, and never returns."""

    def serve() -> None:
        mapping = mmap.mmap(shared, settings.mapping)
        os.close(shared)
        isolation = apply_layers(settings.layers)
        channel = Channel(connection, mapping, FRAME_CAP, FRAME_CAP)
        channel.send({"isolation": list(isolation)}, Pack())
        Server(channel, settings).serve()

    _never_return(serve, (connection.fileno(), shared))


def become_errand(connection: socket.socket, descriptor: int, layers: LayerSettings, work: Work) -> None:
    """In the forked process: cuts every other tie, applies the layers, works on one open file, and never returns."""

    def serve() -> None:
        apply_layers(layers)
        channel = Channel(connection, None, FRAME_CAP, FRAME_CAP)
        _, order = channel.receive()
        pack = Pack()
        with open(descriptor, "rb") as file:
            pack.data.extend(work(bytes(order), file))
        channel.send({}, pack)

    _never_return(serve, (connection.fileno(), descriptor))


def _never_return(serve: Callable[[], None], keep: tuple[int, ...]) -> None:
    code = 1
    try:
        _keep_only(*keep)
        serve()
        code = 0
    except Closed:
        code = 0
    finally:
        os._exit(code)


def _keep_only(*descriptors: int) -> None:
    """Standard streams lead nowhere; every other descriptor is closed."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in descriptors:
            try:
                os.close(int(name))
            except OSError:
                continue  # the listing's own descriptor


class Server:
    """Answers the judge's messages with a namespace of its own."""

    def __init__(self, channel: Channel, settings: Settings) -> None:
        self._channel = channel
        main = fresh_main()
        become_main(main)
        self._namespace = vars(main)
        self._replaced = ExitStack()
        self._output = settings.output
        self._runner = InProcess(
            self._namespace,
            output_characters=settings.output,
            callbacks=settings.callbacks,
            device=settings.device,
        )

    def serve(self) -> None:
        while True:
            message, data = self._channel.receive()
            pack = Pack()
            match message["do"]:
                case "run":
                    raised = run_cell(
                        message["name"], message["code"], self._namespace, seconds=None, output=self._output
                    )
                    self._channel.send({"raised": encode_raised(raised)}, pack)
                case "begin":
                    self._runner.begin()
                    self._channel.send({}, pack)
                case "defines":
                    self._channel.send({"defines": self._runner.defines(message["name"])}, pack)
                case "stand_in":
                    self._replaced.close()
                    names = {name: self._function(number) for number, name in enumerate(message["names"])}
                    self._replaced.enter_context(self._runner.standing_in(names))
                    self._channel.send({}, pack)
                case "inspect":
                    sequences = tuple(
                        tuple(decode_request(tree, data, self._function) for tree in sequence)
                        for sequence in message["sequences"]
                    )
                    findings = self._runner.inspect(inquiry_of(message, sequences))
                    self._channel.send(msgspec.to_builtins(findings), pack)
                case "play":
                    played = [self._play(sequence, data, pack) for sequence in message["sequences"]]
                    self._channel.send({"played": played}, pack)
                case "ask":
                    answers = [self._answer(tree, data, pack) for tree in message["requests"]]
                    self._channel.send({"replies": answers}, pack)

    def _play(self, sequence: list[dict[str, Any]], data: memoryview, pack: Pack) -> list[Any]:
        self._runner.begin()
        return [self._answer(tree, data, pack) for tree in sequence]

    def _answer(self, tree: dict[str, Any], data: memoryview, pack: Pack) -> dict[str, Any]:
        request = decode_request(tree, data, self._function)
        return encode_reply(self._runner.run(request), generators_in(request), pack)

    def _function(self, number: int) -> Callable[..., Any]:
        """Stands for a function that lives with the judge."""

        def function(*args: Any, **kwargs: Any) -> Any:
            pack = Pack()
            self._channel.send({"call": number, "args": encode(args, pack), "kwargs": encode(kwargs, pack)}, pack)
            message, data = self._channel.receive()
            if "refused" in message:
                raise TooManyCallbacks
            if "raised" in message:
                raise ValueError(message["raised"])
            return decode(message["value"], data, trusted=True)

        return function
