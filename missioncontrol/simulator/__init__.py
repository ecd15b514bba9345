"""Spacecraft and ground stations for rehearsal, demonstration and tests.

A process of its own that speaks the station link and nothing else: real frames
down, real CLTUs up, file delivery both ways, jobs that really compute. It knows
no framework; it learns mission time over HTTP and keeps its state in a folder.
"""
