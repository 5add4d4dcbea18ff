"""PostgreSQL: the embedded server, roles, migrations, connections, and one module of functions per aggregate.

Rules that decide money do not live here (they are in `trading_ops.domain`), and nothing here prints.
"""
