"""Train the shipped rejector again: `python tools/train_rejector.py [FILE]`."""

from __future__ import annotations

import sys
from pathlib import Path

from digits.models.metadata import Epoch
from digits.training.callback import Callback
from digits.training.rejector import train_rejector


class Progress(Callback):
    def on_epoch_end(self, epoch: Epoch) -> None:
        accuracy = "-" if epoch.val_accuracy is None else f"{epoch.val_accuracy:.2%}"
        print(f"epoch {epoch.epoch}: val_accuracy {accuracy}, {epoch.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "models/pretrained/rejector.h5")
    print("wrote", train_rejector(path, callback=Progress()))
