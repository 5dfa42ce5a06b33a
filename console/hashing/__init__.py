"""Hashing of raw customer data on this machine: pure functions, and worker processes that run them."""
