"""JSONL channels: messages, one a line."""
