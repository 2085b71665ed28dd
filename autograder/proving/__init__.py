"""The author's side: proves that checks accept what is right and reject every mistake."""
