"""The pass executor: claims contacts and carries each through its steps, one thread each."""
