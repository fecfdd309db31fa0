//! Functions of tools under one name, as MCP and language models have it.

/// `maker.tool` and `function` as one name: `maker_tool__function`.
///
/// Clients hand these names to language models, which take `a-z`, `A-Z`, `0-9`, `_` and `-`. Names of components have
/// no `_`, so the first `__` ends the component, and no two functions share a name.
pub fn shown(tool: &str, function: &str) -> String {
    format!("{}__{function}", tool.replace('.', "_"))
}

/// Tool and function of a name; none for one that [`shown`] never gives.
pub fn meant(name: &str) -> Option<(String, String)> {
    let (tool, function) = name.split_once("__")?;
    Some((tool.replace('_', "."), function.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_leads_back(tool in "[a-z0-9-]{1,8}(\\.[a-z0-9-]{1,8}){0,3}", function in "[a-z0-9_-]{1,12}") {
            prop_assert_eq!(meant(&shown(&tool, &function)), Some((tool, function)));
        }
    }

    #[test]
    fn other_names_mean_nothing() {
        assert_eq!(meant("forge_build"), None);
        assert_eq!(meant(""), None);
    }
}
