"""The wall around a student's code: what it stops is really stopped, and what must work still works.

Nothing here locks the process of the tests. A small zygote forks a child for each piece of code, as in grading.
"""

import json
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import get_args

import pytest
from conftest import ROOT

from autograder.course import LayerName
from autograder.judging.doctor import diagnose
from autograder.judging.kernel import CUDA_READABLE
from autograder.sandbox.layers import LAYERS, LayerSettings, default_readable, probe_layers, revealed

NAMES = tuple(layer.name for layer in LAYERS)
PROBES = probe_layers()

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the wall is made of Linux")

ZYGOTE = """
import ctypes, json, mmap, os, signal, socket, sys, traceback
import matplotlib.pyplot as plt, numpy as np, torch
from autograder.sandbox.layers import LAYERS, LayerSettings, apply_layers

torch.set_num_threads(1)
layer = torch.nn.Linear(2, 2)
layer(torch.ones(2)).sum().backward()
torch.optim.Adam(layer.parameters()).step()  # the first step imports 800 modules, and one of them wants /tmp
libc = ctypes.CDLL(None, use_errno=True)
here_too = ctypes.create_string_buffer(b"a secret")  # at the same address in the child and here

def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def received_from(socket):
    try:
        return socket.recv(65536)
    except ConnectionResetError:  # the child ended without reading
        return b""

for line in sys.stdin:
    answer = None
    order = json.loads(line)
    here, connection = socket.socketpair()
    mapping = mmap.mmap(-1, 1 << 20)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        here.close()
        if order["uid"] is not None:
            os.setresuid(*[order["uid"]] * 3)
        settings = LayerSettings(**order["settings"])
        if order["layers"] == "all":
            on = apply_layers(settings)
        else:
            on = [layer.name for layer in LAYERS if layer.name in order["layers"]]
            for layer in LAYERS:
                if layer.name in on:
                    layer.apply(settings)
        names = dict(globals())
        try:
            exec(compile(order["code"], "<student>", "exec"), names)
            answer = {"answer": names.get("answer")}
        except BaseException as error:
            answer = {"error": type(error).__name__, "refused": isinstance(error, OSError), "text": traceback.format_exc()}
        connection.sendall(json.dumps(answer).encode())
        os._exit(0)
    connection.close()
    mapping[:4] = b"ping"
    try:
        here.sendall(b"ping")
    except BrokenPipeError:  # the child has ended without waiting for it
        pass
    received = b"".join(iter(lambda: received_from(here), b""))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    answer = json.loads(received) if received else {}
    print(json.dumps(answer | {"status": status, "mapping": bytes(mapping[:4]).decode()}), flush=True)
    here.close()
"""


class Zygote:
    """Runs code in forked children that put layers up before."""

    def __init__(self) -> None:
        environment = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", ZYGOTE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment, "MPLBACKEND": "Agg"},
        )

    def run(self, code: str, layers: object = "all", uid: int | None = None, **settings: object) -> dict:
        order = {"code": textwrap.dedent(code), "layers": layers, "settings": settings, "uid": uid}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def zygote():
    made = Zygote()
    yield made
    made.process.stdin.close()
    made.process.wait(10)


