"""How a materialization looks in the UI: a table with its columns, a number with its unit, a small plot.

Numbers are shown as text with all their digits; floats exist only inside a plot.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import dagster as dg

from trading_ops.domain.values import PENCE_PLACES, UNIT_PLACES, exact, fixed, half_even, plain

PREVIEW_ROWS = 40
OWNERS = ["team:operations"]


def columns(**types: str) -> dg.TableSchema:
    """A table's columns: `columns(symbol="text", rank="integer")`."""
    return dg.TableSchema(columns=[dg.TableColumn(name, type_) for name, type_ in types.items()])


def preview(
    schema: dg.TableSchema, rows: Iterable[Sequence[object]], most: int = PREVIEW_ROWS
) -> dg.TableMetadataValue:
    """The first rows as a table, values in the order of the columns."""
    names = [column.name for column in schema.columns]
    records = [dg.TableRecord({n: _cell(v) for n, v in zip(names, row, strict=True)}) for row in rows]
    return dg.MetadataValue.table(records=records[:most], schema=schema)


def table_of(table: str | None, schema: dg.TableSchema) -> Mapping[str, Any]:
    """What an asset says of its table before it ever ran."""
    named = {"dagster/table_name": table, "dagster/storage_kind": "postgres"} if table else {}
    return {**named, "dagster/column_schema": schema}


def pounds(amount: Decimal) -> str:
    """Money as people read it: `GBP 20000.00`."""
    with exact():
        return f"GBP {fixed(amount, PENCE_PLACES)}"


def percent(share: Decimal) -> str:
    """A share of one as per cent with two decimals: `12.34 %`."""
    with exact():
        return f"{fixed(share * 100, 2)} %"


def _cell(value: object) -> str | int | bool | None:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return plain(half_even(value, UNIT_PLACES))
    return value.isoformat() if isinstance(value, dt.date) else str(value)
