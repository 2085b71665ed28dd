"""Saves what the judge found, and of a submission that it could not judge the reason."""

from typing import Any

from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveAutoGrades

from autograder.gradebook.unjudged import record_unjudged, unjudged_reason


class SaveGrades(SaveAutoGrades):
    """nbgrader would give full points to a check cell without output, so it must not see one that was not judged."""

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        reason = unjudged_reason(notebook)
        if reason is None:
            notebook, resources = super().preprocess(notebook, resources)
            return notebook, resources
        known = resources["nbgrader"]
        with Gradebook(known["db_url"]) as gradebook:
            record_unjudged(gradebook, known["assignment"], known["student"], reason)
        return notebook, resources
