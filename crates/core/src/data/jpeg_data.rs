//! Checks whether the coded data of a sequential JPEG file is complete (ITU-T T.81, annex F), because decoders silently
//! fill missing data with grey. The codes are parsed without computing pixels.

/// Length of the longest code in bits.
const LONGEST_CODE: usize = 16;

/// A component of the frame: its name and its number of blocks per coded unit in each direction.
struct Component {
    name: u8,
    across: u32,
    down: u32,
}

/// The codes of a DHT segment, by length (annex C).
#[derive(Clone, Default)]
struct Codes {
    /// For each length: the code after the last one of that length, left-aligned in 16 bits, and the offset to its symbol.
    ends: [u32; LONGEST_CODE],
    offsets: [i32; LONGEST_CODE],
    symbols: Vec<u8>,
}

impl Codes {
    fn new(counts: &[u8], symbols: &[u8]) -> Self {
        let mut codes = Self { symbols: symbols.to_vec(), ..Self::default() };
        let (mut code, mut place) = (0_u32, 0_i32);
        for (length, count) in counts.iter().enumerate().take(LONGEST_CODE) {
            codes.offsets[length] = place - code as i32;
            code += u32::from(*count);
            place += i32::from(*count);
            codes.ends[length] = code << (LONGEST_CODE - 1 - length);
            code <<= 1;
        }
        codes
    }
}

/// The bits of a scan up to a marker.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// Returns at least 32 bits, zeros after the end; `missing` counts the bits taken after it.
    fn fill(&mut self) -> u32 {
        let mut added = 0;
        while self.count <= 48 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xFF), Some(0)) => {
                    self.at += 2;
                    0xFF
                }
                (Some(0xFF) | None, _) => {
                    added += 8;
                    0
                }
                (Some(byte), _) => {
                    self.at += 1;
                    *byte
                }
            };
            self.held = (self.held << 8) | u64::from(byte);
            self.count += 8;
        }
        added
    }

    fn peek(&self) -> u32 {
        (self.held >> (self.count - 16)) as u32 & 0xFFFF
    }
}

/// Reads a scan; counts the bits that are not from the file.
struct Scan<'a> {
    bits: Bits<'a>,
    made_up: u32,
}

impl Scan<'_> {
    /// The next symbol; `None` if the data ends or the code is invalid.
    fn symbol(&mut self, codes: &Codes) -> Option<u8> {
        self.made_up += self.bits.fill();
        let peeked = self.bits.peek();
        let length = codes.ends.iter().position(|end| peeked < *end)?;
        self.skip(length as u32 + 1)?;
        let code = (peeked >> (LONGEST_CODE - 1 - length)) as i32;
        codes.symbols.get((code + codes.offsets[length]) as usize).copied()
    }

    fn skip(&mut self, count: u32) -> Option<()> {
        self.made_up += self.bits.fill();
        self.bits.count -= count;
        (self.made_up <= self.bits.count).then_some(())
    }

    fn block(&mut self, constant: &Codes, others: &Codes) -> Option<()> {
        let size = self.symbol(constant)?;
        self.skip(u32::from(size & 15))?;
        let mut place = 1;
        while place < 64 {
            let symbol = self.symbol(others)?;
            let (run, size) = (symbol >> 4, symbol & 15);
            match (run, size) {
                (15, 0) => place += 16,
                (_, 0) => break,
                _ => {
                    place += usize::from(run) + 1;
                    self.skip(u32::from(size))?;
                }
            }
        }
        Some(())
    }

    /// Moves behind the restart marker that ends this interval. Some files announce markers but have
    /// none: then nothing happens.
    fn restart(&mut self) {
        let bytes = self.bits.bytes;
        if self.made_up == 0 {
            // The marker may only follow the bits held.
            let is_next =
                bytes.get(self.bits.at) == Some(&0xFF) && matches!(bytes.get(self.bits.at + 1), Some(0xD0..=0xD7));
            if !is_next {
                return;
            }
        }
        let mut at = self.bits.at;
        while bytes.get(at) == Some(&0xFF) && bytes.get(at + 1) == Some(&0xFF) {
            at += 1;
        }
        if bytes.get(at) == Some(&0xFF) && matches!(bytes.get(at + 1), Some(0xD0..=0xD7)) {
            *self = Self { bits: Bits { bytes, at: at + 2, held: 0, count: 0 }, made_up: 0 };
        }
    }
}

enum ScanData {
    Whole { end: usize },
    BreaksOff,
}

