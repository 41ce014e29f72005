"""How good, how fast, how sure: every predictor on the same test set, with intervals and paired differences."""
