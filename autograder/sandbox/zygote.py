"""The process that is forked for each submission: has imported and warmed numpy and torch, and knows nothing else.

It has never held a check, a reference, a seed or a path to them: what a child inherits cannot give them away.
Started as ``python -I -m autograder.sandbox.zygote DESCRIPTOR``; the descriptor is a socket to the judge, over which
come lines of JSON: ``preload`` modules, ``fork`` a child (with its socket and shared memory), fork one for an
``errand`` (with its socket and an open file), ``reap`` one.
"""

import gc
import importlib
import json
import os
import socket
import sys
from functools import cache
from typing import Any

import torch

import autograder
import autograder.guards  # setup cells import it
from autograder.sandbox.child import Settings, Work, become_child, become_errand
from autograder.sandbox.layers import LayerSettings
from autograder.sandbox.warming import warm
from autograder.slow_imports import SLOW


def main(descriptor: int) -> None:
    control = socket.socket(fileno=descriptor)
    # One thread everywhere: a pool of threads does not survive a fork.
    torch.set_num_threads(1)
    warm()
    _silence_check()
    gc.collect()
    gc.freeze()
    _send(control, {"ready": True})
    while True:
        line, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 2)
        if not line:
            return
        _handle(control, json.loads(line), descriptors)


def _handle(control: socket.socket, message: dict[str, Any], descriptors: list[int]) -> None:
    match message["do"]:
        case "preload":
            failed = [name for name in message["modules"] if not _imports(name)]
            gc.collect()
            gc.freeze()
            _send(control, {"failed": failed})
        case "fork":
            connection, shared = descriptors
            pid = os.fork()
            if pid == 0:
                control.close()
                become_child(socket.socket(fileno=connection), shared, Settings(message["settings"]))
            os.close(connection)
            os.close(shared)
            _send(control, {"pid": pid})
        case "errand":
            connection, file = descriptors
            work = _ready(message["module"])
            pid = os.fork()
            if pid == 0:
                control.close()
                become_errand(socket.socket(fileno=connection), file, LayerSettings(**message["layers"]), work)
            os.close(connection)
            os.close(file)
            _send(control, {"pid": pid})
        case "reap":
            _, status, usage = os.wait4(message["pid"], 0)
            _send(control, {"status": status, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss})


@cache
def _ready(module: str) -> Work:
    """The work of a module, imported and warmed once for all children."""
    kept = sys.modules.get(SLOW)
    sys.modules[SLOW] = kept  # type: ignore[assignment]  # None stands for a package that cannot be imported
    loaded = importlib.import_module(module)
    if kept is None:
        del sys.modules[SLOW]
    loaded.warm()
    gc.collect()
    gc.freeze()
    work: Work = loaded.work
    return work


def _silence_check() -> None:
    """A student's own ``check()`` calls do nothing while grading: the judge checks."""
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    autograder.check = lambda exercise=None: 0.0


def _imports(name: str) -> bool:
    try:
        importlib.import_module(name)
    except Exception:
        return False
    return True


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
