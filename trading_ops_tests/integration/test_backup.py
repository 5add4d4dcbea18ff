"""A backup counts once it was restored and everything came out equal; whatever else it is, it is refused."""

import datetime as dt
import hashlib
import json
import random
import resource
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from trading_ops.backup import files, making, manifest, proving, restoring
from trading_ops.backup.errors import BackupDamaged
from trading_ops.backup.manifest import DATABASE, FILES, MANIFEST, ROLES, SEAL
from trading_ops.domain.errors import Refused
from trading_ops.settings import Settings
from trading_ops.store import audit, backups, desk, tickets
from trading_ops.store.binaries import program
from trading_ops.store.secret_files import write_secret
from trading_ops.store.server import Server
from trading_ops_tests.integration import command_line, lived_factory
from trading_ops_tests.integration.home_factory import opened

pytestmark = lived_factory.needs_real_prices
NOW = dt.datetime(2026, 1, 3, 9, tzinfo=dt.UTC)
SECRET = "sentinel-3f9c1e-password"


@pytest.fixture(scope="module")
def home(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A book that lived through two weeks."""
    stage = lived_factory.live(embedded_server, administrator).lived
    with lived_factory.own_home(stage, administrator, tmp_path_factory.mktemp("backed") / "home") as made:
        write_secret(made.secrets_dir / "secrets.env", f"SMTP_PASSWORD={SECRET}\n")
        yield made


@pytest.fixture(scope="module")
def whole(home: Settings) -> Path:
    """A backup of it; tests work on copies."""
    with opened(home) as conn, making.one_at_a_time(home):
        return home.backups_dir / making.create(conn, home, NOW).backup_id


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "away" / whole.name))


def seal_again(folder: Path, **changes: object) -> None:
    """Make a set's hashes fit whatever was done to it, as only somebody who means harm would."""
    said = json.loads(folder.joinpath(MANIFEST).read_bytes()) | changes
    said["files"] = {p.name: manifest.file_sha256(p) for p in folder.iterdir() if p.name not in (MANIFEST, SEAL)}
    folder.joinpath(MANIFEST).write_text(json.dumps(said, sort_keys=True, separators=(",", ":")))
    digest = hashlib.sha256(folder.joinpath(MANIFEST).read_bytes()).hexdigest()
    folder.joinpath(SEAL).write_text(f"{digest}\n")


def test_what_was_backed_up_comes_out_equal_and_is_noted_as_proven(home: Settings, whole: Path) -> None:
    found = proving.verify(whole)
    assert found.kept == sum(1 for f in files.FOLDERS for p in (home.home / f).rglob("*") if p.is_file())
    assert {"ops.tickets", "ops.market_prices_eod", "ops_meta.schema_version"} <= found.database.tables.keys()
    assert any(name.startswith("ticket ") for name in found.database.texts)
    with opened(home) as conn:
        assert proving.record(conn, found, NOW + dt.timedelta(minutes=1))
        proof = backups.newest_proof(conn, audit.head(conn).seq)
        before = backups.newest_proof(conn, found.database.audit_seq)
    assert proof is not None
    assert (proof.backup_id, proof.made_at) == (whole.name, NOW)
    assert before is None


def test_an_empty_machine_becomes_the_home_that_was_lost(home: Settings, copy: Path, tmp_path: Path) -> None:
    new = Settings(tmp_path / "new machine", database=home.database)
    done = command_line.run(new, "backup", "restore", str(copy))
    assert (done.code, done.err) == (0, "")
    assert "secrets" in done.out
    for words in (
        ("ledger", "positions", "--asof", "2018-01-29", "--format", "csv"),
        ("ledger", "cash", "--asof", "2018-01-29", "--format", "csv"),
        ("ledger", "lots", "--asof", "2018-01-29", "--format", "csv"),
    ):
        old, restored = command_line.run(home, *words), command_line.run(new, *words)
        assert restored == old
        assert len(old.out.splitlines()) > 1
    with opened(home) as conn, Server(new).use(), opened(new) as again:
        last = tickets.every(conn)[-1]
        assert tickets.every(again)[-1] == last
        markdown = f"{last.ticket_id}.md"
        assert new.tickets_dir.joinpath(markdown).read_bytes() == home.tickets_dir.joinpath(markdown).read_bytes()
        assert audit.broken(again) == []
    assert "audit holds" in command_line.run(new, "audit", "verify").out
    assert command_line.run(new, "ticket", "replay", last.ticket_id).code == 0
    again = command_line.run(new, "backup", "restore", str(copy))
    assert again.code == 1
    assert "holds something already" in again.err


def test_a_restore_that_was_cut_off_before_the_end_starts_again_or_goes_on(
    home: Settings, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Settings(tmp_path / "new", database=home.database)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(proving, "fill", cut)
        with pytest.raises(KeyboardInterrupt):
            restoring.restore(copy, new)
    assert not new.postgres_dir.exists()
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "_move", cut)
        with pytest.raises(KeyboardInterrupt):
            restoring.restore(copy, new)
    assert not new.postgres_dir.exists()
    restoring.restore(copy, new)
    with Server(new).use(), opened(new) as conn:
        assert tickets.every(conn)
    assert not new.home.joinpath(restoring.BESIDE).exists()


def damage(folder: Path, dice: random.Random) -> str:
    """Do one of the things that disks and people do to files; returns what."""
    file = folder / dice.choice((DATABASE, FILES, ROLES, MANIFEST, SEAL))
    body = bytearray(file.read_bytes())
    kind = dice.choice(("flip", "cut", "zeros", "gone", "more", "swapped", "emptied"))
    if kind == "flip":
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
    elif kind == "cut":
        del body[dice.randrange(len(body)) :]
    elif kind == "zeros":
        start = dice.randrange(len(body))
        stop = min(len(body), start + 512)
        body[start:stop] = bytes(stop - start) if any(body[start:stop]) else b"\x01" * (stop - start)
    elif kind == "more":
        body += b"\n"
    elif kind == "emptied":
        body.clear()
    elif kind == "swapped":
        other = folder / dice.choice([n for n in (DATABASE, FILES, ROLES, MANIFEST, SEAL) if n != file.name])
        body[:] = other.read_bytes()
    file.write_bytes(body)
    if kind == "gone":
        file.unlink()
    return f"{kind} {file.name}"


def test_a_hundred_damaged_backups_are_refused_by_name(whole: Path, tmp_path: Path) -> None:
    dice, refused, kinds = random.Random(20180202), 0, set()
    for number in range(100):
        folder = Path(shutil.copytree(whole, tmp_path / str(number) / whole.name))
        kinds.add(damage(folder, dice))
        with pytest.raises(BackupDamaged, match=r"Use another backup|use another backup|Use another\."):
            proving.verify(folder)
        refused += 1
        shutil.rmtree(folder.parent)
    assert refused == 100
    assert len(kinds) > 20, kinds


def swap_in_an_older_database(folder: Path, home: Settings) -> None:
    with opened(home) as conn, conn.transaction():
        desk.set_kill_switch(conn, "ACTIVE", lived_factory.ASOF, "a fact that came later", "omar")
    with opened(home) as conn, making.one_at_a_time(home):
        later = home.backups_dir / making.create(conn, home, NOW + dt.timedelta(hours=1)).backup_id
    shutil.copyfile(later / DATABASE, folder / DATABASE)
    shutil.rmtree(later)


def cut_the_dump(folder: Path, _home: Settings) -> None:
    dump = folder / DATABASE
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])


