"""Due dates, extensions, and what lateness costs: settled by `course.toml` and `private/extensions.csv` alone."""
