"""Data sets: their one shape, the formats they are read from and written to, and the names."""
