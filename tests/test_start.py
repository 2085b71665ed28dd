"""`autograder start`: a released assignment is found in what the instructor gives, and copied without loss of work."""

import io
import json
import os
import stat
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pytest
from conftest import BIN

from autograder.notebooks.newer import beside, is_newer
from autograder.policy.deadline import deadline_beside
from autograder.starting import download, release
from autograder.starting.errors import StartError, UnreadableRelease
from autograder.starting.placing import RECORD, place
from autograder.starting.release import Release, read_release

FILES = {"relu.ipynb": b"{}", "checks.py": b"# checks", "examples.npz": b"PK", "data/digits.csv": b"1,2"}
RELEASE = Release("relu", {PurePosixPath(name): content for name, content in FILES.items()})
NEXT = Release("relu", {**RELEASE.files, PurePosixPath("relu.ipynb"): b"[]", PurePosixPath("checks.py"): b"# new"})


def zipped(files: dict[str, bytes], **about: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            for key, value in about.items():
                setattr(member, key, value)
            archive.writestr(member, content)
    return packed.getvalue()


def below(folder: str, files: dict[str, bytes] = FILES) -> dict[str, bytes]:
    return {f"{folder}{name}": content for name, content in files.items()}


def held(folder: Path) -> dict[str, bytes]:
    """What a folder holds, without the record of what was given."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name != RECORD}


def start(*arguments: str, cwd: Path, source: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "AUTOGRADER_FROM"}
    environment |= {"AUTOGRADER_FROM": source} if source else {}
    command = [str(BIN / "autograder"), "start", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True, check=False)


@pytest.mark.parametrize("above", ["", "relu/", "course-main/assignments/relu/", r"course\relu\\"])
def test_an_assignment_is_found_anywhere_in_a_zip(tmp_path, above):
    (tmp_path / "course.zip").write_bytes(
        zipped(below(above) | {"other/README.md": b"hello", "__MACOSX/relu.ipynb": b""})
    )
    assert read_release(str(tmp_path / "course.zip"), "relu").files == {**RELEASE.files} | (
        {PurePosixPath("other/README.md"): b"hello"} if not above else {}
    )


@pytest.mark.parametrize("above", ["", "relu", "course/assignments/relu"])
def test_an_assignment_is_found_anywhere_in_a_folder(tmp_path, above):
    for name, content in FILES.items():
        path = tmp_path / above / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / above / ".ipynb_checkpoints").mkdir()
    (tmp_path / above / ".ipynb_checkpoints" / "relu.ipynb").write_bytes(b"old")
    assert read_release(str(tmp_path), "relu") == RELEASE


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (zipped({"relu/gelu.ipynb": b"", "relu/checks.py": b""}), StartError, "allowed is gelu"),
        (zipped({"relu.ipynb": b""}), StartError, "a folder with relu.ipynb and checks.py is not in it"),
        (zipped(below("a/") | below("b/")), StartError, "2 times, in a and b"),
        (zipped(below("relu/") | {"../relu/x.py": b""}), UnreadableRelease, "'../relu/x.py', a name that leads out"),
        (zipped(below("relu/") | {"/etc/x.py": b""}), UnreadableRelease, "a name that leads out of its folder"),
        (zipped(below("relu/") | {r"C:\x.py": b""}), UnreadableRelease, "a name that leads out of its folder"),
        (zipped(below("relu/") | {r"relu\..\..\x.py": b""}), UnreadableRelease, "a name that leads out"),
        (zipped(below("relu/") | {"relu/x:y": b""}), UnreadableRelease, "a name that no file has on Windows"),
        (zipped(below("relu/") | {"relu/Aux.py": b""}), UnreadableRelease, "a name that no file has on Windows"),
        (zipped(below("relu/") | {"relu/CHECKS.py": b""}), UnreadableRelease, "the same on Windows and macOS"),
        (zipped(below("relu/"), external_attr=(stat.S_IFLNK | 0o777) << 16), UnreadableRelease, "is a link; nothing"),
        (zipped(below("relu/"))[:-30], UnreadableRelease, "is no zip that can be read"),
        (b"<html>", UnreadableRelease, "is no zip that can be read"),
        (zipped(below("relu/")).replace(b"# checks", b"# chocks"), UnreadableRelease, "checks.py cannot be read"),
    ],
)
def test_a_zip_that_may_not_be_copied_is_refused(tmp_path, content, error, says):
    (tmp_path / "course.zip").write_bytes(content)
    with pytest.raises(error, match=r"^[^\n]+\Z") as raised:
        read_release(str(tmp_path / "course.zip"), "relu")
    assert says in str(raised.value) and type(raised.value) is error


def test_links_in_a_folder_are_refused(tmp_path):
    (tmp_path / "secret").write_bytes(b"of the student's own machine")
    (tmp_path / "relu").mkdir()
    for name in ("relu.ipynb", "checks.py"):
        (tmp_path / "relu" / name).write_bytes(b"")
    (tmp_path / "relu" / "data").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(UnreadableRelease, match="relu/data is a link"):
        read_release(str(tmp_path), "relu")
    (tmp_path / "relu" / "data").unlink()
    (tmp_path / "relu" / "examples.npz").symlink_to(tmp_path / "secret")
    with pytest.raises(UnreadableRelease, match=r"relu/examples\.npz is a link"):
        read_release(str(tmp_path), "relu")


def test_what_unpacks_to_more_than_is_copied_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(release, "MOST_BYTES", 1 << 20)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in below("relu/", FILES | {"bomb.bin": bytes(2 << 20)}).items():
            archive.writestr(name, content)
    (tmp_path / "course.zip").write_bytes(packed.getvalue())
    with pytest.raises(UnreadableRelease, match="is larger than the 1 MB that are copied for relu"):
        read_release(str(tmp_path / "course.zip"), "relu")


@pytest.mark.parametrize(
    ("limit", "says"), [("MOST_FILES", "4 files for relu; at most 3"), ("MOST_ENTRIES", "4 files")]
)
def test_more_files_than_are_copied_are_refused(tmp_path, monkeypatch, limit, says):
    monkeypatch.setattr(release, limit, 3)
    (tmp_path / "course.zip").write_bytes(zipped(below("relu/")))
    with pytest.raises(UnreadableRelease, match=says):
        read_release(str(tmp_path / "course.zip"), "relu")


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """The address of a web server on this machine that answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{served.server_port}"
        finally:
            served.shutdown()


def sends(content: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in ({"Content_Length": str(len(content))} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)

    return answer


def test_an_assignment_is_downloaded():
    with server(sends(zipped(below("relu/")))) as address:
        assert read_release(f"{address}/course.zip", "relu") == RELEASE


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (sends(b"", 404), "course.zip cannot be downloaded: 404 Not Found."),
        (sends(b"<html>Log in</html>", Content_Type="text/html"), "it is no zip (text/html)"),
        (sends(zipped(below("relu/")), Content_Length="100000"), "it broke off after"),
        (sends(zipped({"relu.ipynb": bytes(3000)})), "it is larger than 0 MB"),
        (sends(b"", 302, Location="ftp://127.0.0.1:1/x.zip"), "cannot be downloaded"),
    ],
)
def test_a_download_that_goes_wrong_is_one_sentence(monkeypatch, answer, says):
    monkeypatch.setattr(download, "MOST_BYTES", 2000)
    with server(answer) as address, pytest.raises(UnreadableRelease, match=r"^[^\n]+\Z") as raised:
        read_release(f"{address}/course.zip", "relu")
    assert says in str(raised.value)


