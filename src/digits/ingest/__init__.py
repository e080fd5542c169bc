"""Picture files to data sets."""
