// The only file that needs TensorFlow Lite for Microcontrollers (TFLM).
#include "model_small_model.h"

#include <cstdint>

#include "model_small_data.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

// 2,256 bytes by TFLM's recording allocator and by search on a 64-bit host, reference kernels,
// plus 10 %. Pointers of 32 bits need less, optimized kernels need memory of their own:
// the line `arena:` of the log tells what was used.
#ifndef MODEL_SMALL_ARENA_BYTES
#define MODEL_SMALL_ARENA_BYTES 2496
#endif

namespace model_small {
namespace {

using Resolver = tflite::MicroMutableOpResolver<4>;

alignas(16) std::uint8_t arena[MODEL_SMALL_ARENA_BYTES];
tflite::MicroInterpreter* interpreter = nullptr;

bool AddOperators(Resolver& resolver) {
  return resolver.AddConv2D() == kTfLiteOk &&
         resolver.AddFullyConnected() == kTfLiteOk &&
         resolver.AddReshape() == kTfLiteOk &&
         resolver.AddSoftmax() == kTfLiteOk;
}

}  // namespace

const char* Begin() {
  if (interpreter != nullptr) {
    return nullptr;
  }
  tflite::InitializeTarget();
  const tflite::Model* model = tflite::GetModel(kModelData);
  if (model->version() != 3) {
    return "the file's schema is not version 3";
  }
  static Resolver resolver;
  if (!AddOperators(resolver)) {
    return "an operator could not be registered";
  }
  static tflite::MicroInterpreter ours(model, resolver, arena, sizeof(arena));
  if (ours.AllocateTensors() != kTfLiteOk) {
    return "AllocateTensors failed; TFLM printed why, a larger arena may help";
  }
  interpreter = &ours;
  return nullptr;
}

bool Invoke() { return interpreter->Invoke() == kTfLiteOk; }

bool Reset() { return true; }

std::size_t InputCount() { return interpreter->inputs_size(); }

void* InputData(std::size_t number) { return interpreter->input(number)->data.raw; }

std::size_t InputBytes(std::size_t number) { return interpreter->input(number)->bytes; }

std::size_t OutputCount() { return interpreter->outputs_size(); }

const void* OutputData(std::size_t number) { return interpreter->output(number)->data.raw; }

std::size_t OutputBytes(std::size_t number) { return interpreter->output(number)->bytes; }

std::size_t ArenaUsedBytes() { return interpreter->arena_used_bytes(); }

std::size_t ArenaGivenBytes() { return sizeof(arena); }

}  // namespace model_small
