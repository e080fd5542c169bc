"""Every format gives the same arrays; every kind of damage gives one clear error."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from scipy.io import savemat

from digits import DataError, Dataset, Splits, load
from digits.data.dataset import joined
from digits.data.formats.npz import save_npz


def _write_idx(folder: Path, part: str, data: Dataset, suffix: str) -> None:
    opened = gzip.open if suffix else open
    for kind, array in (("images-idx3", data.images), ("labels-idx1", data.labels)):
        with opened(folder / f"{part}-{kind}-ubyte{suffix}", "wb") as file:
            file.write(bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape))
            file.write(array.tobytes())


@pytest.fixture
def small(sample: Splits) -> Splits:
    return Splits("small", {name: part.limit(50) for name, part in sample.items()})


def test_npz_round_trip(tmp_path: Path, small: Splits) -> None:
    save_npz(small, tmp_path / "a.npz")
    assert load(tmp_path / "a.npz") == small
    whole = Splits("whole", {"all": small["test"]})
    save_npz(whole, tmp_path / "b.npz")
    assert load(tmp_path / "b.npz") == whole
    with np.load(tmp_path / "a.npz") as archive:
        assert set(archive.files) == {"x_train", "y_train", "x_test", "y_test"}


@pytest.mark.parametrize("as_struct", [True, False])
def test_parquet(tmp_path: Path, small: Splits, as_struct: bool) -> None:
    (tmp_path / "mnist").mkdir()
    for part, data in small.items():
        contents = []
        for image in data.images:
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG")
            content = file.getvalue()
            contents.append({"bytes": content, "path": None} if as_struct else content)
        table = pa.table({"image": contents, "label": data.labels.astype(np.int64)})
        pq.write_table(table, tmp_path / "mnist" / f"{part}-00000-of-00001.parquet")
    assert load(tmp_path) == small
    file = tmp_path / "mnist" / "test-00000-of-00001.parquet"
    assert load(file)["test"] == small["test"]
    pq.write_table(pa.table({"picture": [b""]}), file)
    with pytest.raises(DataError, match="its columns are picture"):
        load(file)
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="no Parquet file"):
        load(file)


def test_mat_files_of_emnist(tmp_path: Path, small: Splits) -> None:
    dataset = {
        part: {
            "images": data.images.transpose(0, 2, 1).reshape(-1, 784),
            "labels": data.labels[:, None].astype(float),
        }
        for part, data in small.items()
    }
    path = tmp_path / "emnist-digits.mat"
    savemat(path, {"dataset": dataset})
    assert load(path) == small
    savemat(path, {"other": 1})
    with pytest.raises(DataError, match="its arrays are other"):
        load(path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match="no MATLAB file"):
        load(path)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("x_train", "y_train"), ("X_train", "Y_train"), ("train_images", "train_labels"),
        ("x", "y"), ("data", "target"), ("arr_0", "arr_1"), ("images", "label"),
        ("trainX", "trainY"), ("train_data", "train_labels"), ("pixels", "class"),
    ],
)  # fmt: skip
def test_arrays_by_the_names_that_others_give_them(
    tmp_path: Path, small: Splits, images: str, labels: str
) -> None:
    data = small["train"]
    np.savez(tmp_path / "a.npz", **{images: data.images, labels: data.labels})
    assert next(iter(load(tmp_path / "a.npz").values())) == data
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / f"{images}.npy", np.asfortranarray(data.images))
    np.save(tmp_path / "a" / f"{labels}.npy", data.labels.astype(">i8"))
    assert next(iter(load(tmp_path / "a").values())) == data


def test_arrays_of_other_shapes(small: Splits) -> None:
    data = small["test"]
    images, labels = data.images, data.labels
    assert Dataset(np.repeat(images[..., None], 3, axis=3), labels) == data
    assert Dataset(np.repeat(images[..., None] / np.float32(255), 3, axis=3), labels) == data
    assert Dataset(np.pad(images, ((0, 0), (2, 2), (2, 2))), labels) == data
    assert Dataset(images[:, None], labels.astype(str)) == data
    assert Dataset(images, labels.astype("S1")) == data


def test_mat_files_with_images_in_columns(tmp_path: Path, small: Splits) -> None:
    """As a well-known mirror has MNIST: (784, n) and (1, n)."""
    data = small["train"]
    path = tmp_path / "mnist-original.mat"
    savemat(path, {"data": data.images.reshape(-1, 784).T, "label": data.labels[None] / 1.0})
    assert load(path)["all"] == data
    savemat(path, {"images": np.moveaxis(data.images, 0, -1), "labels": data.labels})
    assert load(path)["all"] == data


def test_parquet_of_pixels(tmp_path: Path, small: Splits) -> None:
    data = small["test"]
    flat = data.images.reshape(-1, 784)
    labels = data.labels.astype(np.int64)
    columns = {f"pixel{i}": flat[:, i] for i in range(784)}
    tables = {
        "columns": pa.table({"label": labels, **columns}),
        "lists": pa.table({"digit": labels, "img": flat.tolist()}),
        "nested": pa.table({"label": labels, "image": data.images.tolist()}),
        "shares": pa.table({"label": labels, "image": (flat / 255).tolist()}),
    }
    for name, table in tables.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
        assert load(tmp_path / f"{name}.parquet")["all"] == data, name


def test_an_array_alone_is_not_a_set(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", IMAGES)
    with pytest.raises(DataError, match="one array of a data set"):
        load(tmp_path / "x.npy")
    (tmp_path / "y.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(DataError, match=r"y\.npy: the file is damaged"):
        load(tmp_path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_folder(tmp_path: Path, small: Splits, suffix: str) -> None:
    _write_idx(tmp_path, "train", small["train"], suffix)
    _write_idx(tmp_path, "t10k", small["test"], suffix)
    assert load(tmp_path) == small


def test_idx_files_are_known_by_their_content(tmp_path: Path, small: Splits) -> None:
    """In folders of their own names, twice, packed or not under the other's name."""
    _write_idx(tmp_path, "t10k", small["test"], "")
    for file in list(tmp_path.iterdir()):
        folder = tmp_path / "MNIST" / file.name
        folder.mkdir(parents=True)
        (folder / file.name).write_bytes(gzip.compress(file.read_bytes()))
        file.rename(tmp_path / f"{file.name.replace('-idx', '.idx')}.gz")
    assert load(tmp_path)["test"] == small["test"]
    other = next(tmp_path.glob("*labels*"))
    other.write_bytes(other.read_bytes()[:-1] + b"\5")
    with pytest.raises(DataError, match="another file has other labels of test"):
        load(tmp_path)


