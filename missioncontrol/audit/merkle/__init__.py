"""The consortium log's mathematics: hashing, tiles, proofs, signed checkpoints, receipts.

Pure: octets in, octets out. Formats are those of C2SP (tlog-tiles, signed-note,
tlog-checkpoint, tlog-cosignature, tlog-proof); hashing is that of RFC 6962.
"""
