"""Takes submissions apart in processes of their own, and hands back small typed records."""
