"""What is no readable English statement is refused by name, with the sheet, the row and the way out."""

import io
import zipfile
from typing import Any

import pytest
from openpyxl import load_workbook

from trading_ops.broker import container, workbook
from trading_ops.broker.statement import read_statement
from trading_ops.domain.errors import BadInput
from trading_ops_tests.unit import statement_factory as factory

SUMMARY = factory.summary_rows("GBP", "GBP", ("01/05/2026 00:00:00", "31/07/2026 23:59:59"))
HEADER = factory.ACTIVITY_HEADERS["2025.2"].split(",")
ENGLISH = "Set the language of the eToro site to English"


def refusal(data: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        read_statement(data, "s.xlsx")
    return str(caught.value)


def with_header(header: list[str], sheet: str = "Account Activity") -> bytes:
    sheets: dict[str, Any] = {"Account Summary": SUMMARY, "Account Activity": [HEADER]}
    return factory.xlsx({**sheets, sheet: [header]})


@pytest.mark.parametrize("language", factory.LANGUAGES)
def test_a_translated_statement_is_named_by_its_language(language: str) -> None:
    said = refusal(factory.build(closed=[], dividends=[], language=language))
    assert f"looks {language}" in said
    assert ENGLISH in said


@pytest.mark.parametrize("language", factory.LANGUAGES)
def test_translated_headers_under_english_sheet_names(language: str) -> None:
    said = refusal(with_header(factory.LANGUAGES[language][1].split(",")))
    assert f"sheet Account Activity, row 1: the column names look {language}" in said
    assert ENGLISH in said


def test_one_translated_sheet_is_not_left_out_silently() -> None:
    said = refusal(factory.xlsx({"Account Summary": SUMMARY, "Account Activity": [HEADER], "Dywidendy": [["Data"]]}))
    assert "looks Polish" in said


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ([*HEADER, "Mood"], "row 1: unknown column 'Mood'"),
        ([h for h in HEADER if h != "Balance"], "row 1: missing column 'balance'"),
        ([*HEADER, "Amount"], "the column 'Amount' is there twice"),
        ([*HEADER, "Amount in XTS"], "names the currency XTS"),
        (["Date", "Type"], "missing column"),
    ],
)
def test_another_header_is_refused_by_its_column(header: list[str], said: str) -> None:
    assert said in refusal(with_header(header))


@pytest.mark.parametrize("sheet", ["Closed Positions", "Dividends", "Holdings"])
def test_every_table_must_be_a_known_version(sheet: str) -> None:
    assert f"sheet {sheet}, row 1: unknown column 'Foo'" in refusal(with_header(["Foo", "Position ID"], sheet))


