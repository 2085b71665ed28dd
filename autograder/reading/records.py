"""What is asked of the process that takes a submission apart, and what it hands back."""

from msgspec import Struct

from autograder.course import Limits
from autograder.notebooks.submission import Cell
from autograder.sandbox.forbidden.operations import Family, Forbidden, Use

# A message names three uses; an exercise has no longer sentence than this, nor an operation a longer name.
MOST_USES, LONGEST_USE = 20, 300
# So many cells that are no Python are looked at to see whether they are of a newer one.
MOST_NO_PYTHON = 5


class Rule(Struct, frozen=True):
    """What an exercise may not call; see `Forbidden`."""

    exercise: str
    names: tuple[str, ...]
    families: tuple[Family, ...]
    free: dict[str, list[str]] | None

    @staticmethod
    def of(exercise: str, forbidden: Forbidden) -> "Rule":
        free = None if forbidden.free is None else {name: sorted(calls) for name, calls in forbidden.free.items()}
        return Rule(exercise, forbidden.names, forbidden.families, free)

    @property
    def forbidden(self) -> Forbidden:
        free = None if self.free is None else {name: frozenset(calls) for name, calls in self.free.items()}
        return Forbidden(self.names, self.families, free)


class Order(Struct, frozen=True):
    """How to take a submission apart.

    Attributes:
        limits: what it may hold.
        released: the notebook that students were given, as JSON: its cells are put right from it. None for a notebook
            that was put right before.
        assignment: that it answers; only for what is said of it.
        rules: of all exercises, in order; none where nothing is to be judged.
        name: what the file is called.
        beside: notes on the file itself, which come before those on what it holds.
    """

    limits: Limits
    released: str | None
    assignment: str
    rules: tuple[Rule, ...] = ()
    name: str = ""
    beside: tuple[str, ...] = ()


class Found(Struct, frozen=True):
    """What static reading finds in an exercise's code.

    Attributes:
        uses: forbidden operations that it reaches.
        mentions: names of other exercises that it, or a helper of its own, mentions.
    """

    uses: tuple[Use, ...]
    mentions: tuple[str, ...]


class Page(Struct, frozen=True):
    """A notebook for nbgrader.

    Attributes:
        notebook: put right and made safe, as JSON; its check cells have no outputs yet.
        notes: what was noticed in putting it right.
    """

    notebook: str
    notes: tuple[str, ...]


class Read(Struct, frozen=True, tag="read"):
    """A submission taken apart.

    Attributes:
        sha256: of the file's bytes.
        assignment: that it says that it answers.
        cells: what is to run and where an exercise is to be judged, in order; every exercise once at most.
        notes: what was noticed.
        found: what static reading found, by exercise.
        page: what nbgrader keeps of it.
        no_python: code that this Python cannot read, of a few cells.
    """

    sha256: str
    assignment: str | None
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]
    found: dict[str, Found]
    page: Page
    no_python: tuple[str, ...] = ()


class Refused(Struct, frozen=True, tag="refused"):
    """A submission that cannot be taken apart, and why: the end of a sentence that begins with its path."""

    why: str
