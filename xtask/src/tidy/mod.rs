//! The rules that no compiler keeps: who may depend on whom, how long a file may be, what pure code may not name.

use std::path::Path;

mod files;
mod walls;

/// Everything that breaks a rule, in words.
pub(crate) fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut problems = walls::problems(root)?;
    problems.extend(files::problems(root)?);
    Ok(problems)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        let problems = super::problems(&crate::root()).expect("the tree can be read");
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    }
}
