"""What people do at the desk: answer a ticket, check the account, look names up, accept a correction.

Each act is one function: it takes who acts and what was typed, and is one transaction. The page, the command line and
the simulated people call the same ones. Does not belong here: rules (`domain`), tables (`store`), widgets.
"""