each_user = pytest.mark.parametrize(
    "uid",
    [
        None,
        pytest.param(65534, marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")),
    ],
)


def need(*layers: str) -> None:
    for layer in layers:
        if not PROBES[layer].on:
            pytest.skip(f"{layer} is off here: {PROBES[layer].why}")


# What a student might try: its name, the layers that stop it, each alone, and the code. All of it is harmless
# enough to be run without a wall as well, which shows that it is the wall that stops it.
ATTACKS = [
    ("read_passwd", "landlock own_root", "open('/etc/passwd').read()"),
    ("read_a_solution", "landlock own_root", "open(f'{course}/solutions/reference.py').read()"),
    ("list_the_course", "landlock own_root", "os.listdir(course)"),
    ("list_the_folder_around_the_venv", "landlock", "os.listdir(os.path.dirname(sys.prefix))"),
    ("list_the_home_folder", "landlock", "os.listdir(os.path.expanduser('~'))"),
    ("read_through_proc_root", "landlock own_root", "open('/proc/self/root/etc/passwd').read()"),
    ("ask_for_a_size", "own_root", "os.stat('/etc/passwd').st_size"),
    ("ask_who_handed_in", "own_root", "os.stat(f'{course}/solutions')"),
    ("ask_above_the_root", "own_root", "os.stat('/../etc/passwd')"),
    ("ask_which_processes_there_are", "own_root", "os.stat('/proc/1')"),
    ("ask_where_a_link_leads", "own_root", "os.readlink('/proc/self/exe')"),
    ("go_to_the_course", "own_root", "os.chdir(course)"),
    ("read_environment_of_the_parent", "landlock own_root", "open(f'/proc/{parent}/environ').read()"),
    ("read_memory_of_the_parent", "landlock own_root", "open(f'/proc/{parent}/mem', 'rb')"),
    ("write_a_file", "landlock own_root rlimits", "open(f'{course}/written', 'w', buffering=1).write('x\\n')"),
    ("grow_anonymous_memory_files", "rlimits", "os.ftruncate(os.memfd_create('m'), 1 << 20)"),
    ("make_a_folder", "landlock own_root seccomp", "os.mkdir(f'{course}/made')"),
    ("remove_a_file", "landlock own_root seccomp", "os.remove(f'{course}/spare')"),
    ("rename_a_file", "landlock own_root seccomp", "os.rename(f'{course}/other', f'{course}/renamed')"),
    ("open_a_file_to_everyone", "own_root seccomp", "os.chmod(f'{course}/solutions', 0o777)"),
    ("change_a_file_time", "own_root seccomp", "os.utime(f'{course}/solutions', (0, 0))"),
    ("watch_the_course", "seccomp", "checked(libc.inotify_init1(0))"),
    ("tcp", "namespaces landlock seccomp", "socket.create_connection(('127.0.0.1', port), 5)"),
    ("udp", "namespaces seccomp", "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"),
    ("abstract_socket", "namespaces landlock seccomp", "socket.socket(socket.AF_UNIX).connect('\\0' + abstract)"),
    (
        "unix_socket",
        "own_root seccomp",
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', f'{course}/log')",
    ),
    (
        "unix_socket_by_a_pair",
        "seccomp",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', f'{course}/log')",
    ),
    ("fork", "seccomp", "os.fork() or os._exit(0)"),
    ("fork_by_number", "seccomp", "checked(libc.syscall(numbers['clone'], 17, 0, 0, 0, 0)) or os._exit(0)"),
    ("spawn", "seccomp", "os.posix_spawn('/bin/true', ['true'], {})"),
    ("subprocess", "seccomp", "import subprocess; subprocess.run(['/bin/true'], check=True)"),
    ("shell", "seccomp", "if os.system('true') != 0: raise OSError"),
    ("trace_the_parent", "landlock seccomp", "checked(libc.ptrace(0x4206, parent, None, None))"),
    (
        "read_the_parent_by_process_vm_readv",
        "landlock seccomp",
        """
        class Piece(ctypes.Structure):
            _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
        space = ctypes.create_string_buffer(8)
        mine, theirs = Piece(ctypes.addressof(space), 8), Piece(ctypes.addressof(here_too), 8)
        checked(libc.process_vm_readv(parent, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0))
        """,
    ),
    ("signal_the_parent", "landlock seccomp", "os.kill(parent, 0)"),
    ("signal_everyone", "seccomp", "os.kill(-1, 0)"),
    ("own_signals_for_the_parent", "seccomp", "import fcntl; fcntl.fcntl(connection, 8, parent)"),
    (
        "own_signals_for_the_parent_with_a_high_bit",
        "seccomp",
        "checked(libc.ioctl(connection.fileno(), ctypes.c_ulong(0x100008901), ctypes.byref(ctypes.c_int(parent))))",
    ),
    ("limits_of_the_parent", "seccomp", "import resource; resource.prlimit(parent, resource.RLIMIT_NOFILE)"),
    ("priority_of_the_parent", "seccomp", "os.setpriority(os.PRIO_PROCESS, parent, 0)"),
    ("processors_of_the_parent", "seccomp", "os.sched_setaffinity(parent, os.sched_getaffinity(0))"),
    ("memory_that_stays", "seccomp", "checked(libc.shmctl(checked(libc.shmget(0, 4096, 0o600)), 0, None))"),
    ("leave_the_group", "seccomp", "os.setpgid(0, 0)"),
    ("outlive_the_parent", "seccomp", "checked(libc.prctl(1, 0))"),
    ("namespace", "seccomp", "checked(libc.unshare(0x10000000))"),
    ("name_the_machine", "no_new_privs seccomp", "checked(libc.sethostname(name, len(name)))"),
    ("become_someone_else", "no_new_privs seccomp", "os.setuid(4242)"),
]
ROOT_ONLY = {"name_the_machine", "become_someone_else"}
# Depends on what else is set up on the machine, so without a wall it need not succeed.
NEEDS_LUCK = {"trace_the_parent", "read_the_parent_by_process_vm_readv", "read_memory_of_the_parent", "signal_everyone"}
LANDLOCK_ABI = {"tcp": 4, "abstract_socket": 6, "signal_the_parent": 6}


@pytest.fixture
def scene(tmp_path):
    """Names that the attacks use: a course folder, and services outside that wait to be reached."""
    (tmp_path / "solutions").mkdir()
    for name in ("solutions/reference.py", "spare", "other"):
        (tmp_path / name).write_text("secret")
    abstract = f"autograder-test-{os.getpid()}-{time.monotonic_ns()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as named,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log,
    ):
        named.bind("\0" + abstract)
        named.listen()
        log.bind(str(tmp_path / "log"))
        values = {
            "course": str(tmp_path),
            "port": tcp.getsockname()[1],
            "abstract": abstract,
            "numbers": {"clone": {"x86_64": 56, "aarch64": 220}[platform.machine()]},
            "name": socket.gethostname().encode(),
        }
        prelude = "".join(f"{name} = {value!r}\n" for name, value in values.items())
        yield prelude


