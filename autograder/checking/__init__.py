"""The student's side: ``check()`` in a notebook, and a whole notebook checked from outside it."""
