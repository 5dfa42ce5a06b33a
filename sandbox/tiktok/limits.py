"""The limits of TikTok that the emulator enforces."""

# TikTok's OpenAPI: a change fails "if the audience size is less than 1,000 after the operation".
MIN_MATCHED_USERS = 1000
MAX_AUDIENCES = 400
DAY_SECONDS = 86_400.0  # between two accepted replaces of an audience
EXPIRES_AFTER_SECONDS = 365 * DAY_SECONDS  # TikTok's OpenAPI: after the last use or change
EXPIRING_SECONDS = 7 * DAY_SECONDS  # an assumption: no source says when `is_expiring` becomes true
