"""One run on real genomes: a model is trained on a phage, finds the genes of another, and is judged."""

import json

import pytest
import yaml

from genoformer.applications import APPLICATIONS, DEFAULT_TASK
from genoformer.files import verify_manifest

pytestmark = pytest.mark.slow

STEPS = "--trainer.max_steps 150 --model.lr 3e-3 --data.loader.samples_per_epoch 300 --data.loader.batch_size 4"


def test_phages_go_all_the_way_from_genbank_to_a_report(snakemake, folder, warm, data_dir):
    phages = data_dir / "genome_phages"
    rows = [("lambda", "train", "NC_001416_lambda.gbk.gz"), ("hk630", "test", "NC_019724.gbk.gz")]
    table = "".join(f"{name}\t{role}\t{phages / file}\n" for name, role, file in rows)
    (folder / "config/samples.tsv").write_text("sample\trole\tfasta\n" + table)
    known = APPLICATIONS[DEFAULT_TASK].formats.load()
    formats = ["gff3", "tsv", "protein", "bed", "genbank", "report"]
    config = yaml.safe_load((folder / "config/config.yaml").read_text()) | {"formats": formats}
    config["training"] |= {"options": f"--data.split.validation 0.2 {STEPS}"}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    code, said = snakemake(folder)
    assert code == 0, said
    out = folder / "results/predict/hk630"
    assert set(verify_manifest(out)) == {"summary.json", *(known[word].file for word in formats)}
    genes = json.loads((folder / "results/evaluate/hk630.json").read_text())["genes"]
    assert genes["three_prime"]["f1"] > 0.5  # two related phages, and a minute of training
    assert "| validation | value |" in (folder / "runs/tiny/model/model_card.md").read_text()
    assert "NC_019724" in (out / "report.html").read_text()
    code, said = snakemake(folder, "--report", folder / "report.html")
    assert code == 0 and "results/evaluate/hk630.txt" in (folder / "report.html").read_text()
