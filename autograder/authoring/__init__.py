"""What an author begins with and looks at: a new assignment that runs, and the notebook as students see it."""
