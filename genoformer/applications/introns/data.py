"""The LightningDataModule of genes with introns: that of genes, with other labels."""

from genoformer.applications.genes.data import GenomeData


class IntronData(GenomeData):
    __doc__ = GenomeData.__doc__

    labels = "introns"
