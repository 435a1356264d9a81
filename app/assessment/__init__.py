"""What happens to a bundle once it is handed over: the queue and who is assigned."""
