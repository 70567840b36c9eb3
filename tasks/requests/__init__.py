"""What a person asks for beside the stages."""
