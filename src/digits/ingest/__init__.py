"""Data sets by name or path, and from picture files, with the doubts of the recognizer."""
