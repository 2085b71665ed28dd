"""Grading on a cluster, up to the seam behind which Dask stands: what travels, who is let in, what a loss costs."""

import random
import shutil
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cluster_machines import Machines, Simulated
from conftest import BIN
from msgspec import structs

from autograder.classroom.grade import Judged, Manner, Verdict, as_line, grade_class, here
from autograder.classroom.submitted import Submitted, submissions
from autograder.cluster import pack as packing
from autograder.cluster.addresses import is_open
from autograder.cluster.certificates import make_certificates
from autograder.cluster.deal import KILLED, Dealer
from autograder.cluster.errors import ClusterError
from autograder.cluster.pack import packed
from autograder.cluster.start import cluster_judges, refuse_open
from autograder.course import Course, CourseError, load_course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import source_notebook
from autograder.testing.assignment import load_assignment
from autograder.version import program

NAME = "basics"
TRUSTED = Manner(trusted=True)
KILLS = "import os, signal\nos.kill({whom}, signal.SIGKILL)\n"


@pytest.fixture
def course(fixture_course: Course) -> Course:
    """The fixture course with a class that has handed in; one file is broken."""
    assignment = load_assignment(fixture_course, NAME)
    for made in make_class(assignment, source_notebook(fixture_course, assignment)):
        hand_in(fixture_course, made.student, made.text)
    return fixture_course


@pytest.fixture
def three(course: Course) -> Course:
    """The same with a class of three."""
    for folder in sorted((course.private_dir / "submitted").iterdir())[3:]:
        shutil.rmtree(folder)
    return course


