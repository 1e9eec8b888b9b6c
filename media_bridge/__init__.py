"""Media: from media servers' words to ours, and back. Knows no rooms, no chat, no moderation."""
