"""Runs every benchmark and prints the tables."""

from __future__ import annotations

from . import client, eager, functions, http, plans, wire


def main() -> None:
    """Measures and prints."""
    # First what forks, to measure the memory of a server: a child begins with the memory of its parent, and JAX has threads.
    for module in (wire, http, functions, client, eager, plans):
        print(module.measure(), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
