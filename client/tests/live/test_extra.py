"""What live streams need is not loaded before one is asked for, and named where it is missing."""

import subprocess
import sys

import pytest

from livepeer.client import Gateway, InputError, SettingsError

IMPORTS = (
    "import livepeer.client, sys; print([name for name in ('livepeer.trickle', 'av', 'numpy') if name in sys.modules])"
)


def test_importing_the_client_loads_no_media() -> None:
    result = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=30, check=True)
    assert result.stdout == "[]\n"


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "livepeer.client._live.publishing", raising=False)
    monkeypatch.setitem(sys.modules, "livepeer.trickle.media", None)
    with (
        Gateway(orch_url="http://127.0.0.1:1") as gateway,
        pytest.raises(SettingsError, match=r"livepeer-client\[live\]"),
    ):
        gateway.live("model")


def test_what_cannot_be_asked_for_is_refused_before_anything_is_sent() -> None:
    with Gateway(orch_url="http://127.0.0.1:1") as gateway:
        with pytest.raises(InputError, match=r"params\.a"):
            gateway.live("model", {"a": object()})
        with pytest.raises(SettingsError, match="exactly one"):
            gateway.live()
        with pytest.raises(SettingsError, match="timeout_seconds"):
            gateway.live("model", start_seconds=0)
        with pytest.raises(SettingsError, match="name of a capability"):
            gateway.live("")
