"""Malformed variants of real submissions, and what grading makes of them.

``python tests/malformed.py --count 1000 --stock 60`` grades 1,000 of them with ``autograder grade``, 60 of these with
``nbgrader autograde`` too, beside neighbours that are intact, and prints how each kind ended.
"""

import argparse
import copy
import io
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import Course, load_course
from autograder.demo.made_class import make_class
from autograder.notebooks.build import build_assignment, source_notebook
from autograder.testing.assignment import load_assignment

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NAME = "basics"
ODD = (None, True, 3, -1.5, "text", "", [], [1, "a", None], {}, {"a": [1]}, "\ud800", 10**30, [[[]]])
Draw = random.Random


@dataclass(frozen=True)
class Malformed:
    """A submission's folder: its files, the submission it was made of, and what was done to it."""

    base: str
    about: tuple[str, ...]
    files: Mapping[str, bytes]


def graded(content: Any) -> list[Any]:
    return [cell for cell in content["cells"] if "nbgrader" in cell["metadata"]]


def a_copy(draw: Draw, content: Any) -> None:
    """A graded cell stands there twice."""
    cell = copy.deepcopy(draw.choice(graded(content)))
    cell["id"] = draw.choice([cell["id"], f"copy-{draw.random()}".replace(".", "")])
    content["cells"].insert(draw.randrange(len(content["cells"]) + 1), cell)


def a_blank_copy(draw: Draw, content: Any) -> None:
    """A second, empty copy of a graded cell follows."""
    cell = copy.deepcopy(draw.choice(graded(content)))
    cell["source"] = draw.choice(["", "pass", "# here"])
    content["cells"].insert(draw.randrange(len(content["cells"]) + 1), cell)


def split_cell(draw: Draw, content: Any) -> None:
    """A cell was split in two, both with its metadata."""
    cell = draw.choice(graded(content))
    lines = "".join(cell["source"]).splitlines(keepends=True)
    if len(lines) > 1:
        where = draw.randrange(1, len(lines))
        second = {**copy.deepcopy(cell), "source": "".join(lines[where:]), "id": "second"}
        cell["source"] = "".join(lines[:where])
        content["cells"].insert(content["cells"].index(cell) + 1, second)


def no_metadata(draw: Draw, content: Any) -> None:
    """Some cells lost nbgrader's metadata, some their ids too."""
    for cell in graded(content):
        if draw.random() < 0.4:
            cell["metadata"] = draw.choice([{}, {"tags": ["a", "a"]}, {"nbgrader": {}}, {"collapsed": "no"}])
            if draw.random() < 0.5:
                cell["id"] = draw.choice(["", "x y", None, f"{draw.random()}", "same"])


def forged_metadata(draw: Draw, content: Any) -> None:
    """Cells claim other points, roles, names or versions."""
    for cell in graded(content):
        key = draw.choice(["schema_version", "points", "grade", "locked", "solution", "grade_id", "checksum", "task"])
        value = draw.choice([1, 2, 4, "3", None, 100, -5, True, False, "setup", "check-dropout", "é", [], {"a": 1}])
        if draw.random() < 0.5:
            cell["metadata"]["nbgrader"][key] = value
        elif draw.random() < 0.2:
            cell["metadata"]["nbgrader"].pop(key, None)


def other_schema(draw: Draw, content: Any) -> None:
    """All cells have metadata of another version of nbgrader."""
    version = draw.choice([0, 1, 2, 4, 99])
    for cell in graded(content):
        cell["metadata"]["nbgrader"]["schema_version"] = version


def no_checks(draw: Draw, content: Any) -> None:
    """Check cells were deleted."""
    share = draw.choice([0.2, 0.6, 1.0])
    content["cells"] = [c for c in content["cells"] if not (_is_check(c) and draw.random() < share)]


def _is_check(cell: Any) -> bool:
    return "".join(cell["source"]).startswith("check(")


