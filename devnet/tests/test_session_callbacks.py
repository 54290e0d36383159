"""Contract, section 7: what a runner does with its sessions."""

from dataclasses import dataclass

import httpx2
import pytest

from .kit import Network, Worker


@dataclass
class Callback:
    """What the worker was told of a session, and a way to use it."""

    network: Network
    session: dict[str, str]
    token: str
    control_url: str

    async def send(
        self, path: str, body: object = None, *, method: str = "POST", token: str | None = None
    ) -> httpx2.Response:
        headers = {"Livepeer-Session-Token": self.token if token is None else token}
        return await self.network.http.request(method, self.control_url + path, json=body, headers=headers)


@pytest.fixture
async def callback(network: Network, worker: Worker) -> Callback:
    await network.heartbeat(worker, runner_id="r")
    session = (await network.http.post(network.net.orchestrator_url + "/apps/r/session")).json()
    await network.http.post(session["app_url"] + "/echo")
    headers = dict(worker.calls[0]["headers"])
    return Callback(network, session, headers["livepeer-session-token"], headers["livepeer-session-control"])


async def test_channels_are_made_once_by_name_and_work_both_ways(callback: Callback):
    wanted = {"channels": [{"name": " in/put ", "mime_type": "video/MP2T"}, {"name": "data"}]}

    first, again = [await callback.send("/channels", wanted) for _ in range(2)]

    session_id, base = callback.session["session_id"], callback.network.net.orchestrator_url
    names = [f"{session_id}-in-put", f"{session_id}-data"]
    assert first.json() == {
        "channels": [
            {
                "name": name.removeprefix(f"{session_id}-"),
                "channel_name": name,
                "url": f"{base}/ai/trickle/{name}",
                "internal_url": f"{base}/ai/trickle/{name}",
                "mime_type": mime_type,
            }
            for name, mime_type in zip(names, ["video/MP2T", "application/octet-stream"], strict=True)
        ]
    }
    assert again.json() == first.json()
    url = first.json()["channels"][1]["url"]
    await callback.network.http.post(f"{url}/0", content=b"segment")
    assert (await callback.network.http.get(f"{url}/0")).content == b"segment"


async def test_channels_end_when_they_are_deleted_and_with_the_session(callback: Callback):
    made = await callback.send("/channels", {"channels": [{"name": "a"}, {"name": "b"}]})
    urls = [channel["url"] for channel in made.json()["channels"]]

    deleted = await callback.send("/channels", {"channels": ["a"]}, method="DELETE")
    missing = await callback.send("/channels", {"channels": ["a"]}, method="DELETE")

    assert deleted.json() == {"deleted": ["a"]}
    assert (missing.status_code, missing.text) == (404, "trickle channel not found\n")
    statuses = [(await callback.network.http.get(url + "/next")).status_code for url in urls]
    assert statuses == [404, 200]
    assert (await callback.send("/stop")).status_code == 204
    assert (await callback.network.http.get(urls[1] + "/next")).status_code == 404


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "channels is required"),
        ({"channels": []}, "channels is required"),
        ({"channels": "a"}, "channels must be a list"),
        ({"channels": [1] * 26}, "channels cannot contain more than 25 entries"),
        ([], "the document must be a JSON object"),
        ({"channels": [1]}, None),
    ],
)
async def test_a_request_for_channels_that_does_not_hold_is_400(
    callback: Callback, method: str, body: object, message: str | None
):
    answer = await callback.send("/channels", body, method=method)

    assert answer.status_code == 400
    assert message is None or answer.text == message + "\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (" ", "trickle channel name is required"),
        ("a b", "trickle channel name may only contain alphanumerics, underscores, or hyphens"),
        ("é", "trickle channel name may only contain alphanumerics, underscores, or hyphens"),
    ],
)
async def test_a_channel_has_a_plain_name(callback: Callback, name: str, message: str):
    answer = await callback.send("/channels", {"channels": [{"name": name}]})

    assert (answer.status_code, answer.text) == (400, message + "\n")


async def test_a_channel_has_a_media_type_that_a_header_can_hold(callback: Callback):
    answer = await callback.send("/channels", {"channels": [{"name": "a", "mime_type": "text/plain\r\nX-Y: z"}]})

    assert answer.status_code == 400
    assert answer.text.startswith("a content type is printable ASCII")


async def test_a_proxy_leads_to_the_runner_or_to_another_port_of_its_host(callback: Callback, worker: Worker):
    default = (await callback.send("/proxy")).json()
    other = (await callback.send("/proxy", {"target_url": worker.url + "/ui"})).json()

    for proxy in (default, other):
        assert proxy["url"] == f"{callback.network.net.orchestrator_url}/run/{proxy['proxy_id']}"
        assert (await callback.network.http.put(proxy["url"] + "/x?a=1", content=b"b")).status_code == 200
    assert [call["path"] for call in worker.calls[1:]] == ["/x", "/ui/x"]
    assert dict(worker.calls[1]["headers"])["livepeer-session-id"] == callback.session["session_id"]


@pytest.mark.parametrize(
    ("target_url", "message"),
    [
        ("/ui", "target_url must be an absolute URL"),
        ("ftp://127.0.0.1/", "target_url scheme must be http or https"),
        ("http://127.0.0.1/#part", "target_url must not include a fragment"),
        ("http://example.com/", "target_url hostname must match registered runner_url hostname"),
        (1, "target_url must be a string"),
    ],
)
async def test_a_proxy_to_anywhere_else_is_400(callback: Callback, target_url: object, message: str):
    answer = await callback.send("/proxy", {"target_url": target_url})

    assert (answer.status_code, answer.text) == (400, message + "\n")


async def test_a_runner_ends_its_own_session_once(callback: Callback):
    assert (await callback.send("/stop")).status_code == 204
    assert (await callback.send("/stop")).status_code == 404
    assert callback.network.net.runners["r"].session_ids == ()


@pytest.mark.parametrize("path", ["/channels", "/proxy", "/stop"])
@pytest.mark.parametrize("token", ["", "wrong"])
async def test_another_token_is_401(callback: Callback, path: str, token: str):
    answer = await callback.send(path, {}, token=token)

    assert (answer.status_code, answer.text) == (401, "invalid authorization\n")


async def test_the_token_of_one_session_is_not_that_of_another(callback: Callback, network: Network, worker: Worker):
    await network.heartbeat(worker, runner_id="s")
    other = (await network.http.post(network.net.orchestrator_url + "/apps/s/session")).json()
    url = f"{network.net.orchestrator_url}/runner/s/session/{other['session_id']}/stop"

    answer = await network.http.post(url, headers={"Livepeer-Session-Token": callback.token})

    assert answer.status_code == 401
