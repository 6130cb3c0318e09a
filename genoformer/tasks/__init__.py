"""What can be learned: one module per task, named in ``TASKS``."""

import genoformer.tasks.gene_structure as gene_structure

TASKS = {gene_structure.name: gene_structure}
