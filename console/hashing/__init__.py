"""Raw customer data to hashes, on this machine: pure functions, and two processes that run them."""
