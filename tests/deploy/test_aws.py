"""The stack of deploy/aws and what Ray makes of cluster.yaml with it, on an AWS that is simulated."""

import os
import re
from contextlib import contextmanager
from types import SimpleNamespace

import boto3
import cfnlint
import pytest
import yaml
from moto import mock_aws
from ray.autoscaler._private.aws import config as ray_aws
from ray.autoscaler._private.aws import utils as ray_aws_caches
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.tags import TAG_RAY_CLUSTER_NAME

pytestmark = pytest.mark.xdist_group("aws")  # which share an account that takes seconds to make

SSH_FROM = "203.0.113.0/24"
BUCKET = "bucket-of-somebody"
STACK = "deploy/aws/stack.yaml"


@contextmanager
def simulated_aws(home, region):
    """An empty account of AWS, and an empty home, where Ray puts its key."""
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "simulated")
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in {**keys, "AWS_DEFAULT_REGION": region, "HOME": str(home)}.items():
            patch.setenv(name, value)
        for cache in (
            ray_aws_caches.resource_cache,
            ray_aws_caches.client_cache,
            ray_aws._get_subnets_or_die,
        ):
            cache.cache_clear()
        yield


def bootstrap(config):
    """What `ray up` does to a configuration before it starts the head."""
    config = AWSNodeProvider.fillout_available_node_types_resources(prepare_config(config))
    validate_config(config)
    return AWSNodeProvider.bootstrap_config(config)


@pytest.fixture(scope="module")
def aws(read, tmp_path_factory):
    """The account after the stack was made, cluster.yaml filled in, and Ray had a look at both."""
    config = yaml.safe_load(read("cluster.yaml"))
    with simulated_aws(tmp_path_factory.mktemp("home"), config["provider"]["region"]):
        stacks, ec2, iam = (boto3.client(name) for name in ("cloudformation", "ec2", "iam"))
        given = {"Bucket": BUCKET, "SshFrom": SSH_FROM}
        stacks.create_stack(
            StackName="camerabias",
            TemplateBody=read(STACK),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        )
        (stack,) = stacks.describe_stacks(StackName="camerabias")["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        before = {group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]}
        for kind in config["available_node_types"].values():
            kind["node_config"]["SecurityGroupIds"] = [outputs["Group"]]
        yield SimpleNamespace(
            ec2=ec2, iam=iam, group=outputs["Group"], before=before, config=bootstrap(config)
        )


def policies_of(aws, profile):
    """Statements of all policies of a profile's role."""
    (role,) = aws.iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"]
    name = role["RoleName"]
    assert not aws.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return [
        statement
        for policy in aws.iam.list_role_policies(RoleName=name)["PolicyNames"]
        for statement in aws.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"][
            "Statement"
        ]
    ]


def listed(value):
    return value if isinstance(value, list) else [value]


def actions(statements):
    return {action for statement in statements for action in listed(statement["Action"])}


def test_the_template_is_one_that_cloudformation_takes(read):
    assert [str(match) for match in cfnlint.lint(read(STACK), regions=["us-east-1"])] == []


def test_ssh_from_the_given_addresses_is_all_that_is_open(aws):
    groups = aws.ec2.describe_security_groups()["SecurityGroups"]
    assert {group["GroupId"] for group in groups} == aws.before  # Ray has made none of its own
    (ours,) = [group for group in groups if group["GroupId"] == aws.group]
    from_outside = [
        (
            rule["IpProtocol"],
            rule["FromPort"],
            rule["ToPort"],
            [source["CidrIp"] for source in rule["IpRanges"]],
        )
        for rule in ours["IpPermissions"]
        if rule["IpRanges"] or rule["Ipv6Ranges"] or rule["PrefixListIds"]
    ]
    assert from_outside == [("tcp", 22, 22, [SSH_FROM])]
    within = [pair["GroupId"] for rule in ours["IpPermissions"] for pair in rule["UserIdGroupPairs"]]
    assert within == [aws.group]
    for kind in aws.config["available_node_types"].values():
        assert kind["node_config"]["SecurityGroupIds"] == [aws.group]


@pytest.mark.parametrize("addresses", ["0.0.0.0/0", "0.0.0.0/1", "YOUR.ADDRESS/32", ""])
def test_ssh_from_everywhere_is_refused(read, addresses):
    (pattern,) = re.findall(r"AllowedPattern: (\S+)", read(STACK))
    assert re.fullmatch(pattern, SSH_FROM)
    assert not re.fullmatch(pattern, addresses)