def fewer_cells(draw: Draw, content: Any) -> None:
    """A cell was deleted."""
    content["cells"].pop(draw.randrange(len(content["cells"])))


def moved_cells(draw: Draw, content: Any) -> None:
    """Two cells changed places."""
    one, other = (draw.randrange(len(content["cells"])) for _ in range(2))
    content["cells"][one], content["cells"][other] = content["cells"][other], content["cells"][one]


def edited_locked(draw: Draw, content: Any) -> None:
    """Something was written into a locked cell."""
    cell = draw.choice([c for c in graded(content) if c["metadata"]["nbgrader"].get("locked")])
    source = "".join(cell["source"])
    cell["source"] = draw.choice([f"{source}\n7.0", "", f"import math\n{source}", "100.0", f"print(1)\n{source}"])


def other_type(draw: Draw, content: Any) -> None:
    """Cells have another type."""
    for cell in content["cells"]:
        if draw.random() < 0.15:
            cell["cell_type"] = draw.choice(["code", "markdown", "raw", "heading", "Code", None, 3])


def other_kernel(draw: Draw, content: Any) -> None:
    """The notebook was saved with another kernel."""
    name = draw.choice(["ir", "julia-1.9", "xcpp17", "python2", ""])
    content["metadata"]["kernelspec"] = draw.choice([{"name": name, "display_name": name, "language": name}, {}, None])
    content["metadata"]["autograder"] = draw.choice([None, 3, {"version": 1}, {"assignment": [], "unjudged": "x"}])
    content["metadata"]["language_info"] = draw.choice([{"name": "R"}, {}, 3])


def conflict_in_code(draw: Draw, content: Any) -> None:
    """A cell's code holds a merge conflict."""
    cell = draw.choice([c for c in content["cells"] if c["cell_type"] == "code"])
    source = "".join(cell["source"])
    cell["source"] = f"<<<<<<< HEAD\n{source}\n=======\npass\n>>>>>>> origin/main\n"


def old_format(draw: Draw, content: Any) -> None:
    """The notebook has format 3, or does not say so well which it has."""
    if draw.random() < 0.5:
        for cell in content["cells"]:
            if cell["cell_type"] == "code":
                cell["input"] = cell.pop("source")
                cell["prompt_number"] = cell.pop("execution_count", None)
        content.update(nbformat=3, nbformat_minor=0, worksheets=[{"cells": content.pop("cells"), "metadata": {}}])
    else:
        content["nbformat"] = draw.choice([None, "4", 2, 5, 99, 4.0])
        content.pop(draw.choice(["nbformat_minor", "nbformat", "metadata"]), None)


def much_output(draw: Draw, content: Any) -> None:
    """Cells printed a lot, or hold outputs of odd shapes."""
    line = "x" * draw.choice([100, 10_000])
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            text = {"output_type": "stream", "name": draw.choice(["stdout", "stderr"]), "text": [line] * 20}
            result = {"output_type": "execute_result", "data": {"text/plain": "100.0"}, "metadata": {}}
            cell["outputs"] = draw.choice([[text], [result], [3], [{"output_type": "x"}], {}, None, [text, result, {}]])


def lost_keys(draw: Draw, content: Any) -> None:
    """Keys are missing anywhere."""
    for _ in range(draw.randrange(1, 6)):
        place = draw.choice([p for p in _places(content) if isinstance(p, dict) and p])
        del place[draw.choice(list(place))]


def wrong_types(draw: Draw, content: Any) -> None:
    """Values anywhere are of another type."""
    for _ in range(draw.randrange(1, 6)):
        place = draw.choice([p for p in _places(content) if p])
        key = draw.choice(list(place)) if isinstance(place, dict) else draw.randrange(len(place))
        place[key] = copy.deepcopy(draw.choice(ODD))


