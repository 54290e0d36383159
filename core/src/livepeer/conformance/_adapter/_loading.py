"""Before anything is served: claims, descriptions, and what `decode` makes of bodies."""

from livepeer.conformance._checks import Checks, SkippedError, expect, expect_that
from livepeer.conformance._json_schema import misfit, schema_errors
from livepeer.core import Description, Manifest, OperationDescription

from ._finding import Finding, Refusal
from ._kit import AdapterConformance
from ._sample import SECRET, Sample
from ._trial import AdapterTrial

check = Checks[AdapterTrial]()

_RESERVED = {"/health", "/healthz", "/schema", "/capabilities", "/openapi.json", "/docs", "/version", "/metrics", "/"}
_MALFORMED = ("no JSON", "broken UTF-8")
_RUNS = ("setup begins", "called")


@check("adapter.claims")
async def claims(trial: AdapterTrial) -> None:
    for role, sample in _samples(trial.kit).items():
        expect(f"whether {role} is claimed", trial.stage.finding(sample.target).claims, True)


@check("adapter.claims-nothing-else")
async def claims_nothing_else(trial: AdapterTrial) -> None:
    for name, finding in trial.stage.foreign_findings().items():
        expect(f"whether {name} is claimed", finding.claims, False)


@check("adapter.runs-nothing")
async def runs_nothing(trial: AdapterTrial) -> None:
    for role in ("slow_setup", "failing_setup", "printing"):
        finding = trial.stage.finding(getattr(trial.kit, role).target)
        _described(role, finding)
        expect(f"what {role} has printed", [line for line in finding.said if line.endswith(_RUNS)], [])


@check("adapter.changes-nothing")
async def changes_nothing(trial: AdapterTrial) -> None:
    for role, sample in _samples(trial.kit).items():
        expect(f"what of {role} is not as it was", trial.stage.finding(sample.target).changed, [])


@check("adapter.broken")
async def broken(trial: AdapterTrial) -> None:
    finding = trial.stage.finding(trial.kit.broken.target)
    for found in (finding.claims, finding.loaded):
        if isinstance(found, Refusal):
            _expect_target_error(found, SECRET)
    expect_that(not isinstance(finding.loaded, Description), "a TargetError", finding.loaded)


@check("adapter.missing")
async def missing(trial: AdapterTrial) -> None:
    location, colon, _ = trial.kit.echo.target.rpartition(":")
    if not colon:
        raise SkippedError("the target of echo names no attribute")
    finding = trial.stage.finding(f"{location}:no_such_attribute")
    found = finding.claims if isinstance(finding.claims, Refusal) else finding.loaded
    if finding.claims is not False:
        expect_that(isinstance(found, Refusal), "a TargetError", found)
    if isinstance(found, Refusal):
        _expect_target_error(found, "no_such_attribute")


@check("adapter.manifest")
async def manifest(trial: AdapterTrial) -> None:
    for role, sample in _samples(trial.kit).items():
        found = trial.stage.finding(sample.target).manifest
        expect_that(isinstance(found, Manifest), f"a manifest of {role}", found)
        assert isinstance(found, Manifest)
        expect_that(bool(found.target), f"a target in the manifest of {role}", found)


@check("describe.info")
async def info(trial: AdapterTrial) -> None:
    for role, description in _descriptions(trial).items():
        expect(f"the adapter of {role}", description.info.adapter, trial.kit.adapter)


@check("describe.operations")
async def operations(trial: AdapterTrial) -> None:
    for role, description in _descriptions(trial).items():
        names = [operation.name for operation in description.operations]
        paths = [operation.path for operation in description.operations]
        expect(
            f"names of {role} that are given twice", sorted(name for name in set(names) if names.count(name) > 1), []
        )
        expect(
            f"paths of {role} that are given twice", sorted(path for path in set(paths) if paths.count(path) > 1), []
        )
        expect(f"paths of {role} that are the contract's", sorted(_RESERVED.intersection(paths)), [])
        expect(f"paths of {role} with a final slash", [path for path in paths if path.endswith("/")], [])


@check("describe.schemas")
async def schemas(trial: AdapterTrial) -> None:
    for role, description in _descriptions(trial).items():
        for operation in description.operations:
            for schema in (operation.input_schema, operation.output_schema):
                expect(f"what is wrong with a schema of {role}", schema_errors(schema), [])


@check("describe.inputs")
async def inputs(trial: AdapterTrial) -> None:
    for role, sample in _called_samples(trial.kit).items():
        schema = _default(role, trial).input_schema
        for document in (sample.input, sample.good_input):
            if document is not None:
                expect(f"what is wrong with the input of {role}", misfit(dict(document), schema, schema), None)


@check("describe.streams")
async def streams(trial: AdapterTrial) -> None:
    for role in _called_samples(trial.kit):
        does = role in ("streaming", "async_streaming", "failing_midway")
        expect(f"whether {role} is said to stream", _default(role, trial).streams, does)


@check("decode.wrong-fields")
async def wrong_fields(trial: AdapterTrial) -> None:
    finding = trial.stage.finding(trial.kit.echo.target)
    _described("echo", finding)
    if not finding.wrong_fields:
        raise SkippedError("every field of the schema takes anything")
    found = finding.decoded["wrong fields"]
    expect_that(found is not None, "an InvalidInputError", "nothing")
    assert found is not None
    expect("the error", found.kind, "InvalidInputError")
    named = {field.split(".")[0] for field in found.fields}
    expect("fields that are not named", sorted(set(finding.wrong_fields) - named), [])


@check("decode.malformed")
async def malformed(trial: AdapterTrial) -> None:
    finding = trial.stage.finding(trial.kit.echo.target)
    _described("echo", finding)
    for name in _MALFORMED:
        found = finding.decoded[name]
        expect(f"the error for {name}", found and found.kind, "MalformedBodyError")


@check("decode.anything")
async def anything(trial: AdapterTrial) -> None:
    for role, sample in _samples(trial.kit).items():
        finding = trial.stage.finding(sample.target)
        _described(role, finding)
        for name, found in finding.decoded.items():
            expect_that(found is None or found.is_expected, f"a CallError of {role} for {name}", found)


def _samples(kit: type[AdapterConformance]) -> dict[str, Sample]:
    """Every sample that can be loaded, by its role."""
    roles = [role for role in AdapterConformance.__annotations__ if isinstance(getattr(kit, role, None), Sample)]
    return {role: getattr(kit, role) for role in roles if role != "broken"}


def _called_samples(kit: type[AdapterConformance]) -> dict[str, Sample]:
    """Those that answer calls."""
    return {role: sample for role, sample in _samples(kit).items() if role != "live"}


def _descriptions(trial: AdapterTrial) -> dict[str, Description]:
    return {role: _described(role, trial.stage.finding(sample.target)) for role, sample in _samples(trial.kit).items()}


def _default(role: str, trial: AdapterTrial) -> OperationDescription:
    return _described(role, trial.stage.finding(getattr(trial.kit, role).target)).operations[0]


def _described(role: str, finding: Finding) -> Description:
    expect_that(isinstance(finding.loaded, Description), f"a description of {role}", finding.loaded)
    assert isinstance(finding.loaded, Description)
    return finding.loaded


def _expect_target_error(found: Refusal, words: str) -> None:
    expect_that(found.is_expected, "a TargetError", found.kind)
    expect_that(words in found.text, f"a message that says {words}", found.text)
