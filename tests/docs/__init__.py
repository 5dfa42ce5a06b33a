"""The documentation: its shell lines are run, and its sentences are the code's."""
