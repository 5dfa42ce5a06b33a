"""The client of TikTok's API: calls, responses, codes and errors."""
