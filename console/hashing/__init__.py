"""Hashing of raw customer data on this machine, in the console's process or in worker processes."""
