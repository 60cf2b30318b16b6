"""Runs every benchmark and prints the tables."""

from __future__ import annotations

from . import client, eager, http, wire


def main() -> None:
    """Measures and prints."""
    for module in (eager, http, wire, client):
        print(module.measure(), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
