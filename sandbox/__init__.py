"""The complete connector on one machine: the real program and package, an embedded AWS and an emulated TikTok."""
