"""The web application as people meet it: its own server, real Chromium, both themes, a phone, the rules of axe."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

PASSWORD = "a calm morning list"
PROGRAM = [sys.executable, "-c", "from duecourse.cli.main import main; main()"]
PAGES = ["/", "/entities/", "/entities/open/", "/entities/north/", "/members/", "/members/invite/", "/audit/"]
OF_THE_MANAGER = ["/jobs/", "/imports/", "/imports/new/", "/imports/1/", "/imports/2/", "/entities/north/invoices/"]
OF_THE_MANAGER += ["/entities/north/predictions/"]
PAGES += OF_THE_MANAGER
EXAMPLE = Path(__file__).parents[2] / "examples" / "export.csv"
PAGES += ["/account/login/", "/account/2fa/", "/account/password/change/", "/account/sessions/", "/no/such/page/"]
STICKS_OUT = """
() => [...document.querySelectorAll('body *')]
  .filter(one => !one.closest('.scroll, .unseen, .skip') && one.getBoundingClientRect().width > 0)
  .filter(one => one.getBoundingClientRect().right > window.innerWidth + 1)
  .map(one => one.tagName + '.' + one.getAttribute('class'))
"""


class Server:
    """A running installation in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        given = {name: value for name, value in os.environ.items() if not name.startswith(("DUECOURSE_", "DJANGO_"))}
        self.environ = given | {"DUECOURSE_DATA_DIR": str(folder), "DUECOURSE_URL": self.url}
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen([*PROGRAM, "serve", "--port", str(self.port)], env=self.environ, stderr=log)

    def wait(self) -> None:
        """Until it answers; at most a minute."""
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError):
                assert self.process.poll() is None
                time.sleep(0.1)
        raise AssertionError("the server did not answer within a minute")

    def invite(self, email: str, role: str = "administrator") -> str:
        """The link by which that person joins in a role for all entities."""
        done = subprocess.run(
            [*PROGRAM, "manage", "invite", email, "--role", role],
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()[-1]

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("installation")
    running = Server(folder)
    try:
        running.wait()
        yield running
        assert running.stop() == 0
        assert "Traceback" not in (folder / "log").read_text()
    finally:
        running.process.kill()


def join(browser: Any, link: str, name: str) -> Any:
    """A browser window of somebody who accepted an invitation."""
    page = browser.new_page()
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.wait_for_load_state()
    assert page.get_by_role("heading", level=1).inner_text() == "Home"
    return page


@pytest.fixture(scope="module")
def chief(browser: Any, server: Server) -> Any:
    """The administrator's window, with the books of one entity open."""
    page = join(browser, server.invite("chief@example.com"), "Clara Chief")
    page.get_by_role("link", name=re.compile("Begin.*Open the books")).click()
    page.get_by_label("Name").fill("North GmbH")
    page.get_by_label("Short code").fill("north")
    page.get_by_role("button", name="Open").click()
    assert "The books of North GmbH are open." in page.locator("main").inner_text()
    return page


def test_a_stranger_sets_it_up_and_a_colleague_joins(browser: Any, server: Server, chief: Any) -> None:
    chief.goto(server.url)
    chief.get_by_role("link", name=re.compile("Begin.*Invite")).click()
    chief.get_by_label("E-mail").fill("ida@example.com")
    chief.get_by_label("For").select_option(label="North GmbH")
    chief.get_by_role("button", name="Invite").click()
    link = chief.locator("code").first.inner_text()
    assert re.fullmatch(rf"{server.url}/join/[\w-]{{43}}/", link)
    ida = join(browser, link, "Ida")
    assert ida.locator("nav li").all_inner_texts() == ["Home", "Entities"]
    assert ida.goto(f"{server.url}/members/").status == 403
    assert "This needs the role" in ida.locator("main").inner_text()
    ida.context.close()
    chief.goto(f"{server.url}/audit/")
    assert "joined as collector by the invitation of ida@example.com" in chief.locator("main").inner_text()


def test_a_field_that_is_wrong_says_so_beside_itself(server: Server, chief: Any) -> None:
    chief.goto(f"{server.url}/entities/open/")
    chief.get_by_label("Name").fill("South KK")
    chief.get_by_label("Short code").fill("north")
    chief.get_by_label("Currency").fill("YEN")
    chief.get_by_role("button", name="Open").click()
    wrong = chief.get_by_label("Currency")
    assert wrong.get_attribute("aria-invalid") == "true"
    said = chief.locator(f"#{wrong.get_attribute('aria-describedby').split()[-1]}").inner_text()
    assert said.startswith("There is no such currency")
    chief.get_by_label("Currency").fill("JPY")
    chief.get_by_role("button", name="Open").click()
    assert "There is an entity with the code north already." in chief.locator("main").inner_text()


def test_the_menu_of_a_phone_opens_without_a_script(browser: Any, server: Server, chief: Any) -> None:
    phone = browser.new_context(
        storage_state=chief.context.storage_state(), viewport={"width": 320, "height": 640}, java_script_enabled=False
    )
    page = phone.new_page()
    page.goto(server.url)
    way = page.get_by_role("link", name="Members")
    assert not way.is_visible()
    page.get_by_text("Menu").click()
    way.click()
    assert page.get_by_role("heading", level=1).inner_text() == "Members"
    phone.close()


@pytest.fixture(scope="module")
def manager(browser: Any, server: Server, chief: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The credit manager's window, with the example export in the books and a doubtful one that asks."""
    page = join(browser, server.invite("manager@example.com", "credit_manager"), "Mona Manager")
    page.get_by_role("link", name=re.compile("Begin.*Import")).click()
    page.get_by_label("Files").set_input_files(EXAMPLE)
    page.get_by_role("button", name="Upload and read").click()
    page.get_by_role("button", name="Load into the books").click(timeout=60_000)
    page.get_by_text("rows are in the books").wait_for(timeout=60_000)
    doubtful = tmp_path_factory.mktemp("doubtful") / "doubtful.csv"
    doubtful.write_text("Invoice,Customer,Issue date,Due date,Amount\nA-1,Acme,2026-01-13,2026-02-13,100.50\n")
    page.goto(f"{server.url}/imports/new/")
    page.get_by_label("Files").set_input_files(doubtful)
    page.get_by_role("button", name="Upload and read").click()
    page.get_by_text("What must be said").wait_for(timeout=60_000)
    return page


def test_an_export_goes_in_through_the_browser_and_out_again(server: Server, manager: Any) -> None:
    manager.goto(f"{server.url}/entities/north/invoices/")
    assert manager.locator("tbody tr").count() == 50
    manager.get_by_label("Invoice or customer").fill("Bâtiment")
    manager.get_by_role("button", name="Narrow").click()
    customers = manager.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert customers
    assert all("Bâtiment" in name for name in customers)
    manager.goto(f"{server.url}/audit/")
    assert "loaded 28,428 rows from export.csv" in manager.locator("main").inner_text()


@pytest.fixture(scope="module")
def look(browser: Any, server: Server, chief: Any, manager: Any) -> Callable[..., Any]:
    """A page as who works with it sees it in a theme and width: visitor, credit manager or administrator."""
    windows: dict[tuple[str, str, int], Any] = {}

    def at(path: str, scheme: str, width: int) -> Any:
        who = "visitor" if path == "/account/login/" else "manager" if path in OF_THE_MANAGER else "chief"
        if (who, scheme, width) not in windows:
            context = browser.new_context(
                storage_state={"chief": chief, "manager": manager}[who].context.storage_state()
                if who != "visitor" else None,
                color_scheme=scheme, viewport={"width": width, "height": 900},
            )  # fmt: skip
            page = windows[who, scheme, width] = context.new_page()
            page.said = []
            page.on("console", lambda message: page.said.append(message.text))
        page = windows[who, scheme, width]
        page.said.clear()
        page.goto(server.url + path)
        return page

    return at


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 320)])
def test_axe_finds_nothing_and_nothing_sticks_out(
    look: Callable[..., Any], axe: str, path: str, scheme: str, width: int
) -> None:
    page = look(path, scheme, width)
    refused = [line for line in page.said if "Content Security Policy" in line or "Refused" in line]
    assert refused == []
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "14px"  # the style sheet arrived
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(STICKS_OUT) == []
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    page.evaluate(axe)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
    assert [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]] == []
    assert len(found["passes"]) > 15


def test_the_dark_page_is_dark(look: Callable[..., Any]) -> None:
    shown = {}
    for scheme in ("light", "dark"):
        page = look("/", scheme, 1280)
        shown[scheme] = page.evaluate("(() => { const c = document.createElement('canvas').getContext('2d');"
            "c.fillStyle = getComputedStyle(document.body).backgroundColor; return c.fillStyle })()")  # fmt: skip
    assert shown == {"light": "#ffffff", "dark": "#11171c"}


def test_the_first_page_is_small_and_its_files_are_kept(server: Server) -> None:
    request = urllib.request.Request(f"{server.url}/account/login/", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        page = answer.read()
        policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    sent = len(page)
    for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.decode()):
        asked = urllib.request.Request(server.url + name, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
            sent += len(answer.read())
    assert sent <= 150_000
