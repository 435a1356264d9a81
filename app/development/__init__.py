"""The development log: what a holder did between two certifications, noted when it happened, and taken over into a dossier."""
