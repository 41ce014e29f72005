"""Texts with entities, in the formats that people have them in: CoNLL columns, spaCy's JSON, Label Studio's JSON.

Every reader gives rows with the keys ``id``, ``text`` and ``target``, as if they came from a JSONL file of ours; what
stands in them is checked by whoever reads them.
"""
