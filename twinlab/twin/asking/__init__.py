"""Questions in words, asked of a twin."""
