"""Evidence files: judged by their content, pictures made anew, near-duplicates found, bytes kept.

Knows no models, no requests and no clock.
"""
