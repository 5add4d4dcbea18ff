"""One module for each shape of file that the files provider understands.

Belongs here: from a file's columns to exact bars, actions and fixings.
Does not belong here: walking folders and comparing files (`files`), or anything that needs a network.
"""
