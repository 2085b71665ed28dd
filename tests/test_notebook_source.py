"""The notebook's source: stubs cut from the reference, and faults told in one sentence."""

import ast
import textwrap
from pathlib import Path

import pytest

from autograder.notebooks.source import SourceError, read_source
from autograder.notebooks.stub import BEGIN, END, solution_cell


def reference(code: str) -> str:
    return textwrap.dedent(code).strip("\n") + "\n"


def cleared(cell: str) -> str:
    """What nbgrader makes of a cell: each solution region becomes one line, as ClearSolutions does."""
    kept, inside = [], False
    for line in cell.splitlines():
        if line.strip() == BEGIN:
            assert not inside
            inside = True
            kept.append(line.replace(BEGIN, "raise NotImplementedError"))
        elif line.strip() == END:
            assert inside
            inside = False
        elif not inside:
            kept.append(line)
    assert not inside
    return "\n".join(kept)


# (the reference, what a student gets; every line of a body has a word that begins with "secret")
CELLS = {
    "docstring": ('''
        def f(x, dim=0):
            """What it does.

            On two lines."""
            secret = x
            return secret
        ''', '''
        def f(x, dim=0):
            """What it does.

            On two lines."""
            raise NotImplementedError
        '''),
    "no docstring": ("def f(x):\n    return secret", "def f(x):\n    raise NotImplementedError"),
    "comment above, docstring": ('''
        def f(x):
            """Doc."""

            # secret comment
            return secret
        ''', 'def f(x):\n    """Doc."""\n    raise NotImplementedError'),
    "comment above": ('''
        def f(x):
            # secret comment

            # secret too
            return secret
        ''', "def f(x):\n    raise NotImplementedError"),
    "comment below": ('''
        def f(x):
            return secret
            # secret comment
        ''', "def f(x):\n    raise NotImplementedError"),
    "long signature": ('''
        def f(
            x,  # the input
            dim,
        ) -> int:
            # secret comment
            return secret
        ''', "def f(\n    x,  # the input\n    dim,\n) -> int:\n    raise NotImplementedError"),
    "decorators": ('''
        @first
        @second(1)
        def f(x):
            return secret
        ''', "@first\n@second(1)\ndef f(x):\n    raise NotImplementedError"),
    "one line": ("def f(x): return secret", "def f(x):\n    raise NotImplementedError"),
    "one line of two statements": ("def f(x): secret = 1; return secret", "def f(x):\n    raise NotImplementedError"),
    "one line over two": ("def f(x): return (secret +\n                 secrets)", "def f(x):\n    raise NotImplementedError"),
    "nested function": ('''
        def f(x):
            def secret_g(y):
                """Secret."""
                return secret
            return secret_g(x)
        ''', "def f(x):\n    raise NotImplementedError"),
    "nested function with a decorator": ('''
        def f(x):
            @secret
            def secret_g(y): return secret
            return secret_g(x)
        ''', "def f(x):\n    raise NotImplementedError"),
    "class": ('''
        class f(Base):
            """A class."""

            size: int = 3

            def __init__(self, x):
                """Keeps x."""
                super().__init__(secret)

            @property
            def g(self):
                # secret comment
                return secret

            def h(self): return secret

            class Inner:
                def i(self):
                    return secret
                    # secret end
        ''', '''
        class f(Base):
            """A class."""

            size: int = 3

            def __init__(self, x):
                """Keeps x."""
                raise NotImplementedError

            @property
            def g(self):
                raise NotImplementedError

            def h(self):
                raise NotImplementedError

            class Inner:
                def i(self):
                    raise NotImplementedError
        '''),
}  # fmt: skip


@pytest.mark.parametrize(("code", "student"), CELLS.values(), ids=CELLS.keys())
def test_a_student_gets_signature_and_docstring_and_nothing_of_the_body(code: str, student: str) -> None:
    source = "import secrets\n\n\n" + reference(code) + "\n\ndef after():\n    return secrets\n"
    cell = solution_cell(source, "f")
    assert cell is not None
    assert cleared(cell) + "\n" == reference(student)
    assert "after" not in cell


@pytest.mark.parametrize("code", [code for code, _ in CELLS.values()], ids=CELLS.keys())
def test_the_uncleared_cell_is_the_reference_itself(code: str) -> None:
    cell = solution_cell(reference(code), "f")
    assert cell is not None
    assert ast.dump(ast.parse(cell)) == ast.dump(ast.parse(reference(code)))


@pytest.mark.parametrize("source", ["def g(): pass", "f = 1", "if True:\n    def f(): pass", ""])
def test_a_name_that_the_reference_does_not_define_has_no_cell(source: str) -> None:
    assert solution_cell(source, "f") is None


