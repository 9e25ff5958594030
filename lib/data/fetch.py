"""Bringing one file from an address: the right file in its place, or none.

pooch fetches and checks, but cannot resume; a file of CelebA's size on a poor line needs that. So: HTTP Range
over the standard library, retries with growing pauses, a floor under the speed, a lock against a second
process, the checksum before the file gets its name, and the name in one atomic step. What is not whole is
called <name>.part, and the next attempt goes on from there. Where nobody has published a checksum, a resumed
file could be half of one version and half of another: there each attempt starts over.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock
from tqdm import tqdm

BLOCK = 2**16
MOST = 4 * 2**30  # bytes of any file; the largest here, STL-10's, has 2.6 GB
FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


class FetchError(OSError):
    """A file could not be had; the message says what to do."""


@dataclass(frozen=True)
class Patience:
    """What a download may ask for: attempts, seconds between bytes, bytes a second over a window."""

    attempts: int = 5
    timeout: float = 30.0
    slowest: float = 1024.0
    window: float = 30.0
    pause: float = 1.0  # doubled after every attempt


PATIENT = Patience()
Verify = Callable[[Path], object]  # raises ValueError if the content is wrong


class _Punctual(http.client.HTTPConnection):
    """A connection whose answer must begin, with all its headers, within the time between two bytes."""

    late = False

    def getresponse(self) -> http.client.HTTPResponse:
        timer = threading.Timer(float(self.timeout or PATIENT.timeout), self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            response = super().getresponse()
        except (OSError, http.client.HTTPException):
            if self.late:
                raise TimeoutError("the headers came too slowly, timed out") from None
            raise
        finally:
            timer.cancel()
        if self.late:  # headers that end with the line look like all of them
            raise TimeoutError("the headers came too slowly, timed out")
        return response

    def _hang_up(self) -> None:
        self.late = True
        with contextlib.suppress(OSError, AttributeError):  # it may be closed by now
            self.sock.shutdown(socket.SHUT_RDWR)


class _PunctualSecure(_Punctual, http.client.HTTPSConnection):
    pass


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_Punctual, request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_PunctualSecure, request)


class _Redirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise FetchError(f"{req.full_url} leads to {newurl}, which anybody on the way could change")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Again(Exception):
    """This attempt failed in a way that the next may not."""


class _Wrong(FetchError):
    """The content is not what it should be."""


def download(
    url: str,
    target: Path,
    verify: Verify,
    *,
    bytes: int = 0,
    known: bool = True,
    anew: bool = False,
    patience: Patience = PATIENT,
) -> None:
    """Fetch ``url`` to ``target``; ``verify(path)`` must raise ValueError if the content is wrong.

    ``bytes`` is the length, 0 if not known; ``known`` says that ``verify`` has a checksum to compare with;
    ``anew`` replaces a file that is there. Raises :class:`FetchError`; then ``target`` is as it was before.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if target.exists() and not anew:
            return  # another process was faster
        part = target.with_name(target.name + ".part")
        if anew:
            part.unlink(missing_ok=True)
        trouble = ""
        for attempt in range(patience.attempts):
            if attempt:
                time.sleep(patience.pause * 2 ** (attempt - 1))
            if not known:
                part.unlink(missing_ok=True)
            resumed = part.exists()
            try:
                _attempt(url, part, bytes, known, patience)
                _accept(part, target, verify, url)
                return
            except _Wrong as error:
                if not resumed:  # the server itself has the wrong file
                    raise
                trouble = str(error)
            except _Again as error:
                trouble = str(error)
        raise FetchError(
            f"{url}: {trouble}; gave up after {patience.attempts} attempts. Try again later, or put the file "
            "into a folder and name that folder with --mirror"
        )


def pip_download(requirement: str, sha256: str, target: Path, verify: Verify) -> None:
    """Fetch the archive of "name==version" with pip, which checks its digest before opening it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    name = requirement.partition("==")[0]
    with FileLock(f"{target}.lock"), TemporaryDirectory(dir=target.parent) as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        kind = "--only-binary" if target.suffix == ".whl" else "--no-binary"
        command = [*pip, kind, name, "-r", str(wanted), "-d", folder]
        done = subprocess.run(command, capture_output=True, text=True)
        archive = Path(folder) / target.name
        if done.returncode or not archive.exists():
            said = " ".join(line.strip() for line in done.stderr.splitlines()[-4:])
            advice = f"Or put {target.name} into a folder, and name that folder with --mirror"
            raise FetchError(f"pip could not download {requirement}: {said or 'no reason given'}. {advice}")
        verify(archive)
        os.replace(archive, target)


def copy(source: Path, target: Path, verify: Verify) -> None:
    """Copy a file from a mirror folder, verified before it gets its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with FileLock(f"{target}.lock"):
        try:
            with open(source, "rb") as from_, open(part, "wb") as to:
                while block := from_.read(2**20):
                    to.write(block)
            _accept(part, target, verify, str(source))
        except OSError as error:
            part.unlink(missing_ok=True)
            _tell_if_full(error, part)
            raise