def test_idx_files_of_emnist_and_qmnist(tmp_path: Path, small: Splits) -> None:
    data = small["train"]
    rows = np.zeros((len(data), 8), ">i4")
    rows[:, 0] = data.labels
    header = bytes((0, 0, 0x0C, 2)) + struct.pack(">2I", *rows.shape)
    (tmp_path / "qmnist-train-labels-idx2-int").write_bytes(header + rows.tobytes())
    header = bytes((0, 0, 8, 3)) + struct.pack(">3I", *data.images.shape)
    images = tmp_path / "qmnist-train-images-idx3-ubyte"
    images.write_bytes(header + data.images.tobytes())
    assert load(tmp_path)["train"] == data
    (tmp_path / "emnist-digits-test-images-idx3-ubyte").write_bytes(images.read_bytes())
    with pytest.raises(DataError, match="2 data sets: emnist-digits, qmnist"):
        load(tmp_path)


PIXELS = [f"pixel{i}" for i in range(784)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("first", "last", "header"),
    [
        ([], ["label"], True),
        (["", "label"], [], True),
        (["Id", "Digit"], [], True),
        (["class"], [], True),
        (["count", "label"], [], False),
        ([], ["label"], False),
    ],
)
def test_csv_as_others_write_it(
    tmp_path: Path, small: Splits, delimiter: str, first: list[str], last: list[str], header: bool
) -> None:
    data = small["test"]
    count, labels = np.arange(len(data))[:, None], data.labels[:, None]
    pixels = data.images.reshape(-1, 784)
    columns = [count] if len(first) == 2 else []
    table = np.hstack([*columns, *([labels] if first else []), pixels, *([labels] if last else [])])
    lines = [[*first, *PIXELS, *last]] if header else []
    lines += [[f'"{value}"' for value in row] for row in table.tolist()]
    text = "\r\n".join(delimiter.join(line) for line in lines)
    path = tmp_path / ("a.tsv" if delimiter == "\t" else "a.csv")
    path.write_text(f"\ufeff{text}", encoding="utf-8")
    assert load(path)["all"] == data


