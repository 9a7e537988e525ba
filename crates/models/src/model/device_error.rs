//! Errors of a GPU in plain words. candle's say which call of which library failed, not what to do.

use anyhow::Error;

/// What a library of CUDA says, and what a person can do about it.
const KNOWN: [(&str, &str); 7] = [
    (
        "CUDA_ERROR_OUT_OF_MEMORY",
        "the GPU's memory is full: use --dtype bf16, a smaller model or another GPU (--device cuda:N), or --device cpu",
    ),
    (
        "CUBLAS_STATUS_ALLOC_FAILED",
        "the GPU's memory is full: use --dtype bf16, a smaller model or another GPU (--device cuda:N), or --device cpu",
    ),
    (
        "CUDA_ERROR_NO_BINARY_FOR_GPU",
        "this program was built for GPUs of another generation; `dissent doctor` says for which",
    ),
    (
        "CUDA_ERROR_INVALID_PTX",
        "this program was built for GPUs of another generation; `dissent doctor` says for which",
    ),
    (
        "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
        "the NVIDIA driver is older than the CUDA that this program was built with; `dissent doctor` says both",
    ),
    (
        "CUDA_ERROR_ILLEGAL_ADDRESS",
        "the GPU stopped at an error of this program; please report it. --device cpu does without",
    ),
    (
        "CUDA_ERROR_ECC_UNCORRECTABLE",
        "the GPU's memory has a fault; another GPU (--device cuda:N) or --device cpu does without it",
    ),
];

/// The error with a sentence in front that says what to do, if a GPU caused it.
pub fn explained(error: Error) -> Error {
    match advice(&format!("{error:#}")) {
        Some(advice) => error.context(advice),
        None => error,
    }
}

fn advice(error: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(code, _)| error.contains(code)).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_memory_says_what_to_do_and_keeps_the_cause() {
        let cause = anyhow::anyhow!("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")").context("cannot load");
        let message = format!("{:#}", explained(cause));
        assert!(message.starts_with("the GPU's memory is full: use --dtype bf16"), "{message}");
        assert!(
            message.ends_with("cannot load: DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")"),
            "{message}"
        );
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        assert_eq!(explained(anyhow::anyhow!("no such file")).to_string(), "no such file");
    }
}
