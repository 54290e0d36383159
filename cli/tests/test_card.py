import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def test_the_card_is_a_picture_and_a_document(livepeer: Run, examples: Path) -> None:
    picture = livepeer("card", examples / "llm_chat").stdout.decode()
    for shown in ("llm-chat 1.0.0", "prompt*", "textarea", "max_tokens", "range", "1..512", "text, piece by piece"):
        assert shown in picture
    found = json.loads(livepeer("card", examples / "llm_chat", "--json", "--app", "me/chat").stdout)
    assert (found["app"], found["output"], found["streams"]) == ("me/chat", "text", True)
    assert [field["type"] for field in found["fields"]] == ["textarea", "range", "range", "number"]
    assert found["metadata_bytes"] == len(json.dumps(found["metadata"], separators=(",", ":")))


def test_the_hash_is_that_of_the_printed_schema(livepeer: Run, examples: Path) -> None:
    card = json.loads(livepeer("card", examples / "hello_world", "--json").stdout)
    schema = json.loads(livepeer("schema", examples / "hello_world").stdout)
    body = json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode()
    assert card["metadata"]["schema_sha256"] == hashlib.sha256(body).hexdigest()


def test_the_environment_says_as_what_it_is_announced(livepeer: Run, targets: Path) -> None:
    settings = {"LIVEPEER_CAPABILITY_URL": "https://w", "LIVEPEER_PRICE_USD": "0.5", "LIVEPEER_IMAGE": "r/i@sha256:0"}
    card = json.loads(livepeer("card", f"{targets}:Picture", "--json", **settings).stdout)
    assert card["metadata"]["schema_url"] == "https://w/schema"
    assert (card["metadata"]["image"], card["price"], card["output"]) == ("r/i@sha256:0", "0.5 usd / hour", "image")


def test_a_setting_that_does_not_fit_is_named(livepeer: Run, targets: Path) -> None:
    result = livepeer("card", f"{targets}:Echo", "--app", "nobody")
    assert (result.returncode, b"app" in result.stderr, result.stdout) == (2, True, b"")


def test_runners_json_is_what_an_operator_adds(livepeer: Run, examples: Path) -> None:
    result = livepeer("manifest", examples / "hello_world", "--runners", "--capability-url", "http://worker:5000")
    (entry,) = json.loads(result.stdout)["runners"]
    assert (entry["label"], entry["app"], entry["mode"]) == ("hello-world", "capability/hello-world", "single-shot")
    assert (entry["runner_url"], entry["health_url"]) == ("http://worker:5000", "/healthz")
    assert json.loads(entry["metadata"])["schema_url"] == "http://worker:5000/schema"
    missing = livepeer("manifest", examples / "hello_world", "--runners")
    assert (missing.returncode, b"--capability-url" in missing.stderr) == (2, True)


def test_a_manifest_is_printed_or_made(livepeer: Run, examples: Path, targets: Path) -> None:
    found = yaml.safe_load(livepeer("manifest", examples / "hello_world").stdout)
    assert (found["target"], found["name"]) == ("main.py", "hello-world")
    made = yaml.safe_load(livepeer("manifest", f"{targets}:Echo").stdout)
    assert (made["name"], made["description"]) == ("echo", "Gives its input back.")
    assert livepeer("manifest", f"{targets}:Nothing").returncode == 1
