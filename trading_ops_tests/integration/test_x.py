import pytest
from trading_ops.store.connect import connect
@pytest.mark.parametrize("i", range(5))
def test_a(fresh_home, i):
    with connect(fresh_home,"app_writer") as c: assert c.execute("select count(*) n from ops.audit_log").fetchone()["n"]==0
