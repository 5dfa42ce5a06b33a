"""The demo: the sample files, the watch on their reports, and the output."""