def _places(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _places(inner)


# Done to an intact notebook, so that each may take its shape for granted; the later two come last.
TREE: tuple[Callable[[Draw, Any], None], ...] = (
    a_copy, a_blank_copy, split_cell, no_metadata, forged_metadata, other_schema, no_checks, fewer_cells, moved_cells,
    edited_locked, other_type, other_kernel, conflict_in_code, much_output,
)  # fmt: skip
TREE_LAST: tuple[Callable[[Draw, Any], None], ...] = (old_format, lost_keys, wrong_types)


def flipped_bytes(draw: Draw, raw: bytes) -> bytes:
    """Some bytes are others."""
    damaged = bytearray(raw)
    for _ in range(draw.choice([1, 1, 2, 5, 50])):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged)


def nul_bytes(draw: Draw, raw: bytes) -> bytes:
    """NUL bytes stand in the file, or fill its end."""
    where = draw.randrange(len(raw))
    return raw + bytes(500) if draw.random() < 0.5 else raw[:where] + b"\0\0" + raw[where:]


def cut_off(draw: Draw, raw: bytes) -> bytes:
    """The upload broke off."""
    return raw[: draw.randrange(len(raw))]


def marks(draw: Draw, raw: bytes) -> bytes:
    """The file has a byte order mark."""
    return b"\xef\xbb\xbf" + raw


