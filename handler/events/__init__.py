"""Messages from SQS, the grammar of object keys, and the queue."""
