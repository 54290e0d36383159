"""Every fact of the contract that a network, or a worker on it, must keep: one table, ordered by section."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fact:
    """One sentence about the network that can be checked."""

    id: str
    """Stable and dotted: the protocol, the matter, the point; `worker` first where it is about a worker of ours."""

    section: int
    """The section of the contract that states it."""

    sentence: str
    """What holds."""

    fault: bool = field(default=False, kw_only=True)
    """Whether the network would do better to behave otherwise; it is asserted all the same."""


_REGISTRATION = (
    Fact("byoc.register.raw-secret", 1, "The raw secret in Authorization registers, and the answer is 200 `ok`."),
    Fact("byoc.register.wrong-secret", 1, "A wrong secret is 400 `invalid authorization`, not 401."),
    Fact("byoc.register.bearer", 1, "The secret behind `Bearer` is refused with 400."),
    Fact("byoc.register.bad-json", 1, "A body that is not JSON is refused with 400."),
    Fact("byoc.register.method", 1, "Any method but POST is 405."),
    Fact("byoc.register.absent", 1, "An orchestrator without BYOC answers 404."),
    Fact("byoc.register.replaces", 1, "The same name again replaces the entry."),
    Fact(
        "byoc.register.scaling-zero", 1, "A `price_scaling` of 0 is read as 1: the capability registers and is called."
    ),
    Fact("byoc.register.currencies", 1, "Offchain, `wei` and an empty currency are taken."),
    Fact(
        "byoc.register.unconvertible",
        1,
        "Offchain, `usd` cannot be converted, and the connection drops without an answer.",
        fault=True,
    ),
    Fact("byoc.register.self-signed", 1, "Orchestrators use certificates that they signed themselves."),
    Fact("byoc.unregister.plain-text", 1, "The name as plain text unregisters it."),
    Fact("byoc.unregister.json", 1, "The name as JSON is another name, so it unregisters nothing."),
    Fact("byoc.unregister.unknown", 1, "Unregistering an unknown name is 200."),
    Fact("byoc.unregister.wrong-secret", 1, "Unregistering takes the same secret."),
    Fact("byoc.forget.restart", 1, "An orchestrator that restarts has forgotten every capability."),
    Fact("byoc.forget.unreachable", 1, "A worker that a batch request cannot reach is forgotten."),
    Fact("byoc.forget.stream-start", 1, "A start of a stream that fails does not cost the registration."),
    Fact("byoc.capacity.timeout", 1, "A job that times out never gives its slot back.", fault=True),
    Fact("byoc.capacity.caller-left", 1, "A job whose caller leaves never gives its slot back.", fault=True),
    Fact("byoc.capacity.bad-request", 1, "A `request` that does not parse never gives its slot back.", fault=True),
    Fact("byoc.capacity.healed", 1, "Registering again gives leaked slots back."),
    Fact("byoc.capacity.below-zero", 1, "Registering amid a job makes the orchestrator over-advertise.", fault=True),
    Fact(
        "byoc.capacity.unbounded",
        1,
        "An orchestrator asked directly lets 4 jobs through to a capacity of 1.",
        fault=True,
    ),
    Fact("byoc.capacity.full", 1, "A gateway refuses a full capability with 400."),
    Fact("worker.registers", 1, "A worker registers by itself once its model is ready."),
    Fact("worker.registers.again", 1, "A worker that was forgotten registers again by itself."),
    Fact("worker.registers.idle", 1, "A worker registers again only while nothing is in flight."),
    Fact("worker.registers.currency", 1, "A dropped registration names the currency instead of trying for ever."),
    Fact("worker.tls", 1, "Certificates are verified unless that is switched off explicitly."),
    Fact("worker.full", 1, "A worker bounds itself, and answers 503 when full."),
    Fact("worker.stops", 1, "At its end a worker unregisters first, then drains: a call in flight gets its answer."),
)

_AUTHENTICATION = (
    Fact("byoc.token.sent", 2, "A registered token arrives as `Authorization: Bearer <token>`."),
    Fact("byoc.token.none", 2, "Without a token no Authorization arrives, the caller's own neither."),
    Fact("byoc.token.refused", 2, "A worker that answers 401 is removed at once."),
    Fact("worker.token.missing", 2, "A missing token is 401."),
    Fact("worker.token.wrong", 2, "A wrong token is 401."),
    Fact("worker.token.only", 2, "Nothing but the token is ever 401, an application's own error neither."),
)

_BATCH = (
    Fact("batch.header", 3, "The `Livepeer` header is JSON in base64; anything else is 400."),
    Fact("batch.request", 3, "`request` must parse: 400 at the gateway."),
    Fact("batch.parameters", 3, "`parameters` must parse: 400 at the gateway."),
    Fact("batch.parameters.absent", 3, "A gateway refuses absent `parameters` with 400."),
    Fact("batch.parameters.orchestrator", 3, "An orchestrator takes a job without `parameters`."),
    Fact("batch.timeout.zero", 3, "A `timeout_seconds` of 0, or none, is 400."),
    Fact("batch.include", 3, "`orchestrators.include` leaves the others out."),
    Fact("batch.exclude", 3, "`orchestrators.exclude` leaves an orchestrator out."),
    Fact("batch.signed", 3, "The gateway fills in `id`, `sender` and `sig`."),
    Fact("batch.signature.hex", 3, "Offchain, any hex passes for a signature: nothing, `00`, `0x` and 130 digits."),
    Fact("batch.signature.refused", 3, "`0x` alone and `0x00` are refused with 400."),
    Fact("batch.unknown", 3, "A gateway answers an unknown capability 400 `No orchestrators found`."),
    Fact("batch.leaked", 3, "A gateway answers a leaked capability 400 `No orchestrators found`."),
    Fact("batch.route", 3, "The route is whatever follows `/process/request/`."),
    Fact("batch.post", 3, "The worker is always asked with POST."),
    Fact("batch.body", 3, "The caller's body, Content-Type and Content-Length arrive."),
    Fact("batch.nothing-else", 3, "No other header of the caller arrives, and no query string."),
    Fact("batch.answer.orchestrator", 3, "An orchestrator passes Content-Type and X-Metadata back."),
    Fact("batch.answer.metadata", 3, "A gateway passes X-Metadata back."),
    Fact("batch.answer.sniffed", 3, "A gateway guesses the Content-Type, so JSON comes as text.", fault=True),
    Fact("batch.answer.added", 3, "A gateway adds X-Orchestrator-Url and Livepeer-Balance."),
    Fact("batch.answer.whole", 3, "The whole body of an answer below 400 comes back."),
    Fact("batch.refusal.passed", 3, "Body and status from 400 to 499 go to the caller."),
    Fact("batch.refusal.final", 3, "Nobody retries an answer from 400 to 499."),
    Fact(
        "batch.failure.empty", 3, "When all fail, a gateway answers 200, empty, without X-Orchestrator-Url.", fault=True
    ),
    Fact("batch.failure.next", 3, "After an answer of 500 or more the gateway tries the next orchestrator."),
    Fact("batch.failure.next-after-401", 3, "After a 401 the gateway tries the next orchestrator."),
    Fact(
        "batch.failure.next-after-unreachable", 3, "For a worker out of reach the gateway tries the next orchestrator."
    ),
    Fact("batch.failure.401", 3, "Straight at the orchestrator a 401 becomes 500."),
    Fact("batch.failure.unreachable", 3, "Straight at the orchestrator a worker out of reach becomes 500."),
    Fact("batch.deadline", 3, "At `timeout_seconds` the orchestrator answers, and the worker sees a disconnect."),
    Fact("batch.deadline.gateway", 3, "A gateway answers at the latest 5 s after `timeout_seconds`."),
    Fact("worker.loading", 3, "A worker that is still loading answers 503."),
    Fact("worker.bug", 3, "A bug in the model is 500."),
    Fact("worker.input", 3, "Bad input is 422."),
    Fact("worker.disconnect", 3, "A worker that sees a disconnect stops the work."),
)

_SSE = (
    Fact("sse.lines", 4, "An event stream is relayed line by line, each at once."),
    Fact("sse.comments", 4, "Comment lines pass."),
    Fact("sse.line-limit.passes", 4, "A line of 65,535 bytes passes both hops."),
    Fact(
        "sse.line-limit.ends",
        4,
        "A line of 65,536 bytes ends the relay, and the caller hangs until the deadline.",
        fault=True,
    ),
    Fact("sse.done", 4, "A gateway ends the stream at `data: [DONE]`."),
    Fact("sse.done.newline", 4, "Through a gateway one newline follows the last line, and no blank line.", fault=True),
    Fact("sse.done.inside", 4, "A line that contains `[DONE]` anywhere ends the stream.", fault=True),
    Fact("sse.done.missing", 4, "Without `[DONE]` a gateway floods newlines for the timeout and 10 s.", fault=True),
    Fact("sse.done.flood", 4, "After `[DONE]` an orchestrator floods blank lines until the deadline.", fault=True),
    Fact("sse.balance", 4, 'The orchestrator puts `data: {"balance": N}` before `data: [DONE]`.'),
    Fact("sse.balance.empty", 4, "Through a gateway Livepeer-Balance is empty on a stream.", fault=True),
    Fact("sse.balance.header", 4, "An orchestrator sends Livepeer-Payment-Balance on a stream."),
    Fact("worker.sse.lines", 4, "A worker keeps each line under the limit, whatever the model yields."),
    Fact("worker.sse.done", 4, "A worker ends its stream with `data: [DONE]`."),
    Fact("worker.sse.escapes", 4, "A worker escapes `[DONE]` in what a model yields."),
    Fact("worker.sse.pings", 4, "A worker keeps a silent stream alive with comments."),
    Fact("caller.sse.balance", 4, "A caller does not take the balance for output."),
    Fact("caller.sse.insufficient", 4, "A caller does not take `event: insufficient balance` for output."),
    Fact("caller.sse.end", 4, "A caller ends at `data: [DONE]` itself, and takes no part in the flood."),
)

_HEALTH = (
    Fact("health.loading", 6, "`GET /health` is 200 and LOADING while the model loads."),
    Fact("health.idle", 6, "`GET /health` is 200 and IDLE when nothing runs."),
    Fact("health.ok", 6, "`GET /health` is 200 and OK while a call runs."),
    Fact("health.error", 6, "`GET /health` is 200 and ERROR when the model cannot be served."),
    Fact("health.live", 6, "A live pipeline says IDLE without a session and OK with one."),
    Fact("health.version", 6, "`GET /version` names pipeline, model_id and version."),
    Fact("health.hardware", 6, "`GET /hardware/info` answers where it is switched on."),
    Fact("health.healthz", 6, "`GET /healthz` is 200 when calls would be served."),
    Fact("health.healthz.unready", 6, "`GET /healthz` is 503 while the model loads, and when it is broken."),
    Fact("health.static", 6, "A static Live Runner entry compares the health URL's status code only."),
)

_RUNNER = (
    Fact("runner.heartbeat.registers", 7, "A heartbeat with the orchestrator's secret registers."),
    Fact("runner.heartbeat.wrong-secret", 7, "A first heartbeat with another secret is 401."),
    Fact("runner.heartbeat.continues", 7, "Heartbeats go on with the secret that the first answer brought."),
    Fact("runner.heartbeat.durations", 7, "The interval is 5 s and the TTL 20 s, as Go durations."),
    Fact("runner.heartbeat.id-lives", 7, "While an id lives, the orchestrator's secret is refused for it with 401."),
    Fact("runner.heartbeat.expired", 7, "Between expiry and sweep a heartbeat is 404."),
    Fact("runner.heartbeat.swept", 7, "After the sweep a heartbeat is 401."),
    Fact("runner.heartbeat.unregistered", 7, "After unregistering a heartbeat is 401."),
    Fact("runner.absent", 7, "An orchestrator without Live Runner answers 404."),
    Fact("runner.unregister", 7, "Unregistering with the heartbeat secret is 204."),
    Fact("runner.metadata", 7, "`metadata` of 1,024 bytes passes, and more is 400."),
    Fact("runner.status", 7, "`status` is `ready` or empty; upper case is 400."),
    Fact("runner.mode", 7, "`mode` is persistent or single-shot; another is 400."),
    Fact("runner.app", 7, "Discovery gives `app` exactly as it was sent."),
    Fact("runner.price.units", 7, "Prices in usd by hour, 720p or fixed are listed in wei by another unit's name."),
    Fact("runner.price.zero", 7, "On-chain a price of 0 is refused with 400."),
    Fact("runner.price.optional", 7, "Offchain a price is optional."),
    Fact("runner.answer.first", 7, "The first answer alone has `o2r` and the secret."),
    Fact("runner.answer.sessions", 7, "Every answer carries the authoritative `session_ids`."),
    Fact("runner.o2r.keep", 7, 'The channel to the runner carries `{"keep":"alive"}`.'),
    Fact("runner.o2r.sessions", 7, "The channel to the runner carries `reserved` and `released`."),
    Fact("runner.down", 7, "A worker that is down answers callers 502 and stays listed."),
    Fact("runner.full", 7, "A full runner is 503."),
    Fact("discovery.fields", 7, "Discovery lists the known fields only, never the runner's own URL."),
    Fact("discovery.capacity", 7, "Discovery says how much of the capacity is used and available."),
    Fact("apps.single-shot", 7, "A single-shot runner takes any method at `/apps/{id}/app/{path}`."),
    Fact("apps.session", 7, "A persistent runner reserves a session, and is called within it until it is stopped."),
    Fact("apps.slash", 7, "Without its final slash a bare `.../app` is 301, and a POST is lost.", fault=True),
    Fact("apps.unchanged", 7, "Method, path, query, headers and body arrive unchanged, and so does the answer."),
    Fact("apps.sse", 7, "Events pass unchanged: long lines, blank lines, and an end without `[DONE]`."),
    Fact("apps.websocket", 7, "WebSockets pass."),
    Fact("apps.headers", 7, "Four headers name the route, the session, its token and its control URL."),
    Fact("apps.slot", 7, "Every proxied request takes a slot, a GET too."),
    Fact("apps.authorization", 7, "No credentials are added, and the caller's own Authorization is passed on."),
    Fact("apps.channels", 7, "A session creates trickle channels with its token."),
    Fact("apps.payment.challenge", 7, "402 carries payment_params, orchestrator, manifest_id and payment_url."),
    Fact("apps.payment.get", 7, "A GET is paid too."),
    Fact("apps.payment.signed", 7, "A signer makes the payment, with which the same request passes."),
    Fact("apps.payment.session", 7, "A session goes on being paid at `payment_url`."),
    Fact("runner.static", 7, "A static entry needs no registration code, only a health URL."),
    Fact("worker.runner.registers", 7, "A worker registers by itself, and is listed until it stops."),
    Fact("worker.runner.beats", 7, "A worker sends heartbeats, so that it outlives the TTL."),
    Fact("worker.runner.again", 7, "A worker that was forgotten registers again by itself, under a new id."),
    Fact("worker.runner.no-bearer", 7, "A worker's own bearer check is off under Live Runner."),
    Fact("caller.runner.constructor", 7, "The client's constructor takes what upstream's takes."),
)

_ROUTES = (
    Fact("routes.run", 8, "`POST /run` is the default operation."),
    Fact("routes.root", 8, "`POST /` is the default operation."),
    Fact("routes.name", 8, "`POST /{capability name}` is the default operation."),
    Fact("routes.slash", 8, "A final slash changes nothing, and is never redirected."),
    Fact("routes.capabilities", 8, "`GET /capabilities` lists name, model_id, capacity and price."),
    Fact("routes.schema", 8, "`GET /schema` beside the operation is its JSON Schema."),
    Fact("routes.schema.sha256", 8, "The SHA-256 of `/schema` is in the metadata."),
    Fact("strangers.stream-start", 8, "A batch call reaches `/stream/start`, the bearer token included.", fault=True),
    Fact("strangers.overrides", 8, "A caller at the orchestrator can override a stream's URLs.", fault=True),
    Fact("strangers.every-path", 8, "Live Runner proxies every path.", fault=True),
    Fact("worker.strangers.stream-id", 8, "`/stream/start` without X-Stream-Id starts nothing on BYOC."),
    Fact("worker.strangers.no-stream", 8, "`/stream/*` is off under Live Runner."),
    Fact("worker.strangers.origin", 8, "Channel URLs of another origin than the orchestrator's are refused."),
    Fact("worker.strangers.operator", 8, "`/metrics` and `/hardware/info` are off on the public port."),
    Fact("worker.strangers.operator-on", 8, "`/metrics` and `/hardware/info` answer where they are switched on."),
    Fact("worker.answers.bare", 8, "An answer is the model's own object, so media is where callers look."),
    Fact("worker.answers.advice", 8, "A model that answers no object says so, since some callers read objects only."),
    Fact("settings.ORCH_SECRET", 8, "ORCH_SECRET is the orchestrator's secret."),
    Fact("settings.CAPABILITY_NAME", 8, "CAPABILITY_NAME is the name on the network."),
    Fact("settings.CAPABILITY_URL", 8, "CAPABILITY_URL is where the orchestrator reaches the worker."),
    Fact("settings.CAPABILITY_DESCRIPTION", 8, "CAPABILITY_DESCRIPTION is the description."),
    Fact("settings.CAPABILITY_CAPACITY", 8, "CAPABILITY_CAPACITY is the capacity."),
    Fact("settings.CAPABILITY_PRICE_PER_UNIT", 8, "CAPABILITY_PRICE_PER_UNIT is the price."),
    Fact("settings.CAPABILITY_PRICE_SCALING", 8, "CAPABILITY_PRICE_SCALING is the price's divisor."),
    Fact("settings.CAPACITY", 8, "CAPACITY is the capacity."),
    Fact("settings.PRICE_PER_UNIT", 8, "PRICE_PER_UNIT is the price."),
    Fact("settings.PRICE_CURRENCY", 8, "PRICE_CURRENCY is the price's currency."),
    Fact("settings.LIVEPEER_ORCH_URL", 8, "LIVEPEER_ORCH_URL is the orchestrator."),
    Fact("settings.LIVEPEER_ORCH_SECRET", 8, "LIVEPEER_ORCH_SECRET is the orchestrator's secret."),
)

FACTS: Sequence[Fact] = (*_REGISTRATION, *_AUTHENTICATION, *_BATCH, *_SSE, *_HEALTH, *_RUNNER, *_ROUTES)
"""Every fact, in the order of the sections."""
