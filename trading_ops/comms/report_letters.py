"""The mail with a report: its summary to read at once, the whole of it attached as one page.

The words are the stored report's own; nothing is worked out here.
"""

import json
from collections.abc import Mapping
from typing import Any

from trading_ops.comms.letter import Attached, Letter
from trading_ops.domain.books import banner
from trading_ops.domain.ticket_layout import Row
from trading_ops.store.reports import Report

TITLES: Mapping[str, str] = {"daily": "Daily report", "weekly": "Weekly report", "monthly": "Monthly review"}


def report(found: Report, book: str) -> Letter:
    """A report as a mail."""
    head: dict[str, Any] = json.loads(found.facts)["head"]
    said, title = banner(book), TITLES[found.kind]
    first = f"{said}{title}: {head['headline']}."
    corrected = (
        [Row("text", f"This corrects the report of before: revision {found.revision}.")] if found.revision > 1 else []
    )
    rows = (
        Row("strong", first),
        *corrected,
        *(Row("item", sentence) for sentence in head["summary"]),
        Row("text", "The attached page has the pictures and every figure. The desk has all reports under Reports."),
        Row("text", f"Facts sha256 {found.facts_sha256}, page sha256 {found.html_sha256}."),
    )
    return Letter(f"{said}{head['headline']}", rows, first, attached=Attached(f"{found.name}.html", found.html))
