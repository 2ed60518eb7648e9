//! The command line.
//!
//! `kinds` has the commands and options, `defs` the one table of how they are written; `popt` takes words
//! apart as ipvsadm's parser does; `lowargs` takes the options in their order and checks each value;
//! `hiargs` checks how they go together and says what is to be done. Nothing here asks the kernel. Facts: `ipvsadm.md` section 1.

mod address;
pub mod defs;
mod error;
mod hiargs;
pub mod kinds;
mod lowargs;
mod matrix;
mod popt;
mod value;

pub use error::UsageError;
pub use hiargs::{Action, Change, Listing, Mode, Restore, TableListing};

/// A word of the command line.
pub type Word = Vec<u8>;

/// What the words after the program's name ask for.
pub fn parse(words: Vec<Word>) -> Result<Action, UsageError> {
    hiargs::resolve(lowargs::parse(words, false)?)
}

/// What a line of standard input asks for; it cannot ask for more lines, and is told so after everything
/// else that is wrong with it.
pub fn parse_line(words: Vec<Word>) -> Result<Action, UsageError> {
    match hiargs::resolve(lowargs::parse(words, true)?)? {
        Action::Restore(_) => Err(UsageError::Try),
        action => Ok(action),
    }
}
