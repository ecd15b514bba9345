"""Columns in ClickHouse: for history that outgrows a machine.

The packet log, its index and the newest values stay in the archive's folder. What a server
that is away cannot take is made again from the log when it is back.
"""