def utf16(draw: Draw, raw: bytes) -> bytes:
    """The file is UTF-16, with or without its mark."""
    return raw.decode().encode(draw.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32"]))


def conflict_in_file(draw: Draw, raw: bytes) -> bytes:
    """Git left a merge conflict in the file."""
    lines = raw.decode().splitlines(keepends=True)
    start = draw.randrange(len(lines))
    end = min(len(lines), start + draw.randrange(1, 9))
    ours, theirs = "".join(lines[start:end]), "".join(lines[start : end - 1])
    conflict = f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> origin/main\n"
    return "".join([*lines[:start], conflict, *lines[end:]]).encode()


def another_file(draw: Draw, raw: bytes) -> bytes:
    """The file is something else."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(draw.choice(["basics.ipynb", "word/document.xml"]), raw)
    others = [b"", b" \n", b"null", b"[]", b"{}", b'{"cells": 3}', b"<html><body>Log in</body></html>", b"%PDF-1.7 ..."]
    others += [archive.getvalue(), b"I was ill.", b"\x89PNG\r\n\x1a\n", b"[" * 5000, bytes(100), b'{"cells": []}']
    return draw.choice(others)


def a_script(draw: Draw, raw: bytes) -> bytes:
    """The file is a Python script."""
    cells = [c for c in json.loads(raw).get("cells", []) if isinstance(c, dict) and isinstance(c.get("source"), list)]
    codes = ["".join(s for s in c["source"] if isinstance(s, str)) for c in cells if c.get("cell_type") == "code"]
    mark = draw.choice(["", "# %%\n", "# In[ ]:\n"])
    return "\n\n\n".join(mark + code for code in codes).encode(errors="replace")


def large(draw: Draw, raw: bytes) -> bytes:
    """The file has more than 20 MB of outputs."""
    return raw.replace(
        b'"outputs": [', b'"outputs": [{"output_type": "stream", "text": "' + b"y" * 21_000_000 + b'"}, ', 1
    )


BYTES: tuple[Callable[[Draw, bytes], bytes], ...] = (
    flipped_bytes, nul_bytes, cut_off, marks, utf16, conflict_in_file, another_file, a_script, large,
)  # fmt: skip
PLACES = {
    "renamed": ("Basics_Ada_final (2).ipynb",),
    "wrongly cased": ("BASICS.IPYNB", "Basics.ipynb"),
    "nested": ("sub/basics.ipynb", "Users/ada/My Work/basics.ipynb"),
    "nested and renamed": ("sub/deeper/homework.ipynb",),
    "a script's name": ("basics.py", "solution.py"),
    "another ending": ("basics.ipynb.txt", "basics.json"),
    "beside another notebook": ("work.ipynb",),
    "no file": ("",),
    "a folder of its name": ("basics.ipynb/basics.ipynb",),
}


def variants(bases: Mapping[str, str], count: int, seed: int) -> Iterator[Malformed]:
    """Variants of submissions; the same for the same seed."""
    draw = random.Random(seed)
    names = sorted(bases)
    for number in range(count):
        base = names[number % len(names)]
        content, about = json.loads(bases[base]), []
        for damage in draw.sample(TREE, draw.choice([0, 1, 1, 2, 3])) + draw.sample(TREE_LAST, draw.choice([0, 0, 1])):
            damage(draw, content)
            about.append(damage.__name__)
        raw = json.dumps(content, indent=1, ensure_ascii=draw.random() < 0.5).encode(errors="replace")
        if draw.random() < 0.4 or not about:
            change = draw.choices(BYTES, [4, 3, 2, 3, 3, 4, 3, 3, 0.3])[0]
            raw = change(draw, raw)
            about.append(change.__name__)
        place = draw.choice(list(PLACES)) if draw.random() < 0.15 else ""
        path = draw.choice(PLACES[place]) if place else f"{NAME}.ipynb"
        files = {path: raw} if path else {"notes.txt": b"I forgot the notebook."}
        if place == "beside another notebook":
            files["another.ipynb"] = (
                b'{"cells": [], "metadata": {"autograder": {"assignment": "other"}}, "nbformat": 4}'
            )
        yield Malformed(base, (*about, *([place] if place else [])), files)


def hand_in(course: Course, student: str, files: Mapping[str, bytes]) -> None:
    for path, raw in files.items():
        place = course.private_dir / "submitted" / student / NAME / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(raw)


def bases_of(course: Course) -> dict[str, str]:
    """What the made-up class hands in, but for the one who breaks the file already."""
    assignment = load_assignment(course, NAME)
    made = make_class(assignment, source_notebook(course, assignment))
    return {one.student: one.text for one in made if one.student != "mei"}


def grades(course: Course) -> dict[str, list[tuple[float | None, bool]]]:
    """The automatic score of every check cell of every student, and whether a person has to look."""
    query = """
        select submitted_assignment.student_id, grade.auto_score, grade.needs_manual_grade
        from grade join submitted_notebook on grade.notebook_id = submitted_notebook.id
        join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
        join base_cell on grade.cell_id = base_cell.id where base_cell.name like 'check-%'
    """
    found: dict[str, list[tuple[float | None, bool]]] = {}
    with sqlite3.connect(course.private_dir / "gradebook.db") as database:
        for student, score, manual in database.execute(query):
            found.setdefault(student, []).append((score, bool(manual)))
    return found


@dataclass(frozen=True)
class Tally:
    """How a class of malformed submissions ended."""

    graded: tuple[str, ...]
    reported: tuple[str, ...]
    lost: tuple[str, ...]
    too_high: tuple[str, ...]
    neighbours_hurt: tuple[str, ...]
    tracebacks: int


def tally(course: Course, class_: Mapping[str, Malformed], neighbours: Mapping[str, float], log: str) -> Tally:
    """Compares what stands in the gradebook with the scores of the intact submissions.

    Args:
        course: graded before.
        class_: the malformed submissions by student.
        neighbours: scores of the intact submissions by student; that of ``ada`` is called ``intact-ada``.
        log: all that the commands printed.
    """
    found = grades(course)
    scores = {
        student: None if any(score is None for score, _ in cells) else sum(score or 0.0 for score, _ in cells)
        for student, cells in found.items()
    }
    waits = {student for student, cells in found.items() if all(manual for _, manual in cells)}
    done = tuple(student for student in class_ if scores.get(student) is not None)
    return Tally(
        graded=done,
        reported=tuple(s for s in class_ if s in scores and scores[s] is None and s in waits and _says_why(course, s)),
        lost=tuple(
            s for s in class_ if s not in scores or (scores[s] is None and not (s in waits and _says_why(course, s)))
        ),
        too_high=tuple(s for s in done if (scores[s] or 0) > neighbours[f"intact-{class_[s].base}"] + 1e-6),
        neighbours_hurt=tuple(s for s, score in neighbours.items() if abs((scores.get(s) or 0.0) - score) > 1e-6),
        tracebacks=log.count("Traceback (most recent call last)"),
    )


def _says_why(course: Course, student: str) -> bool:
    """Whether the student's notebook says why it has no score."""
    path = course.private_dir / "autograded" / student / NAME / f"{NAME}.ipynb"
    return path.is_file() and "Not graded automatically" in path.read_text(encoding="utf-8")


def run(course: Course, *command: str) -> str:
    """What a command prints, in the course's folder."""
    environment = {**os.environ, "CI": "true", "OMP_NUM_THREADS": "1"}
    environment.pop("AUTOGRADER_COURSE", None)
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=course.root,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    return done.stdout + done.stderr


def small_course(root: Path) -> Course:
    """The fixture course, built and released."""
    shutil.copytree(ROOT / "tests" / "fixture_course", root, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", root)
    build_assignment(load_course(root), NAME, jobs=1)
    run(load_course(root), "nbgrader", "generate_assignment", NAME)
    return load_course(root)


def grade_intact(course: Course, bases: Mapping[str, str]) -> dict[str, float]:
    """Hands in and grades the intact submissions; their scores are what no malformed one may exceed."""
    for student, text in bases.items():
        hand_in(course, f"intact-{student}", {f"{NAME}.ipynb": text.encode()})
    run(course, "autograder", "grade", NAME)
    return {student: sum(score or 0.0 for score, _ in cells) for student, cells in grades(course).items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1000)
    options.add_argument("--stock", type=int, default=60)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        course = small_course(Path(folder) / "course")
        bases = bases_of(course)
        neighbours = grade_intact(course, bases)
        made = {f"m{n:04}": one for n, one in enumerate(variants(bases, chosen.count, chosen.seed))}
        stock = load_course(shutil.copytree(course.root, Path(folder) / "stock"))
        for student, one in made.items():
            hand_in(course, student, one.files)
        _print("autograder grade", tally(course, made, neighbours, run(course, "autograder", "grade", NAME)), made)
        some = dict(list(made.items())[: chosen.stock])
        for student, one in some.items():
            hand_in(stock, student, one.files)
        log = run(stock, "nbgrader", "autograde", NAME, "--force")
        log += run(stock, "nbgrader", "generate_feedback", NAME)
        _print("nbgrader autograde", tally(stock, some, neighbours, log), some)


def _print(title: str, found: Tally, class_: Mapping[str, Malformed]) -> None:
    print(f"\n{title}: {len(class_)} malformed submissions")
    for what, students in (("graded or repaired", found.graded), ("reported", found.reported)):
        print(f"  {len(students):5}  {what}")
    for what, bad in (("lost", found.lost), ("too high", found.too_high), ("neighbours hurt", found.neighbours_hurt)):
        print(
            f"  {len(bad):5}  {what}  {[(s, class_[s].base, class_[s].about) if s in class_ else s for s in bad[:20]]}"
        )
    print(f"  {found.tracebacks:5}  tracebacks")
    _print_kinds(found.reported, class_)


def _print_kinds(reported: Sequence[str], class_: Mapping[str, Malformed]) -> None:
    kinds = Counter(what for one in class_.values() for what in one.about)
    unread = Counter(what for student in reported for what in class_[student].about)
    print("         (kind: how many, of which reported)")
    for kind, count in sorted(kinds.items()):
        print(f"         {kind}: {count}, {unread[kind]}")


if __name__ == "__main__":
    main()
