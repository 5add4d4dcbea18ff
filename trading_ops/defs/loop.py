"""Everything the weekly loop consists of, in the order of its sentence."""

from trading_ops.defs.checks import PLAN_GATES, TICKET_GATE
from trading_ops.defs.desk.assets import broker_reconciliation, desk_standing, ledger_state, previous_answers
from trading_ops.defs.desk.reports import daily_report, monthly_report, weekly_report
from trading_ops.defs.desk.valuation import daily_valuation
from trading_ops.defs.market.assets import data_quality, data_snapshot, eod_prices
from trading_ops.defs.market.dataset import qlib_export
from trading_ops.defs.market.sources import source_prices, sources_alive, universe_state
from trading_ops.defs.operations.backups import backup
from trading_ops.defs.operations.rollout import rollout
from trading_ops.defs.portfolio.assets import intended_trades, portfolio_targets, signals_ranked
from trading_ops.defs.tickets.assets import decision, ticket

PLAN_ASSETS = (
    eod_prices, data_snapshot, data_quality, qlib_export, signals_ranked, portfolio_targets, intended_trades,
    ledger_state, broker_reconciliation, previous_answers, desk_standing, decision,
)  # fmt: skip
"""What one run of a plan makes."""

ASSETS = (
    source_prices, universe_state, *PLAN_ASSETS, ticket, daily_valuation, daily_report, weekly_report, monthly_report,
    backup, rollout,
)  # fmt: skip
CHECKS = (*PLAN_GATES, TICKET_GATE, sources_alive)
