"""Pages in headless Chromium: a loopback server adds `audit.js` to each, which leaves its findings there."""

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import tempfile
import threading
import zlib
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip
AUDIT = Path(__file__).with_name("audit.js")


def chromium():
    """Where Chromium is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Server:
    """The built book on a loopback port, with `audit.js` in every page and texts compressed as hosts do."""

    def __init__(self, folder):
        handler = functools.partial(_Handler, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def audit(self, page, size=(1280, 900)):
        """What `audit.js` found on a page in a window of this size."""
        with tempfile.TemporaryDirectory() as profile:
            options = [f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
            command = [chromium(), *FLAGS, *options, "--virtual-time-budget=20000", "--dump-dom"]
            done = subprocess.run(
                [*command, f"{self.url}/{page}"], capture_output=True, text=True, timeout=120
            )
        found = re.search(r'<pre id="audit">(.*?)</pre>', done.stdout, re.DOTALL)
        assert found, f"Chromium left no findings for {page}:\n{done.stderr[-2000:]}"
        return json.loads(html.unescape(found[1]))


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/audit.js":
            return self._send(AUDIT.read_bytes(), "text/javascript")
        place = Path(self.translate_path(self.path))
        if not place.is_file():
            return self.send_error(404)
        content, kind = place.read_bytes(), self.guess_type(str(place))
        if kind == "text/html":
            content = content.replace(b"<head>", b'<head><script src="/audit.js"></script>', 1)
        return self._send(content, kind)

    def _send(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if kind.startswith("text/") or kind.endswith(("javascript", "json", "svg+xml")):
            packer = zlib.compressobj(6, zlib.DEFLATED, 31)  # gzip
            content = packer.compress(content) + packer.flush()
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
