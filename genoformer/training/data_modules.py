"""What tasks learn from, by the word that a task names as its ``data``."""

from genoformer.training.codon_data import CodonData
from genoformer.training.contact_data import ContactData
from genoformer.training.datamodule import GenomeData
from genoformer.training.pair_data import PairData
from genoformer.training.pretraining_data import PretrainingData
from genoformer.training.table_data import TableData

DATA_MODULES = {
    "genomes": GenomeData,
    "table": TableData,
    "bases": PretrainingData,
    "pairs": PairData,
    "codons": CodonData,
    "contacts": ContactData,
}
