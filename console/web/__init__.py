"""A local web page, as an alternative to the command line."""
