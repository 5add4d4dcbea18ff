"""Encrypted backups: proven as they are kept, restored with the key alone, refused in one sentence without it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pyrage import x25519

from trading_ops.backup import encryption, keeping, making, manifest, proving
from trading_ops.backup.encryption import RECIPIENT
from trading_ops.backup.errors import BackupDamaged
from trading_ops.backup.manifest import DATABASE, FILES, MANIFEST, ROLES, SEAL, SUFFIX
from trading_ops.domain.errors import ConfigError, Refused
from trading_ops.settings import Settings
from trading_ops.store import audit, backups, tickets
from trading_ops.store.secret_files import write_secret
from trading_ops.store.server import Server
from trading_ops_tests.integration import command_line, lived_factory
from trading_ops_tests.integration.home_factory import opened
from trading_ops_tests.integration.test_backup import NOW, seal_again

pytestmark = lived_factory.needs_real_prices
CIPHERS = {f"{name}{SUFFIX}" for name in (DATABASE, FILES, ROLES)}
HOUSEHOLD, STRANGER = x25519.Identity.generate(), x25519.Identity.generate()
PUBLIC = str(HOUSEHOLD.to_public())


def asking_for(home: Settings, recipient: str) -> Settings:
    write_secret(home.secrets_dir / "secrets.env", f"{RECIPIENT}={recipient}\n")
    return home


@pytest.fixture(scope="module")
def home(
    embedded_server: Server, administrator: psycopg.Connection[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A book that lived through two weeks, whose household wants its backups encrypted."""
    stage = lived_factory.live(embedded_server, administrator).lived
    with lived_factory.own_home(stage, administrator, tmp_path_factory.mktemp("sealed") / "home") as made:
        yield asking_for(made, PUBLIC)


@pytest.fixture(scope="module")
def whole(home: Settings) -> Path:
    """An encrypted backup that was proven when it was made; tests work on copies."""
    done = command_line.run(home, "backup", "create")
    assert (done.code, done.err) == (0, "")
    assert f"Encrypted to {PUBLIC}" in done.out
    return keeping.find(home.backups_dir, None)


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "away" / whole.name))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The household's key as age-keygen writes it."""
    path = tmp_path / "backup-key.txt"
    path.write_text(f"# created: 2026-01-03T09:00:00Z\n# public key: {PUBLIC}\n{HOUSEHOLD}\n")
    return path


def test_nothing_that_was_backed_up_lies_there_in_plain_and_the_proof_is_of_what_lies_there(
    home: Settings, whole: Path
) -> None:
    assert {path.name for path in whole.iterdir()} == CIPHERS | {MANIFEST, SEAL}
    assert {path.stat().st_mode & 0o777 for path in whole.iterdir()} == {0o600}
    bodies = b"".join((whole / name).read_bytes() for name in CIPHERS)
    assert b"PGDMP" not in bodies, "a dump begins with these letters"
    assert b"SIMULATED" not in bodies, "every ticket of this book begins with this word"
    found = manifest.read(whole)
    assert found.encrypted is not None
    assert set(found.files) == CIPHERS
    assert set(found.encrypted.plain) == {DATABASE, FILES, ROLES}
    with opened(home) as conn:
        proof = backups.newest_proof(conn, audit.head(conn).seq)
    assert proof is not None
    assert proof.backup_id == whole.name


