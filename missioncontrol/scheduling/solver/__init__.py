"""Pass planning: contact requests and windows in; a plan, its bound and its reasons out.

Pure: no Django, no I/O, no clock, no threads, no randomness but a seed that is
passed in. ``highs`` is the only module that knows the solver library.
"""
