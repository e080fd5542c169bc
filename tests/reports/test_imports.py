"""What the reports import, and what they leave alone."""

from __future__ import annotations

import subprocess
import sys


def test_heavy_libraries_are_loaded_only_when_something_is_plotted(tmp_path):
    code = f"""
import sys
def loaded(*names):
    return [name for name in names if name in sys.modules]
heavy = "matplotlib", "jinja2", "tensorflow", "keras", "h5py", "ai_edge_litert"
from digits.reports import drawing, terminal, wording
print(loaded(*heavy))
import digits.evaluation.evaluate, digits.reports.report
print(loaded(*heavy))
from digits.reports import plots
import numpy
plots.save(plots.confusion(numpy.eye(10, dtype=int)), {str(tmp_path / "plot.png")!r})
print(loaded("matplotlib", "matplotlib.pyplot"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n['matplotlib']\n"
