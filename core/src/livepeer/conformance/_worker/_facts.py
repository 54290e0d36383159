"""Every clause that a running worker keeps, whoever made it: one table, ordered by what it is about."""

from collections.abc import Sequence

from livepeer.conformance._facts import Fact

_SERVER = "server"
"""What `livepeer.server` promises beyond the wire contract; its README."""

_HTTP = "RFC 9110"
_HTTP_1 = "RFC 9112"
_JSON_SCHEMA = "JSON Schema"
_OPENAPI = "OpenAPI 3.1"
_PROBLEM = "RFC 9457"

_HEALTH = (
    Fact("health.status", 6, "`GET /health` is 200 and says LOADING, OK, IDLE or ERROR."),
    Fact("health.first", _SERVER, "`status` comes first in what `/health` says."),
    Fact("health.idle", 6, "A worker that has nothing to do says IDLE."),
    Fact("health.ok", 6, "A worker at work says OK, and IDLE again afterwards."),
    Fact("health.healthz", 6, "`GET /healthz` is 200 when a call would be served, and 503 when it would not."),
    Fact("health.version", 6, "`GET /version` names pipeline, model_id and version."),
)

_DOCUMENTS = (
    Fact("documents.root", _SERVER, "`GET /` names the capability, its operations and where its documents are."),
    Fact("documents.links", _SERVER, "Every link of `GET /` leads somewhere."),
    Fact("documents.capabilities", 8, "`GET /capabilities` lists name, model_id, capacity and price."),
    Fact("documents.docs", _SERVER, "`GET /docs` is a page that loads nothing from another host."),
    Fact("documents.slash", 8, "A final slash changes nothing of a document, and is never redirected."),
    Fact("documents.head", _HTTP, "HEAD is GET without the body: the same status and media type."),
    Fact("documents.query", _SERVER, "A query string changes nothing of a document."),
    Fact("schema.shape", 8, "`GET /schema` is the default operation: name, path, input, output, streams or not."),
    Fact("schema.stable", 8, "`GET /schema` is the same bytes each time, so that their SHA-256 means something."),
    Fact("schema.valid", _JSON_SCHEMA, "Input and output of `/schema` are JSON Schemas without broken references."),
    Fact("openapi.version", _OPENAPI, "`GET /openapi.json` is OpenAPI 3.1 with a title, a version and paths."),
    Fact("openapi.fields", _SERVER, "`/openapi.json` has the real fields of the default operation's input."),
    Fact("openapi.references", _OPENAPI, "Every reference in `/openapi.json` leads somewhere within it."),
    Fact("openapi.operations", _OPENAPI, "Each operation of `/openapi.json` has an id of its own, and answers."),
    Fact("openapi.problems", _SERVER, "`/openapi.json` says that errors are problem+json."),
)

_ROUTES = (
    Fact("routes.run", 8, "`POST /run` is the default operation."),
    Fact("routes.root", 8, "`POST /` is the default operation."),
    Fact("routes.name", 8, "`POST /{capability name}` is the default operation."),
    Fact("routes.slash", 8, "A final slash changes nothing of an operation, and is never redirected."),
    Fact("routes.unknown", _HTTP, "What does not exist is 404, whatever the method."),
    Fact("routes.get", _HTTP, "GET of an operation is 405, and `Allow` says POST."),
    Fact("routes.post", _HTTP, "POST of a document is 405, and `Allow` says GET and HEAD."),
    Fact("routes.methods", _HTTP, "PUT, PATCH and DELETE are 405, and `Allow` says what is taken."),
    Fact("routes.traversal", _SERVER, "No path leads out of the server's own documents."),
)

