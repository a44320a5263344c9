/* What Android's C library has and Debian's has not, or has in another form, for the library of the TFLite AAR alone.
 *
 * unbionic.py renames the imports whose meaning differs (their first letter becomes a capital) so that they come here;
 * all others go to Debian's libraries as they are. What both sides share has the same size on 64-bit Linux, zeros for
 * its initial state, and the kernel's layout: pthread_mutex_t, pthread_rwlock_t, pthread_once_t, struct stat. Only for
 * pthread_cond_t that is not enough, see below. Host tests only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* bionic's stdin, stdout and stderr are elements of this array, of 152 bytes each. */
enum { FILE_BYTES = 152 };
char __sF[3 * FILE_BYTES];

static FILE *stream(void *given) {
  long at = (char *)given - __sF;
  if (at < 0 || at >= (long)sizeof __sF) return given;
  return at < FILE_BYTES ? stdin : at < 2 * FILE_BYTES ? stdout : stderr;
}

int Fprintf(void *file, const char *format, ...) {
  va_list words;
  va_start(words, format);
  int written = vfprintf(stream(file), format, words);
  va_end(words);
  return written;
}

int Vfprintf(void *file, const char *format, va_list words) { return vfprintf(stream(file), format, words); }
int Fputc(int letter, void *file) { return fputc(letter, stream(file)); }
size_t Fwrite(const void *data, size_t size, size_t count, void *file) { return fwrite(data, size, count, stream(file)); }
int Fflush(void *file) { return fflush(file ? stream(file) : NULL); }
int Fileno(void *file) { return fileno(stream(file)); }
int Fclose(void *file) { return fclose(stream(file)); }

/* The numbers are those of bionic's <bits/sysconf.h>. */
long Sysconf(int name) {
  switch (name) {
    case 39: /* _SC_PAGESIZE */
    case 40: /* _SC_PAGE_SIZE */
      return sysconf(_SC_PAGESIZE);
    case 96: return sysconf(_SC_NPROCESSORS_CONF);
    case 97: return sysconf(_SC_NPROCESSORS_ONLN);
    case 98: return sysconf(_SC_PHYS_PAGES);
    case 99: return sysconf(_SC_AVPHYS_PAGES);
  }
  fprintf(stderr, "shim: sysconf(%d) is not known\n", name);
  return -1;
}

/* POSIX's form, which fills the buffer; glibc's GNU form returns the text. */
int Strerror_r(int error, char *text, size_t size) {
  char *found = strerror_r(error, text, size);
  if (found != text && size > 0) {
    strncpy(text, found, size);
    text[size - 1] = 0;
  }
  return 0;
}

/* bionic's condition variable lies at multiples of 4 bytes, glibc's at multiples of 8: arm64 ends the program where it
 * does not. So the library's holds a pointer to one of ours, made at the first use. */
static pthread_cond_t *condition(void *given) {
  pthread_cond_t **place = (pthread_cond_t **)(((uintptr_t)given + 7) & ~(uintptr_t)7);
  pthread_cond_t *found = __atomic_load_n(place, __ATOMIC_ACQUIRE);
  if (found) return found;
  pthread_cond_t *made = calloc(1, sizeof *made);
  if (!made) abort();
  if (__atomic_compare_exchange_n(place, &found, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return made;
  free(made); /* another thread was faster */
  return found;
}

int Pthread_cond_init(void *given, const pthread_condattr_t *attributes) {
  if (attributes) fprintf(stderr, "shim: attributes of a condition variable are passed over\n");
  memset(given, 0, sizeof(pthread_cond_t));
  return 0;
}

int Pthread_cond_destroy(void *given) {
  free(condition(given));
  memset(given, 0, sizeof(pthread_cond_t));
  return 0;
}

int Pthread_cond_wait(void *given, pthread_mutex_t *mutex) { return pthread_cond_wait(condition(given), mutex); }
int Pthread_cond_signal(void *given) { return pthread_cond_signal(condition(given)); }
int Pthread_cond_broadcast(void *given) { return pthread_cond_broadcast(condition(given)); }

/* Android's loader looks for a symbol of no library in the caller's own too, glibc's only in those that are loaded for
 * all. TFLite's Java classes find XNNPACK in that way, and do without it where they do not. */
void *Dlsym(void *handle, const char *name) {
  void *found = dlsym(handle, name);
  if (found || handle != RTLD_DEFAULT) return found;
  void *own = dlopen("libtensorflowlite_jni.so", RTLD_NOLOAD | RTLD_LAZY);
  return own ? dlsym(own, name) : NULL;
}

int *__errno(void) { return &errno; }
int __open_2(const char *path, int flags) { return open(path, flags); }
size_t __strlen_chk(const char *text, size_t most) { return strnlen(text, most); }

/* TFLite's Java classes use XNNPACK from Android 5 on only; of other properties nothing is known. */
int __system_property_get(const char *name, char *value) {
  strcpy(value, strcmp(name, "ro.build.version.sdk") ? "" : "34");
  return (int)strlen(value);
}

void android_set_abort_message(const char *message) { fprintf(stderr, "abort: %s\n", message); }

/* Android's log, shown where SHIM_LOG is set: TFLite says there which delegate it uses. */
int __android_log_vprint(int priority, const char *tag, const char *format, va_list words) {
  if (getenv("SHIM_LOG")) {
    fprintf(stderr, "%d/%s: ", priority, tag);
    vfprintf(stderr, format, words);
    fputc('\n', stderr);
  }
  return 0;
}
