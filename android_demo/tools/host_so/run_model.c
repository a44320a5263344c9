/* Runs a model through the C API of a TFLite library: run_model LIBRARY MODEL THREADS default|xnnpack < inputs > outputs
 *
 * Reads the bytes of all inputs, one after the other, and writes those of all outputs, until the input ends. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* bionic's arm64 code keeps its stack canary at 0x28 behind the thread pointer, where glibc has the program's first
 * thread-local variable: this one, which nobody writes, so that the canary stays what it was. */
__thread volatile char canary[128] = {1};

typedef struct {
  int threads, flags;
  char rest[256];
} XnnpackOptions;

static void *library;

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static void *find(const char *name) {
  void *found = dlsym(library, name);
  if (!found) fail(dlerror());
  return found;
}

#define CALL(result, name, types) ((result(*) types)find(name))

typedef struct {
  void *tensors[16], *bytes[16];
  size_t sizes[16];
  int count;
} Ports;

static Ports ports(void *interpreter, const char *which) {
  char name[64];
  Ports found;
  snprintf(name, sizeof name, "TfLiteInterpreterGet%sTensorCount", which);
  found.count = CALL(int, name, (void *))(interpreter);
  if (found.count > 16) fail("more than 16 inputs or outputs");
  snprintf(name, sizeof name, "TfLiteInterpreterGet%sTensor", which);
  for (int i = 0; i < found.count; i++) {
    found.tensors[i] = CALL(void *, name, (void *, int))(interpreter, i);
    found.sizes[i] = CALL(size_t, "TfLiteTensorByteSize", (void *))(found.tensors[i]);
    found.bytes[i] = malloc(found.sizes[i]);
  }
  return found;
}

static void *open_model(char **words) {
  void *model = CALL(void *, "TfLiteModelCreateFromFile", (const char *))(words[2]);
  if (!model) fail("the model cannot be read");
  void *options = CALL(void *, "TfLiteInterpreterOptionsCreate", (void))();
  CALL(void, "TfLiteInterpreterOptionsSetNumThreads", (void *, int))(options, atoi(words[3]));
  if (!strcmp(words[4], "xnnpack")) {
    XnnpackOptions xnnpack = CALL(XnnpackOptions, "TfLiteXNNPackDelegateOptionsDefault", (void))();
    xnnpack.threads = atoi(words[3]);
    void *delegate = CALL(void *, "TfLiteXNNPackDelegateCreate", (void *))(&xnnpack);
    if (!delegate) fail("XNNPACK does not start");
    CALL(void, "TfLiteInterpreterOptionsAddDelegate", (void *, void *))(options, delegate);
  }
  void *interpreter = CALL(void *, "TfLiteInterpreterCreate", (void *, void *))(model, options);
  if (!interpreter) fail("no interpreter for the model");
  if (CALL(int, "TfLiteInterpreterAllocateTensors", (void *))(interpreter)) fail("the tensors cannot be allocated");
  return interpreter;
}

int main(int count, char **words) {
  if (count != 5) fail("run_model LIBRARY MODEL THREADS default|xnnpack");
  (void)canary[0];
  library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) fail(dlerror());
  void *interpreter = open_model(words);
  Ports in = ports(interpreter, "Input"), out = ports(interpreter, "Output");
  fprintf(stderr, "TFLite %s\n", CALL(const char *, "TfLiteVersion", (void))());
  for (;;) {
    for (int i = 0; i < in.count; i++) {
      size_t got = fread(in.bytes[i], 1, in.sizes[i], stdin);
      if (i == 0 && got == 0) return 0;
      if (got != in.sizes[i]) fail("the inputs end within one");
      CALL(int, "TfLiteTensorCopyFromBuffer", (void *, const void *, size_t))(in.tensors[i], in.bytes[i], in.sizes[i]);
    }
    if (CALL(int, "TfLiteInterpreterInvoke", (void *))(interpreter)) fail("the model failed");
    for (int i = 0; i < out.count; i++) {
      CALL(int, "TfLiteTensorCopyToBuffer", (void *, void *, size_t))(out.tensors[i], out.bytes[i], out.sizes[i]);
      fwrite(out.bytes[i], 1, out.sizes[i], stdout);
    }
  }
}
