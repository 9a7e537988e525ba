//! Functions that FAISS names and that no index of dissent calls: of rotations (OPQ, PCA, ITQ) and of additive quantisers. They
//! end the program with a message, because an answer without them would be wrong.

use std::io::Write;

/// Ends the program.
fn end(name: &str) -> ! {
    let mut out = std::io::stderr();
    // Nobody is left to hear that standard error is closed.
    let _ = writeln!(
        out,
        "dissent: FAISS asked for {name}, of a kind of index that this program does not build; it cannot go on"
    );
    std::process::abort()
}

macro_rules! left_out {
    ($($name:ident)*) => {
        $(
            /// Ends the program: no index of dissent needs it.
            #[unsafe(no_mangle)]
            pub extern "C" fn $name() {
                end(stringify!($name))
            }
        )*
    };
}

left_out! {
    dgemm_ ssyrk_ sgeqrf_ sorgqr_ sgesvd_ dgesvd_ dsyev_ sgelsd_ sgetrf_ dgetrf_ sgetri_ dgetri_
}
