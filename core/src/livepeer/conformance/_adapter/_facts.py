"""Every clause that an adapter keeps, beside those of the worker that serves it: one table, in the order of a life."""

from collections.abc import Sequence

from livepeer.conformance._facts import Fact

_ADAPTER = "core: Adapter"
_CAPABILITY = "core: Capability"
_OPERATION = "core: Operation"
_DESCRIPTION = "core: Description"
_MOUNT = "core: Mount"
_LIVE = "core: Live"
_CALL = "core: Call"

LOADING_FACTS: Sequence[Fact] = (
    Fact("adapter.claims", _ADAPTER, "An adapter claims what is its framework's."),
    Fact("adapter.claims-nothing-else", _ADAPTER, "An adapter does not claim what is nobody's, nor fails there."),
    Fact("adapter.runs-nothing", _ADAPTER, "Claiming, loading and describing run no `setup()` and no call."),
    Fact("adapter.changes-nothing", _ADAPTER, "The user's module and what is in it stay as they are."),
    Fact("adapter.broken", _ADAPTER, "A target that cannot be imported is a TargetError that says why."),
    Fact("adapter.missing", _ADAPTER, "A target that lacks its attribute is a TargetError that names it."),
    Fact("adapter.manifest", _ADAPTER, "Every target has a Manifest, which names what to serve."),
    Fact("describe.info", _DESCRIPTION, "A capability says which adapter made it."),
    Fact("describe.operations", _DESCRIPTION, "Operations have names and paths of their own, none of the contract's."),
    Fact("describe.schemas", _DESCRIPTION, "Inputs and outputs are described by JSON Schemas (2020-12)."),
    Fact("describe.inputs", _DESCRIPTION, "What a sample is sent fits the schema of its input."),
    Fact("describe.streams", _DESCRIPTION, "An operation is said to stream if it does, and only then."),
    Fact("describe.live", _DESCRIPTION, "What is live is described, with a JSON Schema that its params fit."),
    Fact("decode.wrong-fields", _OPERATION, "`decode` refuses wrong fields with an InvalidInputError that names each."),
    Fact("decode.malformed", _OPERATION, "`decode` refuses what is no JSON with a MalformedBodyError."),
    Fact("decode.anything", _OPERATION, "Whatever comes in, `decode` takes it or raises a CallError."),
    Fact("live.unknown", _LIVE, "`update` of a session that does not run is an UnknownSessionError, `stop` nothing."),
)
"""What is found out without serving anything."""

SERVING_FACTS: Sequence[Fact] = (
    Fact("setup.first", _CAPABILITY, "`setup()` ends before the first call begins, and runs once."),
    Fact("setup.loading", 6, "While `setup()` runs the state is LOADING, and calls are 503 with `Retry-After`."),
    Fact("setup.failing", _CAPABILITY, "A `setup()` that fails makes the state ERROR with the reason, and calls 503."),
    Fact("setup.broken", _ADAPTER, "What cannot be imported makes the state ERROR with the reason, and calls 503."),
    Fact("teardown.once", _CAPABILITY, "`teardown()` runs once at the end, and the server exits with 0."),
    Fact("teardown.after-failed-setup", _CAPABILITY, "`teardown()` runs once also after a `setup()` that failed."),
    Fact("call.output", _OPERATION, "A call is answered with what the model returned."),
    Fact("call.text", _OPERATION, "Any text comes in and out as it was."),
    Fact("call.large", _OPERATION, "A text of three megabytes comes in and out as it was."),
    Fact(
        "call.unknown-field",
        _OPERATION,
        "A field that the model does not know is refused with its name, or ignored.",
    ),
    Fact("call.logged", _CALL, "What the model prints carries the request's id."),
    Fact(
        "model.failing",
        _OPERATION,
        "The model's own error is 500 without its text, which the log has.",
    ),
    Fact("model.exiting", _OPERATION, "`sys.exit` in a model ends that call alone, with 500."),
    Fact("model.crashing", _OPERATION, "A model's crash is a typed 500, and the next call is served by a new process."),
    Fact("stream.items", _OPERATION, "A stream has the model's items in their order."),
    Fact("stream.true", _OPERATION, "An item arrives when it is made, not at the end."),
    Fact("stream.closed", _OPERATION, "A caller that leaves amid a stream has the model's iterator closed."),
    Fact(
        "stream.failing-midway",
        4,
        "An error amid a stream is its last event, without the error's text.",
    ),
    Fact("stream.async-items", _OPERATION, "An async stream has the model's items in their order."),
    Fact("stream.async-true", _OPERATION, "An item of an async stream arrives when it is made."),
    Fact("stream.async-closed", _OPERATION, "A caller that leaves amid an async stream has its iterator closed."),
    Fact("cancel.sync", _OPERATION, "A caller that leaves has sync work stopped."),
    Fact("cancel.async", _OPERATION, "A caller that leaves has async work stopped."),
    Fact("files.in", _OPERATION, "A file that is sent reaches the model."),
    Fact("files.out", _OPERATION, "A file that the model answers with reaches the caller."),
    Fact("batches.meet", _OPERATION, "Concurrent calls meet in one batch."),
    Fact("mounts.route", _MOUNT, "The framework's own route answers."),
    Fact("mounts.contract-first", _MOUNT, "The contract's own routes come before the framework's."),
    Fact("live.start", 5, "A start is answered when the session runs, and the state is OK until it ends."),
    Fact("live.params", 5, "A session takes other params, and is answered with those in force."),
    Fact("live.twice", 5, "A second start of a session that runs is 409, and the first one runs on."),
    Fact("live.capacity", 5, "As many sessions run at once as the description says; one more is 503."),
    Fact("live.stop", 5, "A stop is answered when the session has ended, and the state is IDLE again."),
    Fact("live.own-end", _LIVE, "A session that ends by itself is reported, and gives its place back."),
)
"""What is found out by serving the samples."""

ADAPTER_FACTS: Sequence[Fact] = (*LOADING_FACTS, *SERVING_FACTS)
"""Every clause of an adapter, in order."""
