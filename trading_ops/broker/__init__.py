"""The broker's account statement in: a downloaded XLSX file becomes typed facts, or one refusal by name.

Belongs here: reading eToro's workbook exactly, its known English header versions, its numbers, dates and currencies.
Does not belong here: storing facts (`store`), mapping eToro's symbols to the desk's, judging differences, or anything
that talks to eToro. Nothing here opens a database, a network or a file: bytes go in, values come out.
"""