@pytest.fixture
def machines(tmp_path: Path) -> Iterator:
    """Makes workers, which end with the test."""
    made = []

    def make(pack: bytes, threads: dict[str, int], **more) -> Machines:
        made.append(Machines(pack, tmp_path / "machines", threads, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def hand_in(course: Course, student: str, text: str, suffix: str = ".ipynb") -> None:
    folder = course.private_dir / "submitted" / student / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}{suffix}").write_text(text, encoding="utf-8")


def records(judged: list[Judged]) -> dict[str, dict]:
    """Each student's record, without what differs from run to run."""
    lines = {one.student: msgspec.json.decode(as_line(one)) for one in judged}
    for line in lines.values():
        if line["result"] is not None:
            del line["result"]["seconds"]
    return lines


def test_a_cluster_gives_what_jobs_give_and_needs_no_folder_of_the_course(course: Course, machines):
    class_ = submissions(course, NAME)
    alone = list(grade_class(course, NAME, class_, Manner(), here(course, NAME, Manner(), 1), keep=False))
    carrier = machines(packed(course, NAME, Manner()), {"a": 1, "b": 1})
    for folder in (course.assignments_dir, course.solutions_dir, course.build_dir):
        shutil.rmtree(folder)
    before, said = set(packing.IN_MEMORY.iterdir()), []
    judged = list(Dealer(course, NAME, carrier, said.append)(class_))
    assert records(judged) == records(alone)
    assert {one.student: one.page for one in judged} == {one.student: one.page for one in alone}
    assert "The cluster has 2 workers with 2 threads." in said
    # Where the hidden checks stood while they were loaded there is nothing any more, though the workers still run.
    left = [path for path in set(packing.IN_MEMORY.iterdir()) - before if path.name.startswith("autograder-")]
    wait_until(lambda: not any(path.exists() for path in left))  # those of other tests are gone soon


def test_a_lost_worker_costs_nobody_a_result_and_its_processes_end_with_it(three: Course, machines):
    class_ = submissions(three, NAME)
    carrier = machines(packed(three, NAME, Manner()), {"a": 1, "b": 1})
    judging, judged = Dealer(three, NAME, carrier, lambda sentence: None)(class_), []
    judged.append(next(judging))
    pids = [int(pid) for pid in children(carrier.pid("a"))]
    carrier.kill("a")
    judged += judging
    assert {one.student for one in judged} == {one.student for one in class_}
    assert all(one.result is not None for one in judged)
    wait_until(lambda: not any(is_there(pid) for pid in pids))


@pytest.mark.parametrize("whom", ["os.getpid()", "os.getppid()"], ids=["its process", "its worker"])
def test_a_submission_that_kills_two_workers_is_not_judged_and_alone(three: Course, machines, whom: str):
    hand_in(three, "aaron", KILLS.format(whom=whom), ".py")
    class_ = submissions(three, NAME)
    names = {"a": 1, "b": 1, "c": 1}
    carrier = machines(packed(three, NAME, TRUSTED), names)
    judged = {one.student: one for one in Dealer(three, NAME, carrier, lambda sentence: None)(class_)}
    assert judged.keys() == {one.student for one in class_}
    assert [(one.student, one.reason) for one in judged.values() if one.result is None] == [("aaron", KILLED)]
    assert len(carrier.workers()) == (3 if whom == "os.getpid()" else 1)


def test_what_was_judged_beside_a_poison_on_the_same_worker_is_judged(three: Course, machines):
    hand_in(three, "aaron", KILLS.format(whom="os.getppid()"), ".py")
    carrier = machines(packed(three, NAME, TRUSTED), {"a": 3, "b": 3, "c": 3})
    judged = list(Dealer(three, NAME, carrier, lambda sentence: None)(submissions(three, NAME)))
    assert sorted(one.student for one in judged if one.result is None) == ["aaron"]
    assert len(judged) == 4


def test_a_worker_of_another_version_is_left_out_by_name_and_the_others_go_on(three: Course, machines):
    asked = {"old": program() | {"torch": "1.0"}}
    carrier = machines(packed(three, NAME, Manner()), {"old": 1, "new": 1}, asked=asked)
    said = []
    judged = list(Dealer(three, NAME, carrier, said.append)(submissions(three, NAME)))
    assert len(judged) == 3 and all(one.result is not None for one in judged)
    assert f"old is left out, for its torch is {program()['torch']}, and the grader's is 1.0." in said


def test_where_no_worker_has_what_is_asked_for_grading_ends_with_why(three: Course, machines):
    carrier = machines(packed(three, NAME, Manner(device="cuda")), {"a": 1})
    with pytest.raises(ClusterError, match=r"No worker of the cluster can judge basics: a is left out, .*no GPU here"):
        list(Dealer(three, NAME, carrier, lambda sentence: None)(submissions(three, NAME)))


def test_a_lost_cluster_ends_in_one_sentence_and_the_next_run_goes_on(three: Course):
    class_ = submissions(three, NAME)
    result = next(iter(here(three, NAME, Manner(), 1)(class_[:1]))).result
    carrier = Lossy(result)
    graded = []
    with pytest.raises(ClusterError, match="lost"):
        graded += grade_class(three, NAME, class_, Manner(), Dealer(three, NAME, carrier, lambda sentence: None))
    assert carrier.judged == 1
    again = list(grade_class(three, NAME, class_[:1], Manner(), refuses_to_judge))
    assert [(one.again, one.result) for one in again] == [(False, result)]


class Lossy(Simulated):
    """One worker that judges one submission; then the cluster is lost, and with it all that was under way."""

    def __init__(self, result) -> None:
        super().__init__({"a": 1}, msgspec.msgpack.encode(Verdict(result)), lambda: 0.0)
        self.judged = 0

    def workers(self):
        if self.judged:
            raise ClusterError("lost")
        return super().workers()

    def judge(self, name: str, parcel: bytes):
        if self.judged:
            future = super().judge(name, parcel)
            future.cancel()
            return future
        self.judged += 1
        return super().judge(name, parcel)


def refuses_to_judge(waiting):
    assert not waiting
    return iter(())


def test_a_fault_of_a_worker_leaves_it_out_and_costs_no_submission(three: Course):
    class Faulty(Simulated):
        def judge(self, name: str, parcel: bytes):
            future = super().judge("good", parcel) if name == "good" else type(super().judge("good", parcel))()
            if name == "bad":
                future.set_exception(OSError("no space left on device"))
            return future

    said = []
    carrier = Faulty({"bad": 1, "good": 1}, msgspec.msgpack.encode(Verdict(reason="seen")), lambda: 0.01)
    judged = list(Dealer(three, NAME, carrier, said.append)(submissions(three, NAME)))
    assert [one.reason for one in judged] == ["seen"] * 3
    assert "bad is left out, for it failed (OSError: no space left on device)." in said


def test_a_worker_never_holds_more_than_its_threads_however_large_the_class(fixture_course: Course):
    class_ = many(fixture_course, 600)
    chance = random.Random(0)
    threads = {f"worker-{number}": 1 + number % 3 for number in range(8)}
    carrier = Simulated(threads, msgspec.msgpack.encode(Verdict(reason="seen")), lambda: chance.random() * 0.005)
    judged = list(Dealer(fixture_course, NAME, carrier, lambda sentence: None)(class_))
    assert sorted(one.student for one in judged) == [one.student for one in class_]
    assert carrier.most == threads


def test_who_stops_grading_cancels_what_is_under_way(three: Course):
    seconds = iter([0.0, 1000.0, 1000.0])
    carrier = Simulated({"a": 1, "b": 1}, msgspec.msgpack.encode(Verdict(reason="seen")), lambda: next(seconds))
    judging = Dealer(three, NAME, carrier, lambda sentence: None)(submissions(three, NAME))
    next(judging)
    judging.close()
    assert carrier.under_way and all(future.cancelled() for future in carrier.under_way)


def many(course: Course, count: int) -> list[Submitted]:
    """So many submissions of one file."""
    hand_in(course, "student", "x = 1\n", ".py")
    folder = course.private_dir / "submitted"
    for number in range(count):
        (folder / f"s{number:06}" / NAME).mkdir(parents=True)
        (folder / f"s{number:06}" / NAME / f"{NAME}.py").hardlink_to(folder / "student" / NAME / f"{NAME}.py")
    return [Submitted(f"s{n:06}", folder / f"s{n:06}" / NAME / f"{NAME}.py", None) for n in range(count)]


def test_a_file_too_large_to_send_is_told_so(three: Course, monkeypatch):
    monkeypatch.setattr("autograder.cluster.deal.MOST_BYTES", 10)
    carrier = Simulated({"a": 1}, b"", lambda: 0.0)
    judged = list(Dealer(three, NAME, carrier, lambda sentence: None)(submissions(three, NAME)))
    assert all("no more than 10 are sent to a cluster" in one.reason for one in judged) and len(judged) == 3


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("tcp://localhost:8786", False),
        ("tcp://[::1]:8786", False),
        ("tls://10.0.0.5:8786", False),
        ("tcp://10.0.0.5:8786", True),
        ("tcp://127.0.0.1.example.org:8786", True),
        ("tcp://0.0.0.0:8786", True),
        ("ws://scheduler:8786", True),
        ("tcp://:8786", True),
    ],
)
def test_only_an_encrypted_way_leads_to_another_machine(address: str, expected: bool):
    assert is_open(address) is expected


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("tcp://10.0.0.5:8786", "is another machine, and what is sent there is not encrypted: run `autograder cluster"),
        ("tls://10.0.0.5:8786", "private/cluster does not hold cert.pem and key.pem"),
        ("10.0.0.5:8786", "allowed is tls://HOST:PORT, tcp://127.0.0.1:PORT or start"),
    ],
)
def test_an_address_that_will_not_do_is_told_so(fixture_course: Course, address: str, says: str):
    with pytest.raises(ClusterError) as raised:
        refuse_open(fixture_course, address, False)
    assert says in str(raised.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes them")
def test_the_certificates_let_both_sides_know_each_other_and_nobody_else(tmp_path: Path):
    ours, others = (make_certificates(tmp_path / name) for name in ("ours", "others"))
    assert stat.S_IMODE(ours[1].stat().st_mode) == 0o600 and stat.S_IMODE(ours[1].parent.stat().st_mode) == 0o700
    shake_hands(ours, ours)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake_hands(ours, others)
    with pytest.raises(ClusterError, match=r"cert\.pem is there already"):
        make_certificates(tmp_path / "ours")


def shake_hands(server: tuple[Path, Path], client: tuple[Path, Path]) -> None:
    """As Dask sets both sides up: each asks for a certificate that its own file vouches for, whatever the host."""
    pipes = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = []
    for (certificate, key), purpose in ((server, ssl.Purpose.CLIENT_AUTH), (client, ssl.Purpose.SERVER_AUTH)):
        context = ssl.create_default_context(purpose, cafile=str(certificate))
        context.load_cert_chain(certificate, key)
        context.check_hostname, context.verify_mode = False, ssl.CERT_REQUIRED
        is_server = purpose is ssl.Purpose.CLIENT_AUTH
        incoming, outgoing = pipes if is_server else pipes[::-1]
        sides.append(context.wrap_bio(incoming, outgoing, server_side=is_server))
    done = set()
    while len(done) < 2:
        for side in reversed(sides):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            'class = "SLURMCluster"',
            "cluster.class is 'SLURMCluster'; allowed is \"local\", or the full name of a class",
        ),
        ("workers = 0", "cluster.workers is 0; allowed is a whole number greater than 0"),
        ('kind = "local"', "cluster.kind is an unknown key; allowed is class, arguments, workers or certificates"),
    ],
)
def test_a_fault_in_the_settings_is_named(fixture_course: Course, settings: str, says: str):
    file = fixture_course.root / "course.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n[cluster]\n{settings}\n", encoding="utf-8")
    with pytest.raises(CourseError) as raised:
        load_course(fixture_course.root)
    assert says in str(raised.value)


