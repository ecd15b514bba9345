"""The telecommand link: frames, segments, CLTUs and COP-1. Pure and sans-IO, both ends."""
