"""Any bytes, through every reader: a result or a DigitsError of one line, and nothing else."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.io import savemat

from digits import Dataset, Splits, load
from digits.data.formats import mat, parquet
from digits.data.formats.npz import save_npz
from digits.imaging.decode import decode
from mutations import mutated
from untrusted import IMAGES, LABELS, TARGETS, Target, refusal

IN_PROCESS = ("csv", "npz", "npy", "idx")
"""Those that are not read in a child process, which may crash: a crash here ends the tests."""

REGRESSIONS = sorted(Path(__file__).with_name("regressions").glob("*/*"))

any_bytes = settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("name", TARGETS)
def test_good_files_are_read(name: str) -> None:
    for content in TARGETS[name].seeds:
        assert refusal(TARGETS[name], content) is None


@pytest.mark.parametrize("name", IN_PROCESS)
@any_bytes
@given(content=st.binary(max_size=300), kept=st.integers(0, 60), seed=st.integers(0, 3))
def test_a_start_of_a_file_and_then_anything(
    name: str, content: bytes, kept: int, seed: int
) -> None:
    seeds = TARGETS[name].seeds
    refusal(TARGETS[name], seeds[seed % len(seeds)][:kept] + content)


@pytest.mark.parametrize("name", IN_PROCESS)
def test_mutants(name: str) -> None:
    chance = random.Random(name)
    seeds = TARGETS[name].seeds
    said = [
        refusal(TARGETS[name], mutated(chance.choice(seeds), chance, seeds)) for _ in range(300)
    ]
    assert None in said
    assert len(set(said)) > 2


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_was_a_problem(path: Path) -> None:
    """In a process of its own, since some ended theirs."""
    code = "import sys; from pathlib import Path; from untrusted import TARGETS, refusal\n"
    code += "refusal(TARGETS[sys.argv[1]], Path(sys.argv[2]).read_bytes())"
    done = subprocess.run(
        [sys.executable, "-c", code, path.parent.name, path],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def _parquet() -> bytes:
    contents = []
    for image in IMAGES:
        picture = io.BytesIO()
        Image.fromarray(image).save(picture, "PNG")
        contents.append(picture.getvalue())
    file = io.BytesIO()
    pq.write_table(pa.table({"image": contents, "label": LABELS}), file)
    return file.getvalue()


def _mat(packed: bool) -> bytes:
    file = io.BytesIO()
    train = {"images": IMAGES.reshape(3, 784), "labels": LABELS[:, None]}
    savemat(file, {"dataset": {"train": train}}, do_compression=packed)
    return file.getvalue()


def _pdf() -> bytes:
    file = io.BytesIO()
    Image.fromarray(IMAGES[0]).resize((200, 200)).save(file, "PDF")
    return file.getvalue()


IN_CHILD = {
    "parquet": Target(lambda path: parquet.read(path, "parquet"), (_parquet(),), "a.parquet"),
    "mat": Target(lambda path: mat.read(path, "mat"), (_mat(True), _mat(False)), "a.mat"),
    "pdf": Target(decode, (_pdf(),), "a.pdf"),
}


@pytest.mark.parametrize("name", IN_CHILD)
def test_mutants_that_a_child_process_reads(name: str) -> None:
    target, chance = IN_CHILD[name], random.Random(name)
    files = [*target.seeds, *(mutated(target.seeds[0], chance, target.seeds) for _ in range(10))]
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda content: refusal(target, content), files))
    assert said[0] is None
    assert any(said)


@any_bytes
@given(data=st.data(), count=st.integers(1, 3))
def test_what_is_written_reads_back(data: st.DataObject, count: int, tmp_path: Path) -> None:
    images = data.draw(arrays(np.uint8, (count, 28, 28)))
    labels = data.draw(arrays(np.uint8, count, elements=st.integers(0, 9)))
    splits = Splits("a.npz", {"all": Dataset(images, labels)})
    save_npz(splits, tmp_path / "a.npz")
    assert load(tmp_path / "a.npz") == splits
    images.flat[0] = 255  # in text, nothing but 0 and 1 would be black and white
    rows = np.column_stack([labels, images.reshape(count, 784)])
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    np.savetxt(tmp_path / "a.csv", rows, "%d", ",", header=header, comments="")
    assert load(tmp_path / "a.csv")["all"] == Dataset(images, labels)
