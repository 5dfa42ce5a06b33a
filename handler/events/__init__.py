"""Messages from SQS, the layout of object keys, and the queue."""
