//! Which coefficients the scans of a JPEG file bring (ITU-T T.81, G.1.1.1). A progressive file without its last scans is coarser
//! than it was meant to be, a sequential one may lack a component; nothing in the coded data says so.

/// Coefficients of a block.
const COEFFICIENTS: usize = 64;
/// Components that a frame may have; a picture has at most four.
const MOST_COMPONENTS: usize = 4;

/// What was sent of each component: for each coefficient its lowest bit so far, or nothing.
#[derive(Debug, Default)]
pub(super) struct ScanCoverage {
    is_progressive: bool,
    components: Vec<(u8, [Option<u8>; COEFFICIENTS])>,
}

impl ScanCoverage {
    /// From the frame header: depth, height, width, and for each component its name, sampling and table.
    pub fn begin(&mut self, is_progressive: bool, frame_header: &[u8]) {
        self.is_progressive = is_progressive;
        let names = frame_header.get(6..).unwrap_or_default().chunks_exact(3).map(|component| component[0]);
        self.components = names.take(MOST_COMPONENTS).map(|name| (name, [None; COEFFICIENTS])).collect();
    }

    /// From a scan header: components, first and last coefficient, and the bits.
    pub fn scan(&mut self, scan_header: &[u8]) {
        let Some((count, rest)) = scan_header.split_first() else { return };
        let (names, rest) = rest.split_at((2 * usize::from(*count)).min(rest.len()));
        let [first, last, bits, ..] = *rest else { return };
        for name in names.chunks_exact(2).map(|component| component[0]) {
            let Some((_, sent)) = self.components.iter_mut().find(|(known, _)| *known == name) else { continue };
            // A sequential scan brings all of them, whatever its header says.
            let (first, last, bits) = if self.is_progressive { (first, last, bits) } else { (0, 63, 0) };
            for coefficient in sent.iter_mut().take(usize::from(last) + 1).skip(first.into()) {
                *coefficient = Some(bits & 0x0F);
            }
        }
    }

    /// Is every coefficient there to its last bit?
    pub fn is_whole(&self) -> bool {
        self.components.iter().all(|(_, sent)| sent.iter().all(|lowest| *lowest == Some(0)))
    }

    /// Was nothing at all sent of a component?
    pub fn lacks_a_component(&self) -> bool {
        self.components.iter().any(|(_, sent)| sent.iter().all(Option::is_none))
    }
}
