//! A parser: layout and templates together.

use super::head::{Layout, Parts};
use super::token::{Token, tokenise};
use super::tree::{Slot, Template, Tree};

/// Takes lines apart.
#[derive(Debug)]
pub struct Parser<'t> {
    layout: Layout<'t>,
    templates: &'t [Template<'t>],
    tree: Tree<'t>,
}

impl<'t> Parser<'t> {
    /// Makes the parser ready; costs some microseconds per template.
    pub fn new(layout: Layout<'t>, templates: &'t [Template<'t>]) -> Self {
        Parser { layout, templates, tree: Tree::new(templates) }
    }

    /// Takes one line apart and hands what it found to `row`: the head, the template where one fits, and the variable
    /// parts in order.
    pub fn parse<R>(&self, line: &str, row: impl FnOnce(&Parts<'_>, Option<&'t Template<'t>>, &[&str]) -> R) -> R {
        let parts = self.layout.apply(line);
        let mut tokens = Vec::with_capacity(32);
        tokenise(&parts.message, &mut tokens);
        let template = self.tree.find(parts.headed, &tokens).map(|position| &self.templates[position]);
        let mut values = Vec::with_capacity(8);
        if let Some(template) = template {
            for (slot, token) in template.slots.iter().zip(&tokens) {
                variables(slot, token, &mut values);
            }
        }
        row(&parts, template, &values)
    }
}

/// The variable parts of one token, as the slot sees it.
fn variables<'a>(slot: &Slot<'_>, token: &Token<'a>, values: &mut Vec<&'a str>) {
    match slot {
        Slot::Value(prefix, suffix) => {
            let text = token.text.strip_prefix(prefix).unwrap_or(token.text);
            values.push(text.strip_suffix(suffix).unwrap_or(text));
        }
        Slot::Any(prefix, suffix) => values.push(&token.text[prefix.len()..token.text.len() - suffix.len()]),
        Slot::Word(word) => {
            // The literal pieces between the hidden parts are where they were found when the word was masked.
            let mut rest = token.text;
            let mut pieces = word.split(super::token::HIDDEN);
            rest = rest.strip_prefix(pieces.next().unwrap_or_default()).unwrap_or(rest);
            for piece in pieces {
                let end = if piece.is_empty() { rest.len() } else { rest.find(piece).unwrap_or(rest.len()) };
                values.push(&rest[..end]);
                rest = rest.get(end + piece.len()..).unwrap_or_default();
            }
        }
    }
}
