from datetime import datetime
from pathlib import Path

import anyio
import pytest
from face_harness import serving_face


async def test_the_document_has_cogs_members_in_its_order() -> None:
    async with serving_face("Told") as faced:
        health = await faced.health()
        assert list(health) == ["status", "setup", "version"]
        assert list(health["setup"]) == ["started_at", "completed_at", "status", "logs"]
        assert set(health["version"]) == {"coglet", "python_sdk", "python"}
        assert (health["status"], health["setup"]["status"]) == ("READY", "succeeded")
        assert "set up\n" in health["setup"]["logs"]
        started, completed = (datetime.fromisoformat(health["setup"][name]) for name in ("started_at", "completed_at"))
        assert started.utcoffset() is not None
        assert started <= completed


async def test_a_model_that_is_not_set_up_is_starting() -> None:
    async with serving_face("Told", set_up=False) as faced:
        assert (await faced.health())["status"] == "STARTING"


async def test_a_setup_that_failed_is_told_with_what_it_said() -> None:
    async with serving_face("Broken", set_up=False) as faced:
        with pytest.raises(Exception, match="no weights"):
            await anyio.to_thread.run_sync(faced.capability.setup)
        health = await faced.health()
        assert (health["status"], health["setup"]["status"]) == ("SETUP_FAILED", "failed")
        assert "no weights" in health["setup"]["logs"]
        assert "completed_at" in health["setup"]
        assert (await faced.predict()).status_code == 503


async def test_a_model_that_is_unwell_says_so_and_still_predicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = tmp_path / "sick"
    monkeypatch.setenv("FACE_SICK", str(sick))
    async with serving_face("Told") as faced:
        sick.touch()
        health = await faced.health()
        assert health["status"] == "UNHEALTHY"
        assert health["user_healthcheck_error"] == "Healthcheck failed: user-defined healthcheck returned False"
        assert (await faced.predict(text="x")).status_code == 200
        sick.unlink()
        assert (await faced.health())["status"] == "READY"
