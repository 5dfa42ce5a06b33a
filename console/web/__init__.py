"""A local page for people who prefer one to a command line."""
