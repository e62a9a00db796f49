//! Pieces of a file that were sent and may have to be sent again: the server tells up to which byte all is dealt with.

use std::collections::VecDeque;

/// Bytes that may wait for the server's word, so that a file of any length takes little memory.
const MOST: usize = 4 << 20;

/// The part of a file that is not dealt with.
#[derive(Debug, Default)]
pub(super) struct Window {
    kept: VecDeque<u8>,
    /// Where in the file it begins.
    base: u64,
    /// Up to where it is sent.
    sent: u64,
    /// Whether the file ends behind it.
    ended: bool,
}

impl Window {
    /// Whether there is room for more of the file.
    pub(super) fn has_room(&self) -> bool {
        !self.ended && self.kept.len() < MOST
    }

    /// More of the file.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
    }

    /// The file ends here.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether all of the file is sent.
    pub(super) fn is_sent(&self) -> bool {
        self.ended && self.sent == self.base + self.kept.len() as u64
    }

    /// The next bytes to send, at most `most`; none when all that is there is sent.
    pub(super) fn unsent(&self, most: usize) -> Option<Vec<u8>> {
        let length =
            u64::try_from(most).unwrap_or(u64::MAX).min(self.base + self.kept.len() as u64 - self.sent);
        (length > 0).then(|| self.slice(self.sent, length))
    }

    /// So many bytes more are sent.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// All before this byte is dealt with.
    pub(super) fn done(&mut self, offset: u64) {
        let done =
            usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.kept.len());
        self.kept.drain(..done);
        self.base += done as u64;
        self.sent = self.sent.max(self.base);
    }

    /// Everything that is not dealt with is to be sent again.
    pub(super) fn rewind(&mut self) {
        self.sent = self.base;
    }

    /// Where what is not dealt with begins.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Bytes of the file, as far as they are still here.
    pub(super) fn slice(&self, offset: u64, length: u64) -> Vec<u8> {
        let from =
            usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.kept.len());
        let until = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(self.kept.len());
        self.kept.range(from..until).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    // C10
    #[test]
    fn what_is_not_dealt_with_is_sent_again() {
        let mut window = Window::default();
        window.extend(b"header\nrow 1\nrow 2\n");
        window.end();
        while let Some(bytes) = window.unsent(5) {
            window.sent(bytes.len());
        }
        assert!(window.is_sent() && !window.has_room());
        assert_eq!(window.slice(7, 5), b"row 1");
        window.done(13);
        assert_eq!((window.base(), window.unsent(100)), (13, None));
        window.rewind();
        assert_eq!(window.unsent(100).as_deref(), Some(b"row 2\n".as_slice()));
        window.done(99);
        assert!(window.is_sent() && window.unsent(1).is_none());
    }
}