def test_a_server_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(download, "SECONDS_TO_ANSWER", 0.1)
    over = threading.Event()
    with server(lambda request: over.wait(30) and None) as address:
        with pytest.raises(UnreadableRelease, match="no answer in time"):
            read_release(f"{address}/course.zip", "relu")
        over.set()


def test_a_server_that_trickles_is_given_up(monkeypatch):
    monkeypatch.setattr(download, "SECONDS", 0.0)
    with server(sends(zipped(below("relu/")))) as address, pytest.raises(UnreadableRelease, match="no answer in time"):
        read_release(f"{address}/course.zip", "relu")


def test_an_address_with_https_may_not_lead_to_one_without():
    class Response:
        url = "http://elsewhere/course.zip"

    with pytest.raises(ValueError, match="without https"):
        download._take("https://here/course.zip", Response(), io.BytesIO())


def test_a_certificate_that_is_not_trusted_is_one_sentence(tmp_path):
    import ssl

    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    assert download._reason(download.URLError(error)).startswith("its certificate is not trusted (self-signed")


def test_a_new_folder_gets_everything(tmp_path):
    folder = tmp_path / "work" / "relu"
    assert set(place(RELEASE, folder).written) == set(RELEASE.files)
    assert held(folder) == FILES
    again = place(RELEASE, folder)
    assert (again.written, dict(again.kept)) == ((), {})


