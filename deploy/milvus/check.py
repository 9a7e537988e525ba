#!/usr/bin/env python3
"""Checks compose.yaml and values.yaml of this folder: YAML, the keys that a store needs, YAML inside YAML.

    python3 deploy/milvus/check.py [VALUES_OF_THE_CHART]

With the chart's own values (`helm show values milvus/milvus`), every key of values.yaml must be one of theirs: Helm
ignores a misspelt key without a word. Needs PyYAML.
"""

import pathlib
import sys

import yaml

FOLDER = pathlib.Path(__file__).parent
PORT = 19530
# Their content is the user's: the chart has only examples of it, or none.
FREE = {"resources", "user.yaml"}


class UniqueKeys(yaml.SafeLoader):
    """YAML takes the last of two equal keys without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"{key} stands twice{node.start_mark}")
        return super().construct_mapping(node, deep=deep)


def parse(text, place):
    try:
        found = yaml.load(text, Loader=UniqueKeys)
    except yaml.YAMLError as error:
        sys.exit(f"{place}: no YAML: {error}")
    if not isinstance(found, dict):
        sys.exit(f"{place}: expected keys with values, found {type(found).__name__}")
    return found


def at(tree, path, place):
    """What stands at a path of keys."""
    for position, key in enumerate(path):
        if not isinstance(tree, dict) or key not in tree:
            sys.exit(f"{place}: expected {' > '.join(path[: position + 1])}, found no such key")
        tree = tree[key]
    return tree


def expect(found, expected, place):
    if found != expected:
        sys.exit(f"{place}: expected {expected!r}, found {found!r}")


def is_authorized(text, place):
    user = parse(text, place)
    expect(at(user, ["common", "security", "authorizationEnabled"], place), True, f"{place}: authorizationEnabled")


def check_compose(compose):
    place = "compose.yaml"
    service = at(compose, ["services", "milvus"], place)
    for key in ["image", "command", "environment", "ports", "volumes", "configs", "healthcheck"]:
        at(service, [key], f"{place}: services > milvus")
    expect(service["ports"], [f"127.0.0.1:{PORT}:{PORT}"], f"{place}: ports")
    for config in service["configs"]:
        content = at(compose, ["configs", config["source"], "content"], place)
        parse(content, f"{place}: configs > {config['source']}")
    for volume in service["volumes"]:
        at(compose, ["volumes", volume.split(":")[0]], place)
    etcd = service["environment"]["ETCD_CONFIG_PATH"]
    if etcd not in [config["target"] for config in service["configs"]]:
        sys.exit(f"{place}: expected a config at {etcd}, found none")
    is_authorized(compose["configs"]["milvus"]["content"], f"{place}: configs > milvus")


def check_values(values):
    place = "values.yaml"
    expect(at(values, ["cluster", "enabled"], place), True, f"{place}: cluster > enabled")
    expect(at(values, ["service", "port"], place), PORT, f"{place}: service > port")
    for node in ["queryNode", "indexNode", "dataNode"]:
        replicas = at(values, [node, "replicas"], place)
        if not isinstance(replicas, int) or replicas < 1:
            sys.exit(f"{place}: expected 1 or more {node} > replicas, found {replicas!r}")
        at(values, [node, "resources", "requests", "memory"], place)
    is_authorized(at(values, ["extraConfigFiles", "user.yaml"], place), f"{place}: user.yaml")


def check_known(values, known, path):
    """Every key is one of the chart's."""
    for key, value in values.items():
        if key not in known:
            sys.exit(f"values.yaml: {' > '.join([*path, key])} is no key of the chart")
        if isinstance(value, dict) and key not in FREE:
            check_known(value, known[key] or {}, [*path, key])


def main():
    compose = parse((FOLDER / "compose.yaml").read_text(), "compose.yaml")
    values = parse((FOLDER / "values.yaml").read_text(), "values.yaml")
    check_compose(compose)
    check_values(values)
    version = at(values, ["image", "all", "tag"], "values.yaml")
    image = compose["services"]["milvus"]["image"]
    expect(image, f"milvusdb/milvus:{version}", "compose.yaml: image, the version of values.yaml")
    if len(sys.argv) > 1:
        check_known(values, parse(pathlib.Path(sys.argv[1]).read_text(), sys.argv[1]), [])
    print(f"compose.yaml and values.yaml: as expected, Milvus {version}")


if __name__ == "__main__":
    main()