def test_the_proof_decrypts_and_restores_the_very_files_that_are_kept(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encrypted = encryption.wanted(home)
    assert encrypted is not None
    with opened(home) as conn, making.one_at_a_time(home):
        made = making.create(conn, home, NOW, encrypted)
    folder = Path(shutil.move(home.backups_dir / made.backup_id, tmp_path / made.backup_id))
    dump = folder / f"{DATABASE}{SUFFIX}"
    body = bytearray(dump.read_bytes())
    body[-1] ^= 1
    dump.write_bytes(body)
    seal_again(folder)
    manifest.read(folder)  # every hash of what lies there fits
    with pytest.raises(BackupDamaged, match=r"database\.dump\.age cannot be decrypted"):
        proving.verify(folder, keys=encrypted.moment)


def test_an_empty_machine_becomes_the_home_that_was_lost_with_the_key(
    home: Settings, copy: Path, key: Path, tmp_path: Path
) -> None:
    new = Settings(tmp_path / "new machine", database=home.database)
    done = command_line.run(new, "backup", "restore", str(copy), "--identity", str(key))
    assert (done.code, done.err) == (0, "")
    words = ("ledger", "positions", "--asof", "2018-01-29", "--format", "csv")
    assert command_line.run(new, *words) == command_line.run(home, *words)
    with opened(home) as conn, Server(new).use(), opened(new) as again:
        last = tickets.every(conn)[-1]
        assert tickets.every(again)[-1] == last
        assert audit.broken(again) == []
    name = f"{last.ticket_id}.md"
    assert new.tickets_dir.joinpath(name).read_bytes() == home.tickets_dir.joinpath(name).read_bytes()
    assert not [path for path in new.home.rglob("*") if path.name in (DATABASE, FILES)], "nothing decrypted is left"


def test_without_the_key_an_empty_machine_stays_empty(home: Settings, copy: Path, tmp_path: Path) -> None:
    new = Settings(tmp_path / "new machine", database=home.database)
    done = command_line.run(new, "backup", "restore", str(copy))
    assert done.code == 1
    assert done.err == (
        f"Backup {copy.name} is encrypted to {PUBLIC}. Name the file that holds its private key: --identity FILE.\n"
    )
    assert not new.postgres_dir.exists()


def test_another_key_opens_nothing(copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(f"{STRANGER}\n")
    with pytest.raises(
        Refused, match=f"is encrypted to {PUBLIC}, and .*other.txt holds the key of {STRANGER.to_public()}"
    ):
        proving.verify(copy, keys=encryption.read_keys(other))
    forged = encryption.Keys("a forged one", (HOUSEHOLD, STRANGER))
    assert proving.verify(copy, keys=forged).backup_id == copy.name, "one right key among others is enough"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("", "holds no key"),
        ("# only a comment\n", "holds no key"),
        (f"{PUBLIC}\n", "line 1: is no private key of age"),
        ("age-encryption.org/v1\n-> scrypt AAAA 18\n", "is encrypted itself"),
    ],
    ids=["missing", "empty", "comment", "public key", "locked"],
)
def test_a_file_that_is_no_identity_is_refused_in_one_sentence(
    home: Settings, whole: Path, tmp_path: Path, text: str | None, said: str
) -> None:
    file = tmp_path / "identity.txt"
    if text is not None:
        file.write_text(text)
    done = command_line.run(home, "backup", "verify", whole.name, "--identity", str(file))
    assert (done.code, done.out) == (1, "")
    assert f"--identity {file}" in done.err
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_verify_without_the_key_looks_at_the_ciphers_and_notes_no_proof(home: Settings, whole: Path) -> None:
    with opened(home) as conn:
        before = backups.proven(conn)
    done = command_line.run(home, "backup", "verify", whole.name)
    assert done.code == 0
    assert "every file is what was written" in done.out
    assert "was not restored" in done.out
    said = json.loads(command_line.run(home, "backup", "verify", whole.name, "--json").out)
    assert (said["equal"], said["noted"], said["encrypted_to"]) == (None, False, PUBLIC)
    with opened(home) as conn:
        assert backups.proven(conn) == before