def test_an_unknown_type_stops_the_import_with_the_row_shown() -> None:
    said = refusal(factory.build(activity=[factory.opened(), factory.activity("Lottery", "AAPL/USD", "5.00")]))
    assert "sheet Account Activity, row 3, column Type: the type 'Lottery' is not known" in said
    assert "02/06/2026 14:50:00 | Lottery | AAPL/USD | 5.00" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Amount": "4.581,91"}, "column Amount: '4.581,91' has a decimal comma. " + ENGLISH),
        ({"Amount": "(6,97)"}, "has a decimal comma"),
        ({"Amount": "4 581,91"}, "has a decimal comma"),
        ({"Amount": "1.234.567"}, "has a decimal comma"),
        ({"Amount": "1,234"}, "which one is not guessed. " + ENGLISH),
        ({"Amount": "12,34.5"}, "is not a number"),
        ({"Amount": "1e5"}, "is not a number"),
        ({"Amount": "£5.00"}, "is not a number"),
        ({"Amount": "(-5.00)"}, "is not a number"),
        ({"Amount": "٣"}, "is not a number"),
        ({"Amount": True}, "is not a number"),
        ({"Amount": "-"}, "is empty"),
        ({"Units": "2,5"}, "column Units / Contracts"),
        ({"Date": "06/31/2026 14:50:00"}, "no date that exists"),
        ({"Date": "2026-06-02 14:50:00"}, "is not a time"),
        ({"Date": "02/06/2026"}, "has no time of day"),
        ({"Date": 12}, "is not a date between"),
        ({"Date": 10**12}, "is not a date of Excel"),
        ({"Position ID": "2.27E+09"}, "is not a Position ID"),
        ({"Position ID": "-"}, "which one is not told"),
        ({"Amount": "=1+1"}, "cell D2 holds the formula '=1+1'"),
        ({"Details": '=HYPERLINK("http://x")'}, "cell C2 holds the formula"),
        ({"Details": "#REF!"}, "holds the error '#REF!'"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(changes: dict[str, Any], said: str) -> None:
    text = refusal(factory.build(activity=[{**factory.opened(), **changes}]))
    assert "s.xlsx, sheet Account Activity, row 2" in text
    assert said in text


@pytest.mark.parametrize(
    "row",
    [factory.activity("corp action: Split", details) for details in ("XLK/USD", "XLK/USD 2:0", "XLK/USD 2,5:1", "-")]
    + [factory.activity("corp action: Split", "XLK/USD 2:1", "5.00")],
)
def test_a_split_of_another_form_is_refused(row: factory.Row) -> None:
    assert "a split is expected as XLK/USD 2:1" in refusal(factory.build(activity=[row]))


def test_a_dividend_in_pence_is_not_taken_for_pounds() -> None:
    row = factory.paid({"USD": "1.60"}, Currency="GBX")
    said = refusal(factory.build(dividends=[row], currency="USD", dividends_version="2025.11"))
    assert "row 2, column Currency: 'GBX' is not a currency known here" in said


def test_a_position_twice_in_a_snapshot_is_refused() -> None:
    assert "is there twice for 2026-06-30" in refusal(factory.build(holdings=[factory.held(), factory.held()]))


@pytest.mark.parametrize(
    ("sheets", "said"),
    [
        ({"Account Summary": SUMMARY}, "the sheet 'Account Activity' is missing, there are 'Account Summary'"),
        ({"Account Activity": [HEADER]}, "the sheet 'Account Summary' is missing"),
        ({"Account Activity": [HEADER], "Account Summary": SUMMARY[:3]}, "no row Currency"),
        ({"Account Activity": [], "Account Summary": SUMMARY}, "the row of column names is missing"),
        ({"Account Activity": [[], HEADER], "Account Summary": SUMMARY}, "the row of column names is missing"),
        ({"Sheet": []}, "the sheet 'Account Activity' is missing"),
        ({"Account Activity": [HEADER, [None] * 70 + ["x"]], "Account Summary": SUMMARY}, None),
    ],
)
def test_a_workbook_that_is_no_statement(sheets: dict[str, Any], said: str | None) -> None:
    if said is None:  # a lone cell far to the right is either refused or no row
        sheets["Account Activity"][1] = [None] * 60 + ["x"]
        said = "more than 60 columns"
    assert said in refusal(factory.xlsx(sheets))


def zipped(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def repacked(part: str, change: Any) -> bytes:
    with zipfile.ZipFile(io.BytesIO(factory.build())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    return zipped(parts)


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (OLE, "old Excel format"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "locked with a password"),
        (b"Date,Type,Details\n1,2,3\n", "CSV"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x89PNG\r\n\x1a\n\0\0", "no XLSX workbook"),
        (zipped({"a.txt": b"x"}), "ZIP file but no XLSX"),
        (zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""}), "damaged"),
        (factory.build()[:-300], "damaged"),
        (repacked("xl/workbook.xml", lambda old: b'<!DOCTYPE a [<!ENTITY b "c">]>' + old), "declares entities"),
        (repacked("xl/worksheets/sheet2.xml", lambda old: old.replace(b'<row r="3"', b'<row r="2"')), "out of order"),
    ],
)
def test_another_file_is_called_what_it_is(data: bytes, said: str) -> None:
    text = refusal(data)
    assert text.startswith("s.xlsx: ")
    assert said in text


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped(
        {"[Content_Types].xml": b"", "xl/workbook.xml": b"", "xl/a.xml": bytes(container.MAX_UNPACKED_BYTES + 1)}
    )
    assert len(bomb) < 100_000
    assert "unpacked it would be" in refusal(bomb)


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    assert len(read_statement(factory.xlsx({
        "Account Activity": [HEADER], "Account Summary": [["Currency", "GBP"]],
    }), "s.xlsx").activity) == 0  # fmt: skip
    assert "more than 3 rows" in refusal(factory.xlsx({
        "Account Activity": [HEADER], "Account Summary": [["Currency", "GBP"], [], [], ["x"]],
    }))  # fmt: skip


def test_a_wrong_dimension_hides_no_row() -> None:
    wrong = repacked("xl/worksheets/sheet2.xml", lambda old: old.replace(b'ref="A1:K3"', b'ref="A1:A1"'))
    assert wrong != factory.build()
    assert load_workbook(io.BytesIO(wrong), read_only=True)["Account Activity"].max_row == 1
    assert len(read_statement(wrong, "s.xlsx").activity) == 2