@pytest.mark.parametrize(
    ("name", "layer", "code"),
    [(name, layer, code) for name, layers, code in ATTACKS for layer in layers.split()],
    ids=[f"{name}-{layer}" for name, layers, _ in ATTACKS for layer in layers.split()],
)
def test_each_layer_alone_stops_what_it_should(zygote, scene, name, layer, code):
    need("no_new_privs", layer)
    if layer == "landlock" and int(PROBES["landlock"].why.removeprefix("ABI ")) < LANDLOCK_ABI.get(name, 1):
        pytest.skip("this kernel's Landlock does not know it")
    layers = {"no_new_privs", layer}  # without which a process may not restrict itself, unless it is root's
    found = zygote.run(scene + textwrap.dedent(code), sorted(layers))
    assert found.get("refused"), found


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, _, code in ATTACKS], ids=[a[0] for a in ATTACKS])
def test_without_the_wall_the_attack_succeeds(zygote, scene, name, code):
    if name in NEEDS_LUCK or (name in ROOT_ONLY and os.geteuid() != 0):
        pytest.skip("whether it succeeds depends on the machine")
    found = zygote.run(scene + textwrap.dedent(code), [])
    assert (found["status"], found.get("text")) == (0, None)


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, _, code in ATTACKS], ids=[a[0] for a in ATTACKS])
def test_the_whole_wall_stops_the_attack(zygote, scene, name, code):
    need(*NAMES)
    found = zygote.run(scene + textwrap.dedent(code))
    assert found.get("refused"), found


