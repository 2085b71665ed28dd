"""The wall around a student's code: an ordered table of layers, whether each works here, and how to put them up."""

import errno
import json
import mmap
import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from autograder.sandbox.landlock import landlock_abi, restrict
from autograder.sandbox.namespaces import drop_privileges, enter_namespaces, has_privileges
from autograder.sandbox.roots import enter_own_root
from autograder.sandbox.seccomp import refuse_system_calls

if sys.platform != "win32":
    import resource

MEBIBYTE = 1024 * 1024
PROBE_SECONDS = 20.0
PROBE_MEMORY = 64 * MEBIBYTE


def default_readable() -> tuple[str, ...]:
    """What a student's code may read: Python and its packages, system libraries, time zones and fonts, the processor.

    Not an interpreter's whole folder but its parts: ``/usr`` may hold a course, ``/usr/local/share`` nbgrader's
    exchange and ``etc`` a password. Of ``sys.path`` only folders of installed packages: the course may stand there.
    """
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, "/usr", "/usr/local", "/"}
    parts = ("lib", "lib64", "share/zoneinfo", "share/fonts")
    interpreter = {os.path.join(prefix, part) for prefix in prefixes for part in parts}
    standard = {path for key in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(key))}
    packages = {path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")}
    ours = str(Path(__file__).resolve().parent.parent)
    # Debian's libraries lead to each other through /etc/alternatives.
    system = {"/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/zero", "/proc/cpuinfo"}
    processors = "/sys/devices/system/cpu"
    return tuple(sorted(interpreter | standard | packages | system | {ours, processors}))


@dataclass(frozen=True)
class LayerSettings:
    """What a locked-down process may use and reach.

    Attributes:
        memory_bytes: address space on top of what the process has when it is locked down; None for no limit
            (CUDA maps far more than it uses). Reaching it raises MemoryError, or RuntimeError in torch.
        cpu_seconds: processor time on top of what the process has used; then SIGXCPU, a second later SIGKILL.
        file_bytes: how large a file may become that it writes.
        open_files: highest number of open files.
        threads: how many threads it may have, where namespaces work; else they are not limited.
        readable: files, and folders with all below them, that may be read; in a root of its own nothing else exists.
            See `default_readable`.
        devices: files that may be read, written and given commands.
    Raises:
        ValueError: a number is negative or a path is not absolute.
    """

    memory_bytes: int | None = 2048 * MEBIBYTE
    cpu_seconds: int = 300
    file_bytes: int = 0
    open_files: int = 128
    threads: int = 256
    readable: tuple[str, ...] = field(default_factory=default_readable)
    devices: tuple[str, ...] = ("/dev/null",)

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "cpu_seconds", "file_bytes", "open_files", "threads"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} is {value}; allowed is a number from 0 upwards")
        for path in (*self.readable, *self.devices):
            if not os.path.isabs(path):
                raise ValueError(f"{path!r} is not an absolute path")


class Probe(NamedTuple):
    """Whether a layer works on this machine, and why it does or does not."""

    on: bool
    why: str


@dataclass(frozen=True)
class Layer:
    """One part of the wall.

    Attributes:
        name: its name in results.
        stops: what it stops.
        apply: puts it up around this process, for good; raises where the machine does not allow it.
        holds: whether it stops what it should, tried in this process after `apply`.
        detail: a few words on what this machine offers.
    """

    name: str
    stops: str
    apply: Callable[[LayerSettings], None]
    holds: Callable[[], bool]
    detail: Callable[[], str] = lambda: "tried here, and it holds"

    def probe(self) -> Probe:
        """Tries the layer in a short-lived process; this one stays as it is."""
        return probe_layers([self.name])[self.name]


def apply_layers(settings: LayerSettings) -> tuple[str, ...]:
    """Locks this process down, for good, with all that works here.

    Call it in a process that has one thread and has imported what it needs.

    Returns:
        The names of the layers that are on. One that does not work here is left out.
    """
    on = []
    for layer in LAYERS if sys.platform == "linux" else ():
        try:
            layer.apply(settings)
        except Exception:  # whatever a machine has against a layer, the others go up
            continue
        on.append(layer.name)
    return tuple(on)


