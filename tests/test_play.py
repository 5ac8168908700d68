"""The page of `play` in a browser, with what 0.1.0 wrote: a tiny model of 64x32."""

import base64
import importlib.util
import io
import json
import re
import shutil
import signal
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from sflowgan_tf import play
from tests import places, processes

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
MISSING = [name for name in ("gradio", "playwright") if not importlib.util.find_spec(name)]
needs_gradio = pytest.mark.skipif("gradio" in MISSING, reason="gradio is not installed")
needs_browser = pytest.mark.skipif(
    bool(MISSING) or BROWSER is None,
    reason=f"not installed: {', '.join(MISSING) or 'chromium or google-chrome'}",
)
WAIT = 120_000  # milliseconds after which a page that never changes fails


@pytest.mark.parametrize("content", ["", "anna\n", "anna:\n", ":secret\n", None])
def test_a_file_of_visitors_that_is_none_is_refused(tmp_path, capsys, content):
    file = tmp_path / "visitors"
    if content is not None:
        file.write_text(content)
    assert play.main(["--auth", str(file)]) == 2
    assert f"--auth {file}: " in capsys.readouterr().err


# In a process of its own: Gradio leaves event loops open.
ASKING = """
import asyncio, json, os, socket, sys
from pathlib import Path

import gradio as gr
import httpx

from sflowgan_tf.playing.page import server
from sflowgan_tf.utils.errors import UserError


def answers(*requests, auth=None, host="127.0.0.1"):
    with gr.Blocks(analytics_enabled=False) as blocks:
        gr.Markdown("nothing")
    app = server.application(blocks, host, 7860, auth)

    async def asked():
        transport, address = httpx.ASGITransport(app), "http://127.0.0.1:7860"
        async with httpx.AsyncClient(transport=transport, base_url=address) as visitor:
            return [await visitor.request(way, path, **more) for way, path, more in requests]

    return asyncio.run(asked())


def taken_from(file):
    # what a page answers to a visitor who names a file of the server, and copies of it
    with gr.Blocks(analytics_enabled=False) as blocks:
        given, back = gr.File(), gr.File()
        gr.Button().click(lambda given: given, given, back, api_name="back", queue=False)
    app = server.application(blocks, "127.0.0.1", 7860, None)
    named = {"path": str(file), "meta": {"_type": "gradio.FileData"}}

    async def asked():
        transport, address = httpx.ASGITransport(app), "http://127.0.0.1:7860"
        async with httpx.AsyncClient(transport=transport, base_url=address) as visitor:
            answer = await visitor.post("/gradio_api/run/back", json={"data": [named]})
            return answer.status_code

    with server.own_folder():
        said = asyncio.run(asked())
        kept = [copy for copy in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*") if copy.is_file()]
        return said, [copy.name for copy in kept]


wrong, right = ({"data": {"username": "anna", "password": word}} for word in ("x", "secret"))
config, elsewhere = ("GET", "/config", {}), ("GET", "/", {"headers": {"host": "else.example"}})
visits = config, ("POST", "/login", wrong), config, ("POST", "/login", right), config
own, other = answers(("GET", "/", {}), elsewhere)
with socket.create_server(("127.0.0.1", 0)) as taken:
    try:
        server.bound("127.0.0.1", taken.getsockname()[1])
    except UserError as error:
        refused = str(error)
print(json.dumps({
    "visits": [answer.status_code for answer in answers(*visits, auth=[("anna", "secret")])],
    "own": own.status_code,
    "policy": own.headers["content-security-policy"],
    "by another name": other.status_code,
    "by its name": answers(elsewhere, host="0.0.0.0")[0].status_code,
    "taken": refused,
    "file": taken_from(sys.argv[1]),
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What servers of a page with nothing on it say."""
    env, secret = processes.environment_of_tests(), tmp_path_factory.mktemp("server") / "secret.txt"
    secret.write_text("secret")
    call = ("-c", ASKING, str(secret))
    with processes.started(*call, env=env, stderr=None, cwd=places.ROOT) as process:
        return json.loads(process.communicate()[0].splitlines()[-1])


@needs_gradio
def test_visitors_give_their_password(said):
    assert said["visits"] == [401, 400, 401, 200, 200]


@needs_gradio
def test_the_browser_may_ask_no_other_machine(said):
    assert said["policy"].startswith("default-src 'self';") and "http" not in said["policy"]


@needs_gradio
def test_a_page_elsewhere_can_not_call_this_one_by_another_name(said):
    assert (said["own"], said["by another name"], said["by its name"]) == (200, 400, 200)


