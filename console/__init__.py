"""The console: check, hash, upload, follow and operate, on the command line and on a local web page."""
