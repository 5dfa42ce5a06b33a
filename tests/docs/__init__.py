"""Tests that run the shell commands of the documentation, and examples for its generated parts."""
