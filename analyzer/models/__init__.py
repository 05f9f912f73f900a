"""Trained models: data files without code, and what scores with them."""