def test_what_is_missing_is_added_and_nothing_else_touched(tmp_path):
    place(RELEASE, tmp_path)
    (tmp_path / "examples.npz").unlink()
    (tmp_path / "notes.txt").write_bytes(b"mine")
    assert place(RELEASE, tmp_path).written == (PurePosixPath("examples.npz"),)
    assert held(tmp_path) == FILES | {"notes.txt": b"mine"}


@pytest.mark.parametrize("name", ["relu.ipynb", "checks.py", "data/digits.csv"])
def test_what_a_student_has_written_stops_it(tmp_path, name):
    place(RELEASE, tmp_path)
    (tmp_path / name).write_bytes(b"work of days")
    before = held(tmp_path)
    with pytest.raises(StartError, match="is there already and not as released, so nothing was changed"):
        place(NEXT, tmp_path)
    assert held(tmp_path) == before


@pytest.mark.parametrize("update", [False, True])
@pytest.mark.parametrize("files", [{"thesis.tex": b"years"}, {"gelu.ipynb": b"{}", "checks.py": b"# of gelu"}])
def test_a_folder_with_other_things_is_left_alone(tmp_path, files, update):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StartError, match="so nothing was changed: give another DIR"):
        place(RELEASE, tmp_path, update=update)
    assert held(tmp_path) == files


def test_a_file_in_the_folders_place_is_left_alone(tmp_path):
    (tmp_path / "relu").write_bytes(b"mine")
    with pytest.raises(StartError, match="is no folder: give another DIR"):
        place(RELEASE, tmp_path / "relu")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "relu.ipynb").write_bytes(b"{}")
    (tmp_path / "other" / "data").write_bytes(b"mine")
    with pytest.raises(StartError, match="cannot be written"):
        place(RELEASE, tmp_path / "other")
    assert (tmp_path / "other" / "data").read_bytes() == b"mine"


def test_an_update_replaces_what_the_student_has_not_changed(tmp_path):
    place(RELEASE, tmp_path)
    done = place(NEXT, tmp_path, update=True)
    assert set(done.written) == {PurePosixPath("relu.ipynb"), PurePosixPath("checks.py")}
    assert held(tmp_path) == FILES | {"relu.ipynb": b"[]", "checks.py": b"# new"}


def test_an_update_keeps_the_students_notebook_and_puts_the_new_one_beside_it(tmp_path):
    place(RELEASE, tmp_path)
    (tmp_path / "relu.ipynb").write_bytes(b"mine")
    done = place(NEXT, tmp_path, update=True)
    assert dict(done.kept) == {PurePosixPath("relu.ipynb"): PurePosixPath("relu.new.ipynb")}
    assert held(tmp_path) == FILES | {"relu.ipynb": b"mine", "checks.py": b"# new", "relu.new.ipynb": b"[]"}
    again = place(NEXT, tmp_path, update=True)
    assert (again.written, dict(again.kept)) == ((), {})
    (tmp_path / "relu.new.ipynb").write_bytes(b"mine, too")
    third = Release("relu", {**NEXT.files, PurePosixPath("relu.ipynb"): b"third"})
    assert dict(place(third, tmp_path, update=True).kept) == {RELEASE.notebook: PurePosixPath("relu.new2.ipynb")}
    assert held(tmp_path)["relu.new.ipynb"] == b"mine, too"


