"""What stands beside the market: ledger, broker, answers, the desk itself."""
