"""Load figures: throughput, memory over many files, and what one TikTok app supports."""
