"""Everything remembered between invocations, all of it in the bucket."""
