"""The emulated TikTok API."""
