"""Fixtures: a headless Chromium, and the site of the published runs as files on the disk."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

import reports
from reports.site import write_site

PUBLISHED = Path(reports.__file__).parent / "published"


def require_program(name: str) -> str:
    """Return the path of a program; a missing program fails the tests and is not downloaded."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(
            f"cannot try the site without {name}. Expected: chromium and chromedriver on PATH "
            "(Debian: apt-get install chromium chromium-driver). Received: none",
            pytrace=False,
        )
    return path


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the published runs with their site."""
    folder = tmp_path_factory.mktemp("site") / "published"
    shutil.copytree(PUBLISHED, folder)
    write_site(folder)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = require_program("chromium")
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(require_program("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def host(directory: Path) -> Iterator[str]:
    """Serve the same pages like a host of static files; yield their address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def visit(chromium: Chrome, directory: Path) -> Callable[..., Chrome]:
    """Return a function that loads a page in a new view, with a width and the default theme."""

    def open_page(page: str, width: int = 1280, origin: str = "") -> Chrome:
        chromium.get("about:blank")
        window = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", window)
        # smooth scrolling might not be finished when a test reads positions
        still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": still})
        chromium.get(f"{origin or directory.as_uri()}/{page}")
        return chromium

    return open_page
