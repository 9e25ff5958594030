import gzip
import io
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
