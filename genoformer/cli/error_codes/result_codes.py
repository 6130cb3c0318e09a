"""Codes of models and results: bundles, predictions, evaluations, outputs, and the command line itself."""

from genoformer.cli.error_codes.entry import Entry

RESULT_PREFIXES = {
    "MODEL": "model bundles, and what their networks can do",
    "HF": "encoders of Hugging Face, for `import` and `export`",
    "REGION": "`predict --region`",
    "CIRCULAR": "circular records",
    "GENOME": "how a genome looks to the model",
    "GENES": "files of genes",
    "FUNCTION": "predictions of functions",
    "STRUCTURE": "predictions of structures",
    "SHARD": "predictions in parts, for `predict --shard` and `merge`",
    "EMBED": "`embed`",
    "EXPLAIN": "`explain`",
    "VARIANTS": "`variants`",
    "FORMATS": "`--formats`",
    "OUT": "output folders",
    "FILES": "files that are written, and manifests",
    "EVAL": "`evaluate`",
    "PLOT": "`evaluate --plot`",
    "GENERATE": "`generate`",
    "SIM": "`simulate`",
    "CLI": "commands and options",
    "OPTION": "numbers on the command line",
    "DEVICE": "`--device`",
    "MEMORY": "memory",
    "BUG": "faults of genoformer",
    "API": "the Python interface",
}

