"""A student's feedback page: on top what each exercise and question got and what to do next, then the notebook."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec
from markupsafe import Markup, escape
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String

from autograder.feedback.overview import MARKS, next_step, status_in_words
from autograder.feedback.panel import RECORD_TYPE, Panel
from autograder.feedback.rendering import template
from autograder.points import points_text
from autograder.results import ExerciseResult
from autograder.sanitizing.formulas import with_formulas
from autograder.sanitizing.images import FORMATS, verified
from autograder.sanitizing.markdown import rendered, verified_attachments
from autograder.sanitizing.own_outputs import MARK

# Nothing is fetched and nothing runs, even if something got past the sanitiser.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
# The first letters of pygments' own classes, which code in Markdown has.
COLOURS = {
    Comment: "c",
    String: "s",
    Number: "m",
    Keyword: "k",
    Operator.Word: "k",
    Name.Function: "nf",
    Name.Class: "nf",
}
EMPTY = Markup("")
WAITING = "a person will grade it"
BY_HAND = "points set by a person"


@dataclass(frozen=True)
class Row:
    """What one exercise or question got.

    Attributes:
        name: of the exercise or question.
        place: the anchor of its cell.
        points: None while a person has yet to grade it.
        max_points: what it could get.
        mark, words: its outcome as a sign and in words.
        says: what to do next; empty where nothing is.
        is_exercise: whether checks grade it.
    """

    name: str
    place: str
    points: float | None
    max_points: float
    mark: str
    words: str
    says: str
    is_exercise: bool


@dataclass(frozen=True)
class Piece:
    """One cell as it is shown.

    Attributes:
        kind: ``text``, ``code``, ``answer`` or ``checks``.
        body: the text, the code or the panel.
        row: what it got, if it is graded.
        outputs: the student's own, as HTML.
        comment: of the person who graded it.
        place: its anchor.
    """

    kind: str
    body: Markup
    row: Row | None = None
    outputs: tuple[Markup, ...] = ()
    comment: Markup = EMPTY
    place: str = ""


@dataclass(frozen=True)
class Totals:
    """A submission's sum, as the gradebook has it.

    Attributes:
        title: of the assignment.
        student: whose it is.
        score: what it got, the late penalty taken off.
        max_score: what it could get.
        late_penalty: points taken off for being late.
    """

    title: str
    student: str
    score: float
    max_score: float
    late_penalty: float


def feedback_page(notebook: Any, totals: Totals) -> str:
    """The page, in one file that needs no other."""
    pieces = [_piece(cell) for cell in notebook.cells]
    ours = notebook.metadata.get("autograder", {})
    return template("feedback_page.html.j2").render(
        policy=POLICY,
        style=Markup(template("feedback_page.css").render()),
        totals=totals,
        rows=[piece.row for piece in pieces if piece.row is not None],
        waiting=sum(p.row.max_points for p in pieces if p.row is not None and p.row.points is None),
        commented=[piece for piece in pieces if piece.comment],
        pieces=[piece for piece in pieces if piece.body or piece.outputs],
        unjudged=ours.get("unjudged", ""),
        notes=[] if "unjudged" in ours else ours.get("notes", []),
        points=points_text,
        mark_of_own=MARK,
        by_hand=BY_HAND,
    )


def _piece(cell: Any) -> Piece:
    graded = cell.metadata.get("nbgrader", {})
    row = _row(cell) if graded.get("grade") or graded.get("task") else None
    comment = Markup(with_formulas(rendered(graded.get("comment") or "")))
    place = graded.get("grade_id", "")
    if row is not None and row.is_exercise:
        return Piece("checks", _panel(cell), row, comment=comment, place=place)
    if cell.cell_type == "code":
        return Piece("code", _code(cell.source), row, tuple(_outputs(cell)), comment, place)
    # The summary has them already.
    is_notes = cell.metadata.get("autograder") == {"role": "notes"}
    text = "" if is_notes else with_formulas(rendered(cell.source, verified_attachments(cell.get("attachments"))))
    return Piece("answer" if row else "text", Markup(text), row, comment=comment, place=place)


def _row(cell: Any) -> Row:
    graded = cell.metadata["nbgrader"]
    name, most = graded["grade_id"].removeprefix("check-"), float(graded.get("points") or 0)
    points = None if graded.get("waits") else float(graded.get("score") or 0)
    is_exercise = cell.cell_type == "code" and not graded.get("solution")
    result = _record(cell) if is_exercise else None
    if points is None:
        return Row(name, graded["grade_id"], None, most, "…", WAITING, "", is_exercise)
    if result is None or abs(points - result.points) > 1e-6:
        mark = "✓" if points >= most else "~" if points else "✗"
        words = BY_HAND if is_exercise else "graded"
        return Row(name, graded["grade_id"], points, most, mark, words, "", is_exercise)
    says = "" if result.status == "passed" else next_step(result)
    mark = MARKS.get(result.status, "✗")
    return Row(name, graded["grade_id"], points, most, mark, status_in_words(result), says, is_exercise)


def _record(cell: Any) -> ExerciseResult | None:
    """The result that the grader left beside its panel; an older grader's may be of another form."""
    for output in cell.outputs:
        if RECORD_TYPE in output.get("data", {}):
            try:
                return msgspec.convert(output.data[RECORD_TYPE], ExerciseResult, strict=False)
            except (msgspec.ValidationError, ValueError):
                return None
    return None


def _panel(cell: Any) -> Markup:
    """Made anew from the record, so that no HTML is taken from a notebook."""
    result = _record(cell)
    if result is not None:
        return Markup(Panel(result).html())
    texts = [output.data.get("text/plain", "") for output in cell.outputs if "data" in output]
    return Markup("<pre>{}</pre>").format("\n".join(texts)) if texts else Markup("<p>No checks were made.</p>")


def _code(source: str) -> Markup:
    """Code in few colours: pygments' own page of a notebook would be twice as large."""
    if not source.strip():
        return Markup("")
    parts = []
    for colour, tokens in groupby(PythonLexer().get_tokens(source), key=lambda token: _colour(token[0])):
        text = escape("".join(text for _, text in tokens))
        parts.append(Markup('<span class="{}">{}</span>').format(colour, text) if colour else text)
    return Markup('<pre class="highlight">{}</pre>').format(Markup("").join(parts))


def _colour(kind: Any) -> str:
    return next((colour for known, colour in COLOURS.items() if kind in known), "")


def _outputs(cell: Any) -> list[Markup]:
    shown = []
    for output in cell.outputs:
        data = output.get("data", {})
        kind = next((kind for kind in FORMATS if kind in data), None)
        image = verified(kind, data[kind]) if kind else None
        if image is not None:
            shown.append(Markup('<img src="data:{};base64,{}" alt="a picture of yours">').format(kind, image))
        elif data.get("text/plain", MARK) != MARK:
            shown.append(Markup("<pre>{}</pre>").format(data["text/plain"]))
    return shown
