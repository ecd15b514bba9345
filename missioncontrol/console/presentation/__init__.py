"""What the pages show of each thing: rows in, plain values for the templates out."""
