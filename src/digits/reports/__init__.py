"""Plots, the HTML report, and annotated pictures."""