@needs_gradio
def test_no_visitor_gets_a_file_that_was_not_uploaded(said):
    answer, copies = said["file"]
    assert answer == 500 and copies == []


@needs_gradio
@pytest.mark.parametrize(
    ("flags", "advice"),
    [(["--port", "70000"], "at most 65535"), (["--host", "no.such.address"], "another --host")],
)
def test_an_address_that_is_none_is_named(flags, advice, capsys):
    assert play.main(flags) == 2
    assert advice in capsys.readouterr().err


@needs_gradio
def test_a_port_that_is_taken_is_named(said):
    assert "can't listen there" in said["taken"] and "choose another --port" in said["taken"]


@contextmanager
def serving(folder):
    """The address of a page whose server runs as a process."""
    arguments = ("-m", "sflowgan_tf.play", "--run", "painter", "--port", 0)
    env = processes.environment_of_tests() | {"TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir(exist_ok=True)
    with processes.started(*arguments, cwd=folder, env=env, stderr=None) as process:
        lines = iter(process.stdout.readline, "")
        address = next(found[1] for line in lines if (found := re.search("Open (http\\S+)", line)))
        yield address
        process.send_signal(signal.SIGINT)
        process.wait()


@pytest.fixture(scope="module")
def home(archive, tmp_path_factory):
    """A folder with the archive's runs."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(archive / "runs", folder / "runs")
    return folder


@pytest.fixture(scope="module")
def address(home):
    with serving(home) as address:
        yield address
    assert not [*(home / "tmp").glob("sflowgan-play-*")], "the page leaves files behind"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = {"executable_path": BROWSER, "args": ["--no-sandbox", "--disable-gpu"]}
        with playwright.chromium.launch(**options) as chromium:
            yield chromium


class Visitor:
    """Someone in a browser; what the page asks of other machines is kept in `strangers`."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.context.set_default_timeout(WAIT)
        self.address, self.strangers, self.faults = address, [], []
        self.page = self.tab()

    def tab(self):
        page = self.context.new_page()
        own = (self.address, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or self.strangers.append(r.url))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(self.address)
        page.wait_for_selector(".view img.after[src]")
        return page

    def source(self, page=None):
        return (page or self.page).locator(".view img.after").first.get_attribute("src")

    def picture(self, page=None):
        """(height, width, 3) of what is painted."""
        content = base64.b64decode(self.source(page).partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(content)))

    def changed(self, before, page=None):
        """Waits until the picture is another."""
        (page or self.page).wait_for_function(
            "before => document.querySelector('.view img.after').src !== before", arg=before
        )
        return self.picture(page)

    def at(self, x, y):
        """Where a pixel of the scene is on the page."""
        box = self.page.locator("canvas.over").bounding_box()
        return box["x"] + box["width"] * x / 64, box["y"] + box["height"] * y / 32

    def drop(self, file, page):
        """Drops a file on the page's heading."""
        content = base64.b64encode(file.read_bytes()).decode()
        page.evaluate(
            """([content, name]) => {
                const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], name, {type: "image/png"}));
                const told = {dataTransfer, bubbles: true, cancelable: true};
                document.querySelector("h1").dispatchEvent(new DragEvent("drop", told));
            }""",
            [content, file.name],
        )

    def told(self):
        """The sentence of an error, which is then closed."""
        toast = self.page.locator(".toast-body")
        toast.first.wait_for()
        sentence = toast.first.inner_text()
        self.page.locator(".toast-close").first.click()
        toast.first.wait_for(state="detached")
        return sentence


@pytest.fixture
def visitor(browser, address):
    one = Visitor(browser, address)
    yield one
    one.context.close()
    assert one.strangers == [] and one.faults == []


@needs_browser
def test_a_car_is_painted_and_the_picture_changes_there(visitor):
    page, before, source = visitor.page, visitor.picture(), visitor.source()
    page.get_by_text("car", exact=True).click()
    page.locator(".color").fill("#ff0000")
    page.mouse.move(*visitor.at(20, 24))
    page.mouse.down()
    page.mouse.move(*visitor.at(30, 24))
    page.mouse.up()
    after = visitor.changed(source)
    difference = np.abs(after.astype(int) - before).mean(-1)
    inside, far = difference[20:29, 16:35].mean(), difference[:8, 48:].mean()
    assert inside > 3 * far, (inside, far)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(
        "before => document.querySelector('.view img.after').src === before", arg=source
    )


@needs_browser
def test_it_is_painted_by_keyboard_and_edges_are_drawn(visitor):
    page = visitor.page
    for tool, key in (("building", " "), ("red car", "Enter"), ("draw", " ")):
        page.get_by_text(tool, exact=True).click()
        source = visitor.source()
        page.locator("canvas.over").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press(key)
        visitor.changed(source)
    assert page.locator(".switch input[value=edges]").is_checked()


