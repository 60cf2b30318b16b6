"""Runs every benchmark and prints the tables."""

from __future__ import annotations

from . import eager, http


def main() -> None:
    """Measures and prints."""
    for module in (eager, http):
        print(module.measure(), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
