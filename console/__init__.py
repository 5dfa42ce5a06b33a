"""The console: checks, hashes, uploads and follows files, on the command line and on a local web page."""
