"""No file takes much more memory than its size lets expect, and a limit can be raised."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from scipy.io import savemat

from commands import Run
from digits import DataError, load
from digits.data.formats.limits import MAX_SIZE, SizeLimit

MEGABYTE = 1_000_000
ROW = b"0," * 784 + b"0\n"


def _packed(path: Path, head: bytes, part: bytes, count: int) -> None:
    with gzip.open(path, "wb", 9) as file:
        file.write(head)
        for _ in range(count):
            file.write(part)


def _idx_header(*shape: int) -> bytes:
    return bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)


def _npy(shape: tuple[int, ...], dtype: str, content: bytes) -> bytes:
    file = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


def _npz(path: Path, images: bytes, kind: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("images.npy", images)
        archive.writestr("labels.npy", _npy((1,), "|u1", b"1"))


def _csv(folder: Path) -> Path:
    _packed(folder / "a.csv.gz", b"", ROW * 1000, 100)
    return folder / "a.csv.gz"


def _idx(folder: Path) -> Path:
    _packed(folder / "train-images-idx3-ubyte", _idx_header(100_000, 28, 28), b"", 0)
    _packed(folder / "train-labels-idx1-ubyte", _idx_header(100_000), bytes(100_000), 1)
    return folder


def _idx_of_no_end(folder: Path) -> Path:
    (folder / "train-images-idx3-ubyte").write_bytes(_idx_header(*[2**32 - 1] * 3))
    (folder / "train-labels-idx1-ubyte").write_bytes(_idx_header(2**32 - 1))
    return folder


def _npz_of_zeros(folder: Path) -> Path:
    _npz(folder / "a.npz", _npy((100_000, 28, 28), "|u1", bytes(78_400_000)))
    return folder / "a.npz"


def _npz_that_lies(folder: Path) -> Path:
    _npz(folder / "a.npz", _npy((1 << 40, 28, 28), "<f8", b""))
    return folder / "a.npz"


def _npy_that_lies(folder: Path) -> Path:
    (folder / "images.npy").write_bytes(_npy((1 << 40, 28, 28), "<f8", b""))
    (folder / "labels.npy").write_bytes(_npy((1,), "|u1", b"1"))
    return folder


def _parquet(folder: Path) -> Path:
    """One picture, 100,000 times."""
    file = io.BytesIO()
    Image.new("L", (28, 28)).save(file, "PNG")
    rows = np.zeros(100_000, np.int32)
    images = pa.DictionaryArray.from_arrays(rows, [file.getvalue()])
    pq.write_table(pa.table({"image": images, "label": rows}), folder / "a.parquet")
    return folder / "a.parquet"


def _mat(folder: Path) -> Path:
    train = {"images": np.zeros((100_000, 784), np.uint8), "labels": np.zeros((1, 1))}
    savemat(folder / "a.mat", {"dataset": {"train": train}}, do_compression=True)
    return folder / "a.mat"


@pytest.mark.parametrize(
    "make",
    [_csv, _idx, _idx_of_no_end, _npz_of_zeros, _npz_that_lies, _npy_that_lies, _parquet,
     _mat],
)  # fmt: skip
def test_a_bomb_is_one_line_that_names_the_option(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"it unpacks to .*limit is [\d,]+ MB") as caught:
        load(make(tmp_path))
    assert "--max-size" in caught.value.remedy
    assert caught.value.path


@pytest.mark.parametrize("line", [b"\n", b" ", b" \n", b"1,", b"1\n"])
def test_lines_without_rows_end_soon(line: bytes, tmp_path: Path) -> None:
    _packed(tmp_path / "a.csv.gz", ROW, line * MEGABYTE, 200 // len(line))
    with pytest.raises(DataError, match="not a table of numbers"):
        load(tmp_path / "a.csv.gz")


@pytest.mark.parametrize("kind", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compressions_are_refused(kind: int, tmp_path: Path) -> None:
    _npz(tmp_path / "a.npz", _npy((1, 28, 28), "|u1", bytes(784)), kind)
    with pytest.raises(DataError, match="not packed as NumPy does it"):
        load(tmp_path / "a.npz")


def test_an_archive_of_many_parts_is_listed_in_a_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for number in range(2000):
            archive.writestr(f"a{number}.npy", b"")
    with pytest.raises(DataError, match=r"its arrays are a0, a1, .* and 1,992 more"):
        load(tmp_path / "a.npz")


def test_deeply_nested_cells_do_not_end_the_process(tmp_path: Path) -> None:
    """SciPy calls itself for each, until the stack overflows."""
    cell = struct.pack("<IIII", 6, 8, 1, 0) + struct.pack("<IIii", 5, 8, 1, 1)
    unnamed, named = struct.pack("<II", 1, 0), struct.pack("<II", 1, 7) + b"dataset\0"
    parts: list[bytes] = []
    size = 0
    for level in range(50_000, -1, -1):
        head = cell + (unnamed if level else named)
        size += len(head)
        parts.append(struct.pack("<II", 14, size) + head)
        size += 8
    start = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    (tmp_path / "a.mat").write_bytes(start + b"".join(reversed(parts)))
    with pytest.raises(DataError, match="no MATLAB file"):
        load(tmp_path / "a.mat")


def test_the_limit_can_be_raised(tmp_path: Path) -> None:
    _packed(tmp_path / "a.csv.gz", b"", ROW, 70_000)
    limit = SizeLimit([tmp_path / "a.csv.gz"], None).limit
    assert limit < 70_000 * 785
    with pytest.raises(DataError, match=f"limit is {limit / 1e6:.0f} MB"):
        load(tmp_path / "a.csv.gz")
    assert len(load(tmp_path / "a.csv.gz", max_size=70_000 * 785)["all"]) == 70_000


@pytest.mark.parametrize("command", ["train", "eval", "data info", "data join", "export-png"])
def test_all_commands_with_data_sets_have_the_option(
    command: str, tmp_path: Path, run: Run
) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((9, 28, 28), np.uint8), labels=np.zeros(9, "u1"))
    source = ["a.npz"] if command == "data join" else ["--data", "a.npz"]
    target = {"data join": ["-o", "b.npz"], "export-png": ["folder"]}.get(command, [])
    done = run(*command.split(), *source, *target, "--max-size", "7kB")
    assert done.returncode == 1
    assert done.stderr == (
        "Error: a.npz: it unpacks to 7,056 bytes or more; the limit is 7,000 bytes. "
        "If you trust the file, allow more with --max-size.\n"
    )
    assert run(*command.split(), *source, *target, "--max-size", "much").returncode == 2


def test_what_fits_is_read(tmp_path: Path) -> None:
    """To the byte, so that each array is counted once; and EMNIST's largest set is below."""
    assert MAX_SIZE > 814_255 * 785
    np.savez(tmp_path / "a.npz", images=np.zeros((9, 28, 28), np.uint8), labels=np.zeros(9, "u1"))
    assert len(load(tmp_path / "a.npz", max_size=9 * 785)["all"]) == 9
    with pytest.raises(DataError, match="unpacks to"):
        load(tmp_path / "a.npz", max_size=9 * 785 - 1)


def test_a_csv_file_takes_little_more_memory_than_its_images(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    rows = b"".join(
        b",".join(b"%d" % value for value in row) + b"\n"
        for row in np.column_stack([np.arange(2000) % 10, chance.integers(0, 256, (2000, 784))])
    )
    (tmp_path / "few.csv").write_bytes(rows)
    (tmp_path / "many.csv").write_bytes(rows * 20)
    few, many = (_peak(tmp_path / name) for name in ("few.csv", "many.csv"))
    images = 38_000 * 785
    assert many - few < 2 * images


def _peak(path: Path) -> int:
    """Bytes of memory that a process takes at most to read a file."""
    code = "import sys; from pathlib import Path; from digits.data.formats import csv;"
    code += "from resource import *; csv.read(Path(sys.argv[1]), '');"
    code += "print(getrusage(RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", code, path], check=True, capture_output=True, text=True
    )
    return int(done.stdout) * 1024