def test_ray_stops_unless_the_group_is_filled_in(read, tmp_path, capsys):
    config = yaml.safe_load(read("cluster.yaml"))
    with simulated_aws(tmp_path, config["provider"]["region"]):
        ec2 = boto3.client("ec2")
        before = ec2.describe_security_groups()["SecurityGroups"]
        with pytest.raises(AssertionError):
            bootstrap(config)
        assert "any of the configured SecurityGroupIds" in capsys.readouterr().err
        assert ec2.describe_security_groups()["SecurityGroups"] == before
        assert ec2.describe_instances()["Reservations"] == []


def test_machines_have_our_profiles_and_ray_has_made_no_role(aws):
    kinds = aws.config["available_node_types"]
    profiles = {name: kind["node_config"]["IamInstanceProfile"]["Name"] for name, kind in kinds.items()}
    assert profiles == {"head": "camerabias-head", "gpu_worker": "camerabias-worker"}
    made = aws.iam.list_instance_profiles()["InstanceProfiles"]
    assert {profile["InstanceProfileName"] for profile in made} == set(profiles.values())
    assert len(aws.iam.list_roles()["Roles"]) == len(profiles)
    assert not aws.config["head_node"]  # where Ray would put a profile of its own


def test_the_worker_may_use_one_bucket_and_nothing_else(aws):
    statements = policies_of(aws, "camerabias-worker")
    assert {action.split(":")[0] for action in actions(statements)} == {"s3"}
    resources = {resource for statement in statements for resource in listed(statement["Resource"])}
    assert resources == {f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"}


def test_the_head_may_do_nothing_to_everything(aws):
    statements = policies_of(aws, "camerabias-head")
    assert not [action for action in actions(statements) if "*" in action]
    assert actions([s for s in statements if "*" in listed(s["Resource"])]) == {"ec2:DescribeInstances"}
    (passing,) = [s for s in statements if "iam:PassRole" in listed(s["Action"])]
    (worker,) = aws.iam.get_instance_profile(InstanceProfileName="camerabias-worker")["InstanceProfile"][
        "Roles"
    ]
    assert listed(passing["Resource"]) == [worker["Arn"]]


def test_the_head_may_do_what_ray_does_to_workers_and_starts_them_as_it_must(aws):
    provider = AWSNodeProvider(aws.config["provider"], aws.config["cluster_name"])
    called = set()

    def note(model, **_):
        called.add(f"ec2:{model.name}")

    provider.ec2.meta.client.meta.events.register("before-call.ec2", note)
    provider.ec2_fail_fast.meta.client.meta.events.register("before-call.ec2", note)
    node_config = aws.config["available_node_types"]["gpu_worker"]["node_config"]
    (node,) = provider.create_node(node_config, {"ray-node-type": "worker"}, 1)
    assert provider.non_terminated_nodes({}) == [node]
    provider.set_node_tags(node, {"ray-node-status": "up-to-date"})
    (reserved,) = aws.ec2.describe_instances()["Reservations"]
    (instance,) = reserved["Instances"]
    (disk,) = aws.ec2.describe_volumes()["Volumes"]
    provider.terminate_nodes([node])
    assert provider.non_terminated_nodes({}) == []

    statements = policies_of(aws, "camerabias-head")
    assert called >= {"ec2:RunInstances", "ec2:CreateTags", "ec2:TerminateInstances"}
    assert called <= actions(statements)
    (starting,) = [
        s["Condition"]["StringEquals"]
        for s in statements
        if listed(s["Action"]) == ["ec2:RunInstances"] and "StringEquals" in s.get("Condition", {})
    ]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert starting == {
        "aws:RequestTag/ray-cluster-name": tags[TAG_RAY_CLUSTER_NAME],
        "ec2:MetadataHttpTokens": instance["MetadataOptions"]["HttpTokens"],
        "ec2:InstanceProfile": instance["IamInstanceProfile"]["Arn"],
    }
    assert (instance["InstanceLifecycle"], instance["MetadataOptions"]["HttpTokens"]) == ("spot", "required")
    assert instance["IamInstanceProfile"]["Arn"].endswith("/camerabias-worker")
    assert disk["Encrypted"]


def test_the_head_is_paid_for_runs_no_trials_and_promises_gpus(aws):
    from camerabias.sweeps.execution.ray_tune import GPU_WORKERS

    head, worker = (aws.config["available_node_types"][kind] for kind in ("head", "gpu_worker"))
    assert "InstanceMarketOptions" not in head["node_config"]
    assert "GPU" not in head["resources"]
    assert head["resources"][GPU_WORKERS] == worker["max_workers"]
    assert worker["resources"]["GPU"] == 1
    assert worker["min_workers"] == 0 < worker["max_workers"]
    assert head["node_config"]["MetadataOptions"]["HttpTokens"] == "required"
    assert head["node_config"]["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]
    assert aws.config["provider"]["cache_stopped_nodes"] is False


def test_the_key_is_the_users_alone(aws):
    assert os.stat(aws.config["auth"]["ssh_private_key"]).st_mode & 0o777 == 0o600
