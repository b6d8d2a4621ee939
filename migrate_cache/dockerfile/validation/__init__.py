"""What BuildKit rejects in an instruction, in its words."""
