"""Data sets: `Dataset`, the formats they are read from and written to, MNIST, PNG export."""
