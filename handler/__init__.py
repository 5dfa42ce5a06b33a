"""The function that runs in Lambda: a batch of messages becomes custom audiences at TikTok."""

import warnings

# requests wants a library that guesses the character set of an answer. Every answer of TikTok is JSON, so the package
# goes without it; the warning would be printed at every cold start.
warnings.filterwarnings("ignore", message="Unable to find acceptable character detection dependency")
