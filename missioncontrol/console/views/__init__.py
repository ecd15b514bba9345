"""The pages of the console, a file each. Each reads the clock once and makes one call to act."""
