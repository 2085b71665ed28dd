"""What a submission may try against the grader: each attack as data, for `test_attacks`.

Every attack is put beside right answers, and into or beside a wrong ``grade_letter``, which is worth one point. An
attack that reaches what it wants says so with the word REACHED, and what it finds it raises as an error's message.
"""

from dataclasses import dataclass
from typing import Literal

WRONG = "def grade_letter(score):\n    return '?'\n"

# In the child: the connection to the judge, found by walking up the frames to the code that serves it.
CHANNEL = """
import os, struct, sys, json, threading, time
frame = sys._getframe()
while type(frame.f_locals.get("self")).__name__ != "Server":
    frame = frame.f_back
channel = frame.f_locals["self"]._channel

def frame_of(message, sequence=None, raw=b"", magic=b"agw1", place=0, length=None, raw_length=None):
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    sequence = channel._sent if sequence is None else sequence
    lengths = len(text) if length is None else length, len(raw) if raw_length is None else raw_length
    return struct.pack("<4sIIQI", magic, sequence, *lengths, place) + text + raw

def write(data):
    channel._socket.settimeout(None)
    channel._socket.sendall(data)
"""

# In the child: every reply to a call of grade_letter is changed before it is sent.
FORGING = (
    CHANNEL
    + """
honest, busy = channel.send, False

def forged(message, pack):
    global busy
    if busy:
        busy = False
        for replies in (message.get("replies", []), *message.get("played", [])):
            for reply in replies:
                change(reply, pack)
        message = change_message(message)
    honest(message, pack)

def change(reply, pack):
    pass

def change_message(message):
    return message

def grade_letter(score):
    global busy
    busy = True
    return "?"

channel.send = forged
"""
)


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: what is tried.
        where: ``cell`` is an own cell after the setup cell, ``call`` the cell of grade_letter, ``file`` a whole
            Python file after the right functions.
        code: what it runs.
        says: a part of what the result must say about it.
        keeps: whether the other exercises keep their points; where an attack breaks its own process for good
            they need not.
        seconds: limit of one call, for attacks that wait for it.
        submission: limit of the submission, for attacks that use all of it up.
    """

    name: str
    where: Literal["cell", "call", "file"]
    code: str
    says: str = ""
    keeps: bool = True
    seconds: float = 5.0
    submission: float = 60.0


def forging(name: str, code: str, says: str = "", **more) -> Attack:
    return Attack(name, "call", f"{FORGING}\n{code}", says, **more)


def value(name: str, tree: str, says: str = "", **more) -> Attack:
    """Sends a value as the wire format writes it, in every reply."""
    return forging(f"reply with {name}", f"def change(reply, pack):\n    reply['value'] = {tree}", says, **more)


def answer(name: str, returned: str, says: str = "", before: str = "", **more) -> Attack:
    """Returns something from the function, by way of the honest child."""
    return Attack(f"return {name}", "call", f"{before}\ndef grade_letter(score):\n    return {returned}", says, **more)


def cell(name: str, code: str, says: str = "", **more) -> Attack:
    return Attack(name, "cell", code, says, **more)


def call(name: str, body: str, says: str = "", **more) -> Attack:
    inside = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return Attack(f"{name}, in a call", "call", f"import os, sys\ndef grade_letter(score):\n{inside}", says, **more)


REFUSED = "PermissionError"
ABSENT = "FileNotFoundError"
LIE = """
class Lie:
    shape, dtype, ndim, size = (), "str", 0, 1
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __hash__(self): return hash("A")
    def __bool__(self): return True
    def __array__(self, *args, **kwargs): return np.array("A")
    def __str__(self): return "A"
    __repr__ = __str__
    @classmethod
    def __torch_function__(cls, *args, **kwargs): return True
