"""A headless Chromium driven by its remote debugging protocol, for tests that look at pages. Needs nothing but
Python's own library and a chromium; find() tells where there is one."""
import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

STARTS_WITHIN = 120
ANSWERS_WITHIN = 120


def find():
    """The browser's path, or None."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome")
                 if (path := shutil.which(name))), None)


class Socket:
    """A client of websockets (RFC 6455): text out, text in."""

    def __init__(self, url):
        host, path = url.removeprefix("ws://").split("/", 1)
        name, port = host.split(":")
        self.socket = socket.create_connection((name, int(port)), ANSWERS_WITHIN)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self._more()
        self.bytes = self.bytes.split(b"\r\n\r\n", 1)[1]

    def _more(self):
        more = self.socket.recv(1 << 16)
        if not more:
            raise ConnectionError("the browser closed its connection")
        self.bytes += more

    def _take(self, count):
        while len(self.bytes) < count:
            self._more()
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        length = (struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else
                  struct.pack("!BH", 0x80 | 126, len(data)) if len(data) < 1 << 16 else
                  struct.pack("!BQ", 0x80 | 127, len(data)))
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.socket.sendall(b"\x81" + length + mask + masked)

    def receive(self):
        text = b""
        while True:
            first, second = self._take(2)
            length = second & 127
            if length == 126:
                length, = struct.unpack("!H", self._take(2))
            elif length == 127:
                length, = struct.unpack("!Q", self._take(8))
            text += self._take(length)
            if first & 0x80 and first & 15 in (0, 1):
                return text.decode()

    def close(self):
        self.socket.close()


class Browser:
    """One page of one browser. Use it in a with statement."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="browser-")
        self.process = subprocess.Popen(
            [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--hide-scrollbars", "--disable-background-networking", "--remote-debugging-port=0",
             f"--user-data-dir={self.folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.folder})
        self.number, self.complaints, self.requests, self.loaded = 0, [], [], set()
        try:
            self.socket = Socket(self._page())
        except Exception:
            self.close()
            raise
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")
        self.ask("Page.setLifecycleEventsEnabled", enabled=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the browser and remove what it left."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _page(self):
        """The address of the page's debugger, once the browser is up."""
        place, until = os.path.join(self.folder, "DevToolsActivePort"), time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with open(place, encoding="ascii") as file:
                    port = int(file.readline())
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                    for target in json.load(answer):
                        if target["type"] == "page":
                            return target["webSocketDebuggerUrl"]
            except (OSError, ValueError):
                pass
            time.sleep(0.05)
        raise TimeoutError("the browser did not start")

    def _take(self):
        """One message: an answer, or an event that is noted."""
        message = json.loads(self.socket.receive())
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Page.lifecycleEvent" and parameters["name"] == "load":
            self.loaded.add(parameters["loaderId"])
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        return message

    def ask(self, method, **parameters):
        """One command and its result."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = self._take()
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def open(self, url, width, height, dark=False):
        """Load a page in a window of that size. Complaints and requests are then its own."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self._load("about:blank") # an address that differs behind '#' alone would load nothing
        self.complaints.clear()
        self.requests.clear()
        self._load(url)

    def _load(self, url):
        loader = self.ask("Page.navigate", url=url)["loaderId"]  # what was there before may be loaded only now
        while loader not in self.loaded:
            self._take()

    def value(self, expression):
        """What JavaScript makes of an expression; promises are waited for."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", expression))
        return result["result"].get("value")

    def until(self, expression, seconds=ANSWERS_WITHIN):
        """Wait until an expression is true; false where it never is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.value(f"Boolean({expression})"):
                return True
            time.sleep(0.05)
        return False

    def click(self, selector):
        """A click with the mouse in the middle of an element; again where it had moved away meanwhile."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.value(f"window.clicked = false; {element}.addEventListener('click', () => {{ window.clicked = true; }},"
                   " {capture: true, once: true}); 0")
        end = time.monotonic() + ANSWERS_WITHIN
        while not self.value("window.clicked"):
            if time.monotonic() > end:
                raise TimeoutError(f"{selector} can't be clicked")
            place = self.value(f"(() => {{ const e = {element};"
                               " e.scrollIntoView({block: 'center', behavior: 'instant'});"
                               " const r = e.getBoundingClientRect();"
                               " return {x: r.left + r.width / 2, y: r.top + r.height / 2}; })()")
            for kind in ("mousePressed", "mouseReleased"):
                self.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def press(self, key):
        """A key: Tab, Enter, a letter."""
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        text = {"Enter": "\r", "Tab": ""}.get(key, key)
        self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, text=text,
                 windowsVirtualKeyCode=codes.get(key, ord(key[0].upper())))
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def write(self, text):
        """Text into what has the focus."""
        self.ask("Input.insertText", text=text)

    def picture(self, name, whole=False):
        """A screenshot into the folder that CAPSTAN_SCREENSHOTS names, where it names one."""
        folder = os.environ.get("CAPSTAN_SCREENSHOTS")
        if not folder:
            return
        os.makedirs(folder, exist_ok=True)
        data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(os.path.join(folder, name + ".png"), "wb") as file:
            file.write(base64.b64decode(data))
