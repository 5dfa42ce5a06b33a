"""The main use case: choose the next uploads, send them to TikTok, and follow each change to its final result."""
