"""Metrics, and models scored on data sets."""