@needs_browser
def test_versions_are_thrown_chosen_and_brought_back_from_a_saved_picture(visitor, tmp_path):
    page, source = visitor.page, visitor.source()
    first = visitor.picture()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Throw the dice").click()
    visitor.changed(source)
    page.get_by_role("button", name="6 versions of the scene").click()
    page.wait_for_selector(".cell:nth-child(6)")
    source = visitor.source()
    page.get_by_role("button", name="Use version 3").click()
    chosen = visitor.changed(source)
    with page.expect_download() as download:
        page.locator("a.save:visible").click()
    download.value.save_as(tmp_path / "saved.png")
    assert Image.open(tmp_path / "saved.png").text["ensemble_weights"]
    other = visitor.tab()
    np.testing.assert_array_equal(visitor.picture(other), first)  # tabs do not disturb each other
    source = visitor.source(other)
    visitor.drop(tmp_path / "saved.png", other)
    np.testing.assert_array_equal(visitor.changed(source, other), chosen)
    other.locator(".open input").set_input_files(__file__)
    other.locator(".toast-body").wait_for()
    assert "no PNG" in other.locator(".toast-body").inner_text()


@needs_browser
def test_a_film_is_made_or_cancelled(visitor):
    page = visitor.page
    page.get_by_role("tab", name="Film").click()
    length = page.get_by_label("number input for Frames")
    make = page.get_by_role("button", name="Make the film")
    length.fill("300")
    length.blur()
    make.click()
    page.locator("progress").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled").wait_for()
    length.fill("2")
    length.blur()
    make.click()
    page.get_by_text("The film is ready").wait_for()
    page.wait_for_function("document.querySelector('video').videoWidth === 3 * 64")


@needs_browser
def test_runs_are_shown_beside_each_other(visitor):
    page = visitor.page
    page.get_by_role("tab", name="Runs").click()
    page.wait_for_selector(".run h3 >> nth=1")
    assert {*page.locator(".run h3").all_inner_texts()} == {"painter", "judge"}
    assert page.get_by_text("Paints, step 16").is_visible()
    page.get_by_alt_text("The scene of the first tab, painted by this run").wait_for()


@needs_browser
def test_wrong_files_are_sentences_and_no_file_is_kept(visitor, home, tmp_path):
    page = visitor.page
    good = np.full((32, 64), 3, np.uint16)
    for name, image in (
        ("labels.png", good),
        ("unknown.png", np.full_like(good, 77)),
        ("frame.png", np.full((32, 64, 3), 90, np.uint8)),
        ("small.png", np.full((30, 64, 3), 90, np.uint8)),
    ):
        Image.fromarray(image).save(tmp_path / name)
    page.get_by_text("Your own label map and frame").click()
    for label_map, frame, sentence in (
        ("unknown.png", "frame.png", "unknown.png: class id 77 at 2048 pixels"),
        ("labels.png", "small.png", "labels.png is 64x32, but small.png is 64x30"),
        ("labels.png", "frame.png", None),
    ):
        for place, file in (("#label-map", label_map), ("#frame", frame)):
            page.locator(f"{place} input[type=file]").set_input_files(tmp_path / file)
            page.locator(f"{place} a[href]").wait_for()  # it is there
        source = visitor.source()
        page.get_by_role("button", name="Open", exact=True).click()
        if sentence is None:
            visitor.changed(source)
        else:
            told = visitor.told()
            assert sentence in told and str(home) not in told
        page.locator("#frame input[type=file]").wait_for(state="attached")
    kept = [file for file in (home / "tmp").rglob("*.png") if file.stat().st_size]
    assert kept == []


@needs_browser
def test_a_telephone_shows_all_of_it_with_names_for_screen_readers(browser, address):
    phone = Visitor(browser, address, color_scheme="dark", has_touch=True)
    phone.page.set_viewport_size({"width": 390, "height": 844})
    for tab in ("Scene", "Versions", "Film", "Runs"):
        phone.page.get_by_role("tab", name=tab).click()
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    unnamed = phone.page.evaluate(
        """[...document.querySelectorAll("input:not([type=file]), button, canvas.over, a.save")]
        .filter(e => !(e.ariaLabel || e.labels?.length || e.innerText?.trim() || e.title
                       || e.closest("label") || e.ariaLabelledByElements?.length))
        .map(e => e.outerHTML.slice(0, 200))"""
    )
    assert unnamed == []
    phone.context.close()
