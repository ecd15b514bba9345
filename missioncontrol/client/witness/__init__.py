"""A witness: cosigns what continues a log's history, and nothing else (C2SP tlog-witness)."""
