"""Puts a submitted notebook's cells right from the released one: what is locked, missing, doubled or nameless."""

import ast
import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from textwrap import dedent
from typing import Any

CHECK = "check-"
# Into so many parts a cell is split by accident; joining more would cost the square of their number.
MOST_HALVES = 20
PYTHON = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Released:
    """The notebook that students were given. Its cells are only ever copied."""

    notebook: Any

    @cached_property
    def cells(self) -> Mapping[str, Any]:
        """The cells that nbgrader knows, by grade id, in order."""
        return {name: cell for cell in self.notebook.cells if (name := grade_id(cell))}

    @cached_property
    def texts(self) -> frozenset[str]:
        """All Markdown that students were given."""
        return frozenset(cell.source.strip() for cell in self.notebook.cells if cell.cell_type == "markdown")

    def is_locked(self, name: str) -> bool:
        return bool(self.cells[name].metadata["nbgrader"]["locked"])

    def is_changed(self, cell: Any, name: str) -> bool:
        return bool(cell.source.split() != self.cells[name].source.split())


def grade_id(cell: Any) -> str | None:
    """The name under which nbgrader knows a cell."""
    graded = cell.metadata.get("nbgrader")
    name = graded.get("grade_id") if isinstance(graded, dict) else None
    return name if isinstance(name, str) and name else None


def restore(notebook: Any, released: Released) -> tuple[Any, tuple[str, ...]]:
    """A notebook whose graded cells are all there, once, with nbgrader's metadata and locked text as released.

    What the student wrote stays: in the cell that counts, or in a cell of its own.
    """
    repair = _Repair(copy.deepcopy(notebook), released)
    return repair.run(), tuple(repair.notes)


