"""Codes of training: configurations, labels, stores, splits, runs and checkpoints."""

from genoformer.cli.error_codes.entry import Entry

TRAINING_PREFIXES = {
    "CONFIG": "configurations of `fit`",
    "DATA": "genomes to train on",
    "STORE": "training stores, the HDF5 files that `prepare` and `fit` make",
    "PREPARE": "the output of `prepare`",
    "LABELS": "labelled sequences and genes",
    "CODONS": "labels of codons",
    "GENOMES": "tables of genomes, `data.genomes`",
    "SPLIT": "parts for training, validation and test",
    "LEAKAGE": "sequence that two parts share",
    "TRAIN": "runs of `fit`",
    "CURVES": "the report of a run",
    "CKPT": "checkpoints",
    "DECODER": "decoders, which training fits to held-out sequence",
    "ADAPT": "models that are trained further on the genome at hand",
    "BENCHMARK": "`benchmark`",
}

TRAINING_CODES = {
    "CONFIG-001": Entry(2, "The configuration cannot be read as one.", "See genoformer fit --help."),
    "CONFIG-002": Entry(
        66, "There is no configuration of this name.", "Give a file, or a name that the message lists."
    ),
    "CONFIG-003": Entry(
        2, "A number of steps or processes, a time, a rate or a seed is missing or impossible.", "Change it."
    ),
    "CONFIG-004": Entry(2, "There is no such task.", "Give one that the message lists as model.task."),
    "CONFIG-005": Entry(2, "Tokens have not the length that the task needs.", "Change model.k and model.stride."),
    "CONFIG-006": Entry(2, "A field of the encoder follows from others.", "Leave it out."),
    "CONFIG-007": Entry(2, "The settings make no encoder or no network.", "Change what the message names."),
    "CONFIG-008": Entry(
        2, "There are fewer training samples than a batch takes.", "Lower data.loader.batch_size, or raise the samples."
    ),
    "CONFIG-009": Entry(2, "A number under data is out of its range.", "Change it."),
    "CONFIG-010": Entry(2, "There is no test part.", "Give --data.split.test."),
    "CONFIG-011": Entry(2, "The name would lead out of the folder of runs.", "Give --name a plain name."),
    "CONFIG-012": Entry(
        2,
        "The model to start from is built otherwise than the configuration says.",
        "Use the settings it was made with.",
    ),
    "CONFIG-013": Entry(2, "There is no such score to choose the model by.", "Give --monitor one of those listed."),
    "CONFIG-014": Entry(2, "The task does not take these options.", "Change model.options."),
    "CONFIG-015": Entry(
        2, "A setting of fine-tuning is out of range.", "Change freeze_layers, layer_decay or adapter_rank."
    ),
    "CONFIG-016": Entry(2, "A setting was given that the task has no use for.", "Leave it out."),
    "CONFIG-017": Entry(2, "The strategy divides weights in a way of its own.", "Use --config fsdp or --config ddp."),
    "CONFIG-018": Entry(2, "An ontology was given for labels that are no sets of terms.", "Leave out data.ontology."),
    "CONFIG-019": Entry(2, "A key has another name than it once had.", "Use the name that the message says."),
    "CONFIG-021": Entry(2, "Genomes are given by a table and in another way, too.", "Leave one of them out."),
    "CONFIG-022": Entry(2, "Tiles are no whole number of tokens.", "Make model.tile_bp a multiple of model.stride."),
    "CONFIG-023": Entry(2, "Adapters would have nothing to change.", "Set model.adapter_rank to 0."),
    "CONFIG-024": Entry(
        2,
        "The encoder of a causal language model sees the bases that it shall tell.",
        "Give the setting that is named.",
    ),
    "CONFIG-030": Entry(2, "Lightning's trainer refuses a setting.", "Correct the setting that the message names."),
    "CONFIG-031": Entry(
        2, "A configuration is no YAML in UTF-8, has a value that is none, or means endlessly many.", "Correct it."
    ),
    "CONFIG-032": Entry(
        2,
        "A variable such as RANK is no number, or not below how many processes there are.",
        "Unset it, or start with torchrun or srun.",
    ),
    "CONFIG-033": Entry(
        77,
        "A configuration names code other than what a trainer takes from the packages that train.",
        "Look where it comes from; --allow-code lets it run.",
    ),
    "CONFIG-034": Entry(
        2, "The settings shall follow from the data, and the task has no rules for it.", "Leave out recipe."
    ),
    "DATA-001": Entry(2, "No genome is given.", "Give --data.fasta FILE."),
    "DATA-002": Entry(
        2, "Genomes, annotations and genetic codes are not of one number.", "Give one of each, in the same order."
    ),
    "DATA-003": Entry(66, "There is no such file.", "Check the path."),
    "DATA-004": Entry(2, "A sequence file has no annotation, or the reverse.", "Give both, or GenBank files."),
    "DATA-005": Entry(
        None, "The annotation says nothing of a record, which trains as intergenic.", "Check that it is complete."
    ),
    "DATA-006": Entry(2, "Two genomes have one name.", "Rename a file."),
    "DATA-007": Entry(
        None,
        "An annotation names no gene of rRNA or tRNA, so that nothing is learned of them from its genome.",
        "Give an annotation that has them, or leave it so.",
    ),
    "DATA-008": Entry(
        None,
        "An annotation names genes of rRNA or of tRNA, and none of the other kind: these count as not there.",
        "Is it right? Phages have no rRNA, cells do.",
    ),
    "DATA-009": Entry(
        2,
        "The store has no labels of RNA genes, and these shall be learned.",
        "Prepare it with --labels codons_rna.",
    ),
    "STORE-001": Entry(65, "A record comes twice in one genome.", "Give each record its own id."),
    "STORE-002": Entry(65, "There is no record to store.", "Check the input files."),
    "STORE-003": Entry(65, "A record has no sequence.", "Remove it, or download it again."),
    "STORE-004": Entry(66, "There is no such store.", "Check the path."),
    "STORE-005": Entry(65, "The store is not complete.", "Prepare it again."),
    "STORE-006": Entry(65, "The store is of another version of the schema.", "Prepare it again."),
    "STORE-007": Entry(65, "The store refers to data in other files.", "Do not use it."),
    "PREPARE-001": Entry(73, "The file exists and holds something else.", "Choose another name, or use --overwrite."),
    "LABELS-001": Entry(2, "No labels are given.", "Give --data.labels FILE."),
    "LABELS-002": Entry(65, "A table has no such column.", "Name its columns under data."),
    "LABELS-003": Entry(65, "A row has another number of columns than the table.", "Correct the row."),
    "LABELS-004": Entry(65, "An id comes twice.", "Make ids unique."),
    "LABELS-005": Entry(
        65, "No FASTA record has the id of a row.", "Use ids as in the headers, up to the first space."
    ),
    "LABELS-006": Entry(65, "A FASTA header does not name its group.", "Write KEY=VALUE into every header."),
    "LABELS-007": Entry(65, "A sequence is empty, or holds a letter that is no base.", "Correct the row."),
    "LABELS-008": Entry(65, "The table has no rows.", "Give another table."),
    "LABELS-011": Entry(
        65, "Too few classes have enough sequences.", "Lower data.min_examples, or look at data.columns.label."
    ),
    "LABELS-012": Entry(65, "A label is none of the classes.", "Correct it, or name the classes with data.classes."),
    "LABELS-013": Entry(
        2, "A class has no example in the training part.", "Change the split, or raise data.min_examples."
    ),
    "LABELS-014": Entry(65, "A label is no number.", "Correct it, or choose another kind of labels."),
    "LABELS-015": Entry(
        65, "Labels or classes are no terms of the ontology below its roots.", "Look at data.ontology and data.classes."
    ),
    "LABELS-016": Entry(65, "No gene has the attribute that holds labels.", "Look at data.columns.label."),
    "LABELS-017": Entry(2, "Genes cannot be grouped in this way.", 'Give "file" or "contig" as data.columns.group.'),
    "LABELS-018": Entry(65, "The bases of a gene are not there.", "Give the FASTA file with data.fasta."),
    "LABELS-019": Entry(
        2, "Nothing says where the sequences are.", "Give data.columns.sequence, or data.fasta and data.columns.id."
    ),
    "LABELS-020": Entry(65, "A table is a Parquet file.", "Write it as text first."),
    "LABELS-021": Entry(65, "Columns are separated by semicolons.", "Separate them by tabs or commas."),
    "LABELS-101": Entry(None, "What has no label was left out.", "Nothing, or add the label."),
    "LABELS-102": Entry(None, "A FASTA record is in no row of the table and is not used.", "Nothing, or add a row."),
    "LABELS-103": Entry(None, "A copy of a sequence was left out.", "Nothing; data.split.keep_copies keeps copies."),
    "LABELS-104": Entry(None, "Only the start of a long sequence is read.", "Raise max_bp."),
    "LABELS-105": Entry(None, "A label is no term of the ontology and was left out.", "Use an ontology of its time."),
    "LABELS-106": Entry(None, "No term but roots is left of a row, which was left out.", "Nothing."),
    "LABELS-107": Entry(None, "A gene with several labels was left out.", "Use labels of kind multilabel."),
    "LABELS-108": Entry(None, "A gene without one reading frame was left out.", "Nothing."),
    "LABELS-109": Entry(None, "Several genes have one id; all but the first were named by place, too.", "Nothing."),
    "LABELS-110": Entry(None, "A term of held-out parts alone is no output.", "Nothing, or change the split."),
    "CODONS-001": Entry(65, "There is not one state for each codon.", "Correct the row."),
    "CODONS-002": Entry(65, "The labels have fewer than two states.", "Look at data.columns.label."),
    "CODONS-101": Entry(None, "A sequence is longer than the model takes and was left out.", "Raise max_bp."),
    "GENOMES-001": Entry(65, "The table of genomes has no rows.", "Give a row for each genome."),
    "GENOMES-002": Entry(65, "A row has not as many cells as the header.", "Mend the row."),
    "GENOMES-003": Entry(65, "The header lacks a column or has one too many.", "Use the columns that are listed."),
    "GENOMES-004": Entry(65, "A row does not name the files that are needed.", "Name fasta, annotation, or both."),
    "GENOMES-005": Entry(65, "A genome comes twice.", "Leave one of the rows out."),
    "GENOMES-006": Entry(65, "A genetic code, weight, group or family is none.", "Mend the cell."),
    "GENOMES-007": Entry(65, "All weights of a group are 0.", "Give one of its genomes a weight."),
    "GENOMES-008": Entry(
        2, "What is left to train on has weight 0.", "Give one of these genomes a weight, or hold out others."
    ),
    "GENOMES-009": Entry(
        2,
        "Groups shall be left out in turn, and the table has fewer than three.",
        "Give data.genomes a table with more groups, or leave out data.folds.",
    ),
    "GENOMES-010": Entry(2, "The table has no such group.", "Name one that is listed."),
    "GENOMES-011": Entry(
        2,
        "A group cannot be left out: nothing else trains, or its genomes are all test or of weight 0.",
        "Name other groups in data.folds.groups.",
    ),
    "SPLIT-001": Entry(2, "A setting of the split is none that is possible.", "Change what the message names."),
    "SPLIT-002": Entry(2, "Validation and test share data.", "Name different data for them."),
    "SPLIT-003": Entry(2, "A part names a group, contig or genome that is not there.", "Name one that is listed."),
    "SPLIT-004": Entry(2, "A part is empty.", "Change the fractions or the guard, or name what the part holds."),
    "SPLIT-005": Entry(2, "A column of parts holds another word.", "Write train, validation or test."),
    "SPLIT-006": Entry(65, "A line of a file of parts is malformed or repeats an id.", "Write id, tab, part."),
    "SPLIT-007": Entry(None, "A sequence is in no part of the split and was left out.", "Nothing, or add a line."),
    "SPLIT-008": Entry(2, "No sequence has an id of the file of parts.", "Use the ids of the labels."),
    "LEAKAGE-001": Entry(1, "Two sets share sequence, which --fail forbids.", "Remove what is shared from one."),
    "LEAKAGE-002": Entry(
        None, "A held-out part shares sequence with the training part.", "Split by group; see genoformer check-leakage."
    ),
    "LEAKAGE-003": Entry(65, "A file holds no sequences.", "Name the column of a table with --sequence-column."),
    "TRAIN-001": Entry(76, "The loss or a weight is not finite.", "Lower model.lr, or raise model.warmup_steps."),
    "TRAIN-002": Entry(75, "A loading process died.", "Run the command again, or use --data.loader.num_workers 0."),
    "TRAIN-003": Entry(
        2, "A checkpoint of another configuration cannot be continued.", "Start from its model with --init_from."
    ),
    "TRAIN-004": Entry(73, "The folder of the run cannot be created.", "Choose another --name, or check permissions."),
    "TRAIN-005": Entry(
        73, "The folder holds a run with other settings or data.", "Choose another --name, or use --overwrite."
    ),
    "TRAIN-006": Entry(2, "The run was begun with another number of processes.", "Continue it with as many."),
    "CURVES-001": Entry(None, "What a validation found was not kept for a report.", "Nothing: the model is complete."),
    "CURVES-002": Entry(
        None, "The report of a run, or its picture, was not written.", "Install what the message names, or nothing."
    ),
    "CURVES-003": Entry(2, "The package of a logger is not installed.", "Install what the message names."),
    "CKPT-001": Entry(74, "A checkpoint reads back otherwise than written.", "Check the disk."),
    "CKPT-002": Entry(77, "Checkpoints are not loaded from the network.", "Download it from a source you trust."),
    "CKPT-003": Entry(66, "There is no such checkpoint.", "Check the path."),
    "CKPT-004": Entry(
        65, "The file is no intact checkpoint of genoformer.", "Delete it to begin again, or name another."
    ),
    "CKPT-005": Entry(65, "Weights of a checkpoint do not fit the configuration.", "Give that of its run."),
    "DECODER-001": Entry(65, "Held-out sequence has no genes to fit the decoder to.", "Hold out more."),
    "ADAPT-001": Entry(65, "There are too few genes to adapt a model.", "Give more sequence, or an annotation."),
    "ADAPT-002": Entry(65, "The input is too short to hold out a part.", "Adapt to more, or use the model as it is."),
    "ADAPT-003": Entry(
        65, "The model has other outputs than those that are trained.", "Train a model with this version."
    ),
    "ADAPT-004": Entry(73, "The output is the model that is to be adapted.", "Choose another folder with -o."),
    "ADAPT-005": Entry(2, "No genome is given.", "Name a FASTA file."),
    "ADAPT-006": Entry(2, "A mixture of organisms is nothing to adapt to.", "Leave out --adapt or --metagenome."),
    "ADAPT-007": Entry(
        2, "A model of this task is adapted to an annotation only.", "Run genoformer adapt with --annotation."
    ),
    "ADAPT-008": Entry(2, "A genome is adapted to with one genetic code.", "Give the number of the code."),
    "BENCHMARK-001": Entry(2, "Nothing says how to train.", "Add --config NAME to --fit."),
    "BENCHMARK-002": Entry(2, "There is no such simple model.", "Give --baselines those that the message lists."),
    "BENCHMARK-003": Entry(2, "The task has no simple models beside it.", "Train it with genoformer fit."),
    "BENCHMARK-004": Entry(2, "There is no such part of the comparison.", "Give letters from a to e, as in a,d."),
    "BENCHMARK-005": Entry(2, "A number is out of range.", "Give the number that the message asks for."),
    "BENCHMARK-006": Entry(
        2, "A part of the comparison needs a genome.", "Give the file, or leave the part out of --parts."
    ),
}
"""Prefix by prefix, errors before warnings."""
