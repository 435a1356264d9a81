"""What a candidate is asked: schemes and plugins, read from YAML, checked, and composed into a ``DossierTemplate``."""
