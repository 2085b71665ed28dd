"""What a worker of a cluster needs for one thread: time to begin, memory, processor time and bytes for each submission.

    python bench/worker.py [NAME ...]

Judges the made-up class of the demo in one process, as a worker does. It takes the course of the present folder, whose
assignments have to be built.
"""

import sys
import time
from pathlib import Path

import msgspec

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from autograder.classroom.grade import Manner, Verdict  # noqa: E402
from autograder.cluster.pack import Parcel, packed  # noqa: E402
from autograder.cluster.worker import Seat  # noqa: E402
from autograder.course import find_course  # noqa: E402
from autograder.demo.made_class import make_class  # noqa: E402
from autograder.notebooks.build import source_notebook  # noqa: E402
from autograder.testing.assignment import load_assignment  # noqa: E402

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20


def main() -> None:
    course = find_course(Path.cwd())
    for name in sys.argv[1:] or [one.name for one in course.assignments]:
        assignment = load_assignment(course, name)
        class_ = make_class(assignment, source_notebook(course, assignment))
        pack = packed(course, name, Manner())
        begun = time.monotonic()
        seat = Seat()
        assert not seat.ask(pack), "the worker would be left out"
        ready, memory, verdicts = time.monotonic() - begun, together(seat.pid), []
        begun = time.monotonic()
        for made in class_:
            parcel = Parcel(f"{made.student}/{name}.ipynb", (), made.text.encode())
            verdicts.append(seat.ask(msgspec.msgpack.encode(parcel)))
            memory = max(memory, together(seat.pid))
        wall = (time.monotonic() - begun) / len(class_)
        results = [msgspec.msgpack.decode(verdict, type=Verdict).result for verdict in verdicts]
        judged = [result.seconds.cpu for result in results if result is not None]
        seat.end()
        print(
            f"{name}: pack {len(pack) / MEBIBYTE:.1f} MiB; ready after {ready:.1f} s; {len(class_)} submissions: each "
            f"{wall:.2f} s by the clock, {sum(judged) / len(judged):.2f} s of processor time in judging (at most "
            f"{max(judged):.2f}), {len(class_[0].text) / KIBIBYTE:.0f} KiB there, "
            f"{sum(map(len, verdicts)) / len(verdicts) / KIBIBYTE:.0f} KiB back; {memory:.0f} MiB of memory"
        )


def together(pid: int) -> float:
    """MiB of a process and its descendants, with what they share counted once (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return own / KIBIBYTE + sum(together(int(child)) for child in children)


if __name__ == "__main__":
    main()
