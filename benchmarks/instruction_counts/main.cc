// Runs a model once on an emulated processor, with a marker before and after each operator for `plugin.c`.
//
// The emulator puts the file at MODEL_ADDRESS; ARENA_ADDRESS and ARENA_BYTES are free memory behind it.
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#if defined(TFLM_2021)
#include "tensorflow/lite/micro/micro_error_reporter.h"
#include "tensorflow/lite/micro/micro_profiler.h"
#else
#include "tensorflow/lite/micro/micro_profiler_interface.h"
#endif
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

#if defined(__riscv)
inline void MarkBegin() { asm volatile(".word 0x00002013" ::: "memory"); }
inline void MarkEnd() { asm volatile(".word 0x00102013" ::: "memory"); }
#else
inline void MarkBegin() { asm volatile("mov r9, r9" ::: "memory"); }
inline void MarkEnd() { asm volatile("mov r11, r11" ::: "memory"); }
#endif

#if defined(TFLM_2021)
using Profiler = tflite::MicroProfiler;
#else
using Profiler = tflite::MicroProfilerInterface;
#endif

class Marks : public Profiler {
 public:
  std::uint32_t BeginEvent(const char*) override {
    MarkBegin();
    return 0;
  }
  void EndEvent(std::uint32_t) override { MarkEnd(); }
  void operator delete(void*) {}  // that of TFLM in 2021 is private
};

// 1 + 3 * 1000 instructions on a Cortex-M (2 * 1000 + 1 on RISC-V): what the plugin must count first.
void KnownLoop() {
  std::uint32_t left;
#if defined(__riscv)
  asm volatile(".option push\n.option norvc\nslti zero, zero, 0\nli %0, 1000\n1: addi %0, %0, -1\nbnez %0, 1b\n"
               "slti zero, zero, 1\n.option pop" : "=&r"(left));
#else
  asm volatile(".syntax unified\nldr %0, =1000\nmov r9, r9\nb 2f\n2: nop\nsubs %0, %0, #1\nbne 2b\nmov r11, r11\nb 3f\n.ltorg\n3:"
               : "=&l"(left) : : "cc");
#endif
}

void Fill(TfLiteTensor* tensor) {
  std::uint32_t state = 1;
  if (tensor->type == kTfLiteFloat32) {
    for (std::size_t i = 0; i < tensor->bytes / 4; ++i) {
      state = state * 1664525u + 1013904223u;
      tensor->data.f[i] = static_cast<float>(state >> 24) / 128.0f - 1.0f;
    }
    return;
  }
  for (std::size_t i = 0; i < tensor->bytes; ++i) {
    state = state * 1664525u + 1013904223u;
    tensor->data.raw[i] = static_cast<char>(state >> 24);
  }
}

int Run() {
  using Resolver = tflite::MicroMutableOpResolver<64>;
  static Resolver resolver;
  const auto add = [](TfLiteStatus status) {
    if (status != kTfLiteOk) std::printf("error: an operator could not be added\n");
  };
  ADD_OPERATORS
  static Marks marks;
#if defined(TFLM_2021)
  static tflite::MicroErrorReporter reporter;
  tflite::ErrorReporter* const fifth = &reporter;
#else
  tflite::MicroResourceVariables* const fifth = nullptr;
#endif
  static tflite::MicroInterpreter interpreter(
      tflite::GetModel(reinterpret_cast<const void*>(MODEL_ADDRESS)), resolver,
      reinterpret_cast<std::uint8_t*>(ARENA_ADDRESS), ARENA_BYTES, fifth, &marks);
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    std::printf("error: AllocateTensors failed\n");
    return 1;
  }
  for (std::size_t i = 0; i < interpreter.inputs_size(); ++i) Fill(interpreter.input(i));
  if (interpreter.Invoke() != kTfLiteOk) {
    std::printf("error: Invoke failed\n");
    return 1;
  }
  std::printf("arena %u\n", static_cast<unsigned>(interpreter.arena_used_bytes()));
  for (std::size_t i = 0; i < interpreter.outputs_size(); ++i) {
    const TfLiteTensor* tensor = interpreter.output(i);
    std::printf("output ");
    for (std::size_t k = 0; k < tensor->bytes && k < 64; ++k) {
      std::printf("%02x", static_cast<unsigned>(tensor->data.uint8[k]));
    }
    std::printf("\n");
  }
  std::printf("done\n");
  return 0;
}

}  // namespace

#if defined(__riscv)
// No C++ library is linked there; nothing is ever deleted.
void operator delete(void*) noexcept {}
void operator delete(void*, std::size_t) noexcept {}
#endif

int main() {
  KnownLoop();
  tflite::InitializeTarget();
  return Run();
}