GUARDED = """
def f(x, p, dim=0):
    '''The task.

    Args:
        x: any shape.
    Returns:
        y: shaped like ``x``.
    Raises:
        ValueError: ``p`` is negative.
    Derivation:
        With secret u = x / p ...

        ... secret on a second paragraph.
    Source: a book.
    '''
    require_axis(x, dim=dim)
    if p < 0:
        raise ValueError(f"p is {p}")
    secret = x / p
    if secret > 3:
        raise ValueError("secret")
    return secret
"""
DOCUMENTED = """
def f(x, p, dim=0):
    '''The task.

    Args:
        x: any shape.
    Returns:
        y: shaped like ``x``.{raises}
    Source: a book.
    '''
{guards}    raise NotImplementedError
"""
RAISES = "\n    Raises:\n        ValueError: ``p`` is negative."
GUARDS = '    require_axis(x, dim=dim)\n    if p < 0:\n        raise ValueError(f"p is {p}")\n'


def test_guards_at_the_head_of_a_body_are_given_and_the_derivation_is_not():
    cell = solution_cell(GUARDED, "f")
    assert cell is not None
    assert cleared(cell) == DOCUMENTED.format(raises="", guards=GUARDS).strip("\n")


def test_where_the_student_is_to_refuse_guards_are_left_out_and_what_is_raised_is_told():
    cell = solution_cell(GUARDED, "f", guards_given=False)
    assert cell is not None
    assert cleared(cell) == DOCUMENTED.format(raises=RAISES, guards="").strip("\n")


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        ("require_positive(p=p)", True),
        ("if p < 0:\n    raise ValueError('p')", True),
        ("if p < 0:\n    raise ValueError('p')\nelse:\n    p = 1", False),
        ("if p < 0:\n    p = 1\n    raise ValueError('p')", False),
        ("p = require_positive(p=p)", False),
        ("guards.require_positive(p=p)", False),
        ("check(p)", False),
    ],
)
def test_a_guard_refuses_and_does_nothing_else(statement: str, given: bool) -> None:
    cell = solution_cell(f"def f(x, p):\n{textwrap.indent(statement, '    ')}\n    return x\n", "f")
    assert cell is not None
    assert (textwrap.indent(statement, "    ") in cleared(cell)) is given


def test_a_guard_after_another_statement_is_the_students() -> None:
    cell = solution_cell("def f(x, p):\n    y = x\n    require_positive(p=p)\n    return y\n", "f")
    assert cell is not None
    assert "require_positive" not in cleared(cell)


def test_a_body_that_is_nothing_but_a_guard_is_the_students() -> None:
    cell = solution_cell("def f(p):\n    require_positive(p=p)\n", "f")
    assert cell is not None
    assert cleared(cell) == "def f(p):\n    raise NotImplementedError"


def test_each_method_of_a_class_keeps_its_own_guards() -> None:
    source = """
    class f:
        '''A class.

        Raises:
            ValueError: ``p`` is negative.
        '''

        def __init__(self, p):
            require_not_negative(p=p)
            self.secret = p

        def g(self, x):
            '''Doc.

            Derivation: secret.
            '''
            return self.secret * x
    """
    student = """
    class f:
        '''A class.'''

        def __init__(self, p):
            require_not_negative(p=p)
            raise NotImplementedError

        def g(self, x):
            '''Doc.'''
            raise NotImplementedError
    """
    cell = solution_cell(reference(source), "f")
    assert cell is not None
    assert cleared(cell) + "\n" == reference(student)


SETUP = "```{code-cell} python\n:setup:\n\nimport torch\n```\n"


def cell(*options: str, code: str = "") -> str:
    return "\n".join(["```{code-cell} python", *(f":{option}" for option in options), "", code, "```", ""])


def question(name: str, points: str) -> str:
    return f'+++ {{"question": {name}, "points": {points}}}\n\nWhy?\n'


def write_source(folder: Path, *parts: str) -> Path:
    path = folder / "basics.md"
    path.write_text("\n".join(["# Basics", "", *parts]))
    return path


def test_a_good_source_is_read_cell_by_cell(tmp_path: Path) -> None:
    parts = [
        SETUP,
        cell("exercise: relu"),
        cell("check: relu"),
        cell("demo:", code="a = 1\n\nb = 2"),
        question('"why"', "2.5"),
    ]
    cells = read_source(write_source(tmp_path, *parts))
    assert [(c.role, c.name, c.text, c.points) for c in cells] == [
        ("text", "basics", "# Basics", 0.0),
        ("setup", "", "import torch", 0.0),
        ("exercise", "relu", "", 0.0),
        ("check", "relu", "", 0.0),
        ("demo", "1", "if not grading():\n    a = 1\n\n    b = 2", 0.0),
        ("question", "why", "Why?", 2.5),
    ]


