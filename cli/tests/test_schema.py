import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[bytes]]


def test_the_schema_is_printed_although_setup_would_fail(livepeer: Run, targets: Path) -> None:
    result = livepeer("schema", f"{targets}:BrokenSetup")
    document = json.loads(result.stdout)
    assert document["name"] == "broken-setup"
    assert document["input"]["required"] == ["text"]
    assert document["output"] == {"type": "string"}
    assert result.returncode == 0


def test_the_openapi_document_has_the_operation(livepeer: Run, targets: Path) -> None:
    document = json.loads(livepeer("schema", f"{targets}:Echo", "--openapi").stdout)
    assert document["openapi"].startswith("3.1")
    assert "/predict" in document["paths"]
