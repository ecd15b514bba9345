"""What a member of the consortium runs itself: the program ``mc``.

It checks and mirrors the log, reads receipts and runs a witness. Needs nothing
of the service but ``audit.merkle`` and the log's folder layout: no framework,
no database. See docs/consortium-log.md.
"""
