"""A call is stopped in time by a signal, and where there is none, by another thread; an import never is."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress

import pytest

from autograder.sandbox import limits
from autograder.sandbox.limits import TimeLimitReached, time_limit


def forever() -> None:
    while True:
        pass


def in_a_thread(work) -> list[BaseException]:
    """What it raises in a thread that is not the main one, to which no signal comes."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised


def limited() -> None:
    with time_limit(0.05):
        forever()


def test_an_endless_loop_ends_in_any_thread():
    with pytest.raises(TimeLimitReached):
        limited()
    (raised,) = in_a_thread(limited)
    assert isinstance(raised, TimeLimitReached)


def test_what_comes_after_the_block_is_never_stopped():
    def work() -> None:
        for _ in range(500):
            # Now and then the time is over just as the block ends.
            with suppress(TimeLimitReached), limits._by_thread(0.0005):
                time.sleep(0.0005)
            sum(range(2000))

    assert in_a_thread(work) == []


TRACED = """
import sys
from autograder.sandbox.limits import TimeLimitReached, _by_thread
for seconds in (60, 0.01):
    try:
        with _by_thread(seconds):
            while seconds < 1: pass
    except TimeLimitReached:
        print("stopped")
def traced():
    return "traced"
for follow in (sys.setprofile, sys.settrace):
    follow(lambda *event: None)
    traced()
    follow(None)
print(traced())
"""


def test_what_follows_a_limit_can_be_traced():
    """Python 3.11 waits for ever for an exception that was taken back."""
    assert said(TRACED) == "stopped\ntraced"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals")
def test_a_limit_that_is_reached_on_the_way_in_or_out_leaves_no_timer_behind():
    before = signal.getsignal(signal.SIGALRM)
    for microseconds in [*range(1, 1001), *range(1, 1001)]:
        with suppress(TimeLimitReached), limits._by_signal(microseconds / 1e6):
            time.sleep(0.0002)
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert signal.getsignal(signal.SIGALRM) is before


def test_a_finished_call_leaves_no_thread_behind():
    before = set(threading.enumerate())
    for _ in range(50):
        with limits._by_thread(60):
            pass
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(30)
    assert not any(thread.is_alive() for thread in left)


MODULE = "import time\nuntil = time.monotonic() + {seconds}\nwhile time.monotonic() < until:\n    pass\nENDED = True\n"


def slow_module(folder, monkeypatch: pytest.MonkeyPatch, name: str, seconds: float) -> None:
    (folder / f"{name}.py").write_text(MODULE.format(seconds=seconds))
    monkeypatch.syspath_prepend(folder)


@pytest.mark.parametrize("limit", [limits._by_signal, limits._by_thread])
def test_an_import_that_takes_longer_than_the_limit_comes_to_its_end(limit, tmp_path, monkeypatch):
    slow_module(tmp_path, monkeypatch, "imported_late", 0.5)
    monkeypatch.delitem(sys.modules, "imported_late", raising=False)
    with limit(0.05):
        import imported_late
    assert imported_late.ENDED


@pytest.mark.parametrize("limit", [limits._by_signal, limits._by_thread])
def test_after_an_import_the_limit_counts_again(limit, tmp_path, monkeypatch):
    slow_module(tmp_path, monkeypatch, "imported_before_a_loop", 0.5)
    monkeypatch.delitem(sys.modules, "imported_before_a_loop", raising=False)
    with pytest.raises(TimeLimitReached), limit(0.05):
        import imported_before_a_loop

        while imported_before_a_loop.ENDED:
            pass


def test_what_imports_for_ever_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "SECONDS_TO_IMPORT", 0.2)
    slow_module(tmp_path, monkeypatch, "imported_for_ever", 3600)
    with pytest.raises(TimeLimitReached), time_limit(0.05):
        import imported_for_ever  # noqa: F401


def test_a_limit_that_was_set_before_is_back_after_it():
    with pytest.raises(TimeLimitReached), time_limit(None), time_limit(0.05):
        time.sleep(3600)


LATE = """
import sys
import torch
from autograder.sandbox.inprocess import InProcess
from autograder.sandbox.protocol import Request

def descend(x):
    torch.optim.SGD([x.requires_grad_()], lr=0.1)
    return "right"

assert "torch._dynamo" not in sys.modules
runner = InProcess({"descend": descend}, seconds_per_call=0.05)
print(runner.run(Request("call", "descend", (torch.ones(2),), {})).value)
import torch._dynamo
torch._dynamo.reset()
"""

WATCHED = """
import sys
import torch
from autograder.sandbox.devices import device_finding
from autograder.sandbox.forbidden.operations import Forbidden
from autograder.sandbox.forbidden.watching import watching
from autograder.sandbox.loops import LoopSearch

with watching(Forbidden(("softmax",))) as watch:
    torch.ops.aten.softmax(torch.ones(2), 0)
found = LoopSearch(lambda x: torch.stack([row * 2 for row in x]), {}).finding((torch.ones(2, 3),), {})
placed = device_finding(lambda x: (x - x.amax(1, keepdim=True)).exp() * torch.ones(3), (torch.ones(2, 3),), {})
print(watch.seen, found.fault is not None, placed.fault is not None, "torch._dynamo" in sys.modules)
"""


def said(program: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, text=True, capture_output=True, check=True, timeout=120).stdout.strip()


def test_what_torch_imports_late_is_no_verdict_on_who_is_first_to_need_it():
    assert said(LATE) == "right"


def test_neither_watching_nor_counting_imports_torchs_compiler():
    assert said(WATCHED) == "('torch.ops.aten.softmax',) True True False"


class Heard:
    """Its destructor is where the limit is reached."""

    def __del__(self) -> None:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("limit", [limits._by_signal, limits._by_thread])
def test_a_limit_that_is_reached_in_a_destructor_comes_again(limit) -> None:
    """What is raised in a destructor is lost."""
    with pytest.raises(TimeLimitReached), limit(0.1):
        Heard()
        while True:
            pass
