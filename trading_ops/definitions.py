"""What Dagster loads: the whole desk as one code location, with the home that TRADING_OPS_HOME names."""

from trading_ops.build import build_defs

defs = build_defs()
