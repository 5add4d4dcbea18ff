"""Plans as partitions: one key a weekly decision, fed from `ops.plans`, which is the schedule of record."""

import dagster as dg

PLANS = dg.DynamicPartitionsDefinition(name="plan")

GROUP = "weekly_plan"
"""One group for everything that is made plan by plan: the graph then reads from left to right in one line."""
