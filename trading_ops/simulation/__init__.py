"""Weekly plans over history: a simulated broker, executor and operator around the real rules and storage.

Belongs here: what people and the broker would do. Does not belong here: rules, or a market (`providers.simulated`).
"""