WORK = {
    "matmul, convolution and backward": """
        layer, x = torch.nn.Conv2d(1, 2, 3), torch.randn(1, 1, 8, 8)
        (layer(x).flatten() @ torch.ones(72)).backward()
        answer = tuple(layer.weight.grad.shape) == (2, 1, 3, 3)
        """,
    "more threads": """
        torch.set_num_threads(2)
        a = torch.rand(700, 700)
        answer = torch.allclose(a @ a, torch.from_numpy(a.numpy() @ a.numpy()), rtol=1e-3)
        """,
    "a Python thread": """
        import threading
        seen = []
        thread = threading.Thread(target=seen.append, args=(True,))
        thread.start()
        thread.join()
        answer = seen == [True]
        """,
    "importing lazily": """
        import colorsys, sqlite3, zoneinfo
        answer = sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)
        """,
    "the time in another place": """
        import datetime, zoneinfo
        answer = datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Amsterdam")).utcoffset().seconds == 7200
        """,
    "a figure": """
        import io
        figure, axes = plt.subplots()
        axes.set_title("$x^2$")
        file = io.BytesIO()
        figure.savefig(file)
        answer = file.getvalue()[1:4] == b"PNG"
        """,
    "training": """
        layer = torch.nn.LSTM(3, 4)
        layer(torch.randn(2, 1, 3))[0].sum().backward()
        torch.optim.Adam(layer.parameters()).step()
        answer = np.linalg.svd(np.eye(3))[1].tolist() == [1, 1, 1]
        """,
    "reading batches": """
        from torch.utils.data import DataLoader, TensorDataset
        answer = len(list(DataLoader(TensorDataset(torch.ones(6)), batch_size=2, shuffle=True))) == 3
        """,
    "an event loop": """
        import asyncio
        async def one(): return 1
        answer = asyncio.run(one()) == 1
        """,
    "random bytes, the time, the null device": """
        import secrets, time
        time.sleep(0.001)
        print("x", file=open("/dev/null", "w"))
        answer = len(secrets.token_bytes(8)) == len(open("/dev/urandom", "rb").read(8))
        """,
    "a traceback with its lines": """
        import graphlib
        try:
            graphlib.TopologicalSorter().done()
        except ValueError:
            answer = 'raise ValueError("prepare() must be called first")' in traceback.format_exc()
        """,
}


@pytest.mark.parametrize("code", WORK.values(), ids=[name.replace(" ", "_") for name in WORK])
def test_what_students_need_still_works(zygote, code):
    found = zygote.run(code)
    assert (found["status"], found.get("answer"), found.get("text")) == (0, True, None)


def test_the_socket_and_the_memory_that_a_child_inherits_still_work(zygote):
    found = zygote.run("answer = connection.recv(4) == mapping[:4] == b'ping'; mapping[:4] = b'pong'")
    assert (found["answer"], found["mapping"]) == (True, "pong")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("os._exit(7)", 7),
        ("os.abort()", -signal.SIGABRT),
        ("signal.raise_signal(signal.SIGTERM)", -signal.SIGTERM),
        ("ctypes.string_at(0)", -signal.SIGSEGV),
    ],
)
def test_a_child_can_end(zygote, code, status):
    assert zygote.run(code)["status"] == status


def test_a_course_may_insist_on_each_layer():
    assert get_args(get_args(LayerName)[0]) == NAMES


def test_everything_that_works_here_goes_up(zygote):
    names = [name for name in NAMES if PROBES[name].on]
    assert zygote.run("answer = on")["answer"] == names


@each_user
@pytest.mark.parametrize("layer", LAYERS, ids=NAMES)
def test_a_layer_needs_no_other(zygote, layer, uid):
    """Else its probe would tell an ordinary user that it is off, and grading would refuse."""
    need(layer.name)
    assert zygote.run("answer = on", [layer.name], uid=uid).get("answer") == [layer.name]


@pytest.mark.parametrize(
    ("code", "error"),
    [("torch.empty(1 << 33, dtype=torch.uint8)", "RuntimeError"), ("np.ones(1 << 33, np.uint8)", "MemoryError")],
)
def test_too_much_memory_is_an_error_and_torch_stays_usable(zygote, code, error):
    need("rlimits")
    found = zygote.run(
        f"""
        try:
            {code}
        except {error}:
            answer = (torch.ones(100, 100) @ torch.ones(100, 100)).sum().item()
        """,
        memory_bytes=1 << 30,
    )
    assert found.get("answer") == 1e6, found