def probe_layers(names: Iterable[str] | None = None) -> dict[str, Probe]:
    """Tries layers, all or those named, each alone, in short-lived processes; this one stays as it is."""
    wanted = [layer.name for layer in LAYERS] if names is None else list(names)
    if sys.platform != "linux":
        return {name: Probe(False, "needs Linux") for name in wanted}
    # A new program: forking this one would run what torch and OpenBLAS have registered for a fork.
    script = f"import sys; sys.path[:] = {sys.path!r}; from autograder.sandbox.layers import _main; _main({wanted!r})"
    command = [sys.executable, "-I", "-S", "-c", script]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS, check=True)
        found: dict[str, list[object]] = json.loads(done.stdout)
        return {name: Probe(bool(on), str(why)) for name, (on, why) in found.items()}
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return {name: Probe(False, f"it could not be tried: {error}") for name in wanted}


def revealed(readable: Iterable[str], secret: Iterable[Path]) -> tuple[Path, ...]:
    """Those of the ``secret`` paths that stand at or below a readable one. For the judge, who knows them."""
    folders = [Path(path).resolve() for path in readable]
    return tuple(path for path in secret if any(path.resolve().is_relative_to(folder) for folder in folders))


def _limit_resources(settings: LayerSettings) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime) + 1 + settings.cpu_seconds
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, settings.file_bytes)
    _lower(resource.RLIMIT_NOFILE, settings.open_files)
    _lower(resource.RLIMIT_CPU, seconds, seconds + 1)
    if settings.memory_bytes is not None:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
        _lower(resource.RLIMIT_AS, pages * mmap.PAGESIZE + settings.memory_bytes)


def _lower(limit: int, soft: int, hard: int | None = None) -> None:
    allowed = resource.getrlimit(limit)[1]
    wanted = soft if hard is None else hard
    highest = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
    resource.setrlimit(limit, (min(soft, highest), highest))


def _memory_ends() -> bool:
    try:
        mmap.mmap(-1, 2 * PROBE_MEMORY).close()
    except OSError:
        return True
    return False


def _network_is_gone() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return _gives({errno.ENETUNREACH}, lambda: probe.connect(("127.0.0.1", 9)))


def _paths_are_gone() -> bool:
    return _gives({errno.ENOENT}, lambda: os.stat("/proc/self"))


def _files_are_gone() -> bool:
    return _gives({errno.EACCES}, lambda: os.close(os.open("/", os.O_RDONLY)))


def _calls_are_refused() -> bool:
    return _gives({errno.EPERM}, lambda: socket.socket().close())


def _gives(errors: set[int], action: Callable[[], object]) -> bool:
    try:
        action()
    except OSError as error:
        return error.errno in errors
    return False


# In the order in which they have to go up: each needs something that the next one takes away.
LAYERS = (
    Layer("rlimits", "using up memory, processor time and disk", _limit_resources, _memory_ends),
    Layer(
        "namespaces",
        "reaching the network and other processes' IPC, threads without end",
        lambda settings: enter_namespaces(settings.threads),
        _network_is_gone,
    ),
    Layer(
        "own_root",
        "learning which other files there are, and how large",
        lambda settings: enter_own_root((*settings.readable, *settings.devices)),
        _paths_are_gone,
    ),
    Layer(
        "no_new_privs",
        "root's powers, and getting them through a setuid program",
        lambda settings: drop_privileges(),
        lambda: not has_privileges(),
    ),
    Layer(
        "landlock",
        "reading the course and the home folder, writing anywhere",
        lambda settings: restrict(settings.readable, settings.devices),
        _files_are_gone,
        lambda: f"ABI {landlock_abi()}",
    ),
    Layer(
        "seccomp",
        "sockets, processes and programs, tracing, signals to others",
        lambda settings: refuse_system_calls(),
        _calls_are_refused,
    ),
)


def _main(names: list[str]) -> None:
    """Tries layers, each in a fork of this small process, and prints what was found."""
    print(json.dumps({layer.name: _tried(layer) for layer in LAYERS if layer.name in names}))


def _tried(layer: Layer) -> Probe:
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            layer.apply(LayerSettings(memory_bytes=PROBE_MEMORY))
            found = Probe(True, layer.detail()) if layer.holds() else Probe(False, "it went up, but stops nothing")
        except BaseException as error:
            found = Probe(False, _reason(error))
        os.write(send, json.dumps(found).encode())
        os._exit(0)
    os.close(send)
    with open(receive, "rb") as answer:
        text = answer.read()
    status = os.waitpid(pid, 0)[1]
    return Probe(*json.loads(text)) if text else Probe(False, f"the process that tried it ended with status {status}")


def _reason(error: BaseException) -> str:
    """What the system says, and of what."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__