/// The tables of the segments so far.
#[derive(Default)]
struct Tables {
    constant: [Codes; 4],
    others: [Codes; 4],
    components: Vec<Component>,
    width: u32,
    height: u32,
    restart_interval: u32,
}

/// Whether every scan of the file contains all blocks of the frame. It is also true if this is unknown, for a file
/// that is progressive, arithmetic or lossless.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    walk(bytes) != Some(false)
}

fn walk(bytes: &[u8]) -> Option<bool> {
    let mut tables = Tables::default();
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xFF {
            // Decoders skip bytes between segments, or left over from the previous scan.
            at += 1;
            continue;
        }
        match *bytes.get(at + 1)? {
            0xFF => at += 1,
            0x00 | 0x01 | 0xD0..=0xD8 => at += 2,
            0xD9 => return Some(true),
            marker => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
                let data = bytes.get(at + 4..at + 2 + length)?;
                at += 2 + length;
                match marker {
                    0xC0 | 0xC1 => tables.frame(data)?,
                    0xC2 | 0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return None,
                    0xC4 => tables.codes(data)?,
                    0xDD => tables.restart_interval = u32::from(u16::from_be_bytes([*data.first()?, *data.get(1)?])),
                    0xDA => match tables.scan(data, bytes, at)? {
                        ScanData::Whole { end } => at = end,
                        ScanData::BreaksOff => return Some(false),
                    },
                    _ => {}
                }
            }
        }
    }
}

impl Tables {
    fn frame(&mut self, data: &[u8]) -> Option<()> {
        let [_, a, b, c, d, _, components @ ..] = data else { return None };
        (self.height, self.width) = (u16::from_be_bytes([*a, *b]).into(), u16::from_be_bytes([*c, *d]).into());
        self.components = components
            .chunks_exact(3)
            .map(|part| Component { name: part[0], across: u32::from(part[1] >> 4), down: u32::from(part[1] & 15) })
            .collect();
        let is_right = |component: &Component| (1..=4).contains(&component.across) && (1..=4).contains(&component.down);
        self.components.iter().all(is_right).then_some(())
    }

    fn codes(&mut self, mut data: &[u8]) -> Option<()> {
        while let Some((place, rest)) = data.split_first() {
            let (counts, rest) = rest.split_at_checked(LONGEST_CODE)?;
            let (symbols, rest) = rest.split_at_checked(counts.iter().map(|count| usize::from(*count)).sum())?;
            let tables = if place >> 4 == 0 { &mut self.constant } else { &mut self.others };
            *tables.get_mut(usize::from(place & 15))? = Codes::new(counts, symbols);
            data = rest;
        }
        Some(())
    }

    /// Checks the scan's data; `None` if its header is invalid.
    fn scan(&self, header: &[u8], bytes: &[u8], at: usize) -> Option<ScanData> {
        let (count, rest) = header.split_first()?;
        let mut parts = Vec::new();
        for part in rest.get(..2 * usize::from(*count))?.chunks_exact(2) {
            let component = self.components.iter().find(|component| component.name == part[0])?;
            let (constant, others) =
                (self.constant.get(usize::from(part[1] >> 4))?, self.others.get(usize::from(part[1] & 15))?);
            // Motion JPEG frames refer to standard tables that the file does not contain.
            if constant.symbols.is_empty() || others.symbols.is_empty() {
                return None;
            }
            parts.push((component, constant, others));
        }
        let widest = self.components.iter().map(|component| component.across).max()?;
        let highest = self.components.iter().map(|component| component.down).max()?;
        // A single component has its own blocks only; several are interleaved in units (A.2).
        let (across, down) = if let [(component, ..)] = parts[..] {
            let side = |size: u32, own: u32, most: u32| (size * own).div_ceil(most).div_ceil(8);
            (side(self.width, component.across, widest), side(self.height, component.down, highest))
        } else {
            (self.width.div_ceil(8 * widest), self.height.div_ceil(8 * highest))
        };
        let is_alone = parts.len() == 1;
        let mut scan = Scan { bits: Bits { bytes, at, held: 0, count: 0 }, made_up: 0 };
        for unit in 0..across * down {
            let is_restart = self.restart_interval > 0 && unit > 0 && unit % self.restart_interval == 0;
            if is_restart {
                scan.restart();
            }
            for (component, constant, others) in &parts {
                let blocks = if is_alone { 1 } else { component.across * component.down };
                for _ in 0..blocks {
                    if scan.block(constant, others).is_none() {
                        return Some(ScanData::BreaksOff);
                    }
                }
            }
        }
        Some(ScanData::Whole { end: scan.bits.at })
    }
}
