"""What happens in a play, one kind of scene a module."""
