"""Saves what the judge found, and of a submission that it could not judge the reason."""

from typing import Any

from nbgrader.preprocessors import SaveAutoGrades

from autograder.gradebook.batches import write
from autograder.gradebook.rows import Entry
from autograder.gradebook.transactions import opened
from autograder.gradebook.unjudged import unjudged_reason


class SaveGrades(SaveAutoGrades):
    """nbgrader would give full points to a check cell without output, so it must not see one that was not judged."""

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        reason = unjudged_reason(notebook)
        if reason is None:
            notebook, resources = super().preprocess(notebook, resources)
            return notebook, resources
        known = resources["nbgrader"]
        with opened(known["db_url"]) as engine:
            write(engine, known["assignment"], [Entry(known["student"], unjudged=reason)])
        return notebook, resources
