"""A Live Runner orchestrator and a remote signer, as the contract's section 7 has them, that note what they see."""

import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

Answer = Callable[[Request], Awaitable[Response]]

PAYER_ADDRESS = "0x" + "ab" * 20
SECONDS = {"price": 7, "currency": "wei", "unit": "seconds"}
FIXED = {"price": 7, "currency": "wei", "unit": "fixed"}


@dataclass
class Runner:
    """One entry of the registry: `answer` is its worker's code."""

    id: str
    answer: Answer
    entry: dict[str, Any]
    refuses: Response | None = None
    """What the orchestrator says instead of asking the worker."""

    @property
    def is_paid(self) -> bool:
        return "price_info" in self.entry


@dataclass
class Seen:
    """A request as the orchestrator saw it."""

    what: str
    """``METHOD path``."""

    headers: Mapping[str, str]
    body: bytes


class Orchestrator:
    """An orchestrator, paid where its runners name a price."""

    def __init__(self) -> None:
        self.url = ""
        self.runners: dict[str, Runner] = {}
        self.sessions: list[str] = []
        self.stopped: list[str] = []
        self.seen: list[Seen] = []
        self.payments: list[dict[str, Any]] = []
        self.paid_again = threading.Event()
        self.challenge: dict[str, Any] = {}
        """Added to every challenge."""
        self.payment_answer: Response = Response(b"")
        self.app = Starlette(
            routes=[
                Route("/discovery", self._discovery),
                Route("/apps/{id}/app", _slash, methods=["GET", "POST"]),
                Route("/apps/{id}/app/{path:path}", self._single_shot, methods=["POST"]),
                Route("/apps/{id}/session", self._reserve, methods=["POST"]),
                Route("/apps/{id}/session/{session}/app/{path:path}", self._within, methods=["POST"]),
                Route("/apps/{id}/session/{session}/payment", self._payment, methods=["POST"]),
                Route("/apps/{id}/session/{session}/stop", self._stop, methods=["POST"]),
            ],
            exception_handlers={404: _no_such_page},
        )

    def add(self, answer: Answer, app: str = "me/model", mode: str = "single-shot", **entry: Any) -> Runner:
        runner = Runner(f"runner-{len(self.runners)}", answer, {})
        runner.entry = {
            "url": f"{self.url}/apps/{runner.id}/{'session' if mode == 'persistent' else 'app'}",
            "app": app,
            "mode": mode,
            "capacity": 1,
            "capacity_used": 0,
            "capacity_available": 1,
            **entry,
        }
        self.runners[runner.id] = runner
        return runner

    @property
    def whats(self) -> list[str]:
        """What was asked, discovery left out."""
        return [seen.what for seen in self.seen if "discovery" not in seen.what]

    async def _note(self, request: Request) -> Runner:
        path = request.scope["path"]
        self.seen.append(Seen(f"{request.method} {path}", dict(request.headers), await request.body()))
        return self.runners.get(request.path_params.get("id", "")) or Runner("", _unknown, {}, _no_runner())

    async def _discovery(self, request: Request) -> Response:
        await self._note(request)
        return JSONResponse([{"address": self.url, "runners": [runner.entry for runner in self.runners.values()]}])

    async def _single_shot(self, request: Request) -> Response:
        runner = await self._note(request)
        refusal = runner.refuses or self._unpaid(runner, request)
        return refusal or await runner.answer(request)

    async def _reserve(self, request: Request) -> Response:
        runner = await self._note(request)
        if refusal := runner.refuses or self._unpaid(runner, request):
            return refusal
        session = self.payments[-1]["manifest_id"] if runner.is_paid else f"session-{len(self.sessions)}"
        self.sessions.append(session)
        base = f"{self.url}/apps/{runner.id}/session/{session}"
        return JSONResponse({"session_id": session, "app_url": f"{base}/app", "control_url": base})

    async def _within(self, request: Request) -> Response:
        runner = await self._note(request)
        if request.path_params["session"] not in self.sessions:
            return PlainTextResponse("runner session not found\n", 404)
        return await runner.answer(request)

    async def _payment(self, request: Request) -> Response:
        await self._note(request)
        self._book(request)
        self.paid_again.set()
        return self.payment_answer

    async def _stop(self, request: Request) -> Response:
        await self._note(request)
        self.stopped.append(request.path_params["session"])
        return Response(status_code=204)

    def _unpaid(self, runner: Runner, request: Request) -> Response | None:
        if not runner.is_paid:
            return None
        if "livepeer-payment" in request.headers:
            self._book(request)
            return None
        if request.headers.get("livepeer-payer-address") != PAYER_ADDRESS:
            return JSONResponse({"error": {"message": "invalid live runner payment signer address"}}, 402)
        manifest_id = f"manifest-{len(self.seen)}"
        document = {
            "payment_params": f"params of {manifest_id}",
            "orchestrator": self.url,
            "manifest_id": manifest_id,
            "payment_url": f"{self.url}/apps/{runner.id}/session/{manifest_id}/payment",
        }
        return JSONResponse(document | self.challenge, 402)

    def _book(self, request: Request) -> None:
        assert request.headers["livepeer-segment"] == "credentials"
        self.payments.append(json.loads(request.headers["livepeer-payment"]))


@dataclass
class Signer:
    """A remote signer; `refusals` are its next answers to a wish for a payment."""

    refusals: list[Response] = field(default_factory=list[Response])
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    orchestrators: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    url: str = ""
    refused: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released at each refusal."""

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/sign-orchestrator-info", self._address, methods=["POST"]),
                Route("/generate-live-payment", self._pay, methods=["POST"]),
                Route("/discover-orchestrators", self._discover),
            ]
        )

    async def _address(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        assert await request.json() == {}
        return JSONResponse({"address": PAYER_ADDRESS, "signature": "0x00"})

    async def _pay(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        wish = await request.json()
        self.asked.append(wish)
        if self.refusals:
            self.refused.release()
            return self.refusals.pop(0)
        payment = {"manifest_id": wish["ManifestID"], "number": len(self.asked)}
        state = {"State": f"state-{len(self.asked)}", "Sig": ""}
        return JSONResponse(
            {"payment": json.dumps(payment, separators=(",", ":")), "segCreds": "credentials", "state": state}
        )

    async def _discover(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        return JSONResponse(self.orchestrators)


def _no_such_page(_: Request, __: Exception) -> Response:
    """As Go's router says it."""
    return PlainTextResponse("404 page not found\n", 404)


async def _slash(request: Request) -> Response:
    return RedirectResponse(request.scope["path"] + "/", 301)


async def _unknown(request: Request) -> Response:
    raise AssertionError


def _no_runner() -> Response:
    return PlainTextResponse("runner not found\n", 404)
