"""What the grader of a cluster needs for very many submissions: memory and time, with workers that only wait.

    python bench/cluster.py [--submissions 100000] [--workers 64] [--seconds 0.02]

Nothing is judged and nothing is sent: every submission is read, dealt out and answered with a verdict of the size of a
real one, at the seam behind which Dask stands. So this is the grader's own share, without the scheduler's.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import msgspec

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path += [str(REPOSITORY), str(REPOSITORY / "tests")]

from cluster_machines import Simulated  # noqa: E402

from autograder.classroom.grade import Verdict  # noqa: E402
from autograder.classroom.submitted import Submitted  # noqa: E402
from autograder.cluster.deal import Dealer  # noqa: E402
from autograder.course import load_course  # noqa: E402
from autograder.reading.records import Page  # noqa: E402

MEBIBYTE = 1 << 20
NOTEBOOK = 100_000  # bytes of a submission, and of its page
LINES = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=0.02, help="that a worker waits for each, on average")
    given = parser.parse_args()
    course = load_course(REPOSITORY / "tests" / "fixture_course")
    with tempfile.TemporaryDirectory() as folder:
        course = msgspec.structs.replace(course, root=Path(folder))
        class_ = hand_in(course.private_dir / "submitted", given.submissions)
        chance = random.Random(0)
        verdict = msgspec.msgpack.encode(Verdict(page=Page("x" * NOTEBOOK, ())))
        threads = {f"worker-{number}": 1 for number in range(given.workers)}
        carrier = Simulated(threads, verdict, lambda: given.seconds * 2 * chance.random())
        begun, cpu = time.monotonic(), time.process_time()
        print(f"{0:>8} done  {resident():6.1f} MiB", flush=True)
        for done, _ in enumerate(Dealer(course, "basics", carrier, print)(class_), 1):
            if done % max(1, given.submissions // LINES) == 0:
                print(f"{done:>8} done  {resident():6.1f} MiB  {time.monotonic() - begun:6.1f} s", flush=True)
        each = (time.process_time() - cpu) / given.submissions
        print(f"{each * 1000:.2f} ms of processor time for each submission, the workers' waiting included")
        assert max(carrier.most.values()) == 1


def hand_in(folder: Path, count: int) -> list[Submitted]:
    """So many students, who handed in one and the same file."""
    file = folder / "file.py"
    folder.mkdir(parents=True)
    file.write_text("#" * NOTEBOOK, encoding="utf-8")
    class_ = []
    for number in range(count):
        own = folder / f"s{number:07}" / "basics" / "basics.py"
        own.parent.mkdir(parents=True)
        # A file may have only so many names.
        if number % 1000 == 999:
            file = own
            file.write_text("#" * NOTEBOOK, encoding="utf-8")
        else:
            os.link(file, own)
        class_.append(Submitted(f"s{number:07}", own, None))
    return class_


def resident() -> float:
    """MiB of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


if __name__ == "__main__":
    main()
