"""A Chromium without a screen for tests of pages: what it asked the network for, and what it complained about."""

import json
import time
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

WAIT_S = 60
DESKTOP, PHONE = (1280, 900), (390, 844)


class Chromium:
    """A context manager: one browser.

    Args:
        driver: Path of chromedriver.
        browser: Path of Chromium.
        profile: Empty folder.
    """

    def __init__(self, driver: str, browser: str, profile: Path) -> None:
        options = Options()
        options.binary_location = browser
        # root has no sandbox, and containers have little shared memory
        for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(option)
        options.add_argument(f"--user-data-dir={profile}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = Chrome(options=options, service=Service(driver))

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *error: object) -> None:
        self.driver.quit()

    def open(self, path: Path, size: tuple[int, int] = DESKTOP) -> None:
        """Open a file in a window of this size, and wait for the genome browser, if it has one."""
        self.driver.get("about:blank")
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.complaints()
        self.requests()
        self.driver.get(path.as_uri())
        self.wait("const b = document.getElementById('browser'); return !b || b.dataset.ready")

    def run(self, script: str, *arguments: object):
        """What a script gives."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: object):
        """What a script gives as soon as it gives anything."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            if found := self.run(script, *arguments):
                return found
            time.sleep(0.05)
        raise AssertionError(f"after {WAIT_S} s still nothing from: {script}")

    def find(self, selector: str):
        """The first element."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Texts of all elements."""
        return [element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def complaints(self) -> list[str]:
        """What the console said since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses asked for since the last call, those of the browser's own pages left out."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith(("chrome:", "about:"))]