@pytest.mark.parametrize(
    ("before", "killed_by"),
    [("", signal.SIGXCPU), ("signal.signal(signal.SIGXCPU, signal.SIG_IGN)", signal.SIGKILL)],
    ids=["at_the_limit", "a_second_later_if_ignored"],
)
def test_processor_time_ends(zygote, before, killed_by):
    need("rlimits")
    assert zygote.run(before + "\nwhile True: pass", cpu_seconds=0)["status"] == -killed_by


def test_open_files_are_counted(zygote):
    need("rlimits")
    found = zygote.run("files = [os.pipe() for _ in range(100)]", open_files=50)
    assert "Too many open files" in found["text"]


def test_limits_cannot_be_raised_again(zygote):
    need("rlimits", "no_new_privs")
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)"
    assert zygote.run(code)["error"] == "ValueError"


@each_user
def test_threads_are_counted_for_each_process_alone(zygote, uid):
    need("namespaces")
    code = """
    import threading
    wait = threading.Event()
    try:
        for answer in range(50):
            threading.Thread(target=wait.wait, daemon=True).start()
    except RuntimeError:
        pass
    """
    assert zygote.run(code, uid=uid, threads=9)["answer"] == 8
    assert zygote.run("answer = on", uid=uid, threads=9)["answer"] == [name for name in NAMES if PROBES[name].on]


@pytest.fixture
def folder():
    """A folder that another user may enter, other than pytest's."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@each_user
@pytest.mark.parametrize("layers", [["own_root"], ["namespaces", "own_root"], ["own_root", "no_new_privs", "landlock"]])
def test_only_what_may_be_read_has_a_name_in_a_root_of_its_own(zygote, folder, layers, uid):
    need(*layers)
    code = f"""
    hidden = [{str(folder)!r}, {str(ROOT / "course.toml")!r}, {str(ROOT / "private")!r}]
    hidden += ["/etc/passwd", "/home", "/tmp", "/var", "/dev/shm", "/sys/class", "/proc/1", "/proc/self/root"]
    answer = [path for path in hidden if os.path.exists(path) or os.path.exists("/.." + path)]
    """
    found = zygote.run(code, layers, uid=uid)
    assert (found.get("answer"), found.get("text")) == ([], None)


@each_user
def test_no_way_leads_back_into_the_old_root(zygote, uid):
    need("own_root")
    code = """
    import stat
    def is_folder(number):
        try:
            return stat.S_ISDIR(os.fstat(number).st_mode)
        except OSError:
            return False

    allowed = {path.split("/")[1] for path in (*settings.readable, *settings.devices)}
    answer = [number for number in range(256) if is_folder(number)]
    for place in ("/", "/..", "/usr/../..", ".", ".."):
        answer += set(os.listdir(place)) - allowed
    """
    found = zygote.run(code, ["own_root"], uid=uid)
    assert (found.get("answer"), found.get("text")) == ([], None)


@each_user
@pytest.mark.parametrize(
    "code",
    [
        "os.mkdir('/made')",
        "os.mkdir('/usr/made')",
        "os.symlink('/', '/etc/made')",
        "open('/usr/lib/made', 'w')",
        "open(os.path.join(os.path.dirname(os.path.dirname(torch.__file__)), 'made.py'), 'w')",
        "os.chmod('/usr/lib', 0o777)",
        "checked(libc.mount(b'tmpfs', b'/usr', b'tmpfs', 0, None))",
        "checked(libc.mount(None, b'/usr/lib', None, 32 | 4096, None))",  # MS_REMOUNT | MS_BIND, without MS_RDONLY
        "checked(libc.umount2(b'/usr/lib', 2))",
        "checked(libc.pivot_root(b'/usr', b'/usr/lib'))",
        "os.chroot('/usr')",
    ],
)
def test_nothing_can_be_written_or_mounted_in_a_root_of_its_own(zygote, uid, code):
    need("own_root", "no_new_privs")
    assert zygote.run(code, ["own_root", "no_new_privs"], uid=uid).get("refused")


@each_user
def test_links_folders_in_each_other_and_devices_are_there_as_outside(zygote, folder, uid):
    need("own_root")
    (folder / "real" / "inner").mkdir(parents=True)
    (folder / "real" / "inner" / "file").write_text("x")
    (folder / "beside").write_text("not to be seen")
    links = {"absolute": folder / "real", "relative": "absolute/../real/inner", "file": "relative/file", "loop": "loop"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    asked = ("relative/", "absolute", "real/inner", "real", "file", "missing", "loop", "file/below")
    code = f"""
    os.chdir({str(folder)!r})
    paths = ("file", "relative/file", "absolute/inner/file", "real/../real/inner/file")
    answer = [sorted(os.listdir()), *(open(path).read() for path in paths), *open("/dev/zero", "r+b").read(1)]
    """
    found = zygote.run(
        code,
        ["own_root"],
        uid=uid,
        readable=[*default_readable(), *(f"{folder}/{name}" for name in asked)],
        devices=["/dev/null", "/dev/zero"],
    )
    assert found.get("answer") == [["absolute", "file", "real", "relative"], *"xxxx", 0], found


@each_user
def test_what_cuda_reads_can_be_read_behind_the_whole_wall(zygote, uid):
    need(*NAMES)
    code = """
    seen = os.listdir("/sys/devices") and open("/proc/devices").read()
    answer = bool(seen) and on
    """
    found = zygote.run(code, uid=uid, readable=[*default_readable(), *CUDA_READABLE], memory_bytes=None)
    assert found.get("answer") == list(NAMES), found


def test_a_root_that_cannot_be_entered_leaves_nothing_behind(tmp_path):
    need("own_root")
    program = f"""