class _Repair:
    """One run over a notebook. ``names`` says for each cell which released cell it stands for."""

    def __init__(self, notebook: Any, released: Released) -> None:
        self.notebook = notebook
        self.released = released
        self.cells: list[Any] = list(notebook.cells)
        self.names: dict[int, str] = {}
        self.notes: list[str] = []
        self.fit = _Fit()

    def run(self) -> Any:
        self._claim()
        self._find_nameless()
        for name in self.released.cells:
            self._join_halves(name)
            self._choose(name)
        self._restore_each()
        for name in self.released.cells:
            self._put_back(name)
        self._put_checks_behind()
        self._restore_notebook()
        return self.notebook

    def _of(self, name: str) -> list[Any]:
        return [cell for cell in self.cells if self.names.get(id(cell)) == name]

    def _place(self, name: str) -> int | None:
        return next((place for place, cell in enumerate(self.cells) if self.names.get(id(cell)) == name), None)

    def _claim(self) -> None:
        """Takes each cell at its grade id; where no cell has one, at its cell id."""
        for cell in self.cells:
            if grade_id(cell) in self.released.cells:
                self.names[id(cell)] = grade_id(cell) or ""
        claimed = set(self.names.values())
        for cell in self.cells:
            if id(cell) not in self.names and cell.id in self.released.cells and cell.id not in claimed:
                self.names[id(cell)] = cell.id
                self.notes.append(f"{cell.id}: its cell had lost nbgrader's name for it, which was put back")

    def _find_nameless(self) -> None:
        """Finds what lost its name by what it does, or by where it stands."""
        for name, model in self.released.cells.items():
            is_answer = model.metadata["nbgrader"]["solution"]
            if self._of(name):
                continue
            if is_answer and model.cell_type == "markdown":
                self._take_between(name)
            elif self._take_last(name, self.fit.of(name, model)) and is_answer:
                self.notes.append(f"{name}: its cell had lost its name, and was found by what it defines")

    def _take_last(self, name: str, fits: Callable[[Any], bool]) -> bool:
        kind = self.released.cells[name].cell_type
        free = [cell for cell in self.cells if id(cell) not in self.names and cell.cell_type == kind and fits(cell)]
        if not free:
            return False
        changed = [cell for cell in free if self.released.is_changed(cell, name)]
        self.names[id((changed or free)[-1])] = name
        return True

    def _take_between(self, name: str) -> None:
        """The student's text between the neighbours of an answer that lost its name."""
        order = list(self.released.cells)
        here = order.index(name)
        before = [place for other in order[:here] if (place := self._place(other)) is not None]
        after = [place for other in order[here + 1 :] if (place := self._place(other)) is not None]
        start, end = max(before, default=-1) + 1, min(after, default=len(self.cells))
        for cell in self.cells[start:end]:
            nameless = id(cell) not in self.names and cell.cell_type == "markdown" and cell.source.strip()
            text = self.released.cells[name].source.strip()
            if nameless and (cell.source.strip() == text or cell.source.strip() not in self.released.texts):
                self.names[id(cell)] = name
                self.notes.append(f"{name}: the answer's cell had lost its name, and was found by its place")
                return

    def _join_halves(self, name: str) -> None:
        """A cell that was split within its code becomes one again: Jupyter gives both halves its metadata."""
        for second in self._of(name)[1:MOST_HALVES]:
            first = self.cells[next(place for place, cell in enumerate(self.cells) if cell is second) - 1]
            whole = f"{first.source}\n{second.source}"
            halves = not (_is_whole(first.source) and _is_whole(second.source))
            if self.names.get(id(first)) == name and first.cell_type == "code" and halves and _is_whole(whole):
                first.source = whole
                del self.names[id(second)]
                self.cells = [cell for cell in self.cells if cell is not second]
                self.notes.append(f"{name}: its cell had been split within its code, and is one again")

    def _choose(self, name: str) -> None:
        """Of several copies one counts; of the others those that the student changed stay as cells of their own."""
        copies = self._of(name)
        if len(copies) < 2:
            return
        changed = [cell for cell in copies if self.released.is_changed(cell, name)]
        locked = self.released.is_locked(name)
        counts = copies[0] if locked else (changed or copies)[-1]
        written, dropped = {id(cell) for cell in changed}, set()
        for cell in copies:
            if cell is counts:
                continue
            del self.names[id(cell)]
            if id(cell) not in written or (locked and checked(cell.source) is not None):
                dropped.add(id(cell))
        self.cells = [cell for cell in self.cells if id(cell) not in dropped]
        which = "the first one counts" if locked else "the last one that was changed counts"
        self.notes.append(f"{name}: its cell was there {len(copies)} times, {which}")

    def _restore_each(self) -> None:
        kept: list[Any] = []
        for cell in self.cells:
            name = self.names.get(id(cell))
            if name is None:
                cell.metadata.pop("nbgrader", None)
                kept.append(cell)
                continue
            own = self._own_cell(cell, name)
            self._restore_cell(cell, name)
            # What was written into a check comes before it; what was written into the setup adds to it.
            kept += [part for part in ((own, cell) if name.startswith(CHECK) else (cell, own)) if part is not None]
        self.cells = kept

    def _own_cell(self, cell: Any, name: str) -> Any:
        """A cell with what the student wrote over a locked one; None if that is nothing of theirs."""
        if not self.released.is_locked(name) or cell.cell_type != self.released.cells[name].cell_type:
            return None
        unchanged = not self.released.is_changed(cell, name) or not cell.source.strip()
        if unchanged or checked(cell.source) is not None or _is_as_once_released(cell):
            return None
        self.notes.append(
            f"{name} was changed: it is as released again, and what was written there is a cell of its own"
        )
        own = copy.deepcopy(cell)
        own.id = self._free_id(f"{name}-changed")
        own.metadata.pop("nbgrader", None)
        return own

    def _restore_cell(self, cell: Any, name: str) -> None:
        model = self.released.cells[name]
        if cell.cell_type != model.cell_type:
            self.notes.append(f"{name}: its cell had become {cell.cell_type}, and is {model.cell_type} again")
            cell.cell_type = model.cell_type
            for key in ("attachments", "outputs", "execution_count"):
                cell.pop(key, None)
            if model.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        found = cell.metadata.get("nbgrader")
        if isinstance(found, dict) and found.get("schema_version") != model.metadata["nbgrader"]["schema_version"]:
            self._note_once("nbgrader's metadata was of another version, and was put right")
        cell.metadata["nbgrader"] = copy.deepcopy(model.metadata["nbgrader"])
        if self.released.is_locked(name):
            cell.source = model.source

    def _put_back(self, name: str) -> None:
        """Puts a missing cell back. A missing answer in code stays away: its stub would undo a definition elsewhere."""
        model = self.released.cells[name]
        graded = model.metadata["nbgrader"]
        if self._of(name) or (graded["solution"] and not graded["grade"]):
            return
        cell = copy.deepcopy(model)
        cell.id = self._free_id(name)
        self.names[id(cell)] = name
        self.cells.insert(self._place_for(name), cell)
        self.notes.append(f"{name} was missing and was put back")

    def _place_for(self, name: str) -> int:
        order = list(self.released.cells)
        here = order.index(name)
        if name.startswith(CHECK) and self._place(name.removeprefix(CHECK)) is None:
            # Whoever defines the exercise does it somewhere; at the end it is there.
            return len(self.cells)
        before = [place for other in order[:here] if (place := self._place(other)) is not None]
        start = max(before, default=-1) + 1
        if not name.startswith(CHECK):
            return start
        after = [place for other in order[here + 1 :] if (place := self._place(other)) is not None and place >= start]
        code = [p for p in range(start, min(after, default=len(self.cells))) if self.cells[p].cell_type == "code"]
        return code[-1] + 1 if code else start

    def _put_checks_behind(self) -> None:
        """A check cell judges what stands above it, so it goes behind the cell that counts."""
        for name in self.released.cells:
            exercise, check = self._place(name), self._place(f"{CHECK}{name}")
            if exercise is not None and check is not None and check < exercise:
                self.cells.insert(exercise, self.cells.pop(check))
                self.notes.append(f"{CHECK}{name} stood above the exercise's cell and was put below it")

    def _restore_notebook(self) -> None:
        self.notebook.cells = self.cells
        kernel = self.notebook.metadata.get("kernelspec")
        language = kernel.get("language", "python") if isinstance(kernel, dict) else "python"
        if language != "python":
            self.notes.append("the notebook was set to another kernel, and is graded with Python")
        metadata = self.released.notebook.metadata
        self.notebook.metadata["kernelspec"] = copy.deepcopy(metadata.get("kernelspec", PYTHON))
        self.notebook.metadata["language_info"] = copy.deepcopy(metadata.get("language_info", {"name": "python"}))

    def _free_id(self, wanted: str) -> str:
        used = {cell.id for cell in self.cells}
        # nbformat allows 64 characters.
        return next(made for n in range(len(used) + 1) if (made := f"{wanted[:58]}{f'-{n}' if n else ''}") not in used)

    def _note_once(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


class _Fit:
    """By what a nameless cell is known to be a released one; each cell's code is parsed once for all of these."""

    def __init__(self) -> None:
        self._checked = cache(checked)
        self._defined = cache(defined)

    def of(self, name: str, model: Any) -> Callable[[Any], bool]:
        if name.startswith(CHECK):
            return lambda cell: self._checked(cell.source) == [name.removeprefix(CHECK)]
        if model.metadata["nbgrader"]["solution"]:
            return lambda cell: name in self._defined(cell.source)
        return lambda cell: bool(cell.source.strip() == model.source.strip())


def _is_whole(code: str) -> bool:
    """Whether code parses as it stands, without its indentation taken off."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _is_as_once_released(cell: Any) -> bool:
    """Whether a locked cell is as an earlier release had it: its checksum still fits."""
    graded = cell.metadata.get("nbgrader")
    if not isinstance(graded, dict):
        return False
    try:
        return checksum_of(cell) == graded.get("checksum")
    except (TypeError, ValueError, KeyError):  # metadata of any shape
        return False


def checksum_of(cell: Any) -> str:
    """nbgrader's checksum of a cell. Importing nbgrader for it would take a second in the process that reads."""
    graded = cell.metadata["nbgrader"]
    grade, solution = graded.get("grade", False), graded.get("solution", False)
    locked = False if solution else True if grade else graded.get("locked", False)
    parts = [cell.source, cell.cell_type, str(grade), str(solution), str(locked), graded["grade_id"]]
    parts += [str(float(graded["points"]))] if grade else []
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def checked(code: str) -> list[str] | None:
    """The exercises that a cell checks; None if it does anything else."""
    tree = tree_of(code)
    if tree is None or not tree.body:
        return None
    names = []
    for statement in tree.body:
        match statement:
            case ast.Expr(ast.Call(ast.Name("check"), [], [])):
                pass
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Constant(str(name)) | ast.Name(name)], [])):
                names.append(name)
            case _:
                return None
    return names


def defined(code: str) -> set[str]:
    """The functions and classes that a cell defines at its top level."""
    tree = tree_of(code)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)} if tree else set()


def tree_of(code: str) -> ast.Module | None:
    """The tree of a cell, or None if it is not Python."""
    try:
        return ast.parse(dedent(code).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
