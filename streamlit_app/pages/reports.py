"""Reports: every day, week and month, newest first; one of them whole, as it was written, to look at or to keep."""

from typing import Any

import streamlit as st

from streamlit_app.components import paging, words
from streamlit_app.components.sheet import Column, begin, facts, notice, table, verbatim
from streamlit_app.database import reading
from streamlit_app.person import Person
from trading_ops.domain.report_facts import Kind
from trading_ops.reports import forms
from trading_ops.store import reports

PAGE = 20
KINDS: dict[str, Kind | None] = {"All": None, "Daily": "daily", "Weekly": "weekly", "Monthly": "monthly"}


def show(person: Person) -> None:
    """Draw the page."""
    begin("Reports")
    chosen = st.segmented_control("Which ones", list(KINDS), default="All", key="reports:kind",
                                  on_change=paging.first, args=("reports",))  # fmt: skip
    with reading(person) as conn:
        listed, of_all = reports.listed(conn, KINDS[str(chosen or "All")], paging.page_of("reports"), PAGE)
    if not listed:
        st.markdown("There is no report yet. The first is written on the morning after the first trading day.")
        return
    names = {_name(row): row for row in listed}
    picked = st.selectbox("Open a report", list(names), index=0, key="reports:chosen")
    if picked in names:
        _one(person, names[picked])
    paging.turn("reports", of_all, PAGE)
    columns = [Column("Report"), Column("In one line", "words"), Column("Written, London")]
    lines = [[_name(row), row["headline"], words.when(row["created_at"])] for row in listed]
    table(f"{of_all} reports, newest first", columns, lines)


def _name(row: dict[str, Any]) -> str:
    day = row["day"]
    named = {"daily": f"Day {words.day(day)}", "weekly": f"Week {row['week']}",
             "monthly": f"Month {words.month(f'{day:%Y-%m}')}"}  # fmt: skip
    what = named[row["kind"]]
    return f"{what}, revision {row['revision']}" if row["revision"] > 1 else what


def _one(person: Person, row: dict[str, Any]) -> None:
    with reading(person) as conn:
        found = reports.get(conn, row["kind"], row["day"], row["revision"])
    if found is None:
        st.error("This report is gone. Ask for another one.")
        return
    if found.revision > 1:
        notice("amber", "CORRECTED.", f"Revision {found.revision}: the figures of the one before no longer hold.")
    st.download_button("Keep it as one page", found.html, f"{found.name}.html", "text/html", key="reports:keep")
    st.html(forms.body_of(found.html))
    with st.expander("The same as text, and its hashes"):
        verbatim(found.markdown, found.name)
        facts([
            ("SHA-256 of its facts", found.facts_sha256), ("Of its text", found.markdown_sha256),
            ("Of its page", found.html_sha256),
        ])  # fmt: skip
