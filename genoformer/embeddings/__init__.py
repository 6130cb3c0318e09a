"""Hidden states of a model for records, windows and bases: what ``genoformer embed`` and ``Model.embed`` compute."""
