"""Which backups may go: old ones, and never the last that is known to work."""

import datetime as dt
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trading_ops.backup import keeping
from trading_ops.backup.fingerprint import Fingerprint
from trading_ops.backup.keeping import Kept
from trading_ops.backup.manifest import Manifest

NOW = dt.datetime(2026, 3, 1, 6, tzinfo=dt.UTC)


def a_set(days: int) -> Kept:
    made = NOW - dt.timedelta(days=days)
    name = f"{made:%Y%m%dT%H%M%SZ}-00000000"
    held = Manifest(name, made, "live", "0005", "", 18, "", Fingerprint({}, 0, "", {}), {}, 0)
    return Kept(Path(name), held, 1, "")


def names(sets: tuple[Kept, ...]) -> set[str]:
    return {each.folder.name for each in sets}


def test_old_backups_go_but_the_last_proven_and_the_newest_stay() -> None:
    sets = [a_set(days) for days in (90, 60, 45, 31, 30, 1)]
    proven = {sets[0].folder.name, sets[2].folder.name}
    assert names(keeping.outdated(sets, proven, NOW)) == {sets[0].folder.name, sets[1].folder.name, sets[3].folder.name}


def test_a_home_that_was_away_keeps_its_one_old_backup() -> None:
    assert keeping.outdated([a_set(400)], set(), NOW) == ()


@given(st.sets(st.integers(0, 200), max_size=12), st.data())
def test_the_last_proven_one_never_goes(ages: set[int], data: st.DataObject) -> None:
    sets = [a_set(days) for days in sorted(ages, reverse=True)]
    proven = data.draw(st.sets(st.sampled_from([s.folder.name for s in sets]))) if sets else set()
    gone = names(keeping.outdated(sets, proven, NOW))
    if proven:
        assert max(proven) not in gone
    assert len(gone) < len(sets) or not sets
    assert all(NOW - s.manifest.made_at > keeping.KEEP for s in sets if s.manifest and s.folder.name in gone)