"""

ENDING = (
    cell("sys.exit", "import sys; sys.exit(0)", "SystemExit"),
    cell("os._exit", "import os; os._exit(0)", "your code ended its process"),
    cell("segmentation fault", "import ctypes; ctypes.string_at(0)", "Segmentation fault"),
    cell("abort", "import os; os.abort()", "Aborted"),
    cell("kill oneself", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Killed"),
    call("sys.exit", "sys.exit(0)", "SystemExit"),
    call("os._exit", "os._exit(0)", "your code ended its process"),
    call("segmentation fault", "import ctypes; ctypes.string_at(0)", "Segmentation fault"),
    call("KeyboardInterrupt", "raise KeyboardInterrupt", "your code ended its process"),
    Attack("os._exit", "file", "import os; os._exit(0)", "your code ended its process", keeps=False),
    cell("an atexit handler", "import atexit, os\natexit.register(lambda: os.write(3, b'REACHED'))\nos._exit", ""),
    cell(
        "signal handlers",
        "import signal\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass",
    ),
    cell("close every descriptor", "import os; os.closerange(3, 64)", "your code ended its process"),
    cell("shut the connection", f"{CHANNEL}\nchannel._socket.shutdown(2)", "your code ended its process"),
)

FRAMES = (
    cell(
        "list the descriptors",
        "import os; os.listdir('/proc/self/fd'); raise Exception('REACHED')",
        ABSENT,
    ),
    cell(
        "garbage on every descriptor",
        "import os\nfor fd in range(3, 51):\n    try: os.write(fd, b'garbage' * 100)\n    except OSError: pass",
        "broke the connection to the grader: malformed frame",
    ),
    cell(
        "a well-formed frame on every descriptor",
        f"{CHANNEL}\nfor fd in range(3, 51):\n    try: os.write(fd, frame_of({{'raised': None}}))\n    except OSError: pass",
        keeps=False,
    ),
    *(
        cell(f"a cell's reply: {name}", f"{CHANNEL}\nwrite(frame_of({message}))\nos._exit(0)", keeps=False)
        for name, message in {
            "a number for an exception": "{'raised': 5}",
            "too short an exception": "{'raised': ['A']}",
            "an exception of numbers": "{'raised': [1, 2, 3, 4]}",
            "bases that are no list": "{'raised': ['A', 7, 'b', 'c']}",
            "a text as exception": "{'raised': 'abcd'}",
            "a list": "[]",
            "a number": "7",
            "a call back": "{'call': 0, 'args': {'tuple': []}, 'kwargs': {'dict': []}}",
            "nothing of what was asked": "{'defines': True, 'played': [], 'replies': []}",
        }.items()
    ),
    cell("an old sequence number", f"{CHANNEL}\nwrite(frame_of({{}}, sequence=0))", "wrong header"),
    cell("another magic", f"{CHANNEL}\nwrite(frame_of({{}}, magic=b'nope'))", "wrong header"),
    cell("another place", f"{CHANNEL}\nwrite(frame_of({{}}, place=9))", "wrong header"),
    cell("a frame of 4 exbibytes", f"{CHANNEL}\nwrite(frame_of({{}}, raw_length=1 << 62))", "allowed are"),
    cell("a mapping of 200 MB", f"{CHANNEL}\nwrite(frame_of({{}}, raw_length=200 << 20, place=1))", "no such mapping"),
    cell("no JSON", f"{CHANNEL}\nwrite(frame_of(b'{{'))", "not JSON"),
    cell("no UTF-8", f"{CHANNEL}\nwrite(frame_of(bytes(range(128, 256))))", "not JSON"),
    cell("JSON of 100,000 levels", f"{CHANNEL}\nwrite(frame_of(b'[' * 100_000))", "not JSON"),
    cell("a number of 5,000 digits", f"{CHANNEL}\nwrite(frame_of(b'9' * 5000))", "not JSON"),
    cell("150 MB of JSON", f"{CHANNEL}\nwrite(frame_of(b'[' + b'[],' * 50_000_000 + b'0]'))", "allowed are"),
    cell(
        "a frame a byte at a time",
        f"{CHANNEL}\nfor byte in frame_of({{}}, length=10**6):\n    write(bytes([byte])); time.sleep(0.1)",
        "TimeLimitReached",
        seconds=0.5,
    ),
    cell(
        "a thread that writes frames",
        f"{CHANNEL}\ndef flood():\n    while True: write(frame_of({{'raised': None, 'defines': True, 'played': [], 'replies': []}}))\n"
        "threading.Thread(target=flood, daemon=True).start()",
        keeps=False,
        submission=10.0,
    ),
    cell(
        "a twin that writes frames",
        f"{CHANNEL}\nif os.fork() == 0:\n    while True: write(frame_of({{}}))\nraise Exception('REACHED')",
        REFUSED,
    ),
    cell(
        "shrink the shared memory",
        "import os\nfor fd in range(3, 51):\n    try: os.ftruncate(fd, 0)\n    except OSError: continue\n    raise Exception('REACHED')",
    ),
    Attack(
        "an answer in shared memory that was cut off",
        "call",
        f"{FORGING}\ndef change(reply, pack):\n    for fd in range(3, 51):\n        try: os.ftruncate(fd, 0)\n"
        "        except OSError: pass\n    pack.data.extend(bytes(1 << 20))",
    ),
    Attack(
        "a thread that changes the shared memory",
        "call",
        f"{FORGING}\nimport mmap\nmapping = channel._mapping\ndef change(reply, pack):\n"
        "    reply['value'] = {'array': [*pack.put(np.zeros(1 << 17).tobytes()), '<f8', [1 << 17], 'C']}\n"
        "def churn():\n    at = 0\n    while True:\n        at = (at + 4096) % (1 << 20); mapping[at:at + 4096] = os.urandom(4096)\n"
        "threading.Thread(target=churn, daemon=True).start()",
        "Expected a str, got a numpy array",
    ),
    cell(
        "answers without reading, so that the judge cannot send",
        f"{CHANNEL}\nfor _ in range(200): write(frame_of({{'raised': None, 'defines': True}})); channel._sent += 1\ntime.sleep(1000)",
        keeps=False,
        seconds=0.5,
        submission=3.0,
    ),
    Attack(
        "10,000 calls back without reading the answers",
        "file",
        f"{CHANNEL}\ndef numerical_gradient(f, x):\n    for _ in range(10_000):\n"
        "        write(frame_of({'call': 0, 'args': {'tuple': []}, 'kwargs': {'dict': []}})); channel._sent += 1\n"
        "    time.sleep(1000)\n" + WRONG,
        keeps=False,
        seconds=0.5,
        submission=8.0,
    ),
)

HUGE = "'A' * 1_000_000"
REPLIES = (
    forging("no replies", "def change_message(message):\n    return {}"),
    forging("replies that are no list", "def change_message(message):\n    return {'played': 5, 'replies': 5}"),
    forging("too few replies", "def change_message(message):\n    return {'played': [], 'replies': []}"),
    forging("numbers for replies", "def change_message(message):\n    return {'played': [[1]] * 11, 'replies': [1]}"),
    forging("a reply without a value", "def change(reply, pack):\n    del reply['value']"),
    forging("a number as what was printed", "def change(reply, pack):\n    reply['printed'] = 7"),
    forging("1 MB as what was printed", f"def change(reply, pack):\n    reply['printed'] = {HUGE}", keeps=False),
    forging("1 MB as a changed argument", f"def change(reply, pack):\n    reply['changed'] = [{HUGE}]", keeps=False),
    forging("a number as changed arguments", "def change(reply, pack):\n    reply['changed'] = 7"),
    forging("a malformed exception", "def change(reply, pack):\n    reply['raised'] = {}"),
    forging(
        "an exception of 4 MB",
        f"def change(reply, pack):\n    reply['raised'] = [{HUGE}, [{HUGE}], {HUGE}, {HUGE}]",
        keeps=False,
    ),
    forging("generators where none were passed", "def change(reply, pack):\n    reply['generators'] = [{'seeded': 1}]"),
    forging(
        "half a surrogate pair printed",
        "def change(reply, pack):\n    reply['printed'] = '\\ud800'; reply['value'] = None",
    ),
    forging(
        "half a surrogate pair in an exception",
        "def change(reply, pack):\n    reply['raised'] = ['\\ud800', ['\\ud800'], '\\ud800', '\\ud800']",
    ),
    forging(
        "half a surrogate pair as a changed argument", "def change(reply, pack):\n    reply['changed'] = ['\\ud800']"
    ),
)

VALUES = (
    value("a callback", """{"callback": "__import__('os').system('touch /tmp/written-by-an-attack')"}""", "unknown kind 'callback'"),
    value("a tensor of 2 ** 62 entries in 4 bytes", "{'tensor': [*pack.put(bytes(4)), 'float32', [1 << 31, 1 << 31], [0, 0]]}", "allowed are"),
    value("the same 4 MB array a thousand times", "[{'array': [*pack.put(bytes(1 << 22)), '|u1', [1 << 22], 'C']}] * 1000", "allowed are"),
    value("50,000 generators", "[{'seeded': 1}] * 50_000", "allowed are"),
    value("a handle that does not exist", "{'handle': [10**30, 'A']}", "Expected a str"),
    value("a handle named by 1 MB", f"{{'handle': [1, {HUGE}]}}", "Expected a str"),
    value("a method named by 1 MB", f"{{'method': [1, 'A', {HUGE}]}}", "Expected a str"),
    value("1 MB of text", HUGE, "The answer is wrong"),
    value("half a surrogate pair", "'\\ud800'", "The answer is wrong"),
    value("half a surrogate pair as a type", "{'handle': [1, '\\ud800']}", "Expected a str"),
    *(
        value(f"a list of {depth} levels", f"json.loads('[' * {depth} + ']' * {depth})")
        for depth in (60, 320)
    ),
)  # fmt: skip

# Values as the wire format writes them, beside eight zero bytes, and how they are refused.
MALFORMED = {
    "an unknown kind": ({"pickle": "gASVAA=="}, "unknown kind 'pickle'"),
    "a function": ({"function": 0}, "unknown kind 'function'"),
    "no random state": ({"rng": "{}"}, "malformed value"),
    "a tensor outside its bytes": ({"tensor": [10**9, 4, "float32", [1], [1]]}, "outside the frame"),
    "an object of two keys": ({"float": "1", "tuple": []}, "an object with one key"),
    "an object of no keys": ({}, "an object with one key"),
    "a bare float": (1.5, "an object with one key"),
    "no float": ({"float": "one"}, "malformed value"),
    "no complex": ({"complex": [1]}, "malformed value"),
    "no base64": ({"bytes": "***"}, "malformed value"),
    "no dtype": ({"dtype": "object"}, "malformed value"),
    "a dict with keys that have no hash": ({"dict": [[[1], 2]]}, "malformed value"),
    "a dict of single entries": ({"dict": [[1]]}, "malformed value"),
    "a tensor of nothing": ({"tensor": []}, "malformed value"),
    "a tensor of negative length": ({"tensor": [0, 4, "float32", [-1], [1]]}, "whole number"),
    "a tensor of truth": ({"tensor": [0, 4, "float32", [True], [True]]}, "whole number"),
    "a tensor that steps back": ({"tensor": [0, 8, "float32", [2], [-1]]}, "whole number"),
    "a tensor beyond its bytes": ({"tensor": [0, 8, "float32", [2], [1 << 40]]}, "do not agree"),
    "a tensor of 40 axes": ({"tensor": [0, 4, "float32", [1] * 40, [1] * 40]}, "at most 16"),
    "an empty tensor with a side of 2 ** 40": ({"tensor": [0, 0, "float32", [0, 1 << 40], [1, 1]]}, "allowed are"),
    "an empty array with a side of 2 ** 40": ({"array": [0, 0, "<f8", [0, 1 << 40], "C"]}, "allowed are"),
    "a thousand empty tensors of 1 MB": ([{"tensor": [0, 0, "float32", [0, 1 << 18], [1, 1]]}] * 1000, "allowed are"),
    "an array of objects": ({"array": [0, 8, "|O8", [1], "C"]}, "not allowed"),
    "an array of text": ({"array": [0, 8, "<U2", [1], "C"]}, "not allowed"),
    "an array of dates": ({"array": [0, 8, "<M8", [1], "C"]}, "not allowed"),
    "an array of records": ({"array": [0, 8, "f4,f4", [1], "C"]}, "not allowed"),
    "an array of no width": ({"array": [0, 8, "<f0", [1], "C"]}, "malformed value"),
    "an array of other size": ({"array": [0, 8, "<f8", [3], "C"]}, "malformed value"),
    "an array in no order": ({"array": [0, 8, "<f8", [1], "K"]}, "not allowed"),
    "no generator": ({"generator": "AAAA"}, "malformed value"),
    "a generator of -1": ({"seeded": -1}, "whole number"),
    "a generator of 2 ** 70": ({"seeded": 1 << 70}, "malformed value"),
    "a random state of another kind": ({"rng": '{"bit_generator": "os.system"}'}, "malformed value"),
    "a random state of another size": ({"rng": '{"bit_generator": "MT19937", "state": {"key": [1], "pos": 0}}'}, "malformed value"),
    "a callback": ({"callback": "1 / 0"}, "unknown kind 'callback'"),
    "a callback in a dict in a tuple": ({"tuple": [{"dict": [["a", {"callback": "1 / 0"}]]}]}, "unknown kind 'callback'"),
    "a handle without a number": ({"handle": [None, "A"]}, "whole number"),
    "a handle with a number for a name": ({"handle": [1, 7]}, "a text was expected"),
}  # fmt: skip

ANSWERS = (
    answer("an object that equals everything", "Lie()", "Expected a str", LIE),
    answer("a str that equals everything", "S('?')", "", "class S(str):\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n    __hash__ = str.__hash__"),
    answer("an int that equals everything", "I(3)", "Expected a str", "class I(int):\n    __eq__ = lambda s, o: True"),
    answer("a float that equals everything", "F(3)", "Expected a str", "class F(float):\n    __eq__ = lambda s, o: True"),
    answer("a tensor subclass", "torch.zeros(2).as_subclass(T)", "Expected a str", "class T(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, types, args=(), kwargs=None): return True"),
    answer("an array subclass", "np.zeros(2).view(N)", "Expected a str", "class N(np.ndarray):\n    __array_function__ = lambda *a, **k: True"),
    answer("an array of objects", "np.array([Lie()], dtype=object)", "", LIE),
    answer("nan", "float('nan')", "Expected a str"),
    answer("inf", "float('inf')", "Expected a str"),
    answer("an int of 4,000 digits", "10 ** 4000", "Expected a str"),
    answer("an int of 10 ** 6 digits", "1 << 3_000_000", ""),
    answer("a generator", "(c for c in 'A')", "Expected a str"),
    answer("a function", "lambda: 'A'", "Expected a str"),
    answer("the judge's own proxy", "StudentObject(None, Handle(0, 'A'))", "", "from autograder.testing.student import StudentObject\nfrom autograder.sandbox.values import Handle"),
    answer("a callback", "Callback(\"__import__('os')\")", "", "from autograder.sandbox.values import Callback"),
    answer("a list of 10,000 levels", "deep", "", "deep = []\nfor _ in range(10_000): deep = [deep]"),
    answer("a list that holds itself", "ring", "RecursionError", "ring = []\nring.append(ring)"),
    answer("a list that holds itself, without a limit of recursion", "ring", "", "import sys; sys.setrecursionlimit(10**9)\nring = []\nring.append(ring)", seconds=0.5),
    answer("a dict that lies about its keys", "D()", "", "class D(dict):\n    keys = lambda self: {1}\n    __eq__ = lambda s, o: True"),
    answer("100 MB of zeros", "np.zeros(100 << 20, np.uint8)", "", keeps=False, seconds=0.5, submission=3.0),
    answer("a tensor of 2 ** 40 entries by expanding one", "torch.zeros(1, 1).expand(1 << 20, 1 << 20)", "allowed are"),
    answer("an array of 2 ** 40 entries by broadcasting one", "np.broadcast_to(np.zeros(1), (1 << 20, 1 << 20))", ""),
    answer("a sparse tensor", "torch.eye(3).to_sparse()", "Expected a str"),
    answer("a meta tensor", "torch.empty(3, device='meta')", "Expected a str"),
    answer("an exception that cannot be shown", "boom()", "", "class E(Exception):\n    def __str__(self): raise self\ndef boom(): raise E"),
    answer("an exception of 10 MB", "boom()", "", "def boom(): raise ValueError('score' * 2_000_000)"),
    answer("an exception whose class lies", "boom()", "", "class V(Exception): pass\nV.__name__ = 'ValueError'\nV.__qualname__ = '\\ud800'\ndef boom(): raise V('\\ud800')"),
)  # fmt: skip

# Exercises whose answers the checks compute with: an answer of that kind must not use up the judge.
COMPUTED = (
    Attack(
        "a mask of 10 ** 10 entries, which a check averages",
        "file",
        f"{WRONG}\ndef dropout(x, p, *, training, generator):\n    return x, torch.ones(1, dtype=torch.bool).expand(10**5, 10**5)",
        keeps=False,
    ),
    Attack(
        "a mask of 15 MB, which a check broadcasts",
        "file",
        f"{WRONG}\ndef dropout(x, p, *, training, generator):\n"
        "    return x, torch.ones(*[1] * x.ndim, 15_000_000, dtype=torch.bool).transpose(0, -1)",
        keeps=False,
    ),
    Attack(
        "an array of 2,000,000 numbers, which a check passes on and the counterexample shows",
        "file",
        f"{WRONG}\ndef no_grad(): return np.random.rand(2_000_000)",
        keeps=False,
    ),
    Attack(
        "a list of 100,000 numbers, which a check passes on and the counterexample shows",
        "file",
        f"{WRONG}\ndef no_grad(): return list(range(100_000))",
        keeps=False,
    ),
    Attack(
        "a text of 1 MB, which a check passes on and the counterexample shows",
        "file",
        f"{WRONG}\ndef no_grad(): return 'x' * 1_000_000",
        keeps=False,
    ),
    Attack(
        "a variable that answers every operator with itself",
        "file",
        f"{WRONG}\nclass Variable:\n    def __init__(self, value): self.value = self.grad = self\n    def __add__(self, o): return self\n"
        "    __radd__ = __mul__ = __rmul__ = __eq__ = __sub__ = __lt__ = __add__\n    __hash__ = object.__hash__\n"
        "    def backward(self): pass\n    def __float__(self): return 0.0\n    def __bool__(self): return True",
        keeps=False,
    ),
    Attack(
        "numbers that the judge cannot take apart",
        "file",
        f"{WRONG}\nclass Variable:\n    def __init__(self, value): self.value = 10 ** 4000; self.grad = 1 << 64\n"
        "    def __add__(self, o): return self\n    __radd__ = __mul__ = __rmul__ = __add__\n    def backward(self): pass",
        keeps=False,
    ),
    Attack(
        "a matrix of other dtypes and orders",
        "file",
        f"{WRONG}\nkinds = iter(['>f8', 'g', 'c16', 'f2', 'G', '?', 'u8'] * 1000)\n"
        "def standardize(x): return np.asfortranarray(np.zeros(x.shape, next(kinds)))",
        keeps=False,
    ),
)

PATCHES = (
    cell("np.allclose is always true", "import numpy as np; np.allclose = np.array_equal = np.isclose = lambda *a, **k: True"),
    cell("torch.equal is always true", "import torch; torch.equal = torch.allclose = lambda *a, **k: True", keeps=False),
    cell(
        "builtins",
        "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.all = builtins.bool = lambda *a: True",
        keeps=False,
    ),
    cell("json", "import json; json.dumps = lambda *a, **k: '{\"defines\": true}'", keeps=False, submission=2.0),
    cell("json.loads", "import json; json.loads = lambda *a, **k: {}", keeps=False),
    cell("struct", "import struct; struct.Struct.pack = None", "TypeError"),
    cell(
        "the sandbox: every answer is known",
        "import autograder.sandbox.wire as w, autograder.sandbox.script as s\n"
        "w.same_value = lambda *a: True\ns.Script.is_known = lambda *a: True",
    ),
    cell(
        "the sandbox: replies",
        "import autograder.sandbox.child as c\nc.encode_reply = lambda *a: {'printed': '', 'changed': [], 'value': 'A'}",
        keeps=False,
    ),
    cell(
        "the comparison",
        "import autograder.testing as t, autograder.testing.comparison as c\nc._compare = t.assert_close = lambda *a, **k: None",
    ),
    cell("scoring", "import autograder.judging.scoring as s; s.points_for = s.earned = lambda points, *a: points"),
    cell("autograder.check", "import autograder; autograder.check = lambda *a: 1e9\ncheck = autograder.check; check('dropout')"),
    cell("own check calls", "from autograder import check\nvalue = check('grade_letter'); check('no such'); check()"),
    cell(
        "NBGRADER_EXECUTION",
        "import os\nos.environ['NBGRADER_EXECUTION'] = 'validate'\nimport autograder\nassert autograder.check() == 0.0",
    ),
    cell(
        "an IPython AST transformer",
        "from IPython import get_ipython\nget_ipython().ast_transformers.append(None)",
    ),
    cell("showtraceback", "get_ipython().showtraceback = None"),
    cell("linecache", "import linecache; linecache.getline = lambda *a: 1 / 0", keeps=False),
    cell("__name__", "__name__ = 'autograder'; __builtins__ = {}", keeps=False),
    cell("the namespace", "globals().clear()", keeps=False),
    cell("sys.modules", "import sys; sys.modules.clear()", keeps=False, submission=2.0),
)  # fmt: skip

LEAK = """
def leak(*found):
    raise Exception("LEAKED " + " ".join(map(str, found)))
