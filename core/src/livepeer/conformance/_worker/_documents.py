"""What a worker says about itself."""

import re
from collections.abc import Iterator
from typing import Any, cast

from livepeer.conformance._checks import Checks, expect, expect_that
from livepeer.conformance._json_schema import look_up, properties, resolved, schema_errors
from livepeer.core import PROBLEM_MEDIA_TYPE

from ._trial import WorkerTrial

check = Checks[WorkerTrial]()

_DOCUMENTS = ("/health", "/schema", "/capabilities", "/openapi.json", "/version", "/docs")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@check("documents.root")
async def root(trial: WorkerTrial) -> None:
    found = await _json(trial, "/")
    expect("the name", found["name"], (await _json(trial, "/schema"))["name"])
    for operation in found["operations"]:
        expect_that(operation["path"].startswith("/"), "a path of each operation", operation)
        expect("the method of each operation", operation["method"], "POST")
    expect_that(len(found["operations"]) > 0, "an operation", found)
    expect_that({"health", "schema", "openapi"} <= set(found["links"]), "links to the documents", found["links"])


@check("documents.links")
async def links(trial: WorkerTrial) -> None:
    found: dict[str, str] = (await _json(trial, "/"))["links"]
    seen = {link: (await trial.stranger.get(link)).status_code for link in found.values()}
    expect("the status of each link", seen, dict.fromkeys(seen, 200))


@check("documents.capabilities")
async def capabilities(trial: WorkerTrial) -> None:
    [found] = (await _json(trial, "/capabilities"))["capabilities"]
    for name, kind in {
        "name": str,
        "model_id": str,
        "capacity": int,
        "price_per_unit": int,
        "price_scaling": int,
    }.items():
        expect_that(isinstance(found.get(name), kind), f"{name} to be of type {kind.__name__}", found.get(name))
    expect_that(found["capacity"] >= 1, "a capacity of 1 or more", found["capacity"])


@check("documents.docs")
async def docs(trial: WorkerTrial) -> None:
    answer = await trial.stranger.get("/docs")
    expect("the status", answer.status_code, 200)
    expect_that(answer.headers["content-type"].startswith("text/html"), "HTML", answer.headers["content-type"])
    loaded = re.findall(r"(?:src|href)\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]+)", answer.text)
    expect("what is loaded from elsewhere", loaded, [])


@check("documents.slash")
async def final_slash(trial: WorkerTrial) -> None:
    for path in _DOCUMENTS:
        plain, slashed = await trial.stranger.get(path), await trial.stranger.get(f"{path}/")
        expect(f"the status of {path}/", slashed.status_code, 200)
        expect(f"the media type of {path}/", slashed.headers["content-type"], plain.headers["content-type"])


@check("documents.head")
async def head(trial: WorkerTrial) -> None:
    for path in _DOCUMENTS:
        full, empty = await trial.stranger.get(path), await trial.stranger.head(path)
        expect(f"the status of HEAD {path}", (empty.status_code, full.status_code), (200, 200))
        expect(f"the body of HEAD {path}", empty.content, b"")
        expect(f"the media type of {path}", empty.headers["content-type"], full.headers["content-type"])


@check("documents.query")
async def query(trial: WorkerTrial) -> None:
    plain, asked = await trial.stranger.get("/schema"), await trial.stranger.get("/schema?a=1&b=%00")
    expect("the status", asked.status_code, 200)
    expect("the body", asked.content, plain.content)


@check("schema.shape")
async def schema(trial: WorkerTrial) -> None:
    found = await _json(trial, "/schema")
    for name, kind in {"name": str, "path": str, "input": dict, "output": dict, "streams": bool}.items():
        expect_that(isinstance(found.get(name), kind), f"{name} to be of type {kind.__name__}", found.get(name))
    expect_that(found["path"].startswith("/"), "a path that begins with a slash", found["path"])


@check("schema.stable")
async def schema_stays(trial: WorkerTrial) -> None:
    first, again = await trial.stranger.get("/schema"), await trial.stranger.get("/schema/")
    expect("the status", (first.status_code, again.status_code), (200, 200))
    expect("the body", again.content, first.content)
    expect_that(isinstance(first.json()["input"], dict), "the input's schema", first.text)


@check("schema.valid")
async def schema_is_one(trial: WorkerTrial) -> None:
    found = await _json(trial, "/schema")
    for name in ("input", "output"):
        expect(f"what is wrong with the schema of the {name}", schema_errors(found[name]), [])


@check("openapi.version")
async def openapi(trial: WorkerTrial) -> None:
    found = await _json(trial, "/openapi.json")
    expect_that(str(found["openapi"]).startswith("3.1."), "version 3.1", found["openapi"])
    expect_that(bool(found["info"]["title"]), "a title", found["info"])
    expect_that(isinstance(found["info"]["version"], str), "a version", found["info"])
    expect_that(all(path.startswith("/") for path in found["paths"]), "paths", list(found["paths"]))


@check("openapi.fields")
async def openapi_fields(trial: WorkerTrial) -> None:
    found = await _json(trial, "/openapi.json")
    document = await _json(trial, "/schema")
    content = found["paths"][document["path"]]["post"]["requestBody"]["content"]
    schema = resolved(content["application/json"]["schema"], found)
    expect("the fields", sorted(schema.get("properties", {})), sorted(properties(document["input"])))
    required = resolved(document["input"], document["input"]).get("required", [])
    expect("the required fields", sorted(schema.get("required", [])), sorted(required))


@check("openapi.references")
async def openapi_references(trial: WorkerTrial) -> None:
    found = await _json(trial, "/openapi.json")
    expect("what leads nowhere", [each for each in _references(found) if look_up(found, each) is None], [])
    expect_that(bool(found["paths"]), "paths", found)


@check("openapi.operations")
async def openapi_operations(trial: WorkerTrial) -> None:
    found = await _json(trial, "/openapi.json")
    operations = [
        (path, method, operation)
        for path, item in found["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    named = [operation["operationId"] for _, _, operation in operations if "operationId" in operation]
    expect("ids that are given twice", sorted({each for each in named if named.count(each) > 1}), [])
    expect("operations without answers", [each[:2] for each in operations if not each[2].get("responses")], [])
    default = found["paths"][trial.path]["post"]
    expect_that(bool(default["operationId"]), "an id of the default operation", default)


@check("openapi.problems")
async def openapi_problems(trial: WorkerTrial) -> None:
    found = await _json(trial, "/openapi.json")
    responses = found["paths"][trial.path]["post"]["responses"]
    for status in ("400", "422", "500", "503"):
        expect_that(PROBLEM_MEDIA_TYPE in responses[status]["content"], f"problem+json for {status}", responses[status])


async def _json(trial: WorkerTrial, path: str) -> dict[str, Any]:
    answer = await trial.stranger.get(path)
    expect(f"the status of {path}", answer.status_code, 200)
    expect(f"the media type of {path}", answer.headers.get("content-type"), "application/json")
    return answer.json()


def _references(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in cast("list[object]", node):
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in cast("dict[str, object]", node).items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
