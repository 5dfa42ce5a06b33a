"""File cleaning: from stored bytes to clean rows, cut into parts. This package makes no AWS or HTTP calls."""
