//! Finds the template of a message: a prefix tree over tokens, the most literal path wins.

use std::collections::HashMap;

use super::token::Token;

/// One place of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot<'t> {
    /// A word that is always the same once its variable parts are hidden.
    Word(&'t str),
    /// Words that are variable by their looks. Mostly they begin and end with this punctuation, which is not part of the
    /// value.
    Value(&'t str, &'t str),
    /// Any one word that begins and ends like this, with both parts possibly empty.
    Any(&'t str, &'t str),
}

/// Places of a template, with the number that it keeps for ever.
#[derive(Debug, Clone, Copy)]
pub struct Template<'t> {
    /// Stable across versions of a parser; several patterns of one template share it.
    pub id: u32,
    /// True where the message follows a head, false for lines without one.
    pub headed: bool,
    /// What the message looks like.
    pub slots: &'t [Slot<'t>],
}

/// All templates of a source, ready to match.
#[derive(Debug, Default)]
pub struct Tree<'t> {
    nodes: Vec<Node<'t>>,
    roots: [usize; 2],
}

#[derive(Debug, Default)]
struct Node<'t> {
    words: HashMap<&'t str, usize>,
    value: Option<usize>,
    any: Vec<(&'t str, &'t str, usize)>,
    leaf: Option<usize>,
}

/// Steps that one search may take: bounds what a message can cost that almost matches everything.
const STEPS_MAX: usize = 20_000;

struct Search<'s, 't, 'm> {
    nodes: &'s [Node<'t>],
    tokens: &'s [Token<'m>],
    steps: usize,
    best: Option<(usize, usize)>,
}

impl<'t> Tree<'t> {
    /// Builds the tree; `find` gives positions in `templates`.
    pub fn new(templates: &[Template<'t>]) -> Self {
        let mut tree = Tree { nodes: vec![Node::default(), Node::default()], roots: [0, 1] };
        for (position, template) in templates.iter().enumerate() {
            let mut at = tree.roots[usize::from(template.headed)];
            for slot in template.slots {
                at = tree.step(at, *slot);
            }
            tree.nodes[at].leaf.get_or_insert(position);
        }
        tree
    }

    fn step(&mut self, at: usize, slot: Slot<'t>) -> usize {
        let next = self.nodes.len();
        let node = &mut self.nodes[at];
        let found = match slot {
            Slot::Word(word) => *node.words.entry(word).or_insert(next),
            Slot::Value(..) => *node.value.get_or_insert(next),
            Slot::Any(prefix, suffix) => match node.any.iter().find(|(p, s, _)| (*p, *s) == (prefix, suffix)) {
                Some((_, _, known)) => *known,
                None => {
                    node.any.push((prefix, suffix, next));
                    next
                }
            },
        };
        if found == next {
            self.nodes.push(Node::default());
        }
        found
    }

    /// Position of the template with the most literal places that `tokens` fit.
    pub fn find(&self, headed: bool, tokens: &[Token<'_>]) -> Option<usize> {
        let mut search = Search { nodes: &self.nodes, tokens, steps: 0, best: None };
        search.walk(self.roots[usize::from(headed)], 0, 0);
        search.best.map(|(_, position)| position)
    }
}

impl Search<'_, '_, '_> {
    fn walk(&mut self, at: usize, depth: usize, literal: usize) {
        self.steps += 1;
        let hopeless = self.best.is_some_and(|(best, _)| literal + 2 * (self.tokens.len() - depth) <= best);
        if hopeless || self.steps > STEPS_MAX {
            return;
        }
        let node = &self.nodes[at];
        let Some(token) = self.tokens.get(depth) else {
            if let Some(leaf) = node.leaf {
                self.best = Some((literal, leaf));
            }
            return;
        };
        if token.variable {
            if let Some(next) = node.value {
                self.walk(next, depth + 1, literal + 2);
            }
        } else if let Some(next) = node.words.get(token.masked.as_ref()) {
            self.walk(*next, depth + 1, literal + 2);
        }
        for (prefix, suffix, next) in &node.any {
            let text = token.text;
            if text.len() >= prefix.len() + suffix.len() && text.starts_with(prefix) && text.ends_with(suffix) {
                let partly = usize::from(!prefix.is_empty() || !suffix.is_empty());
                self.walk(*next, depth + 1, literal + partly);
            }
        }
    }
}
