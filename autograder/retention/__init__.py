"""Everything held about one student: found, exported, deleted."""
