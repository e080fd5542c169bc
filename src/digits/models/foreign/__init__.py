"""Model files that others wrote: understood as data, rebuilt by our own code, compiled once."""
