"""deploy/rayjob.yaml, as far as it can be checked without the resource definition of KubeRay."""

import json
import shlex

import pytest
import yaml

from camerabias.sweeps.execution.ray_tune import GPU_WORKERS


@pytest.fixture
def documents(read):
    return list(yaml.safe_load_all(read("deploy/rayjob.yaml")))


@pytest.fixture
def job(documents):
    (found,) = [document for document in documents if document["kind"] == "RayJob"]
    return found["spec"]


def pods(cluster):
    return [group["template"]["spec"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def test_ray_is_the_locked_one_with_a_token(job, locked):
    cluster = job["rayClusterSpec"]
    assert cluster["rayVersion"] == locked("ray")
    assert cluster["authOptions"] == {"mode": "token"}


def test_the_entrypoint_is_a_command(job, parse_command):
    name, options = parse_command(job["entrypoint"])
    assert name == "sweep run"
    assert options["address"] == "auto"
    assert shlex.split(job["entrypoint"])[0] == "camerabias"


def test_gpus_come_when_trials_wait_for_them(job):
    cluster = job["rayClusterSpec"]
    assert cluster["enableInTreeAutoscaling"]
    (group,) = cluster["workerGroupSpecs"]
    assert group["minReplicas"] == group["replicas"] == 0 < group["maxReplicas"]
    assert group["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    # KubeRay puts it behind --resources= of `ray start` in a shell
    (argument,) = shlex.split(cluster["headGroupSpec"]["rayStartParams"]["resources"])
    assert json.loads(argument) == {GPU_WORKERS: group["maxReplicas"]}


def test_all_pods_share_an_image_and_the_account_that_may_use_the_bucket(job, documents):
    (account,) = [document for document in documents if document["kind"] == "ServiceAccount"]
    assert "eks.amazonaws.com/role-arn" in account["metadata"]["annotations"]
    assert {pod["serviceAccountName"] for pod in pods(job["rayClusterSpec"])} == {account["metadata"]["name"]}
    images = {container["image"] for pod in pods(job["rayClusterSpec"]) for container in pod["containers"]}
    assert len(images) == 1


def test_the_cluster_goes_when_the_job_ends(job):
    assert job["shutdownAfterJobFinishes"]
