"""Repairing what was handed in: bytes in, a notebook and notes out, or a sentence that says why not."""

import copy
import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import ROOT

import autograder
from autograder.course import Limits, load_course
from autograder.gradebook.unjudged import as_text, put_mark, put_notes
from autograder.notebooks.build import released_notebook, source_notebook
from autograder.notebooks.handed_in import handed_in, is_inside, misplaced, why_nothing
from autograder.notebooks.repair.cells import Released, grade_id, restore
from autograder.notebooks.repair.merge import conflict_marker, sides
from autograder.notebooks.repair.outputs import TooLarge, without_outputs
from autograder.notebooks.repair.reading import read_handed
from autograder.notebooks.repair.validity import made_valid
from autograder.notebooks.submission import Cell, UnreadableSubmission, read_submission, submission_of
from autograder.testing.assignment import load_assignment

ANSWER = "def grade_letter(score):\n    return 'A'"


@pytest.fixture(scope="module")
def released() -> Released:
    course = load_course(ROOT / "tests" / "fixture_course")
    return Released(released_notebook(source_notebook(course, load_assignment(course, "basics"))))


@pytest.fixture
def notebook(released: Released) -> Any:
    """The released notebook with one exercise and the written question answered."""
    made = copy.deepcopy(released.notebook)
    cell(made, "grade_letter").source = ANSWER
    cell(made, "why").source = "So that the expected value stays."
    return made


def cell(notebook: Any, name: str) -> Any:
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def place(notebook: Any, name: str) -> int:
    return next(number for number, cell in enumerate(notebook.cells) if grade_id(cell) == name)


def text(notebook: Any) -> str:
    return json.dumps(notebook, ensure_ascii=False, indent=1)


