"""The state that the connector keeps between invocations, all of it in the bucket."""