_INPUT = (
    Fact("input.malformed", 3, "A body that is no JSON is 400."),
    Fact("input.media-type", _HTTP, "A body of another media type is 415, and the detail says what is taken."),
    Fact("input.charset", _HTTP, "A charset behind the media type changes nothing, nor does the letters' case."),
    Fact("input.empty", _SERVER, "An empty body is an empty document."),
    Fact("input.no-object", 3, "A document that is no object is 422 where the schema asks for one."),
    Fact("input.wrong-fields", 3, "Wrong fields are 422, and each is named with a reason."),
    Fact("input.missing-fields", 3, "Missing fields are 422, and each is named."),
    Fact("input.unknown-field", 3, "An unknown field is 422, and is named, where the schema allows no others."),
    Fact("input.deep", _SERVER, "A document of a hundred thousand levels is refused, and does no harm."),
    Fact("input.hostile", _SERVER, "Odd numbers, broken text and doubled keys are never a server's error."),
    Fact("input.large", _SERVER, "A document of two megabytes is taken, or is 413."),
    Fact("input.too-large", _SERVER, "A body that says to be larger than any disk is 413 at once."),
    Fact("input.chunked", _HTTP, "A body that comes in chunks is the same as one whose length is known."),
    Fact(
        "input.half-sent", _SERVER, "A body that is half sent holds no slot, and does no harm when its caller leaves."
    ),
)

_PROBLEMS = (
    Fact("problem.shape", _PROBLEM, "Every error is problem+json with title, status, code and detail."),
    Fact("problem.status", _PROBLEM, "The status in an error's document is the answer's own."),
    Fact("problem.request-id", _SERVER, "An error's document names its request id."),
    Fact("problem.no-traceback", _SERVER, "No answer holds a traceback or a path of the server's disk."),
    Fact("request-id.made", _SERVER, "Every call's answer has an X-Request-Id, another one each time."),
    Fact("request-id.echoed", _SERVER, "A caller's own X-Request-Id comes back."),
    Fact("request-id.bounded", _SERVER, "An X-Request-Id of a thousand characters does not come back."),
)

_CALLS = (
    Fact("call.answer", _SERVER, "A good input is answered with 200 and the media type that `/schema` says."),
    Fact("call.bare", 8, "The answer is the value itself: JSON that fits the output's schema, without an envelope."),
    Fact("call.form", _SERVER, "A form with the same fields does as well as JSON."),
    Fact("call.sequential", 1, "A caller that sends one call after another never meets its own slot."),
    Fact("call.new-connections", 1, "A call right behind another on a new connection does not meet its slot either."),
    Fact("call.pipelined", _HTTP_1, "Requests that come together on a connection are answered in their order."),
    Fact("call.nonsense", _HTTP_1, "What is no HTTP is 400, and the connection ends."),
    Fact("full.refused", 1, "A full worker answers 503 with `Retry-After`, and says that a retry can help."),
    Fact("full.health", 6, "A full worker answers for its health within three seconds."),
    Fact("full.recovers", 1, "A worker that was full serves again when its calls are over."),
    Fact("leave.slot", 3, "A caller that leaves gives its slot back when the work has ended."),
)

_STREAMS = (
    Fact("sse.media-type", 4, "A stream is `text/event-stream`."),
    Fact("sse.done", 4, "`data: [DONE]` is a stream's last event, and comes once."),
    Fact("sse.ends", 4, "The answer ends with `data: [DONE]`, and the connection serves on."),
    Fact("sse.json", 4, "The data of each event is JSON that fits the output's schema."),
    Fact("sse.lines", 4, "No line is over 65,535 bytes, whatever comes in."),
    Fact("sse.done-inside", 4, "`[DONE]` in an input's text does not end the stream early."),
    Fact("sse.leave", 3, "A caller that leaves amid a stream gives its slot back."),
    Fact("sse.refusal", _SERVER, "A refused call of a streaming operation is an ordinary error."),
)

_STRANGERS = (
    Fact("strangers.operator", 8, "`/metrics` and `/hardware/info` do not answer."),
    Fact("strangers.stream-start", 8, "`POST /stream/start` without X-Stream-Id starts nothing."),
    Fact("strangers.documents", _SERVER, "Documents need no token."),
    Fact("token.missing", 2, "A call without its token is 401, and says so in `WWW-Authenticate`."),
    Fact("token.wrong", 2, "A call with a wrong token is 401."),
    Fact("token.only", 2, "Nothing but the token is ever 401."),
)

WORKER_FACTS: Sequence[Fact] = (
    *_HEALTH, *_DOCUMENTS, *_ROUTES, *_INPUT, *_PROBLEMS, *_CALLS, *_STREAMS, *_STRANGERS,
)  # fmt: skip
"""Every clause of a worker, in order."""
