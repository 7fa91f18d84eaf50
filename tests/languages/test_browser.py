"""The live page in a real browser: what it shows is fresh, or it says that it isn't."""

from __future__ import annotations

import shutil

import pytest

from tests.languages.decoders import need
from tests.rigs.peer import PATIENCE_S, Peer

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: make rig-clients says how"
)

_IS_REFUSED = """url => new Promise((tell) => {
    const socket = new WebSocket(url);
    socket.onopen = () => tell(false);
    socket.onerror = () => tell(true);
})"""


def test_the_page_shows_a_stream_while_it_is_fresh() -> None:
    browser_path = shutil.which("chromium") or need("chromium")
    with (
        Peer("other_machine", "--ahead-s=86400", "--websocket") as engine,
        playwright.sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(2_000 * PATIENCE_S)
        errors = list[str]()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"http://127.0.0.1:{engine.port}/")
        page.wait_for_selector("#a.fresh >> text=/^a: [0-9]+ ms old, [0-9]+ objects/")
        engine.say("hold")
        page.wait_for_selector("#a.silent >> text=/the newest result is [0-9]+ ms old/")
        engine.say("go")
        page.wait_for_selector("#a.fresh")
        engine.kill()
        page.wait_for_selector("#a.silent >> text=/no heartbeat for [0-9]+ ms/")
        engine.start()
        page.wait_for_selector("#a.fresh")
        assert page.evaluate("document.querySelector('canvas').width") == 320
        assert errors == []
        page.goto("about:blank")
        assert page.evaluate(_IS_REFUSED, f"ws://127.0.0.1:{engine.port}/"), "another page may read it"
        browser.close()
