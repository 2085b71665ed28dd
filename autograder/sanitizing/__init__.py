"""Makes what a student wrote safe to be shown to others."""
