"""The Lambda function: it turns uploaded files into TikTok custom audiences."""

import warnings

# requests expects a library that guesses the character set of a response. All of TikTok's responses are JSON, so the
# package leaves that library out. Without this filter, requests prints a warning at every cold start.
warnings.filterwarnings("ignore", message="Unable to find acceptable character detection dependency")
