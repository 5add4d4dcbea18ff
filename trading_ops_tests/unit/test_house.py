"""The house keeps its own rules: imports point down, and a rule has one name everywhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from trading_ops.domain import confirmation as confirmation_gate
from trading_ops.domain import desk as desk_rules
from trading_ops.domain import quality_rules, reconciliation, risk, signals
from trading_ops.domain.reasons import RULES
from trading_ops.settings import shipped

ROOT = shipped("pyproject.toml").parent
WITHOUT_A_FUNCTION = {"NOTHING_TO_DO": "gates.decide answers it from the lines themselves"}


def test_imports_point_down() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("code", sorted(set(RULES) - set(WITHOUT_A_FUNCTION)))
def test_a_rule_is_a_function_of_its_name(code: str) -> None:
    rooms = (quality_rules, signals, confirmation_gate, reconciliation, risk, desk_rules)
    found = [room.__name__ for room in rooms if hasattr(room, f"check_{code.lower()}")]
    assert len(found) == 1, found


def test_every_rule_has_its_row_in_the_documents() -> None:
    text = (ROOT / "docs" / "RISK_POLICY.md").read_text()
    rows = {m.group(1): m.group(0) for m in re.finditer(r"^\| ([A-Z_]+)(?: \*)? \|.*$", text, re.MULTILINE)}
    assert set(RULES) <= set(rows)
    for code, rule in RULES.items():
        assert rule.sentence in rows[code]
        assert (f"| {code} * |" in rows[code]) == rule.starred
        assert rule.policy_key is None or f"`{rule.policy_key}`" in rows[code]


def test_locks_name_no_registry() -> None:
    for lock in ("requirements.lock", "requirements-research.lock"):
        text = (ROOT / lock).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
    assert not list(ROOT.glob("*uv.lock")) + list(ROOT.glob("poetry.lock"))
