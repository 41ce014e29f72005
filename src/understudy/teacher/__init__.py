"""The large model: how it is asked, how what it answered is kept, and what that cost."""
