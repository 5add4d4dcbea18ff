"""Trading Ops: a household desk that proves one weekly ticket, or refuses it by name."""

__version__ = "0.1.0"
