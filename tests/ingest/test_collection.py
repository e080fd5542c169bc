"""Your own data set: pictures added, removed again, never lost."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from digits import DataError, OutputError, Splits, load
from digits.data.formats.npz import save_npz
from digits.ingest.collection import Collection


def test_digits_are_kept_in_their_order_and_taken_back(tmp_path: Path, sample: Splits) -> None:
    path = tmp_path / "new folder" / "mine.npz"
    mine = Collection(path)
    assert mine.counts().tolist() == [0] * 10
    assert not path.exists()
    test = sample["test"]
    for i in range(4):
        mine.add(test.images[i], i + 3)
    assert mine.counts().tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
    kept = load(path)["all"]
    assert (kept.images == test.images[:4]).all()
    assert kept.labels.tolist() == [3, 4, 5, 6]
    assert [mine.undo(), mine.undo(), mine.undoable] == [6, 5, 2]
    assert load(path)["all"].labels.tolist() == [3, 4]
    assert [mine.undo(), mine.undo(), mine.undo()] == [4, 3, None]
    assert not path.exists()


def test_what_was_there_before_stays(tmp_path: Path, sample: Splits) -> None:
    path = tmp_path / "mine.npz"
    save_npz(sample, path)
    mine = Collection(path)
    assert (mine.counts() == sample["train"].counts).all()
    mine.add(sample["test"].images[0], 8)
    grown = load(path)
    assert grown["test"] == sample["test"]
    assert len(grown["train"]) == 4001
    assert grown["train"].labels[-1] == 8
    assert Collection(path).undo() is None  # another object has added nothing
    assert mine.undo() == 8
    assert load(path)["train"] == sample["train"]


def test_undo_finds_the_picture_among_others(tmp_path: Path, sample: Splits) -> None:
    first, second = Collection(tmp_path / "mine.npz"), Collection(tmp_path / "mine.npz")
    images = sample["test"].images
    first.add(images[0], 0)
    second.add(images[1], 1)
    assert first.undo() == 0
    assert load(tmp_path / "mine.npz")["all"].labels.tolist() == [1]
    (tmp_path / "mine.npz").unlink()
    assert second.undo() is None


@pytest.mark.skipif(os.name == "nt", reason="links and modes are others' here")
def test_a_link_stays_one_and_permissions_stay(tmp_path: Path, sample: Splits) -> None:
    real = tmp_path / "real.npz"
    save_npz(Splits("real", {"all": sample["test"].limit(5)}), real)
    real.chmod(0o600)
    (tmp_path / "mine.npz").symlink_to(real)
    Collection(tmp_path / "mine.npz").add(sample["test"].images[7], 7)
    assert (tmp_path / "mine.npz").is_symlink()
    assert len(load(real)["all"]) == 6
    assert real.stat().st_mode & 0o777 == 0o600


def test_many_writers_lose_nothing(tmp_path: Path, sample: Splits) -> None:
    path = tmp_path / "mine.npz"
    mine = Collection(path)
    code = (
        "import sys; from digits.ingest.collection import Collection; import numpy as np\n"
        "mine = Collection(sys.argv[1])\n"
        "for i in range(15): mine.add(np.full((28, 28), i, np.uint8), 9)"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: mine.add(sample["test"].images[i], 1), range(20)))
    assert [other.wait(60) for other in others] == [0, 0]
    assert mine.counts().tolist() == [0, 20, 0, 0, 0, 0, 0, 0, 0, 30]


def test_what_cannot_be_used_is_said_and_left_alone(tmp_path: Path, sample: Splits) -> None:
    with pytest.raises(OutputError, match=r"Give a name that ends in \.npz"):
        Collection(tmp_path / "mine.csv")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK no more")
    with pytest.raises(DataError, match=r"damaged or not an \.npz"):
        Collection(broken)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="One of its folders is a file"):
        Collection(tmp_path / "file" / "mine.npz")
    mine = Collection(tmp_path / "mine.npz")
    with pytest.raises(DataError, match="range from 0 to 10"):
        mine.add(np.zeros((28, 28), np.uint8), 10)
    more = tmp_path / "more.npz"
    arrays = {"images": sample["test"].images, "labels": sample["test"].labels}
    np.savez(more, **arrays, writers=np.arange(1000))
    before = more.read_bytes()
    with pytest.raises(DataError, match="also contains writers, which would be lost"):
        Collection(more)
    assert more.read_bytes() == before
    broken.rename(tmp_path / "mine.npz")
    with pytest.raises(DataError):
        mine.add(sample["test"].images[0], 0)
    assert (tmp_path / "mine.npz").read_bytes() == b"PK no more"


def test_a_writer_that_does_not_finish_is_an_error(tmp_path: Path, sample: Splits) -> None:
    mine = Collection(tmp_path / "mine.npz", timeout=0)
    with (
        FileLock(tmp_path / ".mine.npz.lock"),
        pytest.raises(OutputError, match="another process is writing to it"),
    ):
        mine.add(sample["test"].images[0], 0)
    assert not mine.path.exists()
    mine.add(sample["test"].images[0], 0)
    assert mine.counts()[0] == 1
