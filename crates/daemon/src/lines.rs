//! Lines and counted blocks from a pipe, with a bound on what a misbehaving writer can make the
//! reader keep in memory.
//!
//! Must not interpret what it reads.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Line length that suits the channels between the daemons.
pub const LINE_LIMIT: usize = 4096;

/// Reads lines, and between them blocks of known length. Both calls can be cancelled (as in
/// `select!`) without losing anything.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    limit: usize,
    buffer: Vec<u8>,
    /// How much of `buffer` is known to hold no line end.
    searched: usize,
    /// The rest of an overlong line is being thrown away.
    skipping: bool,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines longer than `limit` bytes are cut there.
    pub fn new(reader: R, limit: usize) -> Self {
        Self {
            reader,
            limit,
            buffer: Vec::new(),
            searched: 0,
            skipping: false,
            ended: false,
        }
    }

    /// The next line without its end, `None` at the end of the file. What is not UTF-8 is replaced.
    /// A last line without a line end is not a whole message and is left out.
    pub async fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(line) = self.take_line() {
                return Ok(Some(line));
            }
            if !self.fill().await? {
                return Ok(None);
            }
        }
    }

    /// The next `length` bytes, `None` when the file ends before. The caller bounds `length`.
    pub async fn block(&mut self, length: usize) -> io::Result<Option<Vec<u8>>> {
        while self.buffer.len() < length {
            if !self.fill().await? {
                return Ok(None);
            }
        }
        let rest = self.buffer.split_off(length);
        self.searched = 0;
        Ok(Some(std::mem::replace(&mut self.buffer, rest)))
    }

    async fn fill(&mut self) -> io::Result<bool> {
        if !self.ended {
            self.buffer.reserve(1024);
            self.ended = self.reader.read_buf(&mut self.buffer).await? == 0;
        }
        Ok(!self.ended)
    }

    fn take_line(&mut self) -> Option<String> {
        if self.skipping {
            let Some(end) = self.line_end() else {
                self.discard(self.buffer.len());
                return None;
            };
            self.discard(end + 1);
            self.skipping = false;
        }
        match self.line_end() {
            Some(end) if end <= self.limit => {
                let line = self.text(end);
                self.discard(end + 1);
                Some(line)
            }
            None if self.buffer.len() <= self.limit => {
                self.searched = self.buffer.len();
                None
            }
            _ => {
                let line = self.text(self.limit);
                self.discard(self.limit);
                self.skipping = true;
                Some(line)
            }
        }
    }

    fn line_end(&self) -> Option<usize> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        unsearched
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|offset| self.searched + offset)
    }

    fn text(&self, length: usize) -> String {
        String::from_utf8_lossy(self.buffer.get(..length).unwrap_or_default()).into_owned()
    }

    fn discard(&mut self, length: usize) {
        self.buffer.drain(..length.min(self.buffer.len()));
        self.searched = 0;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn all(input: &[u8], chunk: usize, limit: usize) -> Vec<String> {
        let (mut writer, reader) = tokio::io::duplex(chunk);
        let input = input.to_vec();
        let writing = tokio::spawn(async move { writer.write_all(&input).await });
        let mut lines = Lines::new(reader, limit);
        let mut result = Vec::new();
        while let Some(line) = lines.line().await.unwrap() {
            result.push(line);
        }
        writing.await.unwrap().unwrap();
        result
    }

    #[tokio::test]
    async fn lines_whatever_the_chunks() {
        for chunk in [1, 2, 3, 7, 100] {
            let lines = all(b"ready\n\nrefused 3 a\xff\nunfinished", chunk, 100).await;
            assert_eq!(lines, ["ready", "", "refused 3 a\u{fffd}"], "{chunk}");
        }
    }

    #[tokio::test]
    async fn overlong_line_is_cut_and_the_next_one_is_whole() {
        for chunk in [1, 5, 100] {
            let lines = all(b"12345\n123456\n1234567890123\nok\n", chunk, 5).await;
            assert_eq!(lines, ["12345", "12345", "12345", "ok"], "{chunk}");
        }
    }

    #[tokio::test]
    async fn endless_line_does_not_fill_the_memory() {
        let (mut writer, reader) = tokio::io::duplex(64);
        let writing = tokio::spawn(async move {
            for _ in 0..1000 {
                writer.write_all(&[b'x'; 64]).await.unwrap();
            }
            writer.write_all(b"\nend\n").await.unwrap();
        });
        let mut lines = Lines::new(reader, 16);
        assert_eq!(lines.line().await.unwrap().unwrap(), "x".repeat(16));
        assert_eq!(lines.line().await.unwrap().unwrap(), "end");
        assert!(lines.buffer.capacity() < 8192);
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn blocks_between_lines() {
        let (mut writer, reader) = tokio::io::duplex(4);
        let writing = tokio::spawn(async move {
            writer
                .write_all(b"config 6\nab\ncd\nactive\nconfig 9\nshort")
                .await
                .unwrap();
        });
        let mut lines = Lines::new(reader, 100);
        assert_eq!(lines.line().await.unwrap().unwrap(), "config 6");
        assert_eq!(lines.block(6).await.unwrap().unwrap(), b"ab\ncd\n");
        assert_eq!(lines.line().await.unwrap().unwrap(), "active");
        assert_eq!(lines.line().await.unwrap().unwrap(), "config 9");
        assert_eq!(lines.block(9).await.unwrap(), None);
        writing.await.unwrap();
    }
}
