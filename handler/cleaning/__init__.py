"""Bytes to clean identifiers to parts. Pure: no AWS, no HTTP."""
