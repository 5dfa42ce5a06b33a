"""The people's side: check, hash, upload, follow and operate, on the command line and as a local page."""
