"""From a result to words: diagnosis, code that shows a failure, panels for notebooks and terminals."""
