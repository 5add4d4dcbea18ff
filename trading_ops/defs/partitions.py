"""Plans as partitions: one key a weekly decision, fed from `ops.plans`, which is the schedule of record."""

import dagster as dg

PLANS = dg.DynamicPartitionsDefinition(name="plan")
