from __future__ import annotations

import hashlib

import pytest

from gradwire_server.keys import find_key, hash_key, is_hash, main, new_key


def test_the_hash_is_sha256() -> None:
    assert hash_key("secret") == "sha256:" + hashlib.sha256(b"secret").hexdigest()
    assert is_hash(hash_key("secret"))
    assert not is_hash("secret")
    assert not is_hash(hash_key("secret") + "0")


def test_a_key_is_found_among_several() -> None:
    hashes = [hash_key("one"), hash_key("two"), hash_key("three")]
    assert find_key("two", hashes) == hash_key("two")
    assert find_key("four", hashes) is None
    # The hash of a key is not a key: whoever reads the configuration cannot call.
    assert find_key(hash_key("two"), hashes) is None
    assert find_key("two", []) is None


def test_new_keys_differ() -> None:
    assert len({new_key() for _ in range(100)}) == 100


def test_the_command_prints_a_key_and_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    key_line, hash_line = capsys.readouterr().out.splitlines()
    assert hash_key(key_line.split()[1]) == hash_line.split()[1]
