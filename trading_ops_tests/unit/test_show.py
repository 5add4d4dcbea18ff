"""Facts printed as CSV: no cell runs as a formula in a spreadsheet, and numbers stay numbers."""

import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_ops.commands import show

RUN_BY_SPREADSHEETS = "=+-@\t"


def printed(capsys: pytest.CaptureFixture[str], value: object) -> str:
    """The cell as a spreadsheet would read it back."""
    show.as_csv([{"symbol": "AAA", "why": value}])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    return row["why"]


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x","y")', "=1+1", "+1+1", "-1+1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1+1",
        " =1+1", "＝1+1", "-", "--5", "-5%", "+5", "-1,5", "-1e5", "-١",
    ],
)  # fmt: skip
def test_text_that_would_run_is_neutralised(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "cell"),
    [("\r=1+1", "' =1+1"), ("\n=1+1", "' =1+1"), ("late\r\n=1+1", "late =1+1"), ("late\r=1+1", "late =1+1")],
)
def test_a_line_break_starts_no_new_row(text: str, cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, text) == cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("-12.50", "-12.50"), ("-3", "-3"), (Decimal("-0.01"), "-0.01"), (-7, "-7"), ("310.00", "310.00"), (None, ""),
        ("late fill", "late fill"), ("a=b", "a=b"), ("2018-02-05", "2018-02-05"), ("", ""), (True, "True"),
        ('say "hi", then go', 'say "hi", then go'),
    ],
)  # fmt: skip
def test_numbers_and_words_stay_as_they_are(value: object, cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, value) == cell


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_starts_as_a_formula_but_a_number(text: str) -> None:
    cell = show._inert(text)
    assert isinstance(cell, str)
    assert not set(cell) & set("\r\n")
    if cell.lstrip(" ")[:1] in tuple(RUN_BY_SPREADSHEETS):
        assert Decimal(cell) < 0


def test_csv_json_and_table_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"note": "=1+1", "gbp": "-1.50"}]
    show.rows(rows, "csv", "nothing")
    assert capsys.readouterr().out == "note,gbp\n'=1+1,-1.50\n"
    show.rows(rows, "json", "nothing")
    assert json.loads(capsys.readouterr().out) == rows  # data for programs is not changed
    show.rows([], "csv", "nothing")
    assert capsys.readouterr().out == ""
    show.rows([], "table", "nothing")
    assert capsys.readouterr().out == "nothing\n"
