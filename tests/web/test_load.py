"""Many requests at once, many in a row, and generated ones."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from digits import Splits
from drawing import drawn_large, on_paper, png
from web.server import Server, serving


def test_simultaneous_requests_get_their_own_results(server: Server, sample: Splits) -> None:
    test = sample["test"].take(np.arange(60))
    expected = [server.send("/api/predict", [("a.png", png(i))]).json for i in test.images]
    models = ("cnn", "dense", "rnn")

    def ask(number: int) -> bool:
        index = number % len(test)
        files = [(f"{number}.png", png(test.images[index]))]
        model = models[number // len(test)]
        result = server.send(f"/api/predict?model={model}", files).json[0]
        if model == "cnn":
            assert result["probabilities"] == expected[index][0]["probabilities"]
        assert result["path"] == files[0][0]
        return bool(result["digit"] == test.labels[index])

    with ThreadPoolExecutor(12) as pool:
        right = list(pool.map(ask, range(3 * len(test))))
    assert np.mean(right) > 0.97


def resident(server: Server) -> int:
    """Bytes of memory that the server uses."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: reads /proc")
def test_memory_stays_flat(tmp_path: Path, sample: Splits) -> None:
    image = sample["test"].images[6]
    pictures = [png(image), png(on_paper(drawn_large(image, 6, (40, 40, 40, 40)))), b"nothing"]
    with serving(tmp_path) as own:

        def ask(number: int) -> None:
            files = [("a.png", pictures[number % 3])]
            own.send(("/api/predict", "/api/read")[number % 2] + "?pixels=true", files)

        with ThreadPoolExecutor(4) as pool:
            rounds = []
            for _ in range(4):
                list(pool.map(ask, range(200)))
                rounds.append(resident(own))
        # A leak grows in every round; what the allocator keeps, not.
        assert np.diff(rounds).min() < 3e6  # 15 kB a request


@pytest.mark.heavy
def test_generated_requests(tmp_path: Path) -> None:
    """Schemathesis sends requests that the description allows, and others that it does not."""
    with serving(tmp_path) as own:
        done = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "run", f"{own.address}openapi.json",
                "--checks", "not_a_server_error,status_code_conformance,"
                "content_type_conformance,response_schema_conformance",
                "--max-examples", "8", "--seed", "1", "--no-color",
                "--generation-database", "none",
            ],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=400,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:]
        assert own.get("/healthz").status == 200
