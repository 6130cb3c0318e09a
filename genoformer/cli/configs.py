"""``genoformer configs``: the configurations that come with the package, and where its workflow is."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", nargs="?", help="print this configuration, to save and change it")
    parser.add_argument("--workflow", action="store_true", help="print the folder of the Snakemake workflow")


def run(args: argparse.Namespace) -> int:
    """List the shipped configurations, print one, or the folder of the workflow; returns the exit code."""
    from genoformer.cli.help_pages.page import configurations
    from genoformer.training.config_files import config_folder, find_config, workflow_folder
    from genoformer.training.yaml_text import check_yaml_file

    if args.workflow:
        print(workflow_folder())
        return 0
    if args.name is not None:
        path = find_config(args.name)
        check_yaml_file(path)
        print(path.read_text(encoding="utf-8").rstrip("\n"))
        return 0
    print(configurations(config_folder()))
    print("genoformer fit --config NAME trains with one; genoformer configs NAME prints it.")
    return 0
