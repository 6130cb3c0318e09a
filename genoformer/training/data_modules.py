"""What tasks learn from, by the word that a task names as its ``data``."""

from genoformer.applications.codon_structure.data import CodonData
from genoformer.applications.contacts.data import ContactData
from genoformer.applications.functions.data import TableData
from genoformer.applications.genes.data import GenomeData
from genoformer.applications.pretraining.data import PretrainingData
from genoformer.applications.rna_pairs.data import PairData

DATA_MODULES = {
    "genomes": GenomeData,
    "table": TableData,
    "bases": PretrainingData,
    "pairs": PairData,
    "codons": CodonData,
    "contacts": ContactData,
}
