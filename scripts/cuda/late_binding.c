/* Finds a function of the CUDA libraries when it is first called (late_binding.S). The program loads the libraries itself
 * before it uses a GPU (crates/models/src/model/cuda/libraries.rs) and says which one is missing; without them each
 * function fails with its library's own error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

/* CUDA_ERROR_STUB_LIBRARY */
static int driver_is_missing(void) { return 34; }
/* CUBLAS_STATUS_NOT_INITIALIZED */
static int cublas_is_missing(void) { return 1; }
/* CURAND_STATUS_INITIALIZATION_FAILED */
static int curand_is_missing(void) { return 203; }
/* NVRTC_ERROR_INTERNAL_ERROR */
static int nvrtc_is_missing(void) { return 11; }
/* for the few functions that return a text */
static const char *text_is_missing(void) { return "this library of CUDA is not loaded"; }

static int begins(const char *name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

void *late_binding_find(const char *name, void **slot) {
    void *function = dlsym(RTLD_DEFAULT, name);
    if (function) {
        __atomic_store_n(slot, function, __ATOMIC_RELEASE);
        return function;
    }
    if (strstr(name, "GetErrorString") && !begins(name, "cuGet")) return (void *)text_is_missing;
    if (strstr(name, "GetStatusString") || strstr(name, "GetStatusName")) return (void *)text_is_missing;
    if (begins(name, "cublas")) return (void *)cublas_is_missing;
    if (begins(name, "curand")) return (void *)curand_is_missing;
    if (begins(name, "nvrtc")) return (void *)nvrtc_is_missing;
    return (void *)driver_is_missing;
}