import os
from errno import EPERM
from pyseccomp import ALLOW, ERRNO, SyscallFilter
from autograder.sandbox.layers import default_readable
from autograder.sandbox.roots import BASE, enter_own_root
filter = SyscallFilter(ALLOW)
filter.add_rule(ERRNO(EPERM), "pivot_root")
filter.load()
before = os.listdir(BASE), os.listdir("/"), os.listdir("/proc/self/fd")
try:
    enter_own_root(default_readable())
except PermissionError:
    assert (os.listdir(BASE), os.listdir("/"), os.listdir("/proc/self/fd")) == before
    assert not any(line.split()[4] == BASE for line in open("/proc/self/mountinfo") if " tmpfs " in line)
    print(os.path.exists({str(tmp_path)!r}), os.getcwd())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "/"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only there a program can call the kernel in two ways")
def test_system_calls_of_32_bit_programs_end_the_process(zygote):
    need("seccomp")
    code = """
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    answer = ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0
    """
    assert zygote.run(code)["status"] == -signal.SIGSYS
    assert zygote.run("libc.syscall(0x40000000 + 39)")["status"] == -signal.SIGSYS  # x32


def test_clone3_says_that_it_does_not_exist_so_that_threads_start_with_clone(zygote):
    need("seccomp")
    found = zygote.run("checked(libc.syscall(435, 0, 0))")
    assert "Function not implemented" in found["text"]


def test_a_child_dies_with_its_parent():
    need("no_new_privs")
    program = """
import os, signal
from autograder.sandbox.layers import LayerSettings, apply_layers
if os.fork() == 0:
    apply_layers(LayerSettings())
    os.write(1, b"up")
    while True: signal.pause()
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout.read(2) == b"up"
        parent.kill()
        assert parent.stdout.read() == b""  # ends when the last process that could write has gone


# A layer, what makes it impossible, the layers that then are off, and what the probe says.
IMPOSSIBLE = [
    ("rlimits", "deny('prlimit64', EPERM); deny('setrlimit', EPERM)", "rlimits namespaces", "not permitted"),
    ("namespaces", "deny('unshare', EPERM)", "namespaces own_root", "unshare: Operation not permitted"),
    ("own_root", "deny('mount', EPERM)", "own_root", "mount: Operation not permitted"),
    ("own_root", "deny('mount_setattr', ENOSYS)", "own_root", "Function not implemented"),
    ("own_root", "deny('pivot_root', EPERM)", "own_root", "pivot_root: Operation not permitted"),
    ("no_new_privs", "deny('prctl', EPERM, Arg(0, EQ, 38))", "no_new_privs seccomp", "prctl: Operation not permitted"),
    ("landlock", "deny('landlock_create_ruleset', ENOSYS)", "landlock", "this kernel has no Landlock"),
    ("landlock", "deny('landlock_create_ruleset', EOPNOTSUPP)", "landlock", "boot parameter lsm="),
    ("seccomp", "deny('seccomp', EPERM); deny('prctl', EPERM, Arg(0, EQ, 22))", "seccomp", "seccomp: "),
    ("seccomp", "sys.path[:] = [path for path in sys.path if 'site-packages' not in path]", "seccomp", "pip install"),
]


@pytest.mark.parametrize(("layer", "make_impossible", "off", "says"), IMPOSSIBLE)
def test_a_layer_that_is_impossible_is_off_and_says_why(layer, make_impossible, off, says):
    need(*NAMES)
    program = f"""
