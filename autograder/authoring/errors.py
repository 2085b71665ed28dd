"""Why an author's wish cannot be granted."""


class AuthoringError(Exception):
    """What was asked for cannot be done; the sentence says what was found and what is allowed."""
