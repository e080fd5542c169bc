"""Small files that unpack to gigabytes, or say so: one of each format, read by the command.

    python benchmarks/hostile_sizes.py

Each must end with one line, within a minute and with less than 1 GiB of memory (of the largest
process); with status 1, but for pages of a PDF, which are drawn at the size that we choose. Prints
a table; exits 1 if one does not.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from scipy.io import savemat

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from imaging.test_fuzz import huge_tile
from models.foreign.keras_files import dense_model, layer, write_h5

MAX_SECONDS = 60
MAX_MEGABYTES = 1024
TIMEOUT = 300
SIDE = 30_000  # pixels of a picture: 900 MB
PART = bytes(10_000_000)
PARTS = 300  # 3 GB of zeros

DATA, PICTURE = ("data", "info", "--data"), ("predict",)
MODEL = ("predict", "seven.png", "--model")


def gzipped(path: Path, head: bytes, part: bytes) -> Path:
    """A gzip file may consist of several: one, again and again, costs nothing to make."""
    packed = gzip.compress(part, 9)
    path.write_bytes(gzip.compress(head) + packed * (PARTS * len(PART) // len(part)))
    return path


def csv_rows(folder: Path) -> Path:
    return gzipped(folder / "a.csv.gz", b"", (b"0," * 784 + b"0\n") * 5000)


def csv_line(folder: Path) -> Path:
    return gzipped(folder / "a.csv.gz", b"", b"0," * 5_000_000)


def idx(folder: Path) -> Path:
    count = PARTS * len(PART) // 784
    head = bytes((0, 0, 8, 3)) + struct.pack(">3I", count, 28, 28)
    gzipped(folder / "train-images-idx3-ubyte.gz", head, PART)
    labels = bytes((0, 0, 8, 1)) + struct.pack(">I", count)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels + bytes(count)))
    return folder


def npy_header(*shape: int) -> bytes:
    with tempfile.TemporaryFile() as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[arg-type]
        file.seek(0)
        return file.read()


def npz(folder: Path) -> Path:
    count = PARTS * len(PART) // 784
    with zipfile.ZipFile(folder / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("images.npy", "w", force_zip64=True) as file:
            file.write(npy_header(count, 28, 28))
            for _ in range(PARTS):
                file.write(PART)
        archive.writestr("labels.npy", npy_header(count) + bytes(count))
    return folder / "a.npz"


def npy(folder: Path) -> Path:
    """A file with a hole: 3 GB long, and nearly nothing on the disk."""
    count = PARTS * len(PART) // 784
    for name, shape in (("images.npy", (count, 28, 28)), ("labels.npy", (count,))):
        head = npy_header(*shape)
        (folder / name).write_bytes(head)
        os.truncate(folder / name, len(head) + int(np.prod(shape)))
    return folder


def mat(folder: Path) -> Path:
    train = {"images": np.zeros((1_000_000, 784), np.uint8), "labels": np.zeros((1_000_000, 1))}
    savemat(folder / "a.mat", {"dataset": {"train": train}}, do_compression=True)
    return folder / "a.mat"


def parquet(folder: Path) -> Path:
    """One picture, four million times."""
    Image.new("L", (28, 28)).save(folder / "a.png")
    rows = np.zeros(4_000_000, np.int32)
    images = pa.DictionaryArray.from_arrays(rows, [(folder / "a.png").read_bytes()])
    pq.write_table(pa.table({"image": images, "label": rows}), folder / "a.parquet")
    return folder / "a.parquet"


def zeros(size: int) -> bytes:
    """So many zeros, deflated."""
    packer = zlib.compressobj(1)
    parts = [packer.compress(PART) for _ in range(size // len(PART))]
    return b"".join((*parts, packer.compress(bytes(size % len(PART))), packer.flush()))


def png(folder: Path) -> Path:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zeros(SIDE * (SIDE + 1)))
    path = folder / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
    return path


def tiff(folder: Path) -> Path:
    Image.new("1", (20_000, 20_000)).save(folder / "a.tif", compression="group4")
    return folder / "a.tif"


def tiff_tile(folder: Path) -> Path:
    (folder / "a.tif").write_bytes(huge_tile())
    return folder / "a.tif"


def pdf(folder: Path, page: int = 600) -> Path:
    """A page with a picture of 900 MB."""
    packed = zeros(SIDE * SIDE)
    draw = b"q %d 0 0 %d 0 0 cm /a Do Q" % (page, page)
    image = (
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray "
        b"/BitsPerComponent 8 /Filter /FlateDecode /Length %d >>" % (SIDE, SIDE, len(packed))
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R "
        b"/Resources << /XObject << /a 5 0 R >> >> >>" % (page, page),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(draw), draw),
        image + b"\nstream\n" + packed + b"\nendstream",
    ]
    content = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"xref\n0 6\n0000000000 65535 f \n%strailer\n" % table
    content += b"<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % content.rindex(b"xref\n0")
    (folder / "a.pdf").write_bytes(content)
    return folder / "a.pdf"


def pdf_page(folder: Path) -> Path:
    """A page of a kilometer."""
    return pdf(folder, 3_000_000)


def h5(folder: Path) -> Path:
    """As many weights as one layer may have, of which nothing is stored."""
    hidden, kernel = 60_000, "model_weights/one/one/kernel:0"
    path = write_h5(folder / "a.h5", dense_model(hidden)[0], dense_model(1)[1])
    with h5py.File(path, "a") as file:
        del file[kernel]
        file.create_dataset(kernel, (784, hidden), "f4", chunks=(784, 600), compression="gzip")
    return path


def keras(folder: Path) -> Path:
    """A configuration of 3 GB of spaces."""
    model = {"class_name": "Sequential", "config": {"layers": [layer("InputLayer", "in")]}}
    with zipfile.ZipFile(folder / "a.keras", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("metadata.json", "{}")
        with archive.open("config.json", "w", force_zip64=True) as file:
            for _ in range(PARTS):
                file.write(b" " * len(PART))
            file.write(json.dumps(model).encode())
        archive.writestr("model.weights.h5", b"")
    return folder / "a.keras"


BOMBS: dict[str, tuple[tuple[str, ...], Callable[[Path], Path]]] = {
    "csv.gz of rows": (DATA, csv_rows),
    "csv.gz of one line": (DATA, csv_line),
    "idx.gz": (DATA, idx),
    "npz": (DATA, npz),
    "npy": (DATA, npy),
    "mat": (DATA, mat),
    "parquet": (DATA, parquet),
    "PNG": (PICTURE, png),
    "TIFF of one strip": (PICTURE, tiff),
    "TIFF of a huge tile": (PICTURE, tiff_tile),
    "PDF with a huge picture": (PICTURE, pdf),
    "PDF of a huge page": (PICTURE, pdf_page),
    ".h5": (MODEL, h5),
    ".keras": (MODEL, keras),
}


LAUNCHER = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=sys.stderr)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""  # a small process between: one that is started counts the memory of the one that starts it


def run(command: tuple[str, ...], path: Path, folder: Path) -> tuple[int, float, float, list[str]]:
    """The status of a command, its seconds, the MiB of its largest process, and its lines."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, sys.executable, "-m", "digits", *command, str(path)],
        cwd=folder,
        env=os.environ | {"DIGITS_CACHE": str(folder / "cache"), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )
    status, megabytes = done.stdout.split()
    return int(status), time.perf_counter() - start, float(megabytes), done.stderr.splitlines()


def main() -> int:
    print("| file | size, kB | exit | seconds | most MiB | said |")
    print("|---|---|---|---|---|---|", flush=True)
    good = True
    for name, (command, make) in BOMBS.items():
        with tempfile.TemporaryDirectory(prefix="digits-") as place:
            folder = Path(place, "files")
            folder.mkdir()
            Image.new("L", (28, 28)).save(Path(place, "seven.png"))
            path = make(folder)
            size = sum(file.stat().st_blocks for file in folder.rglob("*")) * 512 / 1000
            exit_, seconds, megabytes, lines = run(command, path, Path(place))
            said = " ".join(lines).replace(str(path), path.name)
            print(
                f"| {name} | {size:.0f} | {exit_} | {seconds:.1f} | {megabytes:.0f} | {said} |",
                flush=True,
            )
            good &= len(lines) == 1 and (exit_ == 1 or path.suffix == ".pdf")
            good &= seconds <= MAX_SECONDS and megabytes <= MAX_MEGABYTES
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