import json, os, sys
from errno import ENOSYS, EOPNOTSUPP, EPERM
from autograder.sandbox.layers import LayerSettings, apply_layers, probe_layers
from pyseccomp import ALLOW, EQ, ERRNO, Arg, SyscallFilter
filter = SyscallFilter(ALLOW)
def deny(call, error, *when):
    filter.add_rule(ERRNO(error), call, *when)
{make_impossible}
filter.load()
print(json.dumps([probe_layers(), apply_layers(LayerSettings())]))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    probes, on = json.loads(done.stdout)
    assert [name for name, (works, _) in probes.items() if not works] == off.split()
    assert says in probes[layer][1]
    assert probes[layer][1]
    if "sys.path" not in make_impossible:  # this process had already found pyseccomp
        assert on == [name for name in NAMES if name not in off.split()]


def test_a_process_with_threads_counts_only_the_layers_that_bind_them_all():
    program = """
import threading
from autograder.sandbox.layers import LayerSettings, apply_layers
wait = threading.Event()
threading.Thread(target=wait.wait, daemon=True).start()
print(*apply_layers(LayerSettings()))
"""
    need("rlimits", "seccomp")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["rlimits", "seccomp"]


def test_outside_linux_every_layer_is_off():
    program = """
import json, sys
from autograder.sandbox.layers import LayerSettings, apply_layers, probe_layers
sys.platform = "darwin"
print(json.dumps([probe_layers(), apply_layers(LayerSettings(readable=()))]))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [{name: [False, "needs Linux"] for name in NAMES}, []]


def test_probing_is_quick_and_leaves_this_process_as_it_is():
    limits = [resource.getrlimit(limit) for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)]
    probe = LAYERS[0].probe()
    assert probe == PROBES["rlimits"]
    assert limits == [
        resource.getrlimit(limit) for limit in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)
    ]
    assert os.listdir(ROOT)
    assert "NoNewPrivs:\t0" in Path("/proc/self/status").read_text()


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"cpu_seconds": -1}, "cpu_seconds is -1"), ({"readable": ("lib",)}, "'lib' is not an absolute path")],
)
def test_broken_settings_are_refused_at_once(settings, says):
    with pytest.raises(ValueError, match=says):
        LayerSettings(**settings)


def test_nothing_of_the_course_stands_among_what_may_be_read():
    secret = [ROOT, *(ROOT / name for name in ("assignments", "solutions", "private", "build", "course.toml"))]
    assert revealed(default_readable(), [*secret, Path.home(), Path(sys.prefix), Path("/etc/passwd")]) == ()


def test_a_course_among_pythons_files_is_found_out():
    package = Path(pytest.__file__).parent
    assert revealed(default_readable(), [package, ROOT / "private"]) == (package,)


def test_the_doctor_tells_what_is_on_and_why():
    findings = {finding.name: finding for finding in diagnose([ROOT / "private"])}
    assert {*NAMES, "GPU", "CPU cores", "autograder", "python", "torch", "nbgrader"} <= findings.keys()
    assert all(finding.why for finding in findings.values())
    assert [findings[layer.name].stops for layer in LAYERS] == [layer.stops for layer in LAYERS]
    assert findings[str(ROOT / "private")].on
