from __future__ import annotations

import pytest
from pydantic import ValidationError

from gradwire_engine.limits import Limits
from gradwire_server.keys import hash_key
from gradwire_server.settings import Settings, available_cores


def test_every_setting_says_what_it_is_for() -> None:
    undocumented = [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")]
    assert undocumented == []


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADWIRE_PORT", "9001")
    monkeypatch.setenv("GRADWIRE_NODES", "7")
    monkeypatch.setenv("GRADWIRE_CORS_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("GRADWIRE_API_KEYS", f"{hash_key('one')},{hash_key('two').upper().replace('SHA256', 'sha256')}")
    settings = Settings()
    assert settings.port == 9001
    assert settings.limits().nodes == 7
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.api_keys == (hash_key("one"), hash_key("two"))


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADWIRE_PORT", "9001")
    assert Settings(port=9002).port == 9002


def test_the_limits_are_the_engines_by_default() -> None:
    assert Settings().limits() == Limits()


def test_a_key_in_the_clear_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError, match="API key number 2 is not of the form sha256:") as caught:
        Settings(api_keys=(hash_key("one"), "gw_very_secret"))
    # pydantic shows the input beside the message; what the command line prints are the messages.
    assert all("gw_very_secret" not in error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize(
    "wrong",
    [{"port": -1}, {"port": 70000}, {"workers": 0}, {"request_seconds": 0}, {"request_seconds": float("nan")}, {"no_such_setting": 1}],
)
def test_values_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_one_thread_for_each_core() -> None:
    assert Settings().compute_threads == available_cores() >= 1


def test_limits_within_others_are_the_stricter_ones() -> None:
    assert Limits(1, 20, 3).within(Limits(10, 2, 30)) == Limits(1, 2, 3)
