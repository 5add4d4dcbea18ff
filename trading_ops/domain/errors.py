"""Errors a person reads: what happened, where, and the way out, in one sentence."""


class TradingOpsError(Exception):
    """Base of every error this product raises on purpose; its text is shown to people as it stands."""


class ConfigError(TradingOpsError):
    """A value of the policy or the universe is wrong; the text names file, line, column and the way out."""


class UnknownSymbol(TradingOpsError):
    """A symbol that the universe does not have."""

    def __init__(self, symbol: str, where: str) -> None:
        super().__init__(f"{where}: unknown symbol {symbol!r}. Use an internal symbol of the universe.")


class LedgerError(TradingOpsError):
    """A fact cannot be booked: it would make cash or units impossible."""


class BadInput(TradingOpsError):
    """A file or argument a person gave is wrong; nothing of it was kept."""


class Refused(TradingOpsError):
    """An action that the rules do not allow now."""
