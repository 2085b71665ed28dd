"""Why an assignment cannot be begun."""


class StartError(Exception):
    """What was asked for cannot be done; the sentence says what was found and what is allowed."""


class UnreadableRelease(StartError):
    """What the instructor gives cannot be read."""
