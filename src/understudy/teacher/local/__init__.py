"""A teacher in this process: a causal language model run by transformers or vLLM, behind the seam of an endpoint."""
