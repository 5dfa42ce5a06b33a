"""What runs in Lambda: one batch of messages in, custom audiences at TikTok out."""
