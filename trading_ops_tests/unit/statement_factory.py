"""Account statements as real XLSX bytes, for every known header version and currency, in any language.

`build()` alone is a small sound statement of a GBP account. Rows are dictionaries by English column name; the row
functions below (`opened`, `sold`, `dividend`, `paid`, `closed`, `held`) write them with sensible values.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook

Row = Mapping[str, Any]

_ACTIVITY = "Date,Type,Details,Amount,{units}Realized Equity Change,Realized Equity,Balance,Position ID,{asset}NWA"
ACTIVITY_HEADERS = {
    "2022": _ACTIVITY.format(units="", asset=""),
    "2023": _ACTIVITY.format(units="Units,", asset="Asset type,"),
    "2025.2": _ACTIVITY.format(units="Units / Contracts,", asset="Asset type,"),
}
_NEW_CLOSED = (
    "Position ID,Action,Long / Short,Amount,{units},Open Date,Close Date,Leverage,Spread Fees (USD),"
    "Market Spread (USD),{profit},FX rate at open (USD),FX rate at close (USD),Open Rate,Close Rate,Take profit rate,"
    "{stop},Overnight Fees and Dividends,Copied From,Type,{isin}Notes"
)
_OLD_CLOSED = (
    "Position ID,Action,{side}Amount,Units,Open Date,Close Date,Leverage,{spread},{profit},Open Rate,Close Rate,"
    "Take profit rate,Stop lose rate,{fees},Copied From,Type,ISIN,Notes"
)
CLOSED_HEADERS = {
    "2022": _OLD_CLOSED.format(side="", spread="Spread", profit="Profit", fees="Rollover Fees and Dividends"),
    "2024": _OLD_CLOSED.format(
        side="", spread="Spread Fees (USD)", profit="{profit}", fees="Rollover Fees and Dividends"
    ),
    "2024.7": _OLD_CLOSED.format(
        side="Long / Short,",
        spread="Spread Fees (USD),Market Spread (USD)",
        profit="{profit}",
        fees="Overnight Fees and Dividends",
    ),
    "2024.8": _NEW_CLOSED.format(units="Units", profit="{profit}", stop="Stop lose rate", isin="ISIN,"),
    "2025.1": _NEW_CLOSED.format(units="Units", profit="{profit}", stop="Stop loss rate", isin=""),
    "2025.2": _NEW_CLOSED.format(units="Units / Contracts", profit="{profit}", stop="Stop loss rate", isin=""),
    "2025.2.15": _NEW_CLOSED.format(units="Units / Contracts", profit="{profit}", stop="Stop loss rate", isin="ISIN,"),
}
DIVIDENDS_HEADERS = {
    "2024": "Date of Payment,Instrument Name,{net},Withholding Tax Rate (%),{tax},Position ID,Type,ISIN",
    "2025.1": "Date of Payment,Instrument Name,{net},Withholding Tax Rate (%),{tax},Position ID,Type",
    "2025.11": (
        "Date of Payment,Instrument Name,Net Dividend Received (USD),Net dividends,Currency,Franked/Unfranked,"
        "Franking Credits (AUD),{other_net}Withholding Tax Rate (%),{tax},Position ID,Type,ISIN"
    ),
}
HOLDINGS_HEADER = "Snapshot Date,Asset,Position ID,Units,Type,ISIN"
LANGUAGES = {
    "Polish": (
        "Podsumowanie konta,Zamknięte pozycje,Aktywność na koncie,Dywidendy,Podsumowanie finansowe",
        "Data,Typ,Szczegóły,Kwota,Jednostki,Zmiana zrealizowanego kapitału,Kapitał,Saldo,ID pozycji,Typ aktywa,NWA",
    ),
    "German": (
        "Kontoübersicht,Geschlossene Positionen,Kontoaktivität,Dividenden,Finanzübersicht",
        "Datum,Typ,Einzelheiten,Betrag,Einheiten,Änderung Eigenkapital,Eigenkapital,Kontostand,Positions-ID,Art,NWA",
    ),
    "French": (
        "Résumé du compte,Positions clôturées,Activité du compte,Dividendes,Résumé financier",
        "Date,Type,Détails,Montant,Unités,Variation,Capitaux réalisés,Solde,ID de position,Type d'actif,NWA",
    ),
    "Spanish": (
        "Resumen de la cuenta,Posiciones cerradas,Actividad de la cuenta,Dividendos,Resumen financiero",
        "Fecha,Tipo,Detalles,Importe,Unidades,Cambio,Capital,Saldo,ID de posición,Tipo de activo,NWA",
    ),
    "Italian": (
        "Riepilogo del conto,Posizioni chiuse,Attività del conto,Dividendi,Riepilogo finanziario",
        "Data,Tipo,Dettagli,Importo,Unità,Variazione,Capitale,Saldo,ID posizione,Tipo di asset,NWA",
    ),
}
"""Sheet names and the activity header as a translated site writes them."""


def activity(
    kind: str, details: str = "-", amount: Any = "0.00", *, at: str = "02/06/2026 14:50:00", **more: Any
) -> dict[str, Any]:
    """A row of Account Activity; `units`, `position`, `pounds` and any column by its name may be given."""
    row: dict[str, Any] = {
        "Date": at, "Type": kind, "Details": details, "Amount": amount, "Realized Equity Change": "0.00",
        "Realized Equity": "20,000.00", "Balance": "4,581.91", "Position ID": "-", "Asset type": "-", "NWA": "0.00",
        "Units": "-",
    }  # fmt: skip
    short = {"units": "Units", "position": "Position ID", "pounds": "Amount in GBP", "asset_type": "Asset type"}
    row.update({short.get(name, name): value for name, value in more.items()})
    return row


def opened(details: str = "AAPL/USD", amount: Any = "500.00", **more: Any) -> dict[str, Any]:
    """A purchase of a stock."""
    given = {"units": "2.631579", "position": "2270000001", "asset_type": "Stocks", **more}
    return activity("Open Position", details, amount, **given)


def sold(details: str = "AAPL/USD", amount: Any = "571.05", **more: Any) -> dict[str, Any]:
    """A sale."""
    given = {"at": "14/07/2026 16:02:44", "Realized Equity Change": "71.05", **more}
    return {**opened(details, amount, **given), "Type": "Position closed"}


def dividend(amount: Any = "1.20", details: str = "AAPL/USD", **more: Any) -> dict[str, Any]:
    """A Dividend row of Account Activity."""
    given = {"at": "15/05/2026 09:10:00", "position": "2270000001", "asset_type": "Stocks", **more}
    return activity("Dividend", details, amount, **given)


def paid(net: Mapping[str, Any], *, at: str = "15/05/2026", position: str = "2270000001", **more: Any) -> Row:
    """A row of Dividends: `paid({"USD": "1.60", "GBP": "1.20"})`."""
    row: dict[str, Any] = {
        "Date of Payment": at, "Instrument Name": "Apple", "Withholding Tax Rate (%)": "15%", "Position ID": position,
        "Type": "Stocks", "ISIN": "US0378331005", "Net dividends": "1.60", "Currency": "USD", "Franked/Unfranked": "-",
        "Franking Credits (AUD)": "-",
    }  # fmt: skip
    for currency, amount in net.items():
        row[f"Net Dividend Received ({currency})"] = amount
        row[f"Withholding Tax Amount ({currency})"] = "0.21"
    return {**row, **more}


def closed(profit: Mapping[str, Any], *, position: str = "2270000001", **more: Any) -> Row:
    """A row of Closed Positions: `closed({"GBP": "71.05"})`."""
    row: dict[str, Any] = {
        "Position ID": position, "Action": "Buy Apple", "Long / Short": "Long", "Amount": "500.00", "Units": "2.631579",
        "Open Date": "02/06/2026 14:50:00", "Close Date": "14/07/2026 16:02:44", "Leverage": "1",
        "Spread Fees (USD)": "0.00", "Market Spread (USD)": "0.66", "Spread": "0.00", "FX rate at open (USD)": "-",
        "FX rate at close (USD)": "-", "Open Rate": "190.00", "Close Rate": "217.00", "Take profit rate": "0.00",
        "Stop loss rate": "0.00", "Stop lose rate": "0.00", "Overnight Fees and Dividends": "(6.97)",
        "Rollover Fees and Dividends": "(6.97)", "Copied From": "-", "Type": "Stocks", "ISIN": "US0378331005",
        "Notes": "",
    }  # fmt: skip
    row.update({f"Profit({currency})": amount for currency, amount in profit.items()})
    row.setdefault("Profit", next(iter(profit.values()), "-"))
    return {**row, **more}


def held(snapshot: Any = 46203, *, asset: str = "Apple", position: str = "2270000001", units: Any = 2.631579) -> Row:
    """A row of Holdings; 46203 is 30 June 2026."""
    return {
        "Snapshot Date": snapshot, "Asset": asset, "Position ID": position, "Units": units, "Type": "Stocks",
        "ISIN": "US0378331005",
    }  # fmt: skip


def build(
    version: str = "2025.2",
    activity: Sequence[Row] | None = None,
    closed: Sequence[Row] | None = None,
    dividends: Sequence[Row] | None = None,
    holdings: Sequence[Row] | None = None,
    *,
    currency: str = "GBP",
    amounts_in: Sequence[str] = (),
    heading: str | None = "",
    closed_version: str = "2025.2.15",
    dividends_version: str = "2024",
    profit_in: Sequence[str] = (),
    language: str = "English",
    period: tuple[str, str] = ("01/05/2026 00:00:00", "31/07/2026 23:59:59"),
) -> bytes:
    """An account statement.

    Args:
        version: Header version of Account Activity.
        activity: Its rows, newest first; a sale and a purchase by default.
        closed: Rows of Closed Positions; no such sheet when None. Likewise the next two.
        dividends: Rows of Dividends.
        holdings: Rows of Holdings.
        currency: The Currency cell: `GBP`, `USD`, `USD/GBP`.
        amounts_in: Currencies of additional columns `Amount in X`.
        heading: Currency of the heading `Account Summary (X)`, None for a heading without; by default it fits.
        closed_version: Header version of Closed Positions.
        dividends_version: Header version of Dividends.
        profit_in: Currencies of the Profit and dividend columns; by default the account's.
        language: English, or one of LANGUAGES for a translated file.
        period: Start Date and End Date.
    """
    codes = tuple(profit_in) or tuple(currency.split("/"))
    heading = codes[0] if heading == "" else heading
    sheets: dict[str, list[list[Any]]] = {"Account Summary": summary_rows(currency, heading, period)}
    if closed is not None:
        header = CLOSED_HEADERS[closed_version].format(profit=",".join(f"Profit({code})" for code in codes))
        sheets["Closed Positions"] = _table(header.split(","), closed)
    extra = [f"Amount in {code}" for code in amounts_in]
    given = activity if activity is not None else [sold(), opened()]
    sheets["Account Activity"] = _table([*ACTIVITY_HEADERS[version].split(","), *extra], given)
    if dividends is not None:
        sheets["Dividends"] = _table(_dividends_header(dividends_version, codes), dividends)
    if holdings is not None:
        sheets["Holdings"] = _table(HOLDINGS_HEADER.split(","), holdings)
    return xlsx(sheets if language == "English" else _translated(sheets, language))


def summary_rows(currency: str, heading: str | None, period: tuple[str, str]) -> list[list[Any]]:
    """Account Summary as eToro lays it out."""
    named = f" ({heading})" if heading else ""
    totals = f"Total{named}" if heading else "Totals"
    return [
        ["Details", "Totals"], ["Name", "A. Person"], ["Username", "aperson"], ["Currency", currency],
        ["Date Created", "01/08/2026 10:28:13"], ["Start Date", period[0]], ["End Date", period[1]], [None, None],
        [f"Account Summary{named}", totals], ["Beginning Realized Equity", "19,000.00"], ["Deposits", "1,000.00"],
        ["Withdrawals", "-"], ["Ending Realized Equity", "20,071.05 "], [None, None],
        ["Unrealized Account Summary*", totals], ["Ending Unrealized Equity", "20,412.33"],
        ["*Unrealized Equity value is updated once a day", None],
    ]  # fmt: skip


def xlsx(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """A workbook of these sheets, cells as they are given."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _table(header: Sequence[str], rows: Sequence[Row]) -> list[list[Any]]:
    return [list(header), *([_cell(row, title) for title in header] for row in rows)]


def _cell(row: Row, title: str) -> Any:
    return row.get(title, row.get("Units", "-") if title == "Units / Contracts" else "-")


def _dividends_header(version: str, codes: Sequence[str]) -> list[str]:
    net = ",".join(f"Net Dividend Received ({code})" for code in codes)
    other = "".join(f"Net Dividend Received ({code})," for code in codes if code != "USD")
    tax = ",".join(f"Withholding Tax Amount ({code})" for code in codes)
    return DIVIDENDS_HEADERS[version].format(net=net, other_net=other, tax=tax).split(",")


def _translated(sheets: dict[str, list[list[Any]]], language: str) -> dict[str, list[list[Any]]]:
    titles, header = LANGUAGES[language]
    order = ("Account Summary", "Closed Positions", "Account Activity", "Dividends", "Financial Summary")
    names = dict(zip(order, titles.split(","), strict=True))
    translated = {names.get(title, title): rows for title, rows in sheets.items()}
    translated[names["Account Activity"]][0] = header.split(",")
    return translated
