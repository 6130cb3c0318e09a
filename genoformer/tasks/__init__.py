"""What can be learned: one module per task, named in ``TASKS``."""

import genoformer.tasks.gene_structure as gene_structure
import genoformer.tasks.gene_structure_eukaryote as gene_structure_eukaryote

TASKS = {task.name: task for task in (gene_structure, gene_structure_eukaryote)}
