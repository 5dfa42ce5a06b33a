"""The demo: sample files, what to watch, what is printed."""
