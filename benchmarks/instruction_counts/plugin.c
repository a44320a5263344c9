// A plugin for QEMU that counts the instructions between two markers, by class, exactly.
//
// Built as `gcc -shared -fPIC -O2 -DISA_THUMB=1 plugin.c -o plugin.so` (0 for RISC-V) and loaded by `-plugin`. The
// functions of QEMU that it calls are declared here as in QEMU's docs/devel/tcg-plugins.rst (API version 1, QEMU 6.0 to
// 8.2), so that no header of QEMU is needed. Prints a line at each marker on standard error, with what ran since the
// marker before it, markers not counted:
//   begin|end <instructions> <loads> <stores> <branches> <multiplications> <divisions> <vector or float>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct qemu_info qemu_info_t;
typedef void (*translated_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void (*executed_t)(unsigned int processor, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_t callback);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation, void *counter,
                                              uint64_t amount);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction, executed_t callback, int flags,
                                            void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { ALL, LOAD, STORE, BRANCH, MULTIPLY, DIVIDE, VECTOR, CLASSES };
enum { NO_MARKER, BEGIN, END };

struct counts {
  uint64_t of[CLASSES];
};

// A marker stands inside a block that was counted as a whole when it was entered: `after` is what follows the marker.
struct marker {
  int kind;
  struct counts after;
};

static struct counts now, before;
static struct marker markers[1 << 16];
static size_t marker_count;

#if ISA_THUMB
static unsigned bits(uint32_t list) { return (unsigned)__builtin_popcount(list); }

// "ARMv7-M Architecture Reference Manual", A5; "Armv8-M Architecture Reference Manual", C2. A load or store counts once
// for each register, a vector load once.
static int marker_of(uint32_t first, size_t size) {
  if (size != 2) return NO_MARKER;
  return first == 0x46C9 ? BEGIN : first == 0x46DB ? END : NO_MARKER;  // mov r9, r9; mov r11, r11
}

static void add_short(struct counts *to, uint32_t op) {
  const unsigned registers = bits(op & 0xFF);
  if ((op & 0xF800) == 0x4800 || (op & 0xF000) == 0x5000) {
    to->of[(op & 0xF800) == 0x4800 || ((op >> 9) & 7) >= 3 ? LOAD : STORE] += 1;
  } else if ((op & 0xE000) == 0x6000 || (op & 0xE000) == 0x8000) {
    if ((op & 0xF000) != 0xA000 && (op & 0xF000) != 0xB000) to->of[op & 0x0800 ? LOAD : STORE] += 1;
  } else if ((op & 0xFE00) == 0xB400) {
    to->of[STORE] += registers + ((op >> 8) & 1);
  } else if ((op & 0xFE00) == 0xBC00) {
    to->of[LOAD] += registers + ((op >> 8) & 1);
    to->of[BRANCH] += (op >> 8) & 1;
  } else if ((op & 0xF000) == 0xC000) {
    to->of[op & 0x0800 ? LOAD : STORE] += registers;
  } else if ((op & 0xFFC0) == 0x4340) {
    to->of[MULTIPLY] += 1;
  } else if (((op & 0xF000) == 0xD000 && (op & 0x0E00) != 0x0E00) || (op & 0xF800) == 0xE000 ||
             (op & 0xFF00) == 0x4700 || (op & 0xF500) == 0xB100) {
    to->of[BRANCH] += 1;
  }
}

static void add_memory(struct counts *to, uint32_t first, uint32_t second) {
  const int class = first & 0x10 ? LOAD : STORE;
  if ((first & 0xFE40) == 0xE800) {  // load or store of many registers
    to->of[class] += bits(second);
    to->of[BRANCH] += class == LOAD && second & 0x8000;
  } else if ((first & 0xFFF0) == 0xE8D0 && (second & 0xFFE0) == 0xF000) {  // table branch
    to->of[LOAD] += 1;
    to->of[BRANCH] += 1;
  } else if ((first & 0xFE40) == 0xE840) {
    to->of[class] += (first & 0xFF60) == 0xE840 ? 1 : 2;  // exclusive, or two registers
  } else {
    to->of[class] += 1;
    to->of[BRANCH] += class == LOAD && (first & 0x60) == 0x40 && second >> 12 == 15;  // the register is the counter
  }
}

