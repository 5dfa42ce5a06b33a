"""What exists in AWS: the connector of one advertiser and what it is made of."""
