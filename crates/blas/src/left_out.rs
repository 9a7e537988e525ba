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

        /// All of them with their names.
        #[cfg(test)]
        const ALL: &[(&str, extern "C" fn())] = &[$((stringify!($name), $name)),*];
    };
}

left_out! {
    dgemm_ ssyrk_ sgeqrf_ sorgqr_ sgesvd_ dgesvd_ dsyev_ sgelsd_ sgetrf_ dgetrf_ sgetri_ dgetri_
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use std::env;
    use std::process::Command;

    /// Set in the processes that this test starts.
    const CALLED: &str = "DISSENT_TEST_BLAS_CALLED";
    const NAMES: [&str; 12] = [
        "dgemm_", "ssyrk_", "sgeqrf_", "sorgqr_", "sgesvd_", "dgesvd_", "dsyev_", "sgelsd_", "sgetrf_", "dgetrf_",
        "sgetri_", "dgetri_",
    ];

    /// Each is called in a process of its own: this test again.
    #[test]
    fn each_ends_the_program_with_its_name() {
        if let Ok(name) = env::var(CALLED) {
            let (_, function) = ALL.iter().find(|(known, _)| *known == name).unwrap();
            function();
            return;
        }
        assert_eq!(ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>(), NAMES);
        for name in NAMES {
            let mut child = Command::new(env::current_exe().unwrap());
            child.args(["--exact", "left_out::tests::each_ends_the_program_with_its_name"]).env(CALLED, name);
            let output = child.output().unwrap();
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                message.lines().next(),
                Some(
                    format!(
                        "dissent: FAISS asked for {name}, of a kind of index that this program does not build; it cannot \
                         go on"
                    )
                    .as_str()
                )
            );
            #[cfg(unix)]
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(6), "{name}");
            assert!(!output.status.success(), "{name}: {:?}", output.status);
        }
    }
}
