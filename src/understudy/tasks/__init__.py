"""What the teacher does and the student shall do: each task owns its targets, prompt, parser and score."""
