"""The use case: which uploads go next, their upload to TikTok, the change and its end."""
