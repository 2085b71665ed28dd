"""What a command costs: CPU, wall time and memory of its whole tree of processes, orphans included."""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage

PR_SET_CHILD_SUBREAPER = 36
SAMPLING_SECONDS = 0.5
# How long processes that a command left behind may take to end.
ORPHAN_SECONDS = 20.0
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU (user and system) and of wall time; MiB of the largest process, and of all together.

    ``together`` is sampled and shares out what processes have in common (PSS), so a forked child counts little.
    """

    cpu: float
    wall: float
    largest: float
    together: float

    def and_then(self, other: "Cost") -> "Cost":
        """The cost of both, one after the other."""
        return Cost(
            self.cpu + other.cpu,
            self.wall + other.wall,
            max(self.largest, other.largest),
            max(self.together, other.together),
        )


class CommandFailed(Exception):
    """A measured command failed; the sentence names its log."""


def adopt_orphans() -> None:
    """Makes this process the parent of whatever a command leaves behind, so that its CPU is counted too."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def measure(
    command: Sequence[str],
    cwd: Path,
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    may_fail: bool = False,
) -> Cost:
    """Runs a command; its cost. Nothing else may run in this process's children meanwhile.

    Raises:
        CommandFailed: it ended with an error that ``may_fail`` does not allow.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        file.write(f"$ {' '.join(command)}\n".encode())
        file.flush()
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
        with _Watched() as watched:
            _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    usages = [usage, *_reap_orphans()]
    if process.returncode and not may_fail:
        raise CommandFailed(f"`{' '.join(command)}` ended with {process.returncode}; its log is {log}.")
    cpu = sum(one.ru_utime + one.ru_stime for one in usages)
    return Cost(cpu, wall, max(one.ru_maxrss for one in usages) / 1024, watched.peak / MEBIBYTE)


def _reap_orphans() -> list[struct_rusage]:
    usages: list[struct_rusage] = []
    deadline = time.monotonic() + ORPHAN_SECONDS
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return usages
        if pid:
            usages.append(usage)
        elif time.monotonic() < deadline:
            time.sleep(0.02)
        else:
            for left in descendants():
                with suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)


def descendants() -> set[int]:
    """The processes below this one."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                # The name before the bracket may itself hold spaces and brackets.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


class _Watched:
    """Samples the memory of all descendants."""

    def __init__(self) -> None:
        self.peak = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Watched":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(SAMPLING_SECONDS):
            self.peak = max(self.peak, sum(_memory(pid) for pid in descendants()))


def _memory(pid: int) -> int:
    """Bytes that a process holds, its share of what it holds with others; 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
