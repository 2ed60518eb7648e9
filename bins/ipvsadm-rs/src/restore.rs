//! Taking standard input apart into command lines (`ipvsadm.md` 2.8).

use crate::flags::Word;

/// Longer words are taken for two.
const LONGEST_WORD: usize = 4096;

/// Collects input as it comes and gives the lines that are complete.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
    number: usize,
}

/// A line that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// Its words, without the program's name.
    pub(crate) words: Vec<Word>,
}

impl Lines {
    /// Takes more input and gives the lines that it completes.
    pub(crate) fn take(&mut self, input: &[u8]) -> Vec<Line> {
        self.rest.extend(input);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 1);
        let mut complete = std::mem::replace(&mut self.rest, rest);
        complete.pop();
        complete
            .split(|byte| *byte == b'\n')
            .filter_map(|text| self.line(text))
            .collect()
    }

    /// The line that was begun when the input ended. As in the original, two blanks at its end lose it.
    pub(crate) fn end(mut self) -> Option<Line> {
        let text = std::mem::take(&mut self.rest);
        let blanks = text
            .iter()
            .rev()
            .take_while(|byte| is_blank(**byte))
            .count();
        if blanks < 2 { self.line(&text) } else { None }
    }

    fn line(&mut self, text: &[u8]) -> Option<Line> {
        self.number += 1;
        let words = words(text);
        (!words.is_empty()).then_some(Line {
            number: self.number,
            words,
        })
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// The words of a line. A NUL ends a word as it ends every text in C; what follows is lost up to the next
/// blank, and the word may be empty then.
fn words(text: &[u8]) -> Vec<Word> {
    let parts = text.split(|byte| is_blank(*byte));
    parts
        .flat_map(|part| part.chunks(LONGEST_WORD))
        .filter_map(|word| word.split(|byte| *byte == 0).next())
        .filter(|word| *word != b"ipvsadm")
        .map(<[u8]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str]) -> Vec<(usize, String)> {
        let mut lines = Lines::default();
        let mut all: Vec<Line> = pieces
            .iter()
            .flat_map(|piece| lines.take(piece.as_bytes()))
            .collect();
        all.extend(lines.end());
        all.into_iter()
            .map(|line| (line.number, text(&line)))
            .collect()
    }

    fn text(line: &Line) -> String {
        String::from_utf8(line.words.join(&b' ')).unwrap()
    }

    #[test]
    fn lines_are_found_across_pieces() {
        let expected = vec![(1, "-A -f 1".to_owned()), (4, "-C".to_owned())];
        assert_eq!(lines(&["-A  -f\t1\r\n\n \nipvsadm -C"]), expected);
        assert_eq!(
            lines(&["-A  -", "f\t1\r", "\n\n \nipvsa", "dm -C"]),
            expected
        );
    }

    #[test]
    fn two_blanks_at_the_end_lose_the_line() {
        assert_eq!(lines(&["-C "]).len(), 1);
        assert_eq!(lines(&["-C  "]).len(), 0);
        assert_eq!(lines(&["-C  \n"]).len(), 1);
    }

    #[test]
    fn a_nul_ends_a_word_but_not_the_line() {
        assert_eq!(
            lines(&["-A -t 10.0.0.1:80\0x -s\0 rr\n"]),
            vec![(1, "-A -t 10.0.0.1:80 -s rr".to_owned())]
        );
        let mut all = Lines::default();
        let empty = all.take(b"-L \0x ipvsadm\0y\n");
        assert_eq!(empty[0].words, [b"-L".to_vec(), Vec::new()]);
    }

    #[test]
    fn a_word_of_more_than_4096_bytes_is_two() {
        let mut all = Lines::default();
        let line = all.take(format!("-L {}\n", "x".repeat(4097)).as_bytes());
        let lengths: Vec<usize> = line[0].words.iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 4096, 1]);
    }
}
