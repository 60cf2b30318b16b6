"""Runs every benchmark and prints the tables."""

from __future__ import annotations

from . import client, eager, functions, http, plans, wire


def main() -> None:
    """Measures and prints."""
    for module in (eager, plans, http, functions, wire, client):
        print(module.measure(), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
