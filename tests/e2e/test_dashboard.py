"""The dashboard in a real browser: what runs is shown, can be called, and is followed without a reload."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import pytest
from edge_harness import Marks, eventually
from playwright.async_api import Browser, Locator, Page, expect

from livepeer.devnet import BlockingDevNet, DevNet, PaymentRequest

from .browsing import needs_browser, opened
from .conftest import PATIENT
from .dashboard_models import MARKUP
from .network import Edge, calling, serving, target

MODELS = Path(__file__).with_name("dashboard_models.py")

BYOC = {"LIVEPEER_NETWORK": "byoc"}
LIVE_RUNNER = {"LIVEPEER_NETWORK": "live-runner"}
SERVES = [
    ("Every", BYOC),
    ("Every", LIVE_RUNNER),
    ("Painter", BYOC),
    ("Kept", LIVE_RUNNER),
    ("Steps", BYOC),
    ("Steps", LIVE_RUNNER | {"LIVEPEER_RUNNER_MODE": "persistent"}),
]

pytestmark = [pytest.mark.anyio, needs_browser]

both = pytest.mark.parametrize("over", ["BYOC", "Live Runner"])


@pytest.fixture(scope="module")
async def edges(net: BlockingDevNet, marks: Marks) -> AsyncIterator[None]:
    """The models of these tests, each worker on one network."""
    del marks  # Set before the workers start, since their environment tells them where it is.

    async def serve(model: str, **settings: str) -> None:
        running.append(await stack.enter_async_context(serving(net, f"{MODELS}:{model}", **settings)))

    running: list[Edge] = []
    async with AsyncExitStack() as stack:
        async with anyio.create_task_group() as tasks:
            for model, settings in SERVES:
                tasks.start_soon(partial(serve, model, **settings))
        yield
        async with anyio.create_task_group() as tasks:
            for edge in running:
                tasks.start_soon(edge.end)


@pytest.fixture
async def page(browser: Browser, net: BlockingDevNet, edges: None) -> AsyncIterator[Page]:
    async with opened(browser, net.dashboard_url) as found:
        yield found


async def choose(page: Page, name: str, over: str | None = None) -> Locator:
    """Choose a capability in the list, and a network to call it over."""
    await page.get_by_role("link", name=re.compile(rf"^{name}\b")).click()
    shown = page.get_by_role("article", name=name, exact=True)
    if over is not None:
        await shown.get_by_role("radio", name=over).check()
    return shown


async def run(shown: Locator) -> Locator:
    """Send the form; the answer."""
    await shown.get_by_role("button", name="Run").click()
    return shown.get_by_label("Answer")


async def settled(shown: Locator, how: str) -> None:
    """Wait until the call has ended in this way."""
    await expect(shown.locator(".timing")).to_have_text(re.compile(rf"^{how}\b"))


async def test_what_is_registered_is_listed_once_with_a_badge_for_each_network(page: Page) -> None:
    items = page.locator("#list li")

    await expect(items).to_have_count(4)
    await expect(items.locator(".item-name")).to_contain_text(["every", "kept", "painter", "steps"])
    await expect(items.nth(0).locator(".badge")).to_have_text(["BYOC", "Live Runner"])
    await expect(items.nth(1).locator(".badge")).to_have_text(["Live Runner"])
    await expect(items.nth(0).locator(".state")).to_have_text("IDLE")


async def test_a_capability_shows_its_card_and_where_it_is_registered(page: Page, net: BlockingDevNet) -> None:
    shown = await choose(page, "every")

    await expect(shown.locator(".facts")).to_contain_text("1.2.3")
    await expect(shown.locator(".facts .match")).to_contain_text("as its card says")
    await expect(shown.locator(".load")).to_contain_text("0 of 4 slots in use")
    await shown.get_by_text("Where it is registered").click()
    rows = shown.locator("tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.filter(has_text="BYOC")).to_contain_text(net.capabilities["every"].url)
    await expect(rows.filter(has_text="Live Runner")).to_contain_text("single-shot")


async def test_markup_from_a_worker_is_shown_as_text(page: Page) -> None:
    shown = await choose(page, "every")

    await expect(shown.locator(".description")).to_have_text(f"Says {MARKUP}")
    await expect(shown.locator(".help", has_text="What to say")).to_have_text(f"What to say: {MARKUP}")
    shown = await choose(page, "kept", "Live Runner")
    await shown.get_by_label("key").select_option("answer")
    answer = await run(shown)
    await settled(shown, "Done")
    assert json.loads(await answer.inner_text()) == {"answer": MARKUP}
    assert await page.title() == "Livepeer devnet"
    await expect(page.locator("img[onerror]")).to_have_count(0)


async def test_each_field_has_the_control_of_its_kind(page: Page) -> None:
    shown = await choose(page, "every")

    kinds = {
        "prompt": "textarea",
        "size": "json",
        "label": "text",
        "style": "select",
        "steps": "range",
        "seed": "number",
        "safe": "boolean",
        "reference": "file",
        "source": "address",
    }
    for name, kind in kinds.items():
        await expect(shown.locator(f'[data-field="{name}"]')).to_have_class(f"field field-{kind}")
    steps = shown.get_by_label("steps integer")
    await expect(steps).to_have_value("20")
    assert [await steps.get_attribute(name) for name in ("min", "max", "step")] == ["1", "50", "1"]
    await expect(shown.get_by_label("seed")).to_have_value("")
    await expect(shown.get_by_label("safe")).to_be_checked()


@both
async def test_a_filled_form_is_sent_as_it_is_typed(page: Page, over: str) -> None:
    shown = await choose(page, "every", over)

    await shown.get_by_label("prompt").fill("a 'tree' ✓")
    await shown.get_by_label("size").fill('{"width": 7}')
    await shown.get_by_label("label").fill("")
    await shown.get_by_label("style").select_option("ink")
    await shown.get_by_label("steps, slider").fill("33")
    await shown.get_by_label("seed").fill("0")
    await shown.get_by_label("safe").uncheck()
    every_byte = {"name": "a.bin", "mimeType": "application/octet-stream", "buffer": bytes(range(256))}
    await shown.get_by_label("reference").set_input_files(every_byte)
    await shown.get_by_label("source").first.fill("https://example.com/cat.png")
    answer = await run(shown)
    await settled(shown, "Done")

    assert json.loads(await answer.inner_text()) == {
        "prompt": "a 'tree' ✓",
        "width": 7,
        "label": "",
        "style": "ink",
        "steps": 33,
        "seed": 0,
        "safe": False,
        "reference": list(range(256)),
        "source": "https://example.com/cat.png",
    }


async def test_a_file_for_an_address_is_sent_as_a_data_url(page: Page) -> None:
    shown = await choose(page, "every", "BYOC")

    await shown.get_by_label("prompt").fill("a tree")
    await shown.get_by_label("size").fill('{"width": 7}')
    await shown.get_by_label("source").first.fill("https://example.com/forgotten.png")
    table = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"a,1"}
    await shown.get_by_label("source, file").set_input_files(table)
    answer = await run(shown)
    await settled(shown, "Done")

    shown_json = await answer.locator(".output-json").inner_text()
    assert json.loads(shown_json)["source"] == "data:text/csv;base64,YSwx"


@both
async def test_a_field_that_is_refused_says_why(page: Page, over: str) -> None:
    shown = await choose(page, "every", over)

    await shown.get_by_label("prompt").fill("ab")
    await shown.get_by_label("size").fill('{"width": 0, "height": "high"}')
    await run(shown)
    await settled(shown, "Failed")

    error = shown.locator('[data-field="size"] .field-error')
    await expect(error).to_contain_text("width: Input should be greater than or equal to 1")
    await expect(error).to_contain_text("height: Input should be a valid integer")
    await expect(shown.get_by_label("size")).to_be_focused()
    await expect(shown.locator('[data-field="prompt"] .field-error')).to_be_hidden()
    await expect(shown.get_by_role("alert")).to_contain_text("The input does not fit the schema")
    await shown.get_by_label("size").fill("{")
    await expect(error).to_be_hidden()
    await run(shown)
    await expect(error).to_contain_text("This is not JSON")


@both
async def test_a_streamed_answer_grows_as_it_arrives(page: Page, marks: Marks, gate: str, over: str) -> None:
    shown = await choose(page, "steps", over)

    await shown.get_by_label("gate").fill(gate)
    await shown.get_by_label("count").fill("2")
    answer = await run(shown)
    await expect(shown.get_by_role("button", name="Stop")).to_be_visible()
    marks.go(f"{gate}-0")
    await expect(answer).to_have_text("word0 [DONE] ")
    await expect(shown.locator(".timing")).to_have_text(re.compile("^Receiving.* 1 event$"))
    marks.go(f"{gate}-1")
    await expect(answer).to_have_text("word0 [DONE] word1 [DONE] ")
    await settled(shown, "Done")
    await expect(shown.get_by_role("button", name="Stop")).to_be_hidden()


@both
async def test_a_stream_that_is_stopped_closes_the_generator(page: Page, marks: Marks, gate: str, over: str) -> None:
    shown = await choose(page, "steps", over)

    await shown.get_by_label("gate").fill(gate)
    await shown.get_by_label("count").fill("2")
    answer = await run(shown)
    marks.go(f"{gate}-0")
    await expect(answer).to_have_text("word0 [DONE] ")
    await shown.get_by_role("button", name="Stop").click()
    await settled(shown, "Stopped")
    await marks.wait(gate, "closed")


async def test_a_reserved_session_is_stopped_after_its_call(
    page: Page, net: BlockingDevNet, marks: Marks, gate: str
) -> None:
    shown = await choose(page, "steps", "Live Runner")

    await shown.get_by_label("gate").fill(gate)
    await shown.get_by_label("count").fill("1")
    await run(shown)
    await eventually(lambda: len(sessions(net)) == 1, "a session")
    marks.go(f"{gate}-0")
    await settled(shown, "Done")
    await eventually(lambda: not sessions(net), "no session")


def sessions(net: BlockingDevNet) -> list[str]:
    return [each for runner in net.runners.values() if runner.mode == "persistent" for each in runner.session_ids]


async def test_a_picture_is_shown_though_a_gateway_loses_its_media_type(page: Page) -> None:
    shown = await choose(page, "painter", "BYOC")

    await shown.get_by_label("width").fill("6")
    answer = await run(shown)

    picture = answer.get_by_role("img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 6
    await expect(answer.locator("figcaption")).to_contain_text("image/png")


@pytest.mark.parametrize("key", ["images", "image", "data"])
async def test_pictures_are_found_where_the_field_keeps_them(page: Page, key: str) -> None:
    shown = await choose(page, "kept")

    await shown.get_by_label("key").select_option(key)
    answer = await run(shown)

    picture = answer.get_by_role("img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 5
    await expect(answer.locator("pre")).to_contain_text(f'"{key}"')


@both
async def test_the_command_makes_the_same_call(page: Page, over: str) -> None:
    shown = await choose(page, "every", over)

    await shown.get_by_label("prompt").fill('it\'s "here"')
    await shown.get_by_label("size").fill('{"width": 7}')
    command = shown.locator(".command pre")
    await expect(command).to_contain_text('"width":7')
    answered = await anyio.run_process(["sh", "-c", await command.inner_text()])

    assert json.loads(answered.stdout)["prompt"] == 'it\'s "here"'


async def test_the_command_is_copied(page: Page) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = await choose(page, "every")

    await shown.get_by_label("prompt").fill("copied")
    command = shown.locator(".command pre")
    await expect(command).to_contain_text("copied")
    await shown.get_by_role("button", name="Copy").click()
    await expect(shown.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == await command.inner_text()


async def test_an_input_that_is_too_long_for_a_command_comes_as_a_file(page: Page, tmp_path: Path) -> None:
    shown = await choose(page, "every")

    await shown.get_by_label("prompt").fill("x" * 5000)
    await shown.get_by_label("size").fill('{"width": 7}')
    command = shown.locator(".command pre")
    await expect(command).to_contain_text("@input.json")
    async with page.expect_download() as download:
        await shown.get_by_role("button", name="Save input.json").click()
    await (await download.value).save_as(tmp_path / "input.json")
    answered = await anyio.run_process(["sh", "-c", await command.inner_text()], cwd=tmp_path)

    assert json.loads(answered.stdout)["prompt"] == "x" * 5000


async def test_the_command_of_a_session_reserves_and_stops_it(
    page: Page, net: BlockingDevNet, marks: Marks, gate: str
) -> None:
    shown = await choose(page, "steps", "Live Runner")

    await shown.get_by_label("gate").fill(gate)
    await shown.get_by_label("count").fill("1")
    marks.go(f"{gate}-0")
    command = shown.locator(".command pre")
    await expect(command).to_contain_text('"count":1')
    answered = await anyio.run_process(["sh", "-c", await command.inner_text()])

    assert b"word0" in answered.stdout
    assert not sessions(net)


async def test_load_is_followed_while_the_page_is_open(
    page: Page, net: BlockingDevNet, marks: Marks, gate: str
) -> None:
    shown = await choose(page, "steps")
    load = shown.locator(".load")
    await expect(load).to_contain_text("0 of 4 slots in use")

    async with calling(net, "gateway") as caller:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(caller.run_async, "steps", {"gate": gate, "count": 1})
            await expect(load).to_contain_text("1 of 4 slots in use")
            marks.go(f"{gate}-0")
        await expect(load).to_contain_text("0 of 4 slots in use")


async def test_a_capability_that_goes_vanishes_from_the_list_and_comes_back(
    page: Page, net: BlockingDevNet, marks: Marks
) -> None:
    del marks
    item = page.get_by_role("link", name=re.compile("^echo"))
    await expect(item).to_have_count(0)

    async with serving(net, target("Echo")) as edge:
        shown = await choose(page, "echo")
        await shown.get_by_label("text").fill("kept")
        await expect(shown.get_by_role("button", name="Run")).to_be_enabled()
        await edge.end()
        await expect(item).to_have_count(0)
        await expect(shown.get_by_role("status").first).to_contain_text("not registered any more")
        await expect(shown.get_by_role("button", name="Run")).to_be_disabled()
    async with serving(net, target("Echo")):
        await expect(item).to_be_visible()
        await expect(shown.get_by_text("not registered any more")).to_be_hidden()
        await expect(shown.get_by_label("text")).to_have_value("kept")
        answer = await run(shown)
        await expect(answer).to_have_text("kept")


async def test_a_worker_that_cannot_serve_says_why(browser: Browser, marks: Marks) -> None:
    del marks
    async with DevNet(timings=PATIENT, dashboard_port=0) as net, opened(browser, net.dashboard_url) as page:
        await expect(page.get_by_text("Nothing is registered")).to_be_visible()
        await expect(page.locator("#orchestrators")).to_have_text(net.orchestrator_url)
        async with serving(net, target("Echo")) as edge:
            shown = await choose(page, "echo")
            await expect(shown.locator(".load .state")).to_have_text("IDLE")
            await edge.kill()
            await expect(shown.locator(".reason")).to_contain_text("cannot be reached")
            await expect(shown.locator(".load .state")).to_have_text("UNREACHABLE")
            await shown.get_by_label("text").fill("anybody?")
            await run(shown)
            await expect(shown.get_by_role("alert")).to_contain_text("Every worker that the gateway tried has failed")


class Purse:
    """Pays everything, and remembers what."""

    def __init__(self) -> None:
        self.paid: list[PaymentRequest] = []

    def judge(self, request: PaymentRequest) -> None:
        self.paid.append(request)


@pytest.mark.parametrize("mode", ["single-shot", "persistent"])
async def test_a_call_that_is_to_be_paid_is_paid_as_long_as_it_lasts(
    browser: Browser, marks: Marks, gate: str, mode: str
) -> None:
    price = {"LIVEPEER_PRICE_USD": "0.5", "LIVEPEER_RUNNER_MODE": mode}
    purse = Purse()
    async with (
        DevNet(timings=PATIENT, dashboard_port=0, paid=True, payer=purse) as net,
        serving(net, f"{MODELS}:Steps", **LIVE_RUNNER, **price),
        opened(browser, net.dashboard_url) as page,
    ):
        shown = await choose(page, "steps")
        await shown.get_by_text("Where it is registered").click()
        await expect(shown.locator("tbody")).to_contain_text("0.5 usd an hour")
        await shown.get_by_label("gate").fill(gate)
        await shown.get_by_label("count").fill("1")
        answer = await run(shown)
        await eventually(lambda: len(purse.paid) == 2, "paid again")
        marks.go(f"{gate}-0")
        await settled(shown, "Done")
        await expect(answer).to_have_text("word0 [DONE] ")
        assert len({payment.manifest_id for payment in purse.paid}) == 1


async def test_a_page_whose_network_goes_says_so_and_recovers(browser: Browser) -> None:
    async with DevNet(dashboard_port=0) as net:
        url = net.dashboard_url
        window = opened(browser, url)
        page = await window.__aenter__()
        await expect(page.locator("#connection")).to_have_text("Connected")
    await expect(page.get_by_role("alert")).to_contain_text("does not answer")
    async with DevNet(dashboard_port=urlsplit(url).port or 0):
        await expect(page.get_by_role("alert")).to_be_hidden()
        await expect(page.locator("#connection")).to_have_text("Connected")
        await window.__aexit__(None, None, None)


async def test_a_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, net: BlockingDevNet, edges: None
) -> None:
    phone = {"width": 360, "height": 740}
    async with opened(browser, net.dashboard_url, viewport=phone, color_scheme="dark") as page:
        shown = await choose(page, "every")
        await shown.get_by_text("Where it is registered").click()
        await shown.get_by_text("Options").click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 20)"


async def test_the_form_can_be_filled_and_sent_by_the_keyboard_alone(page: Page) -> None:
    shown = await choose(page, "painter", "BYOC")

    await shown.get_by_label("width").focus()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("4")
    await page.keyboard.press("Enter")
    await settled(shown, "Done")
