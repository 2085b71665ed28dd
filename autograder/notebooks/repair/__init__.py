"""Puts a broken submission right, as far as that takes no guessing: bytes in, a notebook and notes out, or a reason."""