def _attempt(url: str, part: Path, length: int, known: bool, patience: Patience) -> None:
    """Bring ``part`` to its full length, from where it is; raise _Again or FetchError."""
    have = part.stat().st_size if part.exists() else 0
    if length and have == length:
        return
    headers = {"User-Agent": "transferability-book", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        opener = urllib.request.build_opener(_Http, _Https, _Redirect)
        with _network(lambda: opener.open(request, timeout=patience.timeout)) as response:
            have, total = _extent(response, part, have, length, known)
            _receive(response, part, have, total, patience)
        if not known:
            _refuse_page(response, part)
    except urllib.error.HTTPError as error:
        raise _judge(error, url, part) from error
    except OSError as error:
        _tell_if_full(error, part)
        raise


def _network(ask: Callable[[], Any]) -> Any:
    """What `ask` gets over the line, whose errors are not those of the disk, though all are OSErrors."""
    try:
        return ask()
    except (urllib.error.HTTPError, FetchError):
        raise
    except (OSError, http.client.HTTPException) as error:
        raise _Again(f"the connection failed ({error})") from error


def _extent(response: Any, part: Path, have: int, length: int, known: bool) -> tuple[int, int]:
    """(start, total length or 0) of what the server sends, checked against what is known."""
    if response.status == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""), re.ASCII)
        if found is None or found[1] != str(have):
            part.unlink(missing_ok=True)
            raise _Again("the server resumed at another place")
        total = _number(response, {found[2]} - {"*"})
    else:  # 200: the whole file from its start
        have, total = 0, _number(response, set(response.headers.get_all("Content-Length", [])))
    if length and total and total != length:
        raise FetchError(f"{response.url} offers {total:,} bytes, not the {length:,} that were published")
    if total > (length or MOST):
        raise FetchError(f"{response.url} offers {total:,} bytes; no file here has more than {MOST:,}")
    if not (total or length or known or response.chunked):
        raise FetchError(f"{response.url} does not say how long the file is, so that its end cannot be told")
    return have, total or length


def _number(response: Any, lengths: set[str]) -> int:
    """The one length that an answer states, 0 if it states none."""
    if len(lengths) > 1 or not all(re.fullmatch(r"\d{1,15}", text, re.ASCII) for text in lengths):
        raise FetchError(f"{response.url} states the length {' and '.join(sorted(lengths))!r:.80}")
    return int(lengths.pop()) if lengths else 0


def _refuse_page(response: Any, part: Path) -> None:
    """Where no checksum tells, a web page (a login, an apology) is not taken for the file."""
    with open(part, "rb") as stream:
        start = stream.read(512).lstrip().lower()
    if response.headers.get_content_type() == "text/html" or start.startswith((b"<!doctype html", b"<html")):
        part.unlink()
        raise FetchError(
            f"{response.url} answers with a web page in place of the file. Get the file by hand, put it into "
            "a folder, and name that folder with --mirror"
        )


def _receive(response: Any, part: Path, start: int, total: int, patience: Patience) -> None:
    hidden = None if os.environ.get("TRANSFER_PROGRESS", "1") != "0" else True  # None: hidden off a terminal
    bar = tqdm(total=total or None, initial=start, unit="B", unit_scale=True, desc=part.stem, disable=hidden)
    since, gained, size = time.monotonic(), 0, start
    with bar, open(part, "ab" if start else "wb") as stream:
        while block := _network(lambda: response.read1(BLOCK)):
            stream.write(block)
            size, gained = size + len(block), gained + len(block)
            bar.update(len(block))
            if total and size > total:
                raise _Again(f"more than {total:,} bytes came")
            if size > MOST:
                part.unlink()
                raise FetchError(f"{response.url} does not end: no file here has more than {MOST:,} bytes")
            if (waited := time.monotonic() - since) > patience.window:
                if gained < patience.slowest * waited:
                    raise _Again(f"only {gained / waited:.0f} bytes a second came")
                since, gained = time.monotonic(), 0
        stream.flush()
        os.fsync(stream.fileno())
    if total and size < total:
        raise _Again(f"the connection was dropped at {size:,} of {total:,} bytes")


def _accept(part: Path, target: Path, verify: Verify, origin: str) -> None:
    """Give the file its name if it is the right one; otherwise remove it."""
    try:
        verify(part)
    except ValueError as error:
        part.unlink()
        raise _Wrong(f"what came from {origin} is not the published file and was removed: {error}") from error
    os.replace(part, target)


def _judge(error: urllib.error.HTTPError, url: str, part: Path) -> Exception:
    """What a status code means: try again, or stop and say what to do."""
    if error.code == 416:  # the server's file is not longer than our part: start over
        part.unlink(missing_ok=True)
        return _Again("the server refused to resume")
    if error.code in (408, 425, 429) or error.code >= 500:
        return _Again(f"the server answered {error.code} {error.reason}")
    if error.code in (301, 302, 303, 307, 308):
        return FetchError(
            f"{url} redirects without end; take the file from elsewhere and name it with --mirror"
        )
    return FetchError(
        f"{url} answered {error.code} {error.reason}: the file has moved or needs an account. Get it by "
        "hand, put it into a folder, and name that folder with --mirror"
    )


def _tell_if_full(error: OSError, part: Path) -> None:
    """Raise FetchError if there is no room, and leave no part; any other error is the caller's."""
    if error.errno in FULL:
        part.unlink(missing_ok=True)
        raise FetchError(
            f"no room for {part.stem} in {part.parent} ({error.strerror}); free some, or choose another "
            "place with --root or TRANSFER_DATA. The unfinished file was removed"
        ) from error
