"""Load tests: throughput, memory over many files, and the limits of one TikTok app."""