RESULT_CODES = {
    "MODEL-001": Entry(66, "There is no such model.", "Give the folder of a bundle, or a shipped model."),
    "MODEL-002": Entry(65, "The folder is no finished bundle.", "Name the folder model/ of a training run."),
    "MODEL-003": Entry(65, "A file of the bundle is no JSON, or describes no model.", "Copy the bundle again."),
    "MODEL-004": Entry(
        65, "The bundle is of another layout version.", "Use the version of genoformer that wrote it, or train again."
    ),
    "MODEL-005": Entry(65, "The task of the bundle is unknown.", "Use the version of genoformer that wrote it."),
    "MODEL-006": Entry(65, "The weights do not fit the configuration of the bundle.", "Copy the bundle again."),
    "MODEL-007": Entry(65, "The decoder of another task is asked for.", "Use a model of the right task."),
    "MODEL-008": Entry(65, "The bundle has no readable decoder.", "Give the training command again."),
    "MODEL-009": Entry(65, "The model card cannot be read.", "Copy the bundle again, or name another one."),
    "MODEL-010": Entry(73, "The folder of a bundle cannot be created.", "Choose another name."),
    "MODEL-021": Entry(2, "The attention backend cannot run here.", "Set encoder.attention.backend to auto."),
    "MODEL-022": Entry(
        2,
        "The input has more tokens than learned positions.",
        "Use shorter crops or tiles, or raise encoder.max_tokens.",
    ),
    "MODEL-023": Entry(
        65, "The bundle has no calibration: its training did not end.", "Give the training command again."
    ),
    "MODEL-024": Entry(2, "Models of this task predict nothing by themselves.", "Start another task from it."),
    "MODEL-025": Entry(
        2,
        "Tiles of a model that carries a memory along the strand hold no whole segments.",
        "Give model.tile_bp a multiple of encoder.attention.segment × model.stride.",
    ),
    "MODEL-029": Entry(65, "A member of the bundle is a link, a device or the like.", "Copy the file itself there."),
    "HF-001": Entry(2, "The layout has no place for a feature of the encoder.", "Use a configuration made for it."),
    "HF-002": Entry(66, "A file of the folder is missing.", "Name a folder of save_pretrained."),
    "HF-003": Entry(65, "The model is of another type.", "Name a folder of a Longformer, or of a BERT over k-mers."),
    "HF-004": Entry(65, "A value of the configuration cannot be represented.", "Use a model with what is expected."),
    "HF-005": Entry(65, "The configuration makes no encoder.", "Correct what the message names."),
    "HF-006": Entry(65, "An attention window is no even number.", "Use a model with even windows."),
    "HF-007": Entry(65, "A file is no JSON object.", "Copy it again."),
    "HF-008": Entry(65, "Tensors, or the index of their files, cannot be read.", "Copy the files again."),
    "HF-009": Entry(77, "A file holds more than tensors, or is damaged; it was not run.", "Ask for model.safetensors."),
    "HF-010": Entry(65, "The vocabulary cannot be read.", "Copy the file again."),
    "HF-011": Entry(
        65,
        "No full vocabulary of k-mers says which row is which.",
        "Add vocab.txt; only models over k-mers can be read.",
    ),
    "HF-012": Entry(65, "The weights do not fit the configuration.", "Copy the folder again."),
    "HF-013": Entry(2, "Options for a BERT were given for a Longformer.", "Leave them out."),
    "HF-014": Entry(
        2, "A bundle needs k-mers in the order of our tokenizer.", "In Python, from_huggingface reads any order."
    ),
    "HF-015": Entry(2, "The positions leave none for the sequence.", "Use a model with more positions."),
    "HF-016": Entry(2, "A number among the options is too low.", "Raise it."),
    "HF-020": Entry(73, "The output folder cannot be made or must not be replaced.", "Choose another folder with -o."),
    "REGION-001": Entry(2, "The record of the region is not there.", "Use an id of the input."),
    "REGION-002": Entry(2, "The region begins behind the end of its record.", "Give coordinates of this record."),
    "REGION-003": Entry(2, "The region is malformed.", "Write RECORD:START-END."),
    "REGION-004": Entry(2, "The region is the name of a record as well.", "Rename that record."),
    "REGION-005": Entry(None, "The region ends behind its record, and was cut there.", "Nothing, or correct its end."),
    "CIRCULAR-001": Entry(2, "Records of --circular are not there.", "Use ids of the input."),
    "CIRCULAR-002": Entry(2, "Genes with introns are found on linear records only.", "Use --circular none."),
    "GENOME-001": Entry(
        None, "The genome looks unlike those of the training: genes may be missing.", "Use predict --adapt, or adapt."
    ),
    "GENOME-002": Entry(None, "UGA is probably no stop codon here.", "Try --genetic-code 4, or 25."),
    "GENOME-003": Entry(
        None, "A gene is cut off at each end of a short record.", "If the record is a complete circle, give --circular."
    ),
    "GENES-001": Entry(65, "Two records have one id, so that gene ids would repeat.", "Rename one of them."),
    "GENES-101": Entry(
        None, "A gene over the origin of a circular record is not in the GTF file.", "Take it from another format."
    ),
    "FUNCTION-001": Entry(None, "Only the start of a long record is read.", "Cut it, or train with a larger max_bp."),
    "FUNCTION-003": Entry(2, "The model says numbers, not classes or terms.", "Give another model as --function."),
    "FUNCTION-004": Entry(
        65, "The model has not learned from coding sequences.", "Train one on coding sequences, or use predict with it."
    ),
    "FUNCTION-101": Entry(
        None, "The model has no threshold for labels of genes; 0.5 is taken.", "Choose one with --min-score."
    ),
    "FUNCTION-102": Entry(
        None, "On validation no probability was high enough; no gene is labelled.", "Choose one with --min-score."
    ),
    "FUNCTION-103": Entry(None, "The model may not be made for genes.", "See what it was trained on."),
    "FUNCTION-104": Entry(None, "No training sequence was as long, or as short, as a gene.", "Trust its label less."),
    "FUNCTION-105": Entry(None, "No training sequence had the G and C of a gene.", "Trust its label less."),
    "STRUCTURE-001": Entry(65, "A record is longer than the model reads.", "Cut it, or train with a larger max_bp."),
    "SHARD-001": Entry(2, "Nothing says which shard this is.", "Give --shard I/N, with I from 1 to N."),
    "SHARD-002": Entry(
        2, "Shards were asked of what they cannot share.", "Give files, not standard input, and adapt the model before."
    ),
    "SHARD-003": Entry(66, "Shards are missing.", "Run predict with --shard for each."),
    "SHARD-004": Entry(65, "The folder has shards of two divisions.", "Delete those that are not wanted."),
    "SHARD-005": Entry(
        65, "Shards, input and model do not belong together.", "Give those they were made with, or make them again."
    ),
    "SHARD-006": Entry(65, "A shard is not finished.", "Run its command again; it continues."),
    "SHARD-010": Entry(65, "The folder of a shard holds something else.", "Copy it again, or make it again."),
    "EMBED-001": Entry(2, "The encoder has no such layer.", "Give 0 (embeddings of tokens) to the number of layers."),
    "EMBED-002": Entry(2, "Windows lack a length, or something else was given one.", "Use --per window --window-bp N."),
    "EMBED-003": Entry(2, "Windows would leave out bases.", "Give --step-bp at most the length of a window."),
    "EMBED-101": Entry(None, "A row has no known base, and is zero.", "Leave it out by known_bp."),
    "EXPLAIN-001": Entry(2, "The model has no such output, or several.", "Name one with --target."),
    "EXPLAIN-002": Entry(2, "The positions of a target are none, or have no place.", "Give NAME, or NAME:START-END."),
    "EXPLAIN-003": Entry(
        65,
        "A record is longer than what is read at once, or ends before the target.",
        "Cut out what is to be explained.",
    ),
    "EXPLAIN-004": Entry(2, "The outputs of the model are about pairs of bases.", "Explain another model."),
    "EXPLAIN-005": Entry(2, "There is no such method.", "Give words that the message lists."),
    "EXPLAIN-006": Entry(2, "The encoder has no global tokens to look at.", "Leave out attention."),
    "EXPLAIN-007": Entry(2, "The package captum is not installed.", 'pip install "genoformer[explain]"'),
    "EXPLAIN-101": Entry(None, "Contributions by gradients do not add up to the difference.", "Raise --steps."),
    "EXPLAIN-102": Entry(None, "Only the first records have pictures.", "Explain fewer records, or read the table."),
    "EXPLAIN-103": Entry(None, "A picture shows a part of a long stretch.", "Choose another one with --region."),
    "EXPLAIN-104": Entry(None, "The end of a record is not read.", "Nothing, if its begin is what counts."),
    "VARIANTS-001": Entry(65, "The file is no VCF file of version 4.", "Give a VCF file; bcftools view converts BCF."),
    "VARIANTS-002": Entry(65, "The header of a VCF file is broken.", "Copy the file again, or mend the header."),
    "VARIANTS-003": Entry(65, "A row has too few or too many columns, or no contig.", "Separate columns by tabs."),
    "VARIANTS-004": Entry(65, "A position is no whole number.", "Correct column POS."),
    "VARIANTS-005": Entry(65, "REF holds no bases.", "Correct column REF."),
    "VARIANTS-006": Entry(65, "An item of ALT is no allele.", "Correct column ALT."),
    "VARIANTS-007": Entry(65, "REF differs from the genome.", "Use the genome of the calls, or --skip."),
    "VARIANTS-008": Entry(65, "The genome has no such contig.", "Give a table of ids with --seqid-map, or --skip."),
    "VARIANTS-009": Entry(65, "A row lies behind the end of its contig.", "Use the genome of the calls, or --skip."),
    "VARIANTS-010": Entry(2, "The package pysam is not installed.", 'pip install "genoformer[hts]"'),
    "VARIANTS-011": Entry(2, "There is neither a model nor an annotation.", "Give --annotation, or name a model."),
    "VARIANTS-012": Entry(2, "Models of this task say nothing of variants.", "Give one of genes or functions."),
    "VARIANTS-013": Entry(
        2, "Every output of the model can depend on the whole sequence.", "Use a model with windowed attention."
    ),
    "VARIANTS-014": Entry(2, "A record is longer than the model reads.", "Give --annotation."),
    "VARIANTS-015": Entry(65, "The ## lines of a VCF file are more than 256 MiB.", "Remove those of no use."),
    "VARIANTS-101": Entry(None, "Rows were not sorted by place; they were sorted.", "Nothing."),
    "VARIANTS-102": Entry(None, "Genes without a plain reading frame have no consequences.", "Nothing."),
    "VARIANTS-107": Entry(None, "A row whose REF differs from the genome was left as it is.", "Use the right genome."),
    "VARIANTS-108": Entry(None, "A row of an unknown contig was left as it is.", "Give a table of ids."),
    "VARIANTS-109": Entry(None, "A row behind the end of its contig was left as it is.", "Use the right genome."),
    "FORMATS-001": Entry(2, "There is no such output format.", "Give words that the message lists."),
    "FORMATS-002": Entry(2, "The package matplotlib is not installed.", 'pip install "genoformer[plot]"'),
    "FORMATS-003": Entry(2, "The package pyarrow is not installed.", 'pip install "genoformer[tables]"'),
    "FORMATS-004": Entry(2, "The package pybigtools is not installed.", 'pip install "genoformer[tracks]"'),
    "FORMATS-005": Entry(65, "A file holds no probabilities of this record.", "Give probabilities.h5 of a prediction."),
    "OUT-001": Entry(73, "The output folder cannot be created.", "Choose another folder with -o."),
    "OUT-002": Entry(73, "The folder holds files of others.", "Choose another folder with -o, or use --overwrite."),
    "OUT-003": Entry(73, "The folder holds other results.", "Choose another folder with -o, or use --overwrite."),
    "OUT-004": Entry(73, "An input has the name of a result.", "Choose another folder with -o."),
    "OUT-005": Entry(73, "There is such a file.", "Choose another one with -o, or use --overwrite."),
    "OUT-006": Entry(74, "There is not enough space for what would be written.", "Use another disk, or --region."),
    "OUT-010": Entry(73, "A folder or a link has the name of a file of ours.", "Remove it, or use another -o."),
    "FILES-001": Entry(73, "A file cannot be created.", "Choose a name that is free, in a folder that is writable."),
    "FILES-002": Entry(74, "Writing failed.", "Check free space and quota, and run the command again."),
    "FILES-003": Entry(65, "A folder does not match its manifest.", "Copy it or make it again."),
    "FILES-004": Entry(75, "Another run is writing into this folder.", "Wait, or choose another folder."),
    "FILES-005": Entry(
        74, "What can be read only once could not be copied.", "Give a file, or free space where temporary files go."
    ),
    "FILES-010": Entry(75, "A file that the run has just written was damaged.", "Run the same command again."),
    "FILES-011": Entry(73, "The name of an output is no UTF-8 text.", "Choose another name."),
    "EVAL-001": Entry(None, "No file says how long a contig is; it ends with its last gene.", "Give --fasta."),
    "EVAL-002": Entry(65, "A contig has two lengths.", "Compare annotations of one assembly."),
    "EVAL-003": Entry(65, "A gene lies beyond its contig.", "Compare annotations of one assembly."),
    "EVAL-004": Entry(1, "A score is below --min-f1.", "Look at the scores that were printed."),
    "EVAL-010": Entry(65, "The folder holds no predicted functions.", "Give an output folder of predict or annotate."),
    "EVAL-011": Entry(2, "The reference needs ids.", "Name their column with --id-column."),
    "EVAL-012": Entry(65, "No id of the prediction is in the reference.", "Use the same ids in both."),
    "EVAL-013": Entry(None, "Nothing was predicted for an id, which is not judged.", "Predict it, too."),
    "EVAL-014": Entry(65, "A sequence has two lengths.", "Compare the same sequences."),
    "EVAL-015": Entry(2, "The prediction has no probabilities to draw.", "Leave out --plot."),
    "EVAL-016": Entry(
        2,
        "An ontology is missing, or was given for a model without terms.",
        "Give --ontology with models of terms, and no others.",
    ),
    "EVAL-017": Entry(65, "The reference has a state that the model does not know.", "Use the letters of the model."),
    "EVAL-018": Entry(
        None,
        "The reference has genes with introns, and nothing says that the predicted ones have.",
        "Give --task gene_structure_eukaryote, or --task gene_structure for genes without.",
    ),
    "EVAL-019": Entry(
        65, "The folder holds no predicted pairs, or they are damaged.", "Give an output folder of predict."
    ),
    "EVAL-020": Entry(
        None,
        "The reference does not name a sequence; predictions on it were not judged.",
        "Nothing, if the reference is of a part of the genome.",
    ),
    "EVAL-021": Entry(65, "The reference names no sequence.", "Give another reference."),
    "EVAL-022": Entry(
        None, "Most genes of the two files differ by the stop codon only.", "Give --fasta, so that the bases decide."
    ),
    "EVAL-023": Entry(65, "No sequence of the reference was given a label.", "Annotate with a lower --min-score."),
    "EVAL-024": Entry(65, "A table of the prediction is damaged.", "Run predict again."),
    "PLOT-001": Entry(2, "The package matplotlib is not installed.", 'pip install "genoformer[plot]"'),
    "GENERATE-001": Entry(2, "Seed, temperature or top-k are out of range.", "Change them."),
    "GENERATE-002": Entry(2, "Nothing would be generated.", "Give a length and a number of 1 or more."),
    "GENERATE-003": Entry(
        2, "The prompt is no sequence in whole tokens that fits the length.", "Give A, C, G and T, and a multiple of k."
    ),
    "SIM-001": Entry(2, "Seed, contigs and length do not fit together.", "Use at most one contig per base."),
    "SIM-002": Entry(2, "A setting is out of range.", "Change it."),
    "CLI-001": Entry(2, "The first word is no command.", "See genoformer --help."),
    "CLI-002": Entry(2, "The options of a command cannot be read.", "See genoformer COMMAND --help."),
    "OPTION-001": Entry(2, "A number is too low.", "Give a positive one; a seed may be 0."),
    "OPTION-002": Entry(2, "A number is not between 0 and 1.", "Give a share."),
    "OPTION-004": Entry(2, "The option is for models of other tasks.", "Leave it out."),
    "DEVICE-001": Entry(2, "The device cannot be used.", "Give another one, such as cpu."),
    "MEMORY-001": Entry(137, "There is not enough memory.", "Use a smaller --batch-size, or smaller tiles."),
    "BUG-001": Entry(
        70, "There is a fault in genoformer.", "Report it with the crash file, once you have looked what it holds."
    ),
    "API-001": Entry(2, "Bases were given where a path belongs.", "Give them to Model.predict_sequence."),
    "API-002": Entry(2, "What was given to a model holds no records.", "Give a path, records, a dict or a data frame."),
    "API-003": Entry(2, "A model has no such option, or a data frame no such column.", "Take one that is named."),
    "API-004": Entry(2, "A model has no file or table of this kind.", "Take a name that is listed."),
    "API-005": Entry(2, "A package that makes tables is not installed.", "Install it: the extra “tables”, or polars."),
    "API-006": Entry(2, "Probabilities of bases were not kept.", "Ask for them: predict(…, probabilities=True)."),
    "API-007": Entry(2, "A model gives results of another type than the program expects.", "Load another model."),
}
"""Prefix by prefix, errors before warnings."""
