"""What can be learned: one module per task, named in ``TASKS``."""

from genoformer.tasks import gene_structure

TASKS = {gene_structure.name: gene_structure}