def rewrite_files(folder: Path, change: Callable[[tarfile.TarFile, tarfile.TarFile], None]) -> None:
    packed, out = folder / FILES, folder / "new.tar"
    with tarfile.open(packed) as before, tarfile.open(out, "w") as after:
        change(before, after)
    out.replace(packed)


def alter_a_part(folder: Path, _home: Settings) -> None:
    def change(before: tarfile.TarFile, after: tarfile.TarFile) -> None:
        for member in before:
            source = before.extractfile(member)
            assert source is not None
            if member.name.startswith("snapshots/bars"):
                source.seek(0)
                member.size -= 1
            after.addfile(member, source)

    rewrite_files(folder, change)


def climb_out(folder: Path, _home: Settings) -> None:
    def change(before: tarfile.TarFile, after: tarfile.TarFile) -> None:
        for member in before:
            source = before.extractfile(member)
            member.name = "artifacts/../../escaped"
            after.addfile(member, source)

    rewrite_files(folder, change)


@pytest.mark.parametrize("harm", [swap_in_an_older_database, cut_the_dump, alter_a_part, climb_out])
def test_damage_whose_hashes_fit_is_found_by_the_restore(
    home: Settings, copy: Path, harm: Callable[[Path, Settings], None]
) -> None:
    harm(copy, home)
    seal_again(copy)
    manifest.read(copy)  # every hash fits
    with pytest.raises(BackupDamaged):
        proving.verify(copy)


def test_another_set_under_this_name_is_refused(copy: Path) -> None:
    other = copy.rename(copy.with_name("20180205T053000Z-00000000"))
    with pytest.raises(BackupDamaged, match="its manifest is that of"):
        proving.verify(other)


def test_no_password_is_in_a_backup(home: Settings, whole: Path) -> None:
    passwords = [*json.loads(home.secrets_dir.joinpath("db.json").read_text()).values(), SECRET]
    everything = b"".join(path.read_bytes() for path in whole.iterdir())
    plain = subprocess.run(
        [program("pg_restore"), "--file=-", whole / DATABASE], capture_output=True, check=True
    ).stdout
    assert len(plain) > 100_000
    for password in passwords:
        assert password.encode() not in everything + plain
    assert {path.stat().st_mode & 0o777 for path in whole.iterdir()} == {0o600}


def test_a_full_disk_leaves_nothing_and_says_so(home: Settings, whole: Path) -> None:
    before = sorted(home.backups_dir.iterdir())
    done = subprocess.run(
        [command_line.COMMAND, "backup", "create"],
        env=dict(home.to_env()), capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "pg_dump failed" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(home.backups_dir.iterdir()) == before


def test_two_at_once_are_kept_apart(home: Settings) -> None:
    with making.one_at_a_time(home), pytest.raises(Refused, match="at work in this home"), making.one_at_a_time(home):
        pass


def test_the_command_makes_proves_lists_and_clears(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path: Path
) -> None:
    stage = lived_factory.live(embedded_server, administrator).lived
    with lived_factory.own_home(stage, administrator, tmp_path / "home") as home:
        with opened(home) as conn, making.one_at_a_time(home):
            old = making.create(conn, home, NOW).backup_id
        done = command_line.run(home, "backup", "create")
        assert done.code == 0
        assert " proven: " in done.out
        assert f"Removed {old}, older than 30 days." in done.out
        (listed,) = json.loads(command_line.run(home, "backup", "list", "--json").out)
        assert listed["backup"] in done.out
        assert listed["proven"].endswith("London")
        verified = command_line.run(home, "backup", "verify")
        assert verified.out.startswith(f"backup {listed['backup']} came out equal")
        assert "audit holds" in command_line.run(home, "audit", "verify").out
