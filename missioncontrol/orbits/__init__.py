"""Where a spacecraft is, when a station sees it, and when the Sun does.

Pure: no Django, no network, no clock. Everything here is a function of its
arguments and of two data files that come with installed packages (Earth
orientation, and the planetary ephemeris for the Sun).
"""
