"""How the models were trained: `python -m analyzer.models.training.NAME` makes them again."""
