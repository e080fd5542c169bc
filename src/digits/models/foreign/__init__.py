"""Model files that others wrote: read as data, rebuilt from an allowlist of layers, compiled."""