def test_an_exercise_cell_says_its_minutes_and_whether_refusing_is_asked_for(tmp_path: Path) -> None:
    parts = [SETUP, cell("exercise: relu", "minutes: 8"), cell("exercise: grade", "refuses:")]
    found = [(c.minutes, c.refuses) for c in read_source(write_source(tmp_path, *parts)) if c.role == "exercise"]
    assert found == [(8, False), (0, True)]


ROLES = "a code cell needs one of :setup:, :exercise:, :check:, :demo:"
INDENTED = "a demo cell is indented, so no string may span lines"
FAULTS = {
    "two exercise cells": ([SETUP, cell("exercise: f"), cell("exercise: f")], ": two exercise cells for 'f', allowed is one"),
    "two check cells": ([SETUP, cell("check: f"), cell("check: f")], ": two check cells for 'f', allowed is one"),
    "two questions": ([SETUP, question('"why"', "1"), question('"why"', "2")], ": two question cells for 'why', allowed is one"),
    "no setup": ([cell("exercise: f")], ": needs exactly one cell with `:setup:`"),
    "two setups": ([SETUP, SETUP], ": needs exactly one cell with `:setup:`"),
    "no role": ([SETUP, cell(code="a = 1")], f", cell 3: {ROLES}"),
    "unknown role": ([SETUP, cell("excercise: f")], f", cell 3: {ROLES}"),
    "two roles": ([SETUP, cell("exercise: f", "demo:")], f", cell 3: {ROLES}"),
    "no name": ([SETUP, cell("exercise:")], ", cell 3: `:exercise:` needs the name of an exercise, found "),
    "number for a name": ([SETUP, cell("check: 3")], ", cell 3: `:check:` needs the name of an exercise, found 3"),
    "no identifier": ([SETUP, cell("check: f-g")], ", cell 3: `:check:` needs the name of an exercise, found 'f-g'"),
    **{f"minutes {minutes}": ([SETUP, cell("exercise: f", f"minutes: {minutes}")], f", cell 3: `:minutes:` is {shown}, allowed is a whole number up to 600") for minutes, shown in {"-1": "-1", "601": "601", "1.5": "1.5", "soon": "'soon'", "true": "True"}.items()},
    "code in an exercise": ([SETUP, cell("exercise: f", code="def f(): pass")], ", cell 3: the exercise cell of 'f' has to be empty; `autograder build` fills it"),
    "code in a check": ([SETUP, cell("check: f", code="check('f')")], ", cell 3: the check cell of 'f' has to be empty; `autograder build` fills it"),
    **{f"question {name}": ([SETUP, question(name, "1")], f", cell 3: a question's name is {shown}, allowed are a-z, 0-9 and _") for name, shown in {'"Why"': "'Why'", '"a b"': "'a b'", '"1st"': "'1st'", "3": "3", '""': "''"}.items()},
    **{f"points {points}": ([SETUP, question('"why"', points)], f", cell 3: points of question 'why' are {shown}, allowed is a number above 0") for points, shown in {"NaN": "nan", "Infinity": "inf", "true": "True", "-1": "-1", "0": "0", '"2"': "'2'", "null": "None", "[1]": "[1]"}.items()},
    "demo with a long string": ([SETUP, cell("demo:", code='a = """\nb"""')], f", cell 3: line 1: {INDENTED}"),
    "demo with a long f-string": ([SETUP, cell("demo:", code='a = 1\nb = f"""{a}\nb"""')], f", cell 3: line 2: {INDENTED}"),
    "demo with long bytes": ([SETUP, cell("demo:", code='a = b"""\nb"""')], f", cell 3: line 1: {INDENTED}"),
    "demo that is not Python": ([SETUP, cell("demo:", code="a = 1\nb = ")], ", cell 3: line 2 is not Python: invalid syntax"),
    "demo with a magic": ([SETUP, cell("demo:", code="%time f()")], ", cell 3: line 1 is not Python: invalid syntax"),
    "empty demo": ([SETUP, cell("demo:")], ", cell 3: a demo cell is empty, needed is a statement"),
    "options that are not YAML": ([SETUP, cell("exercise: [")], " is not MyST Markdown that jupytext reads: "),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "sentence"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_one_sentence_with_the_files_name(tmp_path: Path, parts: list[str], sentence: str) -> None:
    path = write_source(tmp_path, *parts)
    with pytest.raises(SourceError) as caught:
        read_source(path)
    message = str(caught.value)
    assert message.startswith(f"{path}{sentence}")
    assert message == f"{path}{sentence}" or sentence.endswith(" ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe", "is not MyST Markdown that jupytext reads: 'utf-8' codec"), (None, "cannot be read: No such file")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "basics.md"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read_source(path)
    assert str(caught.value).startswith(f"{path} {reason}")
