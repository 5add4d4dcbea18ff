"""The nightly backup through Dagster: made, proven, a failed proof shows red and does not count."""

import datetime as dt

import dagster as dg
import pytest
from pyrage import x25519

from trading_ops.backup import keeping, proving
from trading_ops.backup.errors import BackupDamaged
from trading_ops.build import build_defs
from trading_ops.domain.errors import Refused
from trading_ops.store import audit, backups
from trading_ops.store.secret_files import write_secret
from trading_ops_tests.orchestration.loop_home import AT, Loop


def run(loop: Loop) -> dg.AssetCheckEvaluation:
    """One night; the check's answer."""
    result = build_defs().resolve_job_def("backup_job").execute_in_process(
        instance=loop.instance, resources={"desk": loop.desk(AT)}, raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )  # fmt: skip
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def test_a_night_leaves_a_proven_backup(paper: Loop) -> None:
    evaluation = run(paper)
    assert evaluation.passed, evaluation.description
    (kept,) = keeping.every(paper.home.backups_dir)
    proof = backups.newest_proof(paper.conn, audit.head(paper.conn).seq)
    assert proof is not None
    assert proof.backup_id == kept.folder.name


def test_a_night_with_a_public_key_leaves_a_proven_backup_that_only_its_private_key_opens(paper: Loop) -> None:
    public = str(x25519.Identity.generate().to_public())
    write_secret(paper.home.secrets_dir / "secrets.env", f"BACKUP_AGE_RECIPIENT={public}\n")
    evaluation = run(paper)
    assert evaluation.passed, evaluation.description
    (kept,) = keeping.every(paper.home.backups_dir)
    assert kept.manifest is not None
    assert kept.manifest.encrypted is not None
    assert kept.manifest.encrypted.recipient == public
    assert kept.folder.name in backups.proven(paper.conn)
    assert keeping.outdated([kept], backups.proven(paper.conn), AT + dt.timedelta(days=400)) == ()
    with pytest.raises(Refused, match="--identity FILE"):
        proving.verify(kept.folder)


def test_a_backup_that_does_not_come_out_equal_is_red_and_does_not_count(
    paper: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(folder: object, **_: object) -> None:
        raise BackupDamaged(f"Backup {folder}: database.dump is not what was written.")

    monkeypatch.setattr(proving, "verify", torn)
    evaluation = run(paper)
    assert not evaluation.passed
    assert "is not what was written" in str(evaluation.description)
    assert backups.newest_proof(paper.conn, audit.head(paper.conn).seq) is None