def test_csv_of_floats_and_with_a_row_taken_for_a_header(tmp_path: Path, small: Splits) -> None:
    data = small["test"]
    table = np.column_stack([data.labels, data.images.reshape(-1, 784)]).tolist()
    seen: dict[int, int] = {}
    first = []
    for value in table[0]:  # as a program that wants each name once writes them
        first.append(f"{value}.{seen[value]}" if value in seen else str(value))
        seen[value] = seen.get(value, 0) + 1
    rows = [first, *([f"{value}.0" for value in row] for row in table[1:])]
    (tmp_path / "a.csv").write_text("\n".join(map(",".join, rows)), encoding="utf-8")
    assert load(tmp_path / "a.csv")["all"] == data


def test_csv_of_zeros_and_ones_and_of_shares(tmp_path: Path, small: Splits) -> None:
    data = small["test"]
    binary = Dataset((data.images > 127) * np.uint8(255), data.labels)
    table = np.column_stack([data.labels, binary.images.reshape(-1, 784) > 0])
    np.savetxt(tmp_path / "a.csv", table, "%d", ",")
    assert load(tmp_path / "a.csv")["all"] == binary
    shares = np.column_stack([data.labels, data.images.reshape(-1, 784) / 255])
    np.savetxt(tmp_path / "a.csv", np.vstack([table, shares]), "%.6g", ",")
    expected = np.concatenate([binary.images, data.images])
    assert np.array_equal(load(tmp_path / "a.csv")["all"].images, expected)


def test_csv_of_many_blocks(tmp_path: Path, small: Splits) -> None:
    """The label is last; a column counts the lines; one number is a fraction at the very end."""
    data = joined([small["train"]] * 60, "many")
    labels, pixels = data.labels, data.images.reshape(-1, 784)
    table = np.column_stack([np.arange(len(data)), pixels, labels])
    for name, rows in {"a.csv": table[:, 1:], "b.csv": table}.items():
        np.savetxt(tmp_path / name, rows, "%d", ",")
        assert (tmp_path / name).stat().st_size > 5 << 20
        assert load(tmp_path / name)["all"] == data
    with (tmp_path / "a.csv").open("a") as file:
        file.write(",".join(["0.5"] * 784 + ["1"]))
    with pytest.raises(DataError, match="not whole numbers"):
        load(tmp_path / "a.csv")
    with (tmp_path / "b.csv").open("a") as file:
        file.write("1,2,3")
    with pytest.raises(DataError, match="the number of columns changed"):
        load(tmp_path / "b.csv")


def _csv_rows(data: Dataset) -> list[str]:
    rows = np.hstack([data.labels[:, None], data.images.reshape(-1, 784)])
    return [",".join(map(str, row)) for row in rows]


def test_a_folder_of_csv_files(
    tmp_path: Path, small: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    for part, data in small.items():
        (tmp_path / f"mnist_{part}.csv").write_text("\n".join(_csv_rows(data)))
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    assert load(tmp_path) == small
    rows = "\n".join(row.partition(",")[2] for row in _csv_rows(small["test"]))
    (tmp_path / "mnist_test.csv").write_text(rows)
    assert load(tmp_path) == Splits("small", {"train": small["train"]})
    assert "mnist_test.csv: there are no labels, so it is left out." in caplog.text
    (tmp_path / "train_2.csv").write_text(rows)  # which of the two is it?
    with pytest.raises(DataError, match="no pictures"):
        load(tmp_path)


def test_a_csv_header_of_column_numbers(tmp_path: Path, small: Splits) -> None:
    """As pandas writes an array."""
    rows = [",".join(map(str, range(785))), *_csv_rows(small["test"])]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    assert load(tmp_path / "a.csv")["all"] == small["test"]


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_csv(tmp_path: Path, small: Splits, header: bool, name: str) -> None:
    data = small["test"]
    table = np.column_stack([data.labels, data.images.reshape(-1, 784)])
    lines = ["label," + ",".join(f"pixel{i}" for i in range(784))] if header else []
    lines += [",".join(map(str, row)) for row in table]
    content = "\n".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert load(tmp_path / name) == Splits("", {"all": data})


def _npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


IMAGES, LABELS = np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.uint8)
WHOLE = _npz(images=IMAGES, labels=LABELS)


