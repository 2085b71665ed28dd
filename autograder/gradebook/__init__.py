"""nbgrader's gradebook: where it is, and the rows of it that this program reads and writes."""
