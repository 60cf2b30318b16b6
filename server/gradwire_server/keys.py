"""API keys: made, hashed and compared, and never kept in the clear.

``python -m gradwire_server.keys`` prints a new key and the hash that goes into ``GRADWIRE_API_KEYS``. Keys are random and long,
so one round of SHA-256 is enough: there is no dictionary to try.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "sha256:"
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")


def new_key() -> str:
    """A new random key of 192 bits."""
    return "gw_" + secrets.token_urlsafe(24)


def hash_key(key: str) -> str:
    """The form in which a key is configured: ``sha256:`` and 64 hexadecimal digits."""
    return PREFIX + hashlib.sha256(key.encode()).hexdigest()


def is_hash(text: str) -> bool:
    """Whether ``text`` is something that :func:`hash_key` returns."""
    return _HASH.fullmatch(text) is not None


def find_key(key: str, hashes: Iterable[str]) -> str | None:
    """The one of ``hashes`` that belongs to ``key``, or None; takes the same time wherever in the list it is."""
    given = hash_key(key)
    found = None
    for known in hashes:
        if hmac.compare_digest(given, known):
            found = known
    return found


def main() -> None:
    """Prints a new key and its hash."""
    key = new_key()
    print(f"key   {key}   (give this to the caller: it cannot be recovered from the hash)")
    print(f"hash  {hash_key(key)}   (add this to GRADWIRE_API_KEYS)")


if __name__ == "__main__":
    main()
