"""The report: a run's scores and evidence as one page that answers whether the student may take over."""
