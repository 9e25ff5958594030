import contextlib
import gzip
import io
import random
import tarfile
import zipfile

import pytest
from packed import tar, zipped

from lib.data.formats import archives

MEMBERS = [("set/a.txt", b"one"), ("set/b.txt", b"two")]


@pytest.fixture
def archive(tmp_path):
    """archive(name, content) writes it and returns its path."""

    def write(name, content):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tar.gz", tar(MEMBERS)),
        ("a.tgz", tar(MEMBERS)),
        ("a.tar", tar(MEMBERS, "w")),
        ("a.zip", zipped(MEMBERS)),
    ],
)
def test_members_in_order(name, content, archive):
    path = archive(name, content)
    assert list(archives.members(path)) == MEMBERS
    assert archives.names(path) == ["set/a.txt", "set/b.txt"]
    assert list(archives.members(path, lambda n: n.endswith("b.txt"))) == MEMBERS[1:]


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
@pytest.mark.parametrize("name", ["/etc/passwd", "../up.txt", "set/../../up.txt", "..\\up.txt", "C:\\up.txt"])
def test_paths_that_leave_the_archive_are_refused(form, name, archive):
    path = archive(f"a.{form}", (tar if form == "tar.gz" else zipped)([*MEMBERS, (name, b"x")]))
    with pytest.raises(archives.Refused, match="points outside"):
        list(archives.members(path))
    with pytest.raises(archives.Refused):  # even if nobody wants that member
        list(archives.members(path, lambda n: n == "set/a.txt"))


KINDS = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]


@pytest.mark.parametrize("kind", KINDS)
def test_links_and_devices_are_refused(kind, archive):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as made:
        info = tarfile.TarInfo("set/odd")
        info.type, info.linkname = kind, "set/a.txt"
        made.addfile(info)
    with pytest.raises(archives.Refused, match="link or a device"):
        archives.names(archive("a.tar.gz", stream.getvalue()))


def test_a_link_in_a_zip_is_refused(archive):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        info = zipfile.ZipInfo("set/odd")
        info.external_attr = 0o120777 << 16
        made.writestr(info, "/etc/passwd")
    with pytest.raises(archives.Refused, match="link or a device"):
        archives.names(archive("a.zip", stream.getvalue()))


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_a_bomb_is_refused_before_it_is_read(form, archive):
    path = archive(f"a.{form}", (tar if form == "tar.gz" else zipped)([("zeros", bytes(20 * 2**20))]))
    assert path.stat().st_size < 100_000
    with pytest.raises(archives.Refused, match="swells"):
        archives.names(path)


def test_a_zip_that_lies_about_its_size_is_not_read_further(archive):
    """The directory says 10 bytes, the stream holds 20 MiB."""
    content = bytearray(zipped([("zeros", bytes(20 * 2**20))]))
    for start in (content.find(b"PK\x03\x04") + 22, content.find(b"PK\x01\x02") + 24):
        content[start : start + 4] = (10).to_bytes(4, "little")
    with pytest.raises(ValueError, match="cannot be read"):
        list(archives.members(archive("a.zip", bytes(content))))


def test_a_gzip_bomb_is_refused(archive):
    with pytest.raises(archives.Refused, match="swells"):
        archives.gunzip(archive("a.gz", gzip.compress(bytes(20 * 2**20))))
    assert archives.gunzip(archive("b.gz", gzip.compress(b"text"))) == b"text"


@pytest.mark.parametrize("cut", [10, 40, 500, -4])
@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_a_damaged_archive_says_so(form, cut, archive):
    noise = [(f"f{i}", bytes(range(256))) for i in range(50)]
    content = (tar if form == "tar.gz" else zipped)(noise)
    with pytest.raises(ValueError, match="cannot be read"):
        list(archives.members(archive(f"a.{form}", content[:cut])))


def test_a_flipped_bit_in_a_tar_says_so(archive):
    content = bytearray(tar([(f"f{i}", bytes(range(256))) for i in range(50)]))
    content[-6] ^= 1  # in the checksum, which nothing reads unless it reads to the end
    with pytest.raises(ValueError, match="cannot be read"):
        archives.names(archive("a.tar.gz", bytes(content)))


def header(kind, size, name="././@LongLink"):
    """The 512 bytes that announce so long a name, or so many attributes."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


HEADERS = [b"x", b"g", tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.SOLARIS_XHDTYPE]


@pytest.mark.parametrize("kind", HEADERS)
def test_an_endless_header_is_refused_before_it_is_read(kind, archive):
    content = gzip.compress(
        header(kind, 2**30) + bytes(2**16)
    )  # the rest would not be missed: it is not read
    with pytest.raises(archives.Refused, match="has a header of 1,073,741,824 bytes"):
        archives.names(archive("a.tar.gz", content))


def test_headers_in_headers_end(archive):
    long = header(tarfile.GNUTYPE_LONGNAME, 10) + b"a" * 9 + bytes(503)
    with pytest.raises(ValueError, match="cannot be read"):
        archives.names(archive("a.tar.gz", gzip.compress(long * 5000)))


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_too_many_members_are_refused(form, archive, monkeypatch):
    monkeypatch.setattr(archives, "MEMBERS", 5)
    noise = [(f"f{i}", b"") for i in range(6)]
    with pytest.raises(archives.Refused, match="more than 5 members"):
        archives.names(archive(f"a.{form}", (tar if form == "tar.gz" else zipped)(noise)))


def test_what_is_no_content_swells_too(archive):
    """Padding and headers weigh as well: 40 MiB of zeros after the last member."""
    content = gzip.compress(tar(MEMBERS, "w") + bytes(40 * 2**20))
    with pytest.raises(archives.Refused, match="swells"):
        archives.names(archive("a.tar.gz", content))


def test_a_negative_length_is_refused(archive):
    block = bytearray(header(tarfile.REGTYPE, 0, "a"))
    block[124:136] = b"\xff" * 12  # -1 in base 256
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(ValueError, match=r"length of -1|cannot be read"):
        archives.names(archive("a.tar", bytes(block) + bytes(1024)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_without_a_limit_are_refused(method, archive):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as made:
        made.writestr("zeros", bytes(2**20))
    with pytest.raises(archives.Refused, match=f"compressed by method {method}"):
        archives.names(archive("a.zip", stream.getvalue()))


@pytest.mark.parametrize(
    ("at", "value", "words"), [(8, 1, "is encrypted"), (10, 99, "compressed by method 99")]
)
def test_encrypted_and_unknown_members_are_refused(at, value, words, archive):
    content = bytearray(zipped(MEMBERS))
    content[content.find(b"PK\x01\x02") + at] = value
    with pytest.raises(archives.Refused, match=words):
        list(archives.members(archive("a.zip", bytes(content))))


@pytest.mark.parametrize("form", ["tar", "tar.gz", "zip", "gz"])
def test_changed_bytes_give_contents_or_one_kind_of_error(form, archive):
    noise = [(f"set/{i}.txt", bytes(range(256))) for i in range(10)]
    whole = {
        "tar": tar(noise, "w"),
        "tar.gz": tar(noise),
        "zip": zipped(noise),
        "gz": gzip.compress(noise[0][1]),
    }
    draw = random.Random(0)
    for _ in range(700):
        changed = bytearray(whole[form])
        for _ in range(draw.randint(1, 4)):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        path = archive(f"a.{form}", bytes(changed[: draw.choice([None, draw.randrange(len(changed))])]))
        with contextlib.suppress(ValueError):
            _ = archives.gunzip(path) if form == "gz" else list(archives.members(path))