static void add_vector(struct counts *to, uint32_t first, uint32_t second) {
  to->of[VECTOR] += 1;
  const int scalar = (second & 0x0E00) == 0x0A00;  // coprocessors 10 and 11: the floating-point unit
  if ((first & 0xFE00) == 0xEC00 && (first & 0xFFE0) != 0xEC40 && (first & 0x01A0) != 0) {
    const int many = scalar && (first & 0x0120) != 0x0100;  // VLDM, VSTM: words in the lowest byte
    to->of[first & 0x10 ? LOAD : STORE] += many ? second & 0xFF : scalar && second & 0x100 ? 2 : 1;
  } else if ((first & 0xFF80) == 0xFC80 && (second & 0x1E00) == 0x1E00) {  // VLD2, VLD4, VST2, VST4
    to->of[first & 0x10 ? LOAD : STORE] += 1;
  }
}

static void add_class(struct counts *to, uint32_t first, uint32_t second, size_t size) {
  if (size == 2) {
    add_short(to, first);
  } else if ((first & 0xFE00) == 0xE800 || (first & 0xFE00) == 0xF800) {
    add_memory(to, first, second);
  } else if ((first & 0xEC00) == 0xEC00) {
    add_vector(to, first, second);
  } else if ((first & 0xFF00) == 0xFB00) {
    const int divides = (first & 0xFFD0) == 0xFB90;
    to->of[divides ? DIVIDE : MULTIPLY] += 1;
  } else if ((first & 0xF800) == 0xF000 && second & 0x8000) {
    const int control = (second & 0xD000) == 0x8000 && (first & 0x0380) == 0x0380;  // barriers, status registers
    to->of[BRANCH] += !control;
  }
}
#else
// "The RISC-V Instruction Set Manual, Volume I", chapters 2, 13, 26 (unprivileged 20240411): RV32IMC.
static int marker_of(uint32_t first, size_t size) {
  if (size != 4) return NO_MARKER;
  return first == 0x2013 ? BEGIN : first == 0x102013 ? END : NO_MARKER;  // slti zero, zero, 0; slti zero, zero, 1
}

static void add_compressed(struct counts *to, uint32_t op) {
  const unsigned where = (op & 3) << 3 | op >> 13;
  if (where == 2 || where == 18) to->of[LOAD] += 1;
  if (where == 6 || where == 22) to->of[STORE] += 1;
  if (where == 9 || (where >= 13 && where <= 15)) to->of[BRANCH] += 1;
  if (where == 20 && !(op & 0x7C) && op & 0xF80) to->of[BRANCH] += 1;
}

static void add_class(struct counts *to, uint32_t first, uint32_t second, size_t size) {
  const uint32_t op = size == 4 ? first | second << 16 : first;
  if (size == 2) {
    add_compressed(to, op);
    return;
  }
  switch (op & 0x7F) {
    case 0x03: case 0x07: to->of[LOAD] += 1; break;
    case 0x23: case 0x27: to->of[STORE] += 1; break;
    case 0x63: case 0x67: case 0x6F: to->of[BRANCH] += 1; break;
    case 0x33:
      if (op >> 25 == 1) to->of[op & 0x4000 ? DIVIDE : MULTIPLY] += 1;
      break;
    case 0x53: to->of[VECTOR] += 1; break;
    default: break;
  }
}
#endif

static void at_marker(unsigned int processor, void *data) {
  const struct marker *marker = data;
  (void)processor;
  fprintf(stderr, "%s", marker->kind == BEGIN ? "begin" : "end");
  for (int i = 0; i < CLASSES; ++i) {
    const uint64_t here = now.of[i] - marker->after.of[i];
    fprintf(stderr, " %" PRIu64, here - before.of[i] - (i == ALL));
    before.of[i] = here;
  }
  fprintf(stderr, "\n");
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  const size_t count = qemu_plugin_tb_n_insns(block);
  struct counts sum = {{0}};
  (void)id;
  for (size_t left = count; left > 0; --left) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, left - 1);
    const size_t size = qemu_plugin_insn_size(instruction);
    uint16_t halves[2] = {0, 0};
    memcpy(halves, qemu_plugin_insn_data(instruction), size > 4 ? 4 : size);
    const int kind = marker_of(ISA_THUMB || size == 2 ? halves[0] : halves[0] | (uint32_t)halves[1] << 16, size);
    if (kind != NO_MARKER && marker_count < sizeof(markers) / sizeof(markers[0])) {
      struct marker *marker = &markers[marker_count++];
      marker->kind = kind;
      marker->after = sum;
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_marker, 0, marker);
    }
    sum.of[ALL] += 1;
    add_class(&sum, halves[0], halves[1], size);
  }
  for (int i = 0; i < CLASSES; ++i) {
    if (sum.of[i]) qemu_plugin_register_vcpu_tb_exec_inline(block, 0, &now.of[i], sum.of[i]);
  }
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                                              char **argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}
