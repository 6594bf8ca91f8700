"""A real Chromium without a window, driven over its own protocol (Chrome DevTools).

No driver program and no download: Chromium opens a socket on this machine, and says in a file of its profile
where. https://chromedevtools.github.io/devtools-protocol/ lists what can be asked.

    python -m scripts.browser runs/noisy/report.html docs/pictures/report.png --height 1400
"""

import argparse
import base64
import json
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--remote-debugging-port=0",
)
START_S = 60.0


@dataclass(kw_only=True)
class Heard:
    """What a page said while it was open.

    Attributes:
        console: errors and warnings of the console, exceptions, and what the browser logged.
        requests: addresses asked for, but for data that is embedded in the page.
        failed: what could not be loaded, and why.
    """

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Browser:
    """One Chromium with one page; use it with ``with``."""

    def __enter__(self) -> "Browser":
        program = next((found for name in NAMES if (found := shutil.which(name))), None)
        if program is None:
            raise FileNotFoundError(f"no browser: none of {', '.join(NAMES)} is installed")
        self._profile = Path(tempfile.mkdtemp(prefix="bomb-browser-"))
        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._closing = ExitStack()
        self._closing.callback(self._end)
        self._count, self._session, self.heard = 0, None, Heard()
        with ExitStack() as undone:
            undone.callback(self._closing.close)
            port, path = self._address()
            address = f"ws://127.0.0.1:{port}{path}"
            # Pictures of whole pages come in one message.
            opened = connect(address, max_size=None, compression=None, proxy=None)
            self._socket = self._closing.enter_context(opened)
            target = self.ask("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                self.ask(f"{domain}.enable")
            undone.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.close()

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        """The window, in CSS pixels."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=phone)  # fmt: skip

    def open(self, address: str, timeout: float = 60.0) -> Heard:
        """Opens a page, waits until it has loaded, and returns what it said from now on."""
        self.heard, self._loaded = Heard(), False
        self.ask("Page.navigate", url=address)
        end = time.monotonic() + timeout
        while not self._loaded:
            self._hear(end - time.monotonic())
        return self.heard

    def evaluate(self, expression: str, timeout: float = 60.0) -> object:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.ask("Runtime.evaluate", timeout=timeout, expression=expression, returnByValue=True,
                          awaitPromise=True)  # fmt: skip
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression!r} failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self, file: Path, *, top: int = 0, height: int | None = None, scale: float = 1.0) -> None:
        """A PNG of the page from ``top`` down, ``height`` CSS pixels or to the end."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        height = min(height or size["height"], size["height"] - top)
        clip = {"x": 0, "y": top, "width": size["width"], "height": height, "scale": scale}
        data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        file.write_bytes(base64.b64decode(data))

    def ask(self, method: str, timeout: float = 60.0, **params: object) -> dict:
        """Sends a command and returns its answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        end = time.monotonic() + timeout
        while True:
            answer = self._hear(end - time.monotonic())
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise RuntimeError(f"{method} failed: {answer['error']}")
                return answer["result"]

    def _hear(self, timeout: float) -> dict:
        message = json.loads(self._socket.recv(timeout=max(timeout, 0.01)))
        method, params, heard = message.get("method"), message.get("params", {}), self.heard
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            heard.console.append(" ".join(str(arg.get("value", arg)) for arg in params["args"]))
        elif method == "Runtime.exceptionThrown":
            heard.console.append(params["exceptionDetails"]["text"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            heard.console.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith("data:"):
            heard.requests.append(params["request"]["url"])
        elif method == "Network.loadingFailed":
            heard.failed.append(params["errorText"])
        return message

    def _address(self) -> tuple[str, str]:
        file, end = self._profile / "DevToolsActivePort", time.monotonic() + START_S
        while time.monotonic() < end:
            lines = file.read_text().split("\n") if file.exists() else []
            if len(lines) == 2:
                return lines[0], lines[1]
            if self._process.poll() is not None:
                raise RuntimeError(f"the browser ended at once, with status {self._process.returncode}")
            time.sleep(0.05)
        raise TimeoutError(f"the browser did not open its socket within {START_S:.0f} s")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


def main() -> None:
    """Takes a picture of a page."""
    parser = argparse.ArgumentParser(description="A picture of a page, as Chromium shows it.")
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in CSS pixels")
    parser.add_argument("--height", type=int, default=1400, help="of the picture, in CSS pixels")
    parser.add_argument("--section", metavar="ID", help="where the picture begins (default: the top)")
    parser.add_argument("--scale", type=float, default=0.6, help="pixels of the picture for each CSS pixel")
    args = parser.parse_args()
    with Browser() as browser:
        browser.resize(args.width, 900, phone=args.width < 600)
        browser.open(args.page.resolve().as_uri())
        top = 0
        if args.section is not None:
            find = f"document.getElementById({args.section!r}).getBoundingClientRect().top + scrollY"
            top = int(browser.evaluate(find)) - 10
        browser.screenshot(args.out, top=top, height=args.height, scale=args.scale)
    print(f"{args.out}: {args.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
