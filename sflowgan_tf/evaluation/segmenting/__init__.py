"""PSPNet, the oracle: from records to a run that judges pictures."""
