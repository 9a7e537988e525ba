/* What the archives of a newer compiler ask of a newer glibc, said with functions that glibc 2.28 has.
 * Versions beside the names: the first glibc that has them. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

extern int getentropy(void *buffer, size_t length);
extern int vsscanf(const char *text, const char *format, va_list values);

/* 2.32: "no second thread was ever started". Not known to an older glibc; false is always right, and costs an atomic operation. */
char __libc_single_threaded = 0;

/* 2.36: std::random_device of libstdc++. */
uint32_t arc4random(void) {
    uint32_t value = 0;
    if (getentropy(&value, sizeof value) != 0) {
        abort();
    }
    return value;
}

/* 2.38: the headers of a newer glibc give these names to functions that read binary literals too (C23). */
#undef strtol
#undef strtoul
#undef strtoll
#undef strtoull
extern long old_strtol(const char *, char **, int) __asm__("strtol");
extern unsigned long old_strtoul(const char *, char **, int) __asm__("strtoul");
extern long long old_strtoll(const char *, char **, int) __asm__("strtoll");
extern unsigned long long old_strtoull(const char *, char **, int) __asm__("strtoull");

long __isoc23_strtol(const char *text, char **end, int base) { return old_strtol(text, end, base); }
unsigned long __isoc23_strtoul(const char *text, char **end, int base) { return old_strtoul(text, end, base); }
long long __isoc23_strtoll(const char *text, char **end, int base) { return old_strtoll(text, end, base); }
unsigned long long __isoc23_strtoull(const char *text, char **end, int base) { return old_strtoull(text, end, base); }

int __isoc23_sscanf(const char *text, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int read = vsscanf(text, format, values);
    va_end(values);
    return read;
}
