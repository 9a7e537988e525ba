//! The bit stream of a scan, and its Golomb codes (T.87, A.5.3 and annex C).

use anyhow::{Context, Result, ensure};

/// The coded bits; after a byte of ones the next has seven bits (T.87, C.2.1).
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, held: 0, count: 0 }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(byte) = self.bytes.get(self.at) else { return };
            let follows = self.at > 0 && self.bytes[self.at - 1] == 0xFF;
            // A marker.
            if *byte == 0xFF && self.bytes.get(self.at + 1).is_none_or(|next| *next >= 0x80) {
                return;
            }
            let width = if follows { 7 } else { 8 };
            self.held = self.held << width | u64::from(*byte & (0xFF >> (8 - width)));
            self.count += width;
            self.at += 1;
        }
    }

    pub(super) fn read(&mut self, width: u32) -> Result<u32> {
        if self.count < width {
            self.fill();
        }
        ensure!(self.count >= width, "the JPEG-LS data is cut short: its coded data ends before the picture does");
        self.count -= width;
        Ok((self.held >> self.count & ((1 << width) - 1)) as u32)
    }

    /// A value in a Golomb code of limited length (A.5.3).
    pub(super) fn golomb(&mut self, order: u32, limit: u32, range_bits: u32) -> Result<i32> {
        ensure!(order <= 24, "the JPEG-LS data is damaged: a code is too long");
        let most = limit - range_bits - 1;
        let mut zeros = 0;
        while self.read(1)? == 0 {
            zeros += 1;
            ensure!(zeros <= most, "the JPEG-LS data is damaged: a code is too long");
        }
        let value = if zeros < most {
            u64::from(zeros) << order | u64::from(self.read(order)?)
        } else {
            u64::from(self.read(range_bits)?) + 1
        };
        // A whole frame of 16 bits has errors of at most 17 bits.
        i32::try_from(value)
            .ok()
            .filter(|value| *value <= 1 << 20)
            .context("the JPEG-LS data is damaged: a value is too large")
    }

    /// The place of the marker after the data: coded data is padded to whole bytes.
    pub(super) fn end(&self) -> usize {
        let mut at = self.at - (self.count / 8) as usize;
        while at < self.bytes.len()
            && !(self.bytes[at] == 0xFF && self.bytes.get(at + 1).is_some_and(|next| *next >= 0x80))
        {
            at += 1;
        }
        at
    }
}
