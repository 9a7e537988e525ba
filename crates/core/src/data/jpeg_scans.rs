//! Tracks the coefficients in the scans of a JPEG file (ITU-T T.81, G.1.1.1). A progressive file without its last scans
//! is coarser than intended, a sequential one may lack a component; the coded data does not show this.

/// Coefficients of a block.
const COEFFICIENTS: usize = 64;
/// Maximum number of components of a frame.
const MOST_COMPONENTS: usize = 4;

/// The received bits of each component: for each coefficient its lowest bit so far, or none.
#[derive(Debug, Default)]
pub(super) struct ScanCoverage {
    is_progressive: bool,
    components: Vec<(u8, [Option<u8>; COEFFICIENTS])>,
}

impl ScanCoverage {
    /// Reads the frame header: depth, height, width, and for each component its name, sampling and table.
    pub fn begin(&mut self, is_progressive: bool, frame_header: &[u8]) {
        self.is_progressive = is_progressive;
        let names = frame_header.get(6..).unwrap_or_default().chunks_exact(3).map(|component| component[0]);
        self.components = names.take(MOST_COMPONENTS).map(|name| (name, [None; COEFFICIENTS])).collect();
    }

    /// Reads a scan header: components, first and last coefficient, and the bits.
    pub fn scan(&mut self, scan_header: &[u8]) {
        let Some((count, rest)) = scan_header.split_first() else { return };
        let (names, rest) = rest.split_at((2 * usize::from(*count)).min(rest.len()));
        let [first, last, bits, ..] = *rest else { return };
        for name in names.chunks_exact(2).map(|component| component[0]) {
            let Some((_, sent)) = self.components.iter_mut().find(|(known, _)| *known == name) else { continue };
            // A sequential scan contains all coefficients, regardless of its header.
            let (first, last, bits) = if self.is_progressive { (first, last, bits) } else { (0, 63, 0) };
            for coefficient in sent.iter_mut().take(usize::from(last) + 1).skip(first.into()) {
                *coefficient = Some(bits & 0x0F);
            }
        }
    }

    /// Whether every coefficient is complete.
    pub fn is_whole(&self) -> bool {
        self.components.iter().all(|(_, sent)| sent.iter().all(|lowest| *lowest == Some(0)))
    }

    /// Whether a component is missing entirely.
    pub fn lacks_a_component(&self) -> bool {
        self.components.iter().any(|(_, sent)| sent.iter().all(Option::is_none))
    }
}