def _zip_of(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("images.npy", content)
        archive.writestr("labels.npy", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.npz", b"", "damaged"),
        ("a.npz", b"no zip at all", "damaged"),
        ("a.npz", WHOLE[: len(WHOLE) // 2], "damaged"),
        ("a.npz", WHOLE[:300] + b"\xff" * 50 + WHOLE[350:], "damaged|from 0 to"),
        ("a.npz", _zip_of(b""), "damaged"),
        ("a.npz", _zip_of(b"\x93NUMPY\x01\x00\x02\x00{}"), "damaged"),
        ("a.npz", _npz(images=np.array([{}], object), labels=LABELS), "pickled"),
        ("a.npz", _npz(pictures=IMAGES), "its arrays are pictures"),
        ("a.npz", _npz(x=IMAGES), "it has x but no labels"),
        ("a.npz", _npz(x=IMAGES[:, :8, :8], y=LABELS), "too small"),
        ("a.npz", _npz(x=np.ones((3, 32, 32)), y=LABELS), "without a blank margin"),
        ("a.npz", _npz(), "its arrays are none"),
        ("a.npz", _npz(images=IMAGES), "no labels"),
        ("a.npz", _npz(y_test=LABELS), "no x_test"),
        ("a.npz", _npz(images=IMAGES, labels=LABELS[:2]), "3 images but 2 labels"),
        ("a.csv", b"", "no lines of pixels"),
        ("a.csv", b"label,pixel0\n", "no lines of pixels"),
        ("a.csv", b"1,2,3\n", "3 columns"),
        ("a.csv", b"pixel0,label\n1,2\n", "2 columns"),
        ("a.csv", b"1,2\n1,2,3\n", "not a table of numbers"),
        ("a.csv", b"1,x,3\n", "no lines of pixels"),
        ("a.csv", b"1,2,3\n1,x,3\n", "not a table of numbers"),
        ("a.csv", (",".join(["1"] * 784 + ["nan"])).encode(), "NaN"),
        ("a.csv", (",".join(["11"] * 785)).encode(), "range from 0 to 11"),
        ("a.csv", b"\xff\xfe\x00\x01", "not a table of numbers"),
        ("a.csv.gz", b"no gzip", "no lines of pixels"),
        ("a.csv.gz", b"\x1f\x8bno gzip", "not a table of numbers"),
        ("a.csv", (b"1," * 784 + b"1\n2," + b"1," * 783 + b"2\n"), "the first and the last"),
        ("a.csv", (b"1," * 783 + b"1\n"), "there are no labels"),
        ("a.txt", b"hello", "not a data set"),
        ("train-images-idx3-ubyte.gz", b"", "one of a pair"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        load(tmp_path / name)
    assert caught.value.path == str(tmp_path / name)


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\x08\x03", b"\0\0\x08\x03" + bytes(12) + b"x", b"\xff" * 100]
)
def test_damaged_idx(tmp_path: Path, small: Splits, content: bytes) -> None:
    _write_idx(tmp_path, "train", small["train"], "")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=r"damaged|images"):
        load(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").unlink()
    with pytest.raises(DataError, match="only the labels of train"):
        load(tmp_path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it does not exist") as caught:
        load(tmp_path / "nothing.npz")
    assert str(caught.value) == (
        f"{tmp_path / 'nothing.npz'}: it does not exist. Give auto, mnist, sample, or a path: "
        "an .npz file, a .csv file, a folder of .csv files, a folder of idx files, "
        "a folder of .npy files, Parquet files, a .mat file or a folder of pictures."
    )
    with pytest.raises(DataError, match="there are no pictures"):
        load(tmp_path)
