"""A real HTTP server on 127.0.0.1 that misbehaves in the way that the path names."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

CONTENT = np.random.default_rng(0).bytes(200_000)
OTHER = np.random.default_rng(1).bytes(200_000)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        fault = self.path.strip("/")
        with self.server.lock:
            self.server.requests.append((fault, self.headers.get("Range")))
            turn = sum(path == fault for path, _ in self.server.requests)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client has had enough
            getattr(self, fault)(turn)

    def send(self, content=CONTENT, *, part=1.0, ranges=True, length=None):
        """Send ``content``, or the rest that Range asks for; ``part`` of it only, then drop the line."""
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(length or len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : start + int(part * (len(content) - start))])

    def good(self, turn):
        self.send()

    def drop(self, turn):
        self.send(part=0.5 if turn == 1 else 1.0)

    def drop_without_ranges(self, turn):
        self.send(part=0.5 if turn == 1 else 1.0, ranges=False)

    def always_drop(self, turn):
        self.send(part=0.01)

    def other_length(self, turn):
        self.send(CONTENT[:150_000])

    def wrong(self, turn):
        self.send(OTHER)

    def changed(self, turn):  # the file is replaced between the two halves
        self.send(CONTENT if turn == 1 else OTHER, part=0.5 if turn == 1 else 1.0)

    def mixed(self, turn):  # the first half of another file, then the right one for good
        self.send(OTHER if turn == 1 else CONTENT, part=0.5 if turn == 1 else 1.0)

    def gone(self, turn):
        self.send_error(404)

    def forbidden(self, turn):
        self.send_error(403)

    def failing(self, turn):
        self.send_error(500) if turn <= 2 else self.send()

    def down(self, turn):
        self.send_error(503)

    def loop(self, turn):
        self.send_response(302)
        self.send_header("Location", "/loop")
        self.end_headers()

    def elsewhere(self, turn):  # resumes at a place that nobody asked for
        if turn == 1:
            return self.send(part=0.5)
        if self.headers.get("Range"):
            self.send_response(206)
            self.send_header("Content-Range", f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}")
            self.end_headers()
            return self.wfile.write(CONTENT[7:])
        return self.send()

    def refuses_range(self, turn):
        if self.headers.get("Range"):
            return self.send_error(416)
        return self.send(part=0.5 if turn == 1 else 1.0)

    def endless(self, turn):  # neither a length nor an end that can be told from a dropped line
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT[:1000])

    def forever(self, turn):  # of the length nobody says anything
        self.send_response(200)
        self.end_headers()
        while not self.server.closing.is_set():
            self.wfile.write(CONTENT)

    def forever_chunked(self, turn):
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not self.server.closing.is_set():
            self.wfile.write(b"%x\r\n%s\r\n" % (len(CONTENT), CONTENT))

    def drip_header(self, turn):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.server.closing.wait(0.05):
            self.wfile.write(b"a")

    def headed(self, status, content=CONTENT, **headers):
        self.send_response(status)
        for name, values in headers.items():
            for value in values if isinstance(values, list) else [values]:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def partial_unasked(self, turn):
        self.headed(206, CONTENT[7:], Content_Range=f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}")

    def partial_star(self, turn):
        self.headed(206, Content_Range=f"bytes */{len(CONTENT)}")

    def partial_norange(self, turn):
        self.headed(206)

    def partial_odd(self, turn):
        self.headed(206, Content_Range=f"bytes 0-\u00b2/{len(CONTENT)}")

    def two_lengths(self, turn):
        self.headed(200, Content_Length=["1000", str(len(CONTENT))])

    def length_of_text(self, turn):
        self.headed(200, Content_Length="many")

    def huge_length(self, turn):
        self.headed(200, Content_Length="999999999999")

    def html(self, turn):
        page = b"<html>log in</html>"
        self.headed(200, page, Content_Length=str(len(page)), Content_Type="text/html; charset=utf-8")

    def html_in_disguise(self, turn):
        page = b"\n<!DOCTYPE html><html>log in</html>"
        self.headed(200, page, Content_Length=str(len(page)), Content_Type="application/zip")

    def drip(self, turn):
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        for byte in CONTENT:
            self.wfile.write(bytes([byte]))
            time.sleep(0.01)

    def stall(self, turn):
        self.send(part=0.5)
        self.server.closing.wait(3)

    def slow(self, turn):  # long enough to be killed in the middle
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if start:
            return self.send()
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        for at in range(0, len(CONTENT), 2000):
            self.wfile.write(CONTENT[at : at + 2000])
            time.sleep(0.02)


class Server:
    """``with Server() as server: server.url("drop")``; ``server.ranges("drop")`` is what was asked for."""

    def __enter__(self):
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.requests, self.http.lock, self.http.closing = [], threading.Lock(), threading.Event()
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.http.closing.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def url(self, fault):
        return f"http://127.0.0.1:{self.http.server_port}/{fault}"

    def ranges(self, fault):
        return [asked for path, asked in self.http.requests if path == fault]
