"""What is meant by a line of a conversation: readings, rewrites, actions."""
