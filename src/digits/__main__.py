"""The console script `digits`, and `python -m digits`."""

from ._io import signals, streams


def main() -> None:
    """Run the command. Signals are handled before anything that takes time is imported."""
    streams.open_closed()  # before anything else is opened
    signals.install()
    try:
        from .cli import main as command

        command()
    finally:
        signals.end_if_received()


if __name__ == "__main__":
    main()