"""
READING = (
    *(
        cell(f"read {path}", f"open({path!r}).read()\nraise Exception('REACHED')", "Error")
        for path in (
            "/etc/passwd", "/etc/hostname", "/proc/1/environ", "/proc/1/cmdline", "/proc/self/environ", "/proc/self/cmdline",
            "/proc/self/maps", "/proc/self/mem", "/root/.bashrc", "/proc/self/root/etc/passwd", "/dev/mem", "/tmp",
        )
    ),
    cell("list the root", "import os; os.listdir('/'); raise Exception('REACHED')", REFUSED),
    cell("list /tmp", "import os; os.listdir('/tmp'); raise Exception('REACHED')", ABSENT),
    cell("list the course", "import os; os.listdir(COURSE); raise Exception('REACHED')", ABSENT),
    cell("read the reference", "open(REFERENCE).read(); raise Exception('REACHED')", ABSENT),
    cell("ask for the course", "import os; os.stat(COURSE); raise Exception('REACHED')", ABSENT),
    cell("ask for the size of a reference", "import os; os.stat(REFERENCE).st_size; raise Exception('REACHED')", ABSENT),
    cell(
        "ask from an open folder",
        "import os\nfor number in range(256):\n    try: os.stat('..', dir_fd=number)\n    except OSError: continue\n"
        "    raise Exception('REACHED')\nopen(COURSE)",
        ABSENT,
    ),
    cell("read the hidden checks", "open(HIDDEN).read(); raise Exception('REACHED')", ABSENT),
    cell("import the reference", "import sys; sys.path.insert(0, COURSE); import solutions.basics.reference\nraise Exception('REACHED')", "Error"),
    cell("open the course", "from autograder.course import load_course; load_course(COURSE); raise Exception('REACHED')", "Error"),
    cell("read the memory of the parent", "import os; open(f'/proc/{os.getppid()}/mem', 'rb').read(1); raise Exception('REACHED')", "Error"),
    cell("read the environment", f"{LEAK}\nimport os; leak(dict(os.environ))", "LEAKED"),
    cell("read the arguments", f"{LEAK}\nimport sys; leak(sys.argv, sys.orig_argv)", "LEAKED"),
    cell("read __main__", f"{LEAK}\nimport __main__; leak({{k: str(v)[:60] for k, v in vars(__main__).items()}})", "LEAKED"),
    cell("write into the course", "open(COURSE + '/written', 'w').write('x'); raise Exception('REACHED')", ABSENT),
    cell("write into /tmp", "open('/tmp/written-by-an-attack', 'w').write('x'); raise Exception('REACHED')", ABSENT),
    cell("remove the course", "import shutil; shutil.rmtree(COURSE); raise Exception('REACHED')", "Error"),
    cell("write into the grader's program", "import autograder; open(autograder.__file__, 'a').write('#'); raise Exception('REACHED')", "Read-only file system"),
)  # fmt: skip

# Looks at everything that can be reached in the child, and counts what was found: a secret is given in two halves,
# so that it does not find itself.
SEARCH = """
import gc, sys
import autograder.sandbox.child

