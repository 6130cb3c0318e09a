"""``genoformer configs``: the configurations that come with the package."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", nargs="?", help="print this configuration, to save and change it")


def run(args: argparse.Namespace) -> int:
    """List the shipped configurations, or print one; returns the exit code."""
    from genoformer.cli.help_pages.page import configurations
    from genoformer.training.config_files import config_folder, find_config
    from genoformer.training.yaml_text import check_yaml_file

    if args.name is not None:
        path = find_config(args.name)
        check_yaml_file(path)
        print(path.read_text(encoding="utf-8").rstrip("\n"))
        return 0
    print(configurations(config_folder()))
    print("genoformer fit --config NAME trains with one; genoformer configs NAME prints it.")
    return 0
