"""Reports that were written before the words changed come out as they were; new ones have the new words."""

import json

from trading_ops.domain.canonical import sha256_hex
from trading_ops.domain.report_facts import WeeklyFacts, facts_bytes, parse
from trading_ops.reports import forms
from trading_ops_tests.unit.golden_files import GOLDEN

STORED = (GOLDEN / "weekly_report_1.json").read_text("utf-8").rstrip("\n")
"""Facts as version 1 stored them: seven lines, one of them not answered. Never written again, nor is its text."""
HTML_SHA256 = "76fba03972bbecc893f1d6d79d242af578483dadb425f94e7d57d5902d2d00a5"


def test_a_report_of_version_1_comes_out_byte_for_byte() -> None:
    facts = parse("weekly", STORED)
    assert facts_bytes(facts).decode() == STORED
    assert forms.to_markdown(facts) == (GOLDEN / "weekly_report_1.md").read_text("utf-8")
    assert sha256_hex(forms.to_html(facts).encode()) == HTML_SHA256


def test_version_2_says_what_became_of_the_lines() -> None:
    facts = parse("weekly", json.dumps(json.loads(STORED) | {"schema_version": 2}))
    assert isinstance(facts, WeeklyFacts)
    text = forms.to_markdown(facts)
    part = text[text.index("## Asked against done") : text.index("## How the book did")]
    said = "- Lines: 4 of 7 lines done, 1 partly done, 1 skipped, 1 not answered, no instruction broken\n"
    assert said in part
    assert "| \\$76.01 | not answered |" in part
    assert "as told" not in part
