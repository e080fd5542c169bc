"""The page of `digits app` and its HTTP interface, served from this machine."""
