//! The automaton: tree to instructions, and the set of places in them that is stepped byte by
//! byte (Thompson's construction, simulated).

use super::PatternError;
use super::parse::{Node, Place, Set, is_word};

/// Instructions of one expression; 64 KiB of answer then take at most some tenths of a second.
const MOST_INSTRUCTIONS: usize = 16_384;
/// Tree nodes visited while building: bounds nested counts of empty expressions.
const MOST_VISITS: usize = 200_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instruction {
    Byte(u8),
    /// Index into the sets.
    Set(u16),
    At(Place),
    /// Go on at both.
    Split(u16, u16),
    Jump(u16),
    Match,
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub(super) struct Automaton {
    instructions: Vec<Instruction>,
    sets: Vec<Set>,
}

impl Automaton {
    pub(super) fn new(tree: &Node) -> Result<Self, PatternError> {
        let mut builder = Builder {
            instructions: Vec::new(),
            sets: Vec::new(),
            visits: 0,
        };
        builder.node(tree)?;
        builder.push(Instruction::Match)?;
        Ok(Self {
            instructions: builder.instructions,
            sets: builder.sets,
        })
    }
}

struct Builder {
    instructions: Vec<Instruction>,
    sets: Vec<Set>,
    visits: usize,
}

impl Builder {
    fn here(&self) -> u16 {
        // At most MOST_INSTRUCTIONS, which fits.
        u16::try_from(self.instructions.len()).unwrap_or(u16::MAX)
    }

    fn push(&mut self, instruction: Instruction) -> Result<u16, PatternError> {
        let place = self.here();
        if self.instructions.len() >= MOST_INSTRUCTIONS {
            return Err(PatternError::TooBig);
        }
        self.instructions.push(instruction);
        Ok(place)
    }

    fn set(&mut self, place: u16, instruction: Instruction) {
        if let Some(slot) = self.instructions.get_mut(usize::from(place)) {
            *slot = instruction;
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), PatternError> {
        self.visits += 1;
        if self.visits > MOST_VISITS {
            return Err(PatternError::TooBig);
        }
        match node {
            Node::Byte(byte) => self.push(Instruction::Byte(*byte)).map(drop),
            Node::Set(set) => {
                let index = self.index(**set)?;
                self.push(Instruction::Set(index)).map(drop)
            }
            Node::At(place) => self.push(Instruction::At(*place)).map(drop),
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.node(node)),
            Node::Either(nodes) => self.either(nodes),
            Node::Repeat { node, least, most } => self.repeat(node, *least, *most),
        }
    }

    fn index(&mut self, set: Set) -> Result<u16, PatternError> {
        let index = self
            .sets
            .iter()
            .position(|known| *known == set)
            .unwrap_or_else(|| {
                self.sets.push(set);
                self.sets.len() - 1
            });
        u16::try_from(index).map_err(|_| PatternError::TooBig)
    }

    fn either(&mut self, nodes: &[Node]) -> Result<(), PatternError> {
        let mut ends = Vec::new();
        let Some((last, others)) = nodes.split_last() else {
            return Ok(());
        };
        for node in others {
            let split = self.push(Instruction::Jump(0))?;
            self.node(node)?;
            ends.push(self.push(Instruction::Jump(0))?);
            self.set(split, Instruction::Split(split + 1, self.here()));
        }
        self.node(last)?;
        for end in ends {
            self.set(end, Instruction::Jump(self.here()));
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, least: u32, most: Option<u32>) -> Result<(), PatternError> {
        for _ in 0..least {
            self.node(node)?;
        }
        let Some(most) = most else {
            let split = self.push(Instruction::Jump(0))?;
            self.node(node)?;
            self.push(Instruction::Jump(split))?;
            self.set(split, Instruction::Split(split + 1, self.here()));
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in least..most {
            splits.push(self.push(Instruction::Jump(0))?);
            self.node(node)?;
        }
        for split in splits {
            self.set(split, Instruction::Split(split + 1, self.here()));
        }
        Ok(())
    }
}

/// The places reached after the bytes so far; remembers what came before the next byte.
#[derive(Debug, Clone)]
pub(crate) struct Matcher<'a> {
    automaton: &'a Automaton,
    /// Places to go on from, before jumps and conditions are followed.
    places: Vec<u16>,
    before: Option<u8>,
    matched: bool,
    scratch: Scratch,
}

#[derive(Debug, Clone, Default)]
struct Scratch {
    seen: Vec<bool>,
    stack: Vec<u16>,
    next: Vec<u16>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(automaton: &'a Automaton) -> Self {
        Self {
            automaton,
            places: Vec::new(),
            before: None,
            matched: false,
            scratch: Scratch::default(),
        }
    }

    /// Takes the next bytes. Whether there is a match in all bytes so far, if they end here; once
    /// true it stays true.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if self.matched {
                return true;
            }
            self.step(*byte);
        }
        self.matched || self.walk(None)
    }

    fn step(&mut self, byte: u8) {
        self.matched = self.walk(Some(byte));
        std::mem::swap(&mut self.places, &mut self.scratch.next);
        self.before = Some(byte);
    }

    /// Follows jumps and conditions from every place, and from the beginning: a match may start
    /// anywhere. Places behind `after` are left in the scratch. True when the end is reached.
    fn walk(&mut self, after: Option<u8>) -> bool {
        let Scratch { seen, stack, next } = &mut self.scratch;
        seen.clear();
        seen.resize(self.automaton.instructions.len(), false);
        next.clear();
        stack.clear();
        stack.push(0);
        stack.extend(&self.places);
        let mut matched = false;
        while let Some(place) = stack.pop() {
            let Some(visited) = seen.get_mut(usize::from(place)) else {
                continue;
            };
            if std::mem::replace(visited, true) {
                continue;
            }
            match self.automaton.instructions.get(usize::from(place)) {
                Some(Instruction::Split(one, other)) => stack.extend([*one, *other]),
                Some(Instruction::Jump(target)) => stack.push(*target),
                Some(Instruction::At(at)) if holds(*at, self.before, after) => {
                    stack.push(place + 1);
                }
                Some(Instruction::Byte(byte)) if after == Some(*byte) => next.push(place + 1),
                Some(Instruction::Set(index)) => {
                    let set = self.automaton.sets.get(usize::from(*index));
                    if after.zip(set).is_some_and(|(byte, set)| set.contains(byte)) {
                        next.push(place + 1);
                    }
                }
                Some(Instruction::Match) => matched = true,
                _ => {}
            }
        }
        matched
    }
}

fn holds(place: Place, before: Option<u8>, after: Option<u8>) -> bool {
    let (left, right) = (before.is_some_and(is_word), after.is_some_and(is_word));
    match place {
        Place::Begin => before.is_none(),
        Place::End => after.is_none(),
        Place::WordEdge => left != right,
        Place::NoWordEdge => left == right,
        Place::WordBegin => !left && right,
        Place::WordEnd => left && !right,
    }
}
