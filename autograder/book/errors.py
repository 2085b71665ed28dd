"""What a person has to mend before there is a book."""


class BookError(Exception):
    """The book cannot be made; the sentence names file and cell, what was found and what is needed."""