def write(folder: Path, content: bytes | str, name: str = "basics.ipynb") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# What an editor or upload did to the bytes, and what the note says of it.
ENCODINGS = {
    "mark": (lambda raw: b"\xef\xbb\xbf" + raw, ""),
    "UTF-16": (lambda raw: raw.decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (lambda raw: raw.decode().encode("utf-16-be"), "UTF-16"),
    "UTF-32": (lambda raw: raw.decode().encode("utf-32"), "UTF-32"),
    "NUL bytes": (lambda raw: raw + bytes(100), "100 NUL bytes were left out"),
    "NUL bytes within": (lambda raw: raw[:500] + bytes(3) + raw[500:], "3 NUL bytes were left out"),
}


@pytest.mark.parametrize(("damage", "note"), ENCODINGS.values(), ids=ENCODINGS.keys())
def test_text_of_any_encoding_is_read(tmp_path: Path, notebook: Any, damage: Any, note: str) -> None:
    handed = read_handed(write(tmp_path, damage(text(notebook).encode())))
    assert handed.notebook.cells == notebook.cells
    assert [n for n in handed.notes if note not in n] == [] and len(handed.notes) == bool(note)


def test_a_byte_that_is_no_text_costs_only_its_own_character(tmp_path: Path, notebook: Any) -> None:
    raw = text(notebook).encode().replace(b"return 'A'", b"return 'A'  # caf\xe9")
    handed = read_handed(write(tmp_path, raw))
    assert cell(handed.notebook, "grade_letter").source.endswith("# caf�")
    assert "not all UTF-8" in handed.notes[0]


def archive(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(name, "x")
    return made.getvalue()


OTHERS = {
    "zip": (archive("basics.ipynb"), "it is a zip archive."),
    "docx": (archive("word/document.xml"), "it is a Word document."),
    "broken zip": (b"PK\x03\x04...", "it is a zip archive."),
    "pdf": (b"%PDF-1.7", "it is a PDF document."),
    "html": (b" <!DOCTYPE html><html>", "it is an HTML page."),
    "prose": (b"I was ill.", "not JSON at line 1"),
    "cut off": (b'{"cells": [{"cell_type": "code",', "not JSON at line 1"),
    "two broken sides": (b"{\n<<<<<<< HEAD\n[\n=======\n]\n>>>>>>> x\n", "neither side"),
}


@pytest.mark.parametrize(("content", "why"), OTHERS.values(), ids=OTHERS.keys())
def test_what_is_no_notebook_is_called_what_it_is(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(UnreadableSubmission) as caught:
        read_handed(write(tmp_path, content))
    assert "basics.ipynb is not a notebook: " in str(caught.value) and why in str(caught.value)


@pytest.mark.parametrize(("ours", "theirs", "counts"), [("1", "2", "1"), ("1,,", "2", "2")])
def test_of_a_conflict_in_the_file_the_first_side_that_can_be_read_counts(
    tmp_path: Path, ours: str, theirs: str, counts: str
) -> None:
    source = {"cell_type": "code", "metadata": {}, "outputs": [], "source": "SIDE"}
    conflict = f"\n<<<<<<< HEAD\n{ours}\n||||||| base\n0\n=======\n{theirs}\n>>>>>>> main\n"
    content = json.dumps({"cells": [source], "nbformat": 4, "metadata": {"a": "NUMBER"}}).replace('"NUMBER"', conflict)
    handed = read_handed(write(tmp_path, content))
    assert handed.notebook.metadata["a"] == int(counts)
    assert handed.notes[0].startswith("the file has merge conflicts")


def test_a_text_without_conflict_has_no_sides() -> None:
    assert sides("a <<<<<<< b\n=======\n") is None


def test_a_conflict_in_a_cell_fails_that_exercise_alone_and_names_the_marker(notebook: Any) -> None:
    before = submission_of(notebook, Path("basics.ipynb"))
    cell(notebook, "dropout").source = "<<<<<<< HEAD\ndef dropout(): ...\n=======\npass\n>>>>>>> main"
    after = submission_of(notebook, Path("basics.ipynb"))
    (changed,) = [c for c in after.cells if c not in before.cells]
    assert changed.name == "dropout" and changed.code.startswith("raise SyntaxError(")
    assert after.notes == (
        "dropout: line 1 is a marker of a merge conflict (<<<<<<< HEAD): keep one side, and delete the markers",
    )


def test_a_string_that_looks_like_a_marker_is_left_alone() -> None:
    code = 'rule = """\n<<<<<<< HEAD\n"""'
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    assert conflict_marker(code) and submission_of(made, Path("a")).cells == (Cell("code", "cell 1", code),)


def test_outputs_beyond_the_limit_are_left_out_without_being_built(tmp_path: Path, notebook: Any) -> None:
    megabyte = "y" * 1_000_000
    cell(notebook, "setup").outputs = [{"output_type": "stream", "name": "stdout", "text": '\\"]}'}]
    raw = text(notebook).encode()
    flood = b'"outputs": [{"output_type": "stream", "name": "stdout", "text": "' + (megabyte * 60).encode() + b'"}, '
    path = write(tmp_path, raw.replace(b'"outputs": [', flood, 1))
    tracemalloc.start()
    handed = read_handed(path, Limits(notebook_bytes=1_000_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
    assert [c.source for c in handed.notebook.cells] == [c.source for c in notebook.cells]
    assert all(c.get("outputs", []) == [] for c in handed.notebook.cells)
    assert "its outputs were not read" in handed.notes[0]


def test_what_is_too_large_without_its_outputs_is_told(tmp_path: Path, notebook: Any) -> None:
    with pytest.raises(UnreadableSubmission, match="more than 1,000 bytes beside its outputs"):
        read_handed(write(tmp_path, text(notebook)), Limits(notebook_bytes=1_000))


@pytest.mark.parametrize("inner", ["", '{"a": "]"}', '["\\\\"], {"b": ["\\"]"]}', '"outputs"'])
def test_exactly_the_outputs_are_left_out(inner: str) -> None:
    raw = f'{{"source": "\\"outputs\\": [", "outputs" : [{inner}], "b": "outputs"}}'.encode()
    assert json.loads(without_outputs(raw, 100)) == {"source": '"outputs": [', "outputs": [], "b": "outputs"}
    with pytest.raises(TooLarge):
        without_outputs(raw, 10)


SHAPES: dict[str, Any] = {
    "format missing": lambda n: n.pop("nbformat"),
    "format of text": lambda n: n.update(nbformat="4"),
    "format of the future": lambda n: n.update(nbformat=99),
    "metadata missing": lambda n: n.pop("metadata"),
    "metadata of wrong kinds": lambda n: n.update(metadata={"kernelspec": 3, "authors": "me", "title": []}),
    "language of nothing": lambda n: n["metadata"].update(language_info={}),
    "ids of wrong kinds": lambda n: [c.update(id=[]) for c in n["cells"]],
    "ids twice": lambda n: [c.update(id="same") for c in n["cells"]],
    "tags of numbers": lambda n: [c["metadata"].update(tags=[1, 1]) for c in n["cells"]],
    "deep metadata": lambda n: n["metadata"].update(deep=json.loads("[" * 300 + "]" * 300)),
    "outputs of wrong kinds": lambda n: [c.update(outputs=3, execution_count="x") for c in n["cells"]],
    "outputs of no kind": lambda n: [c.update(outputs=[{"output_type": "x"}, 3]) for c in n["cells"]],
    "attachments of wrong kinds": lambda n: [c.update(attachments=[1]) for c in n["cells"]],
    "more keys": lambda n: [c.update(more=1) for c in n["cells"]],
    "sources as lists": lambda n: [c.update(source=c["source"].splitlines(keepends=True)) for c in n["cells"]],
    "a number among cells": lambda n: n["cells"].insert(0, 3),
    "in worksheets": lambda n: n.update(worksheets=[{"cells": n.pop("cells")}], nbformat=3),
    "in worksheets as input": lambda n: (
        [c.update(input=c.pop("source")) for c in n["cells"] if c["cell_type"] == "code"],
        n.update(worksheets=[{"cells": n.pop("cells")}], nbformat=3),
    ),
}


@pytest.mark.parametrize("damage", SHAPES.values(), ids=SHAPES.keys())
def test_a_tree_of_any_shape_is_made_a_valid_notebook(
    tmp_path: Path, notebook: Any, released: Released, damage: Any
) -> None:
    content = json.loads(text(notebook))
    damage(content)
    handed = read_handed(write(tmp_path, json.dumps(content)))
    nbformat.validate(made_valid(handed.notebook))
    mended, _ = restore(handed.notebook, released)
    assert submission_of(mended, Path("a")).cells == submission_of(notebook, Path("a")).cells


def test_an_intact_submission_is_left_as_it_is(tmp_path: Path, notebook: Any, released: Released) -> None:
    handed = read_handed(write(tmp_path, text(notebook)))
    assert restore(handed.notebook, released) == (notebook, ())


def test_of_copies_the_last_that_was_changed_counts(notebook: Any, released: Released) -> None:
    first, blank = copy.deepcopy(cell(notebook, "grade_letter")), copy.deepcopy(released.cells["grade_letter"])
    first.source, first.id, blank.id = "def grade_letter(score):\n    return 'F'", "first", "blank"
    here = place(notebook, "grade_letter")
    notebook.cells[here : here + 1] = [first, notebook.cells[here], blank]
    mended, notes = restore(notebook, released)
    assert cell(mended, "grade_letter").source == ANSWER
    assert notes == ("grade_letter: its cell was there 3 times, the last one that was changed counts",)
    assert [c.source for c in mended.cells if "def grade_letter" in c.source] == [first.source, ANSWER]


@pytest.mark.parametrize("name", ["grade_letter", "numerical_gradient"])
def test_a_cell_that_was_split_within_its_code_is_one_again(notebook: Any, released: Released, name: str) -> None:
    first, here = cell(notebook, name), place(notebook, name)
    whole, second = first.source, copy.deepcopy(first)
    *start, end = whole.splitlines(keepends=True)
    first.source, second.source, second.id = "".join(start).rstrip("\n"), end, "second"
    notebook.cells.insert(here + 1, second)
    mended, notes = restore(notebook, released)
    assert cell(mended, name).source == whole
    assert notes == (f"{name}: its cell had been split within its code, and is one again",)


def test_a_copy_below_its_check_is_judged_all_the_same(notebook: Any, released: Released) -> None:
    later = copy.deepcopy(cell(notebook, "grade_letter"))
    later.source, later.id = f"{ANSWER} if score >= 90 else 'F'", "later"
    notebook.cells.append(later)
    mended, notes = restore(notebook, released)
    assert place(mended, "check-grade_letter") == place(mended, "grade_letter") + 1
    assert cell(mended, "grade_letter").source == later.source
    assert "check-grade_letter stood above the exercise's cell and was put below it" in notes


@pytest.mark.parametrize(
    "forged",
    [{"schema_version": version} for version in (1, 2, 4, "3", None)]
    + [{"points": 1000}, {"points": None}, {"locked": False}, {"solution": True}, {"grade": False}, {"task": True}],
    ids=str,
)
def test_metadata_is_never_taken_from_the_submission(notebook: Any, released: Released, forged: Any) -> None:
    for one in notebook.cells:
        if grade_id(one):
            one.metadata["nbgrader"].update(forged)
    mended, _ = restore(notebook, released)
    assert {name: c.metadata["nbgrader"] for c in mended.cells if (name := grade_id(c))} == {
        name: c.metadata["nbgrader"] for name, c in released.cells.items()
    }


def test_cells_without_metadata_are_found_again(notebook: Any, released: Released) -> None:
    for number, one in enumerate(notebook.cells):
        one.metadata.pop("nbgrader", None)
        one.id = f"new-{number}"
    mended, notes = restore(notebook, released)
    assert cell(mended, "grade_letter").source == ANSWER
    assert cell(mended, "why").source == "So that the expected value stays."
    assert {name for c in mended.cells if (name := grade_id(c))} == set(released.cells)
    assert "grade_letter: its cell had lost its name, and was found by what it defines" in notes
    assert "why: the answer's cell had lost its name, and was found by its place" in notes


def test_a_deleted_check_comes_back_before_the_next_exercise(notebook: Any, released: Released) -> None:
    after = nbformat.v4.new_code_cell("grade_letter = grade_letter", id="after")
    here = place(notebook, "check-grade_letter")
    notebook.cells[here] = after
    mended, notes = restore(notebook, released)
    assert (mended.cells[here].id, grade_id(mended.cells[here + 1])) == ("after", "check-grade_letter")
    assert notes == ("check-grade_letter was missing and was put back",)


def test_a_deleted_answer_does_not_bring_its_stub_back(notebook: Any, released: Released) -> None:
    notebook.cells.pop(place(notebook, "grade_letter"))
    notebook.cells.insert(1, nbformat.v4.new_code_cell("grade_letter = lambda score: 'A'", id="elsewhere"))
    mended, _ = restore(notebook, released)
    assert "grade_letter" not in {grade_id(c) for c in mended.cells}


@pytest.mark.parametrize(("name", "offset"), [("setup", 1), ("check-dropout", -1)])
def test_what_was_written_into_a_locked_cell_becomes_a_cell_of_its_own(
    notebook: Any, released: Released, name: str, offset: int
) -> None:
    locked = cell(notebook, name)
    locked.source += "\nmine = 1"
    mended, notes = restore(notebook, released)
    here = place(mended, name)
    assert mended.cells[here].source == released.cells[name].source
    assert mended.cells[here + offset].source.endswith("mine = 1")
    assert notes == (f"{name} was changed: it is as released again, and what was written there is a cell of its own",)


def test_a_locked_cell_of_an_earlier_release_is_replaced_without_a_word(notebook: Any, released: Released) -> None:
    from nbgrader.utils import compute_checksum

    setup = cell(notebook, "setup")
    setup.source = "import math"
    setup.metadata["nbgrader"]["checksum"] = compute_checksum(setup)
    mended, notes = restore(notebook, released)
    assert (cell(mended, "setup").source, notes) == (released.cells["setup"].source, ())


@pytest.mark.parametrize(("name", "kind"), [("grade_letter", "markdown"), ("why", "code"), ("setup", "raw")])
def test_a_cell_of_another_type_is_changed_back(notebook: Any, released: Released, name: str, kind: str) -> None:
    cell(notebook, name).cell_type = kind
    mended, _ = restore(notebook, released)
    assert cell(mended, name).cell_type == released.cells[name].cell_type
    nbformat.validate(mended)


def test_another_kernel_is_set_back(notebook: Any, released: Released) -> None:
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    mended, notes = restore(notebook, released)
    assert mended.metadata["kernelspec"] == released.notebook.metadata["kernelspec"]
    assert notes == ("the notebook was set to another kernel, and is graded with Python",)


@pytest.mark.parametrize("name", ["basics.ipynb", "basics.py"])
def test_a_python_file_is_graded_whatever_its_name(tmp_path: Path, released: Released, name: str) -> None:
    submission = read_submission(write(tmp_path, f"import math\n\n\n{ANSWER}\n", name), released)
    code = [c.code for c in submission.cells if c.kind == "code" and c.name != "setup"]
    assert code == [f"import math\n\n\n{ANSWER}"]
    assert [c.name for c in submission.cells if c.kind == "check"] == [
        n[6:] for n in released.cells if n[:6] == "check-"
    ]


def test_a_script_with_marks_keeps_its_cells(tmp_path: Path) -> None:
    handed = read_handed(write(tmp_path, "# %%\nimport math\n# In[3]:\n1 / 0\n# %% [markdown]\n# words\n"))
    assert [c.source for c in handed.notebook.cells] == [
        "# %%\nimport math",
        "# In[3]:\n1 / 0",
        "# %% [markdown]\n# words",
    ]


def test_a_notebook_of_another_assignment_is_told(tmp_path: Path, released: Released) -> None:
    content = {"cells": [], "metadata": {"autograder": {"assignment": "backprop"}}, "nbformat": 4}
    with pytest.raises(UnreadableSubmission, match="is a notebook of the assignment backprop, not of basics"):
        read_submission(write(tmp_path, json.dumps(content)), released)


MINE = json.dumps({"cells": [], "metadata": {"autograder": {"assignment": "basics"}}, "nbformat": 4})
OTHER = json.dumps({"cells": [], "metadata": {"autograder": {"assignment": "other"}}, "nbformat": 4})
# The files of a folder, and the one that counts.
FOLDERS = [
    ({"basics.ipynb": "", "other.ipynb": MINE}, "basics.ipynb"),
    ({"Basics.IPYNB": MINE}, "Basics.IPYNB"),
    ({"basics (1).ipynb": MINE, "zero.ipynb": OTHER}, "basics (1).ipynb"),
    ({"a.ipynb": OTHER, "work.ipynb": MINE}, "work.ipynb"),
    ({"a.ipynb": OTHER, "work.ipynb": "{"}, "work.ipynb"),
    ({"sub/deep/basics.ipynb": MINE, "a.ipynb": MINE}, "sub/deep/basics.ipynb"),
    ({"basics.ipynb/basics.ipynb": MINE}, "basics.ipynb/basics.ipynb"),
    ({".ipynb_checkpoints/basics.ipynb": MINE, "__MACOSX/basics.ipynb": "", "work.py": "a = 1"}, "work.py"),
    ({"basics.ipynb.txt": MINE, "checks.py": ""}, "basics.ipynb.txt"),
]


@pytest.mark.parametrize(("files", "counts"), FOLDERS, ids=lambda e: e if isinstance(e, str) else "")
def test_a_notebook_is_found_whatever_its_name_and_place(tmp_path: Path, files: dict[str, str], counts: str) -> None:
    for name, content in files.items():
        write(tmp_path, content, name)
    found = handed_in(tmp_path, "basics")
    assert found == tmp_path / counts
    assert bool(misplaced(found, tmp_path, "basics")) == (counts != "basics.ipynb")


@pytest.mark.parametrize("name", ["basics.ipynb", "work.ipynb"])
def test_a_link_to_the_work_of_another_does_not_count(tmp_path: Path, name: str) -> None:
    other = write(tmp_path, MINE, "solutions/basics.ipynb")
    folder = tmp_path / "submitted"
    folder.mkdir()
    (folder / name).symlink_to(other)
    assert not is_inside(folder / name, folder)
    assert why_nothing(folder, "basics").endswith("in what was handed in, nothing.")
    (folder / "own.ipynb").write_text(MINE)
    assert handed_in(folder, "basics") == folder / "own.ipynb"


def test_a_folder_without_a_notebook_says_what_it_holds(tmp_path: Path) -> None:
    write(tmp_path, "", "photo.png")
    write(tmp_path, "", "timestamp.txt")
    assert handed_in(tmp_path, "basics") == tmp_path / "basics.ipynb"
    assert why_nothing(tmp_path, "basics").endswith("in what was handed in, only photo.png.")


@pytest.mark.parametrize("mark", [None, 3, [], {"unjudged": "x", "notes": ["y"]}, {"version": 1, "assignment": []}])
def test_what_a_submission_says_in_the_graders_name_is_not_taken(notebook: Any, mark: Any) -> None:
    notebook.metadata["autograder"] = mark
    put_mark(notebook, "basics")
    put_notes(notebook, "Noticed", ())
    assert notebook.metadata["autograder"] == {
        "assignment": "basics",
        "version": autograder.__version__,
        "notes": [],
    }


@pytest.mark.parametrize("note", ["<script>alert(1)</script>", "[x](javascript:alert)", "`a` $b$ \\c &lt;", "a\n# b"])
def test_a_note_is_shown_as_text(note: str) -> None:
    from nbconvert.filters import markdown2html

    shown = markdown2html(as_text(note))
    assert "<script" not in shown and "<a" not in shown and "<code" not in shown and "<h1" not in shown