def test_what_travels_has_neither_submissions_nor_the_courses_seed(three: Course):
    (three.private_dir / "seed").write_text("0123456789abcdef")
    settings = structs.replace(three.cluster, arguments={"password": "swordfish"})
    pack = packed(structs.replace(three, cluster=settings), NAME, Manner())
    assert b"submitted" not in pack and b"0123456789abcdef" not in pack and b"swordfish" not in pack
    assert str(three.root).encode() not in pack


def test_the_command_says_what_is_missing(three: Course):
    def grade(*options: str) -> subprocess.CompletedProcess[str]:
        command = [str(BIN / "autograder"), "grade", NAME, *options]
        return subprocess.run(command, cwd=three.root, text=True, capture_output=True, check=False)

    both = grade("--cluster", "start", "--jobs", "2")
    assert both.returncode == 2 and "--jobs and --cluster were given" in both.stderr
    assert "Traceback" not in both.stderr


def test_without_dask_the_extra_is_named(fixture_course: Course, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "autograder.cluster.dask", raising=False)
    judges = cluster_judges(fixture_course, NAME, Manner(), "tcp://127.0.0.1:1", lambda sentence: None)
    with pytest.raises(ClusterError, match=r"not installed here: `pip install 'deep-learning-by-hand\[cluster\]'`"):
        judges.__enter__()


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(holds) -> None:
    while not holds():
        time.sleep(0.02)
