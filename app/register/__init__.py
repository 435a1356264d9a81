"""The register: who holds which certificate or specialisation, from when until when."""
