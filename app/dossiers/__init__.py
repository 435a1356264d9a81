"""A dossier while it is filled: answers, evidence, statements, what is missing, and the moment it is submitted."""
