"""The Dagster layer: assets, checks, jobs, schedules and sensors. Each reads, calls a step of `planning`, describes.

Belongs here: what Dagster must know, and what people see in its pages.
Does not belong here: rules (`domain`), the steps and their transactions (`planning`), SQL of the product (`store`).
"""
