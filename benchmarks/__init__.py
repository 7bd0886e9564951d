"""The performance contract: ratios between ways to answer the same question, measured in one run on real PostgreSQL.

`make bench` makes the data (10,000 and then 100,000 rooms in 200 tenants, unless ROOMS says otherwise), proves that all
ways of asking give the same answer, and prints each ratio beside its goal (docs/performance.md). Times drift between
machines, so only ratios within one run count.
"""