def test_an_update_of_an_unchanged_notebook_puts_nothing_beside_it(tmp_path):
    place(RELEASE, tmp_path)
    (tmp_path / "relu.ipynb").write_bytes(b"mine")
    newer = Release("relu", {**RELEASE.files, PurePosixPath("checks.py"): b"# new"})
    assert place(newer, tmp_path, update=True).written == (PurePosixPath("checks.py"),)
    assert held(tmp_path) == FILES | {"relu.ipynb": b"mine", "checks.py": b"# new"}


@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b'{"assignment": "relu", "files": 3}', b"\xff"])
def test_without_a_readable_record_a_notebook_counts_as_the_students(tmp_path, record):
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / RECORD).write_bytes(record)
    done = place(NEXT, tmp_path, update=True)
    assert done.kept == {PurePosixPath("relu.ipynb"): PurePosixPath("relu.new.ipynb")}


def test_a_new_version_is_known_by_its_name_and_its_due_date_holds(tmp_path):
    assert [beside("relu.ipynb"), beside("relu.ipynb", 2), beside("LICENSE")] == [
        "relu.new.ipynb",
        "relu.new2.ipynb",
        "LICENSE.new",
    ]
    assert [is_newer(name) for name in ("relu.new.ipynb", "relu.new12.ipynb", "relu.ipynb", "newton.ipynb")] == [
        True,
        True,
        False,
        False,
    ]
    for name, day in (("relu.ipynb", 1), ("relu.new.ipynb", 2), ("relu.new2.ipynb", 3)):
        about = {"assignment": "relu", "due": f"2026-12-0{day}T12:00:00Z"}
        (tmp_path / name).write_text(json.dumps({"metadata": {"autograder": about}}), encoding="utf-8")
    assert deadline_beside(tmp_path, "relu").due.day == 3


def test_the_command_says_what_to_do_next(tmp_path):
    (tmp_path / "course.zip").write_bytes(zipped(below("relu/")))
    done = start("relu", cwd=tmp_path, source="course.zip")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"Next: jupyter lab {Path('relu', 'relu.ipynb')}"
    done = start("relu", "my work/relu", "--from", "course.zip", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == f'Next: jupyter lab "{Path("my work", "relu", "relu.ipynb")}"'
    (tmp_path / "relu" / "relu.ipynb").write_bytes(b"mine")
    (tmp_path / "course.zip").write_bytes(zipped({f"{at}": content for at, content in NEXT.files.items()}))
    done = start("relu", "--update", "--from", "course.zip", cwd=tmp_path)
    assert done.stdout.splitlines()[:2] == [
        "relu: wrote checks.py to relu.",
        "relu.ipynb has a new version, which is relu.new.ipynb; yours is kept.",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("relu",), 2, "Give --from SOURCE"),
        (("relo", "--from", "course.zip"), 2, "did you mean relu?"),
        (("../relu", "--from", "course.zip"), 2, "no assignment '../relu'"),
        (("relu", ".", "--from", "course.zip"), 2, "holds other files and no relu.ipynb"),
        (("relu", "--from", "nothing.zip"), 3, "nothing.zip does not exist; allowed is"),
        (("relu", "--from", "ftp://host/x.zip"), 3, "allowed is a folder, a zip, or a zip's https:// address"),
        (("relu", "--from", "http://127.0.0.1:1/x.zip"), 3, "cannot be downloaded: "),
        (("relu", "--from", "https://"), 3, "https:// cannot be downloaded: "),
    ],
)
def test_a_fault_is_one_sentence_and_an_exit_code(tmp_path, arguments, code, says):
    (tmp_path / "course.zip").write_bytes(zipped(below("relu/")))
    done = start(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert says in done.stderr
    assert held(tmp_path).keys() == {"course.zip"}
