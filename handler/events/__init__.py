"""What SQS delivers: messages, the grammar of object keys, the queue."""