secrets = [first + second for first, second in {halves!r}]
seen, todo, found, texts = set(), [], set(), 0
frame = sys._getframe()
while frame is not None:
    todo += [frame.f_globals, frame.f_locals, frame.f_code]
    frame = frame.f_back
gc.unfreeze()
todo += [*gc.get_objects(), *map(vars, list(sys.modules.values()))]
own = {{id(secrets), *map(id, secrets)}}
while todo:
    thing = todo.pop()
    if id(thing) in seen or id(thing) in own:
        continue
    seen.add(id(thing))
    if type(thing) in (str, bytes, bytearray):
        texts += 1
        text = thing if type(thing) is str else bytes(thing).decode("latin-1")
        found |= {{number for number, secret in enumerate(secrets) if secret in text}}
    elif type(thing) is not type(sys):
        todo += gc.get_referents(thing)
raise Exception(f"LEAKED {{len(found)}} secrets: {{sorted(found)}}; {{texts > 10_000}}")
"""

HARMING = (
    cell("kill the parent", "import os; os.kill(os.getppid(), 9); raise Exception('REACHED')", REFUSED),
    cell("kill everyone", "import os; os.kill(-1, 9); raise Exception('REACHED')", REFUSED),
    cell("kill the group", "import os; os.killpg(0, 9); raise Exception('REACHED')", REFUSED),
    cell("stop the parent", "import os, signal; os.kill(os.getppid(), signal.SIGSTOP); raise Exception('REACHED')", REFUSED),
    cell("TCP", "import socket; socket.create_connection(('127.0.0.1', 80), 2); raise Exception('REACHED')", REFUSED),
    cell("UDP", "import socket; socket.socket(type=socket.SOCK_DGRAM); raise Exception('REACHED')", REFUSED),
    cell("a name server", "import socket; socket.getaddrinfo('example.org', 80); raise Exception('REACHED')", "Error"),
    cell("a program", "import subprocess; subprocess.run(['true']); raise Exception('REACHED')", REFUSED),
    cell("a shell", "import os\nif os.system('touch /tmp/written-by-an-attack') == 0: raise Exception('REACHED')"),
    cell("multiprocessing", "import multiprocessing as m; p = m.Process(target=print); p.start(); raise Exception('REACHED')", "Error"),
    cell("a fork bomb", "import os\nwhile True: os.fork()", REFUSED),
    cell("trace the parent", "import ctypes, os\nif ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0: raise Exception('REACHED')"),
    cell("10 GB of numpy", "import numpy as np; np.ones(10 << 30, np.uint8)", "MemoryError"),
    cell("10 GB of torch", "import torch; torch.ones(10 << 30, dtype=torch.uint8)", "RuntimeError"),
    cell("memory without end", "hoard = []\nwhile True: hoard.append(bytearray(1 << 26))", "MemoryError"),
    call("10 GB of torch", "torch.ones(10 << 30, dtype=torch.uint8)", "RuntimeError"),
    call("recursion without end", "return grade_letter(score)", "RecursionError"),
    call("recursion without end or limit", "sys.setrecursionlimit(10**9)\nreturn grade_letter(score)", "", seconds=0.5),
    cell("300 threads", "import threading, time\nfor _ in range(300): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()", keeps=False),
    cell("1 GB printed", "block = 'x' * (1 << 20)\nfor _ in range(1024): print(block)"),
    cell("1 GB written to the standard streams", "import os\nblock = b'x' * (1 << 20)\nfor _ in range(512): os.write(1, block); os.write(2, block)"),
    call("1 GB printed", "for _ in range(64): print('x' * (1 << 20))", "It printed its answer"),
    Attack("endless calls back", "file", f"{WRONG}\ndef numerical_gradient(f, x):\n    while True:\n        try: f(x)\n        except BaseException: pass", "", keeps=False, seconds=0.5, submission=12.0),
    Attack("calls back in thousands", "file", f"{WRONG}\ndef numerical_gradient(f, x):\n    while True: f(x)", "more than", keeps=False, seconds=2.0, submission=10.0),
)  # fmt: skip

STALLING = (
    cell("an endless loop", "while True: pass", "TimeLimitReached", seconds=0.5),
    cell(
        "an endless loop that catches everything",
        "import signal\nfor s in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGXCPU): signal.signal(s, signal.SIG_IGN)\n"
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "TimeLimitReached",
        seconds=0.5,
    ),
    cell("sleep for an hour", "import time; time.sleep(3600)", "TimeLimitReached", seconds=0.5),
    cell("stop oneself", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "TimeLimitReached", seconds=0.5),
    cell("wait for a lock", "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()", "TimeLimitReached", seconds=0.5),
    cell("wait for an answer", "input()", ""),
    cell("read the standard input", "import sys; sys.stdin.buffer.read(1) or int('')", "ValueError"),
    call("an endless loop", "while True:\n    try: len([])\n    except BaseException: pass", "no answer after", seconds=0.5),
    call("one long operation", "sum(range(10**10))", "no answer after", seconds=0.5),
    Attack("an endless loop", "file", "while True: pass", "TimeLimitReached", keeps=False, seconds=0.5),
    Attack("an endless loop in every function", "file", f"{WRONG}\ndef endless(*args, **kwargs):\n    while True: pass\n"
           "dropout = standardize = grade_letter = numerical_gradient = Variable = EarlyStopping = no_grad = endless", "used up", keeps=False, seconds=0.5, submission=3.0),
    cell("a cell that stalls when it runs again", "import time\nif time.time() > SOON: time.sleep(3600)\n", "", keeps=False, seconds=0.5, submission=4.0),
)  # fmt: skip

ATTACKS = (
    *ENDING,
    *FRAMES,
    *REPLIES,
    *VALUES,
    *ANSWERS,
    *COMPUTED,
    *PATCHES,
    *READING,
    *HARMING,
    *STALLING,
)
