"""The files of a backup: unpacked as they were packed, and never outside of the home that takes them."""

import io
import tarfile
from pathlib import Path

import pytest

from trading_ops.backup import files
from trading_ops.backup.errors import BackupDamaged
from trading_ops.settings import Settings


def archive(path: Path, name: str, kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w") as made:
        member = tarfile.TarInfo(name)
        member.type, member.size, member.linkname = kind, 3 if kind == tarfile.REGTYPE else 0, "/etc/passwd"
        made.addfile(member, io.BytesIO(b"abc"))
    return path


def test_what_was_packed_comes_out_with_any_python_3_11(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Settings(tmp_path / "home")
    home.make_folders()
    kept = home.tickets_dir / "2025-W06.md"
    kept.write_text("the ticket\n")
    kept.chmod(0o640)
    assert files.pack(home, tmp_path / "files.tar") == 1

    def extract(*_words: object, **named: object) -> None:
        raise TypeError(f"TarFile.extract() got an unexpected keyword argument {next(iter(named))!r}")

    monkeypatch.setattr(tarfile.TarFile, "extract", extract)  # Debian's Python 3.11.2 knows no filter=
    assert files.unpack(tmp_path / "files.tar", tmp_path / "other") == 1
    out = tmp_path / "other" / "artifacts" / "tickets" / "2025-W06.md"
    assert out.read_text() == "the ticket\n"
    assert out.stat().st_mode & 0o777 == 0o640
    assert int(out.stat().st_mtime) == int(kept.stat().st_mtime)


@pytest.mark.parametrize(
    "name",
    [
        "snapshots/../../evil",
        "artifacts/../../../evil",
        "../evil",
        "/evil",
        "secrets/db.json",
        "snapshots/..",
        "snapshots",
    ],
)
def test_nothing_is_written_outside_of_the_home_s_folders(tmp_path: Path, name: str) -> None:
    with pytest.raises(BackupDamaged, match="does not belong"):
        files.unpack(archive(tmp_path / "files.tar", name), tmp_path / "home")
    assert not list(tmp_path.rglob("evil"))


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    with pytest.raises(BackupDamaged, match="does not belong"):
        files.unpack(archive(tmp_path / "files.tar", "snapshots/link", tarfile.SYMTYPE), tmp_path / "home")
    home = tmp_path / "home"
    (home / "snapshots").mkdir(parents=True)
    (home / "snapshots" / "away").symlink_to(tmp_path)
    with pytest.raises(BackupDamaged, match="does not belong"):
        files.unpack(archive(tmp_path / "files.tar", "snapshots/away/evil"), home)
    assert not list(tmp_path.rglob("evil"))
