"""The space link as the Blue Books describe it: pure, sans-IO, octets in and values out."""
