//! Rules as command lines of Kafka's own tool.

use std::collections::BTreeMap;

use super::export::Export;
use crate::streams::kafka::{AclOperation, AclPattern, AclResource};

/// One line for each name, with everything that may be done with it, for `kafka-acls.sh`.
pub fn commands(export: &Export, brokers: &str) -> Vec<String> {
    let mut by_name: BTreeMap<(AclResource, AclPattern, &str, &str), Vec<AclOperation>> = BTreeMap::new();
    for rule in &export.rules {
        let acl = &rule.acl;
        by_name.entry((acl.resource, acl.pattern, &acl.name, &acl.host)).or_default().push(acl.operation);
    }
    let line =
        |((resource, pattern, name, host), operations): ((AclResource, AclPattern, &str, &str), Vec<AclOperation>)| {
            let mut words = vec!["kafka-acls.sh --bootstrap-server".to_owned(), quoted(brokers)];
            words.extend(["--add --allow-principal".to_owned(), quoted(&export.principal)]);
            if host != "*" {
                words.extend(["--allow-host".to_owned(), quoted(host)]);
            }
            words.extend(operations.iter().map(|operation| format!("--operation {operation:?}")));
            let option = match resource {
                AclResource::Topic => "--topic",
                AclResource::Group => "--group",
                AclResource::TransactionalId => "--transactional-id",
                AclResource::Cluster => "--cluster",
            };
            words.push(option.to_owned());
            if resource != AclResource::Cluster {
                words.push(quoted(name));
                words.push(match pattern {
                    AclPattern::Literal => "--resource-pattern-type literal".to_owned(),
                    AclPattern::Prefixed => "--resource-pattern-type prefixed".to_owned(),
                });
            }
            words.join(" ")
        };
    by_name.into_iter().map(line).collect()
}

/// A word that a shell leaves as it is.
fn quoted(word: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-:,/@%+=".contains(&b);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::super::{Wanted, export};
    use super::*;
    use crate::permissions::Matrix;

    #[test]
    fn a_line_has_all_operations_of_a_name_and_nothing_that_a_shell_would_read() {
        let text = "[[row]]\nprincipal = \"agent:a\"\ntopics.write = [\"x.*\", \"*\"]\n";
        let matrix = Matrix::parse(text).unwrap();
        let principal = "User:CN=it's";
        let export = export(Wanted {
            matrix: &matrix,
            principal,
            with_clients: false,
            declared: &[],
            tool_topics: &[],
            conversations: None,
        });
        let lines = commands(&export, "b1:9092,b2:9092");
        let start = "kafka-acls.sh --bootstrap-server b1:9092,b2:9092 --add --allow-principal 'User:CN=it'\\''s' ";
        let rest: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix(start)).collect();
        assert_eq!(
            rest,
            [
                "--operation Write --operation DescribeConfigs --topic '*' --resource-pattern-type literal",
                "--operation Read --topic wasmill.agents --resource-pattern-type literal",
                "--operation Read --operation Create --topic wasmill.audit --resource-pattern-type literal",
                "--operation Create --topic wasmill.forge --resource-pattern-type literal",
                "--operation Describe --group wasmill.readers --resource-pattern-type literal",
                "--operation Describe --cluster",
            ]
        );
    }
}
