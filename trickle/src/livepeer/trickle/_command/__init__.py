"""The command, for pipes and files."""