def test_verify_with_the_key_restores_and_notes_that_the_key_opened_it(home: Settings, whole: Path, key: Path) -> None:
    def doctor() -> dict[str, Any]:
        rows = json.loads(command_line.run(home, "doctor", "--json").out)
        return next(row for row in rows if row["check"] == "key of the backups")

    with opened(home) as conn:
        before = backups.proven(conn)[whole.name]
    assert (doctor()["ok"], doctor()["seen"]) == ("NO", "has opened none yet"), "the key of the moment is not theirs"
    done = command_line.run(home, "backup", "verify", whole.name, "--identity", str(key))
    assert done.out.startswith(f"backup {whole.name} came out equal")
    with opened(home) as conn:
        assert backups.proven(conn)[whole.name] > before
    assert doctor()["ok"] == "yes"


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "plain beside"])
def test_a_damaged_cipher_is_named_with_and_without_the_key(home: Settings, copy: Path, key: Path, harm: str) -> None:
    dump = copy / f"{DATABASE}{SUFFIX}"
    body = bytearray(dump.read_bytes())
    if harm == "flip":
        body[len(body) // 2] ^= 1
        dump.write_bytes(body)
    elif harm == "cut":
        dump.write_bytes(body[:-1])
    elif harm == "gone":
        dump.unlink()
    else:
        copy.joinpath(DATABASE).write_bytes(b"PGDMP")
    for words in ((), ("--identity", str(key))):
        done = command_line.run(home, "backup", "verify", str(copy), *words)
        assert (done.code, done.out) == (1, "")
        assert "database.dump" in done.err
        assert "another backup" in done.err
        assert len(done.err.splitlines()) == 1


def test_a_cipher_of_something_else_does_not_pass_for_what_was_encrypted(copy: Path, key: Path) -> None:
    """Whoever has the public key can make ciphers; the hash of the plain file is what they cannot meet."""
    other = encryption.Encryption(PUBLIC, encryption.Keys("", (STRANGER,)))
    copy.joinpath(ROLES).write_text("-- another file\n")
    other.encrypt(copy, (ROLES,))
    seal_again(copy)
    with pytest.raises(BackupDamaged, match=r"roles\.sql is not what was encrypted"):
        proving.verify(copy, keys=encryption.read_keys(key))


def test_a_home_that_asks_for_nothing_makes_plain_backups_as_before(home: Settings, tmp_path: Path) -> None:
    asking_for(home, "")
    try:
        assert encryption.wanted(home) is None
        with opened(home) as conn, making.one_at_a_time(home):
            made = making.create(conn, home, NOW)
    finally:
        asking_for(home, PUBLIC)
    folder = Path(shutil.move(home.backups_dir / made.backup_id, tmp_path / made.backup_id))
    assert {path.name for path in folder.iterdir()} == {DATABASE, FILES, ROLES, MANIFEST, SEAL}
    said = json.loads(folder.joinpath(MANIFEST).read_bytes())
    assert (said["layout"], "encrypted" in said) == (1, False)
    assert proving.verify(folder).backup_id == made.backup_id


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (str(STRANGER), "holds a private key"),
        ("age1notreally", "is no public key of age"),
        ("anna", "is no public key"),
    ],
    ids=["private key", "nearly one", "a name"],
)
def test_what_is_no_public_key_is_refused_before_anything_is_made_and_never_shown(
    fresh_home: Settings, value: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        encryption.wanted(asking_for(fresh_home, value))
    assert RECIPIENT in str(refused.value)
    assert value not in str(refused.value)


def test_the_private_key_of_the_moment_is_in_no_text(home: Settings, whole: Path) -> None:
    encrypted = encryption.wanted(home)
    assert encrypted is not None
    assert "SECRET" not in repr(encrypted)
    assert b"SECRET" not in whole.joinpath(MANIFEST).read_bytes()


def test_the_script_takes_the_key_from_wherever_it_is_called(copy: Path, key: Path, tmp_path: Path) -> None:
    """Both paths are relative to the caller, and the script goes elsewhere."""
    script = Path(__file__).parents[2] / "scripts" / "restore_db.sh"
    env = {"PATH": "/usr/bin:/bin", "TRADING_OPS_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    words = [script, f"away/{copy.name}", "--identity", key.name]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"restored {copy.name}" in done.stdout
    wrong = subprocess.run([*words, "more"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
