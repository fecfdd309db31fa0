# Adds access rules to a broker, or takes them away: an implementation of the protocol that is not ours. Arguments: the
# broker, `add` or `remove`; standard input: a list of rules as `wasmill permission export --kafka --output json` has them.
import json
import re
import sys

from kafka.admin import (
    ACL, ACLFilter, ACLOperation, ACLPermissionType, ACLResourcePatternType, KafkaAdminClient, ResourcePattern,
    ResourcePatternFilter, ResourceType,
)


def constant(word):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).replace("-", "_").upper()


def rule(acl, kind, pattern):
    return kind(
        principal=acl["principal"],
        host=acl["host"],
        operation=ACLOperation[constant(acl["operation"])],
        permission_type=ACLPermissionType.ALLOW if acl["allowed"] else ACLPermissionType.DENY,
        resource_pattern=pattern(
            ResourceType[constant(acl["resource"])], acl["name"], ACLResourcePatternType[constant(acl["pattern"])]
        ),
    )


broker, verb = sys.argv[1:]
rules = json.load(sys.stdin)
admin = KafkaAdminClient(bootstrap_servers=broker)
if verb == "add":
    answer = admin.create_acls([rule(acl, ACL, ResourcePattern) for acl in rules])
    assert not answer["failed"] and len(answer["succeeded"]) == len(rules), answer
else:
    for _, removed, error in admin.delete_acls([rule(acl, ACLFilter, ResourcePatternFilter) for acl in rules]):
        assert len(removed) == 1, (removed, error)
admin.close()
