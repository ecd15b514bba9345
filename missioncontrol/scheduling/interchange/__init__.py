"""Plans and requests in the formats of others.

Pure: text in, records out, and the other way round.
"""
